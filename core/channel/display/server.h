/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a display channel: SET_ACK, then nothing until the client's INIT, then what
 * the owner sends. Source: docs/channel.md, "Display".
 */
#ifndef SM_CORE_CHANNEL_DISPLAY_SERVER_H
#define SM_CORE_CHANNEL_DISPLAY_SERVER_H

#include "core/channel/channel.h"
#include "core/channel/id_cache.h"
#include "core/wire/display.h"

enum {
    SM_DISPLAY_MAX_STREAMS = 50,     /* stream ids are below */
    SM_DISPLAY_MAX_PALETTES = 128,   /* the client has room for one more */
    SM_DISPLAY_MAX_GLZ_PX = 1 << 25, /* of a dictionary */
};

/** Thread: one at a time. */
struct sm_display_server;

struct sm_display_server_config {
    struct sm_channel_setup setup;
    uint32_t ack_window;      /* 20, or 40 on a slow line; 0 for none */
    uint64_t init_timeout_us; /* for the client's INIT; 0 for 30 s */
    /* The line is measured unless it is local; what is known of it before, 0 for nothing. */
    uint64_t line_rtt_us, line_bytes_per_second;
};

enum sm_display_server_event_kind {
    SM_DISPLAY_SERVER_INIT = 1, /* the client is ready: `init` is checked */
    SM_DISPLAY_SERVER_MESSAGE,  /* STREAM_REPORT, PREFERRED_…, GL_DRAW_DONE, DISCONNECTING */
};

/** What the client offers; hostile sizes are clamped. */
struct sm_display_server_init {
    uint8_t pixmap_cache_id, glz_dictionary_id;
    uint64_t pixmap_cache_px;   /* 0: cache nothing */
    uint32_t glz_dictionary_px; /* 0: no dictionary */
};

/** Borrowed until the next sm_display_server_next(). */
struct sm_display_server_event {
    enum sm_display_server_event_kind kind;
    struct sm_display_server_init init;
    const struct sm_display_msgc *msg;
};

/**
 * Creates the channel; SET_ACK is pending at once.
 *
 * @param out  receives the machine, untouched on failure; release with sm_display_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_display_server_create(struct sm_display_server **out,
                                                     const struct sm_display_server_config *config,
                                                     uint64_t now_us);

/** NULL does nothing. */
void sm_display_server_destroy(struct sm_display_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_display_server_machine(struct sm_display_server *server);

/** The channel below: acknowledgements, round trip, serials, pending bytes. Borrowed. */
struct sm_channel *sm_display_server_channel(struct sm_display_server *server);

/** Pulls the next event. SM_OK; SM_AGAIN if there is none; else the channel has failed. */
SM_NODISCARD enum sm_status sm_display_server_next(struct sm_display_server *server,
                                                   struct sm_display_server_event *event);

/**
 * Of a client that comes from another server (setup.is_migrated), in answer to its MIGRATE_DATA,
 * which is pulled as a MESSAGE: there is no INIT, and messages are numbered on from `serial`.
 * SM_OK; SM_ERR_STATE if it was ready.
 */
SM_NODISCARD enum sm_status sm_display_server_resume(struct sm_display_server *server,
                                                     uint64_t serial);

/** True from the client's INIT on: drawing may be sent. */
bool sm_display_server_is_ready(const struct sm_display_server *server);

/**
 * Sends a message.
 *
 * @return SM_OK; SM_AGAIN if too much waits to be written; SM_ERR_STATE before INIT or for a
 * message that cannot be built; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_display_server_send(struct sm_display_server *server,
                                                   const struct sm_display_msg *msg);

/**
 * The client's palette cache as it is after all that was sent: for each palette with a cache key
 * call sm_id_cache_use(); if it was there send PAL_FROM_CACHE, else sm_id_cache_add(),
 * PAL_CACHE_ME, and INVAL_PALETTE for what was evicted, behind the message. Emptied here when
 * INVAL_ALL_PALETTES or RESET is sent.
 */
struct sm_id_cache *sm_display_server_palettes(struct sm_display_server *server);

#endif
