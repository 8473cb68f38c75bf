/* SPDX-License-Identifier: MIT */
#include "io/websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/base/math.h"
#include "core/base/writer.h"
#include "io/loop.h"
#include "io/random.h"
#include "io/websocket_frames.h"
#include "io/websocket_handshake.h"

enum {
    IN_SIZE = 16 * 1024,
    MASKED_FRAME_MAX = 16 * 1024, /* a client's payload is copied to be masked */
    OUT_LIMIT = 64 * 1024,
    FILLS_A_READ = 4, /* a peer that sends frames without payload must not keep the loop */
};

enum stage {
    STAGE_UNKNOWN,  /* server: not enough bytes seen to tell */
    STAGE_PLAIN,    /* server: not WebSocket; pass everything through */
    STAGE_ASKED,    /* client: the answer to our request is awaited */
    STAGE_UPGRADED, /* frames */
    STAGE_BROKEN,
};

struct websocket {
    struct sm_transport base;
    struct sm_transport *lower; /* owned */
    enum stage stage;
    bool is_client;
    char key[SM_WEBSOCKET_KEY_SIZE + 1]; /* client */
    uint8_t in[IN_SIZE];                 /* read from below, not decoded yet */
    size_t in_start, in_end;
    struct sm_websocket_decoder decoder;
    struct sm_writer out; /* whole bytes for below: handshake, control frames, masked frames */
    size_t out_start;     /* sent of it */
    uint64_t frame_left;  /* server: payload bytes promised by the last header */
    bool has_close_sent;
};

static struct websocket *websocket_of(const struct sm_transport *t)
{
    return (struct websocket *)(uintptr_t)t;
}

static enum sm_status break_with(struct websocket *ws, const char *reason)
{
    ws->stage = STAGE_BROKEN;
    snprintf(ws->base.reason, sizeof(ws->base.reason), "%s", reason);
    return SM_ERR_IO;
}

static enum sm_status lower_failed(struct websocket *ws)
{
    ws->base.has_ended = ws->lower->has_ended;
    return break_with(ws, sm_transport_reason(ws->lower));
}

/* SM_OK when nothing is left to go out. */
static enum sm_status flush_out(struct websocket *ws)
{
    while (ws->out_start < ws->out.size) {
        struct sm_bytes rest = {.data = ws->out.data + ws->out_start,
                                .size = ws->out.size - ws->out_start};
        size_t put = 0;
        enum sm_status status = sm_transport_write(ws->lower, rest, &put);
        if (status == SM_AGAIN)
            return status;
        if (status != SM_OK)
            return lower_failed(ws);
        ws->out_start += put;
    }
    sm_writer_reset(&ws->out);
    ws->out_start = 0;
    return SM_OK;
}

static enum sm_status fill_in(struct websocket *ws)
{
    if (ws->in_start > 0) {
        memmove(ws->in, ws->in + ws->in_start, ws->in_end - ws->in_start);
        ws->in_end -= ws->in_start;
        ws->in_start = 0;
    }
    size_t got = 0;
    enum sm_status status =
        sm_transport_read(ws->lower, ws->in + ws->in_end, IN_SIZE - ws->in_end, &got);
    if (status == SM_ERR_IO)
        return lower_failed(ws);
    if (status == SM_OK)
        ws->in_end += got;
    return status;
}

static struct sm_bytes waiting(const struct websocket *ws)
{
    return (struct sm_bytes){.data = ws->in + ws->in_start, .size = ws->in_end - ws->in_start};
}

/* Server: looks at what the client says first. SM_OK once the stage is known. */
static enum sm_status find_out(struct websocket *ws)
{
    while (ws->stage == STAGE_UNKNOWN) {
        enum sm_status status = fill_in(ws);
        if (status != SM_OK)
            return status;
        status = sm_websocket_answer(waiting(ws), &ws->out);
        if (status == SM_OK) {
            ws->stage = STAGE_UPGRADED;
            ws->in_start = ws->in_end;
        } else if (status != SM_AGAIN) {
            sm_writer_reset(&ws->out);
            ws->stage = STAGE_PLAIN;
        }
    }
    return SM_OK;
}

