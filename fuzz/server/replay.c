/* SPDX-License-Identifier: MIT */
/* Recordings: whatever is in the file, commands come out whole or not at all. */
#include "fuzz/support/fuzz.h"

#include <stdio.h>

#include "server/replay/replay.h"

static void create_primary(void *context, const struct sm_replay_primary *primary)
{
    unsigned *sum = context;
    *sum += *(const uint8_t *)primary->data;
}

static void ignore(void *context)
{
    (void)context;
}

static const struct sm_replay_device DEVICE = {create_primary, ignore, ignore};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > FUZZ_MAX_SIZE)
        return 0;
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
    struct sm_replay *replay;
    if (!file)
        return 0;
    if (sm_replay_create(&replay, file, 1024) != SM_OK) {
        fclose(file);
        return 0;
    }
    unsigned sum = 0;
    struct sm_replay_command *command;
    /* Fewer creates than surfaces: with all in use the next one waits for another thread. */
    for (unsigned i = 0; i < 1000 && (command = sm_replay_next(replay, &DEVICE, &sum)); i++) {
        FUZZ_CHECK(command->ext.cmd.data != 0);
        sm_replay_free_command(replay, command);
    }
    sm_replay_destroy(replay);
    return 0;
}
