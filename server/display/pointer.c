/* SPDX-License-Identifier: MIT */
#include "server/display/pointer.h"

#include <stdlib.h>

#include "core/base/list.h"
#include "core/channel/cursor/server.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/pump.h"
#include "io/transport.h"
#include "server/display/limits.h"
#include "server/session/handover.h"

enum { LOW_WATER_BYTES = 16 << 10, ACK_WINDOW = 20, ACK_WINDOW_SLOW = 40 };

/* A shape that the pointer and messages on their way may hold. */
struct shape {
    uint32_t refs;
    struct sm_cursor cursor;
    uint8_t *data; /* owned: what cursor.data points to */
};

struct item {
    struct sm_list link;
    struct sm_cursor_msg msg;
    struct shape *shape; /* held: of INIT and SET; NULL for none */
};

struct client {
    struct sm_list link;
    struct sm_pointer *pointer;
    struct sm_channel_handover *handover; /* owned */
    struct sm_cursor_server *server;      /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_list queue;
    uint32_t queue_count;
    size_t queue_bytes; /* of shapes */
    bool is_closed, is_in_activity;
    bool is_leaving;  /* goes to another server when all that waits has left */
    bool is_arriving; /* came from another server, and the machine has not started here */
};

struct sm_pointer {
    struct sm_loop loop;
    const struct sm_log *log;       /* borrowed */
    struct sm_log_limit complaints; /* warnings that clients can cause */
    struct sm_list clients;
    enum sm_worker_mouse_mode mode;
    struct shape *shape; /* held; NULL for none */
    struct sm_point16 position;
    uint16_t trail_length, trail_frequency;
    bool is_visible;
};

static struct shape *shape_ref(struct shape *shape)
{
    if (shape)
        shape->refs++;
    return shape;
}

static void shape_unref(struct shape *shape)
{
    if (!shape || --shape->refs > 0)
        return;
    free(shape->data);
    free(shape);
}

static size_t shape_bytes(const struct shape *shape)
{
    return shape ? shape->cursor.data.size : 0;
}

static struct client *client_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct client, link);
}

/* ---- one client ---- */

static void free_item(struct client *client, struct item *item)
{
    sm_list_remove(&item->link);
    client->queue_count--;
    client->queue_bytes -= shape_bytes(item->shape);
    shape_unref(item->shape);
    free(item);
}

static void close_client(struct client *client, enum sm_log_level level, const char *reason)
{
    if (client->is_closed)
        return;
    client->is_closed = true;
    if (level < SM_LOG_WARNING || sm_log_limit_allows(&client->pointer->complaints, sm_now_us()))
        sm_log_at(client->pointer->log, level, "cursor:%u (%p): connection closed: %s",
                  (unsigned)client->handover->channel_id, (void *)client, reason);
    SM_LIST_FOR (link, &client->queue)
        free_item(client, SM_LIST_ITEM(link, struct item, link));
}

/* Sends MIGRATE behind everything else; nothing of the pointer is handed on. */
static bool send_migrate(struct client *client)
{
    struct sm_channel *channel = sm_cursor_server_channel(client->server);
    if (!client->is_leaving || client->is_closed || !sm_list_is_empty(&client->queue) ||
        sm_channel_is_leaving(channel))
        return false;
    if (sm_channel_migrate(channel, 0) != SM_OK)
        close_client(client, SM_LOG_WARNING, "out of memory");
    return !client->is_closed;
}

