/* SPDX-License-Identifier: MIT */
#include "core/channel/channel.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/channel/channel_private.h"

static void at(struct sm_channel *channel, uint64_t now_us)
{
    if (now_us > channel->now_us)
        channel->now_us = now_us; /* a clock that runs backwards measures nothing */
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_channel *channel = self;
    *taken = 0;
    at(channel, now_us);
    if (channel->status != SM_OK)
        return channel->status;
    enum sm_status status = sm_channel_receive(channel, in, taken);
    channel->is_draining = status != SM_OK;
    if (*taken) {
        sm_channel_ping_moved(channel, *taken);
        sm_channel_line_receipt_due(channel);
    }
    return status;
}

static struct sm_bytes pending(const void *self)
{
    const struct sm_channel *channel = self;
    size_t size = sm_channel_move_allowed(channel);
    if (!size)
        return (struct sm_bytes){0};
    return (struct sm_bytes){.data = channel->out.w.data + channel->out.gone, .size = size};
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    struct sm_channel *channel = self;
    at(channel, now_us);
    if (!size)
        return;
    sm_channel_outbox_sent(&channel->out, size);
    if (channel->has_line)
        sm_line_left(&channel->line, channel->out.sent, channel->now_us);
    sm_channel_ping_moved(channel, 0);
    sm_channel_line_receipt_due(channel);
}

static uint64_t deadline(const void *self)
{
    const struct sm_channel *channel = self;
    if (channel->status != SM_OK)
        return UINT64_MAX;
    uint64_t pings = sm_channel_ping_deadline(channel);
    uint64_t line = channel->has_line ? sm_line_deadline(&channel->line) : UINT64_MAX;
    return pings < line ? pings : line;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_channel *channel = self;
    at(channel, now_us);
    if (channel->has_line)
        sm_line_tick(&channel->line, channel->now_us);
    return channel->status == SM_OK ? sm_channel_ping_tick(channel) : channel->status;
}

static const char *reason(const void *self)
{
    return sm_channel_reason(self);
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = reason,
};

enum sm_status sm_channel_create(struct sm_channel **out, const struct sm_channel_config *config,
                                 uint64_t now_us)
{
    struct sm_channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return SM_ERR_NOMEM;
    channel->config = *config;
    channel->config.leading = (struct sm_bytes){0};
    if (!config->max_pending_bytes)
        channel->config.max_pending_bytes = SM_CHANNEL_DEFAULT_MAX_PENDING;
    channel->reason = "";
    channel->now_us = now_us;
    sm_list_init(&channel->in.nodes);
    sm_channel_ping_init(channel);
    sm_writer_init(&channel->out.w, SIZE_MAX / 2);
    sm_put_bytes(&channel->out.w, config->leading);
    if (channel->out.w.failed) {
        sm_channel_destroy(channel);
        return SM_ERR_NOMEM;
    }
    channel->out.queued = config->leading.size;
    *out = channel;
    return SM_OK;
}

void sm_channel_destroy(struct sm_channel *channel)
{
    if (!channel)
        return;
    sm_channel_inbox_finish(&channel->in);
    free(channel->acks.marks);
    free(channel->move.data);
    sm_writer_finish(&channel->out.w);
    free(channel);
}

struct sm_machine sm_channel_machine(struct sm_channel *channel)
{
    return (struct sm_machine){.ops = &OPS, .self = channel};
}

/* Done here though it stands in the order of messages; `is_shown` false if the owner need not. */
static enum sm_status handle(struct sm_channel *channel, uint16_t type, struct sm_bytes body,
                             bool *is_shown)
{
    *is_shown = true;
    if (channel->config.role != SM_CHANNEL_CLIENT)
        return sm_channel_migration_check(channel, type);
    if (channel->move.is_allowed) {
        enum sm_status status = sm_channel_move_take(channel, type, body, is_shown);
        if (status != SM_OK || !*is_shown)
            return status;
    }
    if (type == SM_MSG_SET_ACK) {
        *is_shown = false;
        return sm_channel_ack_set(channel, body);
    }
    if (type == SM_MSG_LIST)
        *is_shown = false; /* nothing but a container */
    return SM_OK;
}

