/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/settle.h"

enum {
    MODE_MS = 1000,  /* for the server to change the mouse mode */
    MOVE_MS = 30,    /* between moving and pressing: guests poll */
    PRESS_MS = 40,   /* between pressing and letting go */
    GAP_MS = 80,     /* between two clicks */
    STEP_PX = 8,     /* of a relative motion: slow enough for most accelerations */
    STEP_MS = 8,     /* between two of them */
    CORNER_PX = 400, /* a push into the corner; speed is no matter there */
    CORNER_PUSHES = 24,
};

static bool sent(struct cli_connection *connection, enum sm_status status)
{
    switch (status) {
    case SM_OK:
        return true;
    case SM_ERR_NOMEM:
        return cli_fail_nomem(connection->failure);
    case SM_ERR_STATE:
        return cli_fail(connection->failure, CLI_EXIT_CLOSED, "try again",
                        "the inputs channel closed, or the mouse mode changed, just now");
    default:
        return cli_fail(connection->failure, CLI_EXIT_NO_DISPLAY, "try again",
                        "the display went away or changed its size just now");
    }
}

/* Client mode is asked for by the library; the answer takes a moment. */
static bool find_mode(struct cli_connection *connection, enum sm_pointer_mode *mode)
{
    uint64_t until_us = cli_now_us() + MODE_MS * 1000;
    for (;;) {
        struct sm_session_info info;
        struct sm_event event;
        sm_session_get_info(connection->session, &info);
        *mode = info.mouse_mode;
        if (info.mouse_mode == SM_POINTER_MODE_CLIENT ||
            !(info.supported_mouse_modes & SM_POINTER_MODE_CLIENT))
            return true;
        enum cli_next next = cli_connection_next(connection, until_us, &event);
        if (next != CLI_NEXT_EVENT)
            return next == CLI_NEXT_TIME;
    }
}

/* Into the top left corner, where every guest's pointer is stopped by the edge, then from there. */
static bool move_relative(struct cli_connection *connection, struct sm_rect area)
{
    const struct cli_options *o = connection->options;
    struct sm_session *session = connection->session;
    for (int i = 0; i < CORNER_PUSHES; i++)
        if (!sent(connection, sm_session_send_motion(session, -CORNER_PX, -CORNER_PX)) ||
            !cli_connection_pause(connection, STEP_MS))
            return false;
    int32_t left_x = area.left + (int32_t)o->x, left_y = area.top + (int32_t)o->y;
    while (left_x > 0 || left_y > 0) {
        int32_t dx = left_x < STEP_PX ? left_x : STEP_PX;
        int32_t dy = left_y < STEP_PX ? left_y : STEP_PX;
        if (!sent(connection, sm_session_send_motion(session, dx, dy)) ||
            !cli_connection_pause(connection, STEP_MS))
            return false;
        left_x -= dx;
        left_y -= dy;
    }
    return true;
}

static bool click_once(struct cli_connection *connection)
{
    struct sm_session *session = connection->session;
    enum sm_button button = connection->options->button;
    bool is_wheel = button == SM_BUTTON_WHEEL_UP || button == SM_BUTTON_WHEEL_DOWN;
    if (!sent(connection, sm_session_send_button(session, button, true)))
        return false;
    /* Also after Ctrl-C: no button stays down. */
    bool is_good = is_wheel || cli_connection_pause(connection, PRESS_MS);
    return sent(connection, sm_session_send_button(session, button, false)) && is_good;
}

static bool click_all(struct cli_connection *connection, struct cli_settle *settle,
                      enum sm_pointer_mode *mode)
{
    const struct cli_options *o = connection->options;
    if (!cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS) ||
        !cli_settle_wait(connection, settle))
        return false;
    connection->doing = "clicking";
    if (o->x >= (uint32_t)(settle->area.right - settle->area.left) ||
        o->y >= (uint32_t)(settle->area.bottom - settle->area.top))
        return cli_fail(connection->failure, CLI_EXIT_USAGE, "choose a place on the display",
                        "%u,%u is outside of display %u, which is %d x %d", (unsigned)o->x,
                        (unsigned)o->y, (unsigned)o->display,
                        (int)(settle->area.right - settle->area.left),
                        (int)(settle->area.bottom - settle->area.top));
    if (!find_mode(connection, mode))
        return false;
    if (*mode == SM_POINTER_MODE_CLIENT) {
        if (!sent(connection,
                  sm_session_send_position(connection->session, o->display, o->x, o->y)))
            return false;
    } else if (!move_relative(connection, settle->area)) {
        return false;
    }
    if (!cli_connection_pause(connection, MOVE_MS) || !click_once(connection))
        return false;
    if (o->is_double && (!cli_connection_pause(connection, GAP_MS) || !click_once(connection)))
        return false;
    return cli_connection_pause(connection, MOVE_MS) && cli_connection_finish(connection);
}

bool cli_click(const struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct cli_settle settle = {.number = options->display, .limit_ms = UINT32_MAX};
    enum sm_pointer_mode mode = SM_POINTER_MODE_UNKNOWN;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS;
    bool is_good = cli_connection_open(&connection, options, kinds, kinds, failure) &&
                   click_all(&connection, &settle, &mode);
    cli_connection_close(&connection);
    if (is_good && mode != SM_POINTER_MODE_CLIENT)
        fputs("sumac: the place is not exact: the machine has no tablet device and no agent\n",
              stderr);
    if (is_good && options->is_json) {
        struct cli_json json = cli_report_begin(stdout, options->command);
        cli_json_number(&json, "x", options->x);
        cli_json_number(&json, "y", options->y);
        cli_json_number(&json, "display", options->display);
        cli_json_bool(&json, "exact", mode == SM_POINTER_MODE_CLIENT);
        cli_report_end(&json);
    }
    return is_good;
}
