/* SPDX-License-Identifier: MIT */
/*
 * The insides of a display's client. display_peer.c: its connection and what it says;
 * display_peer_sending.c: what its sender asks and tells; display_peer_migrate.c: from one server
 * to the next. All on the worker's thread.
 */
#ifndef SM_SERVER_DISPLAY_DISPLAY_PEER_PRIVATE_H
#define SM_SERVER_DISPLAY_DISPLAY_PEER_PRIVATE_H

#include "core/channel/display/server.h"
#include "server/display/display_peer.h"
#include "server/display/glz_share.h"
#include "server/display/lossy.h"
#include "server/display/peer_migration.h"
#include "server/display/peer_palettes.h"
#include "server/display/peer_queue.h"
#include "server/display/peer_sender.h"
#include "server/display/pixmap_cache.h"
#include "server/session/handover.h"

struct sm_pump;

struct sm_display_peer {
    struct sm_list link;
    struct sm_display_peer_config config;
    struct sm_channel_handover *handover; /* owned */
    struct sm_display_server *server;     /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_peer_sender *sender;        /* owned */
    struct sm_peer_queue queue;
    struct sm_lossy lossy;
    struct sm_timer *still_timer; /* owned: runs while `is_watching` */
    bool is_watching;             /* over what is lossy */
    bool is_closed, is_in_activity, has_preference, owes_gl_draw, wants_pixels;
    bool shows_gl_picture; /* its primary is that of screen_gl.c */
    enum sm_worker_compression compression;
    struct sm_display_server_init init; /* what it said it can keep, here or to another server */
    uint64_t glz_first_id;              /* of the first image in its dictionary */
    uint32_t glz_window_px;         /* the client's, until a dictionary was made; 0: none to make */
    struct sm_glz_share *glz;       /* joined; NULL: no GLZ */
    struct sm_pixmap_cache *images; /* joined; NULL: it keeps none */
    struct sm_peer_palettes palettes;
    uint8_t known[SM_SURFACES_MAX / 8]; /* bit per surface id */

    /* migration: to another server, or from one until it has settled here */
    bool is_leaving, is_arriving, empties_cache;
    uint64_t cache_serials[SM_PEER_MAX_SHARERS];
    uint8_t outdated[SM_SURFACES_MAX / 8]; /* surfaces that changed while it was arriving */
};

/** Whether a line of that level may be logged now. */
bool sm_display_peer_may_say(const struct sm_display_peer *client, enum sm_log_level level);

/** Joins the images that the session's displays keep, if the client keeps any. */
void sm_display_peer_join_images(struct sm_display_peer *client);

/** Joins the session's dictionary once GLZ is wanted. */
void sm_display_peer_prepare_glz(struct sm_display_peer *client);

/* ---- display_peer_sending.c ---- */

extern const struct sm_peer_sender_callbacks sm_display_peer_sender_callbacks;

/**
 * Something may have become lossy: makes sure that it is looked at again when it is still.
 *
 * @param status  of noting it; a failure ends the connection
 */
void sm_display_peer_watch_lossy(struct sm_display_peer *client, enum sm_status status);

/** A timer's: looks for what is still. */
void sm_display_peer_on_still(void *opaque);

/* ---- display_peer_migrate.c ---- */

/** Takes MIGRATE_FLUSH_MARK or MIGRATE_DATA. */
void sm_display_peer_take_migration(struct sm_display_peer *client,
                                    const struct sm_display_msgc *msg);

/** Sends MIGRATE, once; false if there is nothing to send. */
bool sm_display_peer_send_migrate(struct sm_display_peer *client);

#endif