/* True if something is to be written now. */
static bool send_queue(struct client *client)
{
    bool has_sent = false;
    struct sm_channel *channel = sm_cursor_server_channel(client->server);
    while (!client->is_closed && !sm_list_is_empty(&client->queue) &&
           !sm_channel_is_blocked(channel) && sm_channel_pending_size(channel) < LOW_WATER_BYTES) {
        struct item *item = SM_LIST_ITEM(client->queue.next, struct item, link);
        enum sm_status status = sm_cursor_server_send(client->server, &item->msg);
        if (status == SM_AGAIN)
            return has_sent;
        if (status == SM_ERR_NOMEM) {
            close_client(client, SM_LOG_WARNING, "out of memory");
            return has_sent;
        }
        if (status && sm_log_limit_allows(&client->pointer->complaints, sm_now_us()))
            sm_log_at(client->pointer->log, SM_LOG_WARNING,
                      "cursor:%u (%p): message of type %u not sent: %s",
                      (unsigned)client->handover->channel_id, (void *)client, item->msg.type,
                      sm_status_name(status));
        free_item(client, item);
        has_sent = true;
    }
    return send_migrate(client) || has_sent;
}

static void push(struct client *client)
{
    if (send_queue(client) && !client->is_closed && !client->is_in_activity)
        sm_pump_kick(client->pump);
}

/* A move behind a move that has not left yet takes its place: only the last one is of interest. */
static bool replaces_last(struct client *client, const struct sm_cursor_msg *msg)
{
    if (msg->type != SM_MSG_CURSOR_MOVE || sm_list_is_empty(&client->queue))
        return false;
    struct item *last = SM_LIST_ITEM(client->queue.prev, struct item, link);
    if (last->msg.type != SM_MSG_CURSOR_MOVE)
        return false;
    last->msg = *msg;
    return true;
}

/* What waits when a new shape comes would be seen no more: it carries position and visibility. */
static void drop_stale(struct client *client, const struct sm_cursor_msg *msg)
{
    while (msg->type == SM_MSG_CURSOR_SET && !sm_list_is_empty(&client->queue)) {
        struct item *last = SM_LIST_ITEM(client->queue.prev, struct item, link);
        if (last->msg.type != SM_MSG_CURSOR_SET && last->msg.type != SM_MSG_CURSOR_MOVE &&
            last->msg.type != SM_MSG_CURSOR_HIDE)
            return;
        free_item(client, last);
    }
}

static void queue(struct client *client, const struct sm_cursor_msg *msg, struct shape *shape)
{
    if (client->is_closed || replaces_last(client, msg))
        return;
    drop_stale(client, msg);
    if (client->queue_count >= SM_POINTER_MAX_MESSAGES ||
        client->queue_bytes > SM_POINTER_MAX_BYTES) {
        close_client(client, SM_LOG_WARNING, "does not read, disconnecting");
        return;
    }
    struct item *item = calloc(1, sizeof(*item));
    if (!item) {
        close_client(client, SM_LOG_WARNING, "out of memory");
        return;
    }
    item->msg = *msg;
    item->shape = shape_ref(shape);
    client->queue_bytes += shape_bytes(shape);
    sm_list_append(&client->queue, &item->link);
    client->queue_count++;
}

static void on_activity(void *opaque)
{
    struct client *client = opaque;
    client->is_in_activity = true;
    const struct sm_cursor_msgc *msg;
    enum sm_status status;
    do
        status = sm_cursor_server_next(client->server, &msg); /* it has nothing to say here */
    while (status == SM_OK);
    if (status < 0)
        close_client(client, SM_LOG_WARNING,
                     sm_channel_reason(sm_cursor_server_channel(client->server)));
    (void)send_queue(client);
    client->is_in_activity = false;
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    close_client(opaque, status == SM_ERR_IO ? SM_LOG_INFO : SM_LOG_WARNING, reason);
}

static const struct sm_pump_callbacks PUMP_CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

