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

/* As if the message being built had never been begun. */
static void undo(struct sm_channel_outbox *out)
{
    out->w.size = out->begun;
    out->w.failed = out->w.hit_limit = false;
}

enum sm_status sm_channel_begin(struct sm_channel *channel, uint16_t type, bool is_always,
                                struct sm_writer **w)
{
    struct sm_channel_outbox *out = &channel->out;
    if (!is_always && sm_channel_is_full(channel))
        return SM_AGAIN;
    out->begun = out->w.size;
    out->begun_type = type;
    sm_frame_build(&out->w, &(struct sm_frame){.serial = out->serial + 1, .type = type},
                   channel->config.has_mini_header);
    if (out->w.failed) {
        enum sm_status status = out->w.hit_limit ? SM_ERR_LIMIT : SM_ERR_NOMEM;
        undo(out);
        return status;
    }
    *w = &out->w;
    return SM_OK;
}

enum sm_status sm_channel_commit(struct sm_channel *channel, enum sm_status built)
{
    struct sm_channel_outbox *out = &channel->out;
    bool is_mini = channel->config.has_mini_header;
    if (built == SM_OK)
        built = sm_writer_status(&out->w);
    size_t body = out->w.size - out->begun - sm_frame_size(is_mini);
    if (built == SM_OK && body > UINT32_MAX)
        built = SM_ERR_LIMIT;
    /* Behind MIGRATE the client expects the data, if anything, and then listens to the target. */
    bool is_too_late = channel->migration.is_leaving && out->begun_type != SM_MSG_MIGRATE_DATA;
    if (built != SM_OK || is_too_late) {
        undo(out);
        return built;
    }
    sm_patch_le32(&out->w, out->begun + sm_frame_size_offset(is_mini), (uint32_t)body);
    out->serial++;
    out->queued += out->w.size - out->begun;
    sm_channel_ack_sent(channel, out->w.size - out->begun);
    sm_channel_line_queued(channel);
    return SM_OK;
}

static enum sm_status send_parts(struct sm_channel *channel, uint16_t type, bool is_always,
                                 const struct sm_bytes *parts, size_t count)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(channel, type, is_always, &w);
    if (status != SM_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        sm_put_bytes(w, parts[i]);
    return sm_channel_commit(channel, SM_OK);
}

enum sm_status sm_channel_sendv(struct sm_channel *channel, uint16_t type,
                                const struct sm_bytes *parts, size_t count)
{
    return send_parts(channel, type, false, parts, count);
}

enum sm_status sm_channel_send(struct sm_channel *channel, uint16_t type, struct sm_bytes body)
{
    return send_parts(channel, type, false, &body, 1);
}

enum sm_status sm_channel_send_always(struct sm_channel *channel, uint16_t type,
                                      struct sm_bytes body)
{
    return send_parts(channel, type, true, &body, 1);
}

/* An answer of ours that cannot be queued leaves the connection in no state to go on. */
static enum sm_status must(struct sm_channel *channel, enum sm_status status)
{
    return status == SM_OK ? SM_OK : sm_channel_fail(channel, status, "cannot answer the peer");
}

enum sm_status sm_channel_send_base(struct sm_channel *channel, const struct sm_base_msg *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(channel, msg->type, true, &w);
    if (status == SM_OK)
        status = sm_channel_commit(channel, sm_base_msg_build(w, msg));
    return must(channel, status);
}

enum sm_status sm_channel_send_basec(struct sm_channel *channel, const struct sm_base_msgc *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(channel, msg->type, true, &w);
    if (status == SM_OK)
        status = sm_channel_commit(channel, sm_base_msgc_build(w, msg));
    return must(channel, status);
}
