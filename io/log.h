/* SPDX-License-Identifier: MIT */
/* Where the edges of the system say what happened. Libraries log only through a log they were
 * given. */
#ifndef SM_IO_LOG_H
#define SM_IO_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum sm_log_level {
    SM_LOG_DEBUG,
    SM_LOG_INFO,
    SM_LOG_WARNING,
    SM_LOG_ERROR,
};

/** A sink for lines of text. A NULL log, like a NULL `write`, swallows everything. */
struct sm_log {
    /** Writes one line without line end; any thread may call it. */
    void (*write)(void *context, enum sm_log_level level, const char *text);
    void *context;
    enum sm_log_level level; /* lines below it are not even formatted */
};

/** Formats and writes one line of at most 1023 bytes; longer ones are cut. Any thread. */
void sm_log_at(const struct sm_log *log, enum sm_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Lets a peer cause at most `burst` lines per `period_us`. Thread: one at a time. */
struct sm_log_limit {
    uint32_t burst;
    uint64_t period_us;
    uint64_t started_us; /* of the running period */
    uint32_t used;
};

/** True if one more line may be written now; the caller then writes it. */
bool sm_log_limit_allows(struct sm_log_limit *limit, uint64_t now_us);

#endif
