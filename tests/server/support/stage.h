/* SPDX-License-Identifier: MIT */
/* A device with a small primary surface and up to two clients: what tests of the worker stand on.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_STAGE_H
#define SM_TESTS_SERVER_SUPPORT_STAGE_H

#include "tests/server/support/device.h"
#include "tests/server/support/watcher.h"

enum { TEST_STAGE_WIDTH = 64, TEST_STAGE_HEIGHT = 48, TEST_STAGE_MEMORY = 64 << 20 };

struct sm_test_stage {
    struct sm_test_device device;
    struct sm_test_watcher watcher, other;
};

/** For cmocka: the device, stopped and without a primary. */
int sm_test_stage_set_up(void **state);
int sm_test_stage_tear_down(void **state);

/** Connects the first client to the display. */
void sm_test_stage_watch(struct sm_test_stage *stage);

/** Starts the device with a black primary, and a client that has seen the start sequence. */
void sm_test_stage_begin(struct sm_test_stage *stage);

/** The pixels of the primary in guest memory. */
const uint8_t *sm_test_stage_pixels(const struct sm_test_stage *stage);

/** The whole primary. */
struct sm_rect sm_test_stage_area(void);

/** Renders the primary into guest memory and compares it with the first client's picture. */
void sm_test_stage_check_picture(struct sm_test_stage *stage);

#endif
