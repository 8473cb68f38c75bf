/* SPDX-License-Identifier: MIT */
/* Reads the rendering vectors described in tests/golden/render/README.md. */
#ifndef SM_TESTS_GOLDEN_RENDER_VECTORS_H
#define SM_TESTS_GOLDEN_RENDER_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/wire/display.h"

enum {
    RENDER_MAX_SURFACES = 8,
    RENDER_MAX_COMMANDS = 16,
    RENDER_MAX_RESULTS = 4,
};

/** A surface before the commands: `width` × `height` values of four bytes, top row first. */
struct render_surface {
    uint32_t id, format, width, height;
    const uint8_t *pixels;
};

struct render_command {
    bool is_frame;
    struct sm_display_msg msg; /* not for frames */
    uint32_t frame_surface;
    struct sm_rect frame_dest;
    struct sm_clip frame_clip;
    struct sm_pixels frame;
};

struct render_result {
    uint32_t id;
    const uint8_t *pixels;
};

struct render_vector {
    const char *name;
    struct render_surface surfaces[RENDER_MAX_SURFACES];
    struct render_command commands[RENDER_MAX_COMMANDS];
    struct render_result results[RENDER_MAX_RESULTS];
    unsigned surface_count, command_count, result_count;
    uint32_t mask, tolerance, strict; /* `strict` is `mask` if the vector has none */
    bool is_defect;
};

/** One group of vectors; everything a vector points to lives until the next one is read. */
struct render_reader {
    char *text;    /* owned */
    char *next;    /* the line to read next */
    uint8_t *data; /* owned */
    size_t data_size;
    struct sm_arena arena;
};

/** Opens `directory`/`group`.vec and .bin.z; false with a message on stderr if that fails. */
bool render_open(struct render_reader *reader, const char *directory, const char *group);

/** Reads the next vector; false at the end. A malformed file ends the program. */
bool render_next(struct render_reader *reader, struct render_vector *vector);

void render_close(struct render_reader *reader);

#endif
