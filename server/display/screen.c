/* SPDX-License-Identifier: MIT */
#include "server/display/screen.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/base/cpu.h"
#include "core/codec/encoder.h"
#include "media/libs.h"
#include "server/display/client_shares.h"
#include "server/display/encode_pool.h"
#include "server/display/limits.h"
#include "server/display/renderer.h"
#include "server/display/streams.h"

enum { TIDY_MS = 500 };

/*
 * A whole picture takes megabytes several times over, of which the allocator keeps most, in the
 * arena of each thread that had a part in it, as if they were needed again at once.
 */
static void tidy(void *opaque)
{
    struct sm_screen *screen = opaque;
    sm_encoder_trim(screen->encoder);
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void sm_screen_tidy_later(struct sm_screen *screen)
{
    sm_loop_timer_start(screen->loop, screen->tidy_timer, TIDY_MS);
}

static void on_encoded(void *opaque)
{
    sm_screen_push_clients(opaque);
}

enum sm_status sm_screen_init(struct sm_screen *screen, const struct sm_worker_config *config,
                              struct sm_loop loop)
{
    screen->config = *config;
    screen->loop = loop;
    screen->compression = config->compression;
    screen->complaints = (struct sm_log_limit){.burst = SM_DISPLAY_COMPLAINTS,
                                               .period_us = SM_DISPLAY_COMPLAINTS_US};
    atomic_init(&screen->max_monitors, UINT32_MAX);
    sm_list_init(&screen->clients);
    sm_surfaces_init(&screen->surfaces, config->info.surface_count, NULL);
    enum sm_status status = SM_OK;
    if (config->shares)
        screen->shares = sm_client_shares_ref(config->shares);
    else
        status = sm_client_shares_create(&screen->shares);
    if (!status)
        status = sm_memslots_create(&screen->slots, &config->info, config->log);
    if (!status)
        status = sm_renderer_create(&screen->renderer, screen->slots);
    if (!status)
        status = sm_pointer_create(&screen->pointer, loop, config->log, config->mouse_mode);
    if (!status)
        status = sm_gl_scanout_create(&screen->gl, screen);
    struct sm_streams_config streams = {.loop = loop,
                                        .log = config->log,
                                        .host = &sm_screen_stream_host,
                                        .host_context = screen,
                                        .mode = config->streaming,
                                        .codecs = config->codecs};
    if (!status)
        status = sm_streams_create(&screen->streams, &streams);
    if (!status)
        status = sm_encoder_create(&screen->encoder, &(struct sm_encoder_config){
                                                         .libs = &sm_media_codec_libs,
                                                         .max_pixels = SM_MAX_PIXELS,
                                                         .cpu_flags = sm_cpu_detect(),
                                                     });
    if (!status && config->pool)
        status = sm_encode_inbox_create(&screen->inbox, config->pool, loop, on_encoded, screen);
    screen->tidy_timer = sm_loop_timer_add(loop, tidy, screen);
    if (!status && !screen->tidy_timer)
        status = SM_ERR_NOMEM;
    screen->surfaces.renderer = screen->renderer;
    return status;
}

void sm_screen_finish(struct sm_screen *screen)
{
    while (!sm_list_is_empty(&screen->clients)) {
        struct sm_display_peer *client = sm_display_peer_of(screen->clients.next);
        sm_streams_remove_client(screen->streams, client);
        sm_display_peer_destroy(client);
    }
    sm_loop_timer_remove(screen->loop, screen->tidy_timer);
    sm_gl_scanout_destroy(screen->gl);
    sm_pointer_destroy(screen->pointer);
    for (uint32_t id = 0; id < screen->surfaces.limit; id++) {
        if (screen->surfaces.table[id])
            sm_surfaces_drop_pending(&screen->surfaces, screen->surfaces.table[id]);
    }
    for (uint32_t id = 0; id < screen->surfaces.limit; id++) {
        if (screen->surfaces.table[id])
            sm_screen_remove_surface(screen, screen->surfaces.table[id]);
    }
    if (screen->slots)
        sm_screen_release_cursor(screen);
    sm_encode_inbox_destroy(screen->inbox); /* its last jobs hold drawings */
    sm_encoder_destroy(screen->encoder);
    sm_streams_destroy(screen->streams);
    sm_renderer_destroy(screen->renderer);
    sm_memslots_destroy(screen->slots);
    sm_client_shares_unref(screen->shares);
}
