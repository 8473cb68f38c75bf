/* SPDX-License-Identifier: MIT */
#include "core/channel/main/server.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/channel/agent_port.h"
#include "core/channel/typed.h"
#include "core/wire/agent.h"

enum {
    ARENA_LIMIT = 256 << 10,
    TOKEN_BATCH = 5, /* tokens go back to the client together */
    MAX_MONITORS = 256,
    /* a whole MONITORS_CONFIG behind the agent's header, physical sizes included */
    MAX_MONITORS_BODY = 8 + MAX_MONITORS * (20 + 4),
};

static const uint64_t LIVENESS_US = 30000000;
static const uint64_t AGENT_WAIT_US = 30000000;

/* A piece of the agent's that waits for a token of the client. */
struct waiting {
    size_t size;
    uint8_t data[SM_AGENT_PIECE_MAX];
};

struct sm_main_server {
    struct sm_typed typed;   /* first, see OPS */
    struct sm_main_msgc msg; /* the one being looked at */
    uint32_t client_caps;
    bool is_local, is_migrated, is_started, is_attached_to_channels;
    uint64_t now_us; /* the latest we were told */

    bool has_agent, is_agent_started; /* the client has sent AGENT_START */

    /* client to agent */
    struct sm_agent_filter filter;
    uint32_t client_tokens;   /* AGENT_DATA messages the client may send */
    uint32_t owed, to_return; /* pieces the owner has; tokens collected for the next batch */
    struct sm_agent_window window;
    bool is_moving;            /* nothing is lent */
    struct sm_writer monitors; /* a MONITORS_CONFIG being collected, header included */

    /* agent to client */
    uint64_t tokens;                                  /* AGENT_DATA messages we may send */
    struct waiting *queue[SM_MAIN_AGENT_QUEUE_COUNT]; /* owned, oldest first */
    unsigned queue_count;
    bool is_timed; /* wait_us is set from a time we were told while the queue waits */
    uint64_t wait_us;
    bool lacks_room, has_room_event;
};

static enum sm_status put(struct sm_main_server *server, const struct sm_main_msg *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(server->typed.channel, sm_main_msg_build(w, msg));
}

static enum sm_status refuse(struct sm_main_server *server, const char *text)
{
    return sm_channel_fail(server->typed.channel, SM_ERR_PROTOCOL, text);
}

static void drop_queue(struct sm_main_server *server)
{
    while (server->queue_count > 0)
        free(server->queue[--server->queue_count]);
}

static void restart_wait(struct sm_main_server *server)
{
    server->is_timed = false; /* the clock we know may be old: tick() sets the time */
    server->wait_us = server->now_us + AGENT_WAIT_US;
}

static bool may_send_agent(const struct sm_main_server *server)
{
    return server->tokens > 0 && !sm_channel_is_full(server->typed.channel);
}

bool sm_main_server_agent_room(const struct sm_main_server *server)
{
    return server->is_agent_started && server->queue_count == 0 && may_send_agent(server);
}

/* Notes when there is room again after there was none: an event for the owner. */
static void watch_room(struct sm_main_server *server)
{
    bool has_room = sm_main_server_agent_room(server);
    if (has_room && server->lacks_room)
        server->has_room_event = true;
    server->lacks_room = !has_room;
}

static enum sm_status send_piece(struct sm_main_server *server, struct sm_bytes piece)
{
    enum sm_status status = put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DATA,
                                                              .agent_data = {.data = piece}});
    if (status == SM_OK)
        server->tokens--;
    return status;
}

static enum sm_status flush_queue(struct sm_main_server *server)
{
    while (server->queue_count > 0 && may_send_agent(server)) {
        struct waiting *first = server->queue[0];
        enum sm_status status = send_piece(server, (struct sm_bytes){first->data, first->size});
        if (status != SM_OK)
            return status;
        free(first);
        server->queue_count--;
        for (unsigned i = 0; i < server->queue_count; i++)
            server->queue[i] = server->queue[i + 1];
        restart_wait(server);
    }
    watch_room(server);
    return SM_OK;
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_main_server *server = self;
    server->now_us = now_us;
    return sm_typed_receive(self, in, now_us, taken);
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    struct sm_main_server *server = self;
    server->now_us = now_us;
    sm_typed_sent(self, size, now_us);
    enum sm_status status = flush_queue(server);
    if (status != SM_OK) /* shows at the next call */
        (void)sm_channel_fail(server->typed.channel, status, "out of memory");
}

