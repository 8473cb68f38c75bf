/* SPDX-License-Identifier: MIT */
#include "core/channel/display/server.h"

#include <stdlib.h>

#include "core/channel/typed.h"

enum { ARENA_LIMIT = 256 << 10 };

static const uint64_t DEFAULT_INIT_TIMEOUT_US = 30000000;

struct sm_display_server {
    struct sm_typed typed;      /* first, see OPS */
    struct sm_display_msgc msg; /* the one being looked at */
    bool is_ready;              /* INIT has come */
    uint64_t init_deadline_us;
    uint64_t gl_draws; /* not yet answered */
    struct sm_id_cache *palettes;
};

static uint64_t deadline(const void *self)
{
    const struct sm_display_server *server = self;
    uint64_t below = sm_typed_deadline(self);
    if (server->is_ready || below < server->init_deadline_us)
        return below;
    return server->init_deadline_us;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_display_server *server = self;
    if (!server->is_ready && now_us >= server->init_deadline_us)
        return sm_channel_fail(server->typed.channel, SM_ERR_LIMIT,
                               "the client did not say what it can cache in time");
    return sm_typed_tick(self, now_us);
}

static const struct sm_machine_ops OPS = {
    .receive = sm_typed_receive,
    .pending = sm_typed_pending,
    .sent = sm_typed_sent,
    .deadline = deadline,
    .tick = tick,
    .reason = sm_typed_reason,
};

enum sm_status sm_display_server_create(struct sm_display_server **out,
                                        const struct sm_display_server_config *config,
                                        uint64_t now_us)
{
    struct sm_display_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    server->init_deadline_us =
        now_us + (config->init_timeout_us ? config->init_timeout_us : DEFAULT_INIT_TIMEOUT_US);
    if (config->setup.is_migrated)
        server->init_deadline_us = UINT64_MAX; /* it comes when the machine does */
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_display_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_OFTEN_US, 0, now_us);
    if (status == SM_OK)
        status = sm_id_cache_create(&server->palettes, SM_DISPLAY_MAX_PALETTES);
    if (status == SM_OK && config->ack_window)
        status = sm_channel_set_ack_window(server->typed.channel, config->ack_window);
    if (status == SM_OK && !config->setup.is_local)
        status = sm_channel_measure_line(server->typed.channel, config->line_rtt_us,
                                         config->line_bytes_per_second);
    if (status != SM_OK) {
        sm_display_server_destroy(server);
        return status;
    }
    if (config->setup.is_migrated)
        sm_channel_await_migrate_data(server->typed.channel);
    *out = server;
    return SM_OK;
}

void sm_display_server_destroy(struct sm_display_server *server)
{
    if (!server)
        return;
    sm_id_cache_destroy(server->palettes);
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_display_server_machine(struct sm_display_server *server)
{
    return (struct sm_machine){.ops = &OPS, .self = server};
}

struct sm_channel *sm_display_server_channel(struct sm_display_server *server)
{
    return server->typed.channel;
}

struct sm_id_cache *sm_display_server_palettes(struct sm_display_server *server)
{
    return server->palettes;
}

bool sm_display_server_is_ready(const struct sm_display_server *server)
{
    return server->is_ready;
}

static enum sm_status refuse(struct sm_display_server *server, const char *text)
{
    return sm_channel_fail(server->typed.channel, SM_ERR_PROTOCOL, text);
}

static enum sm_status on_init(struct sm_display_server *server, struct sm_display_server_init *init)
{
    const struct sm_msgc_display_init *told = &server->msg.init;
    if (server->is_ready)
        return refuse(server, "the client said twice what it can cache");
    if (told->glz_dictionary_window_size > SM_DISPLAY_MAX_GLZ_PX)
        return refuse(server, "the client wants a dictionary beyond all measure");
    server->is_ready = true;
    int64_t cache_px = told->pixmap_cache_size;
    int32_t glz_px = told->glz_dictionary_window_size;
    *init = (struct sm_display_server_init){
        .pixmap_cache_id = told->pixmap_cache_id,
        .glz_dictionary_id = told->glz_dictionary_id,
        .pixmap_cache_px = cache_px > 0 ? (uint64_t)cache_px : 0,
        .glz_dictionary_px = glz_px > 0 ? (uint32_t)glz_px : 0,
    };
    return SM_OK;
}

enum sm_status sm_display_server_resume(struct sm_display_server *server, uint64_t serial)
{
    if (server->is_ready)
        return SM_ERR_STATE;
    server->is_ready = true;
    sm_channel_continue_serial(server->typed.channel, serial);
    return SM_OK;
}

/* What a message that parses may still get wrong. */
static enum sm_status check(struct sm_display_server *server)
{
    switch (server->msg.type) {
    case SM_MSGC_DISPLAY_STREAM_REPORT:
        if (server->msg.stream_report.stream_id >= SM_DISPLAY_MAX_STREAMS)
            return refuse(server, "a report on a stream that cannot exist");
        return SM_OK;
    case SM_MSGC_DISPLAY_GL_DRAW_DONE:
        if (server->gl_draws == 0)
            return refuse(server, "an answer to a GL drawing that was not sent");
        server->gl_draws--;
        return SM_OK;
    default:
        return SM_OK;
    }
}

enum sm_status sm_display_server_next(struct sm_display_server *server,
                                      struct sm_display_server_event *event)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&server->typed, &message);
    if (status != SM_OK)
        return status;
    const char *why = "";
    status =
        sm_display_msgc_parse(&server->msg, message.type, message.body, &server->typed.arena, &why);
    status = sm_typed_parsed(&server->typed, status, why);
    if (status != SM_OK)
        return status;

    struct sm_display_server_event new_event = {.kind = SM_DISPLAY_SERVER_MESSAGE,
                                                .msg = &server->msg};
    if (server->msg.type == SM_MSGC_DISPLAY_INIT) {
        new_event.kind = SM_DISPLAY_SERVER_INIT;
        status = on_init(server, &new_event.init);
    } else {
        status = check(server);
    }
    if (status == SM_OK)
        *event = new_event;
    return status;
}

enum sm_status sm_display_server_send(struct sm_display_server *server,
                                      const struct sm_display_msg *msg)
{
    if (!server->is_ready)
        return SM_ERR_STATE;
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, false, &w);
    if (status != SM_OK)
        return status;
    status = sm_channel_commit(server->typed.channel, sm_display_msg_build(w, msg));
    if (status != SM_OK)
        return status;
    if (msg->type == SM_MSG_DISPLAY_INVAL_ALL_PALETTES || msg->type == SM_MSG_DISPLAY_RESET)
        sm_id_cache_clear(server->palettes);
    if (msg->type == SM_MSG_DISPLAY_GL_DRAW)
        server->gl_draws++;
    return SM_OK;
}
