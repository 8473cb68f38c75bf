/* SPDX-License-Identifier: MIT */
/*
 * The shape of everything that speaks on a connection: bytes and time go in; bytes and a deadline
 * come out. The link phase and the channels have it, so one pump (io/pump.h) drives them all.
 * Events are pulled through each machine's own typed functions.
 */
#ifndef SM_CORE_CHANNEL_MACHINE_H
#define SM_CORE_CHANNEL_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

/** No function re-enters its machine; `self` is the machine's own object. */
struct sm_machine_ops {
    /**
     * Takes bytes from the peer, as many as it can use now: fewer when its owner has events to
     * pull first, or when the rest belongs to the next machine on this connection.
     *
     * @param taken  receives how many were taken, with any status
     * @return SM_OK, or a failure after which what is pending is still sent, then the link closed
     */
    enum sm_status (*receive)(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken);
    /** Bytes to write, possibly none; borrowed until the next call that changes the machine. */
    struct sm_bytes (*pending)(const void *self);
    /** The first `size` pending bytes have left. */
    void (*sent)(void *self, size_t size, uint64_t now_us);
    /** When to call tick() next, in monotonic microseconds; UINT64_MAX for never. */
    uint64_t (*deadline)(const void *self);
    /** Time has passed; a failure as with receive(). */
    enum sm_status (*tick)(void *self, uint64_t now_us);
    /** Words about the last failure, static; "" before one. */
    const char *(*reason)(const void *self);
};

/** A machine as others see it: a small value to be copied, borrowing `self`. */
struct sm_machine {
    const struct sm_machine_ops *ops;
    void *self;
};

static inline enum sm_status sm_machine_receive(struct sm_machine machine, struct sm_bytes in,
                                                uint64_t now_us, size_t *taken)
{
    return machine.ops->receive(machine.self, in, now_us, taken);
}

static inline struct sm_bytes sm_machine_pending(struct sm_machine machine)
{
    return machine.ops->pending(machine.self);
}

static inline void sm_machine_sent(struct sm_machine machine, size_t size, uint64_t now_us)
{
    machine.ops->sent(machine.self, size, now_us);
}

static inline uint64_t sm_machine_deadline(struct sm_machine machine)
{
    return machine.ops->deadline(machine.self);
}

static inline enum sm_status sm_machine_tick(struct sm_machine machine, uint64_t now_us)
{
    return machine.ops->tick(machine.self, now_us);
}

static inline const char *sm_machine_reason(struct sm_machine machine)
{
    return machine.ops->reason(machine.self);
}

#endif