static uint64_t deadline(const void *self)
{
    const struct sm_main_server *server = self;
    uint64_t below = sm_typed_deadline(self);
    if (server->queue_count == 0 || below < server->wait_us)
        return below;
    return server->wait_us;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_main_server *server = self;
    server->now_us = now_us;
    if (server->queue_count > 0 && !server->is_timed) {
        server->is_timed = true;
        server->wait_us = now_us + AGENT_WAIT_US;
    } else if (server->queue_count > 0 && now_us >= server->wait_us) {
        return sm_channel_fail(server->typed.channel, SM_ERR_LIMIT,
                               "the client takes nothing more of the agent's messages");
    }
    return sm_typed_tick(self, now_us);
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = sm_typed_pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = sm_typed_reason,
};

enum sm_status sm_main_server_create(struct sm_main_server **out,
                                     const struct sm_main_server_config *config, uint64_t now_us)
{
    struct sm_main_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    server->client_caps = config->setup.channel_caps;
    server->is_local = config->setup.is_local;
    server->is_migrated = config->setup.is_migrated;
    server->now_us = now_us;
    server->client_tokens = SM_MAIN_AGENT_TOKENS;
    sm_agent_filter_reset(&server->filter, config->policy, true);
    sm_writer_init(&server->monitors, SM_AGENT_HEADER_SIZE + MAX_MONITORS_BODY);
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_main_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_OFTEN_US, LIVENESS_US, now_us);
    if (status != SM_OK) {
        sm_main_server_destroy(server);
        return status;
    }
    *out = server;
    return SM_OK;
}

void sm_main_server_destroy(struct sm_main_server *server)
{
    if (!server)
        return;
    drop_queue(server);
    sm_writer_finish(&server->monitors);
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_main_server_machine(struct sm_main_server *server)
{
    return (struct sm_machine){.ops = &OPS, .self = server};
}

struct sm_channel *sm_main_server_channel(struct sm_main_server *server)
{
    return server->typed.channel;
}

static bool has_cap(const struct sm_main_server *server, enum sm_main_cap cap)
{
    return server->client_caps >> cap & 1;
}

static enum sm_status send_name_and_uuid(struct sm_main_server *server,
                                         const struct sm_main_server_start *start)
{
    enum sm_status status = SM_OK;
    if (start->name) {
        struct sm_bytes name = {.data = (const uint8_t *)start->name,
                                .size = strlen(start->name) + 1};
        status =
            put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_NAME, .name = {.name = name}});
    }
    if (status == SM_OK && start->uuid) {
        struct sm_main_msg msg = {.type = SM_MSG_MAIN_UUID};
        memcpy(msg.uuid.uuid, start->uuid, sizeof(msg.uuid.uuid));
        status = put(server, &msg);
    }
    return status;
}

enum sm_status sm_main_server_start(struct sm_main_server *server,
                                    const struct sm_main_server_start *start)
{
    if (server->is_started)
        return SM_ERR_STATE;
    server->is_started = true;
    server->has_agent = start->has_agent;
    struct sm_main_msg init = {
        .type = SM_MSG_MAIN_INIT,
        .init = {.session_id = start->session_id,
                 .display_channels_hint = start->display_channels_hint,
                 .supported_mouse_modes = start->supported_mouse_modes,
                 .current_mouse_mode = start->current_mouse_mode,
                 .agent_connected = start->has_agent,
                 .agent_tokens = SM_MAIN_AGENT_TOKENS,
                 .multi_media_time = start->multi_media_time,
                 .ram_hint = start->ram_hint},
    };
    enum sm_status status = put(server, &init);
    if (status == SM_OK && has_cap(server, SM_MAIN_CAP_NAME_AND_UUID))
        status = send_name_and_uuid(server, start);
    if (server->is_migrated)
        sm_channel_resume_pings(server->typed.channel);
    else if (status == SM_OK && !server->is_local)
        status = sm_channel_start_net_test(server->typed.channel);
    return status;
}

bool sm_main_server_is_started(const struct sm_main_server *server)
{
    return server->is_started;
}

enum sm_status sm_main_server_send(struct sm_main_server *server, const struct sm_main_msg *msg)
{
    return server->is_started ? put(server, msg) : SM_ERR_STATE;
}

enum sm_status sm_main_server_warn(struct sm_main_server *server, uint64_t time_stamp_ns,
                                   const char *text)
{
    struct sm_main_msg msg = {
        .type = SM_MSG_NOTIFY,
        .notify = {.time_stamp = time_stamp_ns,
                   .severity = SM_NOTIFY_SEVERITY_WARN,
                   .visibility = SM_NOTIFY_VISIBILITY_HIGH,
                   .message = {.data = (const uint8_t *)text, .size = strlen(text)}},
    };
    return sm_main_server_send(server, &msg);
}

