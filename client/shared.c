/* SPDX-License-Identifier: MIT */
#include "client/shared.h"

#include "client/decode_pool.h"
#include "client/error.h"
#include "client/session_private.h"
#include "core/base/cpu.h"
#include "core/channel/canvas/image_cache.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"

enum {
    BYTES_A_PIXEL = 4,
    MIN_WINDOW_BYTES = 12 << 20, /* what the reference client gives, by the server's memory */
    MAX_WINDOW_BYTES = 64 << 20,
};

static void lock_mutex(void *context)
{
    pthread_mutex_lock(context);
}

static void unlock_mutex(void *context)
{
    pthread_mutex_unlock(context);
}

uint32_t sm_session_cache_px(const struct sm_session *session)
{
    return session->settings.image_cache_bytes / BYTES_A_PIXEL;
}

enum sm_status sm_session_init_shared(struct sm_session *session, struct sm_error *error)
{
    struct sm_shared *shared = &session->shared;
    if (shared->cache)
        return SM_OK;
    pthread_mutex_init(&shared->cache_lock, NULL);
    pthread_mutex_init(&shared->window_lock, NULL);
    struct sm_image_cache_config config = {
        /* The server does the accounting; ours only stops one that does not. */
        .max_pixels = (uint64_t)sm_session_cache_px(session) * 2,
        .lock = lock_mutex,
        .unlock = unlock_mutex,
        .context = &shared->cache_lock,
    };
    enum sm_status status = sm_image_cache_create(&shared->cache, &config);
    if (status != SM_OK) {
        pthread_mutex_destroy(&shared->cache_lock);
        pthread_mutex_destroy(&shared->window_lock);
        return sm_error_nomem(error);
    }
    return SM_OK;
}

static uint32_t window_bytes(const struct sm_session *session)
{
    if (session->settings.glz_window_bytes)
        return session->settings.glz_window_bytes;
    uint32_t bytes = session->ram_hint / 2;
    if (bytes < MIN_WINDOW_BYTES)
        return MIN_WINDOW_BYTES;
    return bytes > MAX_WINDOW_BYTES ? MAX_WINDOW_BYTES : bytes;
}

static enum sm_status need_window(struct sm_session *session)
{
    struct sm_shared *shared = &session->shared;
    enum sm_status status = SM_OK;
    if (!shared->window) {
        struct sm_glz_window_hooks hooks = {
            .lock = lock_mutex,
            .unlock = unlock_mutex,
            .context = &shared->window_lock,
        };
        shared->window_px = window_bytes(session) / BYTES_A_PIXEL;
        status = sm_glz_window_create(&shared->window, shared->window_px, &hooks);
    }
    return status;
}

static enum sm_status need_pool(struct sm_session *session)
{
    unsigned threads = session->settings.decoding_threads;
    if (session->shared.pool || threads == 0)
        return SM_OK;
    return sm_decode_pool_create(&session->shared.pool, threads, &sm_media_codec_libs,
                                 sm_cpu_detect());
}

enum sm_status sm_session_need_shared(struct sm_session *session)
{
    pthread_mutex_lock(&session->lock);
    enum sm_status status = need_window(session);
    if (status == SM_OK)
        status = need_pool(session);
    pthread_mutex_unlock(&session->lock);
    return status;
}

enum sm_status sm_session_reset_shared(struct sm_session *session)
{
    sm_session_finish_shared(session);
    session->shared = (struct sm_shared){.cache = NULL};
    return sm_session_init_shared(session, NULL);
}

void sm_session_finish_shared(struct sm_session *session)
{
    struct sm_shared *shared = &session->shared;
    if (!shared->cache)
        return;
    sm_decode_pool_destroy(shared->pool);
    sm_glz_window_destroy(shared->window);
    sm_image_cache_destroy(shared->cache);
    pthread_mutex_destroy(&shared->cache_lock);
    pthread_mutex_destroy(&shared->window_lock);
}
