/* SPDX-License-Identifier: MIT */
#include "server/display/glz_share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/codec/glz/dictionary.h"
#include "server/display/encode_pool.h"

struct sm_glz_share {
    _Atomic uint32_t refs;
    _Atomic bool is_broken;
    uint32_t window_px;
    struct sm_encode_lane lane;
    pthread_mutex_t lock;                 /* of the dictionary, held while an image is encoded */
    struct sm_glz_dictionary *dictionary; /* owned */
};

static void lock(void *context)
{
    struct sm_glz_share *share = context;
    pthread_mutex_lock(&share->lock);
}

static void unlock(void *context)
{
    struct sm_glz_share *share = context;
    pthread_mutex_unlock(&share->lock);
}

enum sm_status sm_glz_share_create(struct sm_glz_share **out, uint32_t window_px, uint64_t first_id)
{
    struct sm_glz_share *share = calloc(1, sizeof(*share));
    if (!share)
        return SM_ERR_NOMEM;
    struct sm_glz_dictionary_hooks hooks = {.lock = lock, .unlock = unlock, .context = share};
    enum sm_status status =
        sm_glz_dictionary_create(&share->dictionary, window_px, first_id, &hooks);
    if (status) {
        free(share);
        return status;
    }
    atomic_init(&share->refs, 1);
    atomic_init(&share->is_broken, false);
    share->window_px = window_px;
    sm_encode_lane_init(&share->lane);
    pthread_mutex_init(&share->lock, NULL);
    *out = share;
    return SM_OK;
}

struct sm_glz_share *sm_glz_share_ref(struct sm_glz_share *share)
{
    atomic_fetch_add(&share->refs, 1);
    return share;
}

void sm_glz_share_unref(struct sm_glz_share *share)
{
    if (!share || atomic_fetch_sub(&share->refs, 1) > 1)
        return;
    sm_glz_dictionary_destroy(share->dictionary);
    pthread_mutex_destroy(&share->lock);
    free(share);
}

struct sm_glz_dictionary *sm_glz_share_dictionary(struct sm_glz_share *share)
{
    return share->dictionary;
}

struct sm_encode_lane *sm_glz_share_lane(struct sm_glz_share *share)
{
    return &share->lane;
}

uint64_t sm_glz_share_next_id(struct sm_glz_share *share)
{
    return sm_glz_dictionary_next_id(share->dictionary); /* locks itself */
}

void sm_glz_share_break(struct sm_glz_share *share)
{
    atomic_store(&share->is_broken, true);
}

bool sm_glz_share_is_broken(const struct sm_glz_share *share)
{
    return atomic_load(&share->is_broken);
}

uint32_t sm_glz_share_window_px(const struct sm_glz_share *share)
{
    return share->window_px;
}