/* Both ways back to the beginning; what the client has begun to say it will still finish. */
static void reset_agent(struct sm_main_server *server)
{
    server->is_agent_started = false;
    server->client_tokens = SM_MAIN_AGENT_TOKENS;
    server->owed = server->to_return = 0;
    server->window = (struct sm_agent_window){0};
    server->tokens = 0;
    server->filter.discards_all = true;
    server->filter.verdict = SM_AGENT_VERDICT_DISCARD;
    server->has_room_event = false;
    server->lacks_room = true;
    sm_writer_reset(&server->monitors);
    drop_queue(server);
}

enum sm_status sm_main_server_set_agent(struct sm_main_server *server, bool is_attached)
{
    if (server->has_agent == is_attached)
        return SM_OK;
    server->has_agent = is_attached;
    reset_agent(server);
    if (!server->is_started)
        return SM_OK; /* INIT will tell */
    if (!is_attached)
        return put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DISCONNECTED});
    if (!has_cap(server, SM_MAIN_CAP_AGENT_CONNECTED_TOKENS))
        return put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_CONNECTED});
    return put(server, &(struct sm_main_msg){
                           .type = SM_MSG_MAIN_AGENT_CONNECTED_TOKENS,
                           .agent_connected_tokens = {.num_tokens = SM_MAIN_AGENT_TOKENS}});
}

void sm_main_server_set_policy(struct sm_main_server *server, struct sm_agent_policy policy)
{
    server->filter.policy = policy;
}

/* What the client should have. One that cannot be told its tokens when the agent comes back may
 * keep a loan, and a target may know nothing of loans. */
static uint32_t window_of(const struct sm_main_server *server)
{
    if (server->is_moving || !has_cap(server, SM_MAIN_CAP_AGENT_CONNECTED_TOKENS))
        return SM_MAIN_AGENT_TOKENS;
    bool is_passed = server->filter.verdict == SM_AGENT_VERDICT_OK;
    return sm_agent_window_tokens(&server->window, is_passed ? server->filter.left : 0);
}

/* Lends the client what it will need, or keeps back what it needs no more. */
static void fit_window(struct sm_main_server *server)
{
    uint32_t wanted = window_of(server);
    uint32_t out = server->client_tokens + server->owed + server->to_return;
    if (out < wanted)
        server->to_return += wanted - out;
    else
        server->to_return -= sm_min_u32(out - wanted, server->to_return);
}

/* A token goes back to the client, sooner or later. */
static enum sm_status give_back(struct sm_main_server *server, uint32_t count)
{
    server->to_return += count;
    fit_window(server);
    /* Of a client that leaves, the target counts what it has and returns the rest. */
    if (server->to_return < TOKEN_BATCH || sm_channel_is_leaving(server->typed.channel))
        return SM_OK;
    enum sm_status status =
        put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_TOKEN,
                                          .agent_token = {.num_tokens = server->to_return}});
    if (status != SM_OK)
        return status;
    server->client_tokens += server->to_return;
    server->to_return = 0;
    return SM_OK;
}

void sm_main_server_agent_said(struct sm_main_server *server, struct sm_bytes piece)
{
    sm_agent_window_hear(&server->window, piece);
    fit_window(server);
}

enum sm_status sm_main_server_agent_taken(struct sm_main_server *server, uint32_t count)
{
    count = sm_min_u32(count, server->owed); /* pieces for an agent that has gone are settled */
    server->owed -= count;
    return give_back(server, count);
}

enum sm_status sm_main_server_agent_send(struct sm_main_server *server, struct sm_bytes piece)
{
    if (piece.size > SM_AGENT_PIECE_MAX)
        return SM_ERR_LIMIT;
    if (!server->is_agent_started || piece.size == 0)
        return SM_OK;
    enum sm_status status = SM_OK;
    if (server->queue_count == 0 && may_send_agent(server)) {
        status = send_piece(server, piece);
        watch_room(server);
        return status;
    }
    if (server->queue_count == SM_MAIN_AGENT_QUEUE_COUNT)
        return sm_channel_fail(server->typed.channel, SM_ERR_LIMIT,
                               "too many of the agent's messages wait for the client");
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (!waiting)
        return SM_ERR_NOMEM;
    waiting->size = piece.size;
    memcpy(waiting->data, piece.data, piece.size);
    if (server->queue_count == 0)
        restart_wait(server);
    server->queue[server->queue_count++] = waiting;
    watch_room(server);
    return SM_OK;
}

/* ---- migration ---- */

