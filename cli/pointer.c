/* SPDX-License-Identifier: MIT */
#include "cli/pointer.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/connection.h"
#include "cli/keyboard.h"
#include "cli/options.h"
#include "cli/settle.h"
#include "sumac/inputs.h"

enum {
    MODE_MS = 1000,  /* for the server to change the mouse mode */
    MOVE_MS = 30,    /* between moving and pressing: guests poll */
    PRESS_MS = 40,   /* between pressing and letting go */
    STEP_PX = 8,     /* of a relative motion: slow enough for most accelerations */
    STEP_MS = 8,     /* between two of them */
    CORNER_PX = 400, /* a push into the corner; speed is no matter there */
    CORNER_PUSHES = 24,
};

const struct cli_choice CLI_BUTTONS[] = {
    {"left", SM_BUTTON_LEFT},       {"middle", SM_BUTTON_MIDDLE},
    {"right", SM_BUTTON_RIGHT},     {"up", SM_BUTTON_WHEEL_UP},
    {"down", SM_BUTTON_WHEEL_DOWN}, {"side", SM_BUTTON_SIDE},
    {"extra", SM_BUTTON_EXTRA},     {NULL, 0},
};

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

bool cli_pointer_open(struct cli_pointer *pointer, struct cli_connection *connection,
                      uint32_t display)
{
    struct cli_settle settle = {.number = display, .limit_ms = UINT32_MAX};
    *pointer = (struct cli_pointer){.connection = connection, .display = display};
    if (!cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS) ||
        !cli_settle_wait(connection, &settle))
        return false;
    pointer->area = settle.area;
    connection->doing = "moving the pointer";
    return find_mode(connection, &pointer->mode);
}

static bool push(struct cli_pointer *pointer, int32_t dx, int32_t dy)
{
    return cli_input_sent(pointer->connection,
                          sm_session_send_motion(pointer->connection->session, dx, dy)) &&
           cli_connection_pause(pointer->connection, STEP_MS);
}

static int32_t step_of(int32_t left)
{
    return left > STEP_PX ? STEP_PX : left < -STEP_PX ? -STEP_PX : left;
}

/* Into the top left corner, where every guest's pointer is stopped by the edge, then from there. */
static bool move_relative(struct cli_pointer *pointer, uint32_t x, uint32_t y)
{
    int32_t left_x = (int32_t)x - (int32_t)pointer->x, left_y = (int32_t)y - (int32_t)pointer->y;
    if (!pointer->is_placed) {
        for (int i = 0; i < CORNER_PUSHES; i++)
            if (!push(pointer, -CORNER_PX, -CORNER_PX))
                return false;
        left_x = pointer->area.left + (int32_t)x;
        left_y = pointer->area.top + (int32_t)y;
    }
    while (left_x || left_y) {
        int32_t dx = step_of(left_x), dy = step_of(left_y);
        if (!push(pointer, dx, dy))
            return false;
        left_x -= dx;
        left_y -= dy;
    }
    return true;
}

bool cli_pointer_check(const struct cli_pointer *pointer, uint32_t x, uint32_t y)
{
    uint32_t width = (uint32_t)(pointer->area.right - pointer->area.left);
    uint32_t height = (uint32_t)(pointer->area.bottom - pointer->area.top);
    return (x < width && y < height) ||
           cli_fail(pointer->connection->failure, CLI_EXIT_USAGE, "choose a place on the display",
                    "%u,%u is outside of display %u, which is %u x %u", (unsigned)x, (unsigned)y,
                    (unsigned)pointer->display, (unsigned)width, (unsigned)height);
}

bool cli_pointer_move(struct cli_pointer *pointer, uint32_t x, uint32_t y)
{
    struct cli_connection *connection = pointer->connection;
    if (!cli_pointer_check(pointer, x, y))
        return false;
    bool is_good =
        pointer->mode == SM_POINTER_MODE_CLIENT
            ? cli_input_sent(connection,
                             sm_session_send_position(connection->session, pointer->display, x, y))
            : move_relative(pointer, x, y);
    pointer->x = x;
    pointer->y = y;
    pointer->is_placed = true;
    return is_good && cli_connection_pause(connection, MOVE_MS);
}

bool cli_pointer_click(struct cli_pointer *pointer, uint32_t button)
{
    struct cli_connection *connection = pointer->connection;
    struct sm_session *session = connection->session;
    bool is_wheel = button == SM_BUTTON_WHEEL_UP || button == SM_BUTTON_WHEEL_DOWN;
    if (!cli_input_sent(connection, sm_session_send_button(session, (enum sm_button)button, true)))
        return false;
    /* Also after Ctrl-C: no button stays down. */
    bool is_good = is_wheel || cli_connection_pause(connection, PRESS_MS);
    return cli_input_sent(connection,
                          sm_session_send_button(session, (enum sm_button)button, false)) &&
           is_good && cli_connection_pause(connection, MOVE_MS);
}

bool cli_pointer_is_exact(const struct cli_pointer *pointer)
{
    if (pointer->mode == SM_POINTER_MODE_CLIENT)
        return true;
    fputs("sumac: the place is not exact: the machine has no tablet device and no agent\n", stderr);
    return false;
}

static bool change_keys(struct cli_pointer *pointer, const struct cli_options *options,
                        bool (*change)(struct cli_connection *, const struct sm_key_chord *))
{
    struct sm_key_chord chord;
    return !options->modifiers ||
           (cli_keyboard_parse(&chord, options->modifiers, pointer->connection->failure) &&
            change(pointer->connection, &chord) &&
            cli_connection_pause(pointer->connection, MOVE_MS));
}

bool cli_pointer_hold_keys(struct cli_pointer *pointer, const struct cli_options *options)
{
    return change_keys(pointer, options, cli_keyboard_press);
}

bool cli_pointer_release_keys(struct cli_pointer *pointer, const struct cli_options *options)
{
    return change_keys(pointer, options, cli_keyboard_release);
}

bool cli_pointer_prepare(struct cli_options *options, struct cli_failure *failure)
{
    struct sm_key_chord chord;
    return !options->modifiers || cli_keyboard_parse(&chord, options->modifiers, failure);
}
