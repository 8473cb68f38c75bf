/* SPDX-License-Identifier: MIT */
/* Invariant: every word of a script ends in its NUL within the line's limit, each line has its
 * NULL, and a refusal has a reason and a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/script.h"
#include "fuzz/support/fuzz.h"

static const char *environment(const char *name)
{
    return name[0] == 'E' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cli_script script;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    uint32_t line;
    if (!cli_script_parse(&script, (const char *)data, size, environment, &line, &failure))
        FUZZ_CHECK(failure.code != CLI_EXIT_OK && failure.cause[0] &&
                   (line > 0 || failure.code == CLI_EXIT_OTHER));
    uint32_t last = 0;
    for (size_t i = 0; i < script.line_count; i++) {
        const struct cli_script_line *l = &script.lines[i];
        size_t total = 0;
        FUZZ_CHECK(l->number > last && l->word_count > 0 && !l->words[l->word_count]);
        last = l->number;
        for (int j = 0; j < l->word_count; j++)
            total += strlen(l->words[j]) + 1;
        FUZZ_CHECK(total <= CLI_SCRIPT_VALUE_MAX);
    }
    cli_script_finish(&script);
    return 0;
}
