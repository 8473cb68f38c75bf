/* SPDX-License-Identifier: MIT */
/* Pixels to GLZ images, through the dictionary that the encoders of a session share. */
#ifndef SM_CORE_CODEC_GLZ_ENCODE_H
#define SM_CORE_CODEC_GLZ_ENCODE_H

#include "core/base/writer.h"
#include "core/codec/block.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/glz.h"
#include "core/codec/input.h"
#include "core/codec/scratch.h"

struct sm_codec_ops;

enum {
    SM_GLZ_LONG_BITS = 16,
    SM_GLZ_SHORT_BITS = 14,
    SM_GLZ_PICTURE_BITS = 12,
    SM_GLZ_ALPHA_BITS = 12,
};

/** An image that may be referred to: where its pixels lie in the ring. */
struct sm_glz_entry {
    uint32_t start, count; /* pixels */
    uint32_t type;         /* enum sm_lz_type */
};

/** Where pixels were seen last: places in the ring, each possibly stale. */
struct sm_glz_table {
    uint32_t long_slots[1 << SM_GLZ_LONG_BITS];   /* four pixels in a row */
    uint32_t short_slots[1 << SM_GLZ_SHORT_BITS]; /* two */
    uint32_t alpha_slots[1 << SM_GLZ_ALPHA_BITS]; /* alpha of eight pixels */
    uint32_t pictures[1 << SM_GLZ_PICTURE_BITS];  /* numbers of images, by a sample of pixels */
};

/** What a pass needs of the dictionary. */
struct sm_glz_search {
    struct sm_glz_table *table;
    const uint32_t *pixels; /* the ring */
    uint32_t ring_end;      /* beyond it nothing may be read */
    const uint8_t *alpha;   /* another ring in step with it; NULL if no image has any */
    uint32_t ring_count;    /* pixels of it that hold anything */

    /* Live images from the oldest to this one, in a ring of their own. */
    const struct sm_glz_entry *entries;
    uint32_t entry_mask, oldest, newest;
};

/** A match in another image, kept so that the alpha pass can use it again. */
struct sm_glz_reference {
    uint32_t at, length, offset, image_distance;
};

/** The references of a colour pass, in order. */
struct sm_glz_references {
    struct sm_scratch room;
    size_t count;
    bool is_wanted, has_failed; /* without memory the later ones are missing: no harm */
};

/**
 * Writes the tokens of the newest image's pixels, without their alpha.
 *
 * @param references  receives those into other images
 * @return false once the writer has failed
 */
typedef bool sm_glz_compress_fn(struct sm_glz_search *search, enum sm_lz_unit unit,
                                struct sm_block *block, struct sm_glz_references *references);
sm_glz_compress_fn sm_glz_compress_c;
sm_glz_compress_fn sm_glz_compress_sse41; /* only on x86 */

/** Writes the tokens of the newest image's alpha, using the references again. */
bool sm_glz_compress_alpha(const struct sm_glz_search *search, struct sm_block *block,
                           const struct sm_glz_references *references);

/** What the encoder object lends. */
struct sm_glz_encode_context {
    const struct sm_codec_ops *ops;
    struct sm_block *block;
    struct sm_scratch *cut_row; /* a row of the input */
    struct sm_glz_references *references;
};

/** True for the layouts GLZ can carry. */
bool sm_glz_can_encode(enum sm_pixel_format format);

/**
 * Enters `input` into the dictionary and appends its image to `out`. If that fails the image is
 * taken back and its number given to the next one; `*out` is in pieces then.
 *
 * @return as sm_image_encode(); SM_ERR_LIMIT if the picture is not smaller than the window
 */
SM_NODISCARD enum sm_status sm_glz_encode(const struct sm_glz_encode_context *context,
                                          struct sm_glz_dictionary *dictionary,
                                          struct sm_input *input, struct sm_writer *out,
                                          uint64_t *id);

#endif
