/* SPDX-License-Identifier: MIT */
/*
 * A guest that draws at random, and well-formed: over, under and out of everything that is on its
 * surfaces. The same seed makes the same drawings.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_DOODLE_H
#define SM_TESTS_SERVER_SUPPORT_DOODLE_H

#include <stdint.h>

#include <spice/qxl_dev.h>

#include "tests/server/support/guest.h"
#include "tests/support/check.h"

struct sm_test_doodle_surface {
    uint32_t id, width, height;
};

struct sm_test_doodle {
    struct sm_test_guest *guest; /* where images and the like are put */
    struct sm_test_random random;
    const struct sm_test_doodle_surface *surfaces;
    uint32_t surface_count;
    uint32_t copy_in;    /* one drawing in so many moves or copies within the guest */
    uint32_t next_image; /* ids of images; 0 for the first */
    uint32_t kept_in;    /* one picture in so many is one of a few that clients may keep; 0: none */
};

/** A number below `limit`, which is not 0. */
uint32_t sm_test_doodle_pick(struct sm_test_doodle *doodle, uint32_t limit);

/** A rectangle of at least one pixel in a surface; every tenth is all of it. */
QXLRect sm_test_doodle_rect(struct sm_test_doodle *doodle, uint32_t width, uint32_t height);

/** The next drawing. */
QXLDrawable sm_test_doodle_next(struct sm_test_doodle *doodle);

#endif
