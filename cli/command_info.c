/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/report.h"

enum {
    DISPLAYS_MAX = 64,
    CHANNELS_MAX = 256,
    LOOK_MS = 1000, /* for the displays to say how large they are */
};

/** All there is to tell. */
struct facts {
    struct sm_session_info session;
    struct sm_display_info displays[DISPLAYS_MAX];
    size_t display_count;
    struct sm_channel_info channels[CHANNELS_MAX];
    size_t channel_count;
};

static void collect(struct facts *facts, struct sm_session *session)
{
    sm_session_get_info(session, &facts->session);
    facts->display_count = sm_session_get_displays(session, facts->displays, DISPLAYS_MAX);
    facts->channel_count = sm_session_get_channels(session, facts->channels, CHANNELS_MAX);
    if (facts->channel_count > CHANNELS_MAX)
        facts->channel_count = CHANNELS_MAX;
}

/* Every display and every channel we open has said what it has to say. */
static bool is_complete(const struct facts *facts)
{
    for (size_t i = 0; i < facts->display_count; i++)
        if (!facts->displays[i].is_ready)
            return false;
    for (size_t i = 0; i < facts->channel_count; i++)
        if (facts->channels[i].is_wanted && !facts->channels[i].is_open)
            return false;
    return true;
}

static bool look(struct cli_connection *connection, struct facts *facts)
{
    uint64_t until_us = cli_now_us() + LOOK_MS * 1000;
    connection->doing = "looking at the displays";
    for (;;) {
        struct sm_event event;
        collect(facts, connection->session);
        if (is_complete(facts))
            return true;
        enum cli_next next = cli_connection_next(connection, until_us, &event);
        if (next != CLI_NEXT_EVENT)
            return next == CLI_NEXT_TIME; /* a machine without a picture has facts as well */
    }
}

