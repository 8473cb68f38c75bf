/* SPDX-License-Identifier: MIT */
#include "server/qxl/memslots.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/clock.h"
#include "io/log.h"

enum { WARNING_BURST = 20, WARNING_PERIOD_US = 5 * 1000 * 1000 };

struct slot {
    uint64_t start, end; /* host addresses, end exclusive */
    uint64_t delta;
    uint32_t generation;
};

struct sm_memslots {
    uint32_t group_count, slot_count;
    uint8_t generation_bits, slot_bits;
    const struct sm_log *log;   /* borrowed */
    struct sm_log_limit *limit; /* owned; its own block, so that look-ups can be const */
    struct slot slots[];        /* group_count × slot_count */
};

/** An address taken apart. */
struct parts {
    uint64_t slot, generation, offset;
};

static uint64_t low_bits(uint64_t value, unsigned count)
{
    return count >= 64 ? value : value & (((uint64_t)1 << count) - 1);
}

static struct parts take_apart(const struct sm_memslots *slots, uint64_t address)
{
    unsigned offset_bits = 64u - slots->slot_bits - slots->generation_bits;
    struct parts parts = {.offset = low_bits(address, offset_bits)};
    /* At least one offset bit exists, so a shift by 64 happens only for fields of no bits. */
    if (slots->generation_bits)
        parts.generation = low_bits(address >> offset_bits, slots->generation_bits);
    if (slots->slot_bits)
        parts.slot = address >> (64u - slots->slot_bits);
    return parts;
}

enum sm_status sm_memslots_create(struct sm_memslots **out, const struct sm_qxl_init_info *info,
                                  const struct sm_log *log)
{
    if (info->group_count == 0 || info->group_count > SM_MEMSLOTS_MAX_GROUPS ||
        info->slot_count == 0 || info->slot_count > SM_MEMSLOTS_MAX_SLOTS ||
        info->slot_bits + info->generation_bits > 63)
        return SM_ERR_LIMIT;

    size_t count = (size_t)info->group_count * info->slot_count;
    struct sm_memslots *slots = calloc(1, sizeof(*slots) + count * sizeof(slots->slots[0]));
    struct sm_log_limit *limit = calloc(1, sizeof(*limit));
    if (!slots || !limit) {
        free(slots);
        free(limit);
        return SM_ERR_NOMEM;
    }
    *limit = (struct sm_log_limit){.burst = WARNING_BURST, .period_us = WARNING_PERIOD_US};
    slots->group_count = info->group_count;
    slots->slot_count = info->slot_count;
    slots->generation_bits = info->generation_bits;
    slots->slot_bits = info->slot_bits;
    slots->log = log;
    slots->limit = limit;
    *out = slots;
    return SM_OK;
}

void sm_memslots_destroy(struct sm_memslots *slots)
{
    if (!slots)
        return;
    free(slots->limit);
    free(slots);
}

__attribute__((format(printf, 3, 0))) static void log_limited(const struct sm_memslots *slots,
                                                              enum sm_log_level level,
                                                              const char *format, va_list args)
{
    if (!slots->log || level < slots->log->level || !sm_log_limit_allows(slots->limit, sm_now_us()))
        return;
    char text[512];
    (void)vsnprintf(text, sizeof(text), format, args);
    sm_log_at(slots->log, level, "%s", text);
}

void sm_memslots_warn(const struct sm_memslots *slots, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_limited(slots, SM_LOG_WARNING, format, args);
    va_end(args);
}

void sm_memslots_debug(const struct sm_memslots *slots, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_limited(slots, SM_LOG_DEBUG, format, args);
    va_end(args);
}

static struct slot *slot_at(struct sm_memslots *slots, uint32_t group, uint32_t id)
{
    if (group >= slots->group_count || id >= slots->slot_count)
        return NULL;
    return &slots->slots[(size_t)group * slots->slot_count + id];
}

void sm_memslots_add(struct sm_memslots *slots, const struct sm_qxl_memslot *slot)
{
    struct slot *at = slot_at(slots, slot->group, slot->id);
    if (!at) {
        sm_memslots_warn(slots, "memory slot %" PRIu32 " of group %" PRIu32 " does not exist",
                         slot->id, slot->group);
        return;
    }
    *at = (struct slot){.start = slot->virt_start,
                        .end = slot->virt_end,
                        .delta = slot->addr_delta,
                        .generation = slot->generation};
}

