/* SPDX-License-Identifier: MIT */
#include "cli/movie.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/movie_maker.h"
#include "cli/movie_wire.h"

enum { ROWS_MAX = 64 }; /* given to the socket at a time */

struct cli_movie {
    int fd;                 /* owned: a socket */
    pid_t process;          /* owned; 0 once it has been waited for */
    uint32_t width, height; /* of the film */
    bool is_fitted;         /* the last picture was of another size */
    bool is_gone;           /* the process has ended of itself */
    struct cli_movie_answer answer;
};

static int spawn(pid_t *process, int fd)
{
    char program[] = "sumac", verb[] = CLI_MOVIE_MAKER;
    char *words[] = {program, verb, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int error = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn(process, "/proc/self/exe", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Waits for the process, whose end of the socket is closed or will be; returns how it ended. */
static int reap(struct cli_movie *movie)
{
    int how = 0;
    while (movie->process > 0 && waitpid(movie->process, &how, 0) < 0 && errno == EINTR)
        continue;
    movie->process = 0;
    return how;
}

static const char *gone(struct cli_movie *movie)
{
    struct cli_movie_answer *a = &movie->answer;
    int how = reap(movie);
    int signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    (void)snprintf(a->text, sizeof(a->text), "the process that encodes it has ended%s%s",
                   signal ? ": " : "", signal ? strsignal(signal) : "");
    (void)snprintf(a->cure, sizeof(a->cure),
                   "see in the system's log why; if memory ran out, record with --raw");
    movie->is_gone = true;
    return a->text;
}

static const char *await(struct cli_movie *movie)
{
    if (!cli_movie_receive(movie->fd, &movie->answer, sizeof(movie->answer)))
        return gone(movie);
    movie->answer.text[sizeof(movie->answer.text) - 1] = 0;
    movie->answer.cure[sizeof(movie->answer.cure) - 1] = 0;
    return movie->answer.is_good ? NULL : movie->answer.text;
}

bool cli_movie_start(struct cli_movie **out, struct cli_failure *failure)
{
    int ends[2];
    struct cli_movie *movie = calloc(1, sizeof(*movie));
    if (!movie)
        return cli_fail_nomem(failure);
    int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
    if (error == 0) {
        movie->fd = ends[0];
        error = spawn(&movie->process, ends[1]);
        (void)close(ends[1]);
        if (error)
            (void)close(ends[0]);
    }
    if (error) {
        free(movie);
        return cli_fail(failure, CLI_EXIT_OTHER, "end other programs, then try again",
                        "the process that makes the film cannot be started: %s", strerror(error));
    }
    const char *reason = await(movie);
    if (reason) {
        (void)cli_fail(failure, movie->is_gone ? CLI_EXIT_OUTPUT : CLI_EXIT_OTHER,
                       movie->answer.cure, "%s", reason);
        cli_movie_destroy(movie);
        return false;
    }
    *out = movie;
    return true;
}

/* Says `head` with `data` and waits for the answer. */
static const char *ask(struct cli_movie *movie, struct cli_movie_head head, const void *data)
{
    struct iovec parts[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)data, head.size[0]}};
    return cli_movie_send(movie->fd, parts, 2) ? await(movie) : gone(movie);
}

const char *cli_movie_begin(struct cli_movie *movie, const struct sm_movie_setup *setup,
                            char *codec, size_t codec_size)
{
    struct cli_movie_head head = {
        .verb = CLI_MOVIE_BEGIN,
        .width = setup->width,
        .height = setup->height,
        .size = {(uint32_t)strlen(setup->path) + 1, (uint32_t)strlen(setup->name) + 1},
        .codec = setup->codec,
        .fps = setup->fps,
        .has_sound = setup->has_sound,
    };
    movie->width = setup->width;
    movie->height = setup->height;
    struct iovec parts[] = {{&head, sizeof(head)},
                            {(void *)(uintptr_t)setup->path, head.size[0]},
                            {(void *)(uintptr_t)setup->name, head.size[1]}};
    const char *reason = cli_movie_send(movie->fd, parts, 3) ? await(movie) : gone(movie);
    if (!reason)
        (void)snprintf(codec, codec_size, "%s", movie->answer.text);
    return reason;
}

/* Chroma comes in pairs; what is fitted comes whole. */
static struct sm_rect widen(const struct cli_movie *movie, struct sm_rect dirty, int32_t width,
                            int32_t height, bool is_fitted)
{
    if (is_fitted || movie->is_fitted)
        return (struct sm_rect){0, 0, width, height};
    return (struct sm_rect){
        .left = dirty.left & ~1,
        .top = dirty.top & ~1,
        .right = dirty.right < width ? (dirty.right + 1) & ~1 : width,
        .bottom = dirty.bottom < height ? (dirty.bottom + 1) & ~1 : height,
    };
}

const char *cli_movie_draw(struct cli_movie *movie, const uint8_t *pixels, size_t stride_bytes,
                           uint32_t width, uint32_t height, struct sm_rect dirty)
{
    bool is_fitted = width != movie->width || height != movie->height;
    struct cli_movie_head head = {
        .verb = CLI_MOVIE_DRAW,
        .width = width,
        .height = height,
        .area = widen(movie, dirty, (int32_t)width, (int32_t)height, is_fitted),
    };
    movie->is_fitted = is_fitted;
    struct iovec parts[ROWS_MAX] = {{&head, sizeof(head)}};
    size_t count = 1;
    struct sm_rect area = head.area;
    pixels += (size_t)area.left * 4;
    for (int32_t y = area.top; y < area.bottom; y++) {
        parts[count++] = (struct iovec){(void *)(uintptr_t)(pixels + (size_t)y * stride_bytes),
                                        (size_t)(area.right - area.left) * 4};
        if (count < ROWS_MAX && y + 1 < area.bottom)
            continue;
        if (!cli_movie_send(movie->fd, parts, count))
            return gone(movie);
        count = 0;
    }
    return NULL;
}

const char *cli_movie_show(struct cli_movie *movie, uint64_t at_us)
{
    return ask(movie, (struct cli_movie_head){.verb = CLI_MOVIE_SHOW, .at_us = at_us}, NULL);
}

const char *cli_movie_sound(struct cli_movie *movie, const int16_t *samples, size_t count,
                            uint64_t at_us)
{
    struct cli_movie_head head = {
        .verb = CLI_MOVIE_SOUND,
        .at_us = at_us,
        .size = {(uint32_t)(count * 2 * sizeof(*samples))},
    };
    return ask(movie, head, samples);
}

const char *cli_movie_finish(struct cli_movie *movie, uint64_t at_us)
{
    return ask(movie, (struct cli_movie_head){.verb = CLI_MOVIE_FINISH, .at_us = at_us}, NULL);
}

const char *cli_movie_cure(const struct cli_movie *movie)
{
    return movie->is_gone ? movie->answer.cure : NULL;
}

void cli_movie_destroy(struct cli_movie *movie)
{
    if (!movie)
        return;
    (void)close(movie->fd);
    (void)reap(movie);
    free(movie);
}
