/* SPDX-License-Identifier: MIT */
/* A drawing command in guest memory, made piece by piece and parsed: for tests of server/qxl. */
#ifndef SM_TESTS_SERVER_SUPPORT_SKETCH_H
#define SM_TESTS_SERVER_SUPPORT_SKETCH_H

#include <stdint.h>

#include <spice/qxl_dev.h>

#include "server/qxl/drawing.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"

enum { TEST_SKETCH_MEMORY = 256 << 10 };

/** Surface 0 is 640 x 480, 5 has alpha and 100 x 50 pixels, 7 is 32 x 32 of alpha alone. */
struct sm_test_sketch {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
    struct sm_drawing_source source;
    QXLDrawable drawable; /* what is parsed next */
    struct sm_drawing *drawing;
};

/** For cmocka. */
int sm_test_sketch_set_up(void **state);
int sm_test_sketch_tear_down(void **state);

/** Starts a command on surface 0, 20 x 20 pixels at 10, 20, without dependencies. */
QXLDrawable *sm_test_sketch_begin(struct sm_test_sketch *f, uint8_t type);

/** Starts a copy of a picture of that size. */
QXLDrawable *sm_test_sketch_begin_copy(struct sm_test_sketch *f);

/** Puts the command into the guest and parses it; the drawing is then the sketch's. */
enum sm_status sm_test_sketch_try_parse(struct sm_test_sketch *f);

/** The same for a command that has to be accepted, by the wire's builder as well. */
const struct sm_display_msg *sm_test_sketch_parse_ok(struct sm_test_sketch *f);

/** The command is refused, with these words in the log. */
void sm_test_sketch_check_dropped(struct sm_test_sketch *f, const char *words);

/* Parts; each gives its address. */

/** A 32-bit picture in two chunks; the bytes count up from 0. */
uint64_t sm_test_sketch_put_bitmap(struct sm_test_sketch *f, uint32_t width, uint32_t height);
/** 20 x 20 pixels of one bit. */
uint64_t sm_test_sketch_put_mask(struct sm_test_sketch *f);
uint64_t sm_test_sketch_put_surface_image(struct sm_test_sketch *f, uint32_t id);
QXLImage *sm_test_sketch_image_at(struct sm_test_sketch *f, uint64_t address);
uint64_t sm_test_sketch_put_path(struct sm_test_sketch *f, const void *data, uint32_t size);
/** `count` rectangles in two chunks, which claim to be `claimed`. */
uint64_t sm_test_sketch_put_clip(struct sm_test_sketch *f, uint32_t claimed, const QXLRect *rects,
                                 uint32_t count);

QXLBrush sm_test_sketch_solid(uint32_t color);
/** Its origin is 3, 4. */
QXLBrush sm_test_sketch_pattern(uint64_t image);

#endif
