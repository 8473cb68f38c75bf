/* SPDX-License-Identifier: MIT */
/*
 * QUIC: prediction from the left and upper neighbours, adaptive Golomb codes, runs. The stream of a
 * picture is fully determined. Source: docs/codec.md, "QUIC".
 */
#ifndef SM_CORE_CODEC_QUIC_QUIC_H
#define SM_CORE_CODEC_QUIC_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_QUIC_MAGIC = 0x43495551,
    SM_QUIC_VERSION = 0,
    SM_QUIC_HEADER_SIZE = 20,
    SM_QUIC_WORD_BITS = 32,
    SM_QUIC_MAX_CODES = 8,
    SM_QUIC_MAX_CODE_BITS = 26,
    SM_QUIC_STAGE_PIXELS = 2048,
    SM_QUIC_LAST_STAGE = 6,
    SM_QUIC_RUN_STATES = 32,
};

/** The values are those of the header. */
enum sm_quic_type {
    SM_QUIC_GRAY = 1,
    SM_QUIC_RGB16 = 2,
    SM_QUIC_RGB24 = 3,
    SM_QUIC_RGB32 = 4,
    SM_QUIC_RGBA = 5,
};

struct sm_quic_header {
    enum sm_quic_type type;
    uint32_t width, height; /* pixels, at least 1 */
};

/** Reads a header. Leaves `*out` alone unless SM_OK; `reason` is set on failure. */
SM_NODISCARD enum sm_status sm_quic_parse_header(struct sm_quic_header *out, struct sm_bytes data,
                                                 const char **reason);

/** The layout a type decodes to: GRAY8, RGB555, XRGB32 or ARGB32. */
enum sm_pixel_format sm_quic_format(enum sm_quic_type type);

/** Exponents of the run lengths, by run state. */
extern const uint8_t sm_quic_run_exponents[SM_QUIC_RUN_STATES];

/** Only the low six bits of the reference's pseudo-random numbers ever matter. */
extern const uint8_t sm_quic_random[256];

/** How much the smallest counter may grow before all are halved, by stage. */
extern const uint16_t sm_quic_triggers[SM_QUIC_LAST_STAGE + 1];

/** The codes for components of one depth, and how their values fall into buckets. */
struct sm_quic_family {
    /* Lengths of the codes of a value, the LAST code first: of equally good codes the largest wins,
     * which is then the first. Places without a code hold 0. */
    _Alignas(16) uint16_t lengths[256][SM_QUIC_MAX_CODES];
    /* All ones in places without a code, so that they are never the smallest. */
    _Alignas(16) uint16_t idle[SM_QUIC_MAX_CODES];
    uint16_t codes[SM_QUIC_MAX_CODES][256]; /* value << 5 | length in bits */
    uint8_t bucket_of[256];
    uint8_t prefix[SM_QUIC_MAX_CODES];       /* zeros that mean escape */
    uint8_t suffix[SM_QUIC_MAX_CODES];       /* bits after the escape */
    uint8_t escape_start[SM_QUIC_MAX_CODES]; /* first value that must escape */
    uint8_t bucket_first[SM_QUIC_MAX_CODES]; /* contexts of a bucket */
    uint8_t bucket_size[SM_QUIC_MAX_CODES];
    uint32_t code_count; /* the depth: 5 or 8 */
};

/** Computed once per encoder or decoder. */
struct sm_quic_tables {
    struct sm_quic_family depth8, depth5;
};

void sm_quic_tables_init(struct sm_quic_tables *tables);

/** What has been learnt about one component. */
struct sm_quic_component {
    _Alignas(16) uint16_t counters[SM_QUIC_MAX_CODES][SM_QUIC_MAX_CODES]; /* as in `lengths` */
    uint8_t best[SM_QUIC_MAX_CODES];                                      /* code of each bucket */
    uint8_t code_of[256];                                                 /* the same by context */
};

/** Components that adapt together. */
struct sm_quic_plane {
    struct sm_quic_component components[3];
    uint32_t wait;  /* coded pixels until the next update */
    uint32_t drawn; /* index of the next random number */
    uint32_t stage, stage_left;
    uint32_t run_state;
};

/** What a plane is made of. */
enum sm_quic_plane_kind { SM_QUIC_COLORS8, SM_QUIC_COLORS5, SM_QUIC_ALPHA8, SM_QUIC_GRAY8 };

void sm_quic_plane_init(struct sm_quic_plane *plane, const struct sm_quic_family *family);

/**
 * The rows of an image as both directions see them: a pixel is 32 bits with its components in
 * bytes, and for each column the folded residuals coded there last, laid out the same way.
 */
struct sm_quic_row {
    uint32_t *pixels;      /* of this row */
    const uint32_t *above; /* of the row before; NULL in the first row */
    uint32_t *residuals;   /* from -1 to width - 1 */
    uint32_t width;
};

#endif
