/* SPDX-License-Identifier: MIT */
#include "core/channel/cursor/client.h"

#include <stdlib.h>

#include "core/channel/typed.h"

/*
 * The server keeps at most 256 (and one) shapes with us and evicts by itself; these are for servers
 * that do not.
 */
enum { ARENA_LIMIT = 64 << 10, MAX_CACHED = 1024, MAX_CACHED_PIXELS = 16 << 20 };

struct sm_cursor_client {
    struct sm_typed typed;
    struct sm_cursor_msg msg; /* the one being looked at */
    bool is_known, is_visible;
    int32_t x, y;
    struct sm_cursor_shape *shape;   /* a reference, or NULL */
    struct sm_cursor_shape **cached; /* owned array of references, in no order */
    size_t cached_count, cached_capacity;
    size_t cached_pixels;
};

enum sm_status sm_cursor_client_create(struct sm_cursor_client **out,
                                       const struct sm_cursor_client_config *config,
                                       uint64_t now_us)
{
    struct sm_cursor_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_cursor_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_cursor_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

static void forget(struct sm_cursor_client *client, size_t index)
{
    struct sm_cursor_shape *shape = client->cached[index];
    client->cached_pixels -= (size_t)shape->width * shape->height;
    client->cached[index] = client->cached[--client->cached_count];
    sm_cursor_shape_unref(shape);
}

static void forget_all(struct sm_cursor_client *client)
{
    while (client->cached_count > 0)
        forget(client, client->cached_count - 1);
}

/* The place of `unique`, or the count if it is not there. */
static size_t find(const struct sm_cursor_client *client, uint64_t unique)
{
    size_t i = 0;
    while (i < client->cached_count && client->cached[i]->unique != unique)
        i++;
    return i;
}

void sm_cursor_client_destroy(struct sm_cursor_client *client)
{
    if (!client)
        return;
    forget_all(client);
    free(client->cached);
    sm_cursor_shape_unref(client->shape);
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_cursor_client_machine(struct sm_cursor_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_cursor_client_channel(struct sm_cursor_client *client)
{
    return client->typed.channel;
}

static enum sm_status keep(struct sm_cursor_client *client, struct sm_cursor_shape *shape)
{
    size_t at = find(client, shape->unique);
    if (at < client->cached_count)
        forget(client, at); /* a newer shape of the same name replaces it */
    size_t pixels = (size_t)shape->width * shape->height;
    if (client->cached_count == MAX_CACHED || client->cached_pixels + pixels > MAX_CACHED_PIXELS)
        return SM_ERR_LIMIT;
    if (client->cached_count == client->cached_capacity) {
        size_t capacity = client->cached_capacity ? client->cached_capacity * 2 : 16;
        struct sm_cursor_shape **cached =
            realloc(client->cached, capacity * sizeof(struct sm_cursor_shape *));
        if (!cached)
            return SM_ERR_NOMEM;
        client->cached = cached;
        client->cached_capacity = capacity;
    }
    client->cached[client->cached_count++] = sm_cursor_shape_ref(shape);
    client->cached_pixels += pixels;
    return SM_OK;
}

/* The shape of a message as a reference; NULL for none or one that cannot be had. */
static enum sm_status get_shape(struct sm_cursor_client *client, const struct sm_cursor *cursor,
                                struct sm_cursor_shape **out, bool *is_bad)
{
    *out = NULL;
    if (cursor->flags & SM_CURSOR_FLAG_NONE)
        return SM_OK;
    if (cursor->flags & SM_CURSOR_FLAG_FROM_CACHE) {
        size_t at = find(client, cursor->unique);
        *is_bad = at == client->cached_count;
        *out = *is_bad ? NULL : sm_cursor_shape_ref(client->cached[at]);
        return SM_OK;
    }
    struct sm_cursor_shape *shape;
    enum sm_status status = sm_cursor_shape_create(&shape, cursor);
    if (status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT) {
        *is_bad = true;
        return SM_OK;
    }
    if (status != SM_OK)
        return status;
    if (cursor->flags & SM_CURSOR_FLAG_CACHE_ME && cursor->unique != 0)
        status = keep(client, shape);
    if (status != SM_OK) {
        sm_cursor_shape_unref(shape);
        return status;
    }
    *out = shape;
    return SM_OK;
}

static enum sm_status set_shape(struct sm_cursor_client *client, const struct sm_cursor *cursor,
                                bool is_visible, struct sm_cursor_client_event *event)
{
    struct sm_cursor_shape *shape;
    enum sm_status status = get_shape(client, cursor, &shape, &event->is_bad_shape);
    if (status != SM_OK)
        return sm_channel_fail(client->typed.channel, status, "cannot keep the shape of a pointer");
    event->has_new_shape = shape != client->shape;
    event->has_new_visibility = is_visible != client->is_visible;
    sm_cursor_shape_unref(client->shape);
    client->shape = shape;
    client->is_visible = is_visible;
    return SM_OK;
}

static void move(struct sm_cursor_client *client, struct sm_point16 to,
                 struct sm_cursor_client_event *event)
{
    event->has_moved = client->x != to.x || client->y != to.y;
    client->x = to.x;
    client->y = to.y;
}

static void set_visible(struct sm_cursor_client *client, bool is_visible,
                        struct sm_cursor_client_event *event)
{
    event->has_new_visibility = client->is_visible != is_visible;
    client->is_visible = is_visible;
}

static enum sm_status apply(struct sm_cursor_client *client, struct sm_cursor_client_event *event)
{
    const struct sm_cursor_msg *msg = &client->msg;
    size_t at;
    switch (msg->type) {
    case SM_MSG_CURSOR_INIT:
        forget_all(client);
        client->is_known = true;
        move(client, msg->init.position, event);
        return set_shape(client, &msg->init.cursor, msg->init.visible != 0, event);
    case SM_MSG_CURSOR_RESET:
        forget_all(client);
        return set_shape(client, &(struct sm_cursor){.flags = SM_CURSOR_FLAG_NONE}, false, event);
    case SM_MSG_CURSOR_SET:
        move(client, msg->set.position, event);
        return set_shape(client, &msg->set.cursor, msg->set.visible != 0, event);
    case SM_MSG_CURSOR_MOVE:
        move(client, msg->move.position, event);
        set_visible(client, true, event);
        return SM_OK;
    case SM_MSG_CURSOR_HIDE:
        set_visible(client, false, event);
        return SM_OK;
    case SM_MSG_CURSOR_INVAL_ONE:
        at = find(client, msg->inval_one.id);
        if (at < client->cached_count)
            forget(client, at);
        return SM_OK;
    case SM_MSG_CURSOR_INVAL_ALL:
        forget_all(client);
        return SM_OK;
    case SM_MSG_WAIT_FOR_CHANNELS:
        sm_channel_hold(client->typed.channel);
        return SM_OK;
    default:
        return SM_OK;
    }
}

enum sm_status sm_cursor_client_next(struct sm_cursor_client *client,
                                     struct sm_cursor_client_event *event)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&client->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_cursor_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                 &reason);
    status = sm_typed_parsed(&client->typed, status, reason);
    if (status != SM_OK)
        return status;
    struct sm_cursor_client_event new_event = {.serial = message.serial, .msg = &client->msg};
    status = apply(client, &new_event);
    if (status == SM_OK)
        *event = new_event;
    return status;
}

struct sm_cursor_view sm_cursor_client_view(const struct sm_cursor_client *client)
{
    return (struct sm_cursor_view){.is_known = client->is_known,
                                   .is_visible = client->is_visible && client->shape,
                                   .x = client->x,
                                   .y = client->y,
                                   .shape = client->shape};
}
