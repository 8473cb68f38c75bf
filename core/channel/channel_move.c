/* SPDX-License-Identifier: MIT */
/* Client: from one server to the next. Source: docs/client.md, "A machine that moves". */
#include <stdlib.h>
#include <string.h>

#include "core/channel/channel_private.h"

void sm_channel_allow_move(struct sm_channel *channel)
{
    channel->move.is_allowed = channel->config.role == SM_CHANNEL_CLIENT;
}

bool sm_channel_has_left(const struct sm_channel *channel)
{
    const struct sm_channel_move *move = &channel->move;
    return move->is_leaving && !move->awaits_data && channel->out.sent >= move->barrier &&
           channel->status == SM_OK && !channel->in.current;
}

size_t sm_channel_move_allowed(const struct sm_channel *channel)
{
    size_t size = sm_channel_pending_size(channel);
    if (!channel->move.is_leaving)
        return size;
    return channel->out.sent < channel->move.barrier
               ? (size_t)(channel->move.barrier - channel->out.sent)
               : 0;
}

static enum sm_status leave(struct sm_channel *channel, struct sm_bytes body)
{
    struct sm_channel_move *move = &channel->move;
    if (move->is_leaving)
        return sm_channel_fail(channel, SM_ERR_PROTOCOL,
                               "a second migration before the first is over");
    struct sm_arena none;
    struct sm_base_msg msg;
    const char *reason = "";
    sm_arena_init(&none, 0);
    enum sm_status status = sm_base_msg_parse(&msg, SM_MSG_MIGRATE, body, &none, &reason);
    if (status != SM_OK)
        return sm_channel_fail(channel, status, reason);
    bool needs_flush = msg.migrate.flags & SM_MIGRATE_FLAG_NEED_FLUSH;
    if (needs_flush)
        status = sm_channel_send_basec(channel,
                                       &(struct sm_base_msgc){.type = SM_MSGC_MIGRATE_FLUSH_MARK});
    if (status != SM_OK)
        return status;
    move->is_leaving = true;
    move->awaits_data = msg.migrate.flags & SM_MIGRATE_FLAG_NEED_DATA_TRANSFER;
    /* A source that does not ask for the rest does not wait for it either. */
    move->fresh = channel->out.queued;
    move->barrier = needs_flush ? move->fresh : channel->out.sent;
    return SM_OK;
}

static enum sm_status keep_data(struct sm_channel *channel, struct sm_bytes body)
{
    struct sm_channel_move *move = &channel->move;
    move->data = malloc(body.size ? body.size : 1);
    if (!move->data)
        return sm_channel_fail(channel, SM_ERR_NOMEM, "out of memory");
    if (body.size)
        memcpy(move->data, body.data, body.size);
    move->data_size = body.size;
    move->has_data = true;
    move->awaits_data = false;
    return SM_OK;
}

enum sm_status sm_channel_move_take(struct sm_channel *channel, uint16_t type, struct sm_bytes body,
                                    bool *is_shown)
{
    bool is_data = type == SM_MSG_MIGRATE_DATA;
    *is_shown = type != SM_MSG_MIGRATE && !is_data;
    if (channel->move.awaits_data != is_data)
        return sm_channel_fail(channel, SM_ERR_PROTOCOL,
                               is_data ? "migration data nobody asked for"
                                       : "a message ahead of the migration data");
    if (is_data)
        return keep_data(channel, body);
    return type == SM_MSG_MIGRATE ? leave(channel, body) : SM_OK;
}

/* What was queued for the target, behind the data. */
static enum sm_status put_anew(struct sm_channel *channel, struct sm_writer *w)
{
    const struct sm_channel_outbox *out = &channel->out;
    const struct sm_channel_move *move = &channel->move;
    size_t waiting = (size_t)(out->queued - move->fresh);
    if (move->has_data) {
        struct sm_frame frame = {.serial = out->serial + 1,
                                 .type = SM_MSGC_MIGRATE_DATA,
                                 .size = (uint32_t)move->data_size};
        sm_frame_build(w, &frame, channel->config.has_mini_header);
        sm_put_bytes(w, (struct sm_bytes){move->data, move->data_size});
    }
    sm_put_bytes(w, (struct sm_bytes){out->w.data + out->w.size - waiting, waiting});
    return sm_writer_status(w);
}

static void forget_received(struct sm_channel_inbox *in)
{
    sm_channel_node_destroy(in->filling);
    in->filling = NULL;
    SM_LIST_FOR (link, &in->nodes) {
        sm_list_remove(link);
        sm_channel_node_destroy(SM_LIST_ITEM(link, struct sm_channel_node, link));
    }
    in->passed = NULL;
    in->bytes = 0;
    in->header_filled = 0;
    in->received_serial = in->handled_serial;
}

enum sm_status sm_channel_arrive(struct sm_channel *channel)
{
    struct sm_channel_outbox *out = &channel->out;
    struct sm_channel_move *move = &channel->move;
    if (!sm_channel_has_left(channel))
        return SM_ERR_STATE;
    struct sm_writer w;
    sm_writer_init(&w, out->w.limit);
    enum sm_status status = put_anew(channel, &w);
    if (status != SM_OK) {
        sm_writer_finish(&w);
        return sm_channel_fail(channel, status, "out of memory");
    }
    sm_writer_finish(&out->w);
    out->w = w;
    out->gone = 0;
    out->sent = 0;
    out->queued = w.size;
    out->serial += move->has_data;
    forget_received(&channel->in);
    channel->acks.window = channel->acks.countdown = 0;
    channel->has_line = false; /* it is another one, if the target tells of it */
    free(move->data);
    *move = (struct sm_channel_move){.is_allowed = true};
    return SM_OK;
}
