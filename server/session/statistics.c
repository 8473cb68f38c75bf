/* SPDX-License-Identifier: MIT */
#include "server/session/statistics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/channel/channel.h"
#include "io/clock.h"
#include "server/session/connection.h"
#include "server/session/figures.h"
#include "server/session/internal.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

/* ---- what there is ---- */

/* One channel's numbers, as they are now. */
struct channel {
    uint32_t client;
    const char *type;
    struct sm_connection_facts facts;
    uint64_t received_bytes, sent_bytes, round_trip_us, line_bytes_s;
    uint64_t pictures, dropped, waiting, frames, collapses, encodes, encode_us, age_us, age_max_us;
    uint64_t codecs[SM_FIGURE_CODECS];
    enum sm_figure_codec last_codec;
};

static const char *type_name(uint8_t type)
{
    static const char *const NAMES[SM_CHANNEL_TYPE_END] = {
        [SM_CHANNEL_MAIN] = "main",           [SM_CHANNEL_DISPLAY] = "display",
        [SM_CHANNEL_INPUTS] = "inputs",       [SM_CHANNEL_CURSOR] = "cursor",
        [SM_CHANNEL_PLAYBACK] = "playback",   [SM_CHANNEL_RECORD] = "record",
        [SM_CHANNEL_SMARTCARD] = "smartcard", [SM_CHANNEL_USBREDIR] = "usbredir",
        [SM_CHANNEL_PORT] = "port",           [SM_CHANNEL_WEBDAV] = "webdav",
    };
    return type < SM_CHANNEL_TYPE_END && NAMES[type] ? NAMES[type] : "unknown";
}

static void read_figures(struct channel *channel, const struct sm_figures *figures)
{
    channel->received_bytes = sm_figure_get(&figures->meter.received_bytes);
    channel->sent_bytes = sm_figure_get(&figures->meter.sent_bytes);
    channel->round_trip_us = sm_figure_get(&figures->round_trip_us);
    channel->line_bytes_s = sm_figure_get(&figures->line_bytes_s);
    channel->pictures = sm_figure_get(&figures->pictures);
    channel->waiting = sm_figure_get(&figures->waiting);
    channel->frames = sm_figure_get(&figures->frames);
    channel->collapses = sm_figure_get(&figures->collapses);
    channel->encodes = sm_figure_get(&figures->encodes);
    channel->encode_us = sm_figure_get(&figures->encode_us);
    channel->age_us = sm_figure_get(&figures->age_us);
    channel->age_max_us = sm_figure_get(&figures->age_max_us);
    for (unsigned i = 0; i < SM_FIGURE_CODECS; i++)
        channel->codecs[i] = sm_figure_get(&figures->codecs[i]);
    channel->last_codec =
        (enum sm_figure_codec)atomic_load((_Atomic uint32_t *)(uintptr_t)&figures->last_codec);
    uint64_t queued = sm_figure_get(&figures->queued), seen = channel->pictures + channel->waiting;
    channel->dropped = queued > seen ? queued - seen : 0;
}

static struct channel read_channel(const struct sm_session *session,
                                   const struct sm_connection *connection)
{
    struct channel channel = {.client = sm_session_id(session),
                              .facts = sm_connection_facts(connection)};
    channel.type = type_name(channel.facts.channel_type);
    if (channel.facts.figures)
        read_figures(&channel, channel.facts.figures);
    const struct sm_main_channel *main = sm_session_main(session);
    if (channel.facts.channel_type == SM_CHANNEL_MAIN && main) {
        struct sm_channel_net_test test = sm_main_channel_net_test(main);
        uint64_t round_trip_us = sm_main_channel_round_trip_us(main);
        channel.round_trip_us = round_trip_us ? round_trip_us : test.latency_us;
        channel.line_bytes_s = test.bits_per_second / 8;
    }
    return channel;
}

