/* SPDX-License-Identifier: MIT */
#include "server/display/peer_sender.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/channel/display/server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/transport.h"
#include "server/display/image_task.h"

enum { FD_RETRY_MS = 5 };

struct sm_peer_sender {
    struct sm_peer_sender_config config;
    struct sm_pump *pump; /* borrowed */
    struct sm_peer_flow flow;
    struct sm_timer *fd_timer; /* owned: tries again to pass a descriptor */
    int passing_fd;            /* owned: must leave before anything else does; −1 for none */
    bool is_pushing, is_stopped, wants_push;
};

static void fail(struct sm_peer_sender *sender, const char *reason)
{
    sender->config.callbacks->failed(sender->config.opaque, reason);
}

static void on_fd_timer(void *opaque)
{
    struct sm_peer_sender *sender = opaque;
    if (sm_peer_sender_push(sender))
        sm_pump_kick(sender->pump);
}

/* Passes a descriptor once everything before it has left; true when none waits any more. */
static bool pass_fd(struct sm_peer_sender *sender)
{
    if (sender->passing_fd < 0)
        return true;
    if (sm_channel_pending_size(sm_display_server_channel(sender->config.server)) > 0)
        return false;
    enum sm_status status =
        sm_transport_send_fd(sm_pump_transport(sender->pump), '@', sender->passing_fd);
    if (status == SM_AGAIN) {
        sm_loop_timer_start(sender->config.loop, sender->fd_timer, FD_RETRY_MS);
        return false;
    }
    (void)close(sender->passing_fd);
    sender->passing_fd = -1;
    if (status)
        fail(sender, "descriptor of the scan-out could not be passed");
    return status == SM_OK;
}

/* ---- one item ---- */

/* Gives a message to the connection; what cannot be sent at all is dropped. */
static bool send_msg(struct sm_peer_sender *sender, const struct sm_display_msg *msg, bool is_owed)
{
    enum sm_status status = sm_display_server_send(sender->config.server, msg);
    if (status == SM_OK)
        return true;
    if (status == SM_ERR_NOMEM)
        fail(sender, "out of memory");
    else if (is_owed || status == SM_AGAIN)
        fail(sender, "what was decided could not be sent"); /* later images refer to it */
    else
        sender->config.callbacks->dropped(sender->config.opaque, msg->type, status);
    return false;
}

static void send_drawing(struct sm_peer_sender *sender, const struct sm_drawing *drawing)
{
    struct sm_image_receiver receiver = {0};
    struct sm_image_task task;
    sender->config.callbacks->describe(sender->config.opaque, drawing, &receiver);
    sm_image_task_init(&task, &drawing->msg, &receiver);
    sender->config.callbacks->planned(sender->config.opaque, drawing, &task);
    sm_image_task_encode(&task, sender->config.encoder);
    (void)send_msg(sender, &task.msg, task.uses_glz);
    sm_image_task_finish(&task);
}

static void send_late(struct sm_peer_sender *sender, struct sm_peer_item *item)
{
    bool is_sent = false;
    if (item->ops->begin(item->late)) {
        if (item->ops->encode)
            item->ops->encode(item->late, sender->config.encoder);
        const struct sm_display_msg *msg = item->ops->message(item->late);
        is_sent = msg && send_msg(sender, msg, false);
    }
    item->ops->destroy(item->late, is_sent);
    item->late = NULL;
}

static void send_first(struct sm_peer_sender *sender, struct sm_peer_item *item)
{
    sm_peer_queue_remove(sender->config.queue, item);
    switch (item->kind) {
    case SM_PEER_MESSAGE:
        if (send_msg(sender, &item->msg, false) && item->fd >= 0) {
            sender->passing_fd = item->fd;
            item->fd = -1;
        }
        break;
    case SM_PEER_DRAWING:
        send_drawing(sender, item->drawable->drawing);
        break;
    case SM_PEER_LATE:
        send_late(sender, item);
        break;
    }
    sm_peer_item_destroy(item);
}

/* The queue is empty and the line free: queues a piece of what was missed. */
static bool catch_up(struct sm_peer_sender *sender)
{
    uint32_t surface_id;
    struct sm_rect area;
    struct sm_peer_queue *queue = sender->config.queue;
    if (!sm_peer_queue_take_missed(queue, sm_peer_flow_piece_px(&sender->flow), &surface_id, &area))
        return false;
    sender->config.callbacks->queue_pixels(sender->config.opaque, surface_id, area);
    sm_peer_queue_end_missed(queue);
    return true;
}

static bool may_make(struct sm_peer_sender *sender)
{
    return !sender->is_stopped && sm_display_server_is_ready(sender->config.server) &&
           sm_peer_flow_room(&sender->flow, 0, sm_now_us()) > 0;
}

bool sm_peer_sender_push(struct sm_peer_sender *sender)
{
    if (sender->is_pushing || sender->is_stopped)
        return false;
    sender->is_pushing = true;
    bool has_sent = false;
    while (pass_fd(sender) && may_make(sender)) {
        struct sm_peer_item *item = sm_peer_queue_first(sender->config.queue);
        if (item) {
            send_first(sender, item);
            has_sent = true;
        } else if (!catch_up(sender)) {
            break;
        }
    }
    sender->is_pushing = false;
    return has_sent && !sender->is_stopped;
}

/* ---- life ---- */

enum sm_status sm_peer_sender_create(struct sm_peer_sender **out,
                                     const struct sm_peer_sender_config *config)
{
    struct sm_peer_sender *sender = calloc(1, sizeof(*sender));
    if (!sender)
        return SM_ERR_NOMEM;
    sender->config = *config;
    sender->passing_fd = -1;
    sm_peer_flow_init(&sender->flow, sm_display_server_channel(config->server));
    sender->fd_timer = sm_loop_timer_add(config->loop, on_fd_timer, sender);
    if (!sender->fd_timer) {
        free(sender);
        return SM_ERR_NOMEM;
    }
    *out = sender;
    return SM_OK;
}

void sm_peer_sender_destroy(struct sm_peer_sender *sender)
{
    if (!sender)
        return;
    sm_loop_timer_remove(sender->config.loop, sender->fd_timer);
    if (sender->passing_fd >= 0)
        (void)close(sender->passing_fd);
    free(sender);
}

void sm_peer_sender_set_pump(struct sm_peer_sender *sender, struct sm_pump *pump)
{
    sender->pump = pump;
}

void sm_peer_sender_stop(struct sm_peer_sender *sender)
{
    sender->is_stopped = true;
    sm_loop_timer_cancel(sender->config.loop, sender->fd_timer);
}

struct sm_peer_flow *sm_peer_sender_flow(struct sm_peer_sender *sender)
{
    return &sender->flow;
}
