/* SPDX-License-Identifier: MIT */
/* Looking at messages that have come and were not pulled yet. */
#include "core/channel/channel_private.h"

size_t sm_channel_node_memory(const struct sm_channel_node *node)
{
    return node->is_on_loan ? 0 : sizeof(*node) + node->capacity;
}

static struct sm_channel_node *shown(const struct sm_channel *channel)
{
    const struct sm_channel_inbox *in = &channel->in;
    struct sm_list *next = in->passed ? in->passed->next : in->nodes.next;
    if (next == &in->nodes || channel->is_held || channel->status != SM_OK ||
        channel->move.is_leaving)
        return NULL;
    return SM_LIST_ITEM(next, struct sm_channel_node, link);
}

bool sm_channel_look_ahead(const struct sm_channel *channel, struct sm_channel_ahead *out)
{
    const struct sm_channel_inbox *in = &channel->in;
    const struct sm_channel_node *node = shown(channel);
    if (!node)
        return false;
    size_t behind = in->header_filled + (in->filling ? in->filling->frame.size : 0);
    for (const struct sm_list *link = node->link.next; link != &in->nodes && behind < node->keep;
         link = link->next)
        behind += SM_LIST_ITEM(link, const struct sm_channel_node, link)->keep;
    bool is_skipped = node->is_answered && node->sub_count == 0;
    *out = (struct sm_channel_ahead){
        .message = {.type = is_skipped ? 0 : node->frame.type,
                    .serial = node->frame.serial,
                    .turn = node->turn,
                    .body = {.data = node->data, .size = node->keep}},
        .has_subs = node->sub_count > 0,
        .is_first = node->link.prev == &in->nodes,
        .behind = behind,
    };
    return true;
}

void sm_channel_pass(struct sm_channel *channel, bool is_on_loan)
{
    struct sm_channel_node *node = shown(channel);
    if (!node)
        return;
    if (is_on_loan) {
        channel->in.bytes -= sm_channel_node_memory(node);
        node->is_on_loan = true;
    }
    channel->in.passed = &node->link;
}
