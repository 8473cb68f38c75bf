/* SPDX-License-Identifier: MIT */
#include "client/decode_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/codec/decoder.h"
#include "io/sandbox.h"

enum { DEFAULT_MIN_THREADS = 2 };

struct thread {
    struct sm_decode_pool *pool;
    struct sm_decoder *decoder; /* owned */
    pthread_t id;
};

struct sm_decode_pool {
    unsigned wanted; /* threads */
    const struct sm_codec_libs *libs;
    uint32_t cpu_flags;
    pthread_mutex_t lock;   /* over what follows, and the pool's part of jobs */
    pthread_cond_t changed; /* a job is queued, or the end has come */
    pthread_cond_t done;    /* a job has been decoded */
    struct sm_list queue;
    bool is_ending, was_started;
    unsigned count;
    struct thread threads[SM_DECODE_THREADS_MAX];
};

/* ---- The threads ---- */

static void decode(struct sm_decode_job *job, struct sm_decoder *decoder)
{
    const char *reason;
    if (sm_ahead_image_decode(&job->image, decoder, &job->picture, &reason) == SM_OK)
        return;
    sm_decoder_cancel(decoder);
    sm_picture_unref(job->picture);
    job->picture = NULL;
}

static void ring(int bell)
{
    static const uint64_t one = 1;
    while (write(bell, &one, sizeof(one)) < 0 && errno == EINTR) {
        /* A full counter means that it rings already. */
    }
}

static void *run(void *opaque)
{
    struct thread *thread = opaque;
    struct sm_decode_pool *pool = thread->pool;
    (void)prctl(PR_SET_NAME, "sumac decode"); /* of another thread it would take opening a file */
    /* Whether that is possible here is told of the display's own thread. */
    (void)!sm_sandbox_enter();
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (sm_list_is_empty(&pool->queue) && !pool->is_ending)
            pthread_cond_wait(&pool->changed, &pool->lock);
        if (pool->is_ending)
            break;
        struct sm_decode_job *job = SM_LIST_ITEM(pool->queue.next, struct sm_decode_job, link);
        sm_list_remove(&job->link);
        job->state = SM_DECODE_RUNNING;
        pthread_mutex_unlock(&pool->lock);
        decode(job, thread->decoder);
        pthread_mutex_lock(&pool->lock);
        job->state = SM_DECODE_DONE;
        if (job->is_awaited)
            ring(job->bell); /* with the lock: when the job is seen as done, it is done with it */
        pthread_cond_broadcast(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool start_thread(struct thread *thread)
{
    const struct sm_decoder_config config = {
        .libs = thread->pool->libs,
        .cpu_flags = thread->pool->cpu_flags,
    };
    if (sm_decoder_create(&thread->decoder, &config) != SM_OK)
        return false;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not ours */
    bool has_thread = pthread_create(&thread->id, NULL, run, thread) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!has_thread)
        sm_decoder_destroy(thread->decoder);
    return has_thread;
}

/* Once; with fewer threads than wanted it goes on with those. With the lock held. */
static void start(struct sm_decode_pool *pool)
{
    pool->was_started = true;
    while (pool->count < pool->wanted) {
        struct thread *thread = &pool->threads[pool->count];
        thread->pool = pool;
        if (!start_thread(thread))
            return;
        pool->count++;
    }
}

/* ---- The pool ---- */

unsigned sm_decode_threads_default(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < DEFAULT_MIN_THREADS)
        return 0;
    return count < SM_DECODE_THREADS_MAX ? (unsigned)count : SM_DECODE_THREADS_MAX;
}

enum sm_status sm_decode_pool_create(struct sm_decode_pool **out, unsigned threads,
                                     const struct sm_codec_libs *libs, uint32_t cpu_flags)
{
    if (threads == 0 || threads > SM_DECODE_THREADS_MAX)
        return SM_ERR_LIMIT;
    struct sm_decode_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return SM_ERR_NOMEM;
    pool->wanted = threads;
    pool->libs = libs;
    pool->cpu_flags = cpu_flags;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pthread_cond_init(&pool->done, NULL);
    sm_list_init(&pool->queue);
    *out = pool;
    return SM_OK;
}

void sm_decode_pool_destroy(struct sm_decode_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++) {
        (void)pthread_join(pool->threads[i].id, NULL);
        sm_decoder_destroy(pool->threads[i].decoder);
    }
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

unsigned sm_decode_pool_threads(const struct sm_decode_pool *pool)
{
    return pool->wanted;
}

/* ---- Jobs ---- */

bool sm_decode_submit(struct sm_decode_pool *pool, struct sm_decode_job *job)
{
    job->picture = NULL;
    job->is_awaited = false;
    sm_list_init(&job->link);
    pthread_mutex_lock(&pool->lock);
    if (!pool->was_started)
        start(pool);
    bool is_taken = pool->count > 0;
    job->state = is_taken ? SM_DECODE_QUEUED : SM_DECODE_IDLE;
    if (is_taken) {
        sm_list_append(&pool->queue, &job->link);
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    return is_taken;
}

bool sm_decode_await(struct sm_decode_pool *pool, struct sm_decode_job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool is_done = job->state == SM_DECODE_DONE;
    job->is_awaited = !is_done;
    pthread_mutex_unlock(&pool->lock);
    return is_done;
}

void sm_decode_cancel(struct sm_decode_pool *pool, struct sm_decode_job *job)
{
    pthread_mutex_lock(&pool->lock);
    sm_list_remove(&job->link);
    job->is_awaited = false;
    while (job->state == SM_DECODE_RUNNING)
        pthread_cond_wait(&pool->done, &pool->lock);
    job->state = SM_DECODE_IDLE;
    pthread_mutex_unlock(&pool->lock);
    sm_picture_unref(job->picture);
    job->picture = NULL;
}
