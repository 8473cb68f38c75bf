/* SPDX-License-Identifier: MIT */
/* GLZ: LZ whose matches also reach into earlier images. Source: docs/codec.md, "GLZ". */
#ifndef SM_CORE_CODEC_GLZ_GLZ_H
#define SM_CORE_CODEC_GLZ_GLZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/codec/lz/lz.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_GLZ_HEADER_SIZE = 33,
    SM_GLZ_TOP_DOWN = 1 << 4,           /* of the type byte */
    SM_GLZ_MAX_WINDOW_PIXELS = 1 << 25, /* what an offset can say */
    /** Bytes behind the pixels of a stored image that wide copies may read and write. */
    SM_GLZ_SLACK_BYTES = 64,
};

/** A parsed header whose numbers agree with each other. */
struct sm_glz_header {
    enum sm_lz_type type;   /* RGB16 to RGBA */
    uint32_t width, height; /* pixels, at least 1 */
    bool is_top_down;
    uint64_t id;
    uint32_t head_distance; /* id - head_distance is the oldest image that may be referred to */
};

/** Reads a header. Leaves `*out` alone unless SM_OK; `reason` is set on failure. */
SM_NODISCARD enum sm_status sm_glz_parse_header(struct sm_glz_header *out, struct sm_reader *r,
                                                const char **reason);

/** The pixels of another image: 32 bits each, SM_GLZ_SLACK_BYTES behind them. */
struct sm_glz_source {
    const uint32_t *pixels; /* NULL: not there yet */
    uint32_t count;
    bool is_gone; /* and never will be */
};

enum sm_glz_result { SM_GLZ_DONE, SM_GLZ_MALFORMED, SM_GLZ_WAITS };

/** One pass over the tokens, which can stop at a token that needs a missing image and go on. */
struct sm_glz_pass {
    struct sm_bytes data; /* borrowed for the call */
    size_t offset;        /* of the next token in `data` */
    uint8_t *out;         /* 32-bit pixels with SM_GLZ_SLACK_BYTES behind them */
    uint32_t count, done; /* pixels */
    uint64_t id, oldest;  /* of this image, and of what it may refer to */
    uint64_t awaited;     /* set when it waits */

    struct sm_glz_source (*find)(void *context, uint64_t id);
    void *context;
};

/** Decodes tokens of `unit` (555_WIDENED, BGR or ALPHA) until done, waiting or malformed. */
typedef enum sm_glz_result sm_glz_pass_fn(struct sm_glz_pass *pass, enum sm_lz_unit unit);
sm_glz_pass_fn sm_glz_pass_c;
sm_glz_pass_fn sm_glz_pass_sse41; /* only on x86 */

#endif
