/* SPDX-License-Identifier: MIT */
#include "client/display_ahead.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Of an image: less is decoded sooner than it is handed over, there and back. */
enum { WORTH_PX = 32 << 10 };

static struct sm_ahead_job *oldest(struct sm_ahead *ahead)
{
    return ahead->count ? &ahead->jobs[ahead->first] : NULL;
}

static void drop_oldest(struct sm_ahead *ahead)
{
    struct sm_ahead_job *job = oldest(ahead);
    sm_decode_cancel(ahead->pool, &job->job);
    ahead->pixels -= job->pixels;
    ahead->size -= job->size;
    ahead->first = (ahead->first + 1) % SM_AHEAD_JOBS_MAX;
    ahead->count--;
}

static void on_bell(void *opaque, unsigned events)
{
    struct sm_ahead *ahead = opaque;
    uint64_t count;
    (void)events;
    while (read(ahead->bell, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    ahead->on_done(ahead->opaque);
}

enum sm_status sm_ahead_begin(struct sm_ahead *ahead, struct sm_decode_pool *pool,
                              struct sm_loop loop, void (*on_done)(void *opaque), void *opaque)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *ahead = (struct sm_ahead){.pool = pool, .bell = bell, .loop = loop, .on_done = on_done};
    ahead->opaque = opaque;
    ahead->max_count = 2 * (size_t)sm_decode_pool_threads(pool);
    if (bell >= 0)
        ahead->watch = sm_loop_watch_add(loop, bell, SM_IO_READ, on_bell, ahead);
    if (ahead->watch)
        return SM_OK;
    sm_ahead_end(ahead);
    return bell < 0 ? SM_ERR_IO : SM_ERR_NOMEM;
}

void sm_ahead_end(struct sm_ahead *ahead)
{
    if (!ahead->pool)
        return;
    while (ahead->count)
        drop_oldest(ahead);
    sm_loop_watch_remove(ahead->loop, ahead->watch);
    if (ahead->bell >= 0)
        close(ahead->bell);
    *ahead = (struct sm_ahead){.bell = -1};
}

/*
 * Decoding anything else is as quick as copying a picture to where it belongs, which is what
 * decoding it elsewhere costs. Source: docs/performance.md, "Decoding ahead".
 */
static bool is_slow(enum sm_image_codec codec)
{
    return codec == SM_CODEC_QUIC || codec == SM_CODEC_JPEG || codec == SM_CODEC_JPEG_ALPHA;
}

static bool is_worth(const struct sm_ahead_image *image, uint64_t pixels)
{
    return is_slow(image->coded.codec) && pixels >= WORTH_PX && pixels <= SM_AHEAD_MAX_PX;
}

static bool has_room(const struct sm_ahead *ahead, uint64_t pixels, size_t size)
{
    return ahead->count < ahead->max_count && ahead->pixels + pixels <= SM_AHEAD_MAX_PX &&
           (ahead->size + size <= SM_AHEAD_MAX_SIZE || ahead->count == 0);
}

static bool submit(struct sm_ahead *ahead, const struct sm_ahead_image *image, uint64_t pixels,
                   const struct sm_display_client_ahead *next)
{
    struct sm_ahead_job *job = &ahead->jobs[(ahead->first + ahead->count) % SM_AHEAD_JOBS_MAX];
    *job = (struct sm_ahead_job){.turn = next->turn, .pixels = pixels, .size = next->size};
    job->job.image = *image;
    job->job.bell = ahead->bell;
    if (!sm_decode_submit(ahead->pool, &job->job))
        return false;
    ahead->count++;
    ahead->pixels += pixels;
    ahead->size += next->size;
    return true;
}

void sm_ahead_look(struct sm_ahead *ahead, struct sm_display_client *client,
                   const struct sm_canvas *canvas, size_t unfed)
{
    struct sm_display_client_ahead next;
    struct sm_ahead_image image;
    while (ahead->pool && ahead->count < ahead->max_count &&
           sm_display_client_look_ahead(client, &next)) {
        bool may = sm_ahead_image_init(&image, canvas, next.msg);
        uint64_t pixels = may ? (uint64_t)image.coded.width * image.coded.height : 0;
        bool is_worth_it = may && is_worth(&image, pixels);
        /* One that has the line to itself is drawn soonest where it belongs. */
        if (is_worth_it && next.is_alone && ahead->count == 0 && unfed < next.size / 8)
            is_worth_it = false;
        if (is_worth_it && !has_room(ahead, pixels, next.size))
            return;
        bool is_taken = is_worth_it && submit(ahead, &image, pixels, &next);
        sm_display_client_pass(client, is_taken);
    }
}

bool sm_ahead_is_ready(struct sm_ahead *ahead, uint64_t turn)
{
    struct sm_ahead_job *job = oldest(ahead);
    return !job || job->turn != turn || sm_decode_await(ahead->pool, &job->job);
}

struct sm_picture *sm_ahead_take(struct sm_ahead *ahead, const struct sm_image *image)
{
    struct sm_ahead_job *job = oldest(ahead);
    if (!job || job->job.image.coded.data.data != image->data.data)
        return NULL;
    struct sm_picture *picture = job->job.picture;
    job->job.picture = NULL;
    return picture;
}

void sm_ahead_release(struct sm_ahead *ahead, uint64_t turn)
{
    struct sm_ahead_job *job = oldest(ahead);
    if (job && job->turn == turn)
        drop_oldest(ahead);
}
