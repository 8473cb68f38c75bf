/* SPDX-License-Identifier: MIT */
#include "cli/machine_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sumac/connection_file.h"

bool cli_machine_file_is_one(const char *text)
{
    size_t size = strlen(text);
    return size > 3 && strcmp(text + size - 3, ".vv") == 0 && !strstr(text, "://");
}

/* `text` has one byte of room more than is allowed, so that too much shows. */
static bool read_text(const char *path, char *text, size_t *size, struct cli_failure *failure)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path of the connection file",
                        "the connection file %s cannot be read: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no copy of its password in a buffer we cannot wipe */
    *size = fread(text, 1, SM_CONNECTION_FILE_MAX_BYTES + 1, file);
    bool has_failed = ferror(file);
    fclose(file);
    return !has_failed || cli_fail(failure, CLI_EXIT_USAGE, "check the path of the connection file",
                                   "the connection file %s cannot be read", path);
}

bool cli_machine_file_read(struct cli_options *options, const char *path,
                           struct cli_failure *failure)
{
    char *text = malloc(SM_CONNECTION_FILE_MAX_BYTES + 1);
    if (!text)
        return cli_fail_nomem(failure);
    size_t size = 0;
    struct sm_error error;
    enum sm_status status = SM_OK;
    bool is_read = read_text(path, text, &size, failure);
    if (is_read)
        status = sm_connection_file_parse(&options->file, text, size, &error);
    if (is_read && status == SM_OK)
        status = sm_connection_file_address(options->file, &options->address, &error);
    explicit_bzero(text, size);
    free(text);
    return is_read && (status == SM_OK || cli_fail_error(failure, &error));
}
