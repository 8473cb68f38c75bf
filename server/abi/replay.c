/* SPDX-License-Identifier: MIT */
/* spice_replay_*: recordings of a device, played back. */
#include "server/abi/internal.h"

#include "server/replay/replay.h"
#include "server/session/log.h"

static struct sm_replay *replay_of(SpiceReplay *replay)
{
    return (struct sm_replay *)replay;
}

static void create_primary(void *context, const struct sm_replay_primary *primary)
{
    QXLDevSurfaceCreate create = {
        .width = primary->width,
        .height = primary->height,
        .stride = primary->stride,
        .format = primary->format,
        .position = primary->position,
        .mouse_mode = primary->mouse_mode,
        .flags = primary->flags,
        .type = primary->type,
        .mem = (uintptr_t)primary->data,
    };
    spice_qxl_create_primary_surface(context, 0, &create);
}

static void destroy_primary(void *context)
{
    spice_qxl_destroy_primary_surface(context, 0);
}

static void destroy_surfaces(void *context)
{
    spice_qxl_destroy_surfaces(context);
}

static const struct sm_replay_device DEVICE = {create_primary, destroy_primary, destroy_surfaces};

SpiceReplay *spice_replay_new(FILE *file, int nsurfaces)
{
    struct sm_replay *replay;
    if (!file || nsurfaces < 1 || sm_replay_create(&replay, file, (uint32_t)nsurfaces) != SM_OK) {
        struct sm_log log = sm_server_log();
        sm_say(&log, SM_LOG_WARNING, "this is no recording of a display device (version 1)");
        return NULL;
    }
    return (SpiceReplay *)replay;
}

QXLCommandExt *spice_replay_next_cmd(SpiceReplay *replay, QXLInstance *instance)
{
    struct sm_replay_command *command = sm_replay_next(replay_of(replay), &DEVICE, instance);
    return command ? &command->ext : NULL;
}

void spice_replay_free_cmd(SpiceReplay *replay, QXLCommandExt *cmd)
{
    void *command = cmd; /* its first member; cmd is packed, the whole is not */
    sm_replay_free_command(replay_of(replay), command);
}

void spice_replay_free(SpiceReplay *replay)
{
    sm_replay_destroy(replay_of(replay));
}
