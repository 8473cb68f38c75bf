/* SPDX-License-Identifier: MIT */
/* Without libxkbcommon there is the US layout, which is built in, and no other. */
#include "cli/layout.h"

#include <string.h>

bool cli_layout_create(struct cli_layout **out, const char *name, struct cli_failure *failure)
{
    if (strcmp(name, "us") == 0) {
        *out = NULL;
        return true;
    }
    return cli_fail(failure, CLI_EXIT_CANNOT_TYPE,
                    "build it with libxkbcommon, or type as on a US "
                    "keyboard: without --layout",
                    "this sumac was built without keyboard layouts and does not know %s", name);
}

void cli_layout_destroy(struct cli_layout *layout)
{
    (void)layout;
}

bool cli_layout_find(const struct cli_layout *layout, uint32_t character,
                     struct cli_strokes *strokes)
{
    (void)layout;
    (void)character;
    (void)strokes;
    return false;
}
