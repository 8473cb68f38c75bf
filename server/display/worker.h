/* SPDX-License-Identifier: MIT */
/*
 * The display worker: a thread that owns one QXL device's memory slots, surfaces and pointer, and
 * the display and cursor channels that show them.
 *
 * Every function below may be called from any host thread, except from inside a device callback;
 * the order of execution is the order of the calls. A synchronous one returns when the worker has
 * done the work; a queued one returns at once; an asynchronous one returns at once and is answered
 * by the device's async_complete(cookie) exactly once, whatever came of it, also for requests that
 * make no sense. No function fails: what a guest or host got wrong is one log line.
 */
#ifndef SM_SERVER_DISPLAY_WORKER_H
#define SM_SERVER_DISPLAY_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "server/display/video_choice.h"
#include "server/qxl/device.h"
#include "sumac/status.h"

struct sm_channel_handover;
struct sm_client_shares;
struct sm_encode_pool;
struct sm_log;
struct sm_main_queue;
struct sm_recorder;

struct sm_worker;

/** The host's image compression settings; values of the wire's PREFERRED_COMPRESSION. */
enum sm_worker_compression {
    SM_COMPRESSION_OFF = 1,
    SM_COMPRESSION_AUTO_GLZ = 2,
    SM_COMPRESSION_AUTO_LZ = 3,
    SM_COMPRESSION_QUIC = 4,
    SM_COMPRESSION_GLZ = 5,
    SM_COMPRESSION_LZ = 6,
    SM_COMPRESSION_LZ4 = 7,
};

/** Which surface areas become video streams. */
enum sm_worker_streaming {
    SM_STREAMING_OFF = 1,
    SM_STREAMING_ALL = 2,
    SM_STREAMING_FILTER = 3,
};

/** Who moves the pointer; wire values. */
enum sm_worker_mouse_mode {
    SM_WORKER_MOUSE_SERVER = 1,
    SM_WORKER_MOUSE_CLIENT = 2,
};

/** What the main context has to know about the primary surface. */
struct sm_worker_primary {
    bool exists;
    uint32_t width, height; /* pixels; 0 without a primary */
    bool mouse_mode;        /* the guest may be pointed at with absolute positions */
};

/** Everything a worker is born with. Borrowed pointers must outlive the worker. */
struct sm_worker_config {
    const struct sm_qxl_device_ops *device; /* borrowed */
    void *device_context;
    struct sm_qxl_init_info info;
    uint8_t channel_id;          /* of its display and cursor channels */
    const struct sm_log *log;    /* borrowed; may be NULL */
    struct sm_encode_pool *pool; /* held by the worker; NULL: it encodes everything itself */
    /** When a user last pressed a key or button, monotonic; borrowed; NULL: nobody knows. */
    const _Atomic uint64_t *input_us;
    /** Held likewise; NULL: clients share nothing with other workers. Who shares has one pool. */
    struct sm_client_shares *shares;
    struct sm_main_queue *main_queue; /* borrowed; NULL: the function below is never called */
    /** The primary came, went or changed: ask sm_worker_get_primary(). Main context; optional. */
    void (*primary_changed)(void *opaque);
    void *opaque;
    enum sm_worker_compression compression;
    enum sm_worker_streaming streaming;
    enum sm_worker_mouse_mode mouse_mode;
    struct sm_video_list codecs;  /* of streams, best first; none: Motion JPEG */
    struct sm_recorder *recorder; /* borrowed; NULL: nothing is recorded */
};

/**
 * Creates the worker and starts its thread, in the stopped state.
 *
 * @param out     receives the worker, untouched on failure; the caller owns it and releases it
 *                with sm_worker_destroy(). Thread: main context.
 * @param config  copied
 * @return SM_OK; SM_ERR_LIMIT if the device's numbers are out of range; SM_ERR_NOMEM; SM_ERR_IO if
 *         no thread or descriptor could be had
 */
SM_NODISCARD enum sm_status sm_worker_create(struct sm_worker **out,
                                             const struct sm_worker_config *config);

/**
 * Disconnects all clients, ends the thread, releases every command still held (on the caller's
 * thread) and frees the worker. Outstanding asynchronous requests are completed before. Thread:
 * main context. NULL does nothing.
 */
void sm_worker_destroy(struct sm_worker *worker);

/** A client points there on the primary surface: what is near it is sent first. At once. */
void sm_worker_note_pointer(struct sm_worker *worker, uint32_t x, uint32_t y);

/* ---- the device's life ---- */

/** The rings have new commands. Queued; several become one. */
void sm_worker_wakeup(struct sm_worker *worker);

/** The guest is out of device memory. Queued; several become one; nothing while stopped. */
void sm_worker_oom(struct sm_worker *worker);

/** Starts pulling commands. Queued; nothing if running already. */
void sm_worker_start(struct sm_worker *worker);

/**
 * Stops pulling commands, renders what is pending and drains the clients. Synchronous; afterwards
 * no device function that touches guest state is called until the next start.
 */
void sm_worker_stop(struct sm_worker *worker);

/* ---- memory slots ---- */

