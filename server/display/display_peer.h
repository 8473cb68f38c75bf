/* SPDX-License-Identifier: MIT */
/*
 * One client of a display channel: its connection, what it says, and what it knows. What it is to
 * be sent waits in a queue (peer_queue.h) and leaves in the order it was queued (peer_sender.h),
 * unless the client falls behind and is sent not what happened but what is.
 */
#ifndef SM_SERVER_DISPLAY_DISPLAY_PEER_H
#define SM_SERVER_DISPLAY_DISPLAY_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/wire/display.h"
#include "io/log.h"
#include "io/loop.h"
#include "server/display/drawable.h"
#include "server/display/surfaces.h"
#include "server/display/worker.h"
#include "sumac/status.h"

struct sm_channel_handover;
struct sm_client_shares;
struct sm_focus;
struct sm_encode_inbox;
struct sm_encoder;
struct sm_image_costs;
struct sm_late_ops;
struct sm_log;

/** Thread: the worker's. */
struct sm_display_peer;

/** What the owner is told; it may queue things, but destroy the client only later. */
struct sm_display_peer_callbacks {
    void (*on_ready)(void *opaque, struct sm_display_peer *client); /* sent its INIT */
    /** It came from another server, and what that knew of it is known here now. */
    void (*on_resumed)(void *opaque, struct sm_display_peer *client);
    void (*on_gl_draw_done)(void *opaque, struct sm_display_peer *client);
    /** The connection is over: destroy the client at the next occasion. */
    void (*on_closed)(void *opaque, struct sm_display_peer *client);
    /**
     * Queue the pixels that this area of the surface has now; nothing if there is no such surface.
     * `must_be_exact`: they may not be sent lossily.
     */
    void (*queue_pixels)(void *opaque, struct sm_display_peer *client, uint32_t surface_id,
                         struct sm_rect area, bool must_be_exact);
    void (*on_stream_report)(void *opaque, struct sm_display_peer *client,
                             const struct sm_msgc_display_stream_report *report);
    /** Wire values of codecs, best first; anything may be among them. */
    void (*on_codecs_preferred)(void *opaque, struct sm_display_peer *client,
                                struct sm_bytes codecs);
};

struct sm_display_peer_config {
    struct sm_loop loop;
    const struct sm_log *log;        /* borrowed, may be NULL */
    struct sm_log_limit *complaints; /* borrowed: of warnings, shared by all clients */
    const struct sm_display_peer_callbacks *callbacks;
    void *opaque;
    const struct sm_focus *focus;           /* borrowed: what is missed there is sent first */
    struct sm_client_shares *shares;        /* borrowed: what it has in common with others */
    enum sm_worker_compression compression; /* until it wishes for something else */
    struct sm_encoder *encoder;             /* borrowed: the worker's, for all its clients */
    struct sm_image_costs *costs;           /* borrowed: likewise */
    struct sm_encode_inbox *inbox;          /* borrowed: likewise; NULL: no other threads */
    const _Atomic uint64_t *input_us;       /* borrowed: see sm_worker_config */
};

/** @param handover  taken in any case; on failure it is destroyed */
SM_NODISCARD enum sm_status sm_display_peer_create(struct sm_display_peer **out,
                                                   const struct sm_display_peer_config *config,
                                                   struct sm_channel_handover *handover);

/* ---- migration; source: docs/migration.md, "Display" ---- */

/** Sends the client over to another server, once all that waits has left. */
void sm_display_peer_migrate(struct sm_display_peer *client);

/**
 * True for one that came from another server, until sm_display_peer_settle(): the machine has not
 * started here, or it is not known yet what the client has. It is not ready, and is told nothing.
 */
bool sm_display_peer_is_arriving(const struct sm_display_peer *client);

/** Of one that is arriving: what it has is known. */
bool sm_display_peer_is_resumed(const struct sm_display_peer *client);

/** Of one that is arriving, while the machine runs: a surface came or went, so that what the client
 * has by that name is another one. */
void sm_display_peer_outdate(struct sm_display_peer *client, uint32_t surface_id);

/** It is like any other from now on: tells it which of its surfaces and caches are of no use. */
void sm_display_peer_settle(struct sm_display_peer *client);

