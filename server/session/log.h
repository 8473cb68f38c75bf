/* SPDX-License-Identifier: MIT */
/* What the server library says, in the shape and through the door that hosts expect. */
#ifndef SM_SERVER_SESSION_LOG_H
#define SM_SERVER_SESSION_LOG_H

#include "io/log.h"

/**
 * The log of the process: through GLib's g_log() under the domain "Spice" if the host has GLib,
 * else lines of the same form on standard error. The library itself does not link GLib.
 *
 * With SUMAC_LOG=json each line is an object of JSON on standard error instead.
 *
 * Debug and info lines appear if G_MESSAGES_DEBUG names "Spice" or "all". No line is ever fatal
 * unless the user asked for that with G_DEBUG.
 */
struct sm_log sm_server_log(void);

/**
 * Writes one line that begins with its place in the source, "file:line:function: ", as users of
 * the reference server search for it. Any thread.
 */
#define sm_say(log, level, ...) sm_say_at(log, level, __FILE__, __LINE__, __func__, __VA_ARGS__)
void sm_say_at(const struct sm_log *log, enum sm_log_level level, const char *file, int line,
               const char *function, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
