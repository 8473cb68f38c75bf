/* SPDX-License-Identifier: MIT */
#include "io/log.h"

#include <stdarg.h>
#include <stdio.h>

void sm_log_at(const struct sm_log *log, enum sm_log_level level, const char *format, ...)
{
    if (!log || !log->write || level < log->level)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log->write(log->context, level, text);
}

bool sm_log_limit_allows(struct sm_log_limit *limit, uint64_t now_us)
{
    if (limit->started_us == 0 || now_us - limit->started_us >= limit->period_us) {
        limit->started_us = now_us ? now_us : 1;
        limit->used = 0;
    }
    if (limit->used >= limit->burst)
        return false;
    limit->used++;
    return true;
}