/* Client: reads the answer. SM_OK once frames may flow. */
static enum sm_status await_answer(struct websocket *ws)
{
    enum sm_status status = flush_out(ws);
    while (ws->stage == STAGE_ASKED && status == SM_OK) {
        status = fill_in(ws);
        if (status != SM_OK)
            break;
        size_t size = 0;
        const char *reason = "";
        status = sm_websocket_check_answer(waiting(ws), ws->key, &size, &reason);
        if (status == SM_ERR_PROTOCOL)
            return break_with(ws, reason);
        if (status == SM_OK) {
            ws->in_start += size;
            ws->stage = STAGE_UPGRADED;
        } else {
            status = SM_OK; /* it goes on */
        }
    }
    return status;
}

static enum sm_status shake_hands(struct websocket *ws)
{
    switch (ws->stage) {
    case STAGE_UNKNOWN:
        return find_out(ws);
    case STAGE_ASKED:
        return await_answer(ws);
    case STAGE_BROKEN:
        return SM_ERR_IO;
    case STAGE_PLAIN:
    case STAGE_UPGRADED:
        break;
    }
    return SM_OK;
}

static void put_control(struct websocket *ws, enum sm_websocket_opcode opcode,
                        struct sm_bytes payload)
{
    uint8_t header[SM_WEBSOCKET_HEADER_MAX], mask[4], masked[SM_WEBSOCKET_CONTROL_MAX];
    if (ws->is_client && sm_random_bytes(mask, sizeof(mask)) != SM_OK)
        return; /* an unanswered ping is no harm */
    size_t size =
        sm_websocket_header_build(header, opcode, payload.size, ws->is_client ? mask : NULL);
    sm_put_bytes(&ws->out, (struct sm_bytes){header, size});
    if (ws->is_client) {
        sm_websocket_mask(masked, payload.data, payload.size, mask, 0);
        payload.data = masked;
    }
    sm_put_bytes(&ws->out, payload);
}

/*
 * Control frames may not stand inside a frame whose payload the caller still owes, nor pile up: an
 * answer that cannot go out now is dropped, except for the close.
 */
static enum sm_status on_control(struct websocket *ws, const struct sm_websocket_step *step)
{
    bool is_clear = ws->frame_left == 0 && ws->out.size - ws->out_start < OUT_LIMIT / 2;
    if (step->control_opcode == SM_WEBSOCKET_PING && is_clear)
        put_control(ws, SM_WEBSOCKET_PONG, step->control);
    if (step->control_opcode != SM_WEBSOCKET_CLOSE)
        return SM_OK;
    if (is_clear && !ws->has_close_sent)
        put_control(ws, SM_WEBSOCKET_CLOSE, (struct sm_bytes){0});
    ws->has_close_sent = true;
    (void)flush_out(ws); /* as far as the line takes it; the end is reported in any case */
    ws->base.has_ended = true;
    return break_with(ws, "the peer closed the WebSocket");
}

static enum sm_status read_frames(struct websocket *ws, uint8_t *to, size_t size, size_t *got)
{
    for (unsigned fills = 0;;) {
        struct sm_websocket_step step;
        enum sm_status status = sm_websocket_decode(&ws->decoder, waiting(ws), to, size, &step);
        ws->in_start += step.taken;
        if (status != SM_OK)
            return break_with(ws, ws->decoder.reason);
        if (step.put) { /* a control frame that ended in the same step is dealt with first */
            *got = step.put;
            if (step.control_opcode && on_control(ws, &step) != SM_OK)
                ws->base.has_ended = true; /* and said at the next read */
            return SM_OK;
        }
        status = step.control_opcode ? on_control(ws, &step) : SM_OK;
        if (status == SM_OK)
            status = flush_out(ws) == SM_ERR_IO ? SM_ERR_IO : SM_OK;
        if (status == SM_OK && !step.control_opcode)
            status = fills++ < FILLS_A_READ ? fill_in(ws) : SM_AGAIN;
        if (status != SM_OK)
            return status; /* all of `in` is decoded: the rest is below, and says so */
    }
}

