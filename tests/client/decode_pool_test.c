/* SPDX-License-Identifier: MIT */
/* The threads that decode before images' turns, with a codec of our own making behind them. */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/decode_pool.h"
#include "io/sandbox.h"

enum { PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, JOBS = 12, SIDE = 4 };

/* ---- A "JPEG" is one byte, the colour of every pixel; 0xff is none ---- */

static sem_t may_decode; /* by who waits for it */
static atomic_int running, most_running, decoded, waits;
static atomic_int open_error, socket_error;

static void *create_state(void)
{
    return malloc(1);
}

static void try_to_open(void)
{
    int fd = open("/dev/null", O_RDONLY);
    atomic_store(&open_error, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    atomic_store(&socket_error, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

static enum sm_status decode(void *state, struct sm_bytes jpeg, const struct sm_pixels *out,
                             enum sm_jpeg_quality_mode mode)
{
    (void)state;
    (void)mode;
    int now = atomic_fetch_add(&running, 1) + 1;
    int most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now)) {
    }
    if (atomic_load(&waits))
        while (sem_wait(&may_decode) != 0) {
        }
    try_to_open();
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width * 4; x++)
            sm_pixels_row(out, y)[x] = jpeg.data[0];
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&decoded, 1);
    return jpeg.data[0] == 0xff ? SM_ERR_PROTOCOL : SM_OK;
}

static enum sm_status read_size(void *state, struct sm_bytes jpeg, uint32_t *width,
                                uint32_t *height)
{
    (void)state;
    (void)jpeg;
    *width = *height = SIDE;
    return SM_OK;
}

static const struct sm_jpeg_lib JPEG = {
    .create = create_state,
    .destroy = free,
    .read_size = read_size,
    .decode = decode,
};
static const struct sm_codec_libs LIBS = {.jpeg = &JPEG};

static struct sm_decode_pool *new_pool(unsigned threads)
{
    struct sm_decode_pool *pool = NULL;
    sm_check_status(sm_decode_pool_create(&pool, threads, &LIBS, 0), SM_OK);
    assert_int_equal(sm_decode_pool_threads(pool), threads);
    return pool;
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&running, 0);
    atomic_store(&most_running, 0);
    atomic_store(&decoded, 0);
    atomic_store(&waits, 0);
    return sem_init(&may_decode, 0, 0);
}

static int tear_down(void **state)
{
    (void)state;
    return sem_destroy(&may_decode);
}

static void let_decode(int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(sem_post(&may_decode), 0);
}

static int new_bell(void)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(bell >= 0);
    return bell;
}

static void prepare(struct sm_decode_job *job, const uint8_t *colour, int bell)
{
    *job = (struct sm_decode_job){
        .image =
            {.coded = {.codec = SM_CODEC_JPEG, .width = SIDE, .height = SIDE, .data = {colour, 1}},
             .target = SM_PIXEL_XRGB32},
        .bell = bell,
    };
}

static void wait_for(struct sm_decode_pool *pool, struct sm_decode_job *job)
{
    while (!sm_decode_await(pool, job)) {
        struct pollfd rung = {.fd = job->bell, .events = POLLIN};
        uint64_t count;
        assert_int_equal(poll(&rung, 1, PATIENCE_MS), 1);
        assert_int_equal(read(job->bell, &count, sizeof(count)), sizeof(count));
    }
}

static bool has_rung(int bell)
{
    struct pollfd rung = {.fd = bell, .events = POLLIN};
    return poll(&rung, 1, 0) == 1;
}

/* ---- ---- */

static void every_job_gets_its_own_picture(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= SM_DECODE_THREADS_MAX; threads++) {
        struct sm_decode_pool *pool = new_pool(threads);
        struct sm_decode_job jobs[JOBS];
        uint8_t colours[JOBS];
        int bell = new_bell();
        for (size_t i = 0; i < JOBS; i++) {
            colours[i] = (uint8_t)(i + 1);
            prepare(&jobs[i], &colours[i], bell);
            assert_true(sm_decode_submit(pool, &jobs[i]));
        }
        for (size_t i = JOBS; i-- > 0;) { /* in whatever order one asks */
            wait_for(pool, &jobs[i]);
            assert_non_null(jobs[i].picture);
            const struct sm_pixels *pixels = sm_picture_pixels(jobs[i].picture);
            assert_int_equal(pixels->width, SIDE);
            assert_int_equal(sm_pixels_row(pixels, SIDE - 1)[4 * SIDE - 4], colours[i]);
            sm_decode_cancel(pool, &jobs[i]);
            assert_null(jobs[i].picture);
        }
        sm_decode_pool_destroy(pool);
        close(bell);
    }
}

static void jobs_run_at_the_same_time(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = new_pool(2);
    struct sm_decode_job jobs[3];
    static const uint8_t colour = 7;
    int bell = new_bell();
    atomic_store(&waits, 1);
    for (size_t i = 0; i < 3; i++) {
        prepare(&jobs[i], &colour, bell);
        assert_true(sm_decode_submit(pool, &jobs[i]));
    }
    while (atomic_load(&running) < 2)
        usleep(1000); /* the second one does not wait for the first */
    assert_false(sm_decode_await(pool, &jobs[0]));
    let_decode(3);
    for (size_t i = 0; i < 3; i++) {
        wait_for(pool, &jobs[i]);
        sm_decode_cancel(pool, &jobs[i]);
    }
    assert_int_equal(atomic_load(&most_running), 2);
    sm_decode_pool_destroy(pool);
    close(bell);
}

