/* SPDX-License-Identifier: MIT */
/*
 * What one display client has still to be sent, in order, nothing of it decided or encoded yet. A
 * client that falls behind is not sent what happened but what is: drawings in the queue collapse
 * into a backlog of areas (server/display/backlog.h). Source: docs/display.md, "Flow".
 */
#ifndef SM_SERVER_DISPLAY_PEER_QUEUE_H
#define SM_SERVER_DISPLAY_PEER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/wire/display.h"
#include "server/display/backlog.h"
#include "server/display/drawable.h"
#include "sumac/status.h"

struct sm_encode_lane;
struct sm_encoder;

/**
 * Something that is made when its turn comes, not when it is queued, such as a frame of a stream.
 * Called in this order; begin() is left out if the item never has its turn.
 */
struct sm_late_ops {
    /** Its turn has come, the line being free: decides. False drops it. Worker's thread. */
    bool (*begin)(void *late);
    /**
     * Encodes with what it is lent. Any thread, while the stream may go and begin() of the next one
     * is called: what it reads belongs to the item, or is held and locked. NULL: nothing to encode.
     */
    void (*encode)(void *late, struct sm_encoder *encoder);
    /** The lane it is encoded in, held by the item: one at a time, in order. NULL: any order. */
    struct sm_encode_lane *(*lane)(void *late);
    /** What is to be sent, borrowed until destroy(); NULL for nothing. Worker's thread. */
    const struct sm_display_msg *(*message)(void *late);
    /** The end, with `was_sent` if the connection has taken the message. Worker's thread. */
    void (*destroy)(void *late, bool was_sent);
};

enum sm_peer_item_kind {
    SM_PEER_MESSAGE,
    SM_PEER_DRAWING,
    SM_PEER_LATE,
};

struct sm_peer_item {
    struct sm_list link;
    enum sm_peer_item_kind kind;
    uint64_t queued_us;
    struct sm_drawable *drawable;  /* DRAWING: held */
    struct sm_region visible;      /* DRAWING: what later items leave to be seen of it */
    const struct sm_late_ops *ops; /* LATE */
    void *late;                    /* LATE: owned, see ops */
    struct sm_display_msg msg;     /* MESSAGE: points to nothing but `heads` */
    struct sm_head *heads;         /* owned: those of MONITORS_CONFIG */
    int fd;                        /* owned: follows the message; −1 for none */
};

/** Thread: the worker's. Everything but the fields of `sm_peer_item` is private. */
struct sm_peer_queue {
    struct sm_list items;
    uint32_t count;
    size_t bytes;      /* held by its drawings */
    uint64_t drawn_us; /* when the guest's last drawing came, sent or missed */
    struct sm_backlog backlog;
    bool is_catching_up; /* drawings are queued although there is a backlog: pieces of it */
};

void sm_peer_queue_init(struct sm_peer_queue *queue);

/** Drops everything that waits; the queue can be used on. */
void sm_peer_queue_clear(struct sm_peer_queue *queue);

void sm_peer_queue_finish(struct sm_peer_queue *queue);

/**
 * Queues a drawing and holds it; or, if there is a backlog, remembers where it drew. Drawings that
 * wait and that nobody can see any more are dropped; afterwards the queue may have collapsed.
 * SM_OK; SM_ERR_LIMIT: far too much waits; SM_ERR_NOMEM.
 */
SM_NODISCARD enum sm_status sm_peer_queue_add_drawing(struct sm_peer_queue *queue,
                                                      struct sm_drawable *drawable,
                                                      uint64_t now_us);

/** Every drawing in it becomes an area, to be sent as pixels. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_peer_queue_collapse(struct sm_peer_queue *queue);

/** Remembers where a drawing drew, to be sent as pixels behind what waits. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_peer_queue_miss(struct sm_peer_queue *queue,
                                               const struct sm_drawing *drawing, uint64_t now_us);

/**
 * Queues a message that points to nothing, or MONITORS_CONFIG, whose heads are copied. Status as
 * above.
 *
 * @param fd  −1, or a descriptor to go with the message; taken in any case. It takes the place of
 *            an earlier one that no GL_DRAW refers to.
 */
SM_NODISCARD enum sm_status sm_peer_queue_add_message(struct sm_peer_queue *queue,
                                                      const struct sm_display_msg *msg, int fd,
                                                      uint64_t now_us);

/** Queues a late item; `late` is taken in any case. It stays when the queue collapses. */
SM_NODISCARD enum sm_status sm_peer_queue_add_late(struct sm_peer_queue *queue,
                                                   const struct sm_late_ops *ops, void *late,
                                                   uint64_t now_us);

/** Remembers an area as missed. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_peer_queue_add_missed(struct sm_peer_queue *queue,
                                                     uint32_t surface_id, struct sm_rect area);
void sm_peer_queue_forget(struct sm_peer_queue *queue, uint32_t surface_id);

/** Nothing waits, and nothing was missed. */
bool sm_peer_queue_is_empty(const struct sm_peer_queue *queue);

/** The one whose turn it is, still in the queue; NULL if there is none. */
struct sm_peer_item *sm_peer_queue_first(struct sm_peer_queue *queue);

/** Takes it out; the caller owns it and releases it with sm_peer_item_destroy(). */
void sm_peer_queue_remove(struct sm_peer_queue *queue, struct sm_peer_item *item);

void sm_peer_item_destroy(struct sm_peer_item *item);

/** Takes a piece of the backlog, as sm_backlog_take(); its pixels are queued between the two calls
 * below. */
bool sm_peer_queue_take_missed(struct sm_peer_queue *queue, uint32_t max_pixels,
                               uint32_t *surface_id, struct sm_rect *area);
void sm_peer_queue_end_missed(struct sm_peer_queue *queue);

/** As if a piece of the backlog had been taken: for other pixels that are there now. */
void sm_peer_queue_begin_piece(struct sm_peer_queue *queue);

#endif
