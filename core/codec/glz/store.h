/* SPDX-License-Identifier: MIT */
/* What GLZ decoders ask of the window; its users see window.h. */
#ifndef SM_CORE_CODEC_GLZ_STORE_H
#define SM_CORE_CODEC_GLZ_STORE_H

#include "core/codec/glz/glz.h"
#include "core/codec/glz/window.h"

/** A decoded image. Whoever holds a reference may read it without the lock. */
struct sm_glz_image {
    uint64_t id, head;  /* the image, and the oldest one it might have referred to */
    uint32_t *pixels;   /* owned: in stream order, with SM_GLZ_SLACK_BYTES behind them */
    uint32_t count;     /* of pixels */
    uint32_t ref_count; /* changed under the lock */
};

/** A new image with room for its pixels, not in any window yet; NULL without memory. */
struct sm_glz_image *sm_glz_image_create(uint64_t id, uint64_t head, uint32_t count);

/** Frees an image that no window holds. */
void sm_glz_image_destroy(struct sm_glz_image *image);

/** Whether an image like this may come in at all, before its pixels are decoded. */
SM_NODISCARD enum sm_status sm_glz_window_admits(struct sm_glz_window *window,
                                                 const struct sm_glz_header *header,
                                                 const char **reason);

/**
 * The image `id`, referenced; NULL if it is not there, then `*is_gone` says if it never will be.
 * Give it back with sm_glz_window_release().
 */
struct sm_glz_image *sm_glz_window_find(struct sm_glz_window *window, uint64_t id, bool *is_gone);
void sm_glz_window_release(struct sm_glz_window *window, struct sm_glz_image *image);

/**
 * Takes `image` and lets go of those that no later image may refer to.
 *
 * @param epoch  of the window when the image was begun; after a reset it is refused
 * @return SM_OK: the window owns it; else the caller still does
 */
SM_NODISCARD enum sm_status sm_glz_window_insert(struct sm_glz_window *window,
                                                 struct sm_glz_image *image, uint64_t epoch,
                                                 const char **reason);

/** Counts resets. */
uint64_t sm_glz_window_epoch(struct sm_glz_window *window);

#endif
