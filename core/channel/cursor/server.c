/* SPDX-License-Identifier: MIT */
#include "core/channel/cursor/server.h"

#include <stdlib.h>

#include "core/channel/id_cache.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 64 << 10 };

struct sm_cursor_server {
    struct sm_typed typed;
    struct sm_cursor_msgc msg; /* the one being looked at */
    struct sm_id_cache *shapes;
};

enum sm_status sm_cursor_server_create(struct sm_cursor_server **out,
                                       const struct sm_cursor_server_config *config,
                                       uint64_t now_us)
{
    struct sm_cursor_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_cursor_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_RARELY_US, 0, now_us);
    if (status == SM_OK)
        status = sm_id_cache_create(&server->shapes, SM_CURSOR_MAX_CACHED);
    if (status == SM_OK && config->ack_window)
        status = sm_channel_set_ack_window(server->typed.channel, config->ack_window);
    if (status != SM_OK) {
        sm_cursor_server_destroy(server);
        return status;
    }
    *out = server;
    return SM_OK;
}

void sm_cursor_server_destroy(struct sm_cursor_server *server)
{
    if (!server)
        return;
    sm_id_cache_destroy(server->shapes);
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_cursor_server_machine(struct sm_cursor_server *server)
{
    return sm_channel_machine(server->typed.channel);
}

struct sm_channel *sm_cursor_server_channel(struct sm_cursor_server *server)
{
    return server->typed.channel;
}

enum sm_status sm_cursor_server_next(struct sm_cursor_server *server,
                                     const struct sm_cursor_msgc **msg)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&server->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_cursor_msgc_parse(&server->msg, message.type, message.body, &server->typed.arena,
                                  &reason);
    status = sm_typed_parsed(&server->typed, status, reason);
    if (status != SM_OK)
        return status;
    *msg = &server->msg;
    return SM_OK;
}

static enum sm_status put(struct sm_cursor_server *server, const struct sm_cursor_msg *msg,
                          bool is_always)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, is_always, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(server->typed.channel, sm_cursor_msg_build(w, msg));
}

/* The part of a message that is a shape; NULL if there is none. */
static struct sm_cursor *shape_of(struct sm_cursor_msg *msg)
{
    struct sm_cursor *cursor = NULL;
    if (msg->type == SM_MSG_CURSOR_INIT)
        cursor = &msg->init.cursor;
    else if (msg->type == SM_MSG_CURSOR_SET)
        cursor = &msg->set.cursor;
    return cursor && !(cursor->flags & SM_CURSOR_FLAG_NONE) ? cursor : NULL;
}

/* The client has the shape now; what falls out is told behind the message that pushed it out. */
static enum sm_status remember(struct sm_cursor_server *server, uint64_t unique)
{
    enum sm_status status = sm_id_cache_add(server->shapes, unique, 1);
    uint64_t evicted;
    while (status == SM_OK && sm_id_cache_evict(server->shapes, &evicted))
        status = put(
            server,
            &(struct sm_cursor_msg){.type = SM_MSG_CURSOR_INVAL_ONE, .inval_one = {.id = evicted}},
            true);
    return status;
}

enum sm_status sm_cursor_server_send(struct sm_cursor_server *server,
                                     const struct sm_cursor_msg *msg)
{
    struct sm_cursor_msg sent = *msg;
    bool empties = msg->type == SM_MSG_CURSOR_INIT || msg->type == SM_MSG_CURSOR_RESET ||
                   msg->type == SM_MSG_CURSOR_INVAL_ALL;
    struct sm_cursor *cursor = shape_of(&sent);
    bool is_cached = false;
    if (cursor) {
        is_cached =
            !empties && cursor->unique != 0 && sm_id_cache_use(server->shapes, cursor->unique);
        cursor->flags = cursor->unique != 0 ? SM_CURSOR_FLAG_CACHE_ME : 0;
        if (is_cached) {
            cursor->flags = SM_CURSOR_FLAG_FROM_CACHE;
            cursor->data = (struct sm_bytes){0};
        }
    }
    enum sm_status status = put(server, &sent, false);
    if (status != SM_OK)
        return status;
    if (empties)
        sm_id_cache_clear(server->shapes);
    if (cursor && !is_cached && cursor->unique != 0) {
        status = remember(server, cursor->unique);
        if (status != SM_OK) /* the book is wrong from here on */
            return sm_channel_fail(server->typed.channel, status, "out of memory");
    }
    return SM_OK;
}
