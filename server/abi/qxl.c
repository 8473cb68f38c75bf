/* SPDX-License-Identifier: MIT */
/* spice-qxl.h: graphics devices of the host. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "server/abi/internal.h"
#include "server/display/worker.h"
#include "server/session/displays.h"

struct QXLState {
    SpiceServer *s;
    QXLInstance *instance;
    struct sm_display *display;
    struct QXLState *next; /* of the server */
};

static const QXLInterface *interface_of(const QXLInstance *instance)
{
    return (const void *)instance->base.sif;
}

/* ---- what the worker asks of the device; on its thread ---- */

static struct sm_qxl_ring_command command_of(const QXLCommandExt *ext)
{
    return (struct sm_qxl_ring_command){
        .address = ext->cmd.data,
        .type = ext->cmd.type,
        .group = ext->group_id,
        .flags = ext->flags,
    };
}

static bool get_command(void *context, struct sm_qxl_ring_command *out)
{
    QXLInstance *instance = context;
    QXLCommandExt ext;
    if (!interface_of(instance)->get_command(instance, &ext))
        return false;
    *out = command_of(&ext);
    return true;
}

static bool req_cmd_notification(void *context)
{
    QXLInstance *instance = context;
    return interface_of(instance)->req_cmd_notification(instance) != 0;
}

static bool get_cursor_command(void *context, struct sm_qxl_ring_command *out)
{
    QXLInstance *instance = context;
    QXLCommandExt ext;
    if (!interface_of(instance)->get_cursor_command(instance, &ext))
        return false;
    *out = command_of(&ext);
    return true;
}

static bool req_cursor_notification(void *context)
{
    QXLInstance *instance = context;
    return interface_of(instance)->req_cursor_notification(instance) != 0;
}

static void release_resource(void *context, struct sm_qxl_release release)
{
    QXLInstance *instance = context;
    QXLReleaseInfoExt ext = {.info = release.info, .group_id = release.group};
    interface_of(instance)->release_resource(instance, ext);
}

static void notify_update(void *context, uint32_t update_id)
{
    QXLInstance *instance = context;
    if (interface_of(instance)->notify_update)
        interface_of(instance)->notify_update(instance, update_id);
}

static bool flush_resources(void *context)
{
    QXLInstance *instance = context;
    return interface_of(instance)->flush_resources &&
           interface_of(instance)->flush_resources(instance) != 0;
}

static void async_complete(void *context, uint64_t cookie)
{
    QXLInstance *instance = context;
    if (interface_of(instance)->async_complete)
        interface_of(instance)->async_complete(instance, cookie);
}

static void update_area_complete(void *context, uint32_t surface_id, const struct sm_rect *rects,
                                 uint32_t count)
{
    QXLInstance *instance = context;
    if (!interface_of(instance)->update_area_complete)
        return;
    QXLRect *copy = sm_alloc_array(count, sizeof(*copy));
    if (!copy)
        return;
    for (uint32_t i = 0; i < count; i++)
        copy[i] = (QXLRect){.top = rects[i].top,
                            .left = rects[i].left,
                            .bottom = rects[i].bottom,
                            .right = rects[i].right};
    interface_of(instance)->update_area_complete(instance, surface_id, copy, count);
    free(copy);
}

static void set_client_capabilities(void *context, bool has_client,
                                    const uint8_t caps[SM_QXL_CAPABILITY_BYTES])
{
    QXLInstance *instance = context;
    uint8_t copy[SPICE_CAPABILITIES_SIZE];
    _Static_assert(sizeof(copy) == SM_QXL_CAPABILITY_BYTES, "capability bytes");
    memcpy(copy, caps, sizeof(copy));
    if (instance->base.sif->minor_version >= 2 && interface_of(instance)->set_client_capabilities)
        interface_of(instance)->set_client_capabilities(instance, has_client, copy);
}

/* ---- what the main context asks of it ---- */

