/* SPDX-License-Identifier: MIT */
/* The threads that encode: order in lanes, what is abandoned, ends. */
#include "tests/support/check.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/epoll_loop.h"
#include "server/display/encode_pool.h"

enum { THREADS = 3, COUNT = 200 };

struct stage {
    struct sm_encode_pool *pool;
    struct sm_epoll_loop *loop;
    struct sm_encode_inbox *inbox;
    unsigned rung; /* times on_done was called */
};

/* Counts what it sees; jobs of the tests are these. */
struct job {
    struct sm_encode_job job;
    _Atomic int *running; /* of its lane */
    int number, *last;    /* guarded by being alone in the lane */
    _Atomic bool is_wrong;
    sem_t *begun, *may_end; /* NULL: runs through */
    unsigned *dropped;
    bool has_run;
};

static struct job *job_of(struct sm_encode_job *job)
{
    return SM_LIST_ITEM(job, struct job, job);
}

static void run(struct sm_encode_job *base, struct sm_encoder *encoder)
{
    struct job *job = job_of(base);
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!encoder || !sigismember(&blocked, SIGTERM))
        job->is_wrong = true;
    if (job->begun)
        (void)sem_post(job->begun);
    if (job->may_end)
        (void)sem_wait(job->may_end);
    if (job->running && atomic_fetch_add(job->running, 1) != 0)
        job->is_wrong = true;
    if (job->last) {
        if (*job->last != job->number - 1)
            job->is_wrong = true;
        *job->last = job->number;
    }
    if (job->running)
        (void)atomic_fetch_sub(job->running, 1);
    job->has_run = true;
}

static void drop(struct sm_encode_job *base)
{
    ++*job_of(base)->dropped;
}

static void on_done(void *opaque)
{
    struct stage *stage = opaque;
    stage->rung++;
}

static void begin_inbox(struct stage *stage)
{
    sm_check_status(sm_encode_inbox_create(&stage->inbox, stage->pool,
                                           sm_epoll_loop_base(stage->loop), on_done, stage),
                    SM_OK);
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    struct sm_encode_pool_config config = {.threads = THREADS};
    sm_check_status(sm_encode_pool_create(&stage->pool, &config), SM_OK);
    sm_check_status(sm_epoll_loop_create(&stage->loop), SM_OK);
    begin_inbox(stage);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    sm_encode_inbox_destroy(stage->inbox);
    sm_epoll_loop_destroy(stage->loop);
    sm_encode_pool_unref(stage->pool);
    free(stage);
    return 0;
}

static void await(struct stage *stage, const struct job *jobs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        while (!sm_encode_job_is_done(&jobs[i].job))
            (void)sm_epoll_loop_run_once(stage->loop, 5000);
        assert_true(jobs[i].has_run);
        assert_false(jobs[i].is_wrong);
    }
}

static void jobs_of_a_lane_run_alone_and_in_order(void **state)
{
    struct stage *stage = *state;
    static struct job jobs[2 * COUNT];
    struct sm_encode_lane lanes[2];
    _Atomic int running[2] = {0, 0};
    int last[2] = {-1, -1};
    sm_encode_lane_init(&lanes[0]);
    sm_encode_lane_init(&lanes[1]);
    for (int i = 0; i < 2 * COUNT; i++) {
        jobs[i] = (struct job){.job = {.run = run, .drop = drop, .lane = &lanes[i % 2]},
                               .running = &running[i % 2],
                               .number = i / 2,
                               .last = &last[i % 2]};
        assert_true(sm_encode_submit(stage->inbox, &jobs[i].job));
    }
    await(stage, jobs, 2 * COUNT);
    assert_int_equal(last[0], COUNT - 1);
    while (stage->rung == 0) /* all may have been done before the loop was asked */
        (void)sm_epoll_loop_run_once(stage->loop, 5000);
    assert_in_range(stage->rung, 1, 2 * COUNT);
}

static void jobs_without_a_lane_run_at_the_same_time(void **state)
{
    struct stage *stage = *state;
    struct job jobs[THREADS];
    sem_t begun, may_end;
    (void)sem_init(&begun, 0, 0);
    (void)sem_init(&may_end, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] =
            (struct job){.job = {.run = run, .drop = drop}, .begun = &begun, .may_end = &may_end};
        assert_true(sm_encode_submit(stage->inbox, &jobs[i].job));
    }
    for (int i = 0; i < THREADS; i++)
        (void)sem_wait(&begun); /* all are running */
    for (int i = 0; i < THREADS; i++)
        (void)sem_post(&may_end);
    await(stage, jobs, THREADS);
    (void)sem_destroy(&begun);
    (void)sem_destroy(&may_end);
}

