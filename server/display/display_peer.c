/* SPDX-License-Identifier: MIT */
#include "server/display/display_peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/channel/display/server.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/pump.h"
#include "io/socket.h"
#include "io/transport.h"
#include "server/display/backlog.h"
#include "server/display/image_policy.h"
#include "server/display/limits.h"
#include "server/session/handover.h"

enum {
    /*
     * Less than this waiting to be written: the next thing may be encoded. The kernel holds about
     * as much unsent, so what is queued here is late by the line's own round trip and little more.
     */
    LOW_WATER_BYTES = 64 << 10,
    /*
     * Acknowledgements are feedback, never the brake: a window in flight a round trip would be
     * slow on a long line.
     */
    ACK_WINDOW = 20,
    ACK_WINDOW_SLOW = 40,
    FD_RETRY_MS = 5,
    /* When the queue collapses: this old and this long, or longer, or larger. */
    COLLAPSE_AGE_US = 50 * 1000,
    COLLAPSE_AGED_COUNT = 8,
    COLLAPSE_COUNT = 256,
    COLLAPSE_BYTES = 32 << 20,
    /* Of the backlog, a piece at a time: about 20 ms of encoding at most. */
    PIECE_PIXELS = 256 << 10,
};

/* Something to be sent: a drawing, or a message that owns what it points to. */
struct item {
    struct sm_list link;
    struct sm_drawable *drawable; /* held; NULL for a message */
    uint64_t queued_us;
    struct sm_display_msg msg;
    struct sm_head *heads; /* owned: those of MONITORS_CONFIG */
    int fd;                /* owned: follows the message; −1 for none */
};

struct sm_display_peer {
    struct sm_list link;
    struct sm_display_peer_config config;
    struct sm_channel_handover *handover; /* owned */
    struct sm_display_server *server;     /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_image_policy *policy;       /* owned */
    struct sm_timer *fd_timer;            /* owned: tries again to pass a descriptor */
    struct sm_list queue;
    struct sm_backlog backlog; /* while it holds anything, drawings are added to it, not queued */
    bool is_catching_up;       /* a piece of the backlog is being queued */
    uint32_t queue_count;
    size_t queue_bytes;
    int passing_fd; /* owned: must leave before anything else does; −1 for none */
    bool is_closed, is_in_activity, is_pushing, has_preference, owes_gl_draw, wants_pixels;
    enum sm_worker_compression compression;
    uint32_t glz_window_px; /* the client's, until a dictionary was made for it; 0: none to make */
    uint8_t known[SM_SURFACES_MAX / 8]; /* bit per surface id */
};

/* Clients can cause warnings as often as they connect, so there is a limit for all of them. */
static bool may_say(const struct sm_display_peer *client, enum sm_log_level level)
{
    return level < SM_LOG_WARNING || sm_log_limit_allows(client->config.complaints, sm_now_us());
}

static void log_line(struct sm_display_peer *client, enum sm_log_level level, const char *text)
{
    if (!may_say(client, level))
        return;
    sm_log_at(client->config.log, level, "display:%u (%p): %s",
              (unsigned)client->handover->channel_id, (void *)client, text);
}

static void free_item(struct sm_display_peer *client, struct item *item)
{
    sm_list_remove(&item->link);
    client->queue_count--;
    if (item->drawable)
        client->queue_bytes -= item->drawable->drawing->size_bytes;
    sm_drawable_unref(item->drawable);
    free(item->heads);
    if (item->fd >= 0)
        (void)close(item->fd);
    free(item);
}

static void clear_queue(struct sm_display_peer *client)
{
    SM_LIST_FOR (link, &client->queue)
        free_item(client, SM_LIST_ITEM(link, struct item, link));
}

void sm_display_peer_close(struct sm_display_peer *client, const char *reason)
{
    if (client->is_closed)
        return;
    client->is_closed = true;
    log_line(client, SM_LOG_WARNING, reason);
    clear_queue(client);
    client->config.callbacks->on_closed(client->config.opaque, client);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_display_peer *client = opaque;
    if (client->is_closed)
        return;
    client->is_closed = true;
    enum sm_log_level level = status == SM_ERR_IO ? SM_LOG_INFO : SM_LOG_WARNING;
    if (may_say(client, level))
        sm_log_at(client->config.log, level, "display:%u (%p): connection closed: %s",
                  (unsigned)client->handover->channel_id, (void *)client, reason);
    clear_queue(client);
    client->config.callbacks->on_closed(client->config.opaque, client);
}

