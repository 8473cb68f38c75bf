/* SPDX-License-Identifier: MIT */
/* The clients of a stream device: each gets a black surface and, over it, the guest's stream. */
#include <stdlib.h>

#include "core/channel/display/server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "server/device/stream_device_private.h"
#include "server/session/handover.h"
#include "server/session/log.h"

enum {
    ACK_WINDOW = 20,
    LOW_WATER_BYTES = 64 << 10, /* less waits for a client: the guest may send its next frame */
    REPORT_WINDOW = 5,
    REPORT_TIMEOUT_MS = 1000,
};

/* A client of the display channel. */
struct viewer {
    struct sm_list link;
    struct sm_stream_device *device;
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_display_server *machine;    /* owned */
    struct sm_pump *pump;                 /* owned */
    uint32_t width, height;               /* of its surface; 0: it has none */
    bool has_stream;
};

static struct viewer *viewer_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct viewer, link);
}

static bool can_decode(const struct viewer *viewer, uint8_t codec)
{
    static const uint8_t caps[] = {
        [SM_VIDEO_CODEC_VP8] = SM_DISPLAY_CAP_CODEC_VP8,
        [SM_VIDEO_CODEC_H264] = SM_DISPLAY_CAP_CODEC_H264,
        [SM_VIDEO_CODEC_VP9] = SM_DISPLAY_CAP_CODEC_VP9,
        [SM_VIDEO_CODEC_H265] = SM_DISPLAY_CAP_CODEC_H265,
    };
    uint32_t words = viewer->handover->channel_caps;
    if (codec == SM_VIDEO_CODEC_MJPEG)
        return true;
    return (words >> SM_DISPLAY_CAP_MULTI_CODEC & 1) && (words >> caps[codec] & 1);
}

/* ---- what is sent ---- */

/* The device is held. */
static void destroy_viewer(struct viewer *viewer)
{
    struct sm_stream_device *device = viewer->device;
    sm_list_remove(&viewer->link);
    sm_pump_destroy(viewer->pump);
    sm_display_server_destroy(viewer->machine);
    sm_channel_handover_destroy(viewer->handover);
    free(viewer);
    if (!sm_list_is_empty(&device->viewers))
        return;
    device->width = device->height = device->stream_id = 0;
    device->owes_start_stop = true;
}

static bool has_room(const struct viewer *viewer)
{
    return sm_channel_pending_size(sm_display_server_channel(viewer->machine)) < LOW_WATER_BYTES;
}

/* False if the client is gone with it. */
static bool send(struct viewer *viewer, const struct sm_display_msg *msg)
{
    if (sm_display_server_send(viewer->machine, msg) == SM_OK) {
        if (viewer->pump)
            sm_pump_kick(viewer->pump);
        return true;
    }
    sm_say(viewer->device->server->log, SM_LOG_WARNING,
           "display:%u: a message could not be sent, disconnecting",
           viewer->device->display_offer.id);
    destroy_viewer(viewer);
    return false;
}

static struct sm_rect whole(const struct sm_stream_device *device)
{
    return (struct sm_rect){0, 0, (int32_t)device->width, (int32_t)device->height};
}

static bool send_surface(struct viewer *viewer)
{
    const struct sm_stream_device *device = viewer->device;
    uint32_t caps = viewer->handover->channel_caps;
    bool has_many = caps >> SM_DISPLAY_CAP_MULTI_CODEC & 1;
    struct sm_head head = {.width = device->width, .height = device->height};
    viewer->width = device->width;
    viewer->height = device->height;
    if (!send(viewer,
              &(struct sm_display_msg){
                  .type = SM_MSG_DISPLAY_SURFACE_CREATE,
                  .surface_create = {.width = device->width,
                                     .height = device->height,
                                     .format = SM_SURFACE_FORMAT_32_XRGB,
                                     .flags = SM_SURFACE_FLAG_PRIMARY |
                                              (has_many ? SM_SURFACE_FLAG_STREAMING_MODE : 0)}}))
        return false;
    if ((caps >> SM_DISPLAY_CAP_MONITORS_CONFIG & 1) &&
        !send(viewer, &(struct sm_display_msg){
                          .type = SM_MSG_DISPLAY_MONITORS_CONFIG,
                          .monitors_config = {.num_heads = 1, .max_allowed = 1, .heads = &head}}))
        return false;
    if (!send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_DRAW_FILL,
                                               .draw_fill = {.base = {.box = whole(device)},
                                                             .brush = {.type = SM_BRUSH_TYPE_SOLID},
                                                             .ropd = SM_ROPD_OP_PUT}}))
        return false;
    return send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
}

