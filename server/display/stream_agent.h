/* SPDX-License-Identifier: MIT */
/*
 * A stream as one client gets it: created with the codec the client can show, then a frame whenever
 * the line takes one. The picture is taken when a frame's turn has come, so what is late is never
 * encoded. Keeps account of what the client shows that is not exact. Source: docs/video.md.
 */
#ifndef SM_SERVER_DISPLAY_STREAM_AGENT_H
#define SM_SERVER_DISPLAY_STREAM_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/list.h"
#include "core/base/pixels.h"
#include "core/gfx/region.h"
#include "server/display/display_peer.h"
#include "server/display/stream_rate.h"
#include "server/display/video_choice.h"

struct sm_drawable;
struct sm_video_encoders;

/** A moving picture of the primary, the same for all its clients. Thread: the worker's. */
struct sm_stream {
    bool is_live;
    uint32_t id;
    struct sm_rect box;
    struct sm_region visible;  /* where nothing else was drawn over it */
    struct sm_drawable *whole; /* held: all of the newest picture; NULL: look at the surface */
    uint64_t changed_us;       /* newest piece */
    uint64_t settle_us;        /* when pieces of a frame are taken for a whole; 0: there are none */
    uint64_t interval_us;      /* between frames; 0: unknown */
    struct sm_list agents;
    const struct sm_stream_host *host; /* borrowed */
    void *host_context;
};

/** What an agent needs of the screen. */
struct sm_stream_host {
    /**
     * The pixels of an area of the primary as they are now.
     *
     * @param memory  receives malloc memory that the caller frees; `pixels` lie in it
     */
    enum sm_status (*take_picture)(void *context, struct sm_rect area, uint8_t **memory,
                                   struct sm_pixels *pixels);
};

/** Thread: the worker's; frames are encoded on any. */
struct sm_stream_agent;

struct sm_stream_agent_config {
    struct sm_stream *stream;           /* borrowed until sm_stream_agent_end() */
    struct sm_display_peer *peer;       /* likewise */
    struct sm_video_list codecs;        /* to try, best first */
    struct sm_video_encoders *encoders; /* borrowed for the call */
    uint64_t bits_per_second;           /* to begin with; 0: nothing is known of the line */
    uint32_t unique_id;                 /* of this stream for this client, in reports */
};

/**
 * Creates an agent in the stream's list and queues STREAM_CREATE.
 *
 * @return SM_OK; SM_ERR_LIMIT if no codec can be used; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_stream_agent_create(struct sm_stream_agent **out,
                                                   const struct sm_stream_agent_config *config);

/**
 * Ends it, queueing STREAM_DESTROY, and lets go of stream and client; frames under way are dropped
 * or sent.
 *
 * @param restore  queue what makes the client's picture exact again, too
 */
void sm_stream_agent_end(struct sm_stream_agent *agent, bool restore);

/** In the stream's list. */
struct sm_stream_agent *sm_stream_agent_of(struct sm_list *link);
struct sm_display_peer *sm_stream_agent_peer(const struct sm_stream_agent *agent);
/** What encodes, for the log; static. */
const char *sm_stream_agent_encoder_name(const struct sm_stream_agent *agent);

/** True while the client gets the picture as frames; false once that was found impossible. */
bool sm_stream_agent_carries(const struct sm_stream_agent *agent);

/** The picture has changed, and is complete as far as anybody knows. */
void sm_stream_agent_offer(struct sm_stream_agent *agent, uint64_t now_us);

/** The stream's box is another one. False: this agent cannot go there, another one has to. */
bool sm_stream_agent_can_follow(const struct sm_stream_agent *agent);

/**
 * The stream's drawing changes `region`: whatever becomes of the frames that are to show it, until
 * it was sent exactly the client may have something else there.
 */
void sm_stream_agent_draw(struct sm_stream_agent *agent, const struct sm_region *region);

/** Something that is not the stream's is drawn here, exactly. */
void sm_stream_agent_cover(struct sm_stream_agent *agent, const struct sm_region *region);

/** Whether the client shows anything in `area` that is not exact. */
bool sm_stream_agent_is_lossy(const struct sm_stream_agent *agent, struct sm_rect area);

/** If no frame is under way, makes the client's picture exact again; it may change later. */
void sm_stream_agent_restore(struct sm_stream_agent *agent);

/** Takes what the client says about the stream. */
void sm_stream_agent_report(struct sm_stream_agent *agent,
                            const struct sm_msgc_display_stream_report *report, uint64_t now_us);

#endif
