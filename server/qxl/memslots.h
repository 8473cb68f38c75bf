/* SPDX-License-Identifier: MIT */
/*
 * The gate to guest memory. Everything read from a guest goes through here: an address is taken
 * apart into slot, generation and offset, checked against the slot, and only then touched. Guest
 * memory changes at any time, so what decides anything is copied first and read from the copy.
 */
#ifndef SM_SERVER_QXL_MEMSLOTS_H
#define SM_SERVER_QXL_MEMSLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/qxl/device.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_log;

/** Larger tables are refused: no device has them. */
enum { SM_MEMSLOTS_MAX_GROUPS = 64, SM_MEMSLOTS_MAX_SLOTS = 1024 };

/** Thread: one at a time. */
struct sm_memslots;

/**
 * Creates the table `info` describes, all slots empty.
 *
 * @param log  borrowed, may be NULL; failed look-ups are warnings there, rate limited
 * @return SM_OK; SM_ERR_LIMIT if the numbers are out of range or leave no offset bits; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_memslots_create(struct sm_memslots **out,
                                               const struct sm_qxl_init_info *info,
                                               const struct sm_log *log);

/** NULL does nothing. */
void sm_memslots_destroy(struct sm_memslots *slots);

/** Adds or overwrites a slot; a slot that does not exist is a warning. */
void sm_memslots_add(struct sm_memslots *slots, const struct sm_qxl_memslot *slot);

/** Makes a slot empty; generation and delta stay, so each look-up fails as out of range. */
void sm_memslots_del(struct sm_memslots *slots, uint32_t group, uint32_t id);

/** Zeroes all slots of all groups. */
void sm_memslots_reset(struct sm_memslots *slots);

/**
 * Host memory of `size` bytes at a guest address, or NULL after a warning. It belongs to the guest:
 * borrowed until the slot is deleted or reset, and never the same twice.
 */
uint8_t *sm_memslots_resolve(const struct sm_memslots *slots, uint64_t address, size_t size,
                             uint32_t group);

/** How many bytes from `address` to the end of its slot; 0 after a warning if it is in none. */
size_t sm_memslots_room(const struct sm_memslots *slots, uint64_t address, uint32_t group);

/** Copies `size` bytes at a guest address, once. False, with nothing written, if out of range. */
bool sm_memslots_copy(const struct sm_memslots *slots, uint64_t address, uint32_t group, void *to,
                      size_t size);

/** Warns about what a guest did, at a bounded rate. */
void sm_memslots_warn(const struct sm_memslots *slots, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The same for what every guest does now and then and nobody needs to act on. */
void sm_memslots_debug(const struct sm_memslots *slots, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Copies bytes that a guest may be writing to. The compiler may not read the source again for
 * something it believes to know from the copy.
 */
void sm_guest_memcpy(void *to, const void *from, size_t size);

#endif
