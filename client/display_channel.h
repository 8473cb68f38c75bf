/* SPDX-License-Identifier: MIT */
/*
 * A display channel. display_channel.c: its life; display_turns.c: one message after the other;
 * display_messages.c: what each does; display_view.c: looking at it from other threads.
 */
#ifndef SM_CLIENT_DISPLAY_CHANNEL_H
#define SM_CLIENT_DISPLAY_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/channel_thread.h"
#include "client/damage.h"
#include "client/display_ahead.h"
#include "client/gl_view.h"
#include "client/streams.h"
#include "core/channel/canvas/canvas.h"
#include "core/channel/display/client.h"
#include "sumac/display.h"

struct sm_client_display {
    struct sm_display_client *client;     /* owned; of the channel's thread */
    struct sm_timer *wait_timer;          /* owned; likewise: gives up waiting */
    struct sm_display_client_event event; /* the one at work; borrowed from `client` */
    bool is_drawing;                      /* `event` waits for an image of another channel */
    bool is_held;                         /* `event` waits for other channels to get further */
    bool is_decoding;                     /* `event` waits for its image */
    struct sm_ahead ahead;                /* images decoded before their turn */

    const struct sm_video_module *module; /* that decodes streams, or NULL; main's thread's … */
    void *card;                           /* owned: of `module`, may be NULL; likewise, … */
    atomic_bool is_module_loaded;         /* … until this is true */

    pthread_mutex_t lock;     /* over what follows; taken for each message */
    struct sm_canvas *canvas; /* owned; NULL if there was no memory for one */
    struct sm_canvas *last;   /* owned: of the lost connection, shown until the new one is marked */
    struct sm_streams streams;
    struct sm_gl_view gl; /* shown instead of the primary, while there is one */
    bool is_marked;
    struct sm_head heads[SM_MONITORS_MAX];
    size_t head_count; /* 0: one monitor that is the surface */
    uint64_t drawings, failed_drawings;
    const char *codec, *stream_codec; /* of the last image or frame, of the last stream. Static */
    bool is_on_card;                  /* `codec` is a video's that the graphics card decodes */
    uint64_t changed_us;              /* last change of pixels, size or readiness */
    struct sm_damage damage;          /* of the channel's thread: not told yet */
    uint8_t *converted; /* owned: a surface of 16 bits, as 32; only while locked by a reader */
    struct sm_display_fill fills[SM_CANVAS_FILLS_MAX]; /* likewise: not painted for this reader */
};

/** With the lock held: the canvas to be looked at; or NULL. */
struct sm_canvas *sm_client_display_shown(const struct sm_client_display *display);

/* ---- display_messages.c; all with the lock held ---- */

/** Damage of the primary surface. */
void sm_client_display_changed(struct sm_client_channel *channel, struct sm_rect damage);

/** Tells readers of damage; opaque: the channel. */
void sm_client_display_tell(void *opaque, struct sm_rect damage);

/** A drawing was left out: it is counted, and `why` is logged. */
void sm_client_display_left_out(struct sm_client_channel *channel, const char *why);

/**
 * Does what `msg` says. A drawing that makes no sense is left out.
 *
 * @return SM_OK; SM_AGAIN: the drawing waits for an image, call again; or the channel has to end
 */
SM_NODISCARD enum sm_status sm_client_display_take(struct sm_client_channel *channel,
                                                   const struct sm_display_msg *msg);

/* ---- display_turns.c: for the table of display_channel.c ---- */

SM_NODISCARD enum sm_status sm_client_display_activity(struct sm_client_channel *channel);
void sm_client_display_resume(struct sm_client_channel *channel);
void sm_client_display_settle(struct sm_client_channel *channel);
void sm_client_display_closed(struct sm_client_channel *channel);
/** The timer's: what the drawing waits for did not come. */
void sm_client_display_waited(void *opaque);
/** The pool's: the image that the drawing waits for may be decoded. */
void sm_client_display_decoded(void *opaque);

#endif
