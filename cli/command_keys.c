/* SPDX-License-Identifier: MIT */
/* type and key: commands that use the keyboard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/typing.h"

enum {
    DEFAULT_DELAY_MS = 15, /* an emulated PS/2 keyboard has room for a handful of keys */
    DEFAULT_HOLD_MS = 50,
    CAPS_LOCK = 4,
    LEDS_MS = 500, /* for the server to tell the lock keys */
};

/* A status of the inputs functions: SM_ERR_STATE means that the channel has just gone, and the
 * event that says why is on its way. */
static bool sent(struct cli_connection *connection, enum sm_status status)
{
    if (status == SM_OK)
        return true;
    if (status == SM_ERR_NOMEM)
        return cli_fail_nomem(connection->failure);
    return cli_fail(connection->failure, CLI_EXIT_CLOSED, "try again",
                    "the inputs channel closed while %s", connection->doing);
}

static bool open_keyboard(struct cli_connection *connection, const struct cli_options *options,
                          struct cli_failure *failure)
{
    uint32_t kinds = 1u << SM_CHANNEL_KIND_INPUTS;
    return cli_connection_open(connection, options, kinds, kinds, failure) &&
           cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS);
}

/* With Caps Lock lit every letter would come out in the other case. The server tells the state
 * right after the channel has opened. */
static bool clear_caps_lock(struct cli_connection *connection)
{
    uint64_t until_us = cli_now_us() + LEDS_MS * 1000;
    struct sm_event event;
    enum cli_next next;
    do {
        next = cli_connection_next(connection, until_us, &event);
    } while (next == CLI_NEXT_EVENT &&
             !(event.kind == SM_EVENT_INFO && event.channel == SM_CHANNEL_KIND_INPUTS));
    if (next == CLI_NEXT_FAILED)
        return false;
    struct sm_session_info info;
    sm_session_get_info(connection->session, &info);
    if (!(info.keyboard_leds & CAPS_LOCK))
        return true;
    return sent(connection, sm_session_send_leds(connection->session,
                                                 info.keyboard_leds & ~(uint32_t)CAPS_LOCK));
}

static bool type_all(struct cli_connection *connection, const struct sm_key_chord *chords,
                     size_t count)
{
    uint32_t delay_ms = connection->options->delay_ms;
    if (delay_ms == UINT32_MAX)
        delay_ms = DEFAULT_DELAY_MS;
    connection->doing = "typing";
    if (!clear_caps_lock(connection))
        return false;
    for (size_t i = 0; i < count; i++) {
        cli_connection_progress(connection, delay_ms); /* a long text may take its time */
        if (!sent(connection, sm_session_send_chord(connection->session, &chords[i])) ||
            !cli_connection_pause(connection, delay_ms))
            return false;
    }
    return cli_connection_finish(connection);
}

static bool type_text(const struct cli_options *options, const char *text, size_t size,
                      struct cli_failure *failure)
{
    struct sm_key_chord *chords;
    size_t count;
    if (!cli_typing_plan(&chords, &count, text, size, failure))
        return false;
    struct cli_connection connection;
    bool is_good =
        open_keyboard(&connection, options, failure) && type_all(&connection, chords, count);
    cli_connection_close(&connection);
    free(chords);
    if (is_good && options->is_json) {
        struct cli_json json = cli_report_begin(stdout, options->command);
        cli_json_number(&json, "characters", (int64_t)count);
        cli_report_end(&json);
    }
    return is_good;
}

bool cli_type(const struct cli_options *options, struct cli_failure *failure)
{
    if (!options->text_file)
        return type_text(options, options->text, strlen(options->text), failure);
    char *text;
    size_t size;
    if (!cli_typing_read(&text, &size, options->text_file, failure))
        return false;
    bool is_good = type_text(options, text, size, failure);
    free(text);
    return is_good;
}

static bool press_all(struct cli_connection *connection, const struct sm_key_chord *chord)
{
    uint32_t hold_ms = connection->options->delay_ms;
    if (hold_ms == UINT32_MAX)
        hold_ms = DEFAULT_HOLD_MS;
    connection->doing = "pressing keys";
    cli_connection_progress(connection, hold_ms);
    for (size_t i = 0; i < chord->count; i++)
        if (!sent(connection, sm_session_send_key(connection->session, chord->keys[i], true)))
            return false;
    /* Also after Ctrl-C: no key stays down. */
    bool is_good = cli_connection_pause(connection, hold_ms);
    for (size_t i = chord->count; i > 0; i--)
        is_good =
            sent(connection, sm_session_send_key(connection->session, chord->keys[i - 1], false)) &&
            is_good;
    return cli_connection_finish(connection) && is_good;
}

bool cli_key(const struct cli_options *options, struct cli_failure *failure)
{
    struct sm_key_chord chord;
    char bad[32];
    enum sm_status status = sm_key_chord_parse(&chord, options->text, bad, sizeof(bad));
    if (status == SM_ERR_LIMIT)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "name each key once, at most 8 of them",
                        "too many keys, or one of them twice: %s", bad);
    if (status != SM_OK)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "see `sumac key --help` for the names",
                        bad[0] ? "there is no key called %s" : "a key is missing%s", bad);
    struct cli_connection connection;
    bool is_good = open_keyboard(&connection, options, failure) && press_all(&connection, &chord);
    cli_connection_close(&connection);
    if (is_good && options->is_json) {
        struct cli_json json = cli_report_begin(stdout, options->command);
        cli_json_open(&json, "keys", '[');
        for (size_t i = 0; i < chord.count; i++)
            cli_json_text(&json, NULL, sm_key_name(chord.keys[i]));
        cli_json_close(&json, ']');
        cli_report_end(&json);
    }
    return is_good;
}
