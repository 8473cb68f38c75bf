/* SPDX-License-Identifier: MIT */
#include "cli/keyboard.h"

#include "cli/connection.h"

enum {
    CAPS_LOCK = 4,
    LEDS_MS = 500, /* for the server to tell the lock keys */
};

bool cli_input_sent(struct cli_connection *connection, enum sm_status status)
{
    switch (status) {
    case SM_OK:
        return true;
    case SM_ERR_NOMEM:
        return cli_fail_nomem(connection->failure);
    case SM_ERR_STATE:
        /* The event that says why is on its way. */
        return cli_fail(connection->failure, CLI_EXIT_CLOSED, "try again",
                        "the inputs channel closed, or the mouse mode changed, while %s",
                        connection->doing);
    default:
        return cli_fail(connection->failure, CLI_EXIT_NO_DISPLAY, "try again",
                        "the display went away or changed its size just now");
    }
}

/* The server tells the state right after the channel has opened. */
bool cli_keyboard_clear_caps_lock(struct cli_connection *connection)
{
    uint64_t until_us = cli_now_us() + LEDS_MS * 1000;
    struct sm_event event;
    enum cli_next next = CLI_NEXT_EVENT;
    while (next == CLI_NEXT_EVENT && !connection->knows_leds) {
        next = cli_connection_next(connection, until_us, &event);
    }
    if (next == CLI_NEXT_FAILED)
        return false;
    struct sm_session_info info;
    sm_session_get_info(connection->session, &info);
    if (!(info.keyboard_leds & CAPS_LOCK))
        return true;
    return cli_input_sent(
        connection,
        sm_session_send_leds(connection->session, info.keyboard_leds & ~(uint32_t)CAPS_LOCK));
}

bool cli_keyboard_parse(struct sm_key_chord *chord, const char *text, struct cli_failure *failure)
{
    char bad[32];
    enum sm_status status = sm_key_chord_parse(chord, text, bad, sizeof(bad));
    if (status == SM_ERR_LIMIT)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "name each key once, at most 8 of them",
                        "too many keys, or one of them twice: %s", bad);
    if (status != SM_OK)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "see `sumac key --help` for the names",
                        bad[0] ? "there is no key called %s" : "a key is missing%s", bad);
    return true;
}

bool cli_keyboard_press(struct cli_connection *connection, const struct sm_key_chord *chord)
{
    for (size_t i = 0; i < chord->count; i++)
        if (!cli_input_sent(connection,
                            sm_session_send_key(connection->session, chord->keys[i], true))) {
            (void)!sm_session_release_all(connection->session);
            return false;
        }
    return true;
}

bool cli_keyboard_release(struct cli_connection *connection, const struct sm_key_chord *chord)
{
    bool is_good = true;
    for (size_t i = chord->count; i > 0; i--)
        is_good = cli_input_sent(connection, sm_session_send_key(connection->session,
                                                                 chord->keys[i - 1], false)) &&
                  is_good;
    return is_good;
}
