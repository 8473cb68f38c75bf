/* SPDX-License-Identifier: MIT */
/* What the display channels of a session have in common: the cache of images, the GLZ window, and
 * the threads that decode before images' turns. */
#ifndef SM_CLIENT_SHARED_H
#define SM_CLIENT_SHARED_H

#include <pthread.h>
#include <stdint.h>

#include "sumac/error.h"

struct sm_session;
struct sm_image_cache;
struct sm_glz_window;
struct sm_decode_pool;

struct sm_shared {
    pthread_mutex_t cache_lock;
    pthread_mutex_t window_lock;
    struct sm_image_cache *cache; /* owned; NULL until connecting */
    struct sm_glz_window *window; /* owned; NULL until the first display channel opens */
    uint32_t window_px;           /* its size, as announced */
    struct sm_decode_pool *pool;  /* owned; likewise; NULL, too, if there is to be none */
};

/** The pixels the server may have us keep for reuse. */
uint32_t sm_session_cache_px(const struct sm_session *session);

SM_NODISCARD enum sm_status sm_session_init_shared(struct sm_session *session,
                                                   struct sm_error *error);

/** Makes the GLZ window, in the size that fits the server, and the pool, if they are not there. */
SM_NODISCARD enum sm_status sm_session_need_shared(struct sm_session *session);

/** Forgets all that was kept for the last connection. No display channel may run. */
SM_NODISCARD enum sm_status sm_session_reset_shared(struct sm_session *session);

/** Frees all of it; harmless if none of it was made. */
void sm_session_finish_shared(struct sm_session *session);

#endif
