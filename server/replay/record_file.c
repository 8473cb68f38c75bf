/* SPDX-License-Identifier: MIT */
#include "server/replay/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FINISH_MS = 5000,
    STEP_MS = 10,
};

struct sm_record_file {
    int fd;        /* owned: the file, or a socket to the command */
    pid_t command; /* 0 without one */
};

extern char **environ;

/*
 * A socket in place of a pipe: writing to a command that has ended must not raise a signal in
 * somebody else's process.
 */
static bool start_command(struct sm_record_file *file, const char *filter, int target,
                          const char **reason)
{
    int ends[2];
    char **words = sm_words_split(filter);
    *reason = "the filter's quotes do not match";
    if (!words || !words[0] || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        sm_words_free(words);
        return false;
    }
    (void)shutdown(ends[0], SHUT_RD);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, target, STDOUT_FILENO);
    if (!error)
        error = posix_spawnp(&file->command, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    sm_words_free(words);
    (void)close(ends[1]);
    if (error) {
        (void)close(ends[0]);
        file->command = 0;
        *reason = strerror(error);
        return false;
    }
    file->fd = ends[0];
    return true;
}

enum sm_status sm_record_file_open(struct sm_record_file **out, const char *path,
                                   const char *filter, const char **reason)
{
    struct sm_record_file *file = calloc(1, sizeof(*file));
    *reason = "out of memory";
    if (!file)
        return SM_ERR_NOMEM;
    file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file->fd < 0) {
        *reason = strerror(errno);
        free(file);
        return SM_ERR_IO;
    }
    if (filter && *filter) {
        int target = file->fd;
        bool has_started = start_command(file, filter, target, reason);
        (void)close(target);
        if (!has_started) {
            free(file);
            return SM_ERR_IO;
        }
    }
    *out = file;
    return SM_OK;
}

/* Not buffered: hosts end without saying so, and what came last is what one wants to see. */
bool sm_record_file_write(struct sm_record_file *file, struct sm_bytes bytes, const char **reason)
{
    const uint8_t *data = bytes.data;
    size_t size = bytes.size;
    while (size) {
        ssize_t put =
            file->command ? send(file->fd, data, size, MSG_NOSIGNAL) : write(file->fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            bool has_ended = put < 0 && (errno == EPIPE || errno == ECONNRESET);
            *reason = file->command && has_ended ? "the filter has ended"
                      : put < 0                  ? strerror(errno)
                                                 : "nothing could be written";
            return false;
        }
        data += put;
        size -= (size_t)put;
    }
    return true;
}

/* A host may collect all its children itself, so it may be gone already. */
static void await_command(pid_t command)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (unsigned ms = 0; ms < FINISH_MS; ms += STEP_MS) {
        if (waitpid(command, NULL, WNOHANG) != 0)
            return;
        (void)nanosleep(&step, NULL);
    }
}

void sm_record_file_close(struct sm_record_file *file)
{
    if (!file)
        return;
    (void)close(file->fd);
    if (file->command)
        await_command(file->command);
    free(file);
}
