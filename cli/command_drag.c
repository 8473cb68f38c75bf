/* SPDX-License-Identifier: MIT */
/* Dragging something from one place to another. */
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/keyboard.h"
#include "cli/options.h"
#include "cli/pointer.h"
#include "sumac/inputs.h"

enum {
    STOPS = 16,    /* on the way: programs look at how it moves */
    HOLD_MS = 100, /* before the first and after the last: so that it is a drag */
};

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    return cli_words_check(o, count, words, 4, 4, failure) &&
           cli_number_take(o, &o->x, words[0], CLI_COORDINATE_MAX, failure) &&
           cli_number_take(o, &o->y, words[1], CLI_COORDINATE_MAX, failure) &&
           cli_number_take(o, &o->to_x, words[2], CLI_COORDINATE_MAX, failure) &&
           cli_number_take(o, &o->to_y, words[3], CLI_COORDINATE_MAX, failure);
}

static uint32_t between(uint32_t from, uint32_t to, uint32_t stop)
{
    return (from * (STOPS - stop) + to * stop) / STOPS;
}

static bool travel(struct cli_pointer *pointer, const struct cli_options *o)
{
    if (!cli_connection_pause(pointer->connection, HOLD_MS))
        return false;
    for (uint32_t stop = 1; stop <= STOPS; stop++) {
        cli_connection_progress(pointer->connection, 0); /* relative motion takes its time */
        if (!cli_pointer_move(pointer, between(o->x, o->to_x, stop), between(o->y, o->to_y, stop)))
            return false;
    }
    return cli_connection_pause(pointer->connection, HOLD_MS);
}

static bool drag(struct cli_pointer *pointer, const struct cli_options *o)
{
    struct cli_connection *connection = pointer->connection;
    enum sm_button button = (enum sm_button)o->button;
    if (!cli_input_sent(connection, sm_session_send_button(connection->session, button, true)))
        return false;
    bool is_good = travel(pointer, o);
    return cli_input_sent(connection, sm_session_send_button(connection->session, button, false)) &&
           is_good;
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    struct cli_pointer pointer;
    if (!cli_pointer_open(&pointer, connection, o->display) ||
        !cli_pointer_check(&pointer, o->to_x, o->to_y) || !cli_pointer_move(&pointer, o->x, o->y) ||
        !cli_pointer_hold_keys(&pointer, o))
        return false;
    connection->doing = "dragging";
    bool is_good = drag(&pointer, o);
    if (!cli_pointer_release_keys(&pointer, o) || !is_good)
        return false;
    cli_json_number(result, "x", o->x);
    cli_json_number(result, "y", o->y);
    cli_json_number(result, "to_x", o->to_x);
    cli_json_number(result, "to_y", o->to_y);
    cli_json_number(result, "display", o->display);
    cli_json_bool(result, "exact", cli_pointer_is_exact(&pointer));
    return true;
}

/* The wheel cannot be held down. */
static const struct cli_choice BUTTONS[] = {
    {"left", SM_BUTTON_LEFT}, {"middle", SM_BUTTON_MIDDLE}, {"right", SM_BUTTON_RIGHT},
    {"side", SM_BUTTON_SIDE}, {"extra", SM_BUTTON_EXTRA},   {NULL, 0},
};

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"button", "NAME", "left (default), middle, right, side, extra", CLI_VALUE_CHOICE,
     FIELD(button), .choices = BUTTONS},
    CLI_OPTION_WITH,
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_drag = {
    .name = "drag",
    .words = "ADDRESS X Y TO_X TO_Y",
    .summary = "press a button, move, and let it go elsewhere",
    .about =
        "Moves the pointer to pixel X Y of a monitor, presses a button, moves on to TO_X TO_Y in\n"
        "small steps and lets the button go. Places are as exact as with `sumac click`.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = cli_pointer_prepare,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
