/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

void sm_test_wire_init(struct sm_test_wire *wire, struct sm_machine a, struct sm_machine b,
                       size_t max_cut, uint64_t seed)
{
    *wire = (struct sm_test_wire){.ends = {a, b}, .max_cut = max_cut, .now_us = 1000000};
    wire->random.state = seed * 2 + 1;
}

void sm_test_wire_finish(struct sm_test_wire *wire)
{
    free(wire->to[0].data);
    free(wire->to[1].data);
}

static size_t cut(struct sm_test_wire *wire, size_t size)
{
    if (!wire->max_cut || !size)
        return size;
    size_t most = 1 + sm_test_random_next(&wire->random) % wire->max_cut;
    return size < most ? size : most;
}

/* The flight becomes its own rest without `gone` bytes, with `more` behind it, in a fresh block. */
static void refill(struct sm_test_flight *flight, size_t gone, struct sm_bytes more)
{
    size_t rest = flight->size - gone;
    uint8_t *data = malloc(rest + more.size ? rest + more.size : 1);
    assert_non_null(data);
    if (rest)
        memcpy(data, flight->data + gone, rest);
    if (more.size)
        memcpy(data + rest, more.data, more.size);
    free(flight->data);
    *flight = (struct sm_test_flight){.data = data, .size = rest + more.size};
}

static bool move(struct sm_test_wire *wire, int from)
{
    int to = !from;
    bool has_moved = false;
    struct sm_bytes out = sm_machine_pending(wire->ends[from]);
    out.size = cut(wire, out.size);
    if (out.size) {
        refill(&wire->to[to], 0, out);
        sm_machine_sent(wire->ends[from], out.size, wire->now_us);
        has_moved = true;
    }
    struct sm_bytes in = {wire->to[to].data, wire->to[to].size};
    in.size = cut(wire, in.size);
    if (in.size) {
        struct sm_bytes exact = {malloc(in.size), in.size}; /* so that ASan sees its end */
        assert_non_null(exact.data);
        memcpy((void *)(uintptr_t)exact.data, in.data, in.size);
        size_t taken = 0;
        wire->status[to] = sm_machine_receive(wire->ends[to], exact, wire->now_us, &taken);
        assert_true(taken <= in.size);
        free((void *)(uintptr_t)exact.data);
        refill(&wire->to[to], taken, (struct sm_bytes){0});
        has_moved = has_moved || taken;
    }
    return has_moved;
}

bool sm_test_wire_step(struct sm_test_wire *wire)
{
    bool forth = move(wire, 0);
    bool back = move(wire, 1);
    return forth || back;
}

void sm_test_wire_replace(struct sm_test_wire *wire, int end, struct sm_machine machine)
{
    wire->ends[end] = machine;
}

enum sm_status sm_test_feed(struct sm_machine machine, struct sm_bytes bytes, size_t piece,
                            size_t *taken)
{
    size_t all = 0;
    enum sm_status status = SM_OK;
    while (all < bytes.size && status == SM_OK) {
        size_t size = bytes.size - all;
        if (piece && size > piece)
            size = piece;
        size_t some = 0;
        status = sm_machine_receive(machine, (struct sm_bytes){bytes.data + all, size}, 0, &some);
        all += some;
        if (!some)
            break;
    }
    if (taken)
        *taken = all;
    return status;
}

struct sm_bytes sm_test_take_pending(struct sm_machine machine, uint64_t now_us)
{
    struct sm_bytes all = sm_machine_pending(machine);
    struct sm_bytes copy = sm_test_copy(all.data, all.size);
    sm_machine_sent(machine, all.size, now_us);
    return copy;
}

void sm_test_feed_hex(struct sm_machine machine, const char *hex)
{
    struct sm_bytes bytes = sm_test_hex(hex);
    size_t taken;
    sm_check_status(sm_test_feed(machine, bytes, 0, &taken), SM_OK);
    assert_int_equal(taken, bytes.size);
}

void sm_check_pending_at(struct sm_machine machine, const char *hex, const char *file, int line)
{
    sm_check_bytes_at(sm_test_take_pending(machine, 0), sm_test_hex(hex), "pending", file, line);
}
