/* SPDX-License-Identifier: MIT */
/*
 * A GLZ dictionary of a client's display channel, used by the worker's thread and those of the
 * pool. Images have to be sent in the order in which they were encoded. Source: docs/codec.md, "GLZ
 * dictionary".
 */
#ifndef SM_SERVER_DISPLAY_GLZ_SHARE_H
#define SM_SERVER_DISPLAY_GLZ_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/status.h"

struct sm_encode_lane;
struct sm_glz_dictionary;

/** Thread: any; the dictionary locks itself. */
struct sm_glz_share;

/**
 * Makes a dictionary of `window_px`, held once by the caller.
 *
 * @param first_id  number of the first image: 0, or where the numbering stood at another server
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_glz_share_create(struct sm_glz_share **out, uint32_t window_px,
                                                uint64_t first_id);

struct sm_glz_share *sm_glz_share_ref(struct sm_glz_share *share);

/** The last one frees it. NULL does nothing. */
void sm_glz_share_unref(struct sm_glz_share *share);

/** Borrowed while held. */
struct sm_glz_dictionary *sm_glz_share_dictionary(struct sm_glz_share *share);

/**
 * The lane in which images are encoded with it by other threads: one after the other, so those of a
 * channel stay in order. Borrowed while held.
 */
struct sm_encode_lane *sm_glz_share_lane(struct sm_glz_share *share);
/** The number of the next image. */
uint64_t sm_glz_share_next_id(struct sm_glz_share *share);

/**
 * A channel that used it is gone, perhaps with images that later ones refer to: nothing more may be
 * encoded with it.
 */
void sm_glz_share_break(struct sm_glz_share *share);
bool sm_glz_share_is_broken(const struct sm_glz_share *share);

/** Images of as many pixels or more do not fit. */
uint32_t sm_glz_share_window_px(const struct sm_glz_share *share);

#endif
