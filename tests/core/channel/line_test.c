/* SPDX-License-Identifier: MIT */
/* The estimator on simulated lines: rate, round trip, a router's queue, a clock of our own. */
#include "tests/support/check.h"

#include <string.h>

#include "core/channel/line.h"

enum { MAX_PACKETS = 1 << 16, STEP_US = 250, MESSAGE = 3000, MARK = 18, MS = 1000, S = 1000000 };

/* A line without a limit to what it buffers, and a sender that obeys the estimator. */
struct world {
    struct sm_line line;
    uint64_t now_us;
    uint64_t rate;       /* bytes a second */
    uint64_t one_way_us; /* each way */
    uint64_t free_us;    /* when the narrow part has passed everything */
    uint64_t queued;     /* offset */
    uint64_t arrived;    /* bytes at the peer */
    bool is_deaf;        /* the peer answers no marks */
    uint64_t worst_us;   /* the longest that a byte was on its way */
    unsigned first, count, marks;
    struct {
        uint64_t at_us, left_us, end;
        bool is_mark, is_answer;
    } way[MAX_PACKETS];
};

static void world_init(struct world *w, uint64_t rate, uint64_t rtt_us)
{
    memset(w, 0, sizeof(*w));
    w->now_us = 5 * S;
    w->rate = rate;
    w->one_way_us = rtt_us / 2;
    sm_line_init(&w->line, 0, 0);
}

static void put(struct world *w, uint64_t size, bool is_mark)
{
    assert_true(w->count < MAX_PACKETS);
    if (w->free_us < w->now_us)
        w->free_us = w->now_us;
    w->free_us += size * S / w->rate;
    unsigned at = (w->first + w->count++) % MAX_PACKETS;
    w->queued += size;
    w->way[at].at_us = w->free_us + w->one_way_us;
    w->way[at].left_us = w->now_us;
    w->way[at].end = w->queued;
    w->way[at].is_mark = is_mark;
    w->way[at].is_answer = false;
    sm_line_queued(&w->line, w->queued);
    if (is_mark)
        sm_line_marked(&w->line, w->queued);
    sm_line_left(&w->line, w->queued, w->now_us);
}

static void mark(struct world *w)
{
    while (sm_line_wants_mark(&w->line)) {
        put(w, MARK, true);
        w->marks++;
    }
}

static void send(struct world *w, uint64_t size)
{
    put(w, size, false);
    mark(w);
}

/* Everything that reaches the peer, or us again, up to now. Answers take the way back. */
static void deliver(struct world *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        unsigned at = (w->first + i) % MAX_PACKETS;
        if (w->way[at].at_us > w->now_us)
            break;
        if (w->way[at].is_answer)
            continue;
        uint64_t took = w->way[at].at_us - w->way[at].left_us;
        w->worst_us = took > w->worst_us ? took : w->worst_us;
        w->arrived = w->way[at].end;
        w->way[at].is_answer = true;
    }
    while (w->count > 0 && w->way[w->first].is_answer &&
           (!w->way[w->first].is_mark || w->way[w->first].at_us + w->one_way_us <= w->now_us)) {
        if (w->way[w->first].is_mark && !w->is_deaf)
            sm_line_answered(&w->line, w->way[w->first].end, w->now_us);
        w->first = (w->first + 1) % MAX_PACKETS;
        w->count--;
    }
    mark(w);
}

/* So long with as much to send as goes, in messages of `size`. */
static void busy_with(struct world *w, uint64_t us, uint64_t size)
{
    for (uint64_t end = w->now_us + us; w->now_us < end; w->now_us += STEP_US) {
        deliver(w);
        while (sm_line_room(&w->line, w->now_us) > 0)
            send(w, size);
    }
}

static void busy(struct world *w, uint64_t us)
{
    busy_with(w, us, MESSAGE);
}

/* So long with a message of `size` every `every_us`. */
static void typing(struct world *w, uint64_t us, uint64_t size, uint64_t every_us)
{
    uint64_t next = w->now_us;
    for (uint64_t end = w->now_us + us; w->now_us < end; w->now_us += STEP_US) {
        deliver(w);
        if (size > 0 && w->now_us >= next && sm_line_room(&w->line, w->now_us) > 0) {
            send(w, size);
            next += every_us;
        }
        if (sm_line_room(&w->line, w->now_us) > 0)
            sm_line_starved(&w->line);
    }
}

static struct world world; /* large */

/* What arrives in `us` of work, as a share of what the line could do, in percent. */
static unsigned share(struct world *w, uint64_t us)
{
    uint64_t before = w->arrived;
    w->worst_us = 0;
    busy(w, us);
    return (unsigned)((w->arrived - before) * 100 / (w->rate * us / S));
}

