/* SPDX-License-Identifier: MIT */
/* From bytes to messages. */
#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/channel/channel_private.h"

/* A body is given memory as it comes, not as it is announced. */
enum { FIRST_CAPACITY = 16 << 10 };

/* Of a ping only this much is looked at; its data may be large and mean nothing beyond a time. */
enum { PING_KEPT = 20 };

void sm_channel_node_destroy(struct sm_channel_node *node)
{
    if (!node)
        return;
    free(node->data);
    free(node);
}

void sm_channel_inbox_finish(struct sm_channel_inbox *in)
{
    sm_channel_node_destroy(in->filling);
    sm_channel_node_destroy(in->current);
    SM_LIST_FOR (link, &in->nodes)
        sm_channel_node_destroy(SM_LIST_ITEM(link, struct sm_channel_node, link));
}

/* How much of the body to keep, or a failure for a message nobody may send. */
static enum sm_status judge(struct sm_channel *channel, struct sm_channel_node *node)
{
    bool is_client = channel->config.role == SM_CHANNEL_CLIENT;
    uint32_t size = node->frame.size;
    uint32_t max_size = channel->config.max_size(node->frame.type);
    node->keep = size;
    if (is_client && node->frame.type == SM_MSG_PING) {
        node->keep = sm_min_size(size, PING_KEPT);
        return SM_OK;
    }
    if (max_size == 0 && is_client) { /* as old peers meet newer ones: skip what is not known */
        channel->in.skipped++;
        node->keep = 0;
        node->is_answered = true;
        return SM_OK;
    }
    if (max_size == 0)
        return sm_channel_fail(channel, SM_ERR_PROTOCOL, "a message of an unknown type");
    if (size > max_size)
        return sm_channel_fail(channel, SM_ERR_LIMIT, "a message is larger than its kind may be");
    return SM_OK;
}

static enum sm_status begin(struct sm_channel *channel)
{
    struct sm_channel_inbox *in = &channel->in;
    bool is_mini = channel->config.has_mini_header;
    struct sm_frame frame =
        sm_frame_parse((struct sm_bytes){in->header, in->header_filled}, is_mini);
    if (is_mini)
        frame.serial = in->received_serial + 1;
    in->header_filled = 0;

    struct sm_channel_node *node = calloc(1, sizeof(*node));
    if (!node)
        return sm_channel_fail(channel, SM_ERR_NOMEM, "out of memory");
    sm_list_init(&node->link);
    node->frame = frame;
    node->turn = in->begun++;
    in->filling = node;
    return judge(channel, node);
}

static enum sm_status reserve(struct sm_channel *channel, struct sm_channel_node *node, size_t size)
{
    if (size <= node->capacity)
        return SM_OK;
    size_t capacity = node->capacity ? node->capacity * 2 : FIRST_CAPACITY;
    if (capacity < size)
        capacity = size;
    capacity = sm_min_size(capacity, node->keep);
    uint8_t *data = realloc(node->data, capacity);
    if (!data)
        return sm_channel_fail(channel, SM_ERR_NOMEM, "out of memory");
    node->data = data;
    node->capacity = capacity;
    return SM_OK;
}

/* Takes bytes of the body; `size` is what is there and still belongs to it. */
static enum sm_status fill(struct sm_channel *channel, struct sm_channel_node *node,
                           const uint8_t *data, size_t size)
{
    size_t wanted = node->seen < node->keep ? sm_min_size(size, node->keep - node->seen) : 0;
    if (wanted) {
        enum sm_status status = reserve(channel, node, node->seen + wanted);
        if (status != SM_OK)
            return status;
        memcpy(node->data + node->seen, data, wanted);
    }
    node->seen += size;
    return SM_OK;
}

static struct sm_bytes node_body(const struct sm_channel_node *node)
{
    return (struct sm_bytes){.data = node->data, .size = node->keep};
}

static enum sm_status answer_ping(struct sm_channel *channel, struct sm_channel_node *node)
{
    struct sm_arena none;
    struct sm_base_msg msg;
    const char *reason = "";
    sm_arena_init(&none, 0);
    enum sm_status status = sm_base_msg_parse(&msg, SM_MSG_PING, node_body(node), &none, &reason);
    if (status != SM_OK)
        return sm_channel_fail(channel, status, reason);
    node->is_answered = true;
    if (!sm_channel_line_pinged(channel, &msg.ping))
        channel->in.pings++;
    if (channel->move.is_leaving)
        return SM_OK; /* the source measures no more, and the target has not asked */
    return sm_channel_send_basec(
        channel,
        &(struct sm_base_msgc){.type = SM_MSGC_PONG,
                               .pong = {.id = msg.ping.id, .timestamp = msg.ping.timestamp}});
}