static void set_compression_level(void *context, int level)
{
    QXLInstance *instance = context;
    if (interface_of(instance)->set_compression_level)
        interface_of(instance)->set_compression_level(instance, level);
}

static bool client_monitors_config(void *context, struct sm_bytes config)
{
    QXLInstance *instance = context;
    if (instance->base.sif->minor_version < 3 || !interface_of(instance)->client_monitors_config)
        return false;
    if (!config.data)
        return interface_of(instance)->client_monitors_config(instance, NULL) != 0;
    /* The host may write into what it is given. */
    VDAgentMonitorsConfig *copy = sm_memdup(config.data, config.size);
    if (!copy)
        return false;
    bool is_taken = interface_of(instance)->client_monitors_config(instance, copy) != 0;
    free(copy);
    return is_taken;
}

/* ---- adding and removing ---- */

int sm_abi_add_qxl(SpiceServer *s, QXLInstance *instance)
{
    static const struct sm_qxl_device_ops device = {
        .get_command = get_command,
        .req_cmd_notification = req_cmd_notification,
        .get_cursor_command = get_cursor_command,
        .req_cursor_notification = req_cursor_notification,
        .release_resource = release_resource,
        .notify_update = notify_update,
        .flush_resources = flush_resources,
        .async_complete = async_complete,
        .update_area_complete = update_area_complete,
        .set_client_capabilities = set_client_capabilities,
    };
    static const struct sm_display_host_ops host = {
        .set_compression_level = set_compression_level,
        .client_monitors_config = client_monitors_config,
    };
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_QXL_MAJOR,
                             SPICE_INTERFACE_QXL_MINOR))
        return -1;
    if (instance->id < 0 || instance->id > UINT8_MAX) {
        sm_say(&s->log, SM_LOG_WARNING, "invalid QXL ID %d", instance->id);
        return -1;
    }
    struct QXLState *st = calloc(1, sizeof(*st));
    if (!st)
        return -1;
    QXLDevInitInfo info = {0};
    interface_of(instance)->get_init_info(instance, &info);
    struct sm_display_config config = {
        .id = (uint8_t)instance->id,
        .device = &device,
        .host = &host,
        .device_context = instance,
        .info = {.group_count = info.num_memslots_groups,
                 .slot_count = info.num_memslots,
                 .generation_bits = info.memslot_gen_bits,
                 .slot_bits = info.memslot_id_bits,
                 .surface_count = info.n_surfaces,
                 .ram_size_bytes = info.qxl_ram_size},
    };
    *st = (struct QXLState){.s = s, .instance = instance};
    instance->st = st;
    enum sm_status status = sm_display_create(&st->display, s->server, &config);
    if (status) {
        sm_say(&s->log, SM_LOG_WARNING, "the QXL device %d cannot be served: %s", instance->id,
               sm_status_name(status));
        instance->st = NULL;
        free(st);
        return -1;
    }
    st->next = s->qxls;
    s->qxls = st;
    /* The host may use the device from inside this. The old name took the instance twice. */
    if (interface_of(instance)->attache_worker)
        interface_of(instance)->attache_worker(instance, (QXLWorker *)(void *)instance);
    sm_display_tell_compression_level(st->display);
    return 0;
}

int sm_abi_remove_qxl(QXLInstance *instance)
{
    struct QXLState *st = instance->st;
    struct QXLState **link = &st->s->qxls;
    while (*link != st)
        link = &(*link)->next;
    *link = st->next;
    sm_display_destroy(st->display);
    instance->st = NULL;
    free(st);
    return 0;
}

void sm_abi_forget_qxls(SpiceServer *s)
{
    while (s->qxls)
        sm_abi_remove_qxl(s->qxls->instance);
}

/* ---- the host's requests ---- */

/* The worker of an instance; a call for one that is not registered does nothing. */
static struct sm_worker *worker_of(const QXLInstance *instance)
{
    if (instance->st)
        return sm_display_worker(instance->st->display);
    struct sm_log log = sm_server_log();
    sm_say(&log, SM_LOG_WARNING, "a QXL device that is not registered is used");
    return NULL;
}

