/* SPDX-License-Identifier: MIT */
/*
 * A display of a hostile server, whose images threads decode before their turn. The input is what
 * the channel receives. Invariant: the pictures, and what was left out, are those of a client that
 * decodes each image in its turn.
 */
#include <errno.h>
#include <poll.h>

#include "client/display_ahead.h"
#include "core/channel/canvas/image_cache.h"
#include "fuzz/core-channel/digest.h"
#include "io/epoll_loop.h"
#include "media/libs.h"

enum {
    SURFACES = 4,
    SURFACES_PX = 1 << 19,
    IMAGE_PX = 1 << 18,
    CACHE_PX = 1 << 18,
    THREADS = 2,
    PATIENCE_MS = 60000, /* for one image */
};

/* Threads that outlive an input: starting them takes longer than most inputs do. */
static struct sm_decode_pool *pool;
static struct sm_epoll_loop *loop;

struct display {
    struct sm_ahead ahead;
    struct sm_display_client *client; /* owned */
    struct sm_canvas *canvas;         /* owned */
    struct sm_image_cache *cache;     /* owned */
};

static struct sm_picture *find_decoded(void *opaque, const struct sm_image *image)
{
    struct display *display = opaque;
    return sm_ahead_take(&display->ahead, image);
}

/* The bell is looked at where it is waited for. */
static void on_done(void *opaque)
{
    (void)opaque;
}

static void await(struct display *display, uint64_t turn)
{
    while (!sm_ahead_is_ready(&display->ahead, turn)) {
        struct pollfd bell = {.fd = display->ahead.bell, .events = POLLIN};
        int rung = poll(&bell, 1, PATIENCE_MS);
        FUZZ_CHECK(rung == 1 || (rung < 0 && errno == EINTR)); /* libFuzzer has an alarm */
    }
}

static void add_surfaces(const struct display *display, struct sm_digest *digest)
{
    for (uint32_t id = 0; id < SURFACES; id++) {
        const struct sm_surface *surface = sm_canvas_surface(display->canvas, id);
        const struct sm_pixels *pixels = surface ? sm_surface_pixels(surface) : NULL;
        if (!pixels)
            continue;
        size_t row_bytes = (size_t)sm_pixel_row_bytes(pixels->format, pixels->width);
        for (uint32_t y = 0; y < pixels->height; y++)
            sm_digest_bytes(&digest->seen, (struct sm_bytes){sm_pixels_row(pixels, y), row_bytes});
    }
}

static bool is_drawing(uint16_t type)
{
    return type == SM_MSG_DISPLAY_COPY_BITS ||
           (type >= SM_MSG_DISPLAY_DRAW_FILL && type <= SM_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
           type == SM_MSG_DISPLAY_DRAW_COMPOSITE;
}

/* As client/display_messages.c, without streams. */
static enum sm_status take(struct display *display, const struct sm_display_msg *msg)
{
    if (!is_drawing(msg->type))
        return sm_canvas_apply(display->canvas, msg);
    struct sm_region damage;
    sm_region_init(&damage);
    enum sm_status status = sm_canvas_draw(display->canvas, msg, &damage);
    if (status == SM_AGAIN) /* nobody else brings the image */
        sm_canvas_cancel(display->canvas);
    sm_region_finish(&damage);
    return status;
}

static void look(struct display *display)
{
    sm_ahead_look(&display->ahead, display->client, display->canvas, 0);
}

static bool pull(void *opaque, struct sm_digest *digest)
{
    struct display *display = opaque;
    struct sm_display_client_event event;
    enum sm_status status;
    look(display);
    while ((status = sm_display_client_next(display->client, &event)) == SM_OK) {
        await(display, event.turn);
        sm_digest_number(&digest->seen, event.serial);
        sm_digest_number(&digest->seen, event.msg->type);
        sm_digest_number(&digest->seen, (uint64_t)take(display, event.msg));
        sm_channel_release(sm_display_client_channel(display->client));
        sm_ahead_release(&display->ahead, event.turn);
        look(display);
    }
    return status == SM_AGAIN;
}

static struct sm_digest run(const uint8_t *data, size_t size, size_t piece, bool is_ahead)
{
    struct sm_digest digest = sm_digest();
    struct display display = {.ahead = {.bell = -1}};
    struct sm_display_client_config config = {
        .setup = {.has_mini_header = true, .channel_caps = UINT32_MAX, .is_local = true}};
    struct sm_image_cache_config cache = {.max_pixels = CACHE_PX};
    FUZZ_CHECK(sm_image_cache_create(&display.cache, &cache) == SM_OK);
    struct sm_canvas_config canvas = {
        .max_surfaces = SURFACES,
        .max_pixels = SURFACES_PX,
        .max_image_pixels = IMAGE_PX,
        .cache = display.cache,
        .libs = &sm_media_codec_libs,
        .images = {.decoded = find_decoded, .context = &display},
    };
    FUZZ_CHECK(sm_canvas_create(&display.canvas, &canvas) == SM_OK &&
               sm_display_client_create(&display.client, &config, 0) == SM_OK);
    if (is_ahead)
        FUZZ_CHECK(sm_ahead_begin(&display.ahead, pool, sm_epoll_loop_base(loop), on_done, NULL) ==
                   SM_OK);
    fuzz_feed(sm_display_client_machine(display.client), data, size, piece, pull, &display,
              &digest);
    add_surfaces(&display, &digest);
    sm_ahead_end(&display.ahead);
    sm_display_client_destroy(display.client);
    sm_canvas_destroy(display.canvas);
    sm_image_cache_destroy(display.cache);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_SIZE)
        return 0;
    if (!pool) {
        FUZZ_CHECK(sm_epoll_loop_create(&loop) == SM_OK);
        FUZZ_CHECK(sm_decode_pool_create(&pool, THREADS, &sm_media_codec_libs, 0) == SM_OK);
    }
    struct sm_digest turns = run(data + 1, size - 1, SIZE_MAX, false);
    struct sm_digest ahead = run(data + 1, size - 1, SIZE_MAX, true);
    struct sm_digest split = run(data + 1, size - 1, 1 + (size_t)data[0] * 64, true);
    FUZZ_CHECK(sm_digest_equal(turns, ahead));
    FUZZ_CHECK(sm_digest_equal(turns, split));
    return 0;
}