static void destroy_client(struct client *client)
{
    sm_list_remove(&client->link);
    SM_LIST_FOR (link, &client->queue)
        free_item(client, SM_LIST_ITEM(link, struct item, link));
    sm_pump_destroy(client->pump);
    sm_cursor_server_destroy(client->server);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

static enum sm_status start_client(struct client *client)
{
    struct sm_channel_handover *handover = client->handover;
    struct sm_cursor_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .ack_window = handover->is_low_bandwidth ? ACK_WINDOW_SLOW : ACK_WINDOW,
    };
    enum sm_status status = sm_cursor_server_create(&client->server, &config, sm_now_us());
    if (status)
        return status;
    status = sm_pump_create(
        &client->pump, client->pointer->loop, handover->transport,
        sm_cursor_server_machine(client->server),
        (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
        &PUMP_CALLBACKS, client);
    if (!status)
        handover->transport = NULL; /* the pump's now */
    return status;
}

/* ---- messages ---- */

static struct sm_cursor wire_shape(const struct shape *shape)
{
    return shape ? shape->cursor : (struct sm_cursor){.flags = SM_CURSOR_FLAG_NONE};
}

static void queue_init(struct client *client)
{
    const struct sm_pointer *pointer = client->pointer;
    struct sm_cursor_msg msg = {.type = SM_MSG_CURSOR_INIT};
    msg.init.position = pointer->position;
    msg.init.trail_length = pointer->trail_length;
    msg.init.trail_frequency = pointer->trail_frequency;
    msg.init.visible = pointer->is_visible;
    msg.init.cursor = wire_shape(pointer->shape);
    queue(client, &msg, pointer->shape);
}

static void tell_all(struct sm_pointer *pointer, const struct sm_cursor_msg *msg,
                     struct shape *shape)
{
    SM_LIST_FOR (link, &pointer->clients) {
        queue(client_of(link), msg, shape);
        push(client_of(link));
    }
}

static void set_shape(struct sm_pointer *pointer, struct sm_cursor_command *command)
{
    struct shape *shape = calloc(1, sizeof(*shape));
    if (!shape) {
        sm_log_at(pointer->log, SM_LOG_WARNING, "cursor shape dropped: out of memory");
        return;
    }
    *shape = (struct shape){.refs = 1, .cursor = command->shape, .data = command->shape_data};
    command->shape_data = NULL;
    shape_unref(pointer->shape);
    pointer->shape = shape;
    pointer->is_visible = command->is_visible;
    struct sm_cursor_msg msg = {.type = SM_MSG_CURSOR_SET};
    msg.set.position = command->position;
    msg.set.visible = command->is_visible;
    msg.set.cursor = shape->cursor;
    tell_all(pointer, &msg, shape);
}

static void move(struct sm_pointer *pointer, struct sm_point16 position)
{
    bool was_visible = pointer->is_visible;
    pointer->position = position;
    pointer->is_visible = true;
    if (pointer->mode == SM_WORKER_MOUSE_CLIENT && was_visible)
        return;
    struct sm_cursor_msg msg = {.type = SM_MSG_CURSOR_MOVE};
    msg.move.position = position;
    tell_all(pointer, &msg, NULL);
}

void sm_pointer_command(struct sm_pointer *pointer, struct sm_cursor_command *command)
{
    struct sm_cursor_msg msg = {0};
    switch (command->type) {
    case SM_CURSOR_SET:
        set_shape(pointer, command);
        break;
    case SM_CURSOR_MOVE:
        move(pointer, command->position);
        break;
    case SM_CURSOR_HIDE:
        pointer->is_visible = false;
        msg.type = SM_MSG_CURSOR_HIDE;
        tell_all(pointer, &msg, NULL);
        break;
    case SM_CURSOR_TRAIL:
        pointer->trail_length = command->trail_length;
        pointer->trail_frequency = command->trail_frequency;
        msg.type = SM_MSG_CURSOR_TRAIL;
        msg.trail.length = command->trail_length;
        msg.trail.frequency = command->trail_frequency;
        tell_all(pointer, &msg, NULL);
        break;
    }
    sm_cursor_command_finish(command);
}

void sm_pointer_reset(struct sm_pointer *pointer)
{
    shape_unref(pointer->shape);
    pointer->shape = NULL;
    pointer->is_visible = true;
    pointer->position = (struct sm_point16){0};
    pointer->trail_length = 0;
    pointer->trail_frequency = 0;
    tell_all(pointer, &(struct sm_cursor_msg){.type = SM_MSG_CURSOR_INVAL_ALL}, NULL);
    SM_LIST_FOR (link, &pointer->clients) {
        if (client_of(link)->is_arriving)
            continue; /* its pointer is the guest's already */
        queue(client_of(link), &(struct sm_cursor_msg){.type = SM_MSG_CURSOR_RESET}, NULL);
        push(client_of(link));
    }
}

void sm_pointer_announce(struct sm_pointer *pointer)
{
    SM_LIST_FOR (link, &pointer->clients) {
        if (client_of(link)->is_arriving)
            continue;
        queue_init(client_of(link));
        push(client_of(link));
    }
}

void sm_pointer_set_mode(struct sm_pointer *pointer, enum sm_worker_mouse_mode mode)
{
    pointer->mode = mode;
}

bool sm_pointer_is_blocked(const struct sm_pointer *pointer)
{
    for (struct sm_list *link = pointer->clients.next; link != &pointer->clients;
         link = link->next) {
        if (client_of(link)->queue_count > SM_DISPLAY_MAX_QUEUE)
            return true;
    }
    return false;
}

/* ---- clients and life ---- */

void sm_pointer_connect(struct sm_pointer *pointer, struct sm_channel_handover *handover)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    *client = (struct client){.pointer = pointer, .handover = handover};
    sm_list_init(&client->link);
    sm_list_init(&client->queue);
    enum sm_status status = start_client(client);
    if (status) {
        sm_log_at(pointer->log, SM_LOG_WARNING, "cursor client not served: %s",
                  sm_status_name(status));
        destroy_client(client);
        return;
    }
    sm_list_append(&pointer->clients, &client->link);
    client->is_arriving = handover->is_migrated;
    if (client->is_arriving) /* it has a pointer; its cache is not known here */
        queue(client, &(struct sm_cursor_msg){.type = SM_MSG_CURSOR_INVAL_ALL}, NULL);
    else
        queue_init(client);
    push(client);
}