static enum sm_status read_plain(struct websocket *ws, uint8_t *to, size_t size, size_t *got)
{
    struct sm_bytes first = waiting(ws);
    if (first.size == 0) {
        enum sm_status status = sm_transport_read(ws->lower, to, size, got);
        return status == SM_ERR_IO ? lower_failed(ws) : status;
    }
    *got = sm_min_size(first.size, size);
    memcpy(to, first.data, *got);
    ws->in_start += *got;
    return SM_OK;
}

static enum sm_status websocket_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    struct websocket *ws = websocket_of(t);
    enum sm_status status = shake_hands(ws);
    if (status != SM_OK)
        return status;
    if (ws->stage == STAGE_PLAIN)
        return read_plain(ws, to, size, got);
    return read_frames(ws, to, size, got);
}

/* Server: the payload goes out as it is, behind a header that is written once a frame. */
static enum sm_status write_unmasked(struct websocket *ws, const struct sm_bytes *parts,
                                     size_t count, size_t *put)
{
    if (ws->frame_left == 0) {
        uint64_t total = 0;
        for (size_t i = 0; i < count; i++)
            total += parts[i].size;
        if (total == 0) {
            *put = 0; /* an empty frame could be mistaken for an end */
            return SM_OK;
        }
        uint8_t header[SM_WEBSOCKET_HEADER_MAX];
        size_t size = sm_websocket_header_build(header, SM_WEBSOCKET_BINARY, total, NULL);
        sm_put_bytes(&ws->out, (struct sm_bytes){header, size});
        if (sm_writer_status(&ws->out) != SM_OK)
            return break_with(ws, "out of memory");
        ws->frame_left = total;
    }
    enum sm_status status = flush_out(ws);
    if (status != SM_OK)
        return status;
    size_t done = 0;
    for (size_t i = 0; i < count && ws->frame_left; i++) {
        struct sm_bytes part = {.data = parts[i].data,
                                .size = parts[i].size > ws->frame_left ? (size_t)ws->frame_left
                                                                       : parts[i].size};
        if (part.size == 0)
            continue;
        size_t taken = 0;
        status = sm_transport_write(ws->lower, part, &taken);
        if (status == SM_ERR_IO)
            return lower_failed(ws);
        done += taken;
        ws->frame_left -= taken;
        if (status != SM_OK || taken < part.size)
            break;
    }
    *put = done;
    return done ? SM_OK : SM_AGAIN;
}

/* Client: one masked frame at a time is copied and then owed to the line. */
static enum sm_status write_masked(struct websocket *ws, const struct sm_bytes *parts, size_t count,
                                   size_t *put)
{
    enum sm_status status = flush_out(ws);
    if (status != SM_OK)
        return status;
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += sm_min_size(parts[i].size, MASKED_FRAME_MAX - total);
    *put = total;
    if (total == 0)
        return SM_OK;

    uint8_t header[SM_WEBSOCKET_HEADER_MAX], mask[4];
    if (sm_random_bytes(mask, sizeof(mask)) != SM_OK)
        return break_with(ws, "the kernel gives no random numbers");
    size_t size = sm_websocket_header_build(header, SM_WEBSOCKET_BINARY, total, mask);
    sm_put_bytes(&ws->out, (struct sm_bytes){header, size});
    size_t position = 0;
    for (size_t i = 0; i < count && position < total; i++) {
        size_t part = sm_min_size(parts[i].size, total - position);
        uint8_t *room = sm_put_room(&ws->out, part);
        if (room)
            sm_websocket_mask(room, parts[i].data, part, mask, position);
        position += part;
    }
    if (sm_writer_status(&ws->out) != SM_OK)
        return break_with(ws, "out of memory");
    status = flush_out(ws);
    return status == SM_ERR_IO ? status : SM_OK;
}

static enum sm_status websocket_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                       size_t count, size_t *put)
{
    struct websocket *ws = websocket_of(t);
    enum sm_status status = shake_hands(ws);
    if (status != SM_OK)
        return status;
    if (ws->stage == STAGE_PLAIN) {
        status = sm_transport_writev(ws->lower, parts, count, put);
        return status == SM_ERR_IO ? lower_failed(ws) : status;
    }
    return ws->is_client ? write_masked(ws, parts, count, put)
                         : write_unmasked(ws, parts, count, put);
}

