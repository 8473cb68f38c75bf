/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "io/clock.h"
#include "io/epoll_loop.h"
#include "io/pump.h"
#include "io/socket.h"

/* A machine that echoes what it gets, at most `appetite` bytes before its owner resets that. */
struct echo {
    struct sm_writer out;
    size_t taken, appetite;
    uint64_t due_us;
    unsigned ticks;
    enum sm_status verdict;
    uint64_t toil_us; /* each time it is fed */
};

static enum sm_status echo_receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    (void)now_us;
    struct echo *echo = self;
    size_t left = echo->appetite - echo->taken;
    for (uint64_t ends_us = sm_now_us() + echo->toil_us; sm_now_us() < ends_us;)
        continue;
    *taken = in.size < left ? in.size : left;
    echo->taken += *taken;
    sm_put_bytes(&echo->out, (struct sm_bytes){in.data, *taken});
    return memchr(in.data, '!', *taken) ? SM_ERR_PROTOCOL : SM_OK;
}

static struct sm_bytes echo_pending(const void *self)
{
    return sm_writer_bytes(&((const struct echo *)self)->out);
}

static void echo_sent(void *self, size_t size, uint64_t now_us)
{
    (void)now_us;
    struct echo *echo = self;
    memmove(echo->out.data, echo->out.data + size, echo->out.size - size);
    echo->out.size -= size;
}

static uint64_t echo_deadline(const void *self)
{
    return ((const struct echo *)self)->due_us;
}

static enum sm_status echo_tick(void *self, uint64_t now_us)
{
    struct echo *echo = self;
    assert_true(now_us >= echo->due_us);
    echo->due_us = UINT64_MAX;
    echo->ticks++;
    return echo->verdict;
}

static const char *echo_reason(const void *self)
{
    (void)self;
    return "an exclamation mark";
}

static const struct sm_machine_ops ECHO_OPS = {echo_receive,  echo_pending, echo_sent,
                                               echo_deadline, echo_tick,    echo_reason};

static const struct sm_bytes MORE = {.data = (const uint8_t *)"more", .size = 4};

struct fixture {
    struct sm_epoll_loop *loop;
    struct sm_pump *pump;
    struct echo echo;
    int peer;
    unsigned activities, closes;
    enum sm_status status;
    char reason[64];
    bool destroys_at_activity;
    unsigned
        refills; /* so often the owner has more to send when all has left, and takes its time */
};

static void on_activity(void *opaque)
{
    struct fixture *f = opaque;
    f->activities++;
    if (f->refills > 0 && f->echo.out.size == 0) {
        f->refills--;
        for (uint64_t ends_us = sm_now_us() + f->echo.toil_us; sm_now_us() < ends_us;)
            continue;
        sm_put_bytes(&f->echo.out, MORE);
    }
    if (f->destroys_at_activity) {
        sm_pump_destroy(f->pump);
        f->pump = NULL;
    }
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct fixture *f = opaque;
    f->closes++;
    f->status = status;
    strncpy(f->reason, reason, sizeof(f->reason) - 1);
    sm_pump_destroy(f->pump);
    f->pump = NULL;
}

static const struct sm_pump_callbacks CALLBACKS = {on_activity, on_closed};

static void start(struct fixture *f, struct sm_bytes received)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    f->peer = fds[1];
    sm_writer_init(&f->echo.out, 1 << 24);
    f->echo.appetite = f->echo.appetite ? f->echo.appetite : SIZE_MAX;
    f->echo.due_us = f->echo.due_us ? f->echo.due_us : UINT64_MAX;
    sm_check_status(sm_epoll_loop_create(&f->loop), SM_OK);
    struct sm_transport *transport;
    sm_check_status(sm_socket_transport(&transport, fds[0]), SM_OK);
    sm_check_status(sm_pump_create(&f->pump, sm_epoll_loop_base(f->loop), transport,
                                   (struct sm_machine){&ECHO_OPS, &f->echo}, received, &CALLBACKS,
                                   f),
                    SM_OK);
}

static void run(struct fixture *f)
{
    while (sm_epoll_loop_run_once(f->loop, 20))
        ;
}