static void lines_are_filled_and_fresh(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate, rtt_ms;
    } LINES[] = {{125000, 20},  {250000, 50},    {500000, 100},  {500000, 5},    {1250000, 50},
                 {2500000, 60}, {12500000, 200}, {12500000, 10}, {125000000, 2}, {5000000, 300}};
    for (unsigned i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        uint64_t rtt_us = LINES[i].rtt_ms * MS;
        world_init(&world, LINES[i].rate, rtt_us);
        busy(&world, 4 * S);
        assert_in_range(share(&world, 4 * S), rtt_us < 200 * MS ? 90 : 75, 100);
        /* what it waits beyond the way itself: below 60 ms, or a message of a slow line */
        uint64_t most = rtt_us / 2 + 60 * MS + (rtt_us < 200 * MS ? 0 : rtt_us / 2) +
                        MESSAGE * (uint64_t)S / LINES[i].rate;
        assert_in_range(world.worst_us, 0, most);
        uint64_t rate = sm_line_bytes_per_second(&world.line);
        assert_in_range(rate > LINES[i].rate * 9 / 10 && rate, 0, LINES[i].rate * 5 / 4);
    }
}

static void a_long_fast_line_is_found_quickly(void **state)
{
    (void)state;
    for (uint64_t rtt_ms = 100; rtt_ms <= 200; rtt_ms += 100) {
        world_init(&world, 125000000, rtt_ms * MS);
        busy(&world, 1000 * MS + 2 * rtt_ms * MS);
        assert_in_range(world.arrived, 4000000 + 1, UINT64_MAX);
    }
}

static void what_is_known_beforehand_is_used(void **state)
{
    (void)state;
    world_init(&world, 500000, 100 * MS);
    sm_line_init(&world.line, 100 * MS, 500000);
    busy(&world, 5 * S);
    /* never much more than while it looks whether there is more */
    assert_in_range(world.worst_us, 0, 250 * MS);
}

static void a_line_that_gets_slower_is_seen(void **state)
{
    (void)state;
    world_init(&world, 2500000, 60 * MS);
    busy(&world, 5 * S);
    world.rate = 250000;
    busy(&world, 6 * S);
    assert_in_range(share(&world, 4 * S), 90, UINT64_MAX);
    assert_in_range(world.worst_us, 0, 120 * MS);
    assert_in_range(sm_line_bytes_per_second(&world.line), 0, 320000);
}

static void a_line_that_gets_faster_is_seen(void **state)
{
    (void)state;
    world_init(&world, 250000, 60 * MS);
    busy(&world, 5 * S);
    world.rate = 2500000;
    busy(&world, 3 * S);
    assert_in_range(share(&world, 2 * S), 90, UINT64_MAX);
}

static void a_longer_way_is_seen(void **state)
{
    (void)state;
    world_init(&world, 1250000, 20 * MS);
    busy(&world, 5 * S);
    world.one_way_us = 100 * MS;
    busy(&world, 10 * S);
    assert_in_range(sm_line_rtt_us(&world.line), 200 * MS, UINT64_MAX);
    assert_in_range(sm_line_rtt_us(&world.line), 0, 240 * MS);
    assert_in_range(share(&world, 4 * S), 60, UINT64_MAX);
}

static void the_round_trip_does_not_creep_up(void **state)
{
    (void)state;
    world_init(&world, 500000, 100 * MS);
    busy(&world, 120 * S);
    assert_in_range(sm_line_rtt_us(&world.line), 0, 115 * MS);
    assert_in_range(share(&world, 10 * S), 90, UINT64_MAX);
    assert_in_range(world.worst_us, 0, 180 * MS);
}

/* Frames of a film: each alone is more than half of what the line holds. */
static void large_messages_do_not_keep_a_line_empty(void **state)
{
    (void)state;
    for (uint64_t size = 28000; size <= 60000; size += 10000) {
        world_init(&world, 500000, 100 * MS);
        busy(&world, 5 * S);
        world.rate = 100000; /* it is thought to be slower than it will be */
        busy(&world, 5 * S);
        world.rate = 500000;
        for (unsigned i = 0; i < 12; i++) {
            uint64_t before = world.arrived;
            busy_with(&world, 10 * S, size);
            assert_in_range((world.arrived - before) * 100 / (world.rate * 10), 75, 110);
        }
        assert_in_range(sm_line_rtt_us(&world.line), 0, 115 * MS);
    }
}

static void little_to_send_makes_no_line_slow(void **state)
{
    (void)state;
    world_init(&world, 12500000, 40 * MS);
    busy(&world, 5 * S);
    uint64_t rate = sm_line_bytes_per_second(&world.line);
    typing(&world, 60 * S, 500, 100 * MS);
    assert_in_range(sm_line_bytes_per_second(&world.line), rate * 9 / 10, UINT64_MAX);
    assert_in_range(sm_line_rtt_us(&world.line), 0, 45 * MS);
    assert_in_range(share(&world, 1 * S), 90, UINT64_MAX);
}

