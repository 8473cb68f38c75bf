/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/machine_file.h"
#include "cli/password.h"
#include "sumac/address.h"
#include "sumac/connection_file.h"

static const char *const COMMAND_NAMES[] = {
    [CLI_COMMAND_INFO] = "info",   [CLI_COMMAND_SCREENSHOT] = "screenshot",
    [CLI_COMMAND_TYPE] = "type",   [CLI_COMMAND_KEY] = "key",
    [CLI_COMMAND_CLICK] = "click", [CLI_COMMAND_WAIT] = "wait",
    [CLI_COMMAND_STATS] = "stats", [CLI_COMMAND_PORT] = "port",
};

enum { COMMAND_COUNT = sizeof(COMMAND_NAMES) / sizeof(COMMAND_NAMES[0]) };

const char *cli_command_name(enum cli_command command)
{
    return (unsigned)command < COMMAND_COUNT ? COMMAND_NAMES[command] : NULL;
}

/** The values getopt_long() returns for the long options. */
enum option_code {
    OPTION_HELP = 1000,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_VERBOSE,
    OPTION_USER,
    OPTION_PASSWORD,
    OPTION_PASSWORD_FILE,
    OPTION_CA,
    OPTION_HOST_SUBJECT,
    OPTION_TIMEOUT,
    OPTION_DISPLAY,
    OPTION_SETTLE,
    OPTION_SETTLE_LIMIT,
    OPTION_STABLE,
    OPTION_TOLERANCE,
    OPTION_DELAY,
    OPTION_FILE,
    OPTION_HOLD,
    OPTION_BUTTON,
    OPTION_DOUBLE,
    OPTION_PROMETHEUS,
    OPTION_WATCH,
};

static const struct option LONG_OPTIONS[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"json", no_argument, NULL, OPTION_JSON},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"user", required_argument, NULL, OPTION_USER},
    {"password", required_argument, NULL, OPTION_PASSWORD},
    {"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
    {"ca", required_argument, NULL, OPTION_CA},
    {"host-subject", required_argument, NULL, OPTION_HOST_SUBJECT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"display", required_argument, NULL, OPTION_DISPLAY},
    {"settle", required_argument, NULL, OPTION_SETTLE},
    {"settle-limit", required_argument, NULL, OPTION_SETTLE_LIMIT},
    {"stable", required_argument, NULL, OPTION_STABLE},
    {"tolerance", required_argument, NULL, OPTION_TOLERANCE},
    {"delay", required_argument, NULL, OPTION_DELAY},
    {"file", required_argument, NULL, OPTION_FILE},
    {"hold", required_argument, NULL, OPTION_HOLD},
    {"button", required_argument, NULL, OPTION_BUTTON},
    {"double", no_argument, NULL, OPTION_DOUBLE},
    {"prometheus", no_argument, NULL, OPTION_PROMETHEUS},
    {"watch", no_argument, NULL, OPTION_WATCH},
    {NULL, 0, NULL, 0},
};

/** The one option-specific rule: which commands know it. A bit per enum cli_command. */
static unsigned commands_of(int option)
{
    switch (option) {
    case OPTION_DISPLAY:
        return 1u << CLI_COMMAND_SCREENSHOT | 1u << CLI_COMMAND_CLICK | 1u << CLI_COMMAND_WAIT;
    case OPTION_SETTLE:
    case OPTION_SETTLE_LIMIT:
        return 1u << CLI_COMMAND_SCREENSHOT;
    case OPTION_TOLERANCE:
        return 1u << CLI_COMMAND_SCREENSHOT | 1u << CLI_COMMAND_WAIT;
    case OPTION_STABLE:
        return 1u << CLI_COMMAND_WAIT;
    case OPTION_DELAY:
    case OPTION_FILE:
        return 1u << CLI_COMMAND_TYPE;
    case OPTION_HOLD:
        return 1u << CLI_COMMAND_KEY;
    case OPTION_PROMETHEUS:
    case OPTION_WATCH:
        return 1u << CLI_COMMAND_STATS;
    case OPTION_USER:
    case OPTION_PASSWORD:
    case OPTION_PASSWORD_FILE:
    case OPTION_CA:
    case OPTION_HOST_SUBJECT:
        return ~(1u << CLI_COMMAND_STATS);
    case OPTION_BUTTON:
    case OPTION_DOUBLE:
        return 1u << CLI_COMMAND_CLICK;
    default:
        return ~0u;
    }
}

/** A command line on its way. */
struct parser {
    struct cli_options *options;
    struct cli_failure *failure;
    const char *password_file; /* borrowed from argv; or NULL */
    bool has_password;
};

