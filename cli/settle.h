/* SPDX-License-Identifier: MIT */
/* Waiting until a monitor's picture is complete and stands still. */
#ifndef SM_CLI_SETTLE_H
#define SM_CLI_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/geometry.h"

struct cli_connection;
struct sm_display_info;
struct sm_monitor;

/**
 * Whether a picture stands still: since when all its changes lie within one spot of at most
 * `tolerance_px` pixels. So a blinking text cursor is no movement, but typing is. Pure.
 */
struct cli_stillness {
    uint64_t tolerance_px;
    struct sm_rect spot; /* around the changes since `since_us` */
    uint64_t since_us;
};

/** Begins anew at `now_us`. */
void cli_stillness_reset(struct cli_stillness *stillness, uint64_t now_us);

/** The pixels in `damage` have changed. */
void cli_stillness_damage(struct cli_stillness *stillness, struct sm_rect damage, uint64_t now_us);

struct cli_settle {
    uint32_t number;   /* of the monitor */
    uint32_t still_ms; /* to stand still for; 0: complete is enough */
    uint32_t limit_ms; /* settle for less after so long; UINT32_MAX: never */
    uint32_t tolerance_px;

    uint8_t channel_id;  /* result: the monitor's display */
    struct sm_rect area; /* result: of the monitor, in the display's surface */
    bool is_still;       /* result: false if the limit ended the wait */
    uint32_t waited_ms;  /* result: since the picture was complete */
};

/** Looks where the monitor is now, without waiting; `area` is empty if it shows nothing. */
bool cli_settle_find(struct cli_connection *connection, struct cli_settle *settle);

/** Waits. On failure the connection's failure is filled. */
bool cli_settle_wait(struct cli_connection *connection, struct cli_settle *settle);

#endif