static void finish(struct fixture *f)
{
    sm_pump_destroy(f->pump);
    sm_epoll_loop_destroy(f->loop);
    sm_writer_finish(&f->echo.out);
    close(f->peer);
}

static void check_echoed(struct fixture *f, const char *text)
{
    char buffer[64] = "";
    ssize_t got = recv(f->peer, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
    assert_int_equal(got, strlen(text));
    assert_string_equal(buffer, text);
}

static void pump_feeds_and_writes(void **state)
{
    (void)state;
    struct fixture f = {0};
    start(&f, (struct sm_bytes){(const uint8_t *)"early ", 6});
    assert_int_equal(write(f.peer, "late", 4), 4);
    run(&f);
    check_echoed(&f, "early late");
    assert_int_equal(f.closes, 0);
    finish(&f);
}

static void pump_waits_for_a_machine_that_takes_no_more(void **state)
{
    (void)state;
    struct fixture f = {.echo.appetite = 3};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(write(f.peer, "abcdef", 6), 6);
    run(&f);
    check_echoed(&f, "abc");
    f.echo.appetite = 100;
    sm_pump_kick(f.pump);
    run(&f);
    check_echoed(&f, "def");
    finish(&f);
}

static void pump_hands_leftovers_to_the_next_machine(void **state)
{
    (void)state;
    struct fixture f = {.echo.appetite = 3};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(write(f.peer, "abcdef", 6), 6);
    run(&f);
    struct echo second = {.appetite = SIZE_MAX, .due_us = UINT64_MAX};
    sm_writer_init(&second.out, 1000);
    sm_pump_set_machine(f.pump, (struct sm_machine){&ECHO_OPS, &second});
    run(&f);
    check_echoed(&f, "abcdef");
    assert_int_equal(second.taken, 3);
    finish(&f);
    sm_writer_finish(&second.out);
}

static void pump_detaches_with_what_was_read(void **state)
{
    (void)state;
    struct fixture f = {.echo.appetite = 2};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(write(f.peer, "abcdef", 6), 6);
    run(&f);
    uint8_t *received;
    size_t size;
    struct sm_transport *transport = sm_pump_detach(f.pump, &received, &size);
    f.pump = NULL;
    sm_check_bytes(((struct sm_bytes){received, size}),
                   ((struct sm_bytes){(const uint8_t *)"cdef", 4}));
    free(received);
    sm_transport_destroy(transport);
    finish(&f);
}

static void pump_sends_last_words_then_closes_with_the_fault(void **state)
{
    (void)state;
    struct fixture f = {0};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(write(f.peer, "oh!", 3), 3);
    run(&f);
    check_echoed(&f, "oh!");
    assert_int_equal(f.closes, 1);
    sm_check_status(f.status, SM_ERR_PROTOCOL);
    assert_string_equal(f.reason, "an exclamation mark");
    finish(&f);
}

static void pump_tells_of_the_end(void **state)
{
    (void)state;
    struct fixture f = {0};
    start(&f, (struct sm_bytes){0});
    shutdown(f.peer, SHUT_RDWR);
    run(&f);
    assert_int_equal(f.closes, 1);
    sm_check_status(f.status, SM_ERR_IO);
    finish(&f);
}

/* It takes longer than a turn to read what a peer said that does not hear the answer any more. */
static void pump_reads_the_last_words_of_one_that_has_gone(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1024 };
    struct fixture f = {.echo.toil_us = 400};
    start(&f, (struct sm_bytes){0});
    uint8_t *words = calloc(1, SIZE);
    assert_non_null(words);
    assert_int_equal(send(f.peer, words, SIZE, 0), SIZE);
    close(f.peer);
    f.peer = -1;
    run(&f);
    assert_int_equal(f.echo.taken, SIZE);
    assert_int_equal(f.closes, 1);
    sm_check_status(f.status, SM_ERR_IO);
    free(words);
    finish(&f);
}

