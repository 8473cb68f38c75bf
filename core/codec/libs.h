/* SPDX-License-Identifier: MIT */
/*
 * What the codecs need from foreign libraries, as tables of functions. media/ fills them; a build
 * without a library leaves the table out, and the codecs that need it answer SM_ERR_STATE.
 *
 * A `state` is one library context: made by create(), used by one thread at a time, released by
 * destroy(). All memory handed in is borrowed for the call.
 */
#ifndef SM_CORE_CODEC_LIBS_H
#define SM_CORE_CODEC_LIBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** How exact a JPEG must be. */
enum sm_jpeg_quality_mode {
    SM_JPEG_ACCURATE, /* still images: accurate transform, smooth chroma */
    SM_JPEG_FAST,     /* video frames */
};

struct sm_jpeg_lib {
    void *(*create)(void); /* NULL: out of memory */
    void (*destroy)(void *state);

    /** The dimensions a JPEG claims; SM_ERR_PROTOCOL if its header cannot be read. */
    enum sm_status (*read_size)(void *state, struct sm_bytes jpeg, uint32_t *width,
                                uint32_t *height);

    /**
     * Decodes to `out`, XRGB32 or ARGB32 of exactly the JPEG's dimensions; the top byte becomes
     * anything. A damaged file that can still be shown is, with every pixel written.
     */
    enum sm_status (*decode)(void *state, struct sm_bytes jpeg, const struct sm_pixels *out,
                             enum sm_jpeg_quality_mode mode);

    /**
     * Encodes XRGB32, ARGB32 or RGB24 pixels (alpha ignored), 4:2:0, all tables present.
     *
     * @param quality  1 to 100
     * @param jpeg     receives the file, owned by the state and borrowed until its next call
     */
    enum sm_status (*encode)(void *state, const struct sm_pixels *in, unsigned quality,
                             enum sm_jpeg_quality_mode mode, struct sm_bytes *jpeg);
};

struct sm_zlib_lib {
    void *(*create)(void); /* NULL: out of memory */
    void (*destroy)(void *state);

    /** Inflates one whole zlib stream to exactly `out_size` bytes; anything else is refused. */
    enum sm_status (*inflate)(void *state, struct sm_bytes in, uint8_t *out, size_t out_size);

    /** Inflates the first `out_size` bytes of a stream, SM_ERR_PROTOCOL if it has fewer. */
    enum sm_status (*inflate_head)(void *state, struct sm_bytes in, uint8_t *out, size_t out_size);

    /**
     * Deflates `in` into at most `capacity` bytes.
     *
     * @param level     0 to 9
     * @param out_size  receives the bytes written
     * @return SM_OK; SM_ERR_LIMIT if it does not fit; SM_ERR_NOMEM
     */
    enum sm_status (*deflate)(void *state, struct sm_bytes in, unsigned level, uint8_t *out,
                              size_t capacity, size_t *out_size);
};

struct sm_lz4_lib {
    void *(*create)(void); /* NULL: out of memory */
    void (*destroy)(void *state);

    /**
     * Decodes one raw block to `out`, which may refer to the `history` bytes right before it.
     *
     * @param out_size  receives the bytes made, at most `capacity`, at least 1
     */
    enum sm_status (*decode)(void *state, struct sm_bytes block, uint8_t *out, size_t history,
                             size_t capacity, size_t *out_size);

    /** Room that encode() may need for `size` bytes. */
    size_t (*bound)(size_t size);

    /**
     * Encodes `in` as one independent block.
     *
     * @param out_size  receives the bytes written, at most `capacity`
     * @return SM_OK; SM_ERR_LIMIT if it does not fit
     */
    enum sm_status (*encode)(void *state, struct sm_bytes in, uint8_t *out, size_t capacity,
                             size_t *out_size);
};

/** Everything borrowed as long as a decoder or encoder made with it lives; any may be NULL. */
struct sm_codec_libs {
    const struct sm_jpeg_lib *jpeg;
    const struct sm_zlib_lib *zlib;
    const struct sm_lz4_lib *lz4;
};

#endif
