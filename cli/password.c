/* SPDX-License-Identifier: MIT */
#include "cli/password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024 };

static bool read_line(char **password, const char *name, struct cli_failure *failure)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (!file)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path behind --password-file",
                        "the password file %s cannot be read: %s", name, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no copy of the password in a buffer we cannot wipe */
    char line[LINE_MAX_BYTES];
    char *got = fgets(line, sizeof(line), file);
    bool has_failed = ferror(file);
    if (file != stdin)
        fclose(file);
    if (has_failed)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path behind --password-file",
                        "the password file %s cannot be read", name);
    if (!got)
        line[0] = 0;
    line[strcspn(line, "\r\n")] = 0;
    *password = strdup(line);
    explicit_bzero(line, sizeof(line));
    return *password || cli_fail_nomem(failure);
}

bool cli_password_find(char **password, const char *file, struct cli_failure *failure)
{
    if (*password)
        return true;
    if (file)
        return read_line(password, file, failure);
    const char *value = getenv("SUMAC_PASSWORD");
    if (!value)
        return true;
    *password = strdup(value);
    return *password || cli_fail_nomem(failure);
}

void cli_password_destroy(char *password)
{
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
}
