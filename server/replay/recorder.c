/* SPDX-License-Identifier: MIT */
#include "server/replay/recorder.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "server/replay/record_file.h"
#include "server/replay/recording.h"
#include "server/replay/scribe.h"
#include "server/session/log.h"

enum {
    /* The text of one event: its largest item, and much more than everything around it. */
    EVENT_MAX_BYTES = SM_RECORDING_ITEM_MAX + (64 << 20),
    KEPT_BYTES = 1 << 20, /* of the text's memory between events */
    EVENT_COMMAND = 0,
    EVENT_REQUEST = 1,
};

struct sm_recorder {
    const struct sm_log *log;
    pthread_mutex_t lock;        /* guards the rest */
    struct sm_record_file *file; /* owned; NULL once it has failed */
    struct sm_writer text;       /* of one event */
    uint32_t count;              /* events written */
};

static void give_up(struct sm_recorder *recorder, const char *reason)
{
    sm_say(recorder->log, SM_LOG_WARNING, "the recording ends here: %s", reason);
    sm_record_file_close(recorder->file);
    recorder->file = NULL;
}

enum sm_status sm_recorder_create(struct sm_recorder **out, const char *path, const char *filter,
                                  const struct sm_log *log)
{
    struct sm_recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder)
        return SM_ERR_NOMEM;
    recorder->log = log;
    pthread_mutex_init(&recorder->lock, NULL);
    sm_writer_init(&recorder->text, EVENT_MAX_BYTES);
    const char *reason = "";
    enum sm_status status = sm_record_file_open(&recorder->file, path, filter, &reason);
    if (status) {
        sm_say(log, SM_LOG_WARNING, "no recording in %s: %s", path, reason);
        sm_recorder_destroy(recorder);
        return status;
    }
    static const uint8_t HEAD[] = "SPICE_REPLAY 1\n";
    if (!sm_record_file_write(recorder->file, (struct sm_bytes){HEAD, sizeof(HEAD) - 1}, &reason))
        give_up(recorder, reason);
    *out = recorder;
    return SM_OK;
}

void sm_recorder_destroy(struct sm_recorder *recorder)
{
    if (!recorder)
        return;
    sm_record_file_close(recorder->file);
    sm_writer_finish(&recorder->text);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void put_event(struct sm_scribe *scribe, uint32_t count, int what, uint32_t type)
{
    sm_scribe_text(scribe, "event %" PRIu32 " %d %" PRIu32 " %" PRIu64 "\n", count, what, type,
                   now_ns());
}

/* Writes the event whose text is complete; one that failed leaves no trace. */
static void commit(struct sm_recorder *recorder, const struct sm_scribe *scribe)
{
    const char *reason = "";
    bool is_good = !scribe->failed && sm_writer_status(&recorder->text) == SM_OK;
    if (is_good && !sm_record_file_write(recorder->file, sm_writer_bytes(&recorder->text), &reason))
        give_up(recorder, reason);
    recorder->count += is_good;
    sm_writer_reset(&recorder->text);
    if (recorder->text.capacity > KEPT_BYTES) {
        sm_writer_finish(&recorder->text);
        sm_writer_init(&recorder->text, EVENT_MAX_BYTES);
    }
}

static void put_body(struct sm_scribe *scribe, const struct sm_qxl_ring_command *command)
{
    switch (command->type) {
    case SM_QXL_DRAW:
        sm_scribe_drawable(scribe, command->address);
        break;
    case SM_QXL_UPDATE:
        sm_scribe_update(scribe, command->address);
        break;
    case SM_QXL_CURSOR:
        sm_scribe_cursor(scribe, command->address);
        break;
    case SM_QXL_MESSAGE:
        sm_scribe_message(scribe, command->address);
        break;
    case SM_QXL_SURFACE:
        sm_scribe_surface(scribe, command->address);
        break;
    default: /* nobody knows its body */
        scribe->failed = true;
        break;
    }
}

void sm_recorder_command(struct sm_recorder *recorder, const struct sm_memslots *slots,
                         const struct sm_qxl_ring_command *command)
{
    pthread_mutex_lock(&recorder->lock);
    if (recorder->file) {
        struct sm_scribe scribe = {
            .out = &recorder->text,
            .slots = slots,
            .group = command->group,
            .is_compat = command->flags & SM_QXL_COMPAT,
            .is_555 = command->flags & SM_QXL_COMPAT_16BPP,
        };
        put_event(&scribe, recorder->count, EVENT_COMMAND, command->type);
        put_body(&scribe, command);
        commit(recorder, &scribe);
    }
    pthread_mutex_unlock(&recorder->lock);
}

void sm_recorder_request(struct sm_recorder *recorder, enum sm_recorded_request request)
{
    if (request == SM_RECORDED_NONE || request == SM_RECORDED_CREATE_PRIMARY ||
        request == SM_RECORDED_CREATE_PRIMARY_ASYNC)
        return;
    pthread_mutex_lock(&recorder->lock);
    if (recorder->file) {
        struct sm_scribe scribe = {.out = &recorder->text};
        put_event(&scribe, recorder->count, EVENT_REQUEST, request);
        commit(recorder, &scribe);
    }
    pthread_mutex_unlock(&recorder->lock);
}

void sm_recorder_primary(struct sm_recorder *recorder, const struct sm_memslots *slots,
                         const struct sm_qxl_primary *primary, bool is_async)
{
    pthread_mutex_lock(&recorder->lock);
    if (recorder->file) {
        struct sm_scribe scribe = {.out = &recorder->text, .slots = slots, .group = primary->group};
        put_event(&scribe, recorder->count, EVENT_REQUEST,
                  is_async ? SM_RECORDED_CREATE_PRIMARY_ASYNC : SM_RECORDED_CREATE_PRIMARY);
        sm_scribe_text(&scribe, "%d %d %d %d\n", (int32_t)primary->width, (int32_t)primary->height,
                       primary->stride_bytes, (int32_t)primary->format);
        sm_scribe_text(&scribe, "0 %d %d 0\n", primary->mouse_mode,
                       primary->keep_data ? QXL_SURF_FLAG_KEEP_DATA : 0);
        uint64_t size = (uint64_t)primary->height * (uint64_t)llabs(primary->stride_bytes);
        if (size > SM_RECORDING_ITEM_MAX)
            scribe.failed = true;
        sm_scribe_binary(&scribe, "data", primary->address, (size_t)size);
        commit(recorder, &scribe);
    }
    pthread_mutex_unlock(&recorder->lock);
}
