/* SPDX-License-Identifier: MIT */
#include "tests/server/support/stage.h"

#include <stdlib.h>

#include "tests/support/check.h"

int sm_test_stage_set_up(void **state)
{
    struct sm_test_stage *stage = calloc(1, sizeof(*stage));
    sm_test_device_init(&stage->device, TEST_STAGE_MEMORY);
    *state = stage;
    return 0;
}

int sm_test_stage_tear_down(void **state)
{
    struct sm_test_stage *stage = *state;
    sm_test_device_finish(&stage->device);
    if (stage->watcher.loop || stage->watcher.socket > 0)
        sm_test_watcher_finish(&stage->watcher);
    if (stage->other.loop)
        sm_test_watcher_finish(&stage->other);
    free(stage);
    return 0;
}

void sm_test_stage_watch(struct sm_test_stage *stage)
{
    sm_test_watch_display(&stage->watcher, stage->device.worker, &sm_test_watcher_default);
}

void sm_test_stage_begin(struct sm_test_stage *stage)
{
    sm_test_device_start(&stage->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    sm_test_stage_watch(stage);
    sm_test_watcher_await(&stage->watcher, SM_MSG_DISPLAY_MARK, 1);
}

const uint8_t *sm_test_stage_pixels(const struct sm_test_stage *stage)
{
    return stage->device.guest.memory;
}

struct sm_rect sm_test_stage_area(void)
{
    return (struct sm_rect){0, 0, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT};
}

void sm_test_stage_check_picture(struct sm_test_stage *stage)
{
    sm_worker_update_area(stage->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_check_pixels(&stage->watcher, 0, sm_test_stage_pixels(stage));
}
