/* SPDX-License-Identifier: MIT */
#include "tests/server/support/lines.h"

#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "tests/support/check.h"

static void write_line(void *context, enum sm_log_level level, const char *text)
{
    struct sm_test_lines *lines = context;
    (void)level;
    pthread_mutex_lock(&lines->lock);
    size_t size = strlen(text);
    if (size + 2 < sizeof(lines->text) - lines->used) {
        memcpy(lines->text + lines->used, text, size);
        lines->used += size;
        lines->text[lines->used++] = '\n';
        lines->text[lines->used] = '\0';
    }
    lines->count++;
    pthread_mutex_unlock(&lines->lock);
}

void sm_test_lines_init(struct sm_test_lines *lines)
{
    memset(lines, 0, sizeof(*lines));
    pthread_mutex_init(&lines->lock, NULL);
    lines->log = (struct sm_log){.write = write_line, .context = lines, .level = SM_LOG_DEBUG};
}

void sm_test_lines_finish(struct sm_test_lines *lines)
{
    pthread_mutex_destroy(&lines->lock);
}

void sm_test_lines_clear(struct sm_test_lines *lines)
{
    pthread_mutex_lock(&lines->lock);
    lines->used = 0;
    lines->count = 0;
    lines->text[0] = '\0';
    pthread_mutex_unlock(&lines->lock);
}

bool sm_test_lines_have(struct sm_test_lines *lines, const char *text)
{
    pthread_mutex_lock(&lines->lock);
    bool have = strstr(lines->text, text) != NULL;
    pthread_mutex_unlock(&lines->lock);
    return have;
}

void sm_test_lines_await(struct sm_test_lines *lines, const char *text)
{
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!sm_test_lines_have(lines, text) && sm_now_us() < end_us)
        (void)usleep(1000);
    sm_test_lines_check(lines, text);
}

void sm_test_lines_check(struct sm_test_lines *lines, const char *text)
{
    if (sm_test_lines_have(lines, text))
        return;
    fail_msg("no line contains \"%s\"; logged was:\n%s", text, lines->text);
}
