/* SPDX-License-Identifier: MIT */
#include "server/display/encode_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/cpu.h"
#include "core/codec/encoder.h"
#include "core/wire/types.h"
#include "media/libs.h"

enum {
    DEFAULT_MAX_THREADS = 4,
    /* A hand-over there and back costs some 20 us, in which this much is nearly encoded. */
    DEFAULT_INLINE_BYTES = 64 << 10,
};

enum job_state {
    JOB_IDLE,
    JOB_IN_LANE, /* waits for the one before it in its lane */
    JOB_READY,   /* in the pool's line */
    JOB_RUNNING,
    JOB_DONE,
};

struct thread {
    struct sm_encode_pool *pool;
    struct sm_encoder *encoder; /* owned */
    pthread_t id;
};

struct sm_encode_pool {
    _Atomic uint32_t refs;
    unsigned wanted; /* threads */
    size_t inline_bytes;
    pthread_mutex_t lock;    /* guards everything below, and the private parts of jobs and lanes */
    pthread_cond_t changed;  /* a job is ready, or the end has come */
    pthread_cond_t finished; /* a job has run */
    struct sm_list ready;
    bool is_ending, was_started;
    unsigned count;
    struct thread threads[SM_ENCODE_POOL_MAX_THREADS];
};

struct sm_encode_inbox {
    struct sm_encode_pool *pool; /* held */
    struct sm_loop loop;
    struct sm_watch *watch;
    int bell; /* owned eventfd */
    _Atomic bool has_rung;
    void (*on_done)(void *opaque);
    void *opaque;
    unsigned running;       /* guarded by the pool's lock */
    struct sm_list dropped; /* likewise: abandoned ones that have run */
};

static struct sm_encode_job *job_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_encode_job, link);
}

void sm_encode_lane_init(struct sm_encode_lane *lane)
{
    sm_list_init(&lane->waiting);
    lane->is_busy = false;
}

/* ---- the pool's line, under its lock ---- */

static void make_ready(struct sm_encode_pool *pool, struct sm_encode_job *job)
{
    job->state = JOB_READY;
    sm_list_append(&pool->ready, &job->link);
    pthread_cond_signal(&pool->changed);
}

/* The lane's job at the front is gone: the next one is in line. */
static void advance(struct sm_encode_pool *pool, struct sm_encode_lane *lane)
{
    if (!lane)
        return;
    lane->is_busy = !sm_list_is_empty(&lane->waiting);
    if (!lane->is_busy)
        return;
    struct sm_encode_job *next = job_of(lane->waiting.next);
    sm_list_remove(&next->link);
    make_ready(pool, next);
}

/* ---- the threads ---- */

static void ring(struct sm_encode_inbox *inbox)
{
    uint64_t one = 1;
    if (atomic_exchange(&inbox->has_rung, true))
        return; /* it has not looked since */
    while (write(inbox->bell, &one, sizeof(one)) < 0 && errno == EINTR) {
        /* A full counter means that it rings already. */
    }
}

static void settle(struct sm_encode_pool *pool, struct sm_encode_job *job)
{
    struct sm_encode_inbox *inbox = job->inbox;
    advance(pool, job->lane);
    job->state = JOB_DONE;
    if (job->is_abandoned)
        sm_list_append(&inbox->dropped, &job->link);
    atomic_store_explicit(&job->is_done, true, memory_order_release);
    ring(inbox); /* before anybody may think that nothing runs, and free the inbox */
    inbox->running--;
    pthread_cond_broadcast(&pool->finished);
}

static void wait_for_job(struct sm_encode_pool *pool, struct thread *thread)
{
    if (sm_list_is_empty(&pool->ready)) { /* at rest it keeps little */
        pthread_mutex_unlock(&pool->lock);
        sm_encoder_trim(thread->encoder);
        pthread_mutex_lock(&pool->lock);
    }
    while (sm_list_is_empty(&pool->ready) && !pool->is_ending)
        pthread_cond_wait(&pool->changed, &pool->lock);
}