/* ---- what the client says ---- */

/* The dictionary takes tens of megabytes, so it is made when GLZ is first wanted. */
static void prepare_glz(struct sm_display_peer *client)
{
    bool is_wanted =
        client->compression == SM_COMPRESSION_GLZ || client->compression == SM_COMPRESSION_AUTO_GLZ;
    if (!is_wanted || client->glz_window_px == 0)
        return;
    if (sm_image_policy_enable_glz(client->policy, client->glz_window_px) != SM_OK)
        log_line(client, SM_LOG_INFO, "no GLZ: the dictionary could not be made");
    client->glz_window_px = 0; /* once: its numbering must not begin anew */
}

static void take_preference(struct sm_display_peer *client, uint8_t compression)
{
    if (compression < SM_COMPRESSION_OFF || compression > SM_COMPRESSION_LZ4) {
        log_line(client, SM_LOG_WARNING, "unknown preferred compression ignored");
        return;
    }
    client->has_preference = true;
    client->compression = (enum sm_worker_compression)compression;
    prepare_glz(client);
}

static void take_message(struct sm_display_peer *client, const struct sm_display_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_DISPLAY_PREFERRED_COMPRESSION:
        take_preference(client, msg->preferred_compression.image_compression);
        break;
    case SM_MSGC_DISPLAY_GL_DRAW_DONE:
        client->config.callbacks->on_gl_draw_done(client->config.opaque, client);
        break;
    case SM_MSGC_DISPLAY_STREAM_REPORT:
        sm_display_peer_close(client, "report on a stream that does not exist");
        break;
    default:
        break; /* codec preferences have no use before there are streams */
    }
}

/*
 * The displays of a session share a dictionary at the client, whose images are numbered through
 * all of them. Until they share one here, too, the first display has it alone.
 */
static void begin(struct sm_display_peer *client, const struct sm_display_server_init *init)
{
    if (client->handover->channel_id == 0)
        client->glz_window_px = init->glz_dictionary_px;
    prepare_glz(client);
    client->config.callbacks->on_ready(client->config.opaque, client);
}

static void pull_events(struct sm_display_peer *client)
{
    struct sm_display_server_event event;
    enum sm_status status = SM_OK;
    while (!client->is_closed && status == SM_OK) {
        status = sm_display_server_next(client->server, &event);
        if (status < 0)
            sm_display_peer_close(client,
                                  sm_channel_reason(sm_display_server_channel(client->server)));
        else if (status == SM_OK && event.kind == SM_DISPLAY_SERVER_INIT)
            begin(client, &event.init);
        else if (status == SM_OK)
            take_message(client, event.msg);
    }
}

/* ---- sending ---- */

/* Passes a descriptor once everything before it has left; true when none waits any more. */
static bool pass_fd(struct sm_display_peer *client)
{
    if (client->passing_fd < 0)
        return true;
    if (sm_channel_pending_size(sm_display_server_channel(client->server)) > 0)
        return false;
    enum sm_status status =
        sm_transport_send_fd(sm_pump_transport(client->pump), '@', client->passing_fd);
    if (status == SM_AGAIN) {
        sm_loop_timer_start(client->config.loop, client->fd_timer, FD_RETRY_MS);
        return false;
    }
    (void)close(client->passing_fd);
    client->passing_fd = -1;
    if (status)
        sm_display_peer_close(client, "descriptor of the scan-out could not be passed");
    return status == SM_OK;
}

static enum sm_status send_item(struct sm_display_peer *client, struct item *item)
{
    if (!item->drawable)
        return sm_display_server_send(client->server, &item->msg);
    struct sm_display_msg msg = item->drawable->drawing->msg;
    struct sm_image_receiver receiver = {
        .compression = client->compression,
        .is_local = client->handover->is_unix,
        .has_lz4 = sm_display_peer_can(client, SM_DISPLAY_CAP_LZ4_COMPRESSION),
    };
    sm_image_policy_apply(client->policy, &receiver, &msg);
    return sm_display_server_send(client->server, &msg);
}

