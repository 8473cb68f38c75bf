/* SPDX-License-Identifier: MIT */
/* Why a command failed, and the exit code that says so to a script. */
#ifndef SM_CLI_FAILURE_H
#define SM_CLI_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/error.h"

/** Exit codes. They never change their meaning; docs/cli.md lists them. */
enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_OTHER = 1,
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_OUTPUT = 3,
    CLI_EXIT_FILE = 4,
    CLI_EXIT_HOST_NOT_FOUND = 10,
    CLI_EXIT_REFUSED = 11,
    CLI_EXIT_UNREACHABLE = 12,
    CLI_EXIT_SOCKET = 13,
    CLI_EXIT_TIMED_OUT = 14,
    CLI_EXIT_NOT_SPICE = 15,
    CLI_EXIT_PROTOCOL = 16,
    CLI_EXIT_CLOSED = 17,
    CLI_EXIT_PROXY = 18,
    CLI_EXIT_TLS_NEEDED = 20,
    CLI_EXIT_TLS_REFUSED = 21,
    CLI_EXIT_TLS_FAILED = 22,
    CLI_EXIT_CERTIFICATE = 23,
    CLI_EXIT_CERTIFICATE_EXPIRED = 24,
    CLI_EXIT_HOST_NAME = 25,
    CLI_EXIT_SUBJECT = 26,
    CLI_EXIT_CA_FILE = 27,
    CLI_EXIT_PASSWORD_NEEDED = 30,
    CLI_EXIT_PASSWORD_WRONG = 31,
    CLI_EXIT_AUTH_METHOD = 32,
    CLI_EXIT_PROXY_LOGIN = 33,
    CLI_EXIT_NO_CHANNEL = 40,
    CLI_EXIT_NO_DISPLAY = 41,
    CLI_EXIT_NOT_STILL = 42,
    CLI_EXIT_CANNOT_TYPE = 43,
    CLI_EXIT_NO_AGENT = 44,
    CLI_EXIT_DISABLED = 45,
    CLI_EXIT_GUEST = 46,
    CLI_EXIT_NO_SPACE = 47,
    CLI_EXIT_NOT_SEEN = 48,
    CLI_EXIT_INTERRUPTED = 130,
};

/** One row of the table of exit codes. */
struct cli_exit_entry {
    enum cli_exit code;
    const char *kind;    /* for --json; the name of an enum sm_error_kind where there is one */
    const char *meaning; /* for people */
    const char *others;  /* kinds of the library's errors that share the code; NULL: none */
};

/** Row `index`; NULL behind the last. Static. */
const struct cli_exit_entry *cli_exit_entry_at(size_t index);

/** A failure of a command; `code` CLI_EXIT_OK means there is none. */
struct cli_failure {
    enum cli_exit code;
    unsigned line;    /* of a script; or 0 */
    const char *kind; /* static */
    char cause[SM_ERROR_TEXT_SIZE];
    char cure[SM_ERROR_TEXT_SIZE];
};

/** Fills `failure`; returns false, so that a function can end with it. */
bool cli_fail(struct cli_failure *failure, enum cli_exit code, const char *cure,
              const char *cause_format, ...) __attribute__((format(printf, 4, 5)));

/** The same from an error of the library. */
bool cli_fail_error(struct cli_failure *failure, const struct sm_error *error);

/** The same for want of memory. */
bool cli_fail_nomem(struct cli_failure *failure);

#endif
