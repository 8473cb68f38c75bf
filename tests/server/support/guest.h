/* SPDX-License-Identifier: MIT */
/* Guest memory for tests: one slot over one heap block, so that ASan sees a byte too many. */
#ifndef SM_TESTS_SERVER_SUPPORT_GUEST_H
#define SM_TESTS_SERVER_SUPPORT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spice/qxl_dev.h>

#include "server/qxl/device.h"

enum { TEST_GUEST_GROUP = 1, TEST_GUEST_SLOT = 2, TEST_GUEST_GENERATION = 3 };

struct sm_test_guest {
    uint8_t *memory; /* owned */
    size_t size, used;
};

/** As QEMU has it: two groups of eight slots, eight bits each for slot and generation. */
extern const struct sm_qxl_init_info sm_test_guest_info;

void sm_test_guest_init(struct sm_test_guest *guest, size_t size);
void sm_test_guest_finish(struct sm_test_guest *guest);

/** The slot that maps all of the guest's memory. */
struct sm_qxl_memslot sm_test_guest_slot(const struct sm_test_guest *guest);

/** The address of a byte of the guest's memory. */
uint64_t sm_test_guest_address(size_t offset);

/** Copies `size` bytes behind everything put before; gives their address. Fails the test if full.
 */
uint64_t sm_test_guest_put(struct sm_test_guest *guest, const void *data, size_t size);

/** The host's view of an address that sm_test_guest_put() gave. */
void *sm_test_guest_at(const struct sm_test_guest *guest, uint64_t address);

/** One chunk with `size` bytes of data (zeros if NULL), linked to the chunk at `next`. */
uint64_t sm_test_guest_chunk(struct sm_test_guest *guest, const void *data, uint32_t size,
                             uint64_t next);

/** A rectangle, in the order everybody thinks in. */
QXLRect sm_test_rect(int32_t left, int32_t top, int32_t right, int32_t bottom);

/** Forgets everything that was put. */
void sm_test_guest_reset(struct sm_test_guest *guest);

#endif
