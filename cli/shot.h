/* SPDX-License-Identifier: MIT */
/* A monitor's pixels, from a display that is held still for as long as they are looked at. */
#ifndef SM_CLI_SHOT_H
#define SM_CLI_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/geometry.h"

struct cli_connection;
struct cli_json;
struct cli_output;
struct cli_settle;

/** Pixels in place: 32 bits each, bytes blue, green, red and one of no meaning. */
struct cli_shot {
    const uint8_t *pixels; /* borrowed until cli_shot_end() */
    size_t stride_bytes;
    uint32_t width, height;
};

/** Holds the display of `channel_id` still and shows `area` of it. On failure nothing is held. */
bool cli_shot_begin(struct cli_connection *connection, uint8_t channel_id, struct sm_rect area,
                    struct cli_shot *shot);

void cli_shot_end(struct cli_connection *connection, uint8_t channel_id);

/** Writes `area` of the display as PNG. */
bool cli_shot_write(struct cli_connection *connection, uint8_t channel_id, struct sm_rect area,
                    struct cli_output *output);

/** Puts what became of a wait into a report. */
void cli_shot_report(struct cli_json *json, const struct cli_settle *settle);

#endif
