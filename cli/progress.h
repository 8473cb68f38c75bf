/* SPDX-License-Identifier: MIT */
/* How far something is, as one line of a terminal that is written over and over. */
#ifndef SM_CLI_PROGRESS_H
#define SM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CLI_PROGRESS_SIZE = 128 /* bytes of a line */ };

struct cli_progress {
    FILE *out;         /* borrowed: a terminal; or NULL: say nothing */
    uint64_t start_us; /* of the work */
    uint64_t shown_us; /* when it was written last */
};

/** Shows progress on `out` if that is a terminal. */
void cli_progress_begin(struct cli_progress *progress, FILE *out, uint64_t now_us);

/** `done` of `total` bytes; written a few times a second. */
void cli_progress_show(struct cli_progress *progress, const char *what, uint64_t done,
                       uint64_t total, uint64_t now_us);

/** Takes the line away. */
void cli_progress_end(struct cli_progress *progress);

/** The line itself: "NAME 45 % of 3.1 GB, 12.3 MB/s, 2:05 left". */
void cli_progress_line(char out[CLI_PROGRESS_SIZE], const char *what, uint64_t done, uint64_t total,
                       uint64_t elapsed_us);

/** "512 bytes", "3.4 MB"; `out` has room for 32 bytes. */
void cli_progress_size(char *out, uint64_t bytes);

#endif