/* An owner that takes no more does not keep a dead connection. */
static void pump_ends_with_words_that_nobody_takes(void **state)
{
    (void)state;
    struct fixture f = {.echo.appetite = 10};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(send(f.peer, "a sentence too long", 19, 0), 19);
    close(f.peer);
    f.peer = -1;
    run(&f);
    assert_int_equal(f.echo.taken, 10);
    assert_int_equal(f.closes, 1);
    sm_check_status(f.status, SM_ERR_IO);
    finish(&f);
}

static void pump_may_be_destroyed_while_it_calls(void **state)
{
    (void)state;
    struct fixture f = {.destroys_at_activity = true};
    start(&f, (struct sm_bytes){0});
    assert_int_equal(write(f.peer, "abc", 3), 3);
    run(&f);
    assert_int_equal(f.activities, 1);
    assert_null(f.pump);
    finish(&f);
}

static void pump_keeps_the_deadline(void **state)
{
    (void)state;
    struct fixture f = {.echo.due_us = sm_now_us() + 2000};
    start(&f, (struct sm_bytes){0});
    while (f.echo.ticks == 0)
        sm_epoll_loop_run_once(f.loop, 1000);
    assert_int_equal(f.closes, 0);
    f.echo.due_us = sm_now_us();
    f.echo.verdict = SM_ERR_LIMIT;
    sm_pump_kick(f.pump);
    run(&f);
    assert_int_equal(f.echo.ticks, 2);
    sm_check_status(f.status, SM_ERR_LIMIT);
    finish(&f);
}

static void pump_survives_more_than_the_line_holds(void **state)
{
    (void)state;
    struct fixture f = {0};
    start(&f, (struct sm_bytes){0});
    static uint8_t block[1 << 20];
    memset(block, 'x', sizeof(block));
    sm_put_bytes(&f.echo.out, SM_TEST_BYTES(block));
    sm_pump_kick(f.pump);
    size_t total = 0;
    while (total < sizeof(block)) {
        sm_epoll_loop_run_once(f.loop, 10);
        ssize_t got = recv(f.peer, block, sizeof(block), MSG_DONTWAIT);
        total += got > 0 ? (size_t)got : 0;
    }
    run(&f);
    assert_int_equal(f.echo.out.size, 0);
    finish(&f);
}

/* Somebody else on the loop, who always has something to do. */
struct other {
    struct sm_loop loop;
    struct sm_timer *timer;
    unsigned turns;
};

static void on_other(void *opaque)
{
    struct other *other = opaque;
    other->turns++;
    sm_loop_timer_start(other->loop, other->timer, 0);
}

/* However long its messages take, others have their turn in between. */
static void pump_does_not_keep_the_loop_to_itself(void **state)
{
    (void)state;
    static uint8_t block[60000];
    struct fixture f = {.echo.toil_us = 3000};
    memset(block, 'x', sizeof(block));
    start(&f, SM_TEST_BYTES(block));
    struct other other = {.loop = sm_epoll_loop_base(f.loop)};
    other.timer = sm_loop_timer_add(other.loop, on_other, &other);
    sm_loop_timer_start(other.loop, other.timer, 0);
    while (f.echo.taken < sizeof(block))
        sm_epoll_loop_run_once(f.loop, 1000);
    assert_in_range(other.turns, sizeof(block) / 8192, UINT32_MAX); /* one a slice */
    sm_loop_timer_remove(other.loop, other.timer);
    finish(&f);
}

/* However much it has to say. */
static void pump_that_is_refilled_leaves_the_loop_to_others(void **state)
{
    (void)state;
    enum { REFILLS = 64 };
    struct fixture f = {.echo.toil_us = 3000, .refills = REFILLS};
    start(&f, (struct sm_bytes){0});
    struct other other = {.loop = sm_epoll_loop_base(f.loop)};
    other.timer = sm_loop_timer_add(other.loop, on_other, &other);
    sm_loop_timer_start(other.loop, other.timer, 0);
    sm_put_bytes(&f.echo.out, MORE);
    sm_pump_kick(f.pump);
    while (f.refills > 0)
        sm_epoll_loop_run_once(f.loop, 1000);
    assert_in_range(other.turns, REFILLS / 4, UINT32_MAX);
    sm_loop_timer_remove(other.loop, other.timer);
    finish(&f);
}