void sm_pointer_settle(struct sm_pointer *pointer)
{
    SM_LIST_FOR (link, &pointer->clients)
        client_of(link)->is_arriving = false;
}

void sm_pointer_migrate(struct sm_pointer *pointer, uint32_t connection_id)
{
    SM_LIST_FOR (link, &pointer->clients) {
        struct client *client = client_of(link);
        if (client->handover->connection_id != connection_id)
            continue;
        client->is_leaving = true;
        push(client);
    }
}

void sm_pointer_disconnect(struct sm_pointer *pointer, uint32_t connection_id)
{
    SM_LIST_FOR (link, &pointer->clients) {
        struct client *client = client_of(link);
        if (connection_id == 0 || client->handover->connection_id == connection_id)
            destroy_client(client);
    }
}

void sm_pointer_reap(struct sm_pointer *pointer)
{
    SM_LIST_FOR (link, &pointer->clients) {
        if (client_of(link)->is_closed)
            destroy_client(client_of(link));
    }
}

enum sm_status sm_pointer_create(struct sm_pointer **out, struct sm_loop loop,
                                 const struct sm_log *log, enum sm_worker_mouse_mode mode)
{
    struct sm_pointer *pointer = calloc(1, sizeof(*pointer));
    if (!pointer)
        return SM_ERR_NOMEM;
    *pointer = (struct sm_pointer){
        .loop = loop,
        .log = log,
        .complaints = {.burst = SM_DISPLAY_COMPLAINTS, .period_us = SM_DISPLAY_COMPLAINTS_US},
        .mode = mode,
        .is_visible = true,
    };
    sm_list_init(&pointer->clients);
    *out = pointer;
    return SM_OK;
}

void sm_pointer_destroy(struct sm_pointer *pointer)
{
    if (!pointer)
        return;
    sm_pointer_disconnect(pointer, 0);
    shape_unref(pointer->shape);
    free(pointer);
}
