/* SPDX-License-Identifier: MIT */
/* What both ends of the link phase need: bytes gathered until a message is whole. */
#ifndef SM_CORE_CHANNEL_LINK_PARTS_H
#define SM_CORE_CHANNEL_LINK_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "core/wire/link.h"
#include "sumac/bytes.h"

/** Gathers a number of bytes known beforehand, however they arrive. */
struct sm_link_collector {
    uint8_t data[SM_LINK_MAX_SIZE];
    size_t filled, wanted; /* bytes; filled <= wanted <= sizeof data */
};

/** Forgets what was gathered and wants `size` bytes, at most SM_LINK_MAX_SIZE. */
void sm_link_collect(struct sm_link_collector *collector, size_t size);

/** Keeps what was gathered and wants more, until there are `size` bytes in all. */
void sm_link_collect_more(struct sm_link_collector *collector, size_t size);

/** Takes what is wanted from `in`; returns how much that was. */
size_t sm_link_collector_take(struct sm_link_collector *collector, struct sm_bytes in);

static inline bool sm_link_collector_is_full(const struct sm_link_collector *collector)
{
    return collector->filled == collector->wanted;
}

/** What was gathered, borrowed until the collector changes. */
static inline struct sm_bytes sm_link_collected(const struct sm_link_collector *collector)
{
    return (struct sm_bytes){.data = collector->data, .size = collector->filled};
}

/** Removes the first `size` bytes of `w`, or all it has. */
void sm_link_consume(struct sm_writer *w, size_t size);

/** When a link phase begun at `now_us` must be over; a time-out of 0 is the default of 30 s. */
uint64_t sm_link_deadline_us(uint64_t now_us, uint64_t timeout_us);

#endif
