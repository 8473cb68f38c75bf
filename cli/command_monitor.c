/* SPDX-License-Identifier: MIT */
/* What a connection does, once a second. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"

enum { CHANNELS_MAX = 64, DISPLAYS_MAX = 64 };

/** The figures of one moment. */
struct moment {
    uint64_t at_us;
    struct sm_channel_info channels[CHANNELS_MAX];
    size_t channel_count;
    struct sm_display_info displays[DISPLAYS_MAX];
    size_t display_count;
    uint64_t bytes, messages, drawings, failed;
    uint64_t changes;       /* events of changed pixels */
    uint32_t unanswered_ms; /* as in struct sm_session_info */
};

static void look(struct moment *m, struct sm_session *session, uint64_t changes)
{
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    *m = (struct moment){
        .at_us = cli_now_us(), .changes = changes, .unanswered_ms = info.unanswered_ms};
    m->channel_count = sm_session_get_channels(session, m->channels, CHANNELS_MAX);
    m->channel_count = m->channel_count < CHANNELS_MAX ? m->channel_count : CHANNELS_MAX;
    m->display_count = sm_session_get_displays(session, m->displays, DISPLAYS_MAX);
    m->display_count = m->display_count < DISPLAYS_MAX ? m->display_count : DISPLAYS_MAX;
    for (size_t i = 0; i < m->channel_count; i++) {
        m->bytes += m->channels[i].received_bytes;
        m->messages += m->channels[i].messages;
    }
    for (size_t i = 0; i < m->display_count; i++) {
        m->drawings += m->displays[i].drawings;
        m->failed += m->displays[i].failed_drawings;
    }
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return seconds > 0 && now > before ? (double)(now - before) / seconds : 0;
}

