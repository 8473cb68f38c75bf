/* SPDX-License-Identifier: MIT */
/* How fast a machine's screen is: connecting, the first picture, then what moves. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/settle.h"

enum { FRAME_US = 1000000 / 120, CHANNELS_MAX = 64, DISPLAYS_MAX = 64 };

struct result {
    uint64_t connect_us, picture_us; /* since the start */
    uint64_t lasted_us;              /* of the watching */
    uint64_t frames;                 /* moments at which something had changed */
    uint64_t bytes, drawings, failed;
    uint64_t cpu_us; /* of this process while watching */
    uint32_t width, height;
    long peak_kib;
};

static uint64_t cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void count(struct sm_session *session, uint64_t *bytes, uint64_t *drawings, uint64_t *failed)
{
    struct sm_channel_info channels[CHANNELS_MAX];
    struct sm_display_info displays[DISPLAYS_MAX];
    *bytes = *drawings = *failed = 0;
    size_t n = sm_session_get_channels(session, channels, CHANNELS_MAX);
    for (size_t i = 0; i < n && i < CHANNELS_MAX; i++)
        *bytes += channels[i].received_bytes;
    n = sm_session_get_displays(session, displays, DISPLAYS_MAX);
    for (size_t i = 0; i < n && i < DISPLAYS_MAX; i++) {
        *drawings += displays[i].drawings;
        *failed += displays[i].failed_drawings;
    }
}

/* Changes that come together, as a screen of 120 Hz would show them, are one frame. */
static bool watch(struct cli_connection *connection, uint32_t duration_ms, struct result *r)
{
    uint64_t bytes, drawings, failed, cpu = cpu_us(), start_us = cli_now_us(), frame_us = 0;
    uint64_t end_us = start_us + (uint64_t)duration_ms * 1000;
    count(connection->session, &bytes, &drawings, &failed);
    cli_connection_progress(connection, duration_ms);
    connection->doing = "watching";
    struct sm_event event;
    enum cli_next next;
    while ((next = cli_connection_next(connection, end_us, &event)) == CLI_NEXT_EVENT)
        if (event.kind == SM_EVENT_DISPLAY_DAMAGE && cli_now_us() >= frame_us + FRAME_US) {
            frame_us = cli_now_us();
            r->frames++;
        }
    if (next == CLI_NEXT_FAILED)
        return false;
    count(connection->session, &r->bytes, &r->drawings, &r->failed);
    r->bytes -= bytes;
    r->drawings -= drawings;
    r->failed -= failed;
    r->cpu_us = cpu_us() - cpu;
    r->lasted_us = cli_now_us() - start_us;
    return true;
}

static bool measure(struct cli_connection *connection, const struct cli_options *o,
                    struct result *r, struct cli_failure *failure)
{
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    struct cli_settle settle = {.number = o->display, .limit_ms = UINT32_MAX};
    uint64_t start_us = cli_now_us();
    if (!cli_connection_open(connection, o, kinds, kinds, failure))
        return false;
    r->connect_us = cli_now_us() - start_us;
    if (!cli_settle_wait(connection, &settle))
        return false;
    r->picture_us = cli_now_us() - start_us;
    r->width = (uint32_t)(settle.area.right - settle.area.left);
    r->height = (uint32_t)(settle.area.bottom - settle.area.top);
    return watch(connection, o->duration_ms ? o->duration_ms : 5000, r);
}

static void report(const struct cli_options *o, const struct result *r)
{
    double seconds = (double)r->lasted_us / 1e6;
    double us_per_drawing = r->drawings ? (double)r->cpu_us / (double)r->drawings : 0;
    if (!o->is_json) {
        printf("connected        %8.1f ms\n", (double)r->connect_us / 1e3);
        printf("first picture    %8.1f ms, %u x %u\n", (double)r->picture_us / 1e3,
               (unsigned)r->width, (unsigned)r->height);
        printf("frames           %8.1f /s over %.1f s\n", (double)r->frames / seconds, seconds);
        printf("received         %8.2f MiB/s\n", (double)r->bytes / seconds / (1 << 20));
        printf("drawings         %8.1f /s, %llu could not be drawn\n",
               (double)r->drawings / seconds, (unsigned long long)r->failed);
        printf("processor        %8.1f %%, %.0f us a drawing\n", (double)r->cpu_us / seconds / 1e4,
               us_per_drawing);
        printf("memory, at most  %8.1f MiB\n", (double)r->peak_kib / 1024);
        return;
    }
    struct cli_json json = cli_report_begin(stdout, o->command);
    cli_json_number(&json, "connect_us", (int64_t)r->connect_us);
    cli_json_number(&json, "first_picture_us", (int64_t)r->picture_us);
    cli_json_number(&json, "width", r->width);
    cli_json_number(&json, "height", r->height);
    cli_json_number(&json, "watched_us", (int64_t)r->lasted_us);
    cli_json_number(&json, "frames", (int64_t)r->frames);
    cli_json_number(&json, "bytes", (int64_t)r->bytes);
    cli_json_number(&json, "drawings", (int64_t)r->drawings);
    cli_json_number(&json, "failed_drawings", (int64_t)r->failed);
    cli_json_number(&json, "cpu_us", (int64_t)r->cpu_us);
    cli_json_number(&json, "peak_kib", r->peak_kib);
    cli_report_end(&json);
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct result result = {.frames = 0};
    bool is_good = measure(&connection, o, &result, failure);
    cli_connection_close(&connection);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    result.peak_kib = usage.ru_maxrss;
    if (is_good)
        report(o, &result);
    return is_good;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"duration", "TIME", "how long to watch (default 5s)", CLI_VALUE_DURATION, FIELD(duration_ms)},
    {"display", "N", "which monitor's first picture, from 0 (default 0)", CLI_VALUE_NUMBER,
     FIELD(display), .max = 255},
    {NULL},
};

const struct cli_command cli_command_bench = {
    .name = "bench",
    .words = "ADDRESS",
    .summary = "measure connecting, the first picture, frames and decoding",
    .about =
        "Measures how long connecting and the first complete picture take, then watches for\n"
        "--duration: frames (moments of change, at most 120 a second), bytes, drawings, and what\n"
        "decoding and drawing them cost this process.\n",
    .options = OPTIONS,
    .run = run,
};
