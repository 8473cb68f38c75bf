/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/machine_file.h"
#include "cli/password.h"
#include "sumac/address.h"
#include "sumac/connection_file.h"
#include "sumac/inputs.h"

#define FIELD(name) offsetof(struct cli_options, name)

const struct cli_option CLI_OPTIONS_OF_MACHINES[] = {
    {"user", "NAME",
     "who logs in, where the server wants that (SASL). With\n"
     "Kerberos no name is needed, but a ticket (kinit)",
     CLI_VALUE_TEXT, FIELD(user)},
    {"password", "TEXT",
     "the server's password. Everybody on this machine can see\n"
     "it in the list of processes while the command starts;\n"
     "better:",
     CLI_VALUE_SPECIAL},
    {"password-file", "FILE",
     "its first line is the password; - is the standard input.\n"
     "Without both, the environment variable SUMAC_PASSWORD counts",
     CLI_VALUE_SPECIAL},
    {"ca", "FILE",
     "trust the authorities in this PEM file; without it those in\n"
     "~/.spicec/spice_truststore.pem, or the system's",
     CLI_VALUE_FILE, FIELD(ca_file)},
    {"host-subject", "TEXT",
     "the subject the server's certificate must have, such as\n"
     "O=Example,CN=vm1; its host name is then not compared",
     CLI_VALUE_TEXT, FIELD(host_subject)},
    {"proxy", "URL",
     "connect through this HTTP proxy:\n"
     "[http://|https://][USER:PASSWORD@]HOST[:PORT]. Without it the\n"
     "environment variable SPICE_PROXY counts, where a password is\n"
     "not seen in the list of processes",
     CLI_VALUE_TEXT, FIELD(proxy)},
    {NULL},
};

const struct cli_option CLI_OPTIONS_OF_ALL[] = {
    {"timeout", "TIME",
     "give up after this time (default 30s); 500ms, 2s, 3m. While\n"
     "typing it counts from one key to the next",
     CLI_VALUE_DURATION, FIELD(timeout_ms)},
    {"json", NULL, "one JSON object on the standard output, errors included", CLI_VALUE_FLAG,
     FIELD(is_json)},
    {"verbose", NULL, "say on the standard error what happens", CLI_VALUE_FLAG, FIELD(is_verbose)},
    {"help", NULL, "this text; also -h", CLI_VALUE_FLAG, FIELD(wants_help)},
    {"version", NULL, "the version; also -V", CLI_VALUE_FLAG, FIELD(wants_version)},
    {NULL},
};

/** A command line on its way. */
struct parser {
    struct cli_options *options;
    struct cli_failure *failure;
    const char *password_file; /* borrowed from argv; or NULL */
    bool has_password;
    char **words; /* what is no option, in argv's own room */
    int word_count;
    bool is_step; /* a line of a script */
};

bool cli_usage(const struct cli_options *options, struct cli_failure *failure, const char *cause,
               const char *detail)
{
    char cure[SM_ERROR_TEXT_SIZE];
    (void)snprintf(cure, sizeof(cure), "see: sumac %s%s--help",
                   options->command ? options->command->name : "", options->command ? " " : "");
    return cli_fail(failure, CLI_EXIT_USAGE, cure, "%s%s", cause, detail);
}

static bool usage(const struct parser *p, const char *cause, const char *detail)
{
    return cli_usage(p->options, p->failure, cause, detail);
}

bool cli_duration_parse(uint32_t *out_ms, const char *text)
{
    if (!strchr("0123456789.", text[0]) || !text[0])
        return false;
    char *end;
    double value = strtod(text, &end);
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return false;
    double factor;
    if (strcmp(end, "ms") == 0)
        factor = 1;
    else if (strcmp(end, "s") == 0 || !*end)
        factor = 1000;
    else if (strcmp(end, "m") == 0)
        factor = 60000;
    else
        return false;
    value = round(value * factor);
    if (end == text || !(value >= 0 && value <= 86400e3))
        return false;
    *out_ms = (uint32_t)value;
    return true;
}

static bool parse_number(uint32_t *out, const char *text, uint32_t min, uint32_t max)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

bool cli_number_take(const struct cli_options *options, uint32_t *out, const char *text,
                     uint32_t max, struct cli_failure *failure)
{
    return parse_number(out, text, 0, max) ||
           cli_usage(options, failure, "not a whole number in range: ", text);
}

