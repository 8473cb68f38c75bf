/* SPDX-License-Identifier: MIT */
#include "cli/movie_maker.h"

#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/movie_module.h"
#include "cli/movie_wire.h"

enum {
    STRIP_ROWS = 16, /* of a picture, at a time: even */
    SIDE_MAX = 65536,
    SOUND_BYTES_MAX = 1 << 20,
};

struct maker {
    int fd;
    const struct sm_movie_module *module;
    void *movie;  /* owned; NULL before it begins */
    void *buffer; /* owned: what has come, up to `room` bytes */
    size_t room;
    const char *drawing_failed; /* what the next answer says; or NULL */
};

/* ---- Memory ---- */

/* Of a library: lets go of pages that were read to load it and are the file's own anyway. */
static int let_go(struct dl_phdr_info *info, size_t size, void *opaque)
{
    (void)size;
    uintptr_t page = *(const uintptr_t *)opaque;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || part->p_flags & PF_W)
            continue;
        uintptr_t begin = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + part->p_vaddr + part->p_memsz + page - 1) & ~(page - 1);
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* the rest is read again */
    }
    return 0;
}

/* FFmpeg brings 130 libraries; after loading, three quarters of what was read of them is not
 * needed. */
static void trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)dl_iterate_phdr(let_go, &page);
}

static void *room_for(struct maker *maker, size_t size)
{
    if (size > maker->room) {
        free(maker->buffer);
        maker->buffer = malloc(size);
        maker->room = maker->buffer ? size : 0;
    }
    return maker->buffer;
}

/* ---- Verbs: false if the other end has gone, or there is no memory to listen with ---- */

static bool answer(struct maker *maker, const char *reason, const char *good)
{
    struct cli_movie_answer a = {.is_good = !reason && !maker->drawing_failed};
    if (!reason)
        reason = maker->drawing_failed;
    (void)snprintf(a.text, sizeof(a.text), "%s", reason ? reason : good);
    struct iovec part = {&a, sizeof(a)};
    return cli_movie_send(maker->fd, &part, 1);
}

static bool begin(struct maker *maker, const struct cli_movie_head *head)
{
    size_t size = (size_t)head->size[0] + head->size[1];
    bool is_text = head->size[0] > 0 && head->size[1] > 0 && size <= 2 * PATH_MAX;
    char *text = is_text ? room_for(maker, size) : NULL;
    if (!text || !cli_movie_receive(maker->fd, text, size))
        return false;
    text[head->size[0] - 1] = text[size - 1] = 0;
    struct sm_movie_setup setup = {
        .path = text,
        .name = text + head->size[0],
        .codec = head->codec,
        .width = head->width,
        .height = head->height,
        .fps = head->fps,
        .has_sound = head->has_sound,
    };
    const char *reason = maker->module->create(&maker->movie, &setup);
    trim();
    return answer(maker, reason, reason ? "" : maker->module->codec(maker->movie));
}

static bool is_inside(struct sm_rect area, uint32_t width, uint32_t height)
{
    return width <= SIDE_MAX && height <= SIDE_MAX && area.left >= 0 && area.top >= 0 &&
           area.left < area.right && area.top < area.bottom && area.right <= (int32_t)width &&
           area.bottom <= (int32_t)height;
}

static bool draw(struct maker *maker, const struct cli_movie_head *head)
{
    struct sm_rect strip = head->area;
    if (!is_inside(strip, head->width, head->height))
        return false;
    size_t stride_bytes = (size_t)(strip.right - strip.left) * 4;
    uint8_t *pixels = room_for(maker, STRIP_ROWS * stride_bytes + SM_MOVIE_EDGE_BYTES);
    for (; pixels && strip.top < head->area.bottom; strip.top = strip.bottom) {
        int32_t left = head->area.bottom - strip.top;
        strip.bottom = strip.top + (left < STRIP_ROWS ? left : STRIP_ROWS);
        if (!cli_movie_receive(maker->fd, pixels,
                               (size_t)(strip.bottom - strip.top) * stride_bytes))
            return false;
        const char *reason = maker->module->draw(maker->movie, pixels, stride_bytes, head->width,
                                                 head->height, strip);
        if (reason)
            maker->drawing_failed = reason;
    }
    return pixels;
}

static bool sound(struct maker *maker, const struct cli_movie_head *head)
{
    int16_t *samples =
        head->size[0] <= SOUND_BYTES_MAX ? room_for(maker, (size_t)head->size[0] + 1) : NULL;
    if (!samples || !cli_movie_receive(maker->fd, samples, head->size[0]))
        return false;
    return answer(maker,
                  maker->module->sound(maker->movie, samples,
                                       head->size[0] / (2 * sizeof(*samples)), head->at_us),
                  "");
}

static bool obey(struct maker *maker, const struct cli_movie_head *head)
{
    if (head->verb == CLI_MOVIE_BEGIN)
        return !maker->movie && begin(maker, head);
    if (!maker->movie)
        return false;
    switch (head->verb) {
    case CLI_MOVIE_DRAW:
        return draw(maker, head);
    case CLI_MOVIE_SHOW:
        return answer(maker, maker->module->show(maker->movie, head->at_us), "");
    case CLI_MOVIE_SOUND:
        return sound(maker, head);
    case CLI_MOVIE_FINISH:
        return answer(maker, maker->module->finish(maker->movie, head->at_us), "");
    default:
        return false;
    }
}

static const struct sm_movie_module *start(int fd)
{
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    const struct sm_movie_module *module = cli_movie_module_load(&failure);
    struct cli_movie_answer a = {.is_good = module};
    (void)snprintf(a.text, sizeof(a.text), "%s", failure.cause);
    (void)snprintf(a.cure, sizeof(a.cure), "%s", failure.cure);
    struct iovec part = {&a, sizeof(a)};
    return cli_movie_send(fd, &part, 1) ? module : NULL;
}

void cli_movie_maker_serve(int fd, const struct sm_movie_module *module)
{
    struct maker maker = {.fd = fd, .module = module};
    struct cli_movie_head head;
    while (cli_movie_receive(fd, &head, sizeof(head)) && obey(&maker, &head))
        continue;
    if (maker.movie)
        module->destroy(maker.movie);
    free(maker.buffer);
}

int cli_movie_maker_run(int fd)
{
    /* Ctrl-C goes to both of us, and the other one ends the film. */
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)signal(signals[i], SIG_IGN);
    /* x264 asks for huge pages, of each of which it needs a part. */
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    const struct sm_movie_module *module = start(fd);
    if (module)
        cli_movie_maker_serve(fd, module);
    return module ? 0 : 1;
}