void sm_memslots_del(struct sm_memslots *slots, uint32_t group, uint32_t id)
{
    struct slot *at = slot_at(slots, group, id);
    if (!at) {
        sm_memslots_warn(slots, "memory slot %" PRIu32 " of group %" PRIu32 " does not exist", id,
                         group);
        return;
    }
    at->start = 0;
    at->end = 0;
}

void sm_memslots_reset(struct sm_memslots *slots)
{
    size_t count = (size_t)slots->group_count * slots->slot_count;
    memset(slots->slots, 0, count * sizeof(slots->slots[0]));
}

/* The slot an address names, its generation checked; NULL after a warning. */
static const struct slot *find_slot(const struct sm_memslots *slots, uint64_t address,
                                    uint32_t group, uint64_t *offset)
{
    struct parts parts = take_apart(slots, address);
    if (group >= slots->group_count) {
        sm_memslots_warn(slots, "address %#" PRIx64 ": group %" PRIu32 " does not exist", address,
                         group);
        return NULL;
    }
    if (parts.slot >= slots->slot_count) {
        sm_memslots_warn(
            slots, "address %#" PRIx64 ": slot %" PRIu64 " of group %" PRIu32 " does not exist",
            address, parts.slot, group);
        return NULL;
    }
    const struct slot *slot = &slots->slots[(size_t)group * slots->slot_count + parts.slot];
    if (parts.generation != slot->generation) {
        sm_memslots_warn(slots,
                         "address %#" PRIx64 ": generation %" PRIu64 " of slot %" PRIu64
                         " in group %" PRIu32 " is not the current one, %" PRIu32,
                         address, parts.generation, parts.slot, group, slot->generation);
        return NULL;
    }
    *offset = parts.offset;
    return slot;
}

static bool is_in_slot(const struct slot *slot, uint64_t virt, uint64_t size)
{
    return virt >= slot->start && virt <= slot->end && size <= slot->end - virt;
}

static void warn_out_of_range(const struct sm_memslots *slots, const struct slot *slot,
                              uint64_t address, uint64_t virt, uint64_t size, uint32_t group)
{
    sm_memslots_warn(slots,
                     "virtual address out of range: address %#" PRIx64 " of group %" PRIu32
                     " is %#" PRIx64 "+%#" PRIx64 ", slot is %#" PRIx64 "..%#" PRIx64
                     ", delta %#" PRIx64,
                     address, group, virt, size, slot->start, slot->end, slot->delta);
}

uint8_t *sm_memslots_resolve(const struct sm_memslots *slots, uint64_t address, size_t size,
                             uint32_t group)
{
    uint64_t offset;
    const struct slot *slot = find_slot(slots, address, group, &offset);
    if (!slot)
        return NULL;
    /* The sum may wrap: a delta is the difference of two addresses and may be "negative". */
    uint64_t virt = offset + slot->delta;
    if (virt == 0 || !is_in_slot(slot, virt, size)) {
        warn_out_of_range(slots, slot, address, virt, size, group);
        return NULL;
    }
    return (uint8_t *)(uintptr_t)virt;
}

size_t sm_memslots_room(const struct sm_memslots *slots, uint64_t address, uint32_t group)
{
    uint64_t offset;
    const struct slot *slot = find_slot(slots, address, group, &offset);
    if (!slot)
        return 0;
    uint64_t virt = offset + slot->delta;
    if (virt == 0 || !is_in_slot(slot, virt, 1)) {
        warn_out_of_range(slots, slot, address, virt, 1, group);
        return 0;
    }
    return (size_t)(slot->end - virt);
}

void sm_guest_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    __asm__ volatile("" ::: "memory");
}

bool sm_memslots_copy(const struct sm_memslots *slots, uint64_t address, uint32_t group, void *to,
                      size_t size)
{
    const uint8_t *from = sm_memslots_resolve(slots, address, size, group);
    if (!from)
        return false;
    sm_guest_memcpy(to, from, size);
    return true;
}
