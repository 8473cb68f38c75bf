/* SPDX-License-Identifier: MIT */
/*
 * The receiver's half of GLZ: decoded images that later ones refer to, shared by the decoders of
 * all display channels of a session. Source: docs/codec.md, "GLZ window".
 *
 * Core has no threads. The window calls the hooks around each short access to its map, so that
 * decoders may run in several threads; pixels are copied outside of them.
 */
#ifndef SM_CORE_CODEC_GLZ_WINDOW_H
#define SM_CORE_CODEC_GLZ_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

/** Thread: any, if the hooks lock; else one at a time. */
struct sm_glz_window;

/** All or none may be NULL; `changed` may be NULL alone. */
struct sm_glz_window_hooks {
    void (*lock)(void *context);
    void (*unlock)(void *context);
    void (*changed)(void *context); /* called while locked, when an image or a reset arrives */
    void *context;
};

/**
 * Creates an empty window.
 *
 * @param max_pixels  what was announced to the peer: images a single message may refer to never
 *                    exceed it, and each has fewer; 1 to 2^25
 * @param hooks       copied; NULL for a single thread
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_glz_window_create(struct sm_glz_window **out, uint32_t max_pixels,
                                                 const struct sm_glz_window_hooks *hooks);

/** Destroys `window`; no decoder may use it any more. NULL does nothing. */
void sm_glz_window_destroy(struct sm_glz_window *window);

/**
 * Empties the window, as after a migration: the numbering starts anew at whatever id comes first.
 * Decoders that wait then fail.
 */
void sm_glz_window_reset(struct sm_glz_window *window);

/**
 * True if waiting for `id` has come to an end: the image is there, or it can never come. Call it
 * with the hooks' lock held, so that a wait on a condition misses nothing.
 */
bool sm_glz_window_is_settled(const struct sm_glz_window *window, uint64_t id);

/** Bytes of pixels held now. Call it with the hooks' lock held. */
uint64_t sm_glz_window_used_bytes(const struct sm_glz_window *window);

#endif
