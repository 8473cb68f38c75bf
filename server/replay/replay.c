/* SPDX-License-Identifier: MIT */
#include "server/replay/replay.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    VERSION = 1,
    SURFACES_MAX = 65536,
    COMMAND_MAX_BYTES = 1 << 30,
    EVENT_COMMAND = 0,
    EVENT_REQUEST = 1,
    /* Requests with consequences here. Source: docs/replay.md, "Requests". */
    REQUEST_DESTROY_SURFACES = 19,
    REQUEST_CREATE_PRIMARY = 20,
    REQUEST_DESTROY_PRIMARY = 21,
    REQUEST_CREATE_PRIMARY_ASYNC = 29,
};

struct sm_replay_surfaces {
    pthread_mutex_t lock; /* guards the rest: commands come back on the worker's thread */
    pthread_cond_t freed;
    uint32_t count;    /* of both tables */
    bool *is_used;     /* by the id of this time; 0 is the primary */
    int64_t *recorded; /* the recorded id that has this id now; −1 for none */
};

struct sm_replay {
    struct sm_recording in;
    struct sm_replay_surfaces surfaces;
    void *primary_data; /* owned; NULL without a primary */
};

int32_t sm_replay_surface_id(struct sm_replay_surfaces *s, int64_t id)
{
    if (id == 0)
        return 0;
    int32_t found = -1;
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 1; id > 0 && i < s->count && found < 0; i++)
        if (s->recorded[i] == id)
            found = (int32_t)i;
    pthread_mutex_unlock(&s->lock);
    return found;
}

static uint32_t find_free(const struct sm_replay_surfaces *s)
{
    for (uint32_t i = 1; i < s->count; i++)
        if (!s->is_used[i])
            return i;
    return UINT32_MAX;
}

uint32_t sm_replay_surface_create(struct sm_replay_builder *b, int64_t id)
{
    struct sm_replay_surfaces *s = b->surfaces;
    if (id <= 0 || s->count < 2 || b->in->failed) {
        b->in->failed = true;
        return UINT32_MAX;
    }
    pthread_mutex_lock(&s->lock);
    uint32_t chosen;
    while ((chosen = find_free(s)) == UINT32_MAX)
        pthread_cond_wait(&s->freed, &s->lock);
    s->is_used[chosen] = true;
    s->recorded[chosen] = id;
    pthread_mutex_unlock(&s->lock);
    return chosen;
}

uint32_t sm_replay_surface_destroy(struct sm_replay_builder *b, int64_t id)
{
    int32_t current = id > 0 ? sm_replay_surface_id(b->surfaces, id) : -1;
    if (current < 0)
        return UINT32_MAX; /* destroys nothing, as it may have in the recording */
    pthread_mutex_lock(&b->surfaces->lock);
    b->surfaces->recorded[current] = -1;
    pthread_mutex_unlock(&b->surfaces->lock);
    b->command->freed_surface_id = (uint32_t)current;
    return (uint32_t)current;
}

static enum sm_status read_head(struct sm_recording *in)
{
    if (sm_recording_int(in, "SPICE_REPLAY") != VERSION || in->failed)
        return SM_ERR_PROTOCOL;
    return SM_OK;
}

enum sm_status sm_replay_create(struct sm_replay **out, FILE *file, uint32_t surfaces_count)
{
    if (surfaces_count == 0 || surfaces_count > SURFACES_MAX)
        return SM_ERR_LIMIT;
    struct sm_recording in = {.file = file};
    enum sm_status status = read_head(&in);
    if (status != SM_OK)
        return status;
    struct sm_replay *replay = calloc(1, sizeof(*replay));
    if (!replay)
        return SM_ERR_NOMEM;
    struct sm_replay_surfaces *s = &replay->surfaces;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    s->count = surfaces_count;
    s->is_used = sm_alloc_array(s->count, sizeof(*s->is_used));
    s->recorded = sm_alloc_array(s->count, sizeof(*s->recorded));
    if (!s->is_used || !s->recorded) {
        sm_replay_destroy(replay);
        return SM_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < s->count; i++)
        s->recorded[i] = -1;
    replay->in = in;
    *out = replay;
    return SM_OK;
}

void sm_replay_destroy(struct sm_replay *replay)
{
    if (!replay)
        return;
    if (replay->in.file)
        fclose(replay->in.file);
    pthread_mutex_destroy(&replay->surfaces.lock);
    pthread_cond_destroy(&replay->surfaces.freed);
    free(replay->surfaces.is_used);
    free(replay->surfaces.recorded);
    free(replay->primary_data);
    free(replay);
}