static void format_uuid(char out[37], const uint8_t uuid[16])
{
    char *to = out;
    for (int i = 0; i < 16; i++)
        to += sprintf(to, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
}

static const char *mode_name(enum sm_pointer_mode mode)
{
    switch (mode) {
    case SM_POINTER_MODE_CLIENT:
        return "client";
    case SM_POINTER_MODE_SERVER:
        return "server";
    default:
        return "unknown";
    }
}

/* ---- JSON ---- */

static void put_displays(struct cli_json *json, const struct facts *facts)
{
    cli_json_open(json, "displays", '[');
    for (size_t i = 0; i < facts->display_count; i++)
        for (size_t j = 0; j < facts->displays[i].monitor_count; j++) {
            const struct sm_display_info *display = &facts->displays[i];
            const struct sm_monitor *monitor = &display->monitors[j];
            cli_json_open(json, NULL, '{');
            cli_json_number(json, "number", monitor->number);
            cli_json_number(json, "channel", display->channel_id);
            cli_json_number(json, "monitor", monitor->id);
            cli_json_number(json, "x", monitor->area.left);
            cli_json_number(json, "y", monitor->area.top);
            cli_json_number(json, "width", monitor->area.right - monitor->area.left);
            cli_json_number(json, "height", monitor->area.bottom - monitor->area.top);
            cli_json_bool(json, "ready", display->is_ready);
            cli_json_close(json, '}');
        }
    cli_json_close(json, ']');
}

static void put_channels(struct cli_json *json, const struct facts *facts)
{
    cli_json_open(json, "channels", '[');
    for (size_t i = 0; i < facts->channel_count; i++) {
        const struct sm_channel_info *channel = &facts->channels[i];
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "kind", sm_channel_kind_name(channel->kind));
        cli_json_number(json, "type", channel->kind);
        cli_json_number(json, "id", channel->id);
        cli_json_bool(json, "open", channel->is_open);
        cli_json_bool(json, "secure", channel->is_secure);
        cli_json_number(json, "common_caps", channel->common_caps);
        cli_json_number(json, "channel_caps", channel->channel_caps);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void print_json(const struct cli_options *options, const struct facts *facts)
{
    const struct sm_session_info *session = &facts->session;
    struct cli_json json = cli_report_begin(stdout, options->command);
    char uuid[37];
    format_uuid(uuid, session->uuid);
    cli_json_text(&json, "address", sm_address_text(options->address));
    cli_json_text(&json, "name", session->name[0] ? session->name : NULL);
    cli_json_text(&json, "uuid", session->has_uuid ? uuid : NULL);
    cli_json_number(&json, "session_id", session->session_id);
    cli_json_bool(&json, "secure", facts->channel_count > 0 && facts->channels[0].is_secure);
    cli_json_bool(&json, "agent", session->has_agent);
    cli_json_text(&json, "mouse_mode", mode_name(session->mouse_mode));
    cli_json_open(&json, "mouse_modes", '[');
    if (session->supported_mouse_modes & SM_POINTER_MODE_SERVER)
        cli_json_text(&json, NULL, "server");
    if (session->supported_mouse_modes & SM_POINTER_MODE_CLIENT)
        cli_json_text(&json, NULL, "client");
    cli_json_close(&json, ']');
    put_displays(&json, facts);
    put_channels(&json, facts);
    cli_report_end(&json);
}

/* ---- For people ---- */

static void print_displays(const struct facts *facts)
{
    for (size_t i = 0; i < facts->display_count; i++) {
        const struct sm_display_info *display = &facts->displays[i];
        if (display->monitor_count == 0)
            printf("display:   channel %u shows nothing\n", display->channel_id);
        for (size_t j = 0; j < display->monitor_count; j++) {
            const struct sm_monitor *monitor = &display->monitors[j];
            printf("display %u: %d x %d at %d,%d%s\n", (unsigned)monitor->number,
                   (int)(monitor->area.right - monitor->area.left),
                   (int)(monitor->area.bottom - monitor->area.top), (int)monitor->area.left,
                   (int)monitor->area.top, display->is_ready ? "" : " (not complete)");
        }
    }
}

static void print_channels(const struct facts *facts)
{
    fputs("channels: ", stdout);
    for (size_t i = 0; i < facts->channel_count; i++)
        printf(" %s:%u", sm_channel_kind_name(facts->channels[i].kind),
               (unsigned)facts->channels[i].id);
    fputc('\n', stdout);
}

/* The server's name goes to a terminal: the library has taken control characters out of it. */
static void print_text(const struct cli_options *options, const struct facts *facts)
{
    const struct sm_session_info *session = &facts->session;
    bool is_secure = facts->channel_count > 0 && facts->channels[0].is_secure;
    char uuid[37];
    format_uuid(uuid, session->uuid);
    printf("address:   %s%s\n", sm_address_text(options->address),
           is_secure ? " (TLS)" : " (not encrypted)");
    printf("name:      %s\n", session->name[0] ? session->name : "(none)");
    if (session->has_uuid)
        printf("uuid:      %s\n", uuid);
    printf("mouse:     %s mode%s\n", mode_name(session->mouse_mode),
           session->supported_mouse_modes & SM_POINTER_MODE_CLIENT
               ? ""
               : " (client mode needs a tablet device or a guest agent)");
    printf("agent:     %s\n", session->has_agent ? "connected" : "not connected");
    print_displays(facts);
    print_channels(facts);
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct facts facts;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    bool is_good =
        cli_connection_open(&connection, options, kinds, 0, failure) && look(&connection, &facts);
    cli_connection_close(&connection);
    if (is_good && options->is_json)
        print_json(options, &facts);
    else if (is_good)
        print_text(options, &facts);
    return is_good;
}

const struct cli_command cli_command_info = {
    .name = "info",
    .words = "ADDRESS",
    .summary = "show what the server says about itself and the machine",
    .about = "Connects and shows the machine's name, its displays and monitors, mouse mode, guest\n"
             "agent and the channels the server offers.\n",
    .run = run,
};