void sm_main_server_set_moving(struct sm_main_server *server, bool is_moving)
{
    server->is_moving = is_moving;
    fit_window(server);
}

enum sm_status sm_main_server_migrate(struct sm_main_server *server)
{
    enum sm_status status = SM_OK;
    for (unsigned i = 0; i < server->queue_count && status == SM_OK; i++) {
        struct sm_bytes piece = {.data = server->queue[i]->data, .size = server->queue[i]->size};
        status = put(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DATA,
                                                   .agent_data = {.data = piece}});
        if (server->tokens > 0)
            server->tokens--;
    }
    drop_queue(server);
    if (status == SM_OK)
        status = sm_channel_migrate(server->typed.channel, SM_MIGRATE_FLAG_NEED_FLUSH |
                                                               SM_MIGRATE_FLAG_NEED_DATA_TRANSFER);
    return status;
}

struct sm_main_server_agent sm_main_server_agent(const struct sm_main_server *server)
{
    return (struct sm_main_server_agent){
        .has_agent = server->has_agent,
        .is_started = server->is_agent_started,
        .client_tokens = server->client_tokens,
        .owed = server->owed,
        .tokens = server->tokens,
        .left = server->filter.left,
        .verdict = server->filter.verdict,
    };
}

enum sm_status sm_main_server_answer_seamless(struct sm_main_server *server, bool accepts)
{
    if (server->is_started || !server->is_migrated)
        return SM_ERR_STATE;
    uint16_t type =
        accepts ? SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK : SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK;
    enum sm_status status = put(server, &(struct sm_main_msg){.type = type});
    if (status == SM_OK && accepts)
        sm_channel_await_migrate_data(server->typed.channel);
    return status;
}

enum sm_status sm_main_server_resume(struct sm_main_server *server,
                                     const struct sm_main_server_agent *agent)
{
    if (server->is_started)
        return SM_ERR_STATE;
    uint64_t counted = (uint64_t)agent->client_tokens + agent->owed;
    if (agent->has_agent && agent->is_started && counted > SM_MAIN_AGENT_TOKENS_MAX)
        return SM_ERR_PROTOCOL;
    server->is_started = true;
    server->is_attached_to_channels = true;
    server->has_agent = agent->has_agent;
    sm_channel_resume_pings(server->typed.channel);
    /* What came of the arrangement of monitors is gone with the source. */
    bool is_cut = agent->verdict == SM_AGENT_VERDICT_MONITORS_CONFIG;
    server->filter.left = agent->left;
    server->filter.verdict = is_cut ? SM_AGENT_VERDICT_DISCARD : agent->verdict;
    if (!agent->has_agent || !agent->is_started)
        return SM_OK;
    server->is_agent_started = true;
    server->filter.discards_all = false;
    server->client_tokens = agent->client_tokens;
    server->owed = agent->owed;
    server->tokens = agent->tokens;
    enum sm_status status = give_back(server, 0);
    watch_room(server);
    server->has_room_event = sm_main_server_agent_room(server);
    return status;
}

/* ---- messages of the client ---- */

static enum sm_status on_agent_start(struct sm_main_server *server)
{
    server->is_agent_started = true;
    server->tokens = server->msg.agent_start.num_tokens;
    server->filter.discards_all = false;
    enum sm_status status = flush_queue(server);
    server->has_room_event = false; /* AGENT_START says as much */
    return status;
}

static enum sm_status on_agent_token(struct sm_main_server *server)
{
    server->tokens += server->msg.agent_token.num_tokens; /* 64 bits: it cannot wrap in a life */
    if (server->queue_count > 0)
        restart_wait(server);
    return flush_queue(server);
}

/* Part of a MONITORS_CONFIG that is not for the agent; whole when the filter expects no more. */
static enum sm_status collect_monitors(struct sm_main_server *server, struct sm_bytes piece,
                                       bool is_first, struct sm_main_server_event *event)
{
    if (is_first)
        sm_writer_reset(&server->monitors);
    sm_put_bytes(&server->monitors, piece);
    if (sm_writer_status(&server->monitors) == SM_ERR_NOMEM)
        return SM_ERR_NOMEM;
    uint64_t whole = (uint64_t)server->monitors.size + server->filter.left;
    if (server->monitors.failed || whole > SM_AGENT_HEADER_SIZE + MAX_MONITORS_BODY)
        return refuse(server, "a monitor configuration beyond all measure");
    enum sm_status status = give_back(server, 1);
    if (status != SM_OK || server->filter.left > 0)
        return status == SM_OK ? SM_AGAIN : status;

    struct sm_bytes body = {.data = server->monitors.data + SM_AGENT_HEADER_SIZE,
                            .size = server->monitors.size - SM_AGENT_HEADER_SIZE};
    struct sm_agent_msg config;
    const char *reason = "";
    status = sm_agent_msg_parse(&config, SM_AGENT_MONITORS_CONFIG, body, 0, &server->typed.arena,
                                &reason);
    status = sm_typed_parsed(&server->typed, status, reason);
    if (status == SM_OK)
        *event = (struct sm_main_server_event){.kind = SM_MAIN_SERVER_AGENT_MONITORS, .data = body};
    return status;
}

