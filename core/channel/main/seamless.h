/* SPDX-License-Identifier: MIT */
/*
 * The client asks the target of a migration whether it takes the session as it is: one question on
 * a main channel that was just linked, one answer. Not a byte behind the answer is taken: it
 * belongs to the machine that goes on with the connection. Source: docs/wire/main.md.
 */
#ifndef SM_CORE_CHANNEL_MAIN_SEAMLESS_H
#define SM_CORE_CHANNEL_MAIN_SEAMLESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/machine.h"
#include "core/wire/frame.h"
#include "sumac/status.h"

/** What the target says. */
enum sm_seamless_answer {
    SM_SEAMLESS_NONE, /* nothing yet */
    SM_SEAMLESS_YES,
    SM_SEAMLESS_NO,
};

/** In the caller's storage; holds nothing that has to be released. Thread: one at a time. */
struct sm_main_seamless {
    uint8_t question[SM_FRAME_MINI_SIZE + 4];
    size_t sent;
    uint8_t header[SM_FRAME_MINI_SIZE];
    size_t filled;
    enum sm_seamless_answer answer;
    enum sm_status status;
    const char *reason;
    uint64_t deadline_us;
};

/**
 * The link must have mini headers.
 *
 * @param version      as the source's MIGRATE_BEGIN_SEAMLESS said
 * @param deadline_us  when to give up; monotonic
 */
void sm_main_seamless_init(struct sm_main_seamless *seamless, uint32_t version,
                           uint64_t deadline_us);

/** For the pump; borrows `seamless`. */
struct sm_machine sm_main_seamless_machine(struct sm_main_seamless *seamless);

#endif
