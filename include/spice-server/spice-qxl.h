/* SPDX-License-Identifier: MIT */
/* A graphics device: the guest's commands come in, its screen goes out. */
#ifndef SM_SPICE_SERVER_QXL_H
#define SM_SPICE_SERVER_QXL_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

#define SPICE_INTERFACE_QXL       "qxl"
#define SPICE_INTERFACE_QXL_MAJOR 3
#define SPICE_INTERFACE_QXL_MINOR 3

#ifndef SPICE_CAPABILITIES_SIZE
#define SPICE_CAPABILITIES_SIZE (sizeof(((QXLRom *)0)->client_capabilities)) /* 58 */
#endif

typedef struct QXLInterface QXLInterface;
typedef struct QXLInstance QXLInstance;
typedef struct QXLState QXLState;
typedef struct QXLWorker QXLWorker; /* nothing: kept for old hosts */
typedef struct QXLDevMemSlot QXLDevMemSlot;
typedef struct QXLDevSurfaceCreate QXLDevSurfaceCreate;

/** What the device offers; asked once when it is added. */
typedef struct QXLDevInitInfo {
    uint32_t num_memslots_groups;
    uint32_t num_memslots; /* in each group */
    uint8_t memslot_gen_bits;
    uint8_t memslot_id_bits;
    uint32_t qxl_ram_size; /* told to clients as a hint */
    uint8_t internal_groupslot_id;
    uint32_t n_surfaces;
} QXLDevInitInfo;

/** A window of guest memory that commands may point into. */
struct QXLDevMemSlot {
    uint32_t slot_group_id;
    uint32_t slot_id;
    uint32_t generation;
    uintptr_t virt_start;
    uintptr_t virt_end; /* exclusive */
    uint64_t addr_delta;
    uint32_t qxl_ram_size;
};

/** The screen: `height` rows of |stride| bytes at `mem`; a negative stride is bottom row first. */
struct QXLDevSurfaceCreate {
    uint32_t width;
    uint32_t height;
    int32_t stride;
    uint32_t format;
    uint32_t position;
    uint32_t mouse_mode; /* non-zero: the client may place the pointer */
    uint32_t flags;
    uint32_t type;
    uint64_t mem;
    uint32_t group_id;
};

/** The device's callbacks. "Worker" is a thread of the library's, one for each device. */
struct QXLInterface {
    SpiceBaseInterface base;

    union { /* main: the device is in the server's list now */
        void (*attached_worker)(QXLInstance *qin);
        void (*attache_worker)(QXLInstance *qin, QXLWorker *qxl_worker);
    };
    void (*set_compression_level)(QXLInstance *qin, int level); /* main */
    void (*set_mm_time)(QXLInstance *qin, uint32_t mm_time);    /* never called */

    void (*get_init_info)(QXLInstance *qin, QXLDevInitInfo *info); /* main */

    /* Worker: non-zero if `cmd` was filled; never waits. */
    int (*get_command)(QXLInstance *qin, struct QXLCommandExt *cmd);
    /* Worker: 0 if there are commands, else the next one is told with spice_qxl_wakeup(). */
    int (*req_cmd_notification)(QXLInstance *qin);
    /* Worker: the library has done with a command. */
    void (*release_resource)(QXLInstance *qin, struct QXLReleaseInfoExt release_info);
    int (*get_cursor_command)(QXLInstance *qin, struct QXLCommandExt *cmd);
    int (*req_cursor_notification)(QXLInstance *qin);
    void (*notify_update)(QXLInstance *qin, uint32_t update_id); /* worker */
    int (*flush_resources)(QXLInstance *qin);                    /* worker */
    void (*async_complete)(QXLInstance *qin, uint64_t cookie);   /* worker */
    /* Worker: the rectangles are borrowed during the call. */
    void (*update_area_complete)(QXLInstance *qin, uint32_t surface_id,
                                 struct QXLRect *updated_rects, uint32_t num_updated_rects);
    /* Worker, since 3.2. */
    void (*set_client_capabilities)(QXLInstance *qin, uint8_t client_present,
                                    uint8_t caps[SPICE_CAPABILITIES_SIZE]);
    /* Main, since 3.3: 1 if the device takes it; NULL only asks. */
    int (*client_monitors_config)(QXLInstance *qin, VDAgentMonitorsConfig *monitors_config);
};