/* SM_AGAIN: nothing for the owner. */
static enum sm_status on_agent_data(struct sm_main_server *server,
                                    struct sm_main_server_event *event)
{
    struct sm_bytes piece = server->msg.agent_data.data;
    if (server->is_agent_started) {
        if (server->client_tokens == 0)
            return refuse(server, "token violation");
        server->client_tokens--;
    }
    const char *reason = "";
    bool is_first = false;
    switch (sm_agent_filter_piece(&server->filter, piece, &is_first, &reason)) {
    case SM_AGENT_VERDICT_OK:
        server->owed++;
        *event = (struct sm_main_server_event){.kind = SM_MAIN_SERVER_AGENT_DATA, .data = piece};
        if (is_first)
            sm_agent_window_note(&server->window, piece);
        return give_back(server, 0);
    case SM_AGENT_VERDICT_MONITORS_CONFIG:
        return collect_monitors(server, piece, is_first, event);
    case SM_AGENT_VERDICT_DISCARD:
        break;
    case SM_AGENT_VERDICT_PROTOCOL_ERROR:
        return refuse(server, reason);
    }
    enum sm_status status = server->is_agent_started ? give_back(server, 1) : SM_OK;
    return status == SM_OK ? SM_AGAIN : status;
}

/* What a client may say that comes from another server, before it belongs to this one. */
static bool is_early(uint16_t type)
{
    return type == SM_MSGC_MAIN_MIGRATE_END || type == SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS ||
           type == SM_MSGC_MIGRATE_DATA || type == SM_MSGC_DISCONNECTING;
}

/* What this machine does about a message. SM_OK: `event` is for the owner; SM_AGAIN: there is none.
 */
static enum sm_status apply(struct sm_main_server *server, struct sm_main_server_event *event)
{
    enum sm_status status = SM_OK;
    *event = (struct sm_main_server_event){.kind = SM_MAIN_SERVER_MESSAGE, .msg = &server->msg};
    if (server->is_migrated && !server->is_started && !is_early(server->msg.type))
        return refuse(server, "a message ahead of the session's beginning");
    switch (server->msg.type) {
    case SM_MSGC_MAIN_AGENT_START:
        if (!server->has_agent)
            return SM_AGAIN;
        status = on_agent_start(server);
        event->kind = SM_MAIN_SERVER_AGENT_START;
        return status;
    case SM_MSGC_MAIN_AGENT_TOKEN:
        if (server->is_agent_started)
            status = on_agent_token(server);
        return status == SM_OK ? SM_AGAIN : status;
    case SM_MSGC_MAIN_AGENT_DATA:
        return on_agent_data(server, event);
    case SM_MSGC_MAIN_ATTACH_CHANNELS:
        if (server->is_attached_to_channels)
            return SM_AGAIN;
        server->is_attached_to_channels = true;
        return SM_OK;
    case SM_MSGC_MAIN_CLIENT_INFO:
    case SM_MSGC_MAIN_QUALITY_INDICATOR:
        return refuse(server, "a message that nobody sends");
    default:
        return SM_OK;
    }
}

enum sm_status sm_main_server_next(struct sm_main_server *server,
                                   struct sm_main_server_event *event)
{
    for (;;) {
        if (server->has_room_event) {
            server->has_room_event = false;
            *event = (struct sm_main_server_event){.kind = SM_MAIN_SERVER_AGENT_ROOM};
            return SM_OK;
        }
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&server->typed, &message);
        if (status != SM_OK)
            return status;
        const char *why = "";
        status = sm_main_msgc_parse(&server->msg, message.type, message.body, &server->typed.arena,
                                    &why);
        status = sm_typed_parsed(&server->typed, status, why);
        if (status != SM_OK)
            return status;
        struct sm_main_server_event new_event;
        status = apply(server, &new_event);
        if (status == SM_OK)
            *event = new_event;
        if (status == SM_OK)
            return SM_OK;
        if (status != SM_AGAIN)
            return sm_channel_fail(server->typed.channel, status, "out of memory");
    }
}