/* Sends the first item. False if the line takes nothing more now. */
static bool send_first(struct sm_display_peer *client)
{
    struct item *item = SM_LIST_ITEM(client->queue.next, struct item, link);
    enum sm_status status = send_item(client, item);
    if (status && item->drawable && sm_image_policy_used_glz(client->policy)) {
        /* Later images would refer to one that the client never got. */
        sm_display_peer_close(client, "an image of its dictionary could not be sent");
        return false;
    }
    if (status == SM_AGAIN)
        return false;
    if (status == SM_ERR_NOMEM) {
        sm_display_peer_close(client, "out of memory");
        return false;
    }
    if (status && may_say(client, SM_LOG_WARNING))
        sm_log_at(client->config.log, SM_LOG_WARNING,
                  "display:%u (%p): message of type %u not sent: %s",
                  (unsigned)client->handover->channel_id, (void *)client,
                  item->drawable ? item->drawable->drawing->msg.type : item->msg.type,
                  sm_status_name(status));
    if (!status && item->fd >= 0) {
        client->passing_fd = item->fd;
        item->fd = -1;
    }
    free_item(client, item);
    return true;
}

static bool can_send(struct sm_display_peer *client)
{
    struct sm_channel *channel = sm_display_server_channel(client->server);
    return !client->is_closed && sm_display_server_is_ready(client->server) &&
           sm_channel_pending_size(channel) < LOW_WATER_BYTES;
}

/* The queue is empty and the line free: queues a piece of what was missed. */
static bool catch_up(struct sm_display_peer *client)
{
    uint32_t surface_id;
    struct sm_rect area;
    if (client->is_closed || !sm_list_is_empty(&client->queue) ||
        !sm_backlog_take(&client->backlog, PIECE_PIXELS, &surface_id, &area))
        return false;
    client->is_catching_up = true;
    client->config.callbacks->queue_pixels(client->config.opaque, client, surface_id, area);
    client->is_catching_up = false;
    return true;
}

/* True if something is to be written now. */
static bool push(struct sm_display_peer *client)
{
    if (client->is_pushing || client->is_closed)
        return false;
    client->is_pushing = true;
    bool has_sent = false;
    while (pass_fd(client) && can_send(client)) {
        if (sm_list_is_empty(&client->queue)) {
            if (!catch_up(client))
                break;
        } else if (!send_first(client)) {
            break;
        } else {
            has_sent = true;
        }
    }
    client->is_pushing = false;
    return has_sent;
}

void sm_display_peer_push(struct sm_display_peer *client)
{
    if (push(client) && !client->is_closed && !client->is_in_activity)
        sm_pump_kick(client->pump);
}

static void on_activity(void *opaque)
{
    struct sm_display_peer *client = opaque;
    client->is_in_activity = true;
    pull_events(client);
    (void)push(client);
    client->is_in_activity = false;
}

static void on_fd_timer(void *opaque)
{
    sm_display_peer_push(opaque);
}

static const struct sm_pump_callbacks PUMP_CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

/* ---- queueing ---- */

static struct item *add_item(struct sm_display_peer *client)
{
    if (client->queue_count >= SM_DISPLAY_MAX_MESSAGES)
        sm_display_peer_close(client, "does not read, disconnecting");
    struct item *item = client->is_closed ? NULL : calloc(1, sizeof(*item));
    if (!item) {
        if (!client->is_closed)
            sm_display_peer_close(client, "out of memory");
        return NULL;
    }
    item->fd = -1;
    item->queued_us = sm_now_us();
    sm_list_append(&client->queue, &item->link);
    client->queue_count++;
    return item;
}

static void miss(struct sm_display_peer *client, const struct sm_drawing *drawing)
{
    /* Every drawing message begins with the same base. */
    uint32_t surface_id = drawing->msg.draw_fill.base.surface_id;
    if (sm_backlog_add(&client->backlog, surface_id, drawing->bounds) != SM_OK)
        sm_display_peer_close(client, "out of memory");
}

