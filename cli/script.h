/* SPDX-License-Identifier: MIT */
/*
 * A script of steps, one a line: words as a shell would split them, comments behind #, and
 * variables. Pure: reads no file.
 */
#ifndef SM_CLI_SCRIPT_H
#define SM_CLI_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/failure.h"

enum {
    CLI_SCRIPT_LINES_MAX = 10000,
    CLI_SCRIPT_WORDS_MAX = 64,   /* of a line */
    CLI_SCRIPT_VALUE_MAX = 4096, /* bytes of a line with its variables replaced */
    CLI_SCRIPT_VARIABLES_MAX = 256,
};

/** One line that has words. */
struct cli_script_line {
    uint32_t number; /* from 1 */
    int word_count;  /* at least 1 */
    char **words;    /* owned; a NULL behind the last */
};

struct cli_script {
    struct cli_script_line *lines; /* owned */
    size_t line_count;
};

/**
 * Splits `size` bytes of text. Words are separated by blanks. Between single quotes everything is
 * literal; between double quotes \n, \t, \\, \" and \$ are known; # begins a comment where a word
 * could begin. `set NAME VALUE` gives $NAME and ${NAME} a value on the lines below; a name that was
 * not set is looked up with `environment`.
 *
 * @param environment  gives a value, borrowed, or NULL
 * @param failed_line  receives the number of the line on failure; 0 if it is about none
 * @return false with the failure filled; the script is to be finished all the same
 */
bool cli_script_parse(struct cli_script *script, const char *text, size_t size,
                      const char *(*environment)(const char *name), uint32_t *failed_line,
                      struct cli_failure *failure);

void cli_script_finish(struct cli_script *script);

#endif
