/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/movie_maker.h"
#include "cli/options.h"
#include "cli/report.h"
#include "sumac/client.h"

enum { MMAP_THRESHOLD_BYTES = 128 << 10 };

/* A report that did not get out is a failure. */
static bool flush_output(struct cli_failure *failure)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return cli_fail(failure, CLI_EXIT_OUTPUT, "make room where the output goes",
                    "the standard output cannot be written: %s", strerror(errno));
}

static bool work(struct cli_options *options, int argc, char **argv, struct cli_failure *failure)
{
    if (!cli_options_parse(options, argc, argv, failure))
        return false;
    if (options->wants_help) {
        cli_help_print(stdout, options->command);
        return flush_output(failure);
    }
    if (options->wants_version) {
        printf("sumac %s\n", sm_client_version());
        return flush_output(failure);
    }
    const char *warning = options->address ? sm_address_warning(options->address) : NULL;
    if (warning)
        fprintf(stderr, "sumac: %s\n", warning);
    return cli_command_run(options, failure) && flush_output(failure);
}

int main(int argc, char **argv)
{
    struct cli_options options;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error like any other */
    /* Memory of large images goes back to the system at once: a third less at the peak. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    if (argc == 2 && strcmp(argv[1], CLI_MOVIE_MAKER) == 0)
        return cli_movie_maker_run(STDIN_FILENO);
    if (!work(&options, argc, argv, &failure))
        cli_report_failure(stdout, stderr, &options, &failure);
    cli_options_finish(&options);
    return failure.code;
}