static bool usage(const struct parser *p, const char *cause, const char *detail)
{
    const char *command = cli_command_name(p->options->command);
    char cure[SM_ERROR_TEXT_SIZE];
    (void)snprintf(cure, sizeof(cure), "see: sumac %s%s--help", command ? command : "",
                   command ? " " : "");
    return cli_fail(p->failure, CLI_EXIT_USAGE, cure, "%s%s", cause, detail);
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

static bool parse_duration(const struct parser *p, uint32_t *out, const char *text)
{
    return cli_duration_parse(out, text) || usage(p, "not a time (write 500ms, 2s or 3m): ", text);
}

static bool parse_number(const struct parser *p, uint32_t *out, const char *text, uint32_t max)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > max)
        return usage(p, "not a whole number in range: ", text);
    *out = (uint32_t)value;
    return true;
}

static bool parse_button(const struct parser *p, const char *text)
{
    static const struct {
        const char *name;
        enum sm_button button;
    } buttons[] = {
        {"left", SM_BUTTON_LEFT},   {"middle", SM_BUTTON_MIDDLE},   {"right", SM_BUTTON_RIGHT},
        {"up", SM_BUTTON_WHEEL_UP}, {"down", SM_BUTTON_WHEEL_DOWN}, {"side", SM_BUTTON_SIDE},
        {"extra", SM_BUTTON_EXTRA},
    };
    for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++)
        if (strcmp(text, buttons[i].name) == 0) {
            p->options->button = buttons[i].button;
            return true;
        }
    return usage(p, "no button is called ", text);
}

/* Moves the password out of argv: where the kernel allows, ps shows it no longer. */
static bool take_password(struct parser *p, char *text)
{
    if (p->has_password || p->password_file)
        return usage(p, "the password is given twice", "");
    p->has_password = true;
    p->options->password = strdup(text);
    if (!p->options->password)
        return cli_fail_nomem(p->failure);
    memset(text, '*', strlen(text));
    return true;
}

static bool take_option(struct parser *p, int option, char *value)
{
    struct cli_options *o = p->options;
    switch (option) {
    case OPTION_HELP:
        o->wants_help = true;
        return true;
    case OPTION_VERSION:
        o->wants_version = true;
        return true;
    case OPTION_JSON:
        o->is_json = true;
        return true;
    case OPTION_VERBOSE:
        o->is_verbose = true;
        return true;
    case OPTION_USER:
        o->user = value;
        return true;
    case OPTION_PASSWORD:
        return take_password(p, value);
    case OPTION_PASSWORD_FILE:
        if (p->has_password || p->password_file)
            return usage(p, "the password is given twice", "");
        p->password_file = value;
        return true;
    case OPTION_CA:
        o->ca_file = value;
        return true;
    case OPTION_HOST_SUBJECT:
        o->host_subject = value;
        return true;
    case OPTION_TIMEOUT:
        if (!parse_duration(p, &o->timeout_ms, value))
            return false;
        return o->timeout_ms > 0 || usage(p, "the time allowed is zero", "");
    case OPTION_DISPLAY:
        return parse_number(p, &o->display, value, 255);
    case OPTION_SETTLE:
        return parse_duration(p, &o->settle_ms, value);
    case OPTION_SETTLE_LIMIT:
        return parse_duration(p, &o->settle_limit_ms, value);
    case OPTION_STABLE:
        return parse_duration(p, &o->stable_ms, value);
    case OPTION_TOLERANCE:
        return parse_number(p, &o->tolerance_px, value, 1u << 30);
    case OPTION_DELAY:
    case OPTION_HOLD:
        return parse_duration(p, &o->delay_ms, value);
    case OPTION_FILE:
        o->text_file = value;
        return true;
    case OPTION_BUTTON:
        return parse_button(p, value);
    case OPTION_DOUBLE:
        o->is_double = true;
        return true;
    case OPTION_PROMETHEUS:
        o->is_prometheus = true;
        return true;
    case OPTION_WATCH:
        o->is_watching = true;
        return true;
    default:
        return usage(p, "unknown option", "");
    }
}

static const char *option_name(int code)
{
    for (const struct option *option = LONG_OPTIONS; option->name; option++)
        if (option->val == code)
            return option->name;
    return "";
}

