/* SPDX-License-Identifier: MIT */
/* Turning the wheel. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/pointer.h"
#include "sumac/inputs.h"

enum { NOTCHES_MAX = 1000 };

/* AMOUNT, then perhaps X and Y. A negative amount scrolls up. */
static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 3, failure))
        return false;
    bool is_up = words[0][0] == '-';
    if (!cli_number_take(o, &o->notches, words[0] + is_up, NOTCHES_MAX, failure))
        return false;
    o->button = is_up ? SM_BUTTON_WHEEL_UP : SM_BUTTON_WHEEL_DOWN;
    o->has_place = count > 1;
    if (count == 2)
        return cli_usage(o, failure, "a place needs X and Y: ", words[1]);
    return count == 1 || (cli_number_take(o, &o->x, words[1], CLI_COORDINATE_MAX, failure) &&
                          cli_number_take(o, &o->y, words[2], CLI_COORDINATE_MAX, failure));
}

static bool turn(struct cli_pointer *pointer, const struct cli_options *o)
{
    for (uint32_t i = 0; i < o->notches; i++) {
        cli_connection_progress(pointer->connection, 0);
        if (!cli_pointer_click(pointer, o->button))
            return false;
    }
    return true;
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    struct cli_pointer pointer;
    if (!cli_pointer_open(&pointer, connection, o->display) ||
        (o->has_place && !cli_pointer_move(&pointer, o->x, o->y)) ||
        !cli_pointer_hold_keys(&pointer, o))
        return false;
    connection->doing = "scrolling";
    bool is_good = turn(&pointer, o);
    if (!cli_pointer_release_keys(&pointer, o) || !is_good)
        return false;
    bool is_up = o->button == SM_BUTTON_WHEEL_UP;
    cli_json_number(result, "notches", is_up ? -(int64_t)o->notches : (int64_t)o->notches);
    if (o->has_place) {
        cli_json_number(result, "x", o->x);
        cli_json_number(result, "y", o->y);
        cli_json_bool(result, "exact", cli_pointer_is_exact(&pointer));
    }
    return true;
}

static const struct cli_option OPTIONS[] = {
    CLI_OPTION_WITH,
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_scroll = {
    .name = "scroll",
    .words = "ADDRESS NOTCHES [X Y]",
    .summary = "turn the wheel",
    .about = "Turns the wheel down by NOTCHES, or up if it is negative, where the\n"
             "pointer is or at pixel X Y of a monitor. The protocol knows whole notches only.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = cli_pointer_prepare,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
