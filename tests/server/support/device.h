/* SPDX-License-Identifier: MIT */
/*
 * A QXL device for tests: guest memory, two command rings a test fills, and a book of everything
 * the worker asked of it.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_DEVICE_H
#define SM_TESTS_SERVER_SUPPORT_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <spice/qxl_dev.h>

#include "server/display/worker.h"
#include "server/qxl/device.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"

enum { TEST_RING_SIZE = 4096, TEST_BOOK_SIZE = 8192 };

struct sm_test_ring {
    struct sm_qxl_ring_command commands[TEST_RING_SIZE];
    uint32_t produced, consumed;
    bool is_asked; /* a notification is wanted */
};

struct sm_test_device {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_encode_pool *pool; /* two threads, which encode everything, however small */
    struct sm_worker *worker;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t changed;
    struct sm_test_ring display, cursor;
    uint64_t releases[TEST_BOOK_SIZE]; /* addresses of released commands, in order */
    uint32_t release_count;
    uint64_t cookies[TEST_BOOK_SIZE];
    uint32_t cookie_count;
    uint32_t updates[64];
    uint32_t update_count;
    uint32_t flush_count;
    struct sm_rect updated[64]; /* of the last update_area_complete */
    uint32_t updated_count, updated_calls;
    bool has_client;
    uint8_t caps[SM_QXL_CAPABILITY_BYTES];
    uint32_t caps_calls;
};

extern const struct sm_qxl_device_ops sm_test_device_ops;

/** Makes the device with `memory_size` bytes of guest memory and its worker; adds the slot. */
void sm_test_device_init(struct sm_test_device *device, size_t memory_size);
/**
 * The same for one of several devices: with the channel id `id`, a pool of threads and clients'
 * things in common with others, and images sent as `compression` says.
 */
void sm_test_device_init_as(struct sm_test_device *device, size_t memory_size, uint8_t id,
                            struct sm_encode_pool *pool, struct sm_client_shares *shares,
                            enum sm_worker_compression compression);
void sm_test_device_finish(struct sm_test_device *device);

/** A 32-bit primary at the start of the guest's memory, which is put first, and starts. */
void sm_test_device_start(struct sm_test_device *device, uint32_t width, uint32_t height,
                          bool keep_data);

/** Puts a command into a ring and wakes the worker if that is wanted. */
void sm_test_device_submit(struct sm_test_device *device, uint32_t type, uint64_t address);
void sm_test_device_submit_cursor(struct sm_test_device *device, uint64_t address);

/** Puts a drawing into the guest and the ring; returns its address. */
uint64_t sm_test_device_draw(struct sm_test_device *device, const QXLDrawable *drawable);

/** How often the command at `address` was given back. */
uint32_t sm_test_device_released(struct sm_test_device *device, uint64_t address);

/** How often `cookie` was completed. */
uint32_t sm_test_device_completed(struct sm_test_device *device, uint64_t cookie);

/** Waits, at most five seconds, until `count` commands in all were given back. */
void sm_test_device_wait_released(struct sm_test_device *device, uint32_t count);

/** The same for completed cookies. */
void sm_test_device_wait_completed(struct sm_test_device *device, uint64_t cookie);

/** A drawing of `type` on a surface, without dependencies. */
QXLDrawable sm_test_drawable(uint8_t type, uint32_t surface_id, QXLRect box);

/** A fill of one colour; returns its command's address. */
uint64_t sm_test_device_fill(struct sm_test_device *device, uint32_t surface_id, QXLRect box,
                             uint32_t color);

/** An image of random-looking 32-bit pixels; returns its address. */
uint64_t sm_test_device_image(struct sm_test_device *device, uint32_t width, uint32_t height,
                              uint32_t seed);

/** A surface command that creates a 32-bit surface; returns its address. */
uint64_t sm_test_device_create_surface(struct sm_test_device *device, uint32_t id, uint32_t width,
                                       uint32_t height, uint32_t format, uint32_t flags);
uint64_t sm_test_device_destroy_surface(struct sm_test_device *device, uint32_t id);

#endif