struct QXLInstance {
    SpiceBaseInstance base;
    int id;       /* the display's channel id, chosen by the host */
    QXLState *st; /* the library's */
};

/* Callable from any thread of the host, one at a time. Each returns when the worker has done it...
 */

void spice_qxl_update_area(QXLInstance *instance, uint32_t surface_id, struct QXLRect *area,
                           struct QXLRect *dirty_rects, uint32_t num_dirty_rects,
                           uint32_t clear_dirty_region);
void spice_qxl_add_memslot(QXLInstance *instance, QXLDevMemSlot *slot);
void spice_qxl_destroy_surfaces(QXLInstance *instance);
void spice_qxl_destroy_primary_surface(QXLInstance *instance, uint32_t surface_id);
void spice_qxl_create_primary_surface(QXLInstance *instance, uint32_t surface_id,
                                      QXLDevSurfaceCreate *surface);
void spice_qxl_reset_image_cache(QXLInstance *instance);
void spice_qxl_reset_cursor(QXLInstance *instance);
void spice_qxl_destroy_surface_wait(QXLInstance *instance, uint32_t surface_id);
void spice_qxl_loadvm_commands(QXLInstance *instance, struct QXLCommandExt *ext, uint32_t count);
void spice_qxl_stop(QXLInstance *instance); /* deprecated: spice_server_vm_stop() */

/* ... or queues the request and returns at once... */

void spice_qxl_wakeup(QXLInstance *instance);
void spice_qxl_oom(QXLInstance *instance);
void spice_qxl_start(QXLInstance *instance); /* deprecated: spice_server_vm_start() */
void spice_qxl_del_memslot(QXLInstance *instance, uint32_t slot_group_id, uint32_t slot_id);
void spice_qxl_reset_memslots(QXLInstance *instance);
void spice_qxl_driver_unload(QXLInstance *instance);
void spice_qxl_gl_scanout(QXLInstance *instance, int fd, uint32_t width, uint32_t height,
                          uint32_t stride, uint32_t format, int y_0_top); /* fd is taken */

/* ... or queues it and answers with async_complete(cookie), exactly once. */

void spice_qxl_update_area_async(QXLInstance *instance, uint32_t surface_id, QXLRect *qxl_area,
                                 uint32_t clear_dirty_region, uint64_t cookie);
void spice_qxl_add_memslot_async(QXLInstance *instance, QXLDevMemSlot *slot, uint64_t cookie);
void spice_qxl_destroy_surfaces_async(QXLInstance *instance, uint64_t cookie);
void spice_qxl_destroy_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                             uint64_t cookie);
void spice_qxl_create_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                            QXLDevSurfaceCreate *surface, uint64_t cookie);
void spice_qxl_destroy_surface_async(QXLInstance *instance, uint32_t surface_id, uint64_t cookie);
void spice_qxl_flush_surfaces_async(QXLInstance *instance, uint64_t cookie);
void spice_qxl_monitors_config_async(QXLInstance *instance, QXLPHYSICAL monitors_config,
                                     int group_id, uint64_t cookie);
void spice_qxl_gl_draw_async(QXLInstance *instance, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                             uint64_t cookie);

/** Deprecated: spice_qxl_set_device_info() says it too. */
void spice_qxl_set_max_monitors(QXLInstance *instance, unsigned int max_monitors);
/** Where the guest finds this device: an address below 256 bytes, at most 16 displays. */
void spice_qxl_set_device_info(QXLInstance *instance, const char *device_address,
                               uint32_t device_display_id_start, uint32_t device_display_id_count);

SPICE_END_DECLS

#endif
