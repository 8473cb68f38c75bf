/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>
#include <unistd.h>

#include "io/epoll_loop.h"

struct seen {
    struct sm_epoll_loop *loop;
    struct sm_watch *watches[2];
    struct sm_timer *timers[2];
    unsigned calls[2];
};

static struct sm_epoll_loop *new_loop(void)
{
    struct sm_epoll_loop *loop;
    sm_check_status(sm_epoll_loop_create(&loop), SM_OK);
    return loop;
}

/* Whichever of the two is called first removes both. */
static void remove_both(void *opaque, unsigned events)
{
    struct seen *seen = opaque;
    assert_int_equal(events, SM_IO_READ);
    seen->calls[0]++;
    for (int i = 0; i < 2; i++) {
        sm_loop_watch_remove(sm_epoll_loop_base(seen->loop), seen->watches[i]);
        seen->watches[i] = NULL;
    }
}

static void loop_forgets_a_watch_removed_by_another_of_the_same_round(void **state)
{
    (void)state;
    struct seen seen = {.loop = new_loop()};
    struct sm_loop base = sm_epoll_loop_base(seen.loop);
    int a[2], b[2];
    assert_int_equal(pipe(a) | pipe(b), 0);
    seen.watches[0] = sm_loop_watch_add(base, a[0], SM_IO_READ, remove_both, &seen);
    seen.watches[1] = sm_loop_watch_add(base, b[0], SM_IO_READ, remove_both, &seen);
    assert_int_equal(write(a[1], "x", 1) + write(b[1], "x", 1), 2);
    sm_epoll_loop_run_once(seen.loop, 1000);
    assert_int_equal(seen.calls[0], 1);
    sm_epoll_loop_destroy(seen.loop);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void count_read(void *opaque, unsigned events)
{
    assert_int_equal(events, SM_IO_READ);
    ++*(unsigned *)opaque;
}

static void loop_does_not_spin_on_a_hung_up_watch_for_nothing(void **state)
{
    (void)state;
    struct sm_epoll_loop *loop = new_loop();
    struct sm_loop base = sm_epoll_loop_base(loop);
    unsigned calls = 0;
    int a[2];
    assert_int_equal(pipe(a), 0);
    struct sm_watch *watch = sm_loop_watch_add(base, a[0], 0, count_read, &calls);
    close(a[1]);
    assert_int_equal(sm_epoll_loop_run_once(loop, 10), 0);
    assert_int_equal(calls, 0);
    sm_loop_watch_update(base, watch, SM_IO_READ);
    assert_int_equal(sm_epoll_loop_run_once(loop, 1000), 1);
    assert_int_equal(calls, 1);
    sm_epoll_loop_destroy(loop);
    close(a[0]);
}

static void first_timer(void *opaque)
{
    struct seen *seen = opaque;
    seen->calls[0]++;
    struct sm_loop base = sm_epoll_loop_base(seen->loop);
    sm_loop_timer_remove(base, seen->timers[0]); /* itself */
    sm_loop_timer_remove(base, seen->timers[1]); /* one that is due as well */
}

static void second_timer(void *opaque)
{
    struct seen *seen = opaque;
    seen->calls[1]++;
}

static void loop_runs_timers_in_order_and_lets_them_remove_each_other(void **state)
{
    (void)state;
    struct seen seen = {.loop = new_loop()};
    struct sm_loop base = sm_epoll_loop_base(seen.loop);
    seen.timers[0] = sm_loop_timer_add(base, first_timer, &seen);
    seen.timers[1] = sm_loop_timer_add(base, second_timer, &seen);
    sm_loop_timer_start(base, seen.timers[1], 3600000);
    sm_loop_timer_start(base, seen.timers[0], 0);
    sm_loop_timer_start(base, seen.timers[1], 1);
    sm_epoll_loop_run_once(seen.loop, 1000);
    assert_int_equal(seen.calls[0], 1);
    assert_int_equal(sm_epoll_loop_run_once(seen.loop, 5), 0);
    assert_int_equal(seen.calls[1], 0);
    sm_epoll_loop_destroy(seen.loop);
}

static void again(void *opaque)
{
    struct seen *seen = opaque;
    seen->calls[0]++;
    sm_loop_timer_start(sm_epoll_loop_base(seen->loop), seen->timers[0], 0);
}

static void loop_is_not_held_by_a_timer_that_restarts_itself(void **state)
{
    (void)state;
    struct seen seen = {.loop = new_loop()};
    seen.timers[0] = sm_loop_timer_add(sm_epoll_loop_base(seen.loop), again, &seen);
    sm_loop_timer_start(sm_epoll_loop_base(seen.loop), seen.timers[0], 0);
    sm_epoll_loop_run_once(seen.loop, 0);
    assert_in_range(seen.calls[0], 1, 2);
    sm_epoll_loop_destroy(seen.loop);
}

static void stop_at_hundred(void *opaque)
{
    struct seen *seen = opaque;
    if (++seen->calls[0] == 400)
        sm_epoll_loop_stop(seen->loop);
}

static void *post_hundred(void *opaque)
{
    struct seen *seen = opaque;
    for (int i = 0; i < 100; i++)
        if (sm_epoll_loop_post(seen->loop, stop_at_hundred, seen) != SM_OK)
            return NULL;
    return NULL;
}

static void loop_takes_posts_from_any_thread(void **state)
{
    (void)state;
    struct seen seen = {.loop = new_loop()};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_hundred, &seen), 0);
    sm_epoll_loop_run(seen.loop);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(seen.calls[0], 400);
    sm_epoll_loop_destroy(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_forgets_a_watch_removed_by_another_of_the_same_round),
        cmocka_unit_test(loop_does_not_spin_on_a_hung_up_watch_for_nothing),
        cmocka_unit_test(loop_runs_timers_in_order_and_lets_them_remove_each_other),
        cmocka_unit_test(loop_is_not_held_by_a_timer_that_restarts_itself),
        cmocka_unit_test(loop_takes_posts_from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
