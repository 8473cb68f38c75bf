/* SPDX-License-Identifier: MIT */
#include "core/channel/main/client.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"
#include "core/base/math.h"
#include "core/base/reader.h"
#include "core/channel/main/agent_join.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 256 << 10 };

static const size_t DEFAULT_MAX_AGENT_MESSAGE = (100u << 20) + 4096;
static const size_t DEFAULT_MAX_AGENT_QUEUE = 1 << 20;

/* All the server may send us without asking again: we take it as it comes. */
static const uint32_t UNLIMITED_TOKENS = UINT32_MAX;

/* The header, and what comes before large data: a selection and a type. */
enum { HEAD_MAX = SM_AGENT_HEADER_SIZE + 12 };

/* Answers that there is nothing, which are taken though too much waits. */
enum { NOTHINGS_MAX = 256 };

/* A message to the agent on its way out. */
struct outgoing {
    struct sm_list link;
    uint32_t type;
    bool is_nothing;
    size_t size, sent; /* bytes, header included */
    size_t head_size;
    uint8_t head[HEAD_MAX];
    uint8_t *body; /* owned: what follows `head`; or NULL */
};

struct sm_main_client {
    struct sm_typed typed; /* first, see OPS */
    struct sm_main_client_config config;
    struct sm_main_msg msg; /* the one being looked at */
    uint32_t session_id, mouse_mode, mouse_modes;

    bool has_agent;
    uint64_t tokens;      /* AGENT_DATA messages we may send */
    struct sm_list queue; /* owned struct outgoing, oldest first */
    size_t queued;        /* their bytes not sent */
    size_t nothings;      /* how many of them are answers that there is nothing */
    struct sm_agent_join join;
    struct sm_bytes agent_rest; /* of the message being looked at: not joined yet */
    uint64_t agent_serial;
};

static enum sm_status put(struct sm_main_client *client, const struct sm_main_msgc *msg,
                          bool is_always)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(client->typed.channel, msg->type, is_always, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(client->typed.channel, sm_main_msgc_build(w, msg));
}

static enum sm_status must(struct sm_main_client *client, enum sm_status status)
{
    if (status == SM_OK)
        return SM_OK;
    return sm_channel_fail(client->typed.channel, status, "cannot answer the peer");
}

static void drop(struct sm_main_client *client, struct outgoing *out)
{
    sm_list_remove(&out->link);
    client->queued -= out->size - out->sent;
    client->nothings -= out->is_nothing;
    free(out->body);
    free(out);
}

/* The next piece; `joint` is for one that begins in the head and ends in the body. */
static struct sm_bytes next_piece(const struct outgoing *out, uint8_t joint[SM_AGENT_DATA_MAX])
{
    size_t size = sm_min_size(out->size - out->sent, SM_AGENT_DATA_MAX);
    if (out->sent >= out->head_size)
        return (struct sm_bytes){.data = out->body + (out->sent - out->head_size), .size = size};
    size_t of_head = sm_min_size(out->head_size - out->sent, size);
    memcpy(joint, out->head + out->sent, of_head);
    if (size > of_head)
        memcpy(joint + of_head, out->body, size - of_head);
    return (struct sm_bytes){.data = joint, .size = size};
}

/* Sends to the agent what tokens and line allow. */
static enum sm_status flush_agent(struct sm_main_client *client)
{
    while (!sm_list_is_empty(&client->queue) && client->tokens > 0 &&
           sm_channel_room(client->typed.channel) > 0) {
        struct outgoing *out = SM_LIST_ITEM(client->queue.next, struct outgoing, link);
        uint8_t joint[SM_AGENT_DATA_MAX];
        struct sm_bytes piece = next_piece(out, joint);
        enum sm_status status = put(
            client,
            &(struct sm_main_msgc){.type = SM_MSGC_MAIN_AGENT_DATA, .agent_data = {.data = piece}},
            true);
        if (status != SM_OK)
            return must(client, status);
        client->tokens--;
        out->sent += piece.size;
        client->queued -= piece.size;
        if (out->sent == out->size)
            drop(client, out);
    }
    if (client->tokens == 0 || sm_list_is_empty(&client->queue))
        sm_channel_starved(client->typed.channel);
    return SM_OK;
}

