/* SPDX-License-Identifier: MIT */
/* Four small surfaces in memory of their own, and what draws on them: without thread and clients.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_EASEL_H
#define SM_TESTS_SERVER_SUPPORT_EASEL_H

#include <stdint.h>

#include "server/display/surfaces.h"
#include "tests/server/support/doodle.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"

enum {
    TEST_EASEL_SURFACES = 4,
    TEST_EASEL_WIDTH = 40, /* of the largest */
    TEST_EASEL_HEIGHT = 30,
    TEST_EASEL_MEMORY = 4 << 20,
};

/** Surface i has id i. */
extern const struct sm_test_doodle_surface sm_test_easel_shapes[TEST_EASEL_SURFACES];

struct sm_test_easel {
    struct sm_renderer *renderer;
    struct sm_surfaces surfaces;
    struct sm_drawable_budget budget;
    uint8_t pixels[TEST_EASEL_SURFACES][TEST_EASEL_WIDTH * TEST_EASEL_HEIGHT * 4];
};

/** A guest, and room for what its drawings are compared on. */
struct sm_test_studio {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
    struct sm_test_easel late, now; /* the one that is tested; the one that draws at once */
};

/** For cmocka. */
int sm_test_studio_set_up(void **state);
int sm_test_studio_tear_down(void **state);

/** Puts a surface that was removed, or never there, on zeroed memory. */
void sm_test_easel_add_surface(struct sm_test_easel *easel, uint32_t id);
void sm_test_easel_remove_surface(struct sm_test_easel *easel, uint32_t id);

/**
 * Parses the command at `address` and takes the self bitmap it may need from the easel.
 *
 * @return a drawable the caller holds; NULL if the command draws nothing
 */
struct sm_drawable *sm_test_easel_parse(struct sm_test_studio *studio, struct sm_test_easel *easel,
                                        uint64_t address);

/** Both easels show the same in this area of a surface, as far as they have rendered it. */
void sm_test_studio_check_area(const struct sm_test_studio *studio, uint32_t id,
                               struct sm_rect area);

/** The same for all of all surfaces that there are. */
void sm_test_studio_check_all(const struct sm_test_studio *studio);

#endif
