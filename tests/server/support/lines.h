/* SPDX-License-Identifier: MIT */
/* A log that keeps its lines for a test to look at. Any thread may write to it. */
#ifndef SM_TESTS_SERVER_SUPPORT_LINES_H
#define SM_TESTS_SERVER_SUPPORT_LINES_H

#include <pthread.h>
#include <stdbool.h>

#include "io/log.h"

struct sm_test_lines {
    struct sm_log log;
    pthread_mutex_t lock;
    char text[65536]; /* lines, each ended by a line feed; later ones are lost when full */
    size_t used;
    unsigned count;
};

void sm_test_lines_init(struct sm_test_lines *lines);
void sm_test_lines_finish(struct sm_test_lines *lines);
void sm_test_lines_clear(struct sm_test_lines *lines);

/** True if a line contains `text`. */
bool sm_test_lines_have(struct sm_test_lines *lines, const char *text);

/** Waits for a line that another thread writes, in which there is `text`; fails if none comes. */
void sm_test_lines_await(struct sm_test_lines *lines, const char *text);

/** Fails with everything that was logged unless a line contains `text`. */
void sm_test_lines_check(struct sm_test_lines *lines, const char *text);

#endif
