/* SPDX-License-Identifier: MIT */
/* A wire between two machines: bytes are cut where they must not matter, the clock is ours. */
#ifndef SM_TESTS_CORE_CHANNEL_WIRE_H
#define SM_TESTS_CORE_CHANNEL_WIRE_H

#include "tests/support/check.h"

#include "core/channel/machine.h"

/** Bytes on their way, in a heap block of exactly their size. */
struct sm_test_flight {
    uint8_t *data;
    size_t size;
};

struct sm_test_wire {
    struct sm_machine ends[2];
    struct sm_test_flight to[2]; /* to[i]: bytes on their way to ends[i] */
    enum sm_status status[2];    /* the last result of ends[i] */
    size_t max_cut;              /* at most so many bytes at a time; 0 for all */
    struct sm_test_random random;
    uint64_t now_us;
};

void sm_test_wire_init(struct sm_test_wire *wire, struct sm_machine a, struct sm_machine b,
                       size_t max_cut, uint64_t seed);
void sm_test_wire_finish(struct sm_test_wire *wire);

/** Moves some bytes each way; true if any moved. */
bool sm_test_wire_step(struct sm_test_wire *wire);

/** Replaces an end by the next machine of the connection; bytes on their way stay. */
void sm_test_wire_replace(struct sm_test_wire *wire, int end, struct sm_machine machine);

/** Feeds `hex`, all of which must be taken and found good. */
void sm_test_feed_hex(struct sm_machine machine, const char *hex);

/** What is pending equals `hex`; the machine is told it left. */
#define sm_check_pending(machine, hex) sm_check_pending_at((machine), (hex), __FILE__, __LINE__)
void sm_check_pending_at(struct sm_machine machine, const char *hex, const char *file, int line);

/** Feeds `bytes` in pieces of `piece` (0: whole) until the machine takes none; returns the status.
 */
enum sm_status sm_test_feed(struct sm_machine machine, struct sm_bytes bytes, size_t piece,
                            size_t *taken);

/** All that is pending, as a copy freed by sm_test_free_copies(); the machine is told it left. */
struct sm_bytes sm_test_take_pending(struct sm_machine machine, uint64_t now_us);

#endif
