/* SPDX-License-Identifier: MIT */
/*
 * A command of the program: what it is called, what it takes and what it does. Each lives in a file
 * of its own and stands in the table of commands.c; help, parsing, completion and scripts all come
 * from here.
 */
#ifndef SM_CLI_COMMAND_H
#define SM_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/failure.h"

struct cli_connection;
struct cli_json;
struct cli_options;

enum cli_value_kind {
    CLI_VALUE_FLAG = 0, /* none: sets a bool */
    CLI_VALUE_DURATION, /* uint32_t, in milliseconds */
    CLI_VALUE_NUMBER,   /* uint32_t, from `min` to `max` */
    CLI_VALUE_TEXT,     /* const char *, borrowed from the command line */
    CLI_VALUE_FILE,     /* likewise, completed as a path */
    CLI_VALUE_CHOICE,   /* uint32_t, the number of one of `choices` */
    CLI_VALUE_SPECIAL,  /* options.c knows what to do */
};

/** A word that stands for a number. */
struct cli_choice {
    const char *name; /* NULL behind the last */
    uint32_t value;
};

/** An option that begins with two dashes. A table of them ends with a NULL name. */
struct cli_option {
    const char *name;  /* without dashes */
    const char *value; /* what the help calls its value; NULL without one */
    const char *help;  /* lines of at most 62 columns, the last without its end */
    enum cli_value_kind kind;
    size_t offset; /* of the field in struct cli_options */
    uint32_t min, max;
    const struct cli_choice *choices;
};

struct cli_command {
    const char *name;
    const char *words;   /* behind the name, as the usage line shows them: "ADDRESS X Y" */
    const char *summary; /* one line for the list of commands */
    const char *about;   /* paragraphs for --help, lines of at most 90 columns, ends included */
    const struct cli_option *options; /* besides those of every command; or NULL */
    void (*print_more)(FILE *out);    /* more help; or NULL */

    /** No address stands behind the command, and nothing logs in anywhere. */
    bool is_local;
    /** Something can be done without an address, too. */
    bool needs_no_address;
    /** Takes the words behind the address. NULL: there are none. */
    bool (*take_words)(struct cli_options *options, int count, char **words,
                       struct cli_failure *failure);
    /**
     * What can be done before connecting: looks at everything that could be wrong, so that nobody
     * is thrown out of a machine for a command that cannot work, and no script ends in its middle.
     * May leave something in options->plan. Or NULL.
     */
    bool (*prepare)(struct cli_options *options, struct cli_failure *failure);

    /* How it runs alone; NULL: cli_command_step(). */
    bool (*run)(struct cli_options *options, struct cli_failure *failure);
    /* How it runs on an open connection, of which a script has many; or NULL. */
    /** Mask of 1u << enum sm_channel_kind: to be opened, and of them what it cannot do without. */
    uint32_t kinds, needed;
    bool needs_agent; /* talks with the guest's agent */
    /** @param result  receives members of the report's object */
    bool (*step)(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result);
};

/** Command `index` of the table; NULL behind the last. */
const struct cli_command *cli_command_at(size_t index);

/** The command called `name`; NULL if there is none. */
const struct cli_command *cli_command_find(const char *name);

/** Does what `options->command` says and reports it. */
bool cli_command_run(struct cli_options *options, struct cli_failure *failure);

/** Connects, runs the command's step and reports it. */
bool cli_command_step(struct cli_options *options, struct cli_failure *failure);

#endif