/* A filter that takes what it is given and keeps it until it is let go. */
struct hoard {
    struct sm_transport base;
    struct sm_transport *below;
    struct sm_writer kept;
    bool is_open;
};

static struct hoard *hoard_of(struct sm_transport *t)
{
    return (struct hoard *)(void *)t;
}

static enum sm_status hoard_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    return sm_transport_read(hoard_of(t)->below, to, size, got);
}

static enum sm_status hoard_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                   size_t count, size_t *put)
{
    *put = 0;
    for (size_t i = 0; i < count; i++) {
        sm_put_bytes(&hoard_of(t)->kept, parts[i]);
        *put += parts[i].size;
    }
    return SM_OK;
}

static unsigned hoard_wants(const struct sm_transport *t, unsigned asked)
{
    (void)t;
    return asked;
}

static bool hoard_has_buffered(const struct sm_transport *t)
{
    (void)t;
    return false;
}

static enum sm_status hoard_flush(struct sm_transport *t)
{
    struct hoard *hoard = hoard_of(t);
    size_t put = 0;
    struct sm_bytes kept = sm_writer_bytes(&hoard->kept);
    if (kept.size == 0)
        return SM_OK;
    if (!hoard->is_open || sm_transport_write(hoard->below, kept, &put) != SM_OK)
        return SM_AGAIN;
    assert_int_equal(put, kept.size);
    sm_writer_reset(&hoard->kept);
    return SM_OK;
}

static void hoard_destroy(struct sm_transport *t)
{
    sm_transport_destroy(hoard_of(t)->below);
    sm_writer_finish(&hoard_of(t)->kept);
}

/* The owner of a pump hears when the socket has really taken everything. */
static void pump_tells_when_a_filter_has_let_go(void **state)
{
    (void)state;
    static const struct sm_transport_ops ops = {.read = hoard_read,
                                                .writev = hoard_writev,
                                                .wants = hoard_wants,
                                                .has_buffered = hoard_has_buffered,
                                                .flush = hoard_flush,
                                                .destroy = hoard_destroy};
    struct fixture f = {0};
    start(&f, (struct sm_bytes){0});
    run(&f);
    struct hoard hoard = {.base = {.ops = &ops}, .below = sm_pump_transport(f.pump)};
    hoard.base.fd = hoard.below->fd;
    sm_writer_init(&hoard.kept, 1 << 10);
    sm_pump_raise(f.pump, &hoard.base);
    assert_true(sm_pump_is_drained(f.pump));
    sm_put_bytes(&f.echo.out, MORE);
    assert_false(sm_pump_is_drained(f.pump));
    sm_pump_kick(f.pump);
    run(&f);
    assert_int_equal(f.echo.out.size, 0); /* the machine is rid of it, */
    assert_false(sm_pump_is_drained(f.pump));
    unsigned activities = f.activities;
    hoard.is_open = true;
    sm_pump_kick(f.pump); /* as the descriptor would */
    run(&f);
    assert_true(sm_pump_is_drained(f.pump));
    assert_in_range(f.activities, activities + 1, UINT32_MAX);
    check_echoed(&f, "more");
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pump_feeds_and_writes),
        cmocka_unit_test(pump_waits_for_a_machine_that_takes_no_more),
        cmocka_unit_test(pump_hands_leftovers_to_the_next_machine),
        cmocka_unit_test(pump_detaches_with_what_was_read),
        cmocka_unit_test(pump_sends_last_words_then_closes_with_the_fault),
        cmocka_unit_test(pump_tells_of_the_end),
        cmocka_unit_test(pump_reads_the_last_words_of_one_that_has_gone),
        cmocka_unit_test(pump_ends_with_words_that_nobody_takes),
        cmocka_unit_test(pump_may_be_destroyed_while_it_calls),
        cmocka_unit_test(pump_keeps_the_deadline),
        cmocka_unit_test(pump_does_not_keep_the_loop_to_itself),
        cmocka_unit_test(pump_that_is_refilled_leaves_the_loop_to_others),
        cmocka_unit_test(pump_tells_when_a_filter_has_let_go),
        cmocka_unit_test(pump_survives_more_than_the_line_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
