/* SPDX-License-Identifier: MIT */
/* spice_server_add_interface() and _remove_interface(): which kind an instance is. */
#include <stddef.h>
#include <string.h>

#include "server/abi/internal.h"

bool sm_abi_version_fits(const SpiceServer *s, const SpiceBaseInterface *sif, uint32_t major,
                         uint32_t minor)
{
    if (sif->major_version == major && sif->minor_version <= minor)
        return true;
    sm_say(&s->log, SM_LOG_WARNING, "unsupported %s interface", sif->type);
    return false;
}

/* The instance that `base` is the first member of. */
#define INSTANCE(type, base) ((type *)(void *)(base))

int spice_server_add_interface(SpiceServer *s, SpiceBaseInstance *sin)
{
    const char *type = sin->sif->type;
    if (strcmp(type, SPICE_INTERFACE_KEYBOARD) == 0)
        return sm_abi_add_keyboard(s, INSTANCE(SpiceKbdInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_MOUSE) == 0)
        return sm_abi_add_mouse(s, INSTANCE(SpiceMouseInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_TABLET) == 0)
        return sm_abi_add_tablet(s, INSTANCE(SpiceTabletInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_QXL) == 0)
        return sm_abi_add_qxl(s, INSTANCE(QXLInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_PLAYBACK) == 0)
        return sm_abi_add_playback(s, INSTANCE(SpicePlaybackInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_RECORD) == 0)
        return sm_abi_add_record(s, INSTANCE(SpiceRecordInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_CHAR_DEVICE) == 0)
        return sm_abi_add_char_device(s, INSTANCE(SpiceCharDeviceInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_MIGRATION) == 0)
        return sm_abi_add_migration(s, INSTANCE(SpiceMigrateInstance, sin));
    return 0; /* a kind that hosts may know and we do not need */
}

/* In the words of GLib's precondition checks, which tests of the reference look for. */
static int fail_assertion(const char *condition)
{
    struct sm_log log = sm_server_log();
    sm_log_at(&log, SM_LOG_ERROR, "spice_server_remove_interface: assertion '%s' failed",
              condition);
    return -1;
}

int spice_server_remove_interface(SpiceBaseInstance *sin)
{
    if (!sin)
        return fail_assertion("sin != nullptr");
    const char *type = sin->sif->type;
    if (strcmp(type, SPICE_INTERFACE_TABLET) == 0) {
        SpiceTabletInstance *tablet = INSTANCE(SpiceTabletInstance, sin);
        return tablet->st ? sm_abi_remove_tablet(tablet) : fail_assertion("tablet->st != nullptr");
    }
    if (strcmp(type, SPICE_INTERFACE_PLAYBACK) == 0)
        return sm_abi_remove_playback(INSTANCE(SpicePlaybackInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_RECORD) == 0)
        return sm_abi_remove_record(INSTANCE(SpiceRecordInstance, sin));
    if (strcmp(type, SPICE_INTERFACE_CHAR_DEVICE) == 0) {
        SpiceCharDeviceInstance *device = INSTANCE(SpiceCharDeviceInstance, sin);
        return device->st ? sm_abi_remove_char_device(device)
                          : fail_assertion("char_device->st != nullptr");
    }
    if (strcmp(type, SPICE_INTERFACE_QXL) == 0) {
        QXLInstance *qxl = INSTANCE(QXLInstance, sin);
        return qxl->st ? sm_abi_remove_qxl(qxl) : fail_assertion("qxl->st != nullptr");
    }
    struct sm_log log = sm_server_log();
    sm_say(&log, SM_LOG_WARNING, "VD_INTERFACE_REMOVING unsupported: %s", type);
    return -1;
}