static struct sm_rect rect_of(const QXLRect *rect)
{
    return (struct sm_rect){
        .left = rect->left, .top = rect->top, .right = rect->right, .bottom = rect->bottom};
}

static struct sm_qxl_memslot memslot_of(const QXLDevMemSlot *slot)
{
    return (struct sm_qxl_memslot){
        .group = slot->slot_group_id,
        .id = slot->slot_id,
        .generation = slot->generation,
        .virt_start = slot->virt_start,
        .virt_end = slot->virt_end,
        .addr_delta = slot->addr_delta,
    };
}

static struct sm_qxl_primary primary_of(const QXLDevSurfaceCreate *surface)
{
    return (struct sm_qxl_primary){
        .width = surface->width,
        .height = surface->height,
        .stride_bytes = surface->stride,
        .format = surface->format,
        .mouse_mode = surface->mouse_mode != 0,
        .keep_data = (surface->flags & QXL_SURF_FLAG_KEEP_DATA) != 0,
        .address = surface->mem,
        .group = surface->group_id,
    };
}

void spice_qxl_wakeup(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_wakeup(worker);
}

void spice_qxl_oom(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_oom(worker);
}

void spice_qxl_start(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_start(worker);
}

void spice_qxl_stop(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_stop(worker);
}

void spice_qxl_update_area(QXLInstance *instance, uint32_t surface_id, struct QXLRect *area,
                           struct QXLRect *dirty_rects, uint32_t num_dirty_rects,
                           uint32_t clear_dirty_region)
{
    struct sm_worker *worker = worker_of(instance);
    if (!worker)
        return;
    struct sm_rect *dirty = NULL;
    if (dirty_rects && num_dirty_rects) {
        dirty = sm_alloc_array(num_dirty_rects, sizeof(*dirty));
        if (!dirty)
            num_dirty_rects = 0; /* the area is brought up to date all the same */
    }
    sm_worker_update_area(worker, surface_id, rect_of(area), dirty, dirty ? num_dirty_rects : 0,
                          clear_dirty_region != 0);
    for (uint32_t i = 0; dirty && i < num_dirty_rects; i++)
        dirty_rects[i] = (QXLRect){.top = dirty[i].top,
                                   .left = dirty[i].left,
                                   .bottom = dirty[i].bottom,
                                   .right = dirty[i].right};
    free(dirty);
}

void spice_qxl_update_area_async(QXLInstance *instance, uint32_t surface_id, QXLRect *qxl_area,
                                 uint32_t clear_dirty_region, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_update_area_async(worker, surface_id, rect_of(qxl_area), clear_dirty_region != 0,
                                    cookie);
}

void spice_qxl_add_memslot(QXLInstance *instance, QXLDevMemSlot *slot)
{
    struct sm_worker *worker = worker_of(instance);
    struct sm_qxl_memslot copy = memslot_of(slot);
    if (worker)
        sm_worker_add_memslot(worker, &copy);
}

void spice_qxl_add_memslot_async(QXLInstance *instance, QXLDevMemSlot *slot, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    struct sm_qxl_memslot copy = memslot_of(slot);
    if (worker)
        sm_worker_add_memslot_async(worker, &copy, cookie);
}

void spice_qxl_del_memslot(QXLInstance *instance, uint32_t slot_group_id, uint32_t slot_id)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_del_memslot(worker, slot_group_id, slot_id);
}

void spice_qxl_reset_memslots(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_reset_memslots(worker);
}

void spice_qxl_create_primary_surface(QXLInstance *instance, uint32_t surface_id,
                                      QXLDevSurfaceCreate *surface)
{
    struct sm_worker *worker = worker_of(instance);
    struct sm_qxl_primary copy = primary_of(surface);
    (void)surface_id; /* the primary is surface 0, always */
    if (worker)
        sm_worker_create_primary(worker, &copy);
}

