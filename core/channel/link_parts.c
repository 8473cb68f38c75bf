/* SPDX-License-Identifier: MIT */
#include "core/channel/link_parts.h"

#include <string.h>

#include "core/base/math.h"

static const uint64_t DEFAULT_TIMEOUT_US = 30 * 1000000ull;

void sm_link_collect(struct sm_link_collector *collector, size_t size)
{
    collector->filled = 0;
    sm_link_collect_more(collector, size);
}

void sm_link_collect_more(struct sm_link_collector *collector, size_t size)
{
    collector->wanted = sm_min_size(size, sizeof(collector->data));
}

size_t sm_link_collector_take(struct sm_link_collector *collector, struct sm_bytes in)
{
    size_t size = sm_min_size(in.size, collector->wanted - collector->filled);
    if (size)
        memcpy(collector->data + collector->filled, in.data, size);
    collector->filled += size;
    return size;
}

void sm_link_consume(struct sm_writer *w, size_t size)
{
    size_t gone = sm_min_size(size, w->size);
    if (gone)
        memmove(w->data, w->data + gone, w->size - gone);
    w->size -= gone;
}

uint64_t sm_link_deadline_us(uint64_t now_us, uint64_t timeout_us)
{
    uint64_t timeout = timeout_us ? timeout_us : DEFAULT_TIMEOUT_US;
    return timeout > UINT64_MAX - now_us ? UINT64_MAX : now_us + timeout;
}
