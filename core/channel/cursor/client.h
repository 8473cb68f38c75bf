/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a cursor channel: keeps the cache of shapes and knows how the pointer looks
 * and where it is. Source: docs/channel.md, "Cursor".
 */
#ifndef SM_CORE_CHANNEL_CURSOR_CLIENT_H
#define SM_CORE_CHANNEL_CURSOR_CLIENT_H

#include "core/channel/channel.h"
#include "core/channel/cursor/shape.h"
#include "core/wire/cursor.h"

/** Thread: one at a time. */
struct sm_cursor_client;

struct sm_cursor_client_config {
    struct sm_channel_setup setup;
};

/** How the pointer is now. */
struct sm_cursor_view {
    bool is_known;   /* INIT has come */
    bool is_visible; /* and there is a shape */
    int32_t x, y;    /* of the hot spot, in surface coordinates; for mouse mode SERVER */
    const struct sm_cursor_shape *shape; /* NULL for none; borrowed until the next _next() */
};

/** Borrowed until the next sm_cursor_client_next(). */
struct sm_cursor_client_event {
    uint64_t serial;
    const struct sm_cursor_msg *msg;
    bool has_moved, has_new_shape, has_new_visibility; /* what changed in the view */
    /** A shape we could not decode, or that was not in the cache: the pointer is hidden. */
    bool is_bad_shape;
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_cursor_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_cursor_client_create(struct sm_cursor_client **out,
                                                    const struct sm_cursor_client_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_cursor_client_destroy(struct sm_cursor_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_cursor_client_machine(struct sm_cursor_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_cursor_client_channel(struct sm_cursor_client *client);

/**
 * Pulls the next message, already applied to the view.
 *
 * @return SM_OK; SM_AGAIN if there is none (or after WAIT_FOR_CHANNELS, until
 * sm_channel_release()); else the channel has failed
 */
SM_NODISCARD enum sm_status sm_cursor_client_next(struct sm_cursor_client *client,
                                                  struct sm_cursor_client_event *event);

struct sm_cursor_view sm_cursor_client_view(const struct sm_cursor_client *client);

#endif