bool cli_words_check(const struct cli_options *options, int count, char **words, int min, int max,
                     struct cli_failure *failure)
{
    if (count < min)
        return cli_usage(options, failure,
                         options->command->is_local ? "something is missing behind the command"
                                                    : "something is missing behind the address",
                         "");
    return count <= max || cli_usage(options, failure, "this is too much: ", words[max]);
}

/* Moves the password out of argv: where the kernel allows, ps shows it no longer. */
static bool take_password(struct parser *p, char *text)
{
    p->has_password = true;
    p->options->password = strdup(text);
    if (!p->options->password)
        return cli_fail_nomem(p->failure);
    memset(text, '*', strlen(text));
    return true;
}

static bool take_special(struct parser *p, const struct cli_option *option, char *value)
{
    if (p->has_password || p->password_file)
        return usage(p, "the password is given twice", "");
    if (strcmp(option->name, "password") == 0)
        return take_password(p, value);
    p->password_file = value;
    return true;
}

static bool take_choice(const struct parser *p, const struct cli_option *option, uint32_t *out,
                        const char *value)
{
    char cause[SM_ERROR_TEXT_SIZE];
    for (const struct cli_choice *choice = option->choices; choice->name; choice++)
        if (strcmp(choice->name, value) == 0) {
            *out = choice->value;
            return true;
        }
    (void)snprintf(cause, sizeof(cause), "no %s is called ", option->name);
    return usage(p, cause, value);
}

static bool take_option(struct parser *p, const struct cli_option *option, char *value)
{
    void *field = (char *)p->options + option->offset;
    switch (option->kind) {
    case CLI_VALUE_FLAG:
        *(bool *)field = true;
        return true;
    case CLI_VALUE_DURATION:
        return cli_duration_parse(field, value) ||
               usage(p, "not a time (write 500ms, 2s or 3m): ", value);
    case CLI_VALUE_NUMBER:
        return parse_number(field, value, option->min, option->max) ||
               usage(p, "not a whole number in range: ", value);
    case CLI_VALUE_TEXT:
    case CLI_VALUE_FILE:
        *(const char **)field = value;
        return true;
    case CLI_VALUE_CHOICE:
        return take_choice(p, option, field, value);
    case CLI_VALUE_SPECIAL:
        break;
    }
    return take_special(p, option, value);
}

static const struct cli_option *find_in(const struct cli_option *table, const char *name,
                                        size_t size)
{
    for (; table && table->name; table++)
        if (strncmp(table->name, name, size) == 0 && !table->name[size])
            return table;
    return NULL;
}

static const struct cli_option *find_option(const struct parser *p, const char *name, size_t size)
{
    const struct cli_command *command = p->options->command;
    bool is_known = !p->is_step || (size == 7 && memcmp(name, "timeout", size) == 0);
    const struct cli_option *found = is_known ? find_in(CLI_OPTIONS_OF_ALL, name, size) : NULL;
    if (!found && !p->is_step && !(command && command->is_local))
        found = find_in(CLI_OPTIONS_OF_MACHINES, name, size);
    if (!found && command)
        found = find_in(command->options, name, size);
    return found;
}

/* An option of another command is told from one that does not exist. */
static bool unknown(const struct parser *p, const char *name, size_t size)
{
    const struct cli_command *command;
    char text[SM_ERROR_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "--%.*s", (int)(size < 64 ? size : 64), name);
    bool is_known = find_in(CLI_OPTIONS_OF_MACHINES, name, size) != NULL;
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        is_known = is_known || find_in(command->options, name, size);
    return usage(p,
                 is_known && p->options->command ? "this command has no option "
                                                 : "unknown or shortened option: ",
                 text);
}

