/* SPDX-License-Identifier: MIT */
#include "bench/host/device.h"

#include <stdint.h>

enum { SURFACES = 16 };

static void attached_worker(QXLInstance *instance)
{
    (void)instance;
}

static void set_compression_level(QXLInstance *instance, int level)
{
    (void)instance, (void)level;
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    (void)instance;
    *info = (QXLDevInitInfo){.num_memslots_groups = 1,
                             .num_memslots = 1,
                             .memslot_gen_bits = 1,
                             .memslot_id_bits = 1,
                             .n_surfaces = SURFACES};
}

static int no_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance, (void)out;
    return 0;
}

static int is_asked(QXLInstance *instance)
{
    (void)instance;
    return 1;
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
    (void)instance, (void)info;
}

static void notify_update(QXLInstance *instance, uint32_t update_id)
{
    (void)instance, (void)update_id;
}

static int flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
    (void)instance, (void)cookie;
}

QXLInterface sm_bench_device_interface(const char *description)
{
    return (QXLInterface){
        .base = {.type = SPICE_INTERFACE_QXL,
                 .description = description,
                 .major_version = SPICE_INTERFACE_QXL_MAJOR,
                 .minor_version = SPICE_INTERFACE_QXL_MINOR},
        .attached_worker = attached_worker,
        .set_compression_level = set_compression_level,
        .get_init_info = get_init_info,
        .get_command = no_command,
        .req_cmd_notification = is_asked,
        .release_resource = release_resource,
        .get_cursor_command = no_command,
        .req_cursor_notification = is_asked,
        .notify_update = notify_update,
        .flush_resources = flush_resources,
        .async_complete = async_complete,
    };
}

void sm_bench_device_map_all(QXLInstance *instance)
{
    QXLDevMemSlot all_memory = {.virt_end = UINTPTR_MAX};
    spice_qxl_add_memslot(instance, &all_memory);
}
