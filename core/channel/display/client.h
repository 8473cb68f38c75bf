/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a display channel: INIT first, then drawing in order. What it draws is for
 * the canvas (core/channel/canvas). Source: docs/channel.md, "Display".
 */
#ifndef SM_CORE_CHANNEL_DISPLAY_CLIENT_H
#define SM_CORE_CHANNEL_DISPLAY_CLIENT_H

#include "core/channel/channel.h"
#include "core/wire/display.h"

/** Thread: one at a time. */
struct sm_display_client;

struct sm_display_client_config {
    struct sm_channel_setup setup;
    uint8_t pixmap_cache_id;   /* shared by all displays of a session */
    int64_t pixmap_cache_px;   /* what the server may keep with us, in pixels; 0 for nothing */
    uint8_t glz_dictionary_id; /* likewise */
    int32_t glz_dictionary_px; /* at most 1 << 25 */
    bool is_migration_target;  /* no INIT: the state travels with the migration */
    bool takes_descriptors;    /* a descriptor travels behind GL_SCANOUT_UNIX, with a byte */
};

/** Borrowed until the next sm_display_client_next(). */
struct sm_display_client_event {
    uint64_t serial; /* of the message, or of the one it travelled in */
    uint64_t turn;   /* its, too: how many messages came before it */
    bool is_sub;     /* it travelled in another message */
    /**
     * Set for WAIT_FOR_CHANNELS and INVAL_ALL_PIXMAPS with waits: nothing further comes until
     * sm_channel_release() of sm_display_client_channel(), when the named channels have got that
     * far (sm_channel_handled_serial()).
     */
    bool is_wait;
    const struct sm_display_msg *msg;
};

/**
 * Creates the channel; INIT, and the preferences of sm_display_client_send(), go out first.
 *
 * @param out  receives the machine, untouched on failure; release with sm_display_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_display_client_create(struct sm_display_client **out,
                                                     const struct sm_display_client_config *config,
                                                     uint64_t now_us);

/** NULL does nothing. */
void sm_display_client_destroy(struct sm_display_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_display_client_machine(struct sm_display_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_display_client_channel(struct sm_display_client *client);

/**
 * Pulls the next message; asking for it says that the former one has been dealt with.
 *
 * @return SM_OK; SM_AGAIN if there is none, or a wait is not over; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_display_client_next(struct sm_display_client *client,
                                                   struct sm_display_client_event *event);

/** A drawing whose image may be worth decoding before its turn. */
struct sm_display_client_ahead {
    uint64_t turn;                    /* as in its event, when it is pulled */
    const struct sm_display_msg *msg; /* borrowed until the next look; but what lies in the
                                       * message's body, such as the data of an image, until the
                                       * message behind it has been asked for */
    size_t size;                      /* bytes of the body */
    bool is_alone; /* nothing is ahead of it, and next to nothing is known to follow */
};

/**
 * Shows the first message that was neither pulled nor passed, if it is a DRAW_COPY of some size.
 * Others are passed here, but for those that the messages behind them hang on: surfaces coming and
 * going, waits, moves. Nothing happens by looking.
 *
 * @return false if there is none to look at now
 */
bool sm_display_client_look_ahead(struct sm_display_client *client,
                                  struct sm_display_client_ahead *out);

/** Goes past it; `is_on_loan` as in sm_channel_pass(). */
void sm_display_client_pass(struct sm_display_client *client, bool is_on_loan);

/**
 * Sends a message. PREFERRED_COMPRESSION and PREFERRED_VIDEO_CODEC_TYPE are dropped without a word
 * if the server does not know them.
 *
 * @return as sm_channel_send(), or SM_ERR_STATE for a message that cannot be built or a second INIT
 */
SM_NODISCARD enum sm_status sm_display_client_send(struct sm_display_client *client,
                                                   const struct sm_display_msgc *msg);

#endif
