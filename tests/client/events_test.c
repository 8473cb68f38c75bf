/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "client/events.h"

static struct sm_events events; /* of the running test */

static int set_up(void **state)
{
    (void)state;
    return sm_events_init(&events) == SM_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sm_events_finish(&events);
    return 0;
}

static void put(enum sm_event_kind kind, uint8_t id)
{
    sm_events_put(&events, &(struct sm_event){
                               .kind = kind, .channel = SM_CHANNEL_KIND_DISPLAY, .channel_id = id});
}

static void put_damage(uint8_t id, struct sm_rect damage)
{
    sm_events_put(&events, &(struct sm_event){.kind = SM_EVENT_DISPLAY_DAMAGE,
                                              .channel = SM_CHANNEL_KIND_DISPLAY,
                                              .channel_id = id,
                                              .damage = damage});
}

static void put_notice(const char *text)
{
    sm_events_put(&events, &(struct sm_event){.kind = SM_EVENT_NOTICE, .text = text});
}

static struct sm_event take(void)
{
    struct sm_event event = {.kind = SM_EVENT_NONE};
    assert_true(sm_events_wait(&events, 0, &event));
    return event;
}

static bool is_readable(void)
{
    struct pollfd fd = {.fd = events.fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void events_come_in_order(void **state)
{
    (void)state;
    put(SM_EVENT_CHANNEL_OPEN, 1);
    put(SM_EVENT_DISPLAY_CONFIG, 1);
    put(SM_EVENT_CHANNEL_OPEN, 2);
    assert_int_equal(take().kind, SM_EVENT_CHANNEL_OPEN);
    assert_int_equal(take().kind, SM_EVENT_DISPLAY_CONFIG);
    assert_int_equal(take().channel_id, 2);
    struct sm_event event;
    assert_false(sm_events_wait(&events, 0, &event));
}

static void damage_of_one_display_is_merged(void **state)
{
    (void)state;
    put_damage(0, (struct sm_rect){10, 10, 20, 20});
    put_damage(1, (struct sm_rect){0, 0, 5, 5});
    put_damage(0, (struct sm_rect){0, 15, 12, 40});
    put_damage(0, (struct sm_rect){7, 7, 7, 7}); /* nothing */
    struct sm_rect damage = take().damage;
    assert_int_equal(damage.left, 0);
    assert_int_equal(damage.top, 10);
    assert_int_equal(damage.right, 20);
    assert_int_equal(damage.bottom, 40);
    assert_int_equal(take().channel_id, 1);
    assert_false(is_readable());
    /* What was taken is not merged with. */
    put_damage(0, (struct sm_rect){1, 2, 3, 4});
    assert_int_equal(take().damage.bottom, 4);
}

static void the_descriptor_is_readable_while_events_wait(void **state)
{
    (void)state;
    assert_false(is_readable());
    put(SM_EVENT_INFO, 0);
    put(SM_EVENT_CURSOR, 0);
    assert_true(is_readable());
    (void)take();
    assert_true(is_readable());
    (void)take();
    assert_false(is_readable());
}

static void nothing_follows_the_end(void **state)
{
    (void)state;
    static const struct sm_error none = {.kind = SM_ERROR_NONE};
    sm_events_put(&events, &(struct sm_event){.kind = SM_EVENT_CLOSED, .error = &none});
    put(SM_EVENT_INFO, 0);
    assert_int_equal(take().kind, SM_EVENT_CLOSED);
    struct sm_event event;
    assert_false(sm_events_wait(&events, -1, &event)); /* nor is anything waited for */
}

static void notices_are_copied_cut_and_bounded(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    put_notice(text);
    text[0] = 'y';
    for (int i = 0; i < 100; i++)
        put_notice("flood");
    struct sm_event event = take();
    assert_int_equal(strlen(event.text), SM_NOTICE_SIZE - 1);
    assert_int_equal(event.text[0], 'x');
    int count = 1;
    while (sm_events_wait(&events, 0, &event))
        count++;
    assert_int_equal(count, SM_NOTICES_MAX);
    assert_int_equal(events.dropped, 101 - SM_NOTICES_MAX);
    put_notice("room again");
    assert_string_equal(take().text, "room again");
}

static void the_end_has_room_when_nothing_else_has(void **state)
{
    (void)state;
    static const struct sm_error none = {.kind = SM_ERROR_NONE};
    for (unsigned i = 0; i < 2 * SM_EVENTS_MAX; i++)
        put(SM_EVENT_CHANNEL_OPEN, (uint8_t)i);
    sm_events_put(&events, &(struct sm_event){.kind = SM_EVENT_CLOSED, .error = &none});
    struct sm_event event = {.kind = SM_EVENT_NONE};
    int count = 0;
    while (sm_events_wait(&events, 0, &event))
        count++;
    assert_int_equal(count, SM_EVENTS_MAX);
    assert_int_equal(event.kind, SM_EVENT_CLOSED);
}

static void a_wake_is_one_and_loses_no_event(void **state)
{
    (void)state;
    struct sm_event event;
    put(SM_EVENT_INFO, 0);
    sm_events_wake(&events);
    sm_events_wake(&events);
    assert_false(sm_events_wait(&events, -1, &event));
    assert_int_equal(take().kind, SM_EVENT_INFO);
    assert_false(is_readable());
    sm_events_wake(&events);
    assert_true(is_readable());
}

enum { ROUNDS = 20000 };

static void *put_many(void *opaque)
{
    uint8_t id = (uint8_t)(uintptr_t)opaque;
    for (int i = 1; i <= ROUNDS; i++)
        put_damage(id, (struct sm_rect){0, 0, i, 1});
    put(SM_EVENT_CHANNEL_CLOSED, id);
    return NULL;
}

static void threads_may_put_while_one_waits(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    int32_t widest[THREADS] = {0};
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, (void *)i), 0);
    for (int ended = 0; ended < THREADS;) {
        struct sm_event event;
        assert_true(sm_events_wait(&events, 20000, &event));
        if (event.kind == SM_EVENT_CHANNEL_CLOSED)
            ended++;
        else if (event.damage.right > widest[event.channel_id])
            widest[event.channel_id] = event.damage.right;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(widest[i], ROUNDS); /* nothing was lost */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_come_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_of_one_display_is_merged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_descriptor_is_readable_while_events_wait, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_follows_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_are_copied_cut_and_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_has_room_when_nothing_else_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wake_is_one_and_loses_no_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_may_put_while_one_waits, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("client events", tests, NULL, NULL);
}
