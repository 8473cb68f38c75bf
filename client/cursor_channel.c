/* SPDX-License-Identifier: MIT */
/* The pointer's shape and place, kept where any thread may look. */
#include <stdlib.h>
#include <string.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/base/alloc.h"
#include "core/channel/cursor/client.h"
#include "io/clock.h"
#include "sumac/cursor.h"

struct cursor {
    struct sm_cursor_client *client; /* owned; of the channel's thread */
    pthread_mutex_t lock;            /* over what follows */
    struct sm_cursor_info info;
    uint32_t *pixels; /* owned: info.width × info.height; or NULL */
};

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    return 0;
}

static struct cursor *create(void)
{
    struct cursor *cursor = calloc(1, sizeof(*cursor));
    if (cursor)
        pthread_mutex_init(&cursor->lock, NULL);
    return cursor;
}

/* After a lost line the last shape stays until the server sends another. */
static enum sm_status open_cursor(struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link,
                                  struct sm_machine *machine)
{
    struct cursor *cursor = channel->self ? channel->self : create();
    if (!cursor)
        return SM_ERR_NOMEM;
    channel->self = cursor;
    sm_cursor_client_destroy(cursor->client);
    cursor->client = NULL;
    struct sm_cursor_client_config config = {.setup = sm_client_channel_setup(link)};
    enum sm_status status = sm_cursor_client_create(&cursor->client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    *machine = sm_cursor_client_machine(cursor->client);
    return SM_OK;
}

/* With the lock held. */
static enum sm_status take_shape(struct cursor *cursor, const struct sm_cursor_shape *shape)
{
    uint32_t *pixels = NULL;
    if (shape) {
        pixels = sm_memdup(shape->pixels, sizeof(*pixels) * shape->width * shape->height);
        if (!pixels)
            return SM_ERR_NOMEM;
    }
    free(cursor->pixels);
    cursor->pixels = pixels;
    cursor->info.shape_serial++;
    cursor->info.width = shape ? shape->width : 0;
    cursor->info.height = shape ? shape->height : 0;
    cursor->info.hot_x = shape ? shape->hot_x : 0;
    cursor->info.hot_y = shape ? shape->hot_y : 0;
    cursor->info.inverts = shape && shape->has_inverted;
    return SM_OK;
}

static enum sm_status take_event(struct sm_client_channel *channel,
                                 const struct sm_cursor_client_event *event)
{
    struct cursor *cursor = channel->self;
    if (event->is_bad_shape)
        sm_log_at(&channel->session->log, SM_LOG_WARNING, "a pointer's shape was not understood");
    if (event->msg->type == SM_MSG_WAIT_FOR_CHANNELS)
        sm_channel_release(sm_cursor_client_channel(cursor->client));
    if (!event->has_moved && !event->has_new_shape && !event->has_new_visibility)
        return SM_OK;
    struct sm_cursor_view view = sm_cursor_client_view(cursor->client);
    enum sm_status status = SM_OK;
    pthread_mutex_lock(&cursor->lock);
    cursor->info.is_visible = view.is_visible;
    cursor->info.x = view.x;
    cursor->info.y = view.y;
    if (event->has_new_shape)
        status = take_shape(cursor, view.shape);
    pthread_mutex_unlock(&cursor->lock);
    sm_session_tell(channel->session, SM_EVENT_CURSOR, channel);
    return status;
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct cursor *cursor = channel->self;
    struct sm_cursor_client_event event;
    enum sm_status status;
    while ((status = sm_cursor_client_next(cursor->client, &event)) == SM_OK) {
        status = take_event(channel, &event);
        if (status < 0)
            return status;
        sm_client_channel_handled(channel, event.serial);
    }
    return status;
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct cursor *cursor = channel->self;
    return sm_cursor_client_channel(cursor->client);
}

static void destroy(struct sm_client_channel *channel)
{
    struct cursor *cursor = channel->self;
    if (!cursor)
        return;
    sm_cursor_client_destroy(cursor->client);
    pthread_mutex_destroy(&cursor->lock);
    free(cursor->pixels);
    free(cursor);
}

const struct sm_client_channel_ops sm_cursor_channel_ops = {
    .caps = caps,
    .open = open_cursor,
    .activity = activity,
    .base = base,
    .keeps_self = true,
    .destroy = destroy,
};

enum sm_status sm_session_get_cursor(struct sm_session *session, uint8_t channel_id,
                                     struct sm_cursor_info *info, uint8_t *pixels, size_t size)
{
    struct sm_client_channel *channel =
        sm_session_find(session, SM_CHANNEL_KIND_CURSOR, channel_id);
    if (!channel || !sm_client_channel_is_open(channel))
        return SM_ERR_STATE;
    struct cursor *cursor = channel->self;
    enum sm_status status = SM_OK;
    pthread_mutex_lock(&cursor->lock);
    *info = cursor->info;
    size_t needed = (size_t)info->width * info->height * 4;
    if (pixels && size < needed)
        status = SM_ERR_LIMIT;
    else if (pixels && needed)
        memcpy(pixels, cursor->pixels, needed);
    pthread_mutex_unlock(&cursor->lock);
    return status;
}