static void put_channels(struct cli_json *json, const struct moment *now)
{
    cli_json_open(json, "channels", '[');
    for (size_t i = 0; i < now->channel_count; i++) {
        const struct sm_channel_info *channel = &now->channels[i];
        if (!channel->is_open)
            continue;
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "kind", sm_channel_kind_name(channel->kind));
        cli_json_number(json, "id", channel->id);
        cli_json_bool(json, "secure", channel->is_secure);
        cli_json_number(json, "messages", (int64_t)channel->messages);
        cli_json_number(json, "bytes", (int64_t)channel->received_bytes);
        cli_json_number(json, "round_trip_us", (int64_t)channel->round_trip_us);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void print_json(const struct cli_options *o, const struct moment *now,
                       const struct moment *before, uint64_t start_us)
{
    double seconds = (double)(now->at_us - before->at_us) / 1e6;
    struct cli_json json = cli_report_begin(stdout, o->command);
    cli_json_number(&json, "at_ms", (int64_t)((now->at_us - start_us) / 1000));
    cli_json_number(&json, "bytes", (int64_t)now->bytes);
    cli_json_number(&json, "bytes_per_s", (int64_t)rate(now->bytes, before->bytes, seconds));
    cli_json_number(&json, "messages", (int64_t)now->messages);
    cli_json_number(&json, "drawings", (int64_t)now->drawings);
    cli_json_number(&json, "drawings_per_s",
                    (int64_t)rate(now->drawings, before->drawings, seconds));
    cli_json_number(&json, "failed_drawings", (int64_t)now->failed);
    cli_json_number(&json, "changes_per_s", (int64_t)rate(now->changes, before->changes, seconds));
    cli_json_number(&json, "unanswered_ms", now->unanswered_ms);
    cli_json_open(&json, "displays", '[');
    for (size_t i = 0; i < now->display_count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_number(&json, "channel", now->displays[i].channel_id);
        cli_json_number(&json, "width", now->displays[i].width);
        cli_json_number(&json, "height", now->displays[i].height);
        cli_json_bool(&json, "ready", now->displays[i].is_ready);
        cli_json_number(&json, "quiet_ms", (int64_t)(now->displays[i].quiet_us / 1000));
        cli_json_text(&json, "codec", now->displays[i].codec);
        cli_json_bool(&json, "on_card", now->displays[i].is_on_card);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    put_channels(&json, now);
    cli_report_end(&json);
}

static void print_channel(const struct sm_channel_info *channel, uint64_t old, double seconds)
{
    printf("  %-10s %u %s %10.1f KiB/s %10.1f MiB", sm_channel_kind_name(channel->kind),
           channel->id, channel->is_secure ? "TLS  " : "plain",
           rate(channel->received_bytes, old, seconds) / 1024,
           (double)channel->received_bytes / (1 << 20));
    if (channel->round_trip_us)
        printf(" %8.1f ms TCP round trip", (double)channel->round_trip_us / 1000);
    putchar('\n');
}

static void print_table(const struct cli_options *o, const struct moment *now,
                        const struct moment *before)
{
    double seconds = (double)(now->at_us - before->at_us) / 1e6;
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    printf("%s\n", sm_address_text(o->address));
    printf("received  %10.1f KiB/s  %10.1f MiB in all\n",
           rate(now->bytes, before->bytes, seconds) / 1024, (double)now->bytes / (1 << 20));
    printf("drawings  %10.0f /s     %10" PRIu64 " in all, %" PRIu64 " could not be drawn\n",
           rate(now->drawings, before->drawings, seconds), now->drawings, now->failed);
    printf("changes   %10.0f /s\n", rate(now->changes, before->changes, seconds));
    if (now->unanswered_ms)
        printf("the machine has not answered for %u s\n", (unsigned)now->unanswered_ms / 1000);
    for (size_t i = 0; i < now->display_count; i++)
        printf("display %u %ux%u, last change %.1f s ago%s%s%s\n", now->displays[i].channel_id,
               (unsigned)now->displays[i].width, (unsigned)now->displays[i].height,
               (double)now->displays[i].quiet_us / 1e6, now->displays[i].codec[0] ? ", " : "",
               now->displays[i].codec, now->displays[i].is_on_card ? " by the graphics card" : "");
    for (size_t i = 0; i < now->channel_count; i++) {
        const struct sm_channel_info *channel = &now->channels[i];
        uint64_t old = i < before->channel_count ? before->channels[i].received_bytes : 0;
        if (channel->is_open)
            print_channel(channel, old, seconds);
    }
}

/* True if time has passed; false if the session is over or the user has had enough. */
static bool pass(struct cli_connection *connection, uint64_t until_us, uint64_t *changes)
{
    struct sm_event event;
    enum cli_next next;
    while ((next = cli_connection_next(connection, until_us, &event)) == CLI_NEXT_EVENT)
        *changes += event.kind == SM_EVENT_DISPLAY_DAMAGE;
    return next == CLI_NEXT_TIME;
}

static bool watch(struct cli_connection *connection, const struct cli_options *o)
{
    struct moment moments[2];
    uint64_t start_us = cli_now_us(), changes = 0;
    connection->doing = "watching";
    look(&moments[0], connection->session, 0);
    for (uint32_t i = 1;; i++) {
        struct moment *now = &moments[i % 2], *before = &moments[(i + 1) % 2];
        cli_connection_progress(connection, o->every_ms);
        if (!pass(connection, start_us + (uint64_t)o->every_ms * 1000 * i, &changes))
            return connection->failure->code == CLI_EXIT_INTERRUPTED && !o->shot_count;
        look(now, connection->session, changes);
        if (o->is_json)
            print_json(o, now, before, start_us);
        else
            print_table(o, now, before);
        (void)fflush(stdout);
        if (o->shot_count && i >= o->shot_count)
            return true;
    }
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_connection connection;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_CURSOR;
    o->every_ms = o->every_ms ? o->every_ms : 1000;
    bool is_good = cli_connection_open(&connection, o, kinds, 0, failure) && watch(&connection, o);
    cli_connection_close(&connection);
    if (is_good)
        *failure = (struct cli_failure){.code = CLI_EXIT_OK};
    return is_good;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"every", "TIME", "how often (default 1s)", CLI_VALUE_DURATION, FIELD(every_ms)},
    {"count", "N", "end after so many times; else Ctrl-C ends it", CLI_VALUE_NUMBER,
     FIELD(shot_count), .min = 1, .max = 1000000},
    {NULL},
};

const struct cli_command cli_command_monitor = {
    .name = "monitor",
    .words = "ADDRESS",
    .summary = "show once a second what the connection does",
    .about =
        "Connects and shows again and again what arrives: bytes, drawings and changes a second,\n"
        "by channel, and how long displays have stood still. At a terminal the table is drawn\n"
        "over the last one; --json writes a line each time.\n",
    .options = OPTIONS,
    .run = run,
};
