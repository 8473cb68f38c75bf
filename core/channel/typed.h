/* SPDX-License-Identifier: MIT */
/*
 * What all typed machines have: a channel, memory for the message being looked at, and the machine
 * table that leads to the channel. For core/channel/{main,display,cursor,inputs} alone.
 */
#ifndef SM_CORE_CHANNEL_TYPED_H
#define SM_CORE_CHANNEL_TYPED_H

#include "core/base/arena.h"
#include "core/channel/channel.h"

struct sm_typed {
    struct sm_channel *channel; /* owned */
    struct sm_arena arena;      /* arrays of the current message */
};

/** Times of latency pings where the channel is watched closely, and where it is not. */
#define SM_TYPED_PING_OFTEN_US  15000000ull
#define SM_TYPED_PING_RARELY_US 300000000ull

/**
 * A channel as `setup` wants it. A server that is not local pings every `ping_interval_us`.
 *
 * @param arena_limit  bytes the arrays of one message may take
 */
SM_NODISCARD enum sm_status sm_typed_init(struct sm_typed *typed, enum sm_channel_role role,
                                          const struct sm_channel_setup *setup,
                                          uint32_t (*max_size)(uint16_t type), size_t arena_limit,
                                          uint64_t ping_interval_us, uint64_t liveness_us,
                                          uint64_t now_us);

/** Harmless for a zeroed struct. */
void sm_typed_finish(struct sm_typed *typed);

/** The next message, as sm_channel_next(); forgets the arrays of the former one. */
SM_NODISCARD enum sm_status sm_typed_pull(struct sm_typed *typed, struct sm_channel_message *out);

/** Passes `status` of a parser on; a failure becomes the channel's. */
SM_NODISCARD enum sm_status sm_typed_parsed(struct sm_typed *typed, enum sm_status status,
                                            const char *reason);

/*
 * The parts of a machine that are the channel's. `self` is a struct sm_typed, or one that begins
 * with it.
 */
enum sm_status sm_typed_receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken);
struct sm_bytes sm_typed_pending(const void *self);
void sm_typed_sent(void *self, size_t size, uint64_t now_us);
uint64_t sm_typed_deadline(const void *self);
enum sm_status sm_typed_tick(void *self, uint64_t now_us);
const char *sm_typed_reason(const void *self);

#endif