/* Only options: what stands between them stays in argv behind the last. */
static bool take_options(struct parser *p, int argc, char **argv)
{
    struct cli_options *o = p->options;
    opterr = 0;
    optind = 0; /* GNU: start over, whatever ran before */
    int code;
    while ((code = getopt_long(argc, argv, ":hV", LONG_OPTIONS, NULL)) != -1) {
        if (code == ':')
            return usage(p, "this option needs a value: ", argv[optind - 1]);
        if (code == '?')
            return optopt && optopt < 1000
                       ? usage(p, "unknown option: ", argv[optind - 1])
                       : usage(p, "unknown or shortened option: ", argv[optind - 1]);
        code = code == 'h' ? OPTION_HELP : code == 'V' ? OPTION_VERSION : code;
        if (o->command && !(commands_of(code) & 1u << o->command))
            return usage(p, "this command has no option --", option_name(code));
        if (!take_option(p, code, optarg))
            return false;
    }
    return true;
}

static bool take_address(const struct parser *p, const char *text)
{
    if (cli_machine_file_is_one(text))
        return cli_machine_file_read(p->options, text, p->failure);
    struct sm_error error;
    enum sm_status status = sm_address_parse(&p->options->address, text, &error);
    return status == SM_OK || cli_fail_error(p->failure, &error);
}

/* The words behind the address. */
static bool take_words(const struct parser *p, int count, char **words)
{
    struct cli_options *o = p->options;
    int wanted = 0;
    switch (o->command) {
    case CLI_COMMAND_SCREENSHOT:
        wanted = 1;
        o->output = count > 0 ? words[0] : NULL;
        break;
    case CLI_COMMAND_TYPE:
        wanted = o->text_file ? 0 : 1;
        o->text = count > 0 ? words[0] : NULL;
        break;
    case CLI_COMMAND_KEY:
        wanted = 1;
        o->text = count > 0 ? words[0] : NULL;
        break;
    case CLI_COMMAND_PORT:
        wanted = count > 0 ? 1 : 0;
        o->text = count > 0 ? words[0] : NULL;
        break;
    case CLI_COMMAND_CLICK:
        wanted = 2;
        if (count == 2 && (!parse_number(p, &o->x, words[0], CLI_COORDINATE_MAX) ||
                           !parse_number(p, &o->y, words[1], CLI_COORDINATE_MAX)))
            return false;
        break;
    default:
        break;
    }
    if (count < wanted)
        return usage(p, "something is missing behind the address", "");
    if (count > wanted)
        return usage(p, "this is too much: ", words[wanted]);
    if (o->command == CLI_COMMAND_WAIT && o->stable_ms >= o->timeout_ms)
        return usage(p, "the picture would have to stand still for longer than --timeout allows",
                     "");
    if (o->output && strcmp(o->output, "-") == 0 && o->is_json)
        return usage(p, "the picture and --json cannot both go to the standard output", "");
    return true;
}

/* stats talks to no machine, but to its server. */
static bool take_path(const struct parser *p, int count, char **words)
{
    if (count < 1)
        return usage(p, "the path of the server's socket is missing", "");
    if (count > 1)
        return usage(p, "this is too much: ", words[1]);
    if (p->options->is_json && p->options->is_prometheus)
        return usage(p, "--json and --prometheus exclude each other", "");
    p->options->path = words[0];
    return true;
}

static bool find_command(const struct parser *p, const char *name)
{
    for (int i = 1; i < COMMAND_COUNT; i++)
        if (strcmp(COMMAND_NAMES[i], name) == 0) {
            p->options->command = (enum cli_command)i;
            return true;
        }
    return usage(p, "there is no command ", name);
}

static void set_defaults(struct cli_options *o)
{
    *o = (struct cli_options){
        .timeout_ms = 30000,
        .settle_ms = 200,
        .settle_limit_ms = 2000,
        .stable_ms = 500,
        .tolerance_px = 512,
        .delay_ms = UINT32_MAX,
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
    int words_from = 0;
    if (argc > 1 && argv[1][0] != '-') {
        if (!find_command(&p, argv[1]))
            return false;
        words_from = 1;
    }
    if (!take_options(&p, argc - words_from, argv + words_from))
        return false;
    if (o->wants_help || o->wants_version)
        return true;
    char **words = argv + words_from + optind;
    int count = argc - words_from - optind;
    if (!o->command)
        return usage(&p,
                     count > 0 ? "the command comes first, then its options"
                               : "what shall be done? A command is missing",
                     "");
    if (o->command == CLI_COMMAND_STATS)
        return take_path(&p, count, words);
    if (count < 1)
        return usage(&p, "the address of the machine is missing, such as spice://HOST:5900", "");
    if (!take_address(&p, words[0]) || !take_words(&p, count - 1, words + 1))
        return false;
    return cli_password_find(&o->password, p.password_file, failure);
}

void cli_options_finish(struct cli_options *o)
{
    sm_address_destroy(o->address);
    sm_connection_file_destroy(o->file);
    cli_password_destroy(o->password);
    *o = (struct cli_options){.command = CLI_COMMAND_NONE};
}