static void *run(void *opaque)
{
    struct thread *thread = opaque;
    struct sm_encode_pool *pool = thread->pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        wait_for_job(pool, thread);
        if (sm_list_is_empty(&pool->ready))
            break;
        struct sm_encode_job *job = job_of(pool->ready.next);
        sm_list_remove(&job->link);
        job->state = JOB_RUNNING;
        job->inbox->running++;
        pthread_mutex_unlock(&pool->lock);
        job->run(job, thread->encoder);
        pthread_mutex_lock(&pool->lock);
        settle(pool, job);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* The host's signals are the host's affair; only those a fault raises reach the thread. */
static bool start_thread(struct thread *thread)
{
    struct sm_encoder_config config = {
        .libs = &sm_media_codec_libs,
        .max_pixels = SM_MAX_PIXELS,
        .cpu_flags = sm_cpu_detect(),
    };
    if (sm_encoder_create(&thread->encoder, &config) != SM_OK)
        return false;
    sigset_t blocked, former;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGSEGV);
    bool has_mask = pthread_sigmask(SIG_SETMASK, &blocked, &former) == 0;
    bool has_thread = has_mask && pthread_create(&thread->id, NULL, run, thread) == 0;
    if (has_mask)
        (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (!has_thread) {
        sm_encoder_destroy(thread->encoder);
        return false;
    }
    (void)pthread_setname_np(thread->id, "SPICE Encoder");
    return true;
}

/* Once; with fewer threads than wanted it goes on with those. Under the lock. */
static void start(struct sm_encode_pool *pool)
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

/* ---- the pool ---- */

static unsigned default_threads(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        return 1;
    return count < DEFAULT_MAX_THREADS ? (unsigned)count : DEFAULT_MAX_THREADS;
}

enum sm_status sm_encode_pool_create(struct sm_encode_pool **out,
                                     const struct sm_encode_pool_config *config)
{
    if (config->threads > SM_ENCODE_POOL_MAX_THREADS)
        return SM_ERR_LIMIT;
    struct sm_encode_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return SM_ERR_NOMEM;
    pool->wanted = config->threads ? config->threads : default_threads();
    pool->inline_bytes = config->inline_bytes ? config->inline_bytes : DEFAULT_INLINE_BYTES;
    atomic_init(&pool->refs, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pthread_cond_init(&pool->finished, NULL);
    sm_list_init(&pool->ready);
    *out = pool;
    return SM_OK;
}

struct sm_encode_pool *sm_encode_pool_ref(struct sm_encode_pool *pool)
{
    atomic_fetch_add(&pool->refs, 1);
    return pool;
}

void sm_encode_pool_unref(struct sm_encode_pool *pool)
{
    if (!pool || atomic_fetch_sub(&pool->refs, 1) > 1)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++) {
        (void)pthread_join(pool->threads[i].id, NULL);
        sm_encoder_destroy(pool->threads[i].encoder);
    }
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

unsigned sm_encode_pool_threads(const struct sm_encode_pool *pool)
{
    return pool->wanted;
}

size_t sm_encode_pool_inline_bytes(const struct sm_encode_pool *pool)
{
    return pool->inline_bytes;
}

/* ---- the inbox ---- */

static void drop_abandoned(struct sm_encode_inbox *inbox)
{
    struct sm_list dropped;
    sm_list_init(&dropped);
    pthread_mutex_lock(&inbox->pool->lock);
    SM_LIST_FOR (link, &inbox->dropped) {
        sm_list_remove(link);
        sm_list_append(&dropped, link);
    }
    pthread_mutex_unlock(&inbox->pool->lock);
    SM_LIST_FOR (link, &dropped) {
        struct sm_encode_job *job = job_of(link);
        sm_list_remove(link);
        job->drop(job);
    }
}

static void on_bell(void *opaque, unsigned events)
{
    struct sm_encode_inbox *inbox = opaque;
    uint64_t count;
    (void)events;
    while (read(inbox->bell, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    (void)atomic_exchange(&inbox->has_rung, false); /* what is done from here on rings again */
    drop_abandoned(inbox);
    inbox->on_done(inbox->opaque);
}

enum sm_status sm_encode_inbox_create(struct sm_encode_inbox **out, struct sm_encode_pool *pool,
                                      struct sm_loop loop, void (*on_done)(void *opaque),
                                      void *opaque)
{
    struct sm_encode_inbox *inbox = calloc(1, sizeof(*inbox));
    if (!inbox)
        return SM_ERR_NOMEM;
    *inbox = (struct sm_encode_inbox){
        .pool = sm_encode_pool_ref(pool), .loop = loop, .on_done = on_done, .opaque = opaque};
    atomic_init(&inbox->has_rung, false);
    sm_list_init(&inbox->dropped);
    inbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->bell >= 0)
        inbox->watch = sm_loop_watch_add(loop, inbox->bell, SM_IO_READ, on_bell, inbox);
    if (!inbox->watch) {
        enum sm_status status = inbox->bell < 0 ? SM_ERR_IO : SM_ERR_NOMEM;
        sm_encode_inbox_destroy(inbox);
        return status;
    }
    *out = inbox;
    return SM_OK;
}

void sm_encode_inbox_destroy(struct sm_encode_inbox *inbox)
{
    if (!inbox)
        return;
    struct sm_encode_pool *pool = inbox->pool;
    pthread_mutex_lock(&pool->lock);
    while (inbox->running > 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    drop_abandoned(inbox);
    sm_loop_watch_remove(inbox->loop, inbox->watch);
    if (inbox->bell >= 0)
        (void)close(inbox->bell);
    free(inbox);
    sm_encode_pool_unref(pool);
}

struct sm_encode_pool *sm_encode_inbox_pool(struct sm_encode_inbox *inbox)
{
    return inbox->pool;
}

/* ---- jobs ---- */

bool sm_encode_submit(struct sm_encode_inbox *inbox, struct sm_encode_job *job)
{
    struct sm_encode_pool *pool = inbox->pool;
    pthread_mutex_lock(&pool->lock);
    if (!pool->was_started)
        start(pool);
    bool has_threads = pool->count > 0;
    if (has_threads) {
        job->inbox = inbox;
        job->is_abandoned = false;
        atomic_store_explicit(&job->is_done, false, memory_order_relaxed);
        if (job->lane && job->lane->is_busy) {
            job->state = JOB_IN_LANE;
            sm_list_append(&job->lane->waiting, &job->link);
        } else {
            if (job->lane)
                job->lane->is_busy = true;
            make_ready(pool, job);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return has_threads;
}

void sm_encode_abandon(struct sm_encode_job *job)
{
    struct sm_encode_pool *pool = job->inbox->pool;
    pthread_mutex_lock(&pool->lock);
    bool is_running = job->state == JOB_RUNNING;
    if (is_running) {
        job->is_abandoned = true;
    } else if (job->state != JOB_DONE) {
        sm_list_remove(&job->link);
        if (job->state == JOB_READY)
            advance(pool, job->lane);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!is_running)
        job->drop(job);
}
