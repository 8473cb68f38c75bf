/* SPDX-License-Identifier: MIT */
/* One recorded command, rebuilt as a guest's driver would have laid it out in its memory. */
#ifndef SM_SERVER_REPLAY_COMMAND_H
#define SM_SERVER_REPLAY_COMMAND_H

#include <spice/qxl_dev.h>

#include "server/replay/recording.h"

/** Recorded surface ids and the ids they have this time. */
struct sm_replay_surfaces;

/** Everything the command points to is in its arena; addresses are host pointers. */
struct sm_replay_command {
    QXLCommandExt ext; /* first: the host knows commands by its address */
    struct sm_arena arena;
    uint32_t freed_surface_id; /* of a destroy, its id this time; UINT32_MAX for others */
};

/** What the builders share while one command is read. */
struct sm_replay_builder {
    struct sm_recording *in;
    struct sm_replay_command *command;
    struct sm_replay_surfaces *surfaces;
};

/** Zeroed room in the command; NULL fails the recording. */
void *sm_replay_alloc(struct sm_replay_builder *b, size_t size);

/** Reads the body of a command; a failure is in the recording. */
QXLDrawable *sm_replay_read_drawable(struct sm_replay_builder *b);
QXLCursorCmd *sm_replay_read_cursor(struct sm_replay_builder *b);
QXLSurfaceCmd *sm_replay_read_surface(struct sm_replay_builder *b);
QXLUpdateCmd *sm_replay_read_update(struct sm_replay_builder *b);
QXLMessage *sm_replay_read_message(struct sm_replay_builder *b);

/** The parts that several commands have. Source: docs/replay.md, "The file". */
QXLRect sm_replay_read_rect(struct sm_replay_builder *b, const char *name);
QXLPoint sm_replay_read_point(struct sm_replay_builder *b);
QXLPoint16 sm_replay_read_point16(struct sm_replay_builder *b);

/**
 * Reads chunked data with the first chunk behind `head` bytes, of which the last
 * sizeof(QXLDataChunk) are that chunk's header, filled here.
 *
 * @param total  receives the bytes of all chunks
 * @return the head, or NULL on failure
 */
void *sm_replay_read_chunks(struct sm_replay_builder *b, const char *name, size_t head,
                            size_t *total);

/** Reads an image: its address, or 0 if the recording has none. */
QXLPHYSICAL sm_replay_read_image(struct sm_replay_builder *b);

/**
 * The id that the recorded surface `id` has now; −1 stays −1, and an id never seen is −1.
 * Implemented with the surface table.
 */
int32_t sm_replay_surface_id(struct sm_replay_surfaces *surfaces, int64_t id);

/** A new id for the recorded surface `id`; waits for a free one. Fails the recording if it cannot.
 */
uint32_t sm_replay_surface_create(struct sm_replay_builder *b, int64_t id);

/** Forgets the recorded surface `id`; its new id is free when its command is given back. */
uint32_t sm_replay_surface_destroy(struct sm_replay_builder *b, int64_t id);

#endif
