/* SPDX-License-Identifier: MIT */
/*
 * What one server hands to the next about a display client: caches, dictionary, surfaces. It passes
 * through the client, so the next one takes it as hostile. Source: docs/migration.md, "Display".
 */
#ifndef SM_SERVER_DISPLAY_PEER_MIGRATION_H
#define SM_SERVER_DISPLAY_PEER_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/geometry.h"
#include "core/base/writer.h"
#include "server/display/surfaces.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum { SM_PEER_MAX_SHARERS = 4 }; /* displays whose use of the cache is told */

/** A surface the client has. */
struct sm_peer_surface {
    uint32_t id;
    struct sm_rect lossy; /* where it does not look as it should; may be empty */
};

/** Thread: one at a time. */
struct sm_peer_state {
    uint64_t serial; /* of the last message sent */
    bool is_low_bandwidth;
    uint8_t cache_id, glz_id;
    uint64_t cache_px;
    bool empties_cache;                          /* the target, on this channel */
    uint64_t cache_serials[SM_PEER_MAX_SHARERS]; /* by display: its last message about the cache */
    uint32_t glz_window_px;                      /* 0: no dictionary */
    uint64_t glz_next_id;                        /* of an image */
    uint32_t surface_count;
    const struct sm_peer_surface *surfaces; /* in the arena of who parsed */
};

/**
 * Appends what a target wants to know.
 *
 * @param has_lossy  the layout has room for lossy areas, as a reference target expects that itself
 *                   sends lossy images
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_peer_state_build(struct sm_writer *w,
                                                const struct sm_peer_state *state, bool has_lossy);

/**
 * Takes what a source said; both layouts are understood.
 *
 * @param arena  holds the surfaces
 * @return SM_OK; SM_ERR_PROTOCOL for nonsense, surfaces named twice included; SM_ERR_LIMIT;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_peer_state_parse(struct sm_peer_state *out, struct sm_bytes data,
                                                struct sm_arena *arena);

#endif
