/* SPDX-License-Identifier: MIT */
/* What the two halves of a stream device know of each other: the guest's port, and clients. */
#ifndef SM_SERVER_DEVICE_STREAM_DEVICE_PRIVATE_H
#define SM_SERVER_DEVICE_STREAM_DEVICE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/wire/display.h"
#include "server/device/stream_device.h"
#include "server/device/stream_port.h"
#include "server/session/internal.h"

struct sm_channel_handover;
struct sm_pointer;
struct sm_timer;

/*
 * The host may take the device away inside of any of its functions, as with other streams:
 * spicevmc.c. Each way in holds a reference; `port` is NULL once it is destroyed.
 */
struct sm_stream_device {
    struct sm_server *server; /* borrowed */
    struct sm_list link;      /* of the server's */
    unsigned references;
    struct sm_char_device *port; /* owned */
    struct sm_stream_port parser;
    struct sm_pointer *pointer;    /* owned */
    struct sm_timer *slow_timer;   /* owned: runs while a client holds up the guest */
    struct sm_timer *closed_timer; /* owned: the host is to hear of an error, but not now */
    struct sm_channel_offer display_offer, cursor_offer;
    bool is_offered, is_open, is_running, is_broken;
    bool is_held;         /* reading stopped for a client */
    bool owes_start_stop; /* the guest does not know yet who is there */
    struct sm_list viewers;
    uint32_t width, height, stream_id; /* of the stream; width 0: there is none */
    uint8_t codec;
    bool has_info;
    uint32_t info_stream_id, info_display_id;
    char info_address[SM_STREAM_PORT_MAX_ADDRESS + 1];
};

/* ---- stream_device.c ---- */

/** Whoever may call the host holds the device meanwhile. */
void sm_stream_device_hold(struct sm_stream_device *device);
/** The last way out tells the guest, since its host may do anything then. */
void sm_stream_device_release(struct sm_stream_device *device);
/** Clients may have room again, or be gone. */
void sm_stream_device_read_on(struct sm_stream_device *device);

/* ---- stream_viewers.c: the device is held in all of them ---- */

/** All clients can decode `codec`, a `video_codec` of the wire up to H.265; false without one. */
bool sm_stream_viewers_can_decode(const struct sm_stream_device *device, uint8_t codec);
/** Tells clients of the device's stream, in place of the one with `old_id`. */
void sm_stream_viewers_begin(struct sm_stream_device *device, uint32_t old_id);
void sm_stream_viewers_end(struct sm_stream_device *device, uint32_t id);
/** Sends a frame to all who have the stream. */
void sm_stream_viewers_send(struct sm_stream_device *device, const struct sm_display_msg *frame);
/** The guest may send its next frame. */
bool sm_stream_viewers_have_room(const struct sm_stream_device *device);
void sm_stream_viewers_drop_slow(struct sm_stream_device *device);
void sm_stream_viewers_drop_all(struct sm_stream_device *device);

/** As in struct sm_channel_offer; `device` is the struct sm_stream_device. */
void sm_stream_viewers_connect(void *device, struct sm_channel_handover *handover);
void sm_stream_viewers_disconnect(void *device, uint32_t connection_id);
void sm_stream_viewers_migrate(void *device, uint32_t connection_id);

#endif