static void abandoned_jobs_are_dropped_once_and_the_lane_goes_on(void **state)
{
    struct stage *stage = *state;
    struct sm_encode_lane lane;
    struct job jobs[4];
    unsigned dropped = 0;
    sem_t begun, may_end;
    (void)sem_init(&begun, 0, 0);
    (void)sem_init(&may_end, 0, 0);
    sm_encode_lane_init(&lane);
    for (int i = 0; i < 4; i++)
        jobs[i] = (struct job){.job = {.run = run, .drop = drop, .lane = &lane},
                               .dropped = &dropped,
                               .begun = i == 0 ? &begun : NULL,
                               .may_end = i == 0 ? &may_end : NULL};
    for (int i = 0; i < 4; i++)
        assert_true(sm_encode_submit(stage->inbox, &jobs[i].job));
    (void)sem_wait(&begun);
    sm_encode_abandon(&jobs[2].job); /* waits in its lane: at once */
    assert_int_equal(dropped, 1);
    sm_encode_abandon(&jobs[0].job); /* runs: when it has */
    assert_int_equal(dropped, 1);
    (void)sem_post(&may_end);
    await(stage, &jobs[1], 1);
    await(stage, &jobs[3], 1);
    for (int i = 0; i < 20 * SM_TEST_PATIENCE_S && dropped < 2; i++)
        (void)sm_epoll_loop_run_once(stage->loop, 50);
    assert_int_equal(dropped, 2);
    assert_false(jobs[2].has_run);
    sm_encode_abandon(&jobs[3].job); /* has run: at once */
    assert_int_equal(dropped, 3);
    (void)sem_destroy(&begun);
    (void)sem_destroy(&may_end);
}

static void *release_later(void *opaque)
{
    (void)usleep(20 * 1000);
    (void)sem_post(opaque);
    return NULL;
}

static void inbox_that_ends_waits_for_the_job_that_runs(void **state)
{
    struct stage *stage = *state;
    unsigned dropped = 0;
    sem_t begun, may_end;
    pthread_t thread;
    (void)sem_init(&begun, 0, 0);
    (void)sem_init(&may_end, 0, 0);
    struct job job = {.job = {.run = run, .drop = drop},
                      .begun = &begun,
                      .may_end = &may_end,
                      .dropped = &dropped};
    assert_true(sm_encode_submit(stage->inbox, &job.job));
    (void)sem_wait(&begun);
    sm_encode_abandon(&job.job);
    assert_int_equal(pthread_create(&thread, NULL, release_later, &may_end), 0);
    sm_encode_inbox_destroy(stage->inbox);
    assert_int_equal(dropped, 1);
    assert_true(job.has_run);
    (void)pthread_join(thread, NULL);
    begin_inbox(stage); /* the pool goes on */
    struct job next = {.job = {.run = run, .drop = drop}};
    assert_true(sm_encode_submit(stage->inbox, &next.job));
    await(stage, &next, 1);
    (void)sem_destroy(&begun);
    (void)sem_destroy(&may_end);
}

static void pool_is_refused_beyond_its_limit_and_has_threads_by_itself(void **state)
{
    (void)state;
    struct sm_encode_pool *pool;
    struct sm_encode_pool_config many = {.threads = SM_ENCODE_POOL_MAX_THREADS + 1};
    sm_check_status(sm_encode_pool_create(&pool, &many), SM_ERR_LIMIT);
    sm_check_status(sm_encode_pool_create(&pool, &(struct sm_encode_pool_config){0}), SM_OK);
    assert_in_range(sm_encode_pool_threads(pool), 1, 4);
    sm_encode_pool_unref(pool); /* one that never ran anything */
}

int main(void)
{
#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        POOL_TEST(jobs_of_a_lane_run_alone_and_in_order),
        POOL_TEST(jobs_without_a_lane_run_at_the_same_time),
        POOL_TEST(abandoned_jobs_are_dropped_once_and_the_lane_goes_on),
        POOL_TEST(inbox_that_ends_waits_for_the_job_that_runs),
        cmocka_unit_test(pool_is_refused_beyond_its_limit_and_has_threads_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
