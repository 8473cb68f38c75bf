/* SPDX-License-Identifier: MIT */
#include "tests/server/support/guest.h"

#include <stdlib.h>
#include <string.h>

#include <spice/qxl_dev.h>

#include "tests/support/check.h"

const struct sm_qxl_init_info sm_test_guest_info = {
    .group_count = 2,
    .slot_count = 8,
    .generation_bits = 8,
    .slot_bits = 8,
    .surface_count = 1024,
    .ram_size_bytes = 64 << 20,
};

void sm_test_guest_init(struct sm_test_guest *guest, size_t size)
{
    *guest = (struct sm_test_guest){.memory = calloc(1, size), .size = size};
    assert_non_null(guest->memory);
}

void sm_test_guest_finish(struct sm_test_guest *guest)
{
    free(guest->memory);
    *guest = (struct sm_test_guest){0};
}

struct sm_qxl_memslot sm_test_guest_slot(const struct sm_test_guest *guest)
{
    return (struct sm_qxl_memslot){
        .group = TEST_GUEST_GROUP,
        .id = TEST_GUEST_SLOT,
        .generation = TEST_GUEST_GENERATION,
        .virt_start = (uintptr_t)guest->memory,
        .virt_end = (uintptr_t)guest->memory + guest->size,
        .addr_delta = (uintptr_t)guest->memory,
    };
}

uint64_t sm_test_guest_address(size_t offset)
{
    return (uint64_t)TEST_GUEST_SLOT << 56 | (uint64_t)TEST_GUEST_GENERATION << 48 | offset;
}

uint64_t sm_test_guest_put(struct sm_test_guest *guest, const void *data, size_t size)
{
    size_t offset = guest->used;
    assert_true(size <= guest->size - offset);
    if (data)
        memcpy(guest->memory + offset, data, size);
    else
        memset(guest->memory + offset, 0, size);
    guest->used += size;
    return sm_test_guest_address(offset);
}

void *sm_test_guest_at(const struct sm_test_guest *guest, uint64_t address)
{
    size_t offset = (size_t)(address & 0xffffffffffff);
    assert_true(offset < guest->size);
    return guest->memory + offset;
}

uint64_t sm_test_guest_chunk(struct sm_test_guest *guest, const void *data, uint32_t size,
                             uint64_t next)
{
    QXLDataChunk header = {.data_size = size, .next_chunk = next};
    uint64_t address = sm_test_guest_put(guest, &header, sizeof(header));
    (void)sm_test_guest_put(guest, data, size);
    return address;
}

void sm_test_guest_reset(struct sm_test_guest *guest)
{
    guest->used = 0;
}

QXLRect sm_test_rect(int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    return (QXLRect){.left = left, .top = top, .right = right, .bottom = bottom};
}