static bool end_stream(struct viewer *viewer, uint32_t id)
{
    if (!viewer->has_stream)
        return true;
    viewer->has_stream = false;
    return send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_DESTROY,
                                                 .stream_destroy = {.id = id}});
}

static void begin_stream(struct viewer *viewer, uint32_t old_id)
{
    const struct sm_stream_device *device = viewer->device;
    if (!sm_display_server_is_ready(viewer->machine) || !end_stream(viewer, old_id))
        return;
    bool fits = viewer->width == device->width && viewer->height == device->height;
    if (!fits && viewer->width &&
        !send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_DESTROY}))
        return;
    if (!fits && !send_surface(viewer))
        return;
    viewer->has_stream = true;
    if (!send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_CREATE,
                                               .stream_create = {.id = device->stream_id,
                                                                 .flags = SM_STREAM_FLAG_TOP_DOWN,
                                                                 .codec_type = device->codec,
                                                                 .stream_width = device->width,
                                                                 .stream_height = device->height,
                                                                 .src_width = device->width,
                                                                 .src_height = device->height,
                                                                 .dest = whole(device)}}))
        return;
    if (viewer->handover->channel_caps >> SM_DISPLAY_CAP_STREAM_REPORT & 1)
        (void)send(viewer, &(struct sm_display_msg){
                               .type = SM_MSG_DISPLAY_STREAM_ACTIVATE_REPORT,
                               .stream_activate_report = {.stream_id = device->stream_id,
                                                          .unique_id = 1,
                                                          .max_window_size = REPORT_WINDOW,
                                                          .timeout_ms = REPORT_TIMEOUT_MS}});
}

/* ---- a client ---- */

/* Until the guest has heard of the client and begins anew, it sees a black screen. */
static void welcome(struct viewer *viewer)
{
    if (send(viewer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES}) &&
        viewer->device->width)
        (void)send_surface(viewer);
}

static void on_activity(void *opaque)
{
    struct viewer *viewer = opaque;
    struct sm_stream_device *device = viewer->device;
    struct sm_display_server_event event;
    enum sm_status status;
    sm_stream_device_hold(device);
    while ((status = sm_display_server_next(viewer->machine, &event)) == SM_OK) {
        if (event.kind == SM_DISPLAY_SERVER_INIT) {
            welcome(viewer);
            break; /* it may be gone */
        }
    }
    if (status < 0)
        destroy_viewer(viewer);
    sm_stream_device_read_on(device);
    sm_stream_device_release(device);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct viewer *viewer = opaque;
    struct sm_stream_device *device = viewer->device;
    struct sm_server *server = device->server;
    sm_stream_device_hold(device);
    if (status != SM_ERR_IO && sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "display:%u: %s, disconnecting",
               device->display_offer.id, reason);
    destroy_viewer(viewer);
    sm_stream_device_read_on(device);
    sm_stream_device_release(device);
}

