/* SPDX-License-Identifier: MIT */
/* The messages of a display channel, one after the other, and what holds them up. */
#include "client/display_channel.h"

#include <poll.h>
#include <unistd.h>

#include "client/session_private.h"

enum {
    WAIT_MS = 5000, /* for an image that another channel is to bring */
    BELL_MS = 20,   /* for one that is being decoded; it rings once for many */
};

static enum sm_status take(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    pthread_mutex_lock(&display->lock);
    enum sm_status status = sm_client_display_take(channel, display->event.msg);
    pthread_mutex_unlock(&display->lock);
    return status;
}

/* ---- Waiting for other channels ---- */

static void begin_wait(struct sm_client_channel *channel)
{
    if (!atomic_exchange(&channel->is_waiting, true))
        atomic_fetch_add(&channel->session->waiting_count, 1);
}

static void end_wait(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (atomic_exchange(&channel->is_waiting, false))
        atomic_fetch_sub(&channel->session->waiting_count, 1);
    if (display->wait_timer)
        sm_loop_timer_cancel(sm_epoll_loop_base(channel->loop), display->wait_timer);
}

/* Another display channel that may still bring an image. */
static bool has_company(const struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    bool has = false;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++)
        has = has || (session->channels[i] != channel &&
                      session->channels[i]->kind == SM_CHANNEL_KIND_DISPLAY &&
                      session->channels[i]->state != SM_CLIENT_CHANNEL_CLOSED);
    pthread_mutex_unlock(&session->lock);
    return has;
}

static void give_up_drawing(struct sm_client_channel *channel, const char *why)
{
    struct sm_client_display *display = channel->self;
    pthread_mutex_lock(&display->lock);
    sm_canvas_cancel(display->canvas);
    display->drawings++;
    sm_client_display_left_out(channel, why);
    pthread_mutex_unlock(&display->lock);
    display->is_drawing = false;
}

/* The drawing at work wants an image that is not there. SM_AGAIN: it waits. */
static enum sm_status wait_for_image(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!has_company(channel)) {
        give_up_drawing(channel, "it uses an image that the server never sent");
        return SM_OK;
    }
    begin_wait(channel);
    /* It may have come before we began to wait. */
    enum sm_status status = take(channel);
    if (status == SM_AGAIN)
        sm_loop_timer_start(sm_epoll_loop_base(channel->loop), display->wait_timer, WAIT_MS);
    return status;
}

/* Source: docs/wire/base.md, WAIT_FOR_CHANNELS: a channel that does not exist is not waited for. */
static bool is_reached(struct sm_session *session, const struct sm_wait_for_channel *wait,
                       const struct sm_client_channel *ourselves)
{
    struct sm_client_channel *other =
        sm_session_find(session, (enum sm_channel_kind)wait->channel_type, wait->channel_id);
    if (!other || other == ourselves)
        return true;
    pthread_mutex_lock(&session->lock);
    bool is_gone = other->state == SM_CLIENT_CHANNEL_CLOSED;
    pthread_mutex_unlock(&session->lock);
    return is_gone || atomic_load(&other->handled_serial) >= wait->message_serial;
}

static bool are_reached(const struct sm_client_channel *channel, const struct sm_display_msg *msg)
{
    bool is_inval = msg->type == SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS;
    uint32_t count = is_inval ? msg->inval_all_pixmaps.num_waits : msg->wait_for_channels.num_waits;
    const struct sm_wait_for_channel *waits =
        is_inval ? msg->inval_all_pixmaps.waits : msg->wait_for_channels.waits;
    for (uint32_t i = 0; i < count; i++)
        if (!is_reached(channel->session, &waits[i], channel))
            return false;
    return true;
}

/* ---- The thread ---- */

/* Goes on with the event at work. SM_OK: it is done; SM_AGAIN: it waits. */
static enum sm_status work(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (display->is_held) {
        begin_wait(channel);
        if (!are_reached(channel, display->event.msg))
            return SM_AGAIN;
        display->is_held = false;
    }
    display->is_decoding = !sm_ahead_is_ready(&display->ahead, display->event.turn);
    if (display->is_decoding)
        return SM_AGAIN;
    display->is_drawing = true;
    enum sm_status status = take(channel);
    if (status == SM_AGAIN)
        status = wait_for_image(channel);
    if (status == SM_AGAIN)
        return status;
    display->is_drawing = false;
    end_wait(channel);
    if (display->event.is_wait)
        sm_channel_release(sm_display_client_channel(display->client));
    return status;
}

/* The event at work is done with. */
static void finish(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    sm_ahead_release(&display->ahead, display->event.turn);
    sm_client_channel_handled(channel, display->event.serial);
}

static bool is_at_work(const struct sm_client_display *display)
{
    return display->is_held || display->is_drawing || display->is_decoding;
}

static void look_ahead(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    sm_ahead_look(&display->ahead, display->client, display->canvas,
                  sm_pump_unfed(channel->pump).size);
}

enum sm_status sm_client_display_activity(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    enum sm_status status = SM_OK;
    look_ahead(channel);
    if (is_at_work(display))
        return SM_OK; /* only sm_client_display_resume() goes on */
    while ((status = sm_display_client_next(display->client, &display->event)) == SM_OK) {
        display->is_held = display->event.is_wait;
        status = work(channel);
        if (status != SM_OK)
            return status;
        finish(channel);
        look_ahead(channel);
    }
    return status;
}

static void fail(struct sm_client_channel *channel, enum sm_status status, const char *why)
{
    struct sm_error error;
    sm_reason_channel(&error, &channel->attempt, status, why);
    sm_client_channel_fail(channel, &error);
}

void sm_client_display_resume(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    enum sm_status status = SM_OK;
    if (is_at_work(display)) {
        status = work(channel);
        if (status == SM_AGAIN)
            return;
        if (status == SM_OK)
            finish(channel);
    }
    if (status == SM_OK)
        status = sm_client_display_activity(channel);
    if (status < 0)
        fail(channel, status, sm_channel_reason(sm_display_client_channel(display->client)));
}

void sm_client_display_waited(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    struct sm_client_display *display = channel->self;
    if (channel->is_over || !display->is_drawing)
        return;
    give_up_drawing(channel, "an image it uses did not come in time");
    end_wait(channel);
    finish(channel);
    sm_client_display_resume(channel);
    sm_client_channel_kick(channel);
}

void sm_client_display_decoded(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    const struct sm_client_display *display = channel->self;
    if (channel->is_over || !display->is_decoding)
        return;
    sm_client_display_resume(channel);
    sm_client_channel_kick(channel);
}

void sm_client_display_settle(struct sm_client_channel *channel)
{
    const struct sm_client_display *display = channel->self;
    sm_client_display_resume(channel);
    while (!channel->is_over && display->is_decoding) {
        struct pollfd bell = {.fd = display->ahead.bell, .events = POLLIN};
        uint64_t rings;
        if (poll(&bell, 1, BELL_MS) > 0)
            (void)!read(bell.fd, &rings, sizeof(rings));
        sm_client_display_resume(channel);
    }
}

void sm_client_display_closed(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!display)
        return;
    end_wait(channel);
    sm_damage_end(&display->damage);
    sm_ahead_end(&display->ahead); /* nobody reads messages that go with the connection */
}
