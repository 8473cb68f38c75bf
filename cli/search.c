/* SPDX-License-Identifier: MIT */
#include "cli/search.h"

#include <stdlib.h>

static const uint8_t *pattern_at(const struct cli_pattern *pattern, uint32_t x, uint32_t y)
{
    return pattern->pixels + ((size_t)y * pattern->width + x) * 4;
}

static bool is_solid(const uint8_t *pixel)
{
    return pixel[3] >= 128;
}

static bool is_near(const uint8_t *a, const uint8_t *b, int tolerance)
{
    return abs(a[0] - b[0]) <= tolerance && abs(a[1] - b[1]) <= tolerance &&
           abs(a[2] - b[2]) <= tolerance;
}

/* Edges, spread over the pattern: every so many of them. */
void cli_pattern_prepare(struct cli_pattern *pattern)
{
    uint64_t edges = 0, next = 0;
    pattern->probe_count = 0;
    for (int round = 0; round < 2; round++) {
        uint64_t step = edges / CLI_SEARCH_PROBES + 1, seen = 0;
        for (uint32_t y = 0; y < pattern->height; y++)
            for (uint32_t x = 1; x < pattern->width; x++) {
                const uint8_t *here = pattern_at(pattern, x, y);
                if (!is_solid(here) || is_near(here, here - 4, 8))
                    continue;
                if (round == 0) {
                    edges++;
                } else if (seen++ == next && pattern->probe_count < CLI_SEARCH_PROBES) {
                    pattern->probes[pattern->probe_count++] =
                        (struct sm_point){(int32_t)x, (int32_t)y};
                    next += step;
                }
            }
    }
}

static bool is_here(const struct cli_pattern *pattern, const uint8_t *corner, size_t stride_bytes,
                    int tolerance)
{
    for (size_t i = 0; i < pattern->probe_count; i++) {
        struct sm_point p = pattern->probes[i];
        const uint8_t *wanted = pattern_at(pattern, (uint32_t)p.x, (uint32_t)p.y);
        if (!is_near(wanted, corner + (size_t)p.y * stride_bytes + (size_t)p.x * 4, tolerance))
            return false;
    }
    for (uint32_t y = 0; y < pattern->height; y++)
        for (uint32_t x = 0; x < pattern->width; x++) {
            const uint8_t *wanted = pattern_at(pattern, x, y);
            if (is_solid(wanted) &&
                !is_near(wanted, corner + y * stride_bytes + (size_t)x * 4, tolerance))
                return false;
        }
    return true;
}

bool cli_search(const struct cli_pattern *pattern, const uint8_t *pixels, size_t stride_bytes,
                struct sm_rect region, uint32_t tolerance, struct sm_point *found)
{
    int64_t last_x = (int64_t)region.right - pattern->width;
    int64_t last_y = (int64_t)region.bottom - pattern->height;
    for (int64_t y = region.top; y <= last_y; y++)
        for (int64_t x = region.left; x <= last_x; x++)
            if (is_here(pattern, pixels + (size_t)y * stride_bytes + (size_t)x * 4, stride_bytes,
                        (int)tolerance)) {
                *found = (struct sm_point){(int32_t)x, (int32_t)y};
                return true;
            }
    return false;
}