void sm_replay_free_command(struct sm_replay *replay, struct sm_replay_command *command)
{
    if (!command)
        return;
    struct sm_replay_surfaces *s = &replay->surfaces;
    if (command->freed_surface_id < s->count) {
        pthread_mutex_lock(&s->lock);
        s->is_used[command->freed_surface_id] = false;
        pthread_cond_signal(&s->freed);
        pthread_mutex_unlock(&s->lock);
    }
    sm_arena_finish(&command->arena);
    free(command);
}

static void forget_primary(struct sm_replay *replay, const struct sm_replay_device *device,
                           void *context)
{
    if (!replay->primary_data)
        return;
    device->destroy_primary(context);
    free(replay->primary_data);
    replay->primary_data = NULL;
}

static void create_primary(struct sm_replay *replay, const struct sm_replay_device *device,
                           void *context)
{
    struct sm_recording *in = &replay->in;
    struct sm_replay_primary primary = {0};
    primary.width = (uint32_t)sm_recording_int(in, NULL);
    primary.height = (uint32_t)sm_recording_int(in, NULL);
    primary.stride = (int32_t)sm_recording_int(in, NULL);
    primary.format = (uint32_t)sm_recording_int(in, NULL);
    primary.position = (uint32_t)sm_recording_int(in, NULL);
    primary.mouse_mode = (uint32_t)sm_recording_int(in, NULL);
    primary.flags = (uint32_t)sm_recording_int(in, NULL);
    primary.type = (uint32_t)sm_recording_int(in, NULL);
    uint64_t size = (uint64_t)primary.height * (uint64_t)llabs(primary.stride);
    void *data = size && size <= SM_RECORDING_ITEM_MAX ? malloc((size_t)size) : NULL;
    if (!data)
        in->failed = true;
    else
        sm_recording_binary_into(in, "data", data, (size_t)size);
    if (in->failed) {
        free(data);
        return;
    }
    forget_primary(replay, device, context);
    replay->primary_data = data;
    primary.data = data;
    device->create_primary(context, &primary);
}

static void carry_out(struct sm_replay *replay, int64_t request,
                      const struct sm_replay_device *device, void *context)
{
    switch (request) {
    case REQUEST_CREATE_PRIMARY:
    case REQUEST_CREATE_PRIMARY_ASYNC:
        create_primary(replay, device, context);
        break;
    case REQUEST_DESTROY_PRIMARY:
        forget_primary(replay, device, context);
        break;
    case REQUEST_DESTROY_SURFACES:
        device->destroy_surfaces(context); /* the primary, too */
        free(replay->primary_data);
        replay->primary_data = NULL;
        break;
    default: /* of no consequence here, or of none at all */
        break;
    }
}

static void *read_body(struct sm_replay_builder *b, int64_t type)
{
    switch (type) {
    case QXL_CMD_DRAW:
        return sm_replay_read_drawable(b);
    case QXL_CMD_UPDATE:
        return sm_replay_read_update(b);
    case QXL_CMD_MESSAGE:
        return sm_replay_read_message(b);
    case QXL_CMD_SURFACE:
        return sm_replay_read_surface(b);
    case QXL_CMD_CURSOR:
        return sm_replay_read_cursor(b);
    default:
        b->in->failed = true;
        return NULL;
    }
}

static struct sm_replay_command *read_command(struct sm_replay *replay, int64_t type)
{
    struct sm_replay_command *command = calloc(1, sizeof(*command));
    if (!command) {
        replay->in.failed = true;
        return NULL;
    }
    sm_arena_init(&command->arena, COMMAND_MAX_BYTES);
    command->freed_surface_id = UINT32_MAX;
    struct sm_replay_builder builder = {
        .in = &replay->in, .command = command, .surfaces = &replay->surfaces};
    QXLReleaseInfo *body = read_body(&builder, type);
    if (!body || replay->in.failed) {
        replay->in.failed = true;
        sm_replay_free_command(replay, command);
        return NULL;
    }
    body->id = (uintptr_t)command; /* every command begins with its release information */
    command->ext.cmd.data = (uintptr_t)body;
    command->ext.cmd.type = (uint32_t)type;
    return command;
}

struct sm_replay_command *sm_replay_next(struct sm_replay *replay,
                                         const struct sm_replay_device *device, void *context)
{
    struct sm_recording *in = &replay->in;
    while (!in->failed) {
        (void)sm_recording_int(in, "event"); /* counts up */
        int64_t what = sm_recording_range(in, NULL, EVENT_COMMAND, EVENT_REQUEST);
        int64_t type = sm_recording_int(in, NULL);
        (void)sm_recording_u64(in, NULL); /* when it was recorded */
        if (in->failed)
            break;
        if (what == EVENT_COMMAND)
            return read_command(replay, type);
        carry_out(replay, type, device, context);
    }
    return NULL;
}
