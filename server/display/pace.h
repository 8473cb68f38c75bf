/* SPDX-License-Identifier: MIT */
/*
 * How often a client is sent something new: at once after a pause, but while the guest draws
 * without one, only so many times a second. What was drawn in between covers much of itself by
 * then, and nobody sees the steps. Source: docs/display.md, "Flow".
 */
#ifndef SM_SERVER_DISPLAY_PACE_H
#define SM_SERVER_DISPLAY_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /** For long, one batch in so many microseconds: less than a frame of any screen. */
    SM_PACE_BATCH_US = 8 * 1000,
    /** After a pause so many at once: an answer to a key is rarely drawn in one piece. */
    SM_PACE_AT_ONCE = 4,
    /** So many pixels of what was missed take the time of one more. */
    SM_PACE_BATCH_PX = 256 << 10,
    /** When the guest has drawn nothing for so long, what was missed waits no longer. */
    SM_PACE_PAUSE_US = 5 * 1000,
    /** So soon comes the answer to a key, or it is late anyway. */
    SM_PACE_ANSWER_US = 100 * 1000,
};

/** Zeroed at first. Thread: the worker's. */
struct sm_pace {
    uint64_t used_until_us; /* private: batches begun so far fill the time until then */
};

/**
 * True if a batch may begin now, and it does; else `wait_us` receives how long not, at least 1.
 *
 * @param input_us  when the user last pressed something: what is drawn soon after may be the answer
 *                  and goes at once
 */
bool sm_pace_begin(struct sm_pace *pace, uint64_t now_us, uint64_t input_us, uint64_t *wait_us);

/** So many pixels that were missed go with the batch: the next one begins later. */
void sm_pace_spend(struct sm_pace *pace, uint64_t pixels);

#endif
