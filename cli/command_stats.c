/* SPDX-License-Identifier: MIT */
/* What a server counts, read from the local socket it offers: docs/statistics.md. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"

enum { WATCH_MS = 1000 };

static bool fail_socket(struct cli_failure *failure, const char *path, int error)
{
    return cli_fail(failure, CLI_EXIT_SOCKET,
                    "check the path, and that the server was started with SUMAC_STATS_SOCKET",
                    "%s: %s", path, strerror(error));
}

static bool open_socket(int *out, const char *path, struct cli_failure *failure)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return fail_socket(failure, path, ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        if (fd >= 0)
            (void)close(fd);
        return fail_socket(failure, path, error);
    }
    *out = fd;
    return true;
}

/* Copies the answer to the standard output. */
static bool copy(int fd, const struct cli_options *o, struct cli_failure *failure)
{
    uint64_t deadline_us = cli_now_us() + (uint64_t)o->timeout_ms * 1000;
    bool has_any = false;
    for (;;) {
        char text[4096];
        uint64_t now_us = cli_now_us();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int left_ms = now_us < deadline_us ? (int)((deadline_us - now_us) / 1000) : 0;
        if (poll(&wait, 1, left_ms) == 0)
            return cli_fail(failure, CLI_EXIT_TIMED_OUT, "allow more time with --timeout",
                            "%s gave no answer in time", o->path);
        ssize_t got = read(fd, text, sizeof(text));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_socket(failure, o->path, errno);
        if (got == 0)
            break;
        has_any = true;
        (void)fwrite(text, 1, (size_t)got, stdout);
    }
    return has_any || cli_fail(failure, CLI_EXIT_PROTOCOL, "check that it is a server's",
                               "%s ended without an answer", o->path);
}

static bool ask(const struct cli_options *o, struct cli_failure *failure)
{
    const char *words = o->is_json ? "json\n" : o->is_prometheus ? "prometheus\n" : "table\n";
    int fd = -1;
    if (!open_socket(&fd, o->path, failure))
        return false;
    bool is_good = send(fd, words, strlen(words), MSG_NOSIGNAL) == (ssize_t)strlen(words)
                       ? copy(fd, o, failure)
                       : fail_socket(failure, o->path, errno);
    (void)close(fd);
    return is_good;
}

/* Waits until it is time again; false if the user has had enough. */
static bool pause_watching(int signal_fd)
{
    struct pollfd wait = {.fd = signal_fd, .events = POLLIN};
    return poll(&wait, 1, WATCH_MS) == 0;
}

static int open_signal_fd(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    if (!o->is_watching)
        return ask(o, failure);
    int signal_fd = open_signal_fd();
    if (signal_fd < 0)
        return cli_fail(failure, CLI_EXIT_OTHER, "raise the limit of open files",
                        "no descriptor for signals");
    bool is_good;
    do {
        if (isatty(STDOUT_FILENO))
            (void)fputs("\033[H\033[2J", stdout);
        is_good = ask(o, failure) && fflush(stdout) == 0;
    } while (is_good && pause_watching(signal_fd));
    (void)close(signal_fd);
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (count < 1)
        return cli_usage(o, failure, "the path of the server's socket is missing", "");
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    if (o->is_json && o->is_prometheus)
        return cli_usage(o, failure, "--json and --prometheus exclude each other", "");
    o->path = words[0];
    return true;
}

static const struct cli_option OPTIONS[] = {
    {"prometheus", NULL, "Prometheus's text format", CLI_VALUE_FLAG,
     offsetof(struct cli_options, is_prometheus)},
    {"watch", NULL, "again every second, until Ctrl-C", CLI_VALUE_FLAG,
     offsetof(struct cli_options, is_watching)},
    {NULL},
};

const struct cli_command cli_command_stats = {
    .name = "stats",
    .words = "PATH",
    .summary = "show what a server on this machine counts",
    .about = "Shows who is connected to a server on this machine and what it counts: bytes, round\n"
             "trips, pictures, encoding times, codecs, age of pixels. PATH is the socket that the\n"
             "server was told with SUMAC_STATS_SOCKET; only its user may open it. No password is\n"
             "asked for.\n",
    .options = OPTIONS,
    .is_local = true,
    .take_words = take_words,
    .run = run,
};