/** Ends the connection and lets everything queued go. NULL does nothing. */
void sm_display_peer_destroy(struct sm_display_peer *client);

/** For the owner's list of clients. */
struct sm_list *sm_display_peer_link(struct sm_display_peer *client);
struct sm_display_peer *sm_display_peer_of(struct sm_list *link);

uint32_t sm_display_peer_connection_id(const struct sm_display_peer *client);
bool sm_display_peer_can(const struct sm_display_peer *client, enum sm_display_cap cap);
/** All it can do, a bit per display capability. */
uint32_t sm_display_peer_caps(const struct sm_display_peer *client);
/** The network test of its session found a slow line. */
bool sm_display_peer_is_slow(const struct sm_display_peer *client);
/** What its line carries, in bytes per second; 0: not known. */
uint64_t sm_display_peer_rate(const struct sm_display_peer *client);
bool sm_display_peer_is_local(const struct sm_display_peer *client);
/** True from INIT on, until it is closed. */
bool sm_display_peer_is_ready(const struct sm_display_peer *client);
bool sm_display_peer_is_closed(const struct sm_display_peer *client);

/** Things waiting to be sent, and the bytes drawings among them hold. */
uint32_t sm_display_peer_queue_count(const struct sm_display_peer *client);
size_t sm_display_peer_queue_bytes(const struct sm_display_peer *client);

/** Surfaces the client will know once its queue is sent. */
bool sm_display_peer_knows(const struct sm_display_peer *client, uint32_t surface_id);
void sm_display_peer_set_knows(struct sm_display_peer *client, uint32_t surface_id, bool knows);

/** Whether it is to get the drawing in the making as pixels, because it cannot carry it out. */
bool sm_display_peer_wants_pixels(const struct sm_display_peer *client);
void sm_display_peer_set_wants_pixels(struct sm_display_peer *client, bool wants);

/** Whether its primary is the picture of the GL buffer, not the guest's primary. */
bool sm_display_peer_shows_gl_picture(const struct sm_display_peer *client);
void sm_display_peer_set_shows_gl_picture(struct sm_display_peer *client, bool shows);

/** Whether it was asked to draw a GL area and has not said that it did. */
bool sm_display_peer_owes_gl_draw(const struct sm_display_peer *client);
void sm_display_peer_set_owes_gl_draw(struct sm_display_peer *client, bool owes);

/** The guest's ids stand for other images from now on. */
void sm_display_peer_renew_images(struct sm_display_peer *client);

void sm_display_peer_set_compression(struct sm_display_peer *client,
                                     enum sm_worker_compression compression);

/**
 * Queues a drawing and holds it until it is sent; or, for a client that is behind, remembers where
 * it drew.
 */
void sm_display_peer_queue_drawable(struct sm_display_peer *client, struct sm_drawable *drawable);

/** Remembers an area as missed: its pixels are sent when nothing else waits. */
void sm_display_peer_queue_missed(struct sm_display_peer *client, uint32_t surface_id,
                                  struct sm_rect area);

/** Queues a message that points to nothing, or MONITORS_CONFIG, whose heads are copied. */
void sm_display_peer_queue_msg(struct sm_display_peer *client, const struct sm_display_msg *msg);

/** Queues GL_SCANOUT_UNIX and a descriptor to go with it; `fd` is taken. */
void sm_display_peer_queue_scanout(struct sm_display_peer *client, const struct sm_display_msg *msg,
                                   int fd);

/** Queues something that is made when its turn comes (peer_queue.h); `late` is taken. */
void sm_display_peer_queue_late(struct sm_display_peer *client, const struct sm_late_ops *ops,
                                void *late);

/**
 * An area was sent lossily by other means than a drawing, such as a frame of a stream: once it has
 * not changed for a while its pixels are sent exactly.
 */
void sm_display_peer_note_lossy(struct sm_display_peer *client, uint32_t surface_id,
                                struct sm_rect area);

/** Sends what can be sent now. */
void sm_display_peer_push(struct sm_display_peer *client);

/** Ends the connection for a reason that is logged; on_closed comes at once. */
void sm_display_peer_close(struct sm_display_peer *client, const char *reason);

#endif
