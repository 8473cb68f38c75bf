/* SPDX-License-Identifier: MIT */
/* Writing JSON: one object on one line, members in the order they are put. */
#ifndef SM_CLI_JSON_H
#define SM_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Thread: one at a time. */
struct cli_json {
    FILE *out; /* borrowed */
    bool needs_comma;
};

/* `name` is NULL for items of an array and for the outermost object. */
void cli_json_open(struct cli_json *json, const char *name, char bracket);
void cli_json_close(struct cli_json *json, char bracket);
/** Text: bytes that are not UTF-8 become U+FFFD. NULL writes null. */
void cli_json_text(struct cli_json *json, const char *name, const char *value);
void cli_json_number(struct cli_json *json, const char *name, int64_t value);
void cli_json_bool(struct cli_json *json, const char *name, bool value);

#endif
