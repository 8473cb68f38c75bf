/* SPDX-License-Identifier: MIT */
/* Clicking somewhere. */
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/pointer.h"

enum { GAP_MS = 50 /* between two clicks, besides the pause after each */ };

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    return cli_words_check(o, count, words, 2, 2, failure) &&
           cli_number_take(o, &o->x, words[0], CLI_COORDINATE_MAX, failure) &&
           cli_number_take(o, &o->y, words[1], CLI_COORDINATE_MAX, failure);
}

static bool click(struct cli_pointer *pointer, const struct cli_options *o)
{
    return cli_pointer_click(pointer, o->button) &&
           (!o->is_double || (cli_connection_pause(pointer->connection, GAP_MS) &&
                              cli_pointer_click(pointer, o->button)));
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    struct cli_pointer pointer;
    if (!cli_pointer_open(&pointer, connection, o->display) ||
        !cli_pointer_move(&pointer, o->x, o->y) || !cli_pointer_hold_keys(&pointer, o))
        return false;
    connection->doing = "clicking";
    bool is_good = click(&pointer, o);
    if (!cli_pointer_release_keys(&pointer, o) || !is_good)
        return false;
    cli_json_number(result, "x", o->x);
    cli_json_number(result, "y", o->y);
    cli_json_number(result, "display", o->display);
    cli_json_bool(result, "exact", cli_pointer_is_exact(&pointer));
    return true;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"button", "NAME", "left (default), middle, right, up, down (the wheel), side, extra",
     CLI_VALUE_CHOICE, FIELD(button), .choices = CLI_BUTTONS},
    {"double", NULL, "click twice", CLI_VALUE_FLAG, FIELD(is_double)},
    CLI_OPTION_WITH,
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_click = {
    .name = "click",
    .words = "ADDRESS X Y",
    .summary = "click somewhere",
    .about =
        "Moves the pointer to pixel X Y of a monitor, counted from its top left corner, and\n"
        "clicks. With a tablet device or a guest agent (mouse mode client) the place is exact.\n"
        "Without, only relative motion can be sent: the pointer is first pushed into the top\n"
        "left corner, and acceleration in the guest makes the place inexact.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = cli_pointer_prepare,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