static unsigned websocket_wants(const struct sm_transport *t, unsigned asked)
{
    const struct websocket *ws = websocket_of(t);
    if (ws->out_start < ws->out.size)
        asked |= SM_IO_WRITE;
    else if (ws->stage == STAGE_UNKNOWN || ws->stage == STAGE_ASKED)
        asked = SM_IO_READ; /* nothing can be written before the handshake is through */
    return sm_transport_wants(ws->lower, asked);
}

static bool websocket_has_buffered(const struct sm_transport *t)
{
    const struct websocket *ws = websocket_of(t);
    return ws->in_start < ws->in_end || sm_transport_has_buffered(ws->lower);
}

static enum sm_status websocket_flush(struct sm_transport *t)
{
    struct websocket *ws = websocket_of(t);
    return ws->stage == STAGE_BROKEN ? SM_ERR_IO : flush_out(ws);
}

static enum sm_status websocket_send_fd(struct sm_transport *t, uint8_t byte, int fd)
{
    struct websocket *ws = websocket_of(t);
    if (ws->stage != STAGE_PLAIN || !ws->lower->ops->send_fd)
        return SM_ERR_STATE;
    return ws->lower->ops->send_fd(ws->lower, byte, fd);
}

static void websocket_destroy(struct sm_transport *t)
{
    struct websocket *ws = websocket_of(t);
    sm_transport_destroy(ws->lower);
    sm_writer_finish(&ws->out);
    free(ws);
}

static const struct sm_transport_ops WEBSOCKET_OPS = {
    .read = websocket_read,
    .writev = websocket_writev,
    .wants = websocket_wants,
    .has_buffered = websocket_has_buffered,
    .flush = websocket_flush,
    .send_fd = websocket_send_fd,
    .destroy = websocket_destroy,
};

static struct websocket *new_websocket(struct sm_transport *lower, enum stage stage)
{
    struct websocket *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return NULL;
    ws->base = (struct sm_transport){.ops = &WEBSOCKET_OPS,
                                     .fd = lower->fd,
                                     .is_secure = lower->is_secure,
                                     .is_unix = lower->is_unix};
    ws->lower = lower;
    ws->stage = stage;
    sm_writer_init(&ws->out, OUT_LIMIT);
    return ws;
}

enum sm_status sm_websocket_transport_server(struct sm_transport **out, struct sm_transport *lower)
{
    struct websocket *ws = new_websocket(lower, STAGE_UNKNOWN);
    if (!ws)
        return SM_ERR_NOMEM;
    *out = &ws->base;
    return SM_OK;
}

/* Nothing that would end the header line or add another. */
static bool is_header_text(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

enum sm_status sm_websocket_transport_client(struct sm_transport **out, struct sm_transport *lower,
                                             const char *host, const char *path)
{
    if (!is_header_text(host) || !is_header_text(path) || strlen(host) + strlen(path) > 2048)
        return SM_ERR_LIMIT;
    uint8_t nonce[16];
    enum sm_status status = sm_random_bytes(nonce, sizeof(nonce));
    if (status != SM_OK)
        return status;
    struct websocket *ws = new_websocket(lower, STAGE_ASKED);
    if (!ws)
        return SM_ERR_NOMEM;
    ws->is_client = true;
    EVP_EncodeBlock((unsigned char *)ws->key, nonce, sizeof(nonce));
    sm_websocket_request(&ws->out, host, path, ws->key);
    if (sm_writer_status(&ws->out) != SM_OK) {
        sm_writer_finish(&ws->out);
        free(ws);
        return SM_ERR_NOMEM;
    }
    *out = &ws->base;
    return SM_OK;
}

bool sm_websocket_transport_is_upgraded(const struct sm_transport *t)
{
    return t->ops == &WEBSOCKET_OPS && websocket_of(t)->stage == STAGE_UPGRADED;
}

enum sm_status sm_websocket_transport_handshake(struct sm_transport *t)
{
    return shake_hands(websocket_of(t));
}

enum sm_tls_failure sm_websocket_transport_tls_failure(const struct sm_transport *t)
{
    return sm_tls_transport_failure(websocket_of(t)->lower);
}
