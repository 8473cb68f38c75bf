/* SPDX-License-Identifier: MIT */
/* A line of the log as an object of JSON, for machines that collect logs. Pure. */
#ifndef SM_SERVER_SESSION_LOG_JSON_H
#define SM_SERVER_SESSION_LOG_JSON_H

#include <stddef.h>
#include <time.h>

#include "io/log.h"

enum { SM_LOG_JSON_MAX = 8192 }; /* bytes that the longest line can become */

/**
 * Writes {"time":"…Z","pid":…,"level":"…","place":"file:line:function","text":"…"} and a line end.
 * What is no UTF-8 becomes U+FFFD, so that any words of a peer make a good line.
 *
 * @param text  "place: words", or words alone
 * @return the size, without a NUL; what does not fit is left out of the text
 */
size_t sm_log_json(char out[SM_LOG_JSON_MAX], enum sm_log_level level, const char *text, int pid,
                   const struct timespec *now);

#endif
