/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct cli_failure *failure, const char *name, int error)
{
    return cli_fail(
        failure, CLI_EXIT_OUTPUT,
        "choose a file in a folder that exists, that you may write to and that has room",
        "%s cannot be written: %s", name, strerror(error));
}

static void forget(struct cli_output *output)
{
    free(output->target);
    free(output->temporary);
    *output = (struct cli_output){.file = NULL};
}

/* A new file beside the target, with the rights any new file of this process would have. */
static int create_temporary(struct cli_output *output)
{
    if (asprintf(&output->temporary, "%s.XXXXXX", output->target) < 0) {
        output->temporary = NULL;
        errno = ENOMEM;
        return -1;
    }
    int fd = mkostemp(output->temporary, O_CLOEXEC);
    if (fd < 0) {
        free(output->temporary);
        output->temporary = NULL;
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
    return fd;
}

static int open_descriptor(struct cli_output *output, const char *name)
{
    if (strcmp(name, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    struct stat status;
    if (stat(name, &status) == 0 && !S_ISREG(status.st_mode))
        return open(name, O_WRONLY | O_CLOEXEC);
    /* Behind a symbolic link it is the link's target that is to be replaced. */
    output->target = realpath(name, NULL);
    if (!output->target)
        output->target = strdup(name);
    if (!output->target) {
        errno = ENOMEM;
        return -1;
    }
    return create_temporary(output);
}

bool cli_output_open(struct cli_output *output, const char *name, struct cli_failure *failure)
{
    *output = (struct cli_output){.name = name};
    int fd = open_descriptor(output, name);
    if (fd < 0) {
        int error = errno;
        forget(output);
        return fail(failure, name, error);
    }
    output->file = fdopen(fd, "wb");
    if (!output->file) {
        int error = errno;
        close(fd);
        cli_output_abandon(output);
        return fail(failure, name, error);
    }
    return true;
}

bool cli_output_check(const char *name, struct cli_failure *failure)
{
    struct stat status;
    struct cli_output output;
    /* A pipe would notice. */
    if (strcmp(name, "-") == 0 || (stat(name, &status) == 0 && !S_ISREG(status.st_mode)))
        return true;
    if (!cli_output_open(&output, name, failure))
        return false;
    cli_output_abandon(&output);
    return true;
}

bool cli_output_commit(struct cli_output *output, struct cli_failure *failure)
{
    const char *name = output->name;
    bool is_good = !ferror(output->file);
    int error = is_good ? 0 : EIO;
    if (fclose(output->file) != 0 && !error)
        error = errno;
    output->file = NULL;
    if (!error && output->temporary && rename(output->temporary, output->target) != 0)
        error = errno;
    if (error && output->temporary)
        (void)unlink(output->temporary);
    forget(output);
    return error ? fail(failure, name, error) : true;
}

void cli_output_abandon(struct cli_output *output)
{
    if (output->file)
        fclose(output->file);
    if (output->temporary)
        (void)unlink(output->temporary);
    forget(output);
}
