/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest: makes commands that are nearly right, with addresses that lead elsewhere, chains
 * that go in circles and numbers that are too large. The same seed makes the same commands.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_MUTANT_H
#define SM_TESTS_SERVER_SUPPORT_MUTANT_H

#include <stdbool.h>
#include <stdint.h>

#include <spice/qxl_dev.h>

#include "tests/support/check.h"

enum { MUTANT_MAX_OBJECTS = 4096 };

struct sm_test_mutant {
    struct sm_test_random random;
    uint8_t *memory; /* the guest's, borrowed */
    size_t size, used;
    uint64_t address_base;                /* slot and generation of every good address */
    uint64_t objects[MUTANT_MAX_OBJECTS]; /* addresses of what was put: targets for wrong links */
    uint32_t object_count;
    uint32_t wildness; /* one number or address in so many is replaced; 0: none */
};

/** Forgets what was put. */
void sm_test_mutant_reset(struct sm_test_mutant *mutant);

/** A number below `limit`. */
uint32_t sm_test_mutant_pick(struct sm_test_mutant *mutant, uint32_t limit);

/** True once in so many. */
bool sm_test_mutant_chance(struct sm_test_mutant *mutant, uint32_t in);

/** An address: any, that of some object, or one near the end of the slot. */
uint64_t sm_test_mutant_wild_address(struct sm_test_mutant *mutant);

/** Numbers that parsers stumble over. */
uint32_t sm_test_mutant_wild_number(struct sm_test_mutant *mutant);

/** A rectangle in, around or far from a surface of 640 x 480. */
QXLRect sm_test_mutant_rect(struct sm_test_mutant *mutant);

/**
 * Puts a command that fits the display ring; `type` receives what the ring says it is.
 *
 * @return its address; 0 if the memory is full
 */
uint64_t sm_test_mutant_command(struct sm_test_mutant *mutant, uint32_t *type);

/** The same for the cursor ring. */
uint64_t sm_test_mutant_cursor(struct sm_test_mutant *mutant);

/** Where the 640 x 480 pixels of surface 0 to 3 lie: in the upper half of memory. */
uint64_t sm_test_mutant_pixels(const struct sm_test_mutant *mutant, uint32_t surface_id);

/** Puts a command that creates surface `id` (1 to 3) as it should be. */
uint64_t sm_test_mutant_surface(struct sm_test_mutant *mutant, uint32_t id);

uint64_t sm_test_mutant_monitors(struct sm_test_mutant *mutant);

/** Changes a byte anywhere in the guest's memory. */
void sm_test_mutant_scribble(uint8_t *memory, size_t size, struct sm_test_random *random);

#endif