/* What has come may say that the line has room again. */
static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_main_client *client = self;
    enum sm_status status = sm_typed_receive(self, in, now_us, taken);
    if (status == SM_OK && sm_channel_line(client->typed.channel))
        status = flush_agent(client);
    return status;
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    struct sm_main_client *client = self;
    sm_typed_sent(self, size, now_us);
    (void)flush_agent(client); /* a failure shows at the next call */
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = sm_typed_pending,
    .sent = sent,
    .deadline = sm_typed_deadline,
    .tick = sm_typed_tick,
    .reason = sm_typed_reason,
};

enum sm_status sm_main_client_create(struct sm_main_client **out,
                                     const struct sm_main_client_config *config, uint64_t now_us)
{
    struct sm_main_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    client->config = *config;
    if (!config->max_agent_message_bytes)
        client->config.max_agent_message_bytes = DEFAULT_MAX_AGENT_MESSAGE;
    if (!config->max_agent_queue_bytes)
        client->config.max_agent_queue_bytes = DEFAULT_MAX_AGENT_QUEUE;
    sm_list_init(&client->queue);
    sm_agent_join_init(&client->join, client->config.max_agent_message_bytes);
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_main_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    client->config.setup.leading = (struct sm_bytes){0};
    if (status != SM_OK) {
        sm_main_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_main_client_destroy(struct sm_main_client *client)
{
    if (!client)
        return;
    SM_LIST_FOR (link, &client->queue)
        drop(client, SM_LIST_ITEM(link, struct outgoing, link));
    sm_agent_join_finish(&client->join);
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_main_client_machine(struct sm_main_client *client)
{
    return (struct sm_machine){.ops = &OPS, .self = client};
}

struct sm_channel *sm_main_client_channel(struct sm_main_client *client)
{
    return client->typed.channel;
}

static enum sm_status ask_for_mouse_mode(struct sm_main_client *client)
{
    uint32_t wanted = client->config.wanted_mouse_mode;
    if (!wanted || !(client->mouse_modes & wanted) || client->mouse_mode == wanted)
        return SM_OK;
    return put(client,
               &(struct sm_main_msgc){.type = SM_MSGC_MAIN_MOUSE_MODE_REQUEST,
                                      .mouse_mode_request = {.mode = (uint16_t)wanted}},
               true);
}

static enum sm_status agent_came(struct sm_main_client *client)
{
    client->has_agent = true;
    sm_agent_join_reset(&client->join);
    if (client->config.has_no_agent)
        return SM_OK;
    enum sm_status status =
        put(client,
            &(struct sm_main_msgc){.type = SM_MSGC_MAIN_AGENT_START,
                                   .agent_start = {.num_tokens = UNLIMITED_TOKENS}},
            true);
    return status == SM_OK ? flush_agent(client) : status;
}

/* What was begun must be finished, or the server takes the next message for its rest. */
static void agent_went(struct sm_main_client *client)
{
    client->has_agent = false;
    sm_agent_join_reset(&client->join);
    SM_LIST_FOR (link, &client->queue) {
        struct outgoing *out = SM_LIST_ITEM(link, struct outgoing, link);
        if (out->sent == 0)
            drop(client, out);
    }
}

static enum sm_status on_init(struct sm_main_client *client)
{
    const struct sm_msg_main_init *init = &client->msg.init;
    client->session_id = init->session_id;
    client->mouse_modes = init->supported_mouse_modes;
    client->mouse_mode = init->current_mouse_mode;
    client->tokens = init->agent_tokens;
    enum sm_status status = ask_for_mouse_mode(client);
    if (status == SM_OK && init->agent_connected)
        status = agent_came(client);
    if (status == SM_OK && !client->config.is_migration_target)
        status = put(client, &(struct sm_main_msgc){.type = SM_MSGC_MAIN_ATTACH_CHANNELS}, true);
    return status;
}

static enum sm_status apply(struct sm_main_client *client)
{
    const struct sm_main_msg *msg = &client->msg;
    switch (msg->type) {
    case SM_MSG_MAIN_INIT:
        return on_init(client);
    case SM_MSG_MAIN_MOUSE_MODE:
        client->mouse_modes = msg->mouse_mode.supported_modes;
        client->mouse_mode = msg->mouse_mode.current_mode;
        return ask_for_mouse_mode(client);
    case SM_MSG_MAIN_AGENT_CONNECTED:
        return agent_came(client);
    case SM_MSG_MAIN_AGENT_CONNECTED_TOKENS:
        client->tokens = msg->agent_connected_tokens.num_tokens;
        return agent_came(client);
    case SM_MSG_MAIN_AGENT_DISCONNECTED:
        agent_went(client);
        return SM_OK;
    case SM_MSG_MAIN_AGENT_TOKEN:
        client->tokens += msg->agent_token.num_tokens; /* 64 bits: 2^32 messages do not wrap it */
        return flush_agent(client);
    case SM_MSG_WAIT_FOR_CHANNELS:
        sm_channel_hold(client->typed.channel);
        return SM_OK;
    default:
        return SM_OK;
    }
}

/* Goes on with the agent's stream; SM_AGAIN when it is used up. */
static enum sm_status join_agent(struct sm_main_client *client, struct sm_main_client_event *event)
{
    size_t taken;
    enum sm_status status = sm_agent_join_feed(&client->join, client->agent_rest, &taken);
    client->agent_rest = sm_bytes_behind(client->agent_rest, taken);
    if (status == SM_AGAIN)
        return status;
    if (status != SM_OK)
        return sm_channel_fail(client->typed.channel, status,
                               "the agent's stream cannot be followed");
    *event = (struct sm_main_client_event){.kind = SM_MAIN_CLIENT_AGENT,
                                           .serial = client->agent_serial,
                                           .agent_type = client->join.type,
                                           .agent_body = sm_agent_join_body(&client->join)};
    return SM_OK;
}

enum sm_status sm_main_client_next(struct sm_main_client *client,
                                   struct sm_main_client_event *event)
{
    for (;;) {
        while (client->agent_rest.size > 0) {
            enum sm_status status = join_agent(client, event);
            if (status != SM_AGAIN)
                return status;
        }
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&client->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_main_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                   &reason);
        status = sm_typed_parsed(&client->typed, status, reason);
        if (status != SM_OK)
            return status;
        if (message.type == SM_MSG_MAIN_AGENT_DATA) {
            if (client->has_agent)
                client->agent_rest = client->msg.agent_data.data;
            client->agent_serial = message.serial;
            continue;
        }
        status = must(client, apply(client));
        if (status != SM_OK)
            return status;
        *event = (struct sm_main_client_event){
            .kind = SM_MAIN_CLIENT_MESSAGE, .serial = message.serial, .msg = &client->msg};
        return SM_OK;
    }
}

enum sm_status sm_main_client_send(struct sm_main_client *client, const struct sm_main_msgc *msg)
{
    return put(client, msg, false);
}

enum sm_status sm_main_client_want_mouse_mode(struct sm_main_client *client, uint32_t mode)
{
    client->config.wanted_mouse_mode = mode;
    return ask_for_mouse_mode(client);
}

uint32_t sm_main_client_session_id(const struct sm_main_client *client)
{
    return client->session_id;
}

uint32_t sm_main_client_mouse_mode(const struct sm_main_client *client)
{
    return client->mouse_mode;
}

uint32_t sm_main_client_mouse_modes(const struct sm_main_client *client)
{
    return client->mouse_modes;
}

bool sm_main_client_has_agent(const struct sm_main_client *client)
{
    return client->has_agent;
}

/* Of a state only the newest counts: one that waits and was not begun gives way to the next. */
static void drop_waiting(struct sm_main_client *client, uint32_t type)
{
    SM_LIST_FOR (link, &client->queue) {
        struct outgoing *out = SM_LIST_ITEM(link, struct outgoing, link);
        if (out->type == type && out->sent == 0)
            drop(client, out);
    }
}

/* A message that overtakes goes behind this: the one that was begun, or nothing. */
static struct sm_list *last_begun(struct sm_main_client *client)
{
    struct sm_list *first = client->queue.next;
    bool is_begun = first != &client->queue && SM_LIST_ITEM(first, struct outgoing, link)->sent > 0;
    return is_begun ? first : &client->queue;
}

/* CLIPBOARD without data: who waits for them is to wait no longer. Before agents knew several
 * clipboards it was the kind alone. */
static bool is_nothing(uint32_t type, struct sm_bytes body)
{
    static const uint8_t none[4] = {SM_CLIPBOARD_TYPE_NONE};
    return type == SM_AGENT_CLIPBOARD && (body.size == 4 || body.size == 8) &&
           memcmp(body.data + body.size - 4, none, 4) == 0;
}

static enum sm_status can_send_agent(const struct sm_main_client *client, bool is_urgent,
                                     uint64_t size)
{
    if (!client->has_agent || client->config.has_no_agent)
        return SM_ERR_STATE;
    if (size > client->config.max_agent_message_bytes || size > UINT32_MAX)
        return SM_ERR_LIMIT;
    return !is_urgent && client->queued >= client->config.max_agent_queue_bytes ? SM_AGAIN : SM_OK;
}

/* Takes `body`, also on failure. */
static enum sm_status queue_agent(struct sm_main_client *client, uint32_t type,
                                  struct sm_bytes head, uint8_t *body, size_t body_size)
{
    bool is_state = type == SM_AGENT_MONITORS_CONFIG;
    struct sm_writer w;
    sm_writer_init(&w, HEAD_MAX);
    enum sm_status status = sm_agent_header_build(
        &w, &(struct sm_agent_header){.protocol = SM_AGENT_PROTOCOL,
                                      .type = type,
                                      .size = (uint32_t)(head.size + body_size)});
    if (status == SM_OK) {
        sm_put_bytes(&w, head);
        status = sm_writer_status(&w);
    }
    struct outgoing *out = status == SM_OK ? calloc(1, sizeof(*out)) : NULL;
    if (!out) {
        sm_writer_finish(&w);
        free(body);
        return status == SM_OK ? SM_ERR_NOMEM : status;
    }
    memcpy(out->head, w.data, w.size);
    out->head_size = w.size;
    sm_writer_finish(&w);
    out->type = type;
    out->is_nothing = head.size == 0 && is_nothing(type, (struct sm_bytes){body, body_size});
    client->nothings += out->is_nothing;
    out->size = out->head_size + body_size;
    out->body = body;
    if (is_state)
        drop_waiting(client, type);
    sm_list_insert(is_state ? last_begun(client) : client->queue.prev, &out->link);
    client->queued += out->size;
    return flush_agent(client);
}

enum sm_status sm_main_client_send_agent(struct sm_main_client *client, uint32_t type,
                                         struct sm_bytes body)
{
    bool is_urgent = type == SM_AGENT_MONITORS_CONFIG ||
                     (is_nothing(type, body) && client->nothings < NOTHINGS_MAX);
    enum sm_status status = can_send_agent(client, is_urgent, body.size);
    if (status != SM_OK)
        return status;
    uint8_t *copy = body.size ? malloc(body.size) : NULL;
    if (body.size && !copy)
        return SM_ERR_NOMEM;
    if (body.size)
        memcpy(copy, body.data, body.size);
    return queue_agent(client, type, (struct sm_bytes){0}, copy, body.size);
}

enum sm_status sm_main_client_give_agent(struct sm_main_client *client, uint32_t type,
                                         struct sm_bytes head, uint8_t *data, size_t size)
{
    enum sm_status status = can_send_agent(client, false, (uint64_t)head.size + size);
    if (status == SM_OK)
        return queue_agent(client, type, head, data, size);
    free(data);
    return status;
}

bool sm_main_client_agent_sending(const struct sm_main_client *client, uint32_t type, size_t *sent,
                                  size_t *size)
{
    for (struct sm_list *link = client->queue.next; link != &client->queue; link = link->next) {
        const struct outgoing *out = SM_LIST_ITEM(link, struct outgoing, link);
        if (out->type != type)
            continue;
        *sent = out->sent;
        *size = out->size;
        return true;
    }
    return false;
}

bool sm_main_client_agent_receiving(const struct sm_main_client *client, uint32_t *type,
                                    size_t *received, size_t *size)
{
    const struct sm_agent_join *join = &client->join;
    if (join->header_filled < SM_AGENT_HEADER_SIZE || join->is_whole || join->is_skipped)
        return false;
    *type = join->type;
    *received = join->seen;
    *size = join->size;
    return true;
}

size_t sm_main_client_agent_queued(const struct sm_main_client *client)
{
    return client->queued;
}