static enum sm_status next_sub(struct sm_channel *channel, struct sm_channel_message *out,
                               bool *is_shown)
{
    struct sm_channel_inbox *in = &channel->in;
    struct sm_channel_node *node = in->current;
    struct sm_bytes body = {.data = node->data, .size = node->keep};
    uint16_t type;
    struct sm_bytes sub = sm_frame_sub(body, node->sub_list, in->sub_index++, &type);
    *out = (struct sm_channel_message){.type = type,
                                       .is_sub = true,
                                       .serial = node->frame.serial,
                                       .turn = node->turn,
                                       .body = sub};
    if (channel->config.max_size(type) == 0 || type == SM_MSG_PING) {
        channel->in.skipped++;
        *is_shown = false;
        return SM_OK;
    }
    return handle(channel, type, sub, is_shown);
}

static enum sm_status next_main(struct sm_channel *channel, struct sm_channel_message *out,
                                bool *is_shown)
{
    struct sm_channel_node *node = channel->in.current;
    channel->in.is_main_done = true;
    *out = (struct sm_channel_message){.type = node->frame.type,
                                       .serial = node->frame.serial,
                                       .turn = node->turn,
                                       .body = {.data = node->data, .size = node->keep}};
    *is_shown = false;
    bool is_set_ack = channel->config.role == SM_CHANNEL_CLIENT && out->type == SM_MSG_SET_ACK;
    if (channel->config.role == SM_CHANNEL_CLIENT && !is_set_ack) {
        enum sm_status status = sm_channel_ack_received(channel);
        if (status != SM_OK)
            return status;
    }
    return node->is_answered ? SM_OK : handle(channel, out->type, out->body, is_shown);
}

static void finish_current(struct sm_channel_inbox *in)
{
    if (!in->current)
        return;
    in->handled_serial = in->current->frame.serial;
    sm_channel_node_destroy(in->current);
    in->current = NULL;
}

/* Ends the current message and begins the next; false if there is none. */
static bool advance(struct sm_channel *channel)
{
    struct sm_channel_inbox *in = &channel->in;
    finish_current(in);
    bool is_gone = channel->move.is_leaving && !channel->move.awaits_data;
    if (sm_list_is_empty(&in->nodes) || is_gone)
        return false;
    in->current = SM_LIST_ITEM(in->nodes.next, struct sm_channel_node, link);
    if (in->passed == &in->current->link)
        in->passed = NULL; /* those ahead of it have gone */
    sm_list_remove(&in->current->link);
    in->bytes -= sm_channel_node_memory(in->current);
    in->sub_index = 0;
    in->is_main_done = false;
    return true;
}

enum sm_status sm_channel_next(struct sm_channel *channel, struct sm_channel_message *out)
{
    struct sm_channel_inbox *in = &channel->in;
    for (;;) {
        if (channel->status != SM_OK && !channel->is_draining)
            return channel->status;
        if (channel->is_held)
            return SM_AGAIN;
        bool is_shown = false;
        struct sm_channel_message message = {0};
        enum sm_status status = SM_OK;
        if (in->current && in->sub_index < in->current->sub_count)
            status = next_sub(channel, &message, &is_shown);
        else if (in->current && !in->is_main_done)
            status = next_main(channel, &message, &is_shown);
        else if (!advance(channel))
            return channel->status == SM_OK ? SM_AGAIN : channel->status;
        if (status != SM_OK)
            return status;
        if (is_shown) {
            *out = message;
            return SM_OK;
        }
    }
}

void sm_channel_hold(struct sm_channel *channel)
{
    channel->is_held = true;
}

void sm_channel_release(struct sm_channel *channel)
{
    channel->is_held = false;
}

bool sm_channel_is_held(const struct sm_channel *channel)
{
    return channel->is_held;
}

uint64_t sm_channel_received_serial(const struct sm_channel *channel)
{
    return channel->in.received_serial;
}

uint64_t sm_channel_handled_serial(const struct sm_channel *channel)
{
    return channel->in.handled_serial;
}

uint64_t sm_channel_ping_count(const struct sm_channel *channel)
{
    return channel->in.pings;
}

uint64_t sm_channel_skipped_count(const struct sm_channel *channel)
{
    return channel->in.skipped;
}

enum sm_status sm_channel_fail(struct sm_channel *channel, enum sm_status status,
                               const char *reason_text)
{
    channel->is_draining = false;
    if (channel->status == SM_OK) { /* the first failure is the one to tell */
        channel->status = status;
        channel->reason = reason_text;
    }
    return status;
}

const char *sm_channel_reason(const struct sm_channel *channel)
{
    return channel->reason;
}
