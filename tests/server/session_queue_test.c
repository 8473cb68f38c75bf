/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>

#include "io/epoll_loop.h"
#include "server/session/main_queue.h"

struct fixture {
    struct sm_epoll_loop *loop;
    struct sm_main_queue *queue;
    char order[64];
    unsigned count;
    pthread_t thread; /* that ran the work last */
};

struct item {
    struct fixture *fixture;
    char name;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    sm_check_status(sm_epoll_loop_create(&f->loop), SM_OK);
    sm_check_status(sm_main_queue_create(&f->queue, sm_epoll_loop_base(f->loop)), SM_OK);
}

static void teardown(struct fixture *f)
{
    sm_main_queue_destroy(f->queue);
    sm_epoll_loop_destroy(f->loop);
}

static void note(void *opaque)
{
    const struct item *item = opaque;
    struct fixture *f = item->fixture;
    if (f->count < sizeof(f->order) - 1)
        f->order[f->count] = item->name;
    f->count++;
    f->thread = pthread_self();
}

static void work_runs_in_order_on_the_main_thread_and_not_before(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct item a = {&f, 'a'}, b = {&f, 'b'}, c = {&f, 'c'};
    struct sm_main_task task = {.func = note, .opaque = &b};
    sm_check_status(sm_main_queue_post(f.queue, note, &a), SM_OK);
    sm_main_queue_post_task(f.queue, &task);
    sm_main_queue_post_task(f.queue, &task); /* waits already */
    sm_check_status(sm_main_queue_post(f.queue, note, &c), SM_OK);
    assert_int_equal(f.count, 0);
    sm_epoll_loop_run_once(f.loop, 1000);
    assert_string_equal(f.order, "abc");
    assert_true(pthread_equal(f.thread, pthread_self()));
    assert_int_equal(sm_epoll_loop_run_once(f.loop, 20), 0); /* and the queue sleeps again */
    teardown(&f);
}

static void a_cancelled_task_does_not_run_and_can_be_posted_again(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct item a = {&f, 'a'};
    struct sm_main_task task = {.func = note, .opaque = &a};
    sm_main_queue_post_task(f.queue, &task);
    sm_main_queue_cancel_task(f.queue, &task);
    sm_main_queue_run(f.queue);
    assert_int_equal(f.count, 0);
    sm_main_queue_post_task(f.queue, &task);
    sm_main_queue_run(f.queue);
    assert_int_equal(f.count, 1);
    teardown(&f);
}

static void post_again(void *opaque)
{
    struct fixture *f = opaque;
    f->count++;
    sm_check_status(sm_main_queue_post(f->queue, post_again, f), SM_OK);
}

static void work_that_posts_itself_waits_for_the_next_turn(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    sm_check_status(sm_main_queue_post(f.queue, post_again, &f), SM_OK);
    sm_main_queue_run(f.queue);
    assert_int_equal(f.count, 1);
    sm_epoll_loop_run_once(f.loop, 1000);
    assert_int_equal(f.count, 2);
    teardown(&f); /* with one still queued: nothing leaks */
}

static void run_inside(void *opaque)
{
    struct fixture *f = opaque;
    sm_main_queue_run(f->queue);
    f->count++;
}

static void a_run_inside_a_run_is_harmless(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct item b = {&f, 'b'};
    sm_check_status(sm_main_queue_post(f.queue, run_inside, &f), SM_OK);
    sm_check_status(sm_main_queue_post(f.queue, note, &b), SM_OK);
    sm_check_status(sm_main_queue_post(f.queue, post_again, &f), SM_OK);
    sm_main_queue_run(f.queue);
    assert_int_equal(f.count, 3);
    teardown(&f);
}

static void destroy_queue(void *opaque)
{
    struct fixture *f = opaque;
    sm_main_queue_destroy(f->queue);
    f->queue = NULL;
}

static void a_queue_may_go_in_its_own_work(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct item b = {&f, 'b'};
    sm_check_status(sm_main_queue_post(f.queue, destroy_queue, &f), SM_OK);
    sm_check_status(sm_main_queue_post(f.queue, note, &b), SM_OK);
    sm_epoll_loop_run_once(f.loop, 1000);
    assert_null(f.queue);
    assert_int_equal(f.count, 0);
    teardown(&f);
}

static void *post_many(void *opaque)
{
    static const unsigned COUNT = 1000;
    struct item *item = opaque;
    assert_false(sm_main_queue_is_main_thread(item->fixture->queue));
    for (unsigned i = 0; i < COUNT; i++)
        sm_check_status(sm_main_queue_post(item->fixture->queue, note, item), SM_OK);
    return NULL;
}

static void threads_post_while_the_loop_runs(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct item a = {&f, 'a'};
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &a), 0);
    for (unsigned i = 0; i < 100000 && f.count < 3000; i++)
        sm_epoll_loop_run_once(f.loop, 10);
    assert_int_equal(f.count, 3000);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_runs_in_order_on_the_main_thread_and_not_before),
        cmocka_unit_test(a_cancelled_task_does_not_run_and_can_be_posted_again),
        cmocka_unit_test(work_that_posts_itself_waits_for_the_next_turn),
        cmocka_unit_test(a_run_inside_a_run_is_harmless),
        cmocka_unit_test(a_queue_may_go_in_its_own_work),
        cmocka_unit_test(threads_post_while_the_loop_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
