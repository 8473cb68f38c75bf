/* SPDX-License-Identifier: MIT */
/*
 * A QXL device as the worker sees it: a table of functions the host fills, and the plain values
 * that travel between the two. The shim that fills the table from the host's ABI is server/abi's.
 */
#ifndef SM_SERVER_QXL_DEVICE_H
#define SM_SERVER_QXL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"

/** An element of a command ring. */
struct sm_qxl_ring_command {
    uint64_t address; /* guest address of the command, to be resolved in `group` */
    uint32_t type;    /* enum sm_qxl_command_type, or anything a guest can think of */
    uint32_t group;   /* memory slot group of every address in the command */
    uint32_t flags;   /* enum sm_qxl_command_flags */
};

enum sm_qxl_command_type {
    SM_QXL_NOP = 0,
    SM_QXL_DRAW = 1,
    SM_QXL_UPDATE = 2,
    SM_QXL_CURSOR = 3,
    SM_QXL_MESSAGE = 4,
    SM_QXL_SURFACE = 5,
};

enum sm_qxl_command_flags {
    SM_QXL_COMPAT = 1,       /* the layout of the first driver generation */
    SM_QXL_COMPAT_16BPP = 2, /* colours are x1r5g5b5 */
};

/** A command handed back: where its release information lies in host memory. */
struct sm_qxl_release {
    void *info; /* first byte of the command; never read or written by us */
    uint32_t group;
};

/** What the device says about itself once, before anything else. */
struct sm_qxl_init_info {
    uint32_t group_count;    /* memory slot groups */
    uint32_t slot_count;     /* slots of each group */
    uint8_t generation_bits; /* of an address, behind the slot bits */
    uint8_t slot_bits;       /* topmost bits of an address */
    uint32_t surface_count;  /* surface ids are below it */
    uint32_t ram_size_bytes; /* a hint for clients */
};

/** A stretch of guest memory, mapped into the host. */
struct sm_qxl_memslot {
    uint32_t group, id, generation;
    uintptr_t virt_start, virt_end; /* host addresses; the end is exclusive */
    uint64_t addr_delta;            /* host address = address offset + delta */
};

/** A primary surface as the host asks for it. */
struct sm_qxl_primary {
    uint32_t width, height; /* pixels */
    int32_t stride_bytes;   /* negative: rows lie bottom first */
    uint32_t format;        /* a wire surface format */
    bool mouse_mode;        /* the guest may be pointed at with absolute positions */
    bool keep_data;         /* the memory holds pixels worth showing */
    uint64_t address;
    uint32_t group;
};

/** The display capability bits a guest driver is told about. */
enum { SM_QXL_CAPABILITY_BYTES = 58 };

/**
 * The host's side. Each function takes the device's context first and is called on the worker
 * thread with no lock held. Functions marked optional may be NULL; the rest are needed only by
 * guests and hosts that use what they belong to, so a NULL one is treated as "does nothing".
 */
struct sm_qxl_device_ops {
    /** Pulls one command of the display ring without waiting; false if there is none. */
    bool (*get_command)(void *device, struct sm_qxl_ring_command *out);
    /** Asks for a wake-up by the next command; false if there already is one. */
    bool (*req_cmd_notification)(void *device);
    /** The same two for the cursor ring. */
    bool (*get_cursor_command)(void *device, struct sm_qxl_ring_command *out);
    bool (*req_cursor_notification)(void *device);
    /** Takes a command back; called exactly once for each whose header could be resolved. */
    void (*release_resource)(void *device, struct sm_qxl_release release);
    /** An update command of the display ring has been rendered. */
    void (*notify_update)(void *device, uint32_t update_id);
    /** Publishes releases to the guest; true if there were any. */
    bool (*flush_resources)(void *device);
    /** The asynchronous request of `cookie` is done. */
    void (*async_complete)(void *device, uint64_t cookie);
    /** What was rendered since the last time; `rects` is borrowed during the call. */
    void (*update_area_complete)(void *device, uint32_t surface_id, const struct sm_rect *rects,
                                 uint32_t count);
    /** Optional. What all connected clients can do. */
    void (*set_client_capabilities)(void *device, bool has_client,
                                    const uint8_t caps[SM_QXL_CAPABILITY_BYTES]);
};

#endif
