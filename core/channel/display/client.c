/* SPDX-License-Identifier: MIT */
#include "core/channel/display/client.h"

#include <stdlib.h>

#include "core/base/reader.h"
#include "core/channel/typed.h"

/* Arrays of one message: clip rectangles, path segments and glyphs, in memory somewhat larger. */
enum {
    ARENA_LIMIT = 64 << 20,
    AHEAD_ARENA_LIMIT = 1 << 20, /* of a message that is looked at before its turn */
    AHEAD_MIN_SIZE = 256,        /* fewer bytes than that are no image that takes time */
    ALONE = 8,                   /* as many times smaller is what follows a message that is alone */
};

struct sm_display_client {
    struct sm_typed typed;
    struct sm_display_msg msg; /* the one being looked at */
    uint32_t server_caps;
    struct sm_display_msg ahead; /* the one being looked at before its turn */
    struct sm_arena ahead_arena; /* its arrays */
};

static enum sm_status put(struct sm_display_client *client, const struct sm_display_msgc *msg,
                          bool is_always)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(client->typed.channel, msg->type, is_always, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(client->typed.channel, sm_display_msgc_build(w, msg));
}

static enum sm_status send_init(struct sm_display_client *client,
                                const struct sm_display_client_config *config)
{
    struct sm_display_msgc msg = {
        .type = SM_MSGC_DISPLAY_INIT,
        .init = {.pixmap_cache_id = config->pixmap_cache_id,
                 .pixmap_cache_size = config->pixmap_cache_px,
                 .glz_dictionary_id = config->glz_dictionary_id,
                 .glz_dictionary_window_size = config->glz_dictionary_px},
    };
    return put(client, &msg, true);
}

/* Source: docs/wire/facts.md, "GL": a format of zero means that there is no buffer. */
static bool has_byte_behind(uint16_t type, struct sm_bytes body)
{
    enum { FORMAT_AT = 12 };
    struct sm_reader r = sm_reader(body);
    (void)sm_get_bytes(&r, FORMAT_AT);
    return type == SM_MSG_DISPLAY_GL_SCANOUT_UNIX && sm_get_le32(&r) != 0;
}

enum sm_status sm_display_client_create(struct sm_display_client **out,
                                        const struct sm_display_client_config *config,
                                        uint64_t now_us)
{
    struct sm_display_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    client->server_caps = config->setup.channel_caps;
    sm_arena_init(&client->ahead_arena, AHEAD_ARENA_LIMIT);
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_display_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status == SM_OK && config->takes_descriptors)
        sm_channel_set_byte_behind(client->typed.channel, has_byte_behind);
    if (status == SM_OK && !config->is_migration_target)
        status = send_init(client, config);
    if (status != SM_OK) {
        sm_display_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_display_client_destroy(struct sm_display_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    sm_arena_finish(&client->ahead_arena);
    free(client);
}

struct sm_machine sm_display_client_machine(struct sm_display_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_display_client_channel(struct sm_display_client *client)
{
    return client->typed.channel;
}

static bool is_wait(const struct sm_display_msg *msg)
{
    return msg->type == SM_MSG_WAIT_FOR_CHANNELS ||
           (msg->type == SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS && msg->inval_all_pixmaps.num_waits > 0);
}

enum sm_status sm_display_client_next(struct sm_display_client *client,
                                      struct sm_display_client_event *event)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&client->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_display_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                  &reason);
    status = sm_typed_parsed(&client->typed, status, reason);
    if (status != SM_OK)
        return status;
    bool waits = is_wait(&client->msg);
    if (waits)
        sm_channel_hold(client->typed.channel);
    *event = (struct sm_display_client_event){.serial = message.serial,
                                              .turn = message.turn,
                                              .is_sub = message.is_sub,
                                              .is_wait = waits,
                                              .msg = &client->msg};
    return SM_OK;
}

/* What the messages behind it mean, or when they may be looked at, hangs on it. */
static bool is_barrier(uint16_t type)
{
    switch (type) {
    case SM_MSG_MIGRATE:
    case SM_MSG_MIGRATE_DATA:
    case SM_MSG_WAIT_FOR_CHANNELS:
    case SM_MSG_LIST:
    case SM_MSG_DISPLAY_MODE:
    case SM_MSG_DISPLAY_RESET:
    case SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS:
    case SM_MSG_DISPLAY_SURFACE_CREATE:
    case SM_MSG_DISPLAY_SURFACE_DESTROY:
        return true;
    default:
        return false;
    }
}

/* A message that cannot be parsed is a failure in its turn, not now. */
static bool parse_ahead(struct sm_display_client *client, const struct sm_channel_message *message)
{
    const char *reason = "";
    sm_arena_reset(&client->ahead_arena);
    return message->type == SM_MSG_DISPLAY_DRAW_COPY && message->body.size >= AHEAD_MIN_SIZE &&
           sm_display_msg_parse(&client->ahead, message->type, message->body, &client->ahead_arena,
                                &reason) == SM_OK;
}

bool sm_display_client_look_ahead(struct sm_display_client *client,
                                  struct sm_display_client_ahead *out)
{
    struct sm_channel_ahead next;
    while (sm_channel_look_ahead(client->typed.channel, &next)) {
        const struct sm_channel_message *message = &next.message;
        if (next.has_subs || is_barrier(message->type))
            return false;
        if (parse_ahead(client, message)) {
            *out = (struct sm_display_client_ahead){
                .turn = message->turn,
                .msg = &client->ahead,
                .size = message->body.size,
                .is_alone = next.is_first && next.behind < message->body.size / ALONE,
            };
            return true;
        }
        sm_channel_pass(client->typed.channel, false);
    }
    return false;
}

void sm_display_client_pass(struct sm_display_client *client, bool is_on_loan)
{
    sm_channel_pass(client->typed.channel, is_on_loan);
}

enum sm_status sm_display_client_send(struct sm_display_client *client,
                                      const struct sm_display_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_DISPLAY_INIT:
        return SM_ERR_STATE;
    case SM_MSGC_DISPLAY_PREFERRED_COMPRESSION:
        if (!(client->server_caps >> SM_DISPLAY_CAP_PREF_COMPRESSION & 1))
            return SM_OK;
        break;
    case SM_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE:
        if (!(client->server_caps >> SM_DISPLAY_CAP_PREF_VIDEO_CODEC_TYPE & 1))
            return SM_OK;
        break;
    default:
        break;
    }
    return put(client, msg, false);
}
