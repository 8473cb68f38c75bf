/* SPDX-License-Identifier: MIT */
/*
 * Writes down what the display devices of a server are told, so that it can be played back. What a
 * guest got wrong is left out; when the file cannot be written any more, one line is logged and the
 * machine goes on without a recording.
 */
#ifndef SM_SERVER_REPLAY_RECORDER_H
#define SM_SERVER_REPLAY_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/qxl/device.h"
#include "sumac/status.h"

struct sm_log;
struct sm_memslots;

/** Thread: any; all workers of a server share one. */
struct sm_recorder;

/** Requests to a worker as recordings number them. Source: docs/replay.md, "Requests". */
enum sm_recorded_request {
    SM_RECORDED_NONE = 0, /* not written down */
    SM_RECORDED_UPDATE = 1,
    SM_RECORDED_WAKEUP = 2,
    SM_RECORDED_OOM = 3,
    SM_RECORDED_START = 8,
    SM_RECORDED_STOP = 9,
    SM_RECORDED_SET_COMPRESSION = 13,
    SM_RECORDED_SET_STREAMING = 14,
    SM_RECORDED_SET_MOUSE_MODE = 15,
    SM_RECORDED_ADD_MEMSLOT = 16,
    SM_RECORDED_DEL_MEMSLOT = 17,
    SM_RECORDED_RESET_MEMSLOTS = 18,
    SM_RECORDED_DESTROY_SURFACES = 19,
    SM_RECORDED_CREATE_PRIMARY = 20,
    SM_RECORDED_DESTROY_PRIMARY = 21,
    SM_RECORDED_RESET_CURSOR = 22,
    SM_RECORDED_RESET_IMAGE_CACHE = 23,
    SM_RECORDED_DESTROY_SURFACE_WAIT = 24,
    SM_RECORDED_LOADVM_COMMANDS = 25,
    SM_RECORDED_UPDATE_ASYNC = 26,
    SM_RECORDED_ADD_MEMSLOT_ASYNC = 27,
    SM_RECORDED_DESTROY_SURFACES_ASYNC = 28,
    SM_RECORDED_CREATE_PRIMARY_ASYNC = 29,
    SM_RECORDED_DESTROY_PRIMARY_ASYNC = 30,
    SM_RECORDED_DESTROY_SURFACE_ASYNC = 31,
    SM_RECORDED_FLUSH_SURFACES_ASYNC = 32,
    SM_RECORDED_MONITORS_CONFIG_ASYNC = 35,
    SM_RECORDED_DRIVER_UNLOAD = 36,
    SM_RECORDED_GL_SCANOUT = 37,
    SM_RECORDED_GL_DRAW_ASYNC = 38,
};

/**
 * Opens the file and writes its first line. A failure is logged here.
 *
 * @param filter  as sm_record_file_open()
 * @param log     borrowed, may be NULL
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_recorder_create(struct sm_recorder **out, const char *path,
                                               const char *filter, const struct sm_log *log);

/** NULL does nothing. */
void sm_recorder_destroy(struct sm_recorder *recorder);

/** A command was pulled and is about to be carried out. `slots` are its device's. */
void sm_recorder_command(struct sm_recorder *recorder, const struct sm_memslots *slots,
                         const struct sm_qxl_ring_command *command);

/** A request is about to be carried out; one that creates a primary is told of as below. */
void sm_recorder_request(struct sm_recorder *recorder, enum sm_recorded_request request);

/** A primary was created, with these pixels. */
void sm_recorder_primary(struct sm_recorder *recorder, const struct sm_memslots *slots,
                         const struct sm_qxl_primary *primary, bool is_async);

#endif
