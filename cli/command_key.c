/* SPDX-License-Identifier: MIT */
/* Pressing keys. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/keyboard.h"
#include "cli/options.h"

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->text = words[0];
    return true;
}

static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    struct sm_key_chord chord;
    return cli_keyboard_parse(&chord, options->text, failure);
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    struct sm_key_chord chord;
    if (!cli_keyboard_parse(&chord, options->text, connection->failure) ||
        !cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS))
        return false;
    connection->doing = "pressing keys";
    cli_connection_progress(connection, options->hold_ms);
    if (!cli_keyboard_press(connection, &chord))
        return false;
    /* Also after Ctrl-C: no key stays down. */
    bool is_good = cli_connection_pause(connection, options->hold_ms);
    if (!cli_keyboard_release(connection, &chord) || !is_good)
        return false;
    cli_json_open(result, "keys", '[');
    for (size_t i = 0; i < chord.count; i++)
        cli_json_text(result, NULL, sm_key_name(chord.keys[i]));
    cli_json_close(result, ']');
    return true;
}

static void print_key_names(FILE *out)
{
    fputs("\nkeys:\n ", out);
    int column = 1;
    const char *name;
    for (size_t i = 0; (name = sm_key_name_at(i)); i++) {
        int width = fprintf(out, " %s", name);
        column += width > 0 ? width : 0;
        if (column > 76) {
            fputs("\n ", out);
            column = 1;
        }
    }
    fputc('\n', out);
}

static const struct cli_option OPTIONS[] = {
    {"hold", "TIME", "how long they are held (default 50ms)", CLI_VALUE_DURATION,
     offsetof(struct cli_options, hold_ms)},
    {NULL},
};

const struct cli_command cli_command_key = {
    .name = "key",
    .words = "ADDRESS KEYS",
    .summary = "press a key, or several together, such as ctrl-alt-f2",
    .about =
        "Presses keys together, in the order given, and lets them go in reverse order. KEYS are\n"
        "names joined by - or +, such as ctrl-alt-f2, shift+tab, super, ctrl-page-up.\n",
    .options = OPTIONS,
    .print_more = print_key_names,
    .take_words = take_words,
    .prepare = prepare,
    .kinds = 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