void sm_worker_add_memslot(struct sm_worker *worker, const struct sm_qxl_memslot *slot); /* sync */
void sm_worker_add_memslot_async(struct sm_worker *worker, const struct sm_qxl_memslot *slot,
                                 uint64_t cookie);
void sm_worker_del_memslot(struct sm_worker *worker, uint32_t group, uint32_t id); /* queued */
void sm_worker_reset_memslots(struct sm_worker *worker);                           /* queued */

/* ---- surfaces ---- */

/**
 * Renders what is pending on `area` of a surface into guest memory. Synchronous.
 *
 * @param dirty        room for `dirty_count` rectangles that were rendered since they were last
 *                     cleared, all written: empty ones if there are fewer, cut if there are more.
 *                     NULL: not asked for.
 * @param clear_dirty  forget them afterwards
 */
void sm_worker_update_area(struct sm_worker *worker, uint32_t surface_id, struct sm_rect area,
                           struct sm_rect *dirty, uint32_t dirty_count, bool clear_dirty);

/** The same; update_area_complete() with all rectangles comes just before async_complete(). */
void sm_worker_update_area_async(struct sm_worker *worker, uint32_t surface_id, struct sm_rect area,
                                 bool clear_dirty, uint64_t cookie);

void sm_worker_create_primary(struct sm_worker *worker, const struct sm_qxl_primary *primary);
void sm_worker_create_primary_async(struct sm_worker *worker, const struct sm_qxl_primary *primary,
                                    uint64_t cookie);
void sm_worker_destroy_primary(struct sm_worker *worker); /* sync */
void sm_worker_destroy_primary_async(struct sm_worker *worker, uint64_t cookie);

/** Completes all drawing that has to do with a surface; the surface itself stays. Sync. */
void sm_worker_destroy_surface_wait(struct sm_worker *worker, uint32_t surface_id);
void sm_worker_destroy_surface_async(struct sm_worker *worker, uint32_t surface_id,
                                     uint64_t cookie);

/** Destroys every surface, the primary included. Sync. */
void sm_worker_destroy_surfaces(struct sm_worker *worker);
void sm_worker_destroy_surfaces_async(struct sm_worker *worker, uint64_t cookie);

/** Empties the rings and renders everything pending on every surface. */
void sm_worker_flush_surfaces_async(struct sm_worker *worker, uint64_t cookie);

/* ---- the rest of a device ---- */

void sm_worker_reset_image_cache(struct sm_worker *worker); /* sync */
void sm_worker_reset_cursor(struct sm_worker *worker);      /* sync */

/** Takes commands recorded before a snapshot, also while stopped. Sync; borrowed in the call. */
void sm_worker_loadvm_commands(struct sm_worker *worker, const struct sm_qxl_ring_command *commands,
                               uint32_t count);

/** Reads the guest's arrangement of monitors at a guest address, also while stopped. */
void sm_worker_monitors_config_async(struct sm_worker *worker, uint64_t address, uint32_t group,
                                     uint64_t cookie);

/** The guest's driver is gone: forget that it arranges monitors itself. Queued. */
void sm_worker_driver_unload(struct sm_worker *worker);

/** Later arrangements are cut to `max_monitors` (at least 1). Takes effect at once. */
void sm_worker_set_max_monitors(struct sm_worker *worker, uint32_t max_monitors);

/* ---- GL scan-out ---- */

/** Takes `fd` (−1 switches GL off) and shows it to local clients. Queued. */
void sm_worker_gl_scanout(struct sm_worker *worker, int fd, uint32_t width, uint32_t height,
                          uint32_t stride_bytes, uint32_t fourcc, bool is_y0_top);

/**
 * Shows a changed area of the scan-out. Completes when every client has drawn it or left; without
 * a scan-out at once, on the caller's thread.
 */
void sm_worker_gl_draw_async(struct sm_worker *worker, uint32_t x, uint32_t y, uint32_t width,
                             uint32_t height, uint64_t cookie);

/* ---- clients and settings ---- */

/** Serves a client that finished its link phase. Queued; takes `handover`. */
void sm_worker_connect_display(struct sm_worker *worker, struct sm_channel_handover *handover);
void sm_worker_connect_cursor(struct sm_worker *worker, struct sm_channel_handover *handover);

/** Ends all channels of a client session here; its handovers are destroyed on return. Sync. */
void sm_worker_disconnect(struct sm_worker *worker, uint32_t connection_id);

/** Sends a session's client over to another server. Queued. */
void sm_worker_migrate_display(struct sm_worker *worker, uint32_t connection_id);
void sm_worker_migrate_cursor(struct sm_worker *worker, uint32_t connection_id);

/** Queued; clients that connect later start with it, as do those that asked for nothing else. */
void sm_worker_set_compression(struct sm_worker *worker, enum sm_worker_compression compression);
void sm_worker_set_streaming(struct sm_worker *worker, enum sm_worker_streaming streaming);
void sm_worker_set_video_codecs(struct sm_worker *worker, const struct sm_video_list *codecs);
void sm_worker_set_mouse_mode(struct sm_worker *worker, enum sm_worker_mouse_mode mode);

/** What the primary is now. Any thread, at once. */
struct sm_worker_primary sm_worker_get_primary(const struct sm_worker *worker);

#endif
