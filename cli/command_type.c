/* SPDX-License-Identifier: MIT */
/* Typing text. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/keyboard.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/paste.h"
#include "cli/typing.h"
#include "cli/utf8.h"

/** What is to be done: keys to be pressed, or a text to be pasted. */
struct plan {
    struct cli_typing typing;  /* owned */
    struct sm_key_chord paste; /* with keys: the text is pasted */
    char *text;                /* owned: to be pasted; or NULL */
    size_t text_size;
};

static void destroy_plan(void *opaque)
{
    struct plan *plan = opaque;
    if (plan) {
        cli_typing_finish(&plan->typing);
        free(plan->text);
    }
    free(plan);
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    int wanted = o->text_file ? 0 : 1;
    if (!cli_words_check(o, count, words, wanted, wanted, failure))
        return false;
    o->text = wanted ? words[0] : NULL;
    if (o->paste_keys && (o->has_codes || o->layout))
        return cli_usage(o, failure, "--paste types nothing: leave out --layout and --unicode", "");
    o->wants_agent = o->paste_keys != NULL;
    return true;
}

static bool plan_keys(struct plan *plan, const struct cli_options *o, const char *text, size_t size,
                      struct cli_failure *failure)
{
    const char *name = o->layout ? o->layout : getenv("SUMAC_LAYOUT");
    struct cli_layout *layout = NULL;
    if (name && *name && !cli_layout_create(&layout, name, failure))
        return false;
    const struct cli_typing_manner manner = {
        .layout = layout, .layout_name = layout ? name : NULL, .has_codes = o->has_codes};
    bool is_good = cli_typing_plan(&plan->typing, text, size, &manner, failure);
    cli_layout_destroy(layout);
    return is_good;
}

/* Counts the characters; what is no text would become something else on its way. */
static bool plan_paste(struct plan *plan, const struct cli_options *o, const char *text,
                       size_t size, struct cli_failure *failure)
{
    if (!cli_keyboard_parse(&plan->paste, o->paste_keys, failure))
        return false;
    if (size == 0)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "give it a text",
                        "there is nothing to paste");
    for (size_t at = 0; at < size;) {
        uint32_t character;
        at += cli_utf8_next(text + at, size - at, &character);
        plan->typing.characters++;
        if (character == CLI_UTF8_BAD || character == 0)
            return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "only text in UTF-8 can be pasted",
                            "character %zu is not UTF-8, or NUL", plan->typing.characters);
    }
    plan->text = malloc(size);
    if (!plan->text)
        return cli_fail_nomem(failure);
    memcpy(plan->text, text, size);
    plan->text_size = size;
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
    char *read = NULL;
    const char *text = options->text;
    size_t size = text ? strlen(text) : 0;
    if (options->text_file) {
        if (!cli_typing_read(&read, &size, options->text_file, failure))
            return false;
        text = read;
    }
    bool is_good = options->paste_keys ? plan_paste(plan, options, text, size, failure)
                                       : plan_keys(plan, options, text, size, failure);
    free(read);
    return is_good;
}

static bool press_all(struct cli_connection *connection, const struct plan *plan, uint32_t delay_ms)
{
    connection->doing = "typing";
    if (!cli_keyboard_clear_caps_lock(connection))
        return false;
    for (size_t i = 0; i < plan->typing.count; i++) {
        cli_connection_progress(connection, delay_ms); /* a long text may take its time */
        if (!cli_input_sent(connection,
                            sm_session_send_chord(connection->session, &plan->typing.chords[i])) ||
            !cli_connection_pause(connection, delay_ms))
            return false;
    }
    return true;
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    const struct plan *plan = options->plan;
    if (!cli_connection_need(connection, SM_CHANNEL_KIND_INPUTS))
        return false;
    bool is_good = plan->text ? cli_paste(connection, plan->text, plan->text_size, &plan->paste)
                              : press_all(connection, plan, options->delay_ms);
    if (is_good)
        cli_json_number(result, "characters", (int64_t)plan->typing.characters);
    return is_good;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"file", "FILE", "type what is in FILE; - is the standard input", CLI_VALUE_FILE,
     FIELD(text_file)},
    {"layout", "NAME",
     "the guest's keyboard layout: de, fr, gb, ru, us:intl; as\n"
     "setxkbmap knows them, with a variant behind a colon. Without\n"
     "it the environment variable SUMAC_LAYOUT counts, else it is a\n"
     "US keyboard",
     CLI_VALUE_TEXT, FIELD(layout)},
    {"unicode", NULL,
     "type characters that the layout lacks as Ctrl+Shift+U and\n"
     "their number, which programs of GTK and IBus understand",
     CLI_VALUE_FLAG, FIELD(has_codes)},
    {"paste", "KEYS",
     "put the text into the guest's clipboard and press these keys:\n"
     "ctrl-v, ctrl-shift-v in terminals, shift-insert in xterm. The\n"
     "guest needs spice-vdagent; what was copied there is lost",
     CLI_VALUE_TEXT, FIELD(paste_keys)},
    {"delay", "TIME", "pause between keys (default 15ms), for guests that lose keys",
     CLI_VALUE_DURATION, FIELD(delay_ms)},
    {NULL},
};

const struct cli_command cli_command_type = {
    .name = "type",
    .words = "ADDRESS (TEXT | --file FILE)",
    .summary = "type text on the machine's keyboard",
    .about =
        "Types text on the machine's keyboard. The guest turns keys into characters, so it has to\n"
        "be known which layout it has: a US one, or --layout. A line end is Enter, a tabulator is\n"
        "Tab; dead keys are used where the layout has no key of its own, as for \xc3\xb1 (the "
        "guest "
        "needs\n"
        "a UTF-8 locale for them). If a character cannot be typed, nothing at all is typed; any\n"
        "character gets there with --unicode or --paste.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .kinds = 1u << SM_CHANNEL_KIND_INPUTS,
    .needed = 1u << SM_CHANNEL_KIND_INPUTS,
    .step = step,
};