static void there_is_always_room_on_a_quiet_line(void **state)
{
    (void)state;
    world_init(&world, 125000, 30 * MS);
    busy(&world, 3 * S);
    for (unsigned i = 0; i < 200; i++) {
        typing(&world, 500 * MS, 1 + i * 997 % 9000, 400 * MS);
        typing(&world, 300 * MS, 0, 400 * MS);
        assert_in_range(sm_line_room(&world.line, world.now_us), 4000 + 1, UINT64_MAX);
    }
}

static void marks_cost_little(void **state)
{
    (void)state;
    world_init(&world, 125000000, 1 * MS);
    busy(&world, 5 * S);
    assert_in_range(world.marks * 200000ull, 0, world.queued);
    unsigned before = world.marks;
    typing(&world, 10 * S, 200, 50 * MS); /* 40 kB */
    assert_in_range(world.marks - before, 0, 10);
}

static void a_peer_that_answers_nothing_is_not_waited_for(void **state)
{
    (void)state;
    world_init(&world, 12500000, 10 * MS);
    world.is_deaf = true;
    busy(&world, 900 * MS);
    assert_in_range(world.arrived, 0, (64 << 10) + MESSAGE + 10 * MARK);
    assert_in_range(sm_line_deadline(&world.line), 0, 5 * S + 1001 * MS);
    world.now_us = sm_line_deadline(&world.line);
    assert_int_equal(sm_line_room(&world.line, world.now_us), 0);
    sm_line_tick(&world.line, world.now_us);
    assert_true(sm_line_deadline(&world.line) == UINT64_MAX);
    assert_in_range(sm_line_room(&world.line, world.now_us), 0 + 1, UINT64_MAX);
}

static void answers_to_nothing_mean_nothing(void **state)
{
    (void)state;
    struct sm_line line;
    sm_line_init(&line, 0, 0);
    sm_line_answered(&line, 18, 100);
    assert_int_equal(sm_line_rtt_us(&line), 0);
    sm_line_queued(&line, 1000);
    assert_true(sm_line_wants_mark(&line));
    sm_line_marked(&line, 1018);
    sm_line_answered(&line, 1018, 200); /* it has not left */
    assert_int_equal(sm_line_rtt_us(&line), 0);
    assert_int_equal(sm_line_in_flight(&line), 1018);
    sm_line_left(&line, 1017, 300);
    sm_line_answered(&line, 1018, 400);
    assert_int_equal(sm_line_in_flight(&line), 1018);
    sm_line_left(&line, 1018, 500);
    sm_line_answered(&line, 1000, 600);
    assert_int_equal(sm_line_in_flight(&line), 1018);
    sm_line_answered(&line, 1018, 700);
    assert_int_equal(sm_line_in_flight(&line), 0);
    assert_int_equal(sm_line_rtt_us(&line), 200);
    sm_line_answered(&line, 1018, 800);
    assert_int_equal(sm_line_rtt_us(&line), 200);
}

static void marks_are_limited(void **state)
{
    (void)state;
    struct sm_line line;
    sm_line_init(&line, 0, 0);
    uint64_t end = 0;
    for (unsigned i = 0; i < SM_LINE_MAX_MARKS; i++) {
        end += 1 << 20;
        sm_line_queued(&line, end);
        assert_true(sm_line_wants_mark(&line));
        sm_line_marked(&line, end);
    }
    sm_line_queued(&line, end + (32 << 20));
    assert_false(sm_line_wants_mark(&line));
    sm_line_left(&line, end, 1000);
    sm_line_answered(&line, end, 2000); /* the last stands for all */
    assert_int_equal(sm_line_in_flight(&line), 32 << 20);
    assert_true(sm_line_wants_mark(&line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_filled_and_fresh),
        cmocka_unit_test(a_long_fast_line_is_found_quickly),
        cmocka_unit_test(what_is_known_beforehand_is_used),
        cmocka_unit_test(a_line_that_gets_slower_is_seen),
        cmocka_unit_test(a_line_that_gets_faster_is_seen),
        cmocka_unit_test(a_longer_way_is_seen),
        cmocka_unit_test(the_round_trip_does_not_creep_up),
        cmocka_unit_test(large_messages_do_not_keep_a_line_empty),
        cmocka_unit_test(little_to_send_makes_no_line_slow),
        cmocka_unit_test(there_is_always_room_on_a_quiet_line),
        cmocka_unit_test(marks_cost_little),
        cmocka_unit_test(a_peer_that_answers_nothing_is_not_waited_for),
        cmocka_unit_test(answers_to_nothing_mean_nothing),
        cmocka_unit_test(marks_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
