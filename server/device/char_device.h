/* SPDX-License-Identifier: MIT */
/*
 * A byte stream of the guest, as every kind of char device needs it: a queue of what is to be
 * written, reading while it makes sense, and wake-ups that are never lost however the host nests
 * them.
 */
#ifndef SM_SERVER_DEVICE_CHAR_DEVICE_H
#define SM_SERVER_DEVICE_CHAR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "io/loop.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** The host's device. None of the functions waits; any of them may wake the device again. */
struct sm_char_device_ops {
    void (*state)(void *context, bool is_connected); /* optional */
    /** Bytes done, 0 to `size`; negative for an error, which counts as 0. */
    int (*write)(void *context, const uint8_t *data, int size);
    int (*read)(void *context, uint8_t *to, int size);
    void (*event)(void *context, uint8_t event); /* optional */
};

/** What reads from and writes to the device. */
struct sm_char_device_user {
    /** Reads once with sm_char_device_read(); true to be called again. */
    bool (*read)(void *user);
    /** Everything of a buffer has been written; 0 if it had no tag or was dropped. Optional. */
    void (*written)(void *user, uint32_t tag);
};

/** Thread: main context. */
struct sm_char_device;

struct sm_char_device_config {
    const struct sm_char_device_ops *ops;
    void *context;          /* of ops; both borrowed until the device is destroyed */
    bool notifies_writable; /* the host wakes the device when a short write can go on */
    const struct sm_char_device_user *user;
    void *user_context; /* likewise borrowed */
    struct sm_loop loop;
    bool is_running; /* the machine is */
};

SM_NODISCARD enum sm_status sm_char_device_create(struct sm_char_device **out,
                                                  const struct sm_char_device_config *config);

/**
 * Drops what is queued and calls neither the host nor the user any more; also from inside their
 * functions. NULL does nothing.
 */
void sm_char_device_destroy(struct sm_char_device *device);

/** There may be something to read or room to write. */
void sm_char_device_wakeup(struct sm_char_device *device);

/** The machine runs, or not: then nothing is read and written. */
void sm_char_device_set_running(struct sm_char_device *device, bool is_running);

/** Tells the host whether somebody uses the device. */
void sm_char_device_set_state(struct sm_char_device *device, bool is_connected);

/**
 * Queues the parts, copied, as one buffer and writes what the device takes.
 *
 * @param tag  given to written(), and to drop by; 0 for none
 */
SM_NODISCARD enum sm_status sm_char_device_write(struct sm_char_device *device,
                                                 const struct sm_bytes *parts, size_t count,
                                                 uint32_t tag);

/** The same, ahead of all that is queued and not begun. */
SM_NODISCARD enum sm_status sm_char_device_write_soon(struct sm_char_device *device,
                                                      struct sm_bytes data, uint32_t tag);

/**
 * The same ahead of all that is queued: what another server had not written yet. Only before
 * anything was written.
 */
SM_NODISCARD enum sm_status sm_char_device_write_first(struct sm_char_device *device,
                                                       struct sm_bytes data, uint32_t tag);

/** Appends everything queued and not written to `to`, for another server to write. */
void sm_char_device_save(const struct sm_char_device *device, struct sm_writer *to);

/** Forgets the queued buffers of a tag; one that was begun is finished, untagged. */
void sm_char_device_drop(struct sm_char_device *device, uint32_t tag);

/** For the user's read(): bytes got, 0 if there are none now. */
size_t sm_char_device_read(struct sm_char_device *device, uint8_t *to, size_t size);

/** Bytes queued and not written. */
size_t sm_char_device_queued_size(const struct sm_char_device *device);

#endif