static void the_bell_rings_for_who_waits_alone(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = new_pool(1);
    struct sm_decode_job jobs[2];
    static const uint8_t colour = 7;
    int bells[2] = {new_bell(), new_bell()};
    atomic_store(&waits, 1);
    for (size_t i = 0; i < 2; i++) {
        prepare(&jobs[i], &colour, bells[i]);
        assert_true(sm_decode_submit(pool, &jobs[i]));
    }
    assert_false(sm_decode_await(pool, &jobs[1]));
    let_decode(2);
    wait_for(pool, &jobs[1]);
    assert_true(sm_decode_await(pool, &jobs[0])); /* it came first */
    assert_false(has_rung(bells[0]));
    for (size_t i = 0; i < 2; i++) {
        sm_decode_cancel(pool, &jobs[i]);
        close(bells[i]);
    }
    sm_decode_pool_destroy(pool);
}

static void an_image_that_fails_leaves_no_picture(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = new_pool(1);
    struct sm_decode_job jobs[3];
    static const uint8_t broken = 0xff, good = 1;
    int bell = new_bell();
    prepare(&jobs[0], &broken, bell);
    prepare(&jobs[1], &good, bell);
    jobs[1].image.coded.width = 0;
    prepare(&jobs[2], &good, bell);
    for (size_t i = 0; i < 3; i++)
        assert_true(sm_decode_submit(pool, &jobs[i]));
    for (size_t i = 0; i < 3; i++)
        wait_for(pool, &jobs[i]);
    assert_null(jobs[0].picture);
    assert_null(jobs[1].picture);
    assert_non_null(jobs[2].picture); /* the thread goes on */
    for (size_t i = 0; i < 3; i++)
        sm_decode_cancel(pool, &jobs[i]);
    sm_decode_pool_destroy(pool);
    close(bell);
}

static void *let_decode_soon(void *opaque)
{
    (void)opaque;
    usleep(20000);
    let_decode(1);
    return NULL;
}

static void jobs_are_taken_back_in_any_state(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = new_pool(1);
    struct sm_decode_job jobs[3];
    static const uint8_t colour = 7;
    int bell = new_bell();
    atomic_store(&waits, 1);
    for (size_t i = 0; i < 3; i++) {
        prepare(&jobs[i], &colour, bell);
        assert_true(sm_decode_submit(pool, &jobs[i]));
    }
    while (atomic_load(&running) == 0)
        usleep(1000);
    sm_decode_cancel(pool, &jobs[1]); /* it waits: gone at once */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, let_decode_soon, NULL), 0);
    sm_decode_cancel(pool, &jobs[0]); /* it runs: until it has */
    assert_int_equal(atomic_load(&decoded), 1);
    assert_null(jobs[0].picture);
    pthread_join(thread, NULL);
    let_decode(1);
    wait_for(pool, &jobs[2]);
    sm_decode_cancel(pool, &jobs[2]); /* it is done: its picture goes */
    sm_decode_cancel(pool, &jobs[2]); /* and again does nothing */
    assert_int_equal(atomic_load(&decoded), 2);
    sm_decode_pool_destroy(pool);
    close(bell);
}

static void a_pool_without_jobs_has_no_threads_to_end(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = NULL;
    sm_check_status(sm_decode_pool_create(&pool, 0, &LIBS, 0), SM_ERR_LIMIT);
    sm_check_status(sm_decode_pool_create(&pool, SM_DECODE_THREADS_MAX + 1, &LIBS, 0),
                    SM_ERR_LIMIT);
    assert_null(pool);
    sm_decode_pool_destroy(NULL);
    sm_decode_pool_destroy(new_pool(2));
    unsigned count = sm_decode_threads_default();
    assert_true(count == 0 || (count >= 2 && count <= SM_DECODE_THREADS_MAX));
}

static void *enter(void *opaque)
{
    enum sm_status *status = opaque;
    *status = sm_sandbox_enter();
    return NULL;
}

/* As a thread of its own finds out, since there is no way back. */
static bool kernel_has_filters(void)
{
    enum sm_status status = SM_ERR_STATE;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, enter, &status), 0);
    pthread_join(thread, NULL);
    return status == SM_OK;
}

static void the_threads_open_nothing(void **state)
{
    (void)state;
    struct sm_decode_pool *pool = new_pool(1);
    struct sm_decode_job job;
    static const uint8_t colour = 7;
    int bell = new_bell();
    prepare(&job, &colour, bell);
    assert_true(sm_decode_submit(pool, &job));
    wait_for(pool, &job);
    sm_decode_cancel(pool, &job);
    sm_decode_pool_destroy(pool);
    close(bell);
    int fd = open("/dev/null", O_RDONLY); /* we can */
    assert_true(fd >= 0);
    close(fd);
    if (!kernel_has_filters())
        skip();
    assert_int_equal(atomic_load(&open_error), EPERM);
    assert_int_equal(atomic_load(&socket_error), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_job_gets_its_own_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_run_at_the_same_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_bell_rings_for_who_waits_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_image_that_fails_leaves_no_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_are_taken_back_in_any_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pool_without_jobs_has_no_threads_to_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_threads_open_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