static bool is_behind(const struct sm_display_peer *client)
{
    if (client->queue_count > COLLAPSE_COUNT || client->queue_bytes > COLLAPSE_BYTES)
        return true;
    const struct item *oldest = SM_LIST_ITEM(client->queue.next, struct item, link);
    return client->queue_count > COLLAPSE_AGED_COUNT &&
           sm_now_us() - oldest->queued_us > COLLAPSE_AGE_US;
}

/*
 * Drawings become areas; messages stay and keep their order. Until the backlog is sent, new
 * drawings join it: one that reads a surface the client has not seen the newest of must not be
 * carried out there.
 */
static void collapse(struct sm_display_peer *client)
{
    SM_LIST_FOR (link, &client->queue) {
        struct item *item = SM_LIST_ITEM(link, struct item, link);
        if (item->drawable) {
            miss(client, item->drawable->drawing);
            if (client->is_closed)
                return; /* the queue is gone */
            free_item(client, item);
        } else if (item->msg.type == SM_MSG_DISPLAY_SURFACE_DESTROY) {
            sm_backlog_forget(&client->backlog, item->msg.surface_destroy.surface_id);
        }
    }
}

void sm_display_peer_queue_drawable(struct sm_display_peer *client, struct sm_drawable *drawable)
{
    if (!sm_backlog_is_empty(&client->backlog) && !client->is_catching_up) {
        miss(client, drawable->drawing);
        return;
    }
    struct item *item = add_item(client);
    if (!item)
        return;
    item->drawable = sm_drawable_ref(drawable);
    client->queue_bytes += drawable->drawing->size_bytes;
    if (is_behind(client))
        collapse(client);
}

void sm_display_peer_queue_msg(struct sm_display_peer *client, const struct sm_display_msg *msg)
{
    struct item *item = add_item(client);
    if (!item)
        return;
    item->msg = *msg;
    if (msg->type == SM_MSG_DISPLAY_SURFACE_DESTROY)
        sm_backlog_forget(&client->backlog, msg->surface_destroy.surface_id);
    if (msg->type != SM_MSG_DISPLAY_MONITORS_CONFIG)
        return;
    size_t count = msg->monitors_config.num_heads;
    item->heads = sm_alloc_array(count, sizeof(*item->heads));
    if (!item->heads) {
        sm_display_peer_close(client, "out of memory");
        return;
    }
    memcpy(item->heads, msg->monitors_config.heads, count * sizeof(*item->heads));
    item->msg.monitors_config.heads = item->heads;
}

/* A scan-out that waits and that no draw refers to is of no interest any more. */
static void drop_stale_scanout(struct sm_display_peer *client)
{
    for (struct sm_list *link = client->queue.prev; link != &client->queue; link = link->prev) {
        struct item *item = SM_LIST_ITEM(link, struct item, link);
        if (!item->drawable && item->msg.type == SM_MSG_DISPLAY_GL_DRAW)
            return;
        if (item->fd >= 0) {
            free_item(client, item);
            return;
        }
    }
}

void sm_display_peer_queue_scanout(struct sm_display_peer *client, const struct sm_display_msg *msg,
                                   int fd)
{
    drop_stale_scanout(client);
    struct item *item = add_item(client);
    if (!item) {
        (void)close(fd);
        return;
    }
    item->msg = *msg;
    item->fd = fd;
}

/* ---- what is known about it ---- */

struct sm_list *sm_display_peer_link(struct sm_display_peer *client)
{
    return &client->link;
}

struct sm_display_peer *sm_display_peer_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_display_peer, link);
}

uint32_t sm_display_peer_connection_id(const struct sm_display_peer *client)
{
    return client->handover->connection_id;
}

bool sm_display_peer_can(const struct sm_display_peer *client, enum sm_display_cap cap)
{
    return client->handover->channel_caps >> cap & 1;
}

bool sm_display_peer_is_local(const struct sm_display_peer *client)
{
    return client->handover->is_unix && !client->handover->is_secure;
}