static uint64_t seconds_since(uint64_t then_us)
{
    uint64_t now_us = sm_now_us();
    return now_us > then_us ? (now_us - then_us) / 1000000 : 0;
}

/* The next session, from NULL on. */
static const struct sm_session *next_session(const struct sm_server *server,
                                             const struct sm_session *session)
{
    return sm_session_after(server, session ? sm_session_id(session) : 0);
}

/* ---- Prometheus ---- */

/* A number of a channel: counters end in _total, times are told in seconds. */
struct metric {
    const char *name, *help;
    size_t offset; /* in struct channel, of an uint64_t */
    bool is_display, is_counter, is_time;
};

#define AT(member) offsetof(struct channel, member)
static const struct metric METRICS[] = {
    {"sumac_channel_received_bytes_total", "Bytes from the client", AT(received_bytes), false, true,
     false},
    {"sumac_channel_sent_bytes_total", "Bytes to the client", AT(sent_bytes), false, true, false},
    {"sumac_channel_round_trip_seconds", "Round trip, 0 if not known", AT(round_trip_us), false,
     false, true},
    {"sumac_channel_line_bytes_per_second", "What the line carries, 0 if not known",
     AT(line_bytes_s), false, false, false},
    {"sumac_display_pictures_total", "Drawings sent", AT(pictures), true, true, false},
    {"sumac_display_dropped_total", "Drawings that newer pixels replaced", AT(dropped), true, true,
     false},
    {"sumac_display_waiting", "Things that wait to be sent", AT(waiting), true, false, false},
    {"sumac_display_frames_total", "Frames of video streams sent", AT(frames), true, true, false},
    {"sumac_display_collapses_total", "Times when what waited became areas", AT(collapses), true,
     true, false},
    {"sumac_display_encodes_total", "Messages with something encoded", AT(encodes), true, true,
     false},
    {"sumac_display_encode_seconds_total", "Time spent encoding", AT(encode_us), true, true, true},
    {"sumac_display_pixel_age_seconds", "Age of the last pixels when given to the line", AT(age_us),
     true, false, true},
    {"sumac_display_pixel_age_max_seconds", "The highest of these", AT(age_max_us), true, false,
     true},
};
#undef AT

enum { METRIC_COUNT = sizeof(METRICS) / sizeof(METRICS[0]) };

static uint64_t value_of(const struct channel *channel, const struct metric *metric)
{
    return *(const uint64_t *)(const void *)((const char *)channel + metric->offset);
}

static void write_sample(FILE *out, const struct channel *channel, const struct metric *metric)
{
    uint64_t value = value_of(channel, metric);
    fprintf(out, "%s{client=\"%08" PRIx32 "\",channel=\"%s\",id=\"%u\"} ", metric->name,
            channel->client, channel->type, channel->facts.channel_id);
    if (metric->is_time)
        fprintf(out, "%" PRIu64 ".%06u\n", value / 1000000, (unsigned)(value % 1000000));
    else
        fprintf(out, "%" PRIu64 "\n", value);
}

static bool is_display(const struct channel *channel)
{
    return channel->facts.channel_type == SM_CHANNEL_DISPLAY;
}

static void write_codecs(FILE *out, const struct channel *channel)
{
    for (unsigned i = 0; i < SM_FIGURE_CODECS; i++)
        if (channel->codecs[i])
            fprintf(out,
                    "sumac_display_images_total{client=\"%08" PRIx32
                    "\",channel=\"display\",id=\"%u\",codec=\"%s\"} %" PRIu64 "\n",
                    channel->client, channel->facts.channel_id, sm_figure_codec_name(i),
                    channel->codecs[i]);
}

static void write_head(FILE *out, const char *name, const char *help, bool is_counter)
{
    fprintf(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name,
            is_counter ? "counter" : "gauge");
}

