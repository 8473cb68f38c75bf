/* SPDX-License-Identifier: MIT */
/* What the shims share: the object behind SpiceServer, and ways from an instance to it. */
#ifndef SM_SERVER_ABI_INTERNAL_H
#define SM_SERVER_ABI_INTERNAL_H

#include <stdbool.h>

#include "server/session/log.h"
#include "server/session/server.h"

struct sm_recorder;

/* What these headers declare is what the library exports. */
#pragma GCC visibility push(default)
#include "spice-server/spice.h"
#pragma GCC visibility pop

struct RedsState {
    struct sm_server *server; /* owned */
    struct sm_log log;
    struct sm_recorder *recorder; /* owned; NULL: nothing is recorded */
    SpiceCoreInterface *core;     /* borrowed; NULL before init */

    /* One of each, the host's. */
    SpiceKbdInstance *keyboard;
    SpiceMouseInstance *mouse;
    SpiceTabletInstance *tablet;
    SpiceMigrateInstance *migration;

    /* Any number of these. */
    struct QXLState *qxls;                     /* newest first */
    struct SpiceCharDeviceState *char_devices; /* likewise */

    struct SpicePlaybackState *playback; /* NULL: none */
    struct SpiceRecordState *record;

    /* Settings that are stored for what comes later; get functions give them back. */
    bool playback_compression;
    unsigned renderer_count;
    char *video_codecs; /* owned; NULL: the default list */
};

/** Whether `sif` may be added: its versions fit. Says why not. */
bool sm_abi_version_fits(const SpiceServer *s, const SpiceBaseInterface *sif, uint32_t major,
                         uint32_t minor);

/* What spice_server_add_interface() and _remove_interface() do for each kind; 0 or -1. */
int sm_abi_add_qxl(SpiceServer *s, QXLInstance *instance);
int sm_abi_remove_qxl(QXLInstance *instance);
int sm_abi_add_keyboard(SpiceServer *s, SpiceKbdInstance *instance);
int sm_abi_add_mouse(SpiceServer *s, SpiceMouseInstance *instance);
int sm_abi_add_tablet(SpiceServer *s, SpiceTabletInstance *instance);
int sm_abi_remove_tablet(SpiceTabletInstance *instance);
int sm_abi_add_playback(SpiceServer *s, SpicePlaybackInstance *instance);
int sm_abi_remove_playback(SpicePlaybackInstance *instance);
int sm_abi_add_record(SpiceServer *s, SpiceRecordInstance *instance);
int sm_abi_remove_record(SpiceRecordInstance *instance);
int sm_abi_add_char_device(SpiceServer *s, SpiceCharDeviceInstance *instance);
int sm_abi_remove_char_device(SpiceCharDeviceInstance *instance);
int sm_abi_add_migration(SpiceServer *s, SpiceMigrateInstance *instance);

/* The server goes: instances still registered lose their `st`. */
void sm_abi_forget_inputs(SpiceServer *s);
void sm_abi_forget_qxls(SpiceServer *s);
void sm_abi_forget_char_devices(SpiceServer *s);
void sm_abi_forget_sound(SpiceServer *s);

/** The host allows or forbids compressed sound. */
void sm_abi_playback_compression_changed(SpiceServer *s);

#endif