/* Takes one word that begins with a dash; `*next` is what follows it in argv. */
static bool take_dashed(struct parser *p, char *word, char ***next)
{
    if (!p->is_step && strcmp(word, "-h") == 0)
        return p->options->wants_help = true;
    if (!p->is_step && strcmp(word, "-V") == 0)
        return p->options->wants_version = true;
    if (word[1] != '-')
        return usage(p, "unknown option: ", word);
    const char *name = word + 2;
    char *equals = strchr(word, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const struct cli_option *option = find_option(p, name, size);
    if (!option)
        return unknown(p, name, size);
    if (!option->value)
        return equals ? usage(p, "this option takes no value: ", word)
                      : take_option(p, option, NULL);
    char *value = equals ? equals + 1 : **next;
    if (!value)
        return usage(p, "this option needs a value: ", word);
    if (!equals)
        (*next)++;
    return take_option(p, option, value);
}

/* Options may stand between the words. The words are moved to the front. */
static bool take_all(struct parser *p, char **argv)
{
    bool has_ended = false;
    p->words = argv;
    while (*argv) {
        char *word = *argv++;
        if (!has_ended && strcmp(word, "--") == 0)
            has_ended = true;
        else if (!has_ended && word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9')) {
            if (!take_dashed(p, word, &argv))
                return false;
        } else {
            p->words[p->word_count++] = word;
        }
    }
    return p->options->timeout_ms > 0 || usage(p, "the time allowed is zero", "");
}

static bool take_address(const struct parser *p, const char *text)
{
    if (cli_machine_file_is_one(text))
        return cli_machine_file_read(p->options, text, p->failure);
    struct sm_error error;
    enum sm_status status = sm_address_parse(&p->options->address, text, &error);
    return status == SM_OK || cli_fail_error(p->failure, &error);
}

static bool take_words(const struct parser *p, int count, char **words)
{
    const struct cli_command *command = p->options->command;
    if (command->take_words)
        return command->take_words(p->options, count, words, p->failure);
    return cli_words_check(p->options, count, words, 0, 0, p->failure);
}

static void set_defaults(struct cli_options *o)
{
    *o = (struct cli_options){
        .timeout_ms = 30000,
        .settle_ms = 200,
        .settle_limit_ms = 2000,
        .fps = 30,
        .stable_ms = 500,
        .tolerance_px = 512,
        .delay_ms = 15, /* an emulated PS/2 keyboard has room for a handful of keys */
        .hold_ms = 50,
        .button = SM_BUTTON_LEFT,
    };
}

bool cli_options_parse(struct cli_options *o, int argc, char **argv, struct cli_failure *failure)
{
    struct parser p = {.options = o, .failure = failure};
    set_defaults(o);
    /* A failure is reported as JSON if that was asked for anywhere. */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        o->is_json = o->is_json || strcmp(argv[i], "--json") == 0;

    /* The command is the first word, so that its name decides which options may follow. */
    int from = argc > 0;
    if (argc > 1 && argv[1][0] != '-') {
        o->command = cli_command_find(argv[1]);
        if (!o->command)
            return usage(&p, "there is no command ", argv[1]);
        from = 2;
    }
    if (!take_all(&p, argv + from))
        return false;
    if (o->wants_help || o->wants_version)
        return true;
    if (!o->command)
        return usage(&p,
                     p.word_count > 0 ? "the command comes first, then its options"
                                      : "what shall be done? A command is missing",
                     "");
    if (o->command->is_local)
        return take_words(&p, p.word_count, p.words);
    if (p.word_count < 1 && o->command->needs_no_address)
        return take_words(&p, 0, p.words);
    if (p.word_count < 1)
        return usage(&p, "the address of the machine is missing, such as spice://HOST:5900", "");
    if (!take_address(&p, p.words[0]) || !take_words(&p, p.word_count - 1, p.words + 1))
        return false;
    return cli_password_find(&o->password, p.password_file, failure);
}

bool cli_options_parse_step(struct cli_options *o, const struct cli_options *script, char **words,
                            struct cli_failure *failure)
{
    struct parser p = {.options = o, .failure = failure, .is_step = true};
    set_defaults(o);
    o->timeout_ms = script->timeout_ms;
    o->is_json = script->is_json;
    o->is_step = true;
    o->command = cli_command_find(words[0]);
    if (!o->command)
        return cli_fail(failure, CLI_EXIT_USAGE, "see: sumac exec --help", "there is no step %s",
                        words[0]);
    if (!o->command->step)
        return cli_fail(failure, CLI_EXIT_USAGE, "see: sumac exec --help",
                        "%s cannot be a step of a script", words[0]);
    return take_all(&p, words + 1) && take_words(&p, p.word_count, p.words);
}

void cli_options_finish(struct cli_options *o)
{
    sm_address_destroy(o->address);
    sm_connection_file_destroy(o->file);
    cli_password_destroy(o->password);
    if (o->plan_destroy)
        o->plan_destroy(o->plan);
    *o = (struct cli_options){.command = NULL};
}