static void write_server_metrics(FILE *out, const struct sm_server *server)
{
    write_head(out, "sumac_clients", "Clients connected", false);
    fprintf(out, "sumac_clients %u\n", sm_server_client_count(server));
    write_head(out, "sumac_links_pending", "Connections in their link phase", false);
    fprintf(out, "sumac_links_pending %u\n", server->connection_count);
    write_head(out, "sumac_logins_failed_total", "Failed log-ins", true);
    fprintf(out, "sumac_logins_failed_total %" PRIu64 "\n", server->failed_logins);
    write_head(out, "sumac_client_view_only", "1 if the client may only look", false);
    for (const struct sm_session *s = NULL; (s = next_session(server, s));)
        fprintf(out, "sumac_client_view_only{client=\"%08" PRIx32 "\"} %d\n", sm_session_id(s),
                sm_session_is_view_only(s));
    write_head(out, "sumac_client_holder", "1 if the client holds microphone and USB devices",
               false);
    for (const struct sm_session *s = NULL; (s = next_session(server, s));)
        fprintf(out, "sumac_client_holder{client=\"%08" PRIx32 "\"} %d\n", sm_session_id(s),
                sm_session_id(s) == server->holder);
}

static void write_prometheus(FILE *out, const struct sm_server *server)
{
    write_server_metrics(out, server);
    for (const struct metric *metric = METRICS; metric < METRICS + METRIC_COUNT; metric++) {
        write_head(out, metric->name, metric->help, metric->is_counter);
        for (const struct sm_session *s = NULL; (s = next_session(server, s));)
            for (const struct sm_connection *c = NULL; (c = sm_session_next_connection(s, c));) {
                struct channel channel = read_channel(s, c);
                if (!metric->is_display || is_display(&channel))
                    write_sample(out, &channel, metric);
            }
    }
    write_head(out, "sumac_display_images_total", "Images and frames sent, by codec", true);
    for (const struct sm_session *s = NULL; (s = next_session(server, s));)
        for (const struct sm_connection *c = NULL; (c = sm_session_next_connection(s, c));) {
            struct channel channel = read_channel(s, c);
            if (is_display(&channel))
                write_codecs(out, &channel);
        }
}

/* ---- JSON ---- */

static void write_json_display(FILE *out, const struct channel *channel)
{
    fprintf(out,
            ",\"pictures\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"waiting\":%" PRIu64
            ",\"frames\":%" PRIu64 ",\"collapses\":%" PRIu64 ",\"encodes\":%" PRIu64
            ",\"encode_us\":%" PRIu64 ",\"pixel_age_us\":%" PRIu64 ",\"pixel_age_max_us\":%" PRIu64
            ",\"codec\":\"%s\",\"codecs\":{",
            channel->pictures, channel->dropped, channel->waiting, channel->frames,
            channel->collapses, channel->encodes, channel->encode_us, channel->age_us,
            channel->age_max_us, sm_figure_codec_name(channel->last_codec));
    const char *comma = "";
    for (unsigned i = 0; i < SM_FIGURE_CODECS; i++)
        if (channel->codecs[i]) {
            fprintf(out, "%s\"%s\":%" PRIu64, comma, sm_figure_codec_name(i), channel->codecs[i]);
            comma = ",";
        }
    fputs("}", out);
}

static void write_json_channel(FILE *out, const struct channel *channel)
{
    fprintf(out,
            "{\"type\":\"%s\",\"id\":%u,\"tls\":%s,\"connected_s\":%" PRIu64
            ",\"received_bytes\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"round_trip_us\":%" PRIu64
            ",\"line_bytes_per_second\":%" PRIu64,
            channel->type, channel->facts.channel_id, channel->facts.is_secure ? "true" : "false",
            seconds_since(channel->facts.linked_us), channel->received_bytes, channel->sent_bytes,
            channel->round_trip_us, channel->line_bytes_s);
    if (is_display(channel))
        write_json_display(out, channel);
    fputs("}", out);
}

