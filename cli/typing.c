/* SPDX-License-Identifier: MIT */
#include "cli/typing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/utf8.h"

enum { TEXT_MAX_BYTES = 1 << 20 };

static bool cannot_type(const char *at, size_t size, uint32_t character, size_t line, size_t column,
                        struct cli_failure *failure)
{
    static const char cure[] = "only what a US keyboard has can be typed: ASCII, tabulator, "
                               "line end";
    if (character == CLI_UTF8_BAD)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, cure,
                        "line %zu, character %zu is not UTF-8 (byte 0x%02x)", line, column,
                        (unsigned char)*at);
    if (character < 0x20 || character == 0x7f)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, cure,
                        "line %zu, character %zu is the control character U+%04X", line, column,
                        (unsigned)character);
    return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, cure,
                    "line %zu, character %zu cannot be typed: %.*s (U+%04X)", line, column,
                    (int)size, at, (unsigned)character);
}

bool cli_typing_plan(struct sm_key_chord **chords, size_t *count, const char *text, size_t size,
                     struct cli_failure *failure)
{
    struct sm_key_chord *plan = malloc((size + 1) * sizeof(*plan));
    if (!plan)
        return cli_fail_nomem(failure);
    size_t planned = 0, line = 1, column = 1;
    while (size) {
        uint32_t character;
        size_t taken = cli_utf8_next(text, size, &character);
        /* A line end may be two characters, but is one key. */
        bool is_pair = character == '\r' && size > 1 && text[1] == '\n';
        if (!is_pair && !sm_key_chord_for_us(&plan[planned], character)) {
            free(plan);
            return cannot_type(text, taken, character, line, column, failure);
        }
        if (!is_pair)
            planned++;
        column++;
        if (character == '\n') {
            line++;
            column = 1;
        }
        text += taken;
        size -= taken;
    }
    *chords = plan;
    *count = planned;
    return true;
}

bool cli_typing_read(char **text, size_t *size, const char *name, struct cli_failure *failure)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
    if (!file)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path", "%s cannot be read: %s", name,
                        strerror(errno));
    char *read = malloc(TEXT_MAX_BYTES + 1);
    size_t got = read ? fread(read, 1, TEXT_MAX_BYTES + 1, file) : 0;
    bool has_failed = ferror(file);
    if (file != stdin)
        fclose(file);
    if (read && !has_failed && got <= TEXT_MAX_BYTES) {
        *text = read;
        *size = got;
        return true;
    }
    free(read);
    if (!read)
        return cli_fail_nomem(failure);
    return cli_fail(failure, CLI_EXIT_USAGE, "check the path",
                    has_failed ? "%s cannot be read" : "%s is larger than 1 MiB", name);
}
