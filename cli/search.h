/* SPDX-License-Identifier: MIT */
/* Finding a picture within another. Pure. */
#ifndef SM_CLI_SEARCH_H
#define SM_CLI_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/geometry.h"

enum { CLI_SEARCH_PROBES = 32 };

/** What is looked for: 32 bits a pixel, bytes blue, green, red, alpha, rows without gaps. */
struct cli_pattern {
    uint8_t *pixels; /* owned; alpha below 128: this pixel may be anything */
    uint32_t width, height;
    struct sm_point probes[CLI_SEARCH_PROBES]; /* pixels that differ from their neighbours */
    size_t probe_count;
};

/** Chooses the pixels that are looked at first; without them a search on plain ground is slow. */
void cli_pattern_prepare(struct cli_pattern *pattern);

/**
 * Looks for `pattern` in a picture of bytes blue, green, red and one of no meaning.
 *
 * @param region     within the picture: where all of the pattern has to be
 * @param tolerance  by how much each of red, green and blue may differ, 0 to 255
 * @param found      receives the topmost, then leftmost place
 */
bool cli_search(const struct cli_pattern *pattern, const uint8_t *pixels, size_t stride_bytes,
                struct sm_rect region, uint32_t tolerance, struct sm_point *found);

#endif