static void write_json_session(FILE *out, const struct sm_server *server,
                               const struct sm_session *session)
{
    const char *comma = "";
    fprintf(out, "{\"id\":%" PRIu32 ",\"address\":\"%s\",\"view_only\":%s,\"holder\":%s,",
            sm_session_id(session), sm_session_place(session),
            sm_session_is_view_only(session) ? "true" : "false",
            sm_session_id(session) == server->holder ? "true" : "false");
    fputs("\"channels\":[", out);
    for (const struct sm_connection *c = NULL; (c = sm_session_next_connection(session, c));) {
        struct channel channel = read_channel(session, c);
        fputs(comma, out);
        write_json_channel(out, &channel);
        comma = ",";
    }
    fputs("]}", out);
}

static void write_json(FILE *out, const struct sm_server *server)
{
    const char *comma = "";
    fprintf(out, "{\"links_pending\":%u,\"failed_logins\":%" PRIu64 ",\"clients\":[",
            server->connection_count, server->failed_logins);
    for (const struct sm_session *s = NULL; (s = next_session(server, s));) {
        fputs(comma, out);
        write_json_session(out, server, s);
        comma = ",";
    }
    fputs("]}\n", out);
}

/* ---- for people ---- */

static void write_row(FILE *out, const struct channel *channel)
{
    fprintf(out, "  %-10s %2u %10.1f %10.1f %8.1f", channel->type, channel->facts.channel_id,
            (double)channel->received_bytes / 1024, (double)channel->sent_bytes / 1024,
            (double)channel->round_trip_us / 1000);
    if (channel->line_bytes_s)
        fprintf(out, " %9.1f", (double)channel->line_bytes_s * 8 / 1000000);
    else
        fprintf(out, " %9s", "-");
    if (is_display(channel))
        fprintf(out, " %8" PRIu64 " %7" PRIu64 " %7" PRIu64 " %5" PRIu64 " %8.2f %8.1f %8.1f %-8s",
                channel->pictures, channel->frames, channel->dropped, channel->waiting,
                channel->encodes ? (double)channel->encode_us / 1000 / (double)channel->encodes : 0,
                (double)channel->age_us / 1000, (double)channel->age_max_us / 1000,
                sm_figure_codec_name(channel->last_codec));
    fputs("\n", out);
}

static void write_table(FILE *out, const struct sm_server *server)
{
    fprintf(out, "clients %u, links pending %u, failed log-ins %" PRIu64 "\n",
            sm_server_client_count(server), server->connection_count, server->failed_logins);
    for (const struct sm_session *s = NULL; (s = next_session(server, s));) {
        fprintf(out, "\nclient %08" PRIx32 " from %s%s%s\n", sm_session_id(s), sm_session_place(s),
                sm_session_is_view_only(s) ? ", looks only" : "",
                sm_session_id(s) == server->holder ? ", holds microphone and USB" : "");
        fprintf(out, "  %-10s %2s %10s %10s %8s %9s %8s %7s %7s %5s %8s %8s %8s %-8s\n", "channel",
                "id", "in KiB", "out KiB", "rtt ms", "Mbit/s", "pictures", "frames", "dropped",
                "waits", "enc ms", "age ms", "max ms", "codec");
        for (const struct sm_connection *c = NULL; (c = sm_session_next_connection(s, c));) {
            struct channel channel = read_channel(s, c);
            write_row(out, &channel);
        }
    }
}

enum sm_status sm_statistics_write(char **out, size_t *size, const struct sm_server *server,
                                   enum sm_statistics_format format)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    if (!file)
        return SM_ERR_NOMEM;
    switch (format) {
    case SM_STATISTICS_PROMETHEUS:
        write_prometheus(file, server);
        break;
    case SM_STATISTICS_JSON:
        write_json(file, server);
        break;
    case SM_STATISTICS_TABLE:
        write_table(file, server);
        break;
    }
    bool is_good = !ferror(file);
    is_good = fclose(file) == 0 && is_good;
    if (!is_good) {
        free(text);
        return SM_ERR_NOMEM;
    }
    *out = text;
    return SM_OK;
}