static enum sm_status set_up(struct viewer *viewer)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_handover *handover = viewer->handover;
    struct sm_display_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .ack_window = ACK_WINDOW,
    };
    config.setup.is_migrated = false; /* nothing is handed on for it */
    enum sm_status status = sm_display_server_create(&viewer->machine, &config, sm_now_us());
    if (status == SM_OK && handover->is_migrated)
        status = sm_display_server_resume(viewer->machine, 0); /* it said INIT elsewhere */
    if (status == SM_OK)
        status = sm_pump_create(
            &viewer->pump, viewer->device->server->loop, handover->transport,
            sm_display_server_machine(viewer->machine),
            (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
            &callbacks, viewer);
    if (status == SM_OK)
        handover->transport = NULL;
    return status;
}

/* ---- all of them ---- */

bool sm_stream_viewers_can_decode(const struct sm_stream_device *device, uint8_t codec)
{
    const struct sm_list *viewers = &device->viewers;
    bool can = viewers->next != viewers;
    for (struct sm_list *link = viewers->next; link != viewers; link = link->next)
        can = can && can_decode(viewer_of(link), codec);
    return can;
}

void sm_stream_viewers_begin(struct sm_stream_device *device, uint32_t old_id)
{
    SM_LIST_FOR (link, &device->viewers)
        begin_stream(viewer_of(link), old_id);
}

void sm_stream_viewers_end(struct sm_stream_device *device, uint32_t id)
{
    SM_LIST_FOR (link, &device->viewers)
        (void)end_stream(viewer_of(link), id);
}

void sm_stream_viewers_send(struct sm_stream_device *device, const struct sm_display_msg *frame)
{
    SM_LIST_FOR (link, &device->viewers)
        if (viewer_of(link)->has_stream)
            (void)send(viewer_of(link), frame);
}

bool sm_stream_viewers_have_room(const struct sm_stream_device *device)
{
    const struct sm_list *viewers = &device->viewers;
    for (struct sm_list *link = viewers->next; link != viewers; link = link->next)
        if (!has_room(viewer_of(link)))
            return false;
    return true;
}

void sm_stream_viewers_drop_slow(struct sm_stream_device *device)
{
    SM_LIST_FOR (link, &device->viewers)
        if (!has_room(viewer_of(link)))
            destroy_viewer(viewer_of(link));
}

void sm_stream_viewers_drop_all(struct sm_stream_device *device)
{
    SM_LIST_FOR (link, &device->viewers)
        destroy_viewer(viewer_of(link));
}

void sm_stream_viewers_connect(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_stream_device *device = opaque;
    struct viewer *viewer = calloc(1, sizeof(*viewer));
    if (!viewer) {
        sm_channel_handover_destroy(handover);
        return;
    }
    *viewer = (struct viewer){.device = device, .handover = handover};
    sm_stream_device_hold(device);
    sm_list_init(&viewer->link);
    sm_list_append(&device->viewers, &viewer->link);
    sm_socket_set_latency(handover->transport->fd, LOW_WATER_BYTES);
    device->owes_start_stop = true;
    if (set_up(viewer) != SM_OK)
        destroy_viewer(viewer);
    sm_stream_device_release(device);
}

void sm_stream_viewers_disconnect(void *opaque, uint32_t connection_id)
{
    struct sm_stream_device *device = opaque;
    sm_stream_device_hold(device);
    SM_LIST_FOR (link, &device->viewers)
        if (viewer_of(link)->handover->connection_id == connection_id)
            destroy_viewer(viewer_of(link));
    sm_stream_device_read_on(device);
    sm_stream_device_release(device);
}

void sm_stream_viewers_migrate(void *opaque, uint32_t connection_id)
{
    struct sm_stream_device *device = opaque;
    sm_stream_device_hold(device);
    SM_LIST_FOR (link, &device->viewers) {
        struct viewer *viewer = viewer_of(link);
        if (viewer->handover->connection_id == connection_id &&
            end_stream(viewer, device->stream_id) &&
            sm_channel_migrate(sm_display_server_channel(viewer->machine), 0) == SM_OK)
            sm_pump_kick(viewer->pump);
    }
    sm_stream_device_release(device);
}
