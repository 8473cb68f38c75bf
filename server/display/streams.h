/* SPDX-License-Identifier: MIT */
/*
 * The moving pictures of a screen: finds them among its drawings, and gives each client an agent
 * for each of them. Whoever queues a drawing for a client asks whether a stream carries it.
 * Source: docs/video.md.
 */
#ifndef SM_SERVER_DISPLAY_STREAMS_H
#define SM_SERVER_DISPLAY_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/reader.h"
#include "io/loop.h"
#include "server/display/drawable.h"
#include "server/display/stream_agent.h"
#include "server/display/video_choice.h"
#include "server/display/worker.h"
#include "sumac/status.h"

struct sm_log;

/** Thread: the worker's. */
struct sm_streams;

struct sm_streams_config {
    struct sm_loop loop;
    const struct sm_log *log;          /* borrowed, may be NULL */
    const struct sm_stream_host *host; /* borrowed */
    void *host_context;
    enum sm_worker_streaming mode;
    struct sm_video_list codecs;
};

SM_NODISCARD enum sm_status sm_streams_create(struct sm_streams **out,
                                              const struct sm_streams_config *config);

/** After all clients were removed. NULL does nothing. */
void sm_streams_destroy(struct sm_streams *streams);

/** Ends all streams, so that the new setting counts. */
void sm_streams_set_mode(struct sm_streams *streams, enum sm_worker_streaming mode);
void sm_streams_set_codecs(struct sm_streams *streams, const struct sm_video_list *codecs);

/** The primary goes: ends all streams, and nothing is put right. */
void sm_streams_forget(struct sm_streams *streams);

/* ---- clients ---- */

/** A client is ready: it gets the streams that run. Out of memory: it gets drawings. */
void sm_streams_add_client(struct sm_streams *streams, struct sm_display_peer *client);

/** It goes to another server: its streams end, and it gets what they owe. */
void sm_streams_dismiss_client(struct sm_streams *streams, struct sm_display_peer *client);

/** Ends what it has of streams; to be called before the client is destroyed. */
void sm_streams_remove_client(struct sm_streams *streams, struct sm_display_peer *client);

void sm_streams_report(struct sm_streams *streams, struct sm_display_peer *client,
                       const struct sm_msgc_display_stream_report *report);

/** The client prefers these codecs; its streams begin anew. */
void sm_streams_prefer(struct sm_streams *streams, struct sm_display_peer *client,
                       struct sm_bytes codecs);

/* ---- drawings ---- */

/** What a drawing is to streams, from before it is on its surface until it was queued. */
struct sm_stream_verdict {
    struct sm_stream *stream; /* it is a piece of this one; NULL: of none */
    bool is_complete;         /* and the picture is complete with it */
    bool is_whole;            /* and it is all of the picture */
};

/** Looks at a drawing that is about to be added to its surface. */
struct sm_stream_verdict sm_streams_look(struct sm_streams *streams,
                                         const struct sm_drawing *drawing);

/** True if the client gets the drawing as a part of a frame, so it needs not be queued. */
bool sm_streams_carry(const struct sm_stream_verdict *verdict,
                      const struct sm_display_peer *client);

/**
 * True if the drawing depends on pixels that the client does not have exactly, so that it has to
 * get the result as pixels.
 */
bool sm_streams_disturb(const struct sm_streams *streams, const struct sm_display_peer *client,
                        const struct sm_drawing *drawing);

/** The drawing is on its surface and was queued for whom it was to be queued. */
void sm_streams_drawn(struct sm_streams *streams, const struct sm_stream_verdict *verdict,
                      struct sm_drawable *drawable);

#endif
