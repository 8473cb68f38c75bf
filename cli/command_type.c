/* SPDX-License-Identifier: MIT */
/* Typing text. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/keyboard.h"
#include "cli/options.h"
#include "cli/typing.h"

/** The keys to be pressed. */
struct plan {
    struct sm_key_chord *chords; /* owned */
    size_t count;
};

static void destroy_plan(void *opaque)
{
    struct plan *plan = opaque;
    if (plan)
        free(plan->chords);
    free(plan);
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    int wanted = o->text_file ? 0 : 1;
    if (!cli_words_check(o, count, words, wanted, wanted, failure))
        return false;
    o->text = wanted ? words[0] : NULL;
    return true;
}

/* All of the text is looked at before anything is typed. */
static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return cli_fail_nomem(failure);
    options->plan = plan;
    options->plan_destroy = destroy_plan;
    if (!options->text_file)
        return cli_typing_plan(&plan->chords, &plan->count, options->text, strlen(options->text),
                               failure);
    char *text;
    size_t size;
    if (!cli_typing_read(&text, &size, options->text_file, failure))
        return false;
    bool is_good = cli_typing_plan(&plan->chords, &plan->count, text, size, failure);
    free(text);
    return is_good;
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    const struct plan *plan = options->plan;
    if (!cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS))
        return false;
    connection->doing = "typing";
    if (!cli_keyboard_clear_caps_lock(connection))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        cli_connection_progress(connection, options->delay_ms); /* a long text may take its time */
        if (!cli_input_sent(connection,
                            sm_session_send_chord(connection->session, &plan->chords[i])) ||
            !cli_connection_pause(connection, options->delay_ms))
            return false;
    }
    cli_json_number(result, "characters", (int64_t)plan->count);
    return true;
}

static const struct cli_option OPTIONS[] = {
    {"file", "FILE", "type what is in FILE; - is the standard input", CLI_VALUE_FILE,
     offsetof(struct cli_options, text_file)},
    {"delay", "TIME", "pause between keys (default 15ms), for guests that lose keys",
     CLI_VALUE_DURATION, offsetof(struct cli_options, delay_ms)},
    {NULL},
};

const struct cli_command cli_command_type = {
    .name = "type",
    .words = "ADDRESS (TEXT | --file FILE)",
    .summary = "type text on the machine's keyboard",
    .about = "Types text on the machine's keyboard as on a US keyboard; the guest must have a US\n"
             "layout. A line end is Enter, a tabulator is Tab. If a character is not on the\n"
             "keyboard, nothing at all is typed.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .kinds = 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