void spice_qxl_create_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                            QXLDevSurfaceCreate *surface, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    struct sm_qxl_primary copy = primary_of(surface);
    (void)surface_id;
    if (worker)
        sm_worker_create_primary_async(worker, &copy, cookie);
}

void spice_qxl_destroy_primary_surface(QXLInstance *instance, uint32_t surface_id)
{
    struct sm_worker *worker = worker_of(instance);
    (void)surface_id;
    if (worker)
        sm_worker_destroy_primary(worker);
}

void spice_qxl_destroy_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                             uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    (void)surface_id;
    if (worker)
        sm_worker_destroy_primary_async(worker, cookie);
}

void spice_qxl_destroy_surface_wait(QXLInstance *instance, uint32_t surface_id)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_destroy_surface_wait(worker, surface_id);
}

void spice_qxl_destroy_surface_async(QXLInstance *instance, uint32_t surface_id, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_destroy_surface_async(worker, surface_id, cookie);
}

void spice_qxl_destroy_surfaces(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_destroy_surfaces(worker);
}

void spice_qxl_destroy_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_destroy_surfaces_async(worker, cookie);
}

void spice_qxl_flush_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_flush_surfaces_async(worker, cookie);
}

void spice_qxl_reset_image_cache(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_reset_image_cache(worker);
}

void spice_qxl_reset_cursor(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_reset_cursor(worker);
}

void spice_qxl_loadvm_commands(QXLInstance *instance, struct QXLCommandExt *ext, uint32_t count)
{
    struct sm_worker *worker = worker_of(instance);
    if (!worker)
        return;
    struct sm_qxl_ring_command *commands = sm_alloc_array(count, sizeof(*commands));
    if (!commands) {
        sm_say(&instance->st->s->log, SM_LOG_WARNING, "no memory for %u commands of a snapshot",
               count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        commands[i] = command_of(&ext[i]);
    sm_worker_loadvm_commands(worker, commands, count);
    free(commands);
}

void spice_qxl_monitors_config_async(QXLInstance *instance, QXLPHYSICAL monitors_config,
                                     int group_id, uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_monitors_config_async(worker, monitors_config, (uint32_t)group_id, cookie);
}

void spice_qxl_driver_unload(QXLInstance *instance)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_driver_unload(worker);
}

void spice_qxl_set_max_monitors(QXLInstance *instance, unsigned int max_monitors)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_set_max_monitors(worker, max_monitors ? max_monitors : 1);
}

void spice_qxl_set_device_info(QXLInstance *instance, const char *device_address,
                               uint32_t device_display_id_start, uint32_t device_display_id_count)
{
    if (!worker_of(instance))
        return;
    if (strnlen(device_address, SM_DISPLAY_ADDRESS_MAX + 1) > SM_DISPLAY_ADDRESS_MAX ||
        device_display_id_count > SM_DISPLAY_MONITORS_MAX) {
        sm_say(&instance->st->s->log, SM_LOG_WARNING,
               "the address or the %u displays of QXL device %d are too many, ignored",
               device_display_id_count, instance->id);
        return;
    }
    sm_display_set_address(instance->st->display, device_address, device_display_id_start,
                           device_display_id_count);
}

void spice_qxl_gl_scanout(QXLInstance *instance, int fd, uint32_t width, uint32_t height,
                          uint32_t stride, uint32_t format, int y_0_top)
{
    struct sm_worker *worker = worker_of(instance);
    if (!worker) {
        if (fd >= 0)
            close(fd); /* taken all the same */
        return;
    }
    sm_worker_gl_scanout(worker, fd, width, height, stride, format, y_0_top != 0);
    sm_display_set_scanout(instance->st->display, fd >= 0 ? width : 0, fd >= 0 ? height : 0);
}

void spice_qxl_gl_draw_async(QXLInstance *instance, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                             uint64_t cookie)
{
    struct sm_worker *worker = worker_of(instance);
    if (worker)
        sm_worker_gl_draw_async(worker, x, y, w, h, cookie);
}
