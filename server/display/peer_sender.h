/* SPDX-License-Identifier: MIT */
/*
 * What leaves when, for one display client: takes items from its queue while the line has room,
 * decides about each, has it encoded, and gives it to the connection, in order. Descriptors are
 * passed behind their message. With the queue empty it asks for what the client has missed.
 *
 * Deciding is called planning: it happens on the worker's thread, in the order of sending, and what
 * was planned is sent or the connection ends. Source: docs/display.md, "How an item leaves".
 */
#ifndef SM_SERVER_DISPLAY_PEER_SENDER_H
#define SM_SERVER_DISPLAY_PEER_SENDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/wire/display.h"
#include "io/loop.h"
#include "server/display/image_task.h"
#include "server/display/peer_flow.h"
#include "server/display/peer_queue.h"
#include "sumac/status.h"

struct sm_display_server;
struct sm_encode_inbox;
struct sm_encoder;
struct sm_figures;
struct sm_image_costs;
struct sm_pump;

/** What the owner is asked and told. It may queue things, but not destroy the sender. */
struct sm_peer_sender_callbacks {
    /**
     * A drawing is about to be planned. False: the client must not carry it out; it and all
     * drawings behind it become areas to be sent as pixels.
     */
    bool (*admits)(void *opaque, const struct sm_drawable *drawable);
    /** A drawing is about to be planned: what its images may be. It may be sent in bands. */
    void (*describe)(void *opaque, const struct sm_drawable *drawable,
                     struct sm_image_receiver *receiver);
    /**
     * It, or a band of it, was planned: codecs are decided, `task->msg` has its final form but for
     * the encoded images, and its box is what it draws to. In sending order.
     */
    void (*planned)(void *opaque, const struct sm_drawable *drawable,
                    const struct sm_image_task *task);
    /** A message from the queue, likewise. */
    void (*planned_message)(void *opaque, const struct sm_display_msg *msg);
    /** Queue the pixels that this area of the surface has now. */
    void (*queue_pixels)(void *opaque, uint32_t surface_id, struct sm_rect area);
    /** The line is free, and nothing waits, or a fourth of the line is for this: queue something
     * that can wait; false for nothing. */
    bool (*fill_in)(void *opaque);
    /** Nothing waits and nothing is under way. True if it has sent something itself. Optional. */
    bool (*idle)(void *opaque);
    /** A message that cannot be sent was dropped. */
    void (*dropped)(void *opaque, uint16_t type, enum sm_status status);
    /** The connection cannot go on. The owner calls sm_peer_sender_stop(). */
    void (*failed)(void *opaque, const char *reason);
};

struct sm_peer_sender_config {
    struct sm_loop loop;
    struct sm_display_server *server; /* borrowed */
    struct sm_peer_queue *queue;      /* borrowed */
    struct sm_encoder *encoder;       /* borrowed: the worker's own, for what is small */
    struct sm_encode_inbox *inbox;    /* borrowed: for the rest; NULL: none, all on this thread */
    struct sm_image_costs *costs;     /* borrowed: the worker's, which learn */
    const _Atomic uint64_t *input_us; /* borrowed: when the user last pressed something; or NULL */
    struct sm_figures *figures;       /* borrowed; NULL: nobody counts */
    bool is_slow;                     /* what is thought of the line as long as it is not known */
    const struct sm_peer_sender_callbacks *callbacks;
    void *opaque;
};

/** Thread: the worker's. */
struct sm_peer_sender;

/** SM_OK; SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_peer_sender_create(struct sm_peer_sender **out,
                                                  const struct sm_peer_sender_config *config);

/** NULL does nothing. */
void sm_peer_sender_destroy(struct sm_peer_sender *sender);

/** The pump of the connection, borrowed; to be told before anything is sent. */
void sm_peer_sender_set_pump(struct sm_peer_sender *sender, struct sm_pump *pump);

/** Nothing more is sent; what is under way is let go. */
void sm_peer_sender_stop(struct sm_peer_sender *sender);

/** Sends what can be sent now. True if the pump has something to write: kick it. */
bool sm_peer_sender_push(struct sm_peer_sender *sender);

/** Its brake, for who wants to know the line. */
struct sm_peer_flow *sm_peer_sender_flow(struct sm_peer_sender *sender);

#endif
