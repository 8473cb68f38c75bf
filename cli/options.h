/* SPDX-License-Identifier: MIT */
/* The command line, understood. */
#ifndef SM_CLI_OPTIONS_H
#define SM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/failure.h"
#include "sumac/inputs.h"

struct sm_address;
struct sm_connection_file;

enum cli_command {
    CLI_COMMAND_NONE = 0, /* only help or the version was asked for */
    CLI_COMMAND_INFO,
    CLI_COMMAND_SCREENSHOT,
    CLI_COMMAND_TYPE,
    CLI_COMMAND_KEY,
    CLI_COMMAND_CLICK,
    CLI_COMMAND_WAIT,
    CLI_COMMAND_STATS,
    CLI_COMMAND_PORT,
};

/** The name of `command` as it is typed; NULL for CLI_COMMAND_NONE. Static. */
const char *cli_command_name(enum cli_command command);

enum {
    CLI_COORDINATE_MAX = 65535, /* pixels */
};

struct cli_options {
    enum cli_command command;
    bool wants_help, wants_version;
    bool is_json;
    bool is_verbose;

    struct sm_address *address;      /* owned; NULL with stats */
    struct sm_connection_file *file; /* owned: where the address is from; or NULL */
    char *password;                  /* owned; or NULL */
    const char *user;                /* borrowed from argv; or NULL */
    const char *ca_file;             /* borrowed from argv, like all below; or NULL */
    const char *host_subject;        /* or NULL */
    uint32_t timeout_ms;             /* for the whole command */

    uint32_t display;         /* number, as users count */
    uint32_t settle_ms;       /* screenshot: still for so long */
    uint32_t settle_limit_ms; /* screenshot: but taken after so long at the latest */
    uint32_t stable_ms;       /* wait */
    uint32_t tolerance_px;    /* wait, screenshot: a spot of so many pixels may change */
    uint32_t delay_ms;        /* type: between keys; key: for how long they are held */
    uint32_t x, y;            /* click */
    enum sm_button button;    /* click */
    bool is_double;           /* click */

    const char *path;   /* stats: of the server's socket */
    bool is_prometheus; /* stats */
    bool is_watching;   /* stats */

    const char *text;      /* type, or NULL: read text_file; key: the chord;
                              port: its name, or NULL: list them */
    const char *text_file; /* type: "-" is the standard input */
    const char *output;    /* screenshot: "-" is the standard output */
};

/**
 * Understands a command line.
 *
 * @param options  filled with what was understood even on failure (so that is_json counts); the
 *                 caller releases it with cli_options_finish() in any case
 * @return false with `failure` filled if the line cannot be understood
 */
bool cli_options_parse(struct cli_options *options, int argc, char **argv,
                       struct cli_failure *failure);

/** Releases what `options` owns; wipes the password. */
void cli_options_finish(struct cli_options *options);

/** Understands "500ms", "2s", "1.5s", "3m" or a bare number of seconds; at most a day. */
bool cli_duration_parse(uint32_t *out_ms, const char *text);

#endif