bool sm_display_peer_is_ready(const struct sm_display_peer *client)
{
    return !client->is_closed && sm_display_server_is_ready(client->server);
}

bool sm_display_peer_is_closed(const struct sm_display_peer *client)
{
    return client->is_closed;
}

uint32_t sm_display_peer_queue_count(const struct sm_display_peer *client)
{
    return client->queue_count;
}

size_t sm_display_peer_queue_bytes(const struct sm_display_peer *client)
{
    return client->queue_bytes;
}

bool sm_display_peer_knows(const struct sm_display_peer *client, uint32_t surface_id)
{
    return client->known[surface_id / 8] >> (surface_id % 8) & 1;
}

void sm_display_peer_set_knows(struct sm_display_peer *client, uint32_t surface_id, bool knows)
{
    uint8_t bit = (uint8_t)(1u << (surface_id % 8));
    if (knows)
        client->known[surface_id / 8] |= bit;
    else
        client->known[surface_id / 8] &= (uint8_t)~bit;
}

bool sm_display_peer_wants_pixels(const struct sm_display_peer *client)
{
    return client->wants_pixels;
}

void sm_display_peer_set_wants_pixels(struct sm_display_peer *client, bool wants)
{
    client->wants_pixels = wants;
}

bool sm_display_peer_owes_gl_draw(const struct sm_display_peer *client)
{
    return client->owes_gl_draw && !client->is_closed;
}

void sm_display_peer_set_owes_gl_draw(struct sm_display_peer *client, bool owes)
{
    client->owes_gl_draw = owes;
}

void sm_display_peer_set_compression(struct sm_display_peer *client,
                                     enum sm_worker_compression compression)
{
    if (client->has_preference)
        return;
    client->compression = compression;
    prepare_glz(client);
}

/* ---- life ---- */

static enum sm_status start(struct sm_display_peer *client)
{
    struct sm_channel_handover *handover = client->handover;
    struct sm_display_server_config config = {
        .setup = {.has_mini_header = handover->has_mini_header,
                  .common_caps = handover->common_caps,
                  .channel_caps = handover->channel_caps,
                  .leading = {.data = handover->leading, .size = handover->leading_size},
                  .is_local = handover->is_unix},
        .ack_window = handover->is_low_bandwidth ? ACK_WINDOW_SLOW : ACK_WINDOW,
    };
    enum sm_status status = sm_display_server_create(&client->server, &config, sm_now_us());
    if (!status)
        status = sm_image_policy_create(&client->policy);
    if (status)
        return status;
    client->fd_timer = sm_loop_timer_add(client->config.loop, on_fd_timer, client);
    if (!client->fd_timer)
        return SM_ERR_NOMEM;
    status = sm_pump_create(
        &client->pump, client->config.loop, handover->transport,
        sm_display_server_machine(client->server),
        (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
        &PUMP_CALLBACKS, client);
    if (status)
        return status;
    handover->transport = NULL; /* the pump's now */
    return SM_OK;
}

enum sm_status sm_display_peer_create(struct sm_display_peer **out,
                                      const struct sm_display_peer_config *config,
                                      struct sm_channel_handover *handover)
{
    struct sm_display_peer *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return SM_ERR_NOMEM;
    }
    *client = (struct sm_display_peer){.config = *config,
                                       .handover = handover,
                                       .passing_fd = -1,
                                       .compression = config->compression};
    sm_list_init(&client->link);
    sm_list_init(&client->queue);
    sm_backlog_init(&client->backlog);
    sm_socket_set_latency(handover->transport->fd, LOW_WATER_BYTES);
    enum sm_status status = start(client);
    if (status) {
        sm_display_peer_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_display_peer_destroy(struct sm_display_peer *client)
{
    if (!client)
        return;
    sm_list_remove(&client->link);
    clear_queue(client);
    sm_backlog_finish(&client->backlog);
    sm_pump_destroy(client->pump);
    sm_loop_timer_remove(client->config.loop, client->fd_timer);
    sm_display_server_destroy(client->server);
    sm_image_policy_destroy(client->policy);
    if (client->passing_fd >= 0)
        (void)close(client->passing_fd);
    sm_channel_handover_destroy(client->handover);
    free(client);
}
