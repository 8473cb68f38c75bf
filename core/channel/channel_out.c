/* SPDX-License-Identifier: MIT */
/* From messages to bytes. */
#include <string.h>

#include "core/base/math.h"
#include "core/channel/channel_private.h"

/* Answers the peer can make us queue beyond the limit for messages, before we stop reading. */
enum { REPLY_ROOM = 64 << 10 };

/* Memory kept for the next messages when all was written, and moved at most to save memory. */
enum { KEPT_CAPACITY = 1 << 20, MOVE_FROM = 64 << 10 };

size_t sm_channel_pending_size(const struct sm_channel *channel)
{
    return channel->out.w.size - channel->out.gone;
}

bool sm_channel_is_full(const struct sm_channel *channel)
{
    return sm_channel_pending_size(channel) >= channel->config.max_pending_bytes;
}

bool sm_channel_has_reply_room(const struct sm_channel *channel)
{
    size_t pending = sm_channel_pending_size(channel);
    return pending < channel->config.max_pending_bytes ||
           pending - channel->config.max_pending_bytes < REPLY_ROOM;
}

uint64_t sm_channel_sent_serial(const struct sm_channel *channel)
{
    return channel->out.serial;
}

void sm_channel_outbox_sent(struct sm_channel_outbox *out, size_t size)
{
    size = sm_min_size(size, out->w.size - out->gone);
    out->gone += size;
    out->sent += size;
    if (out->gone == out->w.size) {
        size_t limit = out->w.limit;
        if (out->w.capacity > KEPT_CAPACITY) {
            sm_writer_finish(&out->w);
            sm_writer_init(&out->w, limit);
        } else {
            sm_writer_reset(&out->w);
        }
        out->gone = 0;
    } else if (out->gone >= MOVE_FROM && out->gone >= out->w.size / 2) {
        memmove(out->w.data, out->w.data + out->gone, out->w.size - out->gone);
        out->w.size -= out->gone;
        out->gone = 0;
    }
}

static enum sm_status queue(struct sm_channel *channel, uint16_t type, const struct sm_bytes *parts,
                            size_t count)
{
    struct sm_channel_outbox *out = &channel->out;
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (size > UINT32_MAX)
        return SM_ERR_LIMIT;

    size_t before = out->w.size;
    sm_frame_build(
        &out->w,
        &(struct sm_frame){.serial = out->serial + 1, .type = type, .size = (uint32_t)size},
        channel->config.has_mini_header);
    for (size_t i = 0; i < count; i++)
        sm_put_bytes(&out->w, parts[i]);
    if (out->w.failed) { /* as if nothing had been tried */
        enum sm_status status = sm_writer_status(&out->w);
        out->w.size = before;
        out->w.failed = out->w.hit_limit = false;
        return status;
    }
    out->serial++;
    out->queued += out->w.size - before;
    sm_channel_ack_sent(channel, out->w.size - before);
    return SM_OK;
}

enum sm_status sm_channel_sendv(struct sm_channel *channel, uint16_t type,
                                const struct sm_bytes *parts, size_t count)
{
    return sm_channel_is_full(channel) ? SM_AGAIN : queue(channel, type, parts, count);
}

enum sm_status sm_channel_send(struct sm_channel *channel, uint16_t type, struct sm_bytes body)
{
    return sm_channel_sendv(channel, type, &body, 1);
}

enum sm_status sm_channel_send_always(struct sm_channel *channel, uint16_t type,
                                      struct sm_bytes body)
{
    return queue(channel, type, &body, 1);
}

/* A message of ours that cannot be queued leaves the connection in no state to go on. */
static enum sm_status send_built(struct sm_channel *channel, uint16_t type, struct sm_writer *body,
                                 enum sm_status status)
{
    if (status == SM_OK)
        status = queue(channel, type, &(struct sm_bytes){body->data, body->size}, 1);
    sm_writer_finish(body);
    return status == SM_OK ? SM_OK : sm_channel_fail(channel, status, "cannot answer the peer");
}

enum sm_status sm_channel_send_base(struct sm_channel *channel, const struct sm_base_msg *msg)
{
    struct sm_writer body;
    sm_writer_init(&body, sm_base_msg_max_size(msg->type));
    enum sm_status status = sm_base_msg_build(&body, msg);
    return send_built(channel, msg->type, &body, status);
}

enum sm_status sm_channel_send_basec(struct sm_channel *channel, const struct sm_base_msgc *msg)
{
    struct sm_writer body;
    sm_writer_init(&body, sm_base_msgc_max_size(msg->type));
    enum sm_status status = sm_base_msgc_build(&body, msg);
    return send_built(channel, msg->type, &body, status);
}
