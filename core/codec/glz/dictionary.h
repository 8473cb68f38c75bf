/* SPDX-License-Identifier: MIT */
/*
 * The sender's half of GLZ: the images of one client session that new ones may refer to, shared by
 * the encoders of its display channels. Source: docs/codec.md, "GLZ dictionary".
 */
#ifndef SM_CORE_CODEC_GLZ_DICTIONARY_H
#define SM_CORE_CODEC_GLZ_DICTIONARY_H

#include <stdint.h>

#include "sumac/status.h"

/** Thread: any, if the hooks lock; else one at a time. An encoder holds the lock while it encodes.
 */
struct sm_glz_dictionary;

struct sm_glz_dictionary_hooks {
    void (*lock)(void *context);
    void (*unlock)(void *context);
    void *context;
};

/**
 * Creates an empty dictionary. It keeps its own copy of the pixels: 4 bytes for each of
 * `max_pixels`, allocated as they come, a byte more with alpha, and tables of less than half a MiB.
 *
 * @param max_pixels  the window that the client announced; 1 to 2^25
 * @param first_id    number of the first image: 0, or where the numbering stood before a migration
 * @param hooks       copied; NULL for a single thread
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_glz_dictionary_create(struct sm_glz_dictionary **out,
                                                     uint32_t max_pixels, uint64_t first_id,
                                                     const struct sm_glz_dictionary_hooks *hooks);

/** Destroys `dictionary`; no encoder may use it any more. NULL does nothing. */
void sm_glz_dictionary_destroy(struct sm_glz_dictionary *dictionary);

/** Forgets all images but goes on numbering, as a client does whose window was emptied. */
void sm_glz_dictionary_clear(struct sm_glz_dictionary *dictionary);

/** The number the next image will get. */
uint64_t sm_glz_dictionary_next_id(const struct sm_glz_dictionary *dictionary);

#endif
