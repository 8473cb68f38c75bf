/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "client/damage.h"
#include "io/clock.h"
#include "io/epoll_loop.h"

enum { FLOOD = 1000 };

struct world {
    struct sm_epoll_loop *loop;
    struct sm_damage damage;
    struct sm_rect told; /* in all */
    unsigned times;
};

static void on_told(void *opaque, struct sm_rect damage)
{
    struct world *w = opaque;
    assert_false(sm_rect_is_empty(damage));
    w->told = sm_rect_unite(w->told, damage);
    w->times++;
    sm_epoll_loop_stop(w->loop);
}

static struct world begin(void)
{
    struct world w = {.loop = NULL};
    assert_int_equal(sm_epoll_loop_create(&w.loop), SM_OK);
    return w;
}

static void start(struct world *w)
{
    assert_int_equal(sm_damage_begin(&w->damage, sm_epoll_loop_base(w->loop), on_told, w), SM_OK);
}

static void end(struct world *w)
{
    sm_damage_end(&w->damage);
    sm_epoll_loop_destroy(w->loop);
}

static struct sm_rect nth(int32_t n)
{
    return (struct sm_rect){n, n, n + 1, n + 1};
}

/* All at one time, however long that takes. */
static uint64_t flood(struct world *w)
{
    uint64_t now_us = w->damage.credited_us + 1;
    for (int32_t i = 0; i < FLOOD; i++)
        sm_damage_add(&w->damage, nth(i), now_us);
    return now_us;
}

static void what_comes_after_a_pause_is_told_at_once(void **state)
{
    (void)state;
    struct world w = begin();
    start(&w);
    uint64_t now_us = w.damage.credited_us;
    for (int32_t i = 0; i < 100; i++) {
        now_us += 2000;
        sm_damage_add(&w.damage, nth(i), now_us);
        assert_int_equal(w.times, i + 1);
    }
    end(&w);
}

static void a_flood_is_told_together_and_nothing_is_lost(void **state)
{
    (void)state;
    struct world w = begin();
    start(&w);
    (void)flood(&w);
    assert_in_range(w.times, 1, 8);
    assert_int_equal(w.told.right, w.times);
    unsigned before = w.times;
    while (w.times == before)
        sm_epoll_loop_run(w.loop);
    assert_int_equal(w.times, before + 1);
    assert_true(sm_rect_equal(w.told, (struct sm_rect){0, 0, FLOOD, FLOOD}));
    end(&w);
    assert_int_equal(w.times, before + 1);
}

static void time_that_has_passed_tells_without_the_timer(void **state)
{
    (void)state;
    struct world w = begin();
    start(&w);
    uint64_t now_us = flood(&w);
    unsigned before = w.times;
    sm_damage_add(&w.damage, nth(FLOOD), now_us + 2000);
    assert_int_equal(w.times, before + 1);
    assert_int_equal(w.told.right, FLOOD + 1);
    end(&w);
    assert_int_equal(w.times, before + 1);
}

static void the_rest_is_told_before_something_else_and_at_the_end(void **state)
{
    (void)state;
    struct world w = begin();
    start(&w);
    (void)flood(&w);
    sm_damage_flush(&w.damage);
    assert_int_equal(w.told.right, FLOOD);
    unsigned before = w.times;
    sm_damage_flush(&w.damage);
    assert_int_equal(w.times, before);
    (void)flood(&w);
    sm_damage_end(&w.damage);
    assert_int_equal(w.times, before + 1);
    sm_damage_end(&w.damage);
    assert_int_equal(w.times, before + 1);
    sm_epoll_loop_destroy(w.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_after_a_pause_is_told_at_once),
        cmocka_unit_test(a_flood_is_told_together_and_nothing_is_lost),
        cmocka_unit_test(time_that_has_passed_tells_without_the_timer),
        cmocka_unit_test(the_rest_is_told_before_something_else_and_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