static enum sm_status find_subs(struct sm_channel *channel, struct sm_channel_node *node)
{
    bool is_list = node->frame.type == SM_MSG_LIST;
    if (!is_list && node->frame.sub_list == 0)
        return SM_OK;
    struct sm_bytes body = node_body(node);
    node->sub_list = is_list ? 0 : node->frame.sub_list;
    uint32_t count = 0;
    enum sm_status status = sm_frame_sub_count(body, node->sub_list, &count);
    for (uint32_t i = 0; i < count && status == SM_OK; i++) {
        uint16_t type;
        (void)sm_frame_sub(body, node->sub_list, i, &type);
        if (type == SM_MSG_LIST) /* a list in a list could lead back to itself */
            status = SM_ERR_PROTOCOL;
    }
    if (status != SM_OK)
        return sm_channel_fail(channel, status, "malformed list of messages");
    node->sub_count = count;
    return SM_OK;
}

static enum sm_status finish_at_client(struct sm_channel *channel, struct sm_channel_node *node)
{
    if (node->frame.type == SM_MSG_PING)
        return answer_ping(channel, node);
    return node->is_answered ? SM_OK : find_subs(channel, node);
}

static enum sm_status finish_at_server(struct sm_channel *channel, struct sm_channel_node *node)
{
    uint16_t type = node->frame.type;
    if (type != SM_MSGC_ACK_SYNC && type != SM_MSGC_ACK && type != SM_MSGC_PONG)
        return SM_OK;

    struct sm_arena none;
    struct sm_base_msgc msg;
    const char *reason = "";
    sm_arena_init(&none, 0);
    enum sm_status status = sm_base_msgc_parse(&msg, type, node_body(node), &none, &reason);
    if (status != SM_OK)
        return sm_channel_fail(channel, status, reason);
    node->is_answered = true;
    if (type == SM_MSGC_ACK_SYNC)
        sm_channel_ack_synced(channel, msg.ack_sync.generation);
    else if (type == SM_MSGC_ACK)
        sm_channel_ack_acked(channel);
    else
        sm_channel_ping_ponged(channel, msg.pong.id);
    if (type == SM_MSGC_PONG)
        sm_channel_line_answered(channel, msg.pong.id, msg.pong.timestamp);
    return channel->status;
}

/* A whole message is here. */
static enum sm_status finish(struct sm_channel *channel)
{
    struct sm_channel_inbox *in = &channel->in;
    struct sm_channel_node *node = in->filling;
    in->received_serial = node->frame.serial;
    enum sm_status status = channel->config.role == SM_CHANNEL_CLIENT
                                ? finish_at_client(channel, node)
                                : finish_at_server(channel, node);
    if (status != SM_OK)
        return status;
    in->filling = NULL;
    if (node->is_answered && channel->config.role == SM_CHANNEL_SERVER) {
        sm_channel_node_destroy(node); /* an owner that never pulls still gets acknowledgements */
        return SM_OK;
    }
    in->bytes += sm_channel_node_memory(node);
    sm_list_append(&in->nodes, &node->link);
    return SM_OK;
}

void sm_channel_set_byte_behind(struct sm_channel *channel,
                                bool (*has_byte_behind)(uint16_t type, struct sm_bytes body))
{
    channel->in.has_byte_behind = has_byte_behind;
}

/* What is still to come of a message whose body is there. */
static size_t left_behind(const struct sm_channel *channel, const struct sm_channel_node *node)
{
    const struct sm_channel_inbox *in = &channel->in;
    bool has_byte = in->has_byte_behind && node->keep == node->frame.size &&
                    in->has_byte_behind(node->frame.type, node_body(node));
    return has_byte ? node->frame.size + 1u - node->seen : 0;
}

/*
 * Between messages: may another one begin? What is held back for a migration's target leaves only
 * when the source's data are here, so these, one message of limited size, are read in any case.
 */
static bool may_begin(const struct sm_channel *channel)
{
    if (channel->move.awaits_data && sm_list_is_empty(&channel->in.nodes))
        return true;
    return channel->in.bytes < SM_CHANNEL_READ_AHEAD && sm_channel_has_reply_room(channel);
}

enum sm_status sm_channel_receive(struct sm_channel *channel, struct sm_bytes bytes, size_t *taken)
{
    struct sm_channel_inbox *in = &channel->in;
    size_t header_size = sm_frame_size(channel->config.has_mini_header);
    while (channel->status == SM_OK) {
        size_t left = bytes.size - *taken;
        if (!in->filling) {
            if (in->header_filled == 0 && (left == 0 || !may_begin(channel)))
                break;
            size_t part = sm_min_size(left, header_size - in->header_filled);
            if (part)
                memcpy(in->header + in->header_filled, bytes.data + *taken, part);
            in->header_filled += part;
            *taken += part;
            if (in->header_filled < header_size)
                break;
            (void)begin(channel);
            continue;
        }
        struct sm_channel_node *node = in->filling;
        bool has_body = node->seen >= node->frame.size;
        size_t size = has_body ? left_behind(channel, node) : node->frame.size - node->seen;
        size_t part = sm_min_size(left, size);
        if (part && fill(channel, node, bytes.data + *taken, part) != SM_OK)
            break;
        *taken += part;
        if (part < size)
            break;
        if (!has_body && left_behind(channel, node) > 0)
            continue;
        (void)finish(channel);
    }
    return channel->status;
}
