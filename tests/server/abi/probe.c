/* SPDX-License-Identifier: MIT */
/*
 * Prints what the compiler makes of <spice.h>: sizes, offsets, values. It is built with our headers
 * and with the reference's; both must print the same, and the prototypes must hold for both.
 */
#include <stddef.h>
#include <stdio.h>

#include <spice.h>

#define PROTOTYPE(name, result, ...)                                                               \
    _Static_assert(__builtin_types_compatible_p(__typeof__(name), result(__VA_ARGS__)),            \
                   "the type of " #name);
#include "prototypes.h"

#define SIZE(type) printf("size %s %zu\n", #type, sizeof(type));
#define MEMBER(type, member)                                                                       \
    printf("member %s.%s %zu+%zu\n", #type, #member, offsetof(type, member),                       \
           sizeof(((type *)0)->member));
#define CALLBACK(type, member, result, ...)                                                        \
    MEMBER(type, member)                                                                           \
    _Static_assert(                                                                                \
        __builtin_types_compatible_p(__typeof__(((type *)0)->member), result(*)(__VA_ARGS__)),     \
        "the type of " #type "." #member);
#define VALUE(constant) printf("value %s %lld\n", #constant, (long long)(constant));
#define TEXT(constant)  printf("text %s %s\n", #constant, constant);

static void core(void)
{
    SIZE(SpiceBaseInterface)
    MEMBER(SpiceBaseInterface, type)
    MEMBER(SpiceBaseInterface, description)
    MEMBER(SpiceBaseInterface, major_version)
    MEMBER(SpiceBaseInterface, minor_version)
    SIZE(SpiceBaseInstance)
    MEMBER(SpiceBaseInstance, sif)
    TEXT(SPICE_INTERFACE_CORE)
    VALUE(SPICE_INTERFACE_CORE_MAJOR)
    VALUE(SPICE_INTERFACE_CORE_MINOR)
    VALUE(SPICE_WATCH_EVENT_READ)
    VALUE(SPICE_WATCH_EVENT_WRITE)
    VALUE(SPICE_CHANNEL_EVENT_CONNECTED)
    VALUE(SPICE_CHANNEL_EVENT_INITIALIZED)
    VALUE(SPICE_CHANNEL_EVENT_DISCONNECTED)
    VALUE(SPICE_CHANNEL_EVENT_FLAG_TLS)
    VALUE(SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT)
    SIZE(SpiceChannelEventInfo)
    MEMBER(SpiceChannelEventInfo, connection_id)
    MEMBER(SpiceChannelEventInfo, type)
    MEMBER(SpiceChannelEventInfo, id)
    MEMBER(SpiceChannelEventInfo, flags)
    MEMBER(SpiceChannelEventInfo, laddr)
    MEMBER(SpiceChannelEventInfo, paddr)
    MEMBER(SpiceChannelEventInfo, llen)
    MEMBER(SpiceChannelEventInfo, plen)
    MEMBER(SpiceChannelEventInfo, laddr_ext)
    MEMBER(SpiceChannelEventInfo, paddr_ext)
    MEMBER(SpiceChannelEventInfo, llen_ext)
    MEMBER(SpiceChannelEventInfo, plen_ext)
    SIZE(SpiceCoreInterface)
    MEMBER(SpiceCoreInterface, base)
    CALLBACK(SpiceCoreInterface, timer_add, SpiceTimer *, SpiceTimerFunc, void *)
    CALLBACK(SpiceCoreInterface, timer_start, void, SpiceTimer *, uint32_t)
    CALLBACK(SpiceCoreInterface, timer_cancel, void, SpiceTimer *)
    CALLBACK(SpiceCoreInterface, timer_remove, void, SpiceTimer *)
    CALLBACK(SpiceCoreInterface, watch_add, SpiceWatch *, int, int, SpiceWatchFunc, void *)
    CALLBACK(SpiceCoreInterface, watch_update_mask, void, SpiceWatch *, int)
    CALLBACK(SpiceCoreInterface, watch_remove, void, SpiceWatch *)
    CALLBACK(SpiceCoreInterface, channel_event, void, int, SpiceChannelEventInfo *)
}

static void server(void)
{
    VALUE(SPICE_SERVER_VERSION)
    VALUE(SPICE_COMPAT_VERSION_0_4)
    VALUE(SPICE_COMPAT_VERSION_0_6)
    VALUE(SPICE_COMPAT_VERSION_CURRENT)
    VALUE(SPICE_ADDR_FLAG_IPV4_ONLY)
    VALUE(SPICE_ADDR_FLAG_IPV6_ONLY)
    VALUE(SPICE_ADDR_FLAG_UNIX_ONLY)
    VALUE(SPICE_CHANNEL_SECURITY_NONE)
    VALUE(SPICE_CHANNEL_SECURITY_SSL)
    SIZE(spice_image_compression_t)
    VALUE(SPICE_IMAGE_COMPRESS_INVALID)
    VALUE(SPICE_IMAGE_COMPRESS_OFF)
    VALUE(SPICE_IMAGE_COMPRESS_AUTO_GLZ)
    VALUE(SPICE_IMAGE_COMPRESS_AUTO_LZ)
    VALUE(SPICE_IMAGE_COMPRESS_QUIC)
    VALUE(SPICE_IMAGE_COMPRESS_GLZ)
    VALUE(SPICE_IMAGE_COMPRESS_LZ)
    VALUE(SPICE_IMAGE_COMPRESS_LZ4)
    SIZE(spice_wan_compression_t)
    VALUE(SPICE_WAN_COMPRESSION_INVALID)
    VALUE(SPICE_WAN_COMPRESSION_AUTO)
    VALUE(SPICE_WAN_COMPRESSION_ALWAYS)
    VALUE(SPICE_WAN_COMPRESSION_NEVER)
    VALUE(SPICE_STREAM_VIDEO_INVALID)
    VALUE(SPICE_STREAM_VIDEO_OFF)
    VALUE(SPICE_STREAM_VIDEO_ALL)
    VALUE(SPICE_STREAM_VIDEO_FILTER)
    VALUE(SPICE_STREAMING_INVALID)
    VALUE(SPICE_STREAMING_SPICE)
    VALUE(SPICE_STREAMING_GSTREAMER)
}

static void qxl(void)
{
    TEXT(SPICE_INTERFACE_QXL)
    VALUE(SPICE_INTERFACE_QXL_MAJOR)
    VALUE(SPICE_INTERFACE_QXL_MINOR)
    VALUE(SPICE_CAPABILITIES_SIZE)
    SIZE(QXLDevInitInfo)
    MEMBER(QXLDevInitInfo, num_memslots_groups)
    MEMBER(QXLDevInitInfo, num_memslots)
    MEMBER(QXLDevInitInfo, memslot_gen_bits)
    MEMBER(QXLDevInitInfo, memslot_id_bits)
    MEMBER(QXLDevInitInfo, qxl_ram_size)
    MEMBER(QXLDevInitInfo, internal_groupslot_id)
    MEMBER(QXLDevInitInfo, n_surfaces)
    SIZE(QXLDevMemSlot)
    MEMBER(QXLDevMemSlot, slot_group_id)
    MEMBER(QXLDevMemSlot, slot_id)
    MEMBER(QXLDevMemSlot, generation)
    MEMBER(QXLDevMemSlot, virt_start)
    MEMBER(QXLDevMemSlot, virt_end)
    MEMBER(QXLDevMemSlot, addr_delta)
    MEMBER(QXLDevMemSlot, qxl_ram_size)
    SIZE(QXLDevSurfaceCreate)
    MEMBER(QXLDevSurfaceCreate, width)
    MEMBER(QXLDevSurfaceCreate, height)
    MEMBER(QXLDevSurfaceCreate, stride)
    MEMBER(QXLDevSurfaceCreate, format)
    MEMBER(QXLDevSurfaceCreate, position)
    MEMBER(QXLDevSurfaceCreate, mouse_mode)
    MEMBER(QXLDevSurfaceCreate, flags)
    MEMBER(QXLDevSurfaceCreate, type)
    MEMBER(QXLDevSurfaceCreate, mem)
    MEMBER(QXLDevSurfaceCreate, group_id)
    SIZE(QXLInterface)
    MEMBER(QXLInterface, base)
    CALLBACK(QXLInterface, attached_worker, void, QXLInstance *)
    CALLBACK(QXLInterface, attache_worker, void, QXLInstance *, QXLWorker *)
    CALLBACK(QXLInterface, set_compression_level, void, QXLInstance *, int)
    CALLBACK(QXLInterface, set_mm_time, void, QXLInstance *, uint32_t)
    CALLBACK(QXLInterface, get_init_info, void, QXLInstance *, QXLDevInitInfo *)
    CALLBACK(QXLInterface, get_command, int, QXLInstance *, QXLCommandExt *)
    CALLBACK(QXLInterface, req_cmd_notification, int, QXLInstance *)
    CALLBACK(QXLInterface, release_resource, void, QXLInstance *, QXLReleaseInfoExt)
    CALLBACK(QXLInterface, get_cursor_command, int, QXLInstance *, QXLCommandExt *)
    CALLBACK(QXLInterface, req_cursor_notification, int, QXLInstance *)
    CALLBACK(QXLInterface, notify_update, void, QXLInstance *, uint32_t)
    CALLBACK(QXLInterface, flush_resources, int, QXLInstance *)
    CALLBACK(QXLInterface, async_complete, void, QXLInstance *, uint64_t)
    CALLBACK(QXLInterface, update_area_complete, void, QXLInstance *, uint32_t, QXLRect *, uint32_t)
    CALLBACK(QXLInterface, set_client_capabilities, void, QXLInstance *, uint8_t, uint8_t *)
    CALLBACK(QXLInterface, client_monitors_config, int, QXLInstance *, VDAgentMonitorsConfig *)
    SIZE(QXLInstance)
    MEMBER(QXLInstance, base)
    MEMBER(QXLInstance, id)
    MEMBER(QXLInstance, st)
}

static void input(void)
{
    TEXT(SPICE_INTERFACE_KEYBOARD)
    VALUE(SPICE_INTERFACE_KEYBOARD_MAJOR)
    VALUE(SPICE_INTERFACE_KEYBOARD_MINOR)
    SIZE(SpiceKbdInterface)
    CALLBACK(SpiceKbdInterface, push_scan_freg, void, SpiceKbdInstance *, uint8_t)
    CALLBACK(SpiceKbdInterface, get_leds, uint8_t, SpiceKbdInstance *)
    SIZE(SpiceKbdInstance)
    MEMBER(SpiceKbdInstance, st)
    TEXT(SPICE_INTERFACE_MOUSE)
    VALUE(SPICE_INTERFACE_MOUSE_MAJOR)
    VALUE(SPICE_INTERFACE_MOUSE_MINOR)
    SIZE(SpiceMouseInterface)
    CALLBACK(SpiceMouseInterface, motion, void, SpiceMouseInstance *, int, int, int, uint32_t)
    CALLBACK(SpiceMouseInterface, buttons, void, SpiceMouseInstance *, uint32_t)
    SIZE(SpiceMouseInstance)
    MEMBER(SpiceMouseInstance, st)
    TEXT(SPICE_INTERFACE_TABLET)
    VALUE(SPICE_INTERFACE_TABLET_MAJOR)
    VALUE(SPICE_INTERFACE_TABLET_MINOR)
    SIZE(SpiceTabletInterface)
    CALLBACK(SpiceTabletInterface, set_logical_size, void, SpiceTabletInstance *, int, int)
    CALLBACK(SpiceTabletInterface, position, void, SpiceTabletInstance *, int, int, uint32_t)
    CALLBACK(SpiceTabletInterface, wheel, void, SpiceTabletInstance *, int, uint32_t)
    CALLBACK(SpiceTabletInterface, buttons, void, SpiceTabletInstance *, uint32_t)
    SIZE(SpiceTabletInstance)
    MEMBER(SpiceTabletInstance, st)
}

static void audio(void)
{
    VALUE(SPICE_INTERFACE_AUDIO_FMT_S16)
    TEXT(SPICE_INTERFACE_PLAYBACK)
    VALUE(SPICE_INTERFACE_PLAYBACK_MAJOR)
    VALUE(SPICE_INTERFACE_PLAYBACK_MINOR)
    VALUE(SPICE_INTERFACE_PLAYBACK_FREQ)
    VALUE(SPICE_INTERFACE_PLAYBACK_CHAN)
    VALUE(SPICE_INTERFACE_PLAYBACK_FMT)
    SIZE(SpicePlaybackInterface)
    SIZE(SpicePlaybackInstance)
    MEMBER(SpicePlaybackInstance, st)
    TEXT(SPICE_INTERFACE_RECORD)
    VALUE(SPICE_INTERFACE_RECORD_MAJOR)
    VALUE(SPICE_INTERFACE_RECORD_MINOR)
    VALUE(SPICE_INTERFACE_RECORD_FREQ)
    VALUE(SPICE_INTERFACE_RECORD_CHAN)
    VALUE(SPICE_INTERFACE_RECORD_FMT)
    SIZE(SpiceRecordInterface)
    SIZE(SpiceRecordInstance)
    MEMBER(SpiceRecordInstance, st)
}

static void streams_and_migration(void)
{
    TEXT(SPICE_INTERFACE_CHAR_DEVICE)
    VALUE(SPICE_INTERFACE_CHAR_DEVICE_MAJOR)
    VALUE(SPICE_INTERFACE_CHAR_DEVICE_MINOR)
    SIZE(spice_char_device_flags)
    VALUE(SPICE_CHAR_DEVICE_NOTIFY_WRITABLE)
    SIZE(SpiceCharDeviceInterface)
    CALLBACK(SpiceCharDeviceInterface, state, void, SpiceCharDeviceInstance *, int)
    CALLBACK(SpiceCharDeviceInterface, write, int, SpiceCharDeviceInstance *, const uint8_t *, int)
    CALLBACK(SpiceCharDeviceInterface, read, int, SpiceCharDeviceInstance *, uint8_t *, int)
    CALLBACK(SpiceCharDeviceInterface, event, void, SpiceCharDeviceInstance *, uint8_t)
    MEMBER(SpiceCharDeviceInterface, flags)
    SIZE(SpiceCharDeviceInstance)
    MEMBER(SpiceCharDeviceInstance, subtype)
    MEMBER(SpiceCharDeviceInstance, st)
    MEMBER(SpiceCharDeviceInstance, portname)
    TEXT(SPICE_INTERFACE_MIGRATION)
    VALUE(SPICE_INTERFACE_MIGRATION_MAJOR)
    VALUE(SPICE_INTERFACE_MIGRATION_MINOR)
    SIZE(SpiceMigrateInterface)
    CALLBACK(SpiceMigrateInterface, migrate_connect_complete, void, SpiceMigrateInstance *)
    CALLBACK(SpiceMigrateInterface, migrate_end_complete, void, SpiceMigrateInstance *)
    SIZE(SpiceMigrateInstance)
    MEMBER(SpiceMigrateInstance, st)
}

int main(void)
{
    core();
    server();
    qxl();
    input();
    audio();
    streams_and_migration();
    return 0;
}
