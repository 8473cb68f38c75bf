/* SPDX-License-Identifier: MIT */
/*
 * Finds moving pictures among the drawings of a surface. A frame is what is drawn in one go: a
 * single copy, or strips and tiles that touch each other. Frames that follow each other at about
 * the same place become a stream. Source: docs/video.md, "What becomes a stream".
 */
#ifndef SM_SERVER_DISPLAY_STREAM_DETECT_H
#define SM_SERVER_DISPLAY_STREAM_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/gfx/region.h"
#include "sumac/status.h"

enum {
    SM_DETECT_MAX_STREAMS = 50,
    SM_DETECT_MAX_TRACES = 8,
    /** A stream that gets no piece for so long has ended. */
    SM_DETECT_END_US = 1000 * 1000,
};

/** A copy of a bitmap to the primary that hides what was there. */
struct sm_detect_piece {
    struct sm_rect box; /* where it goes, uncut */
    uint64_t now_us;
    /** Whether it looks like a photograph; asked at most once, with `opaque`. */
    bool (*is_gradual)(const void *opaque);
    const void *opaque;
};

/** What a place was seen doing. */
struct sm_detect_trace {
    bool is_used;
    struct sm_rect box;      /* of its frames */
    struct sm_region frame;  /* drawn of the newest frame so far */
    struct sm_rect drawn;    /* the box around its pieces */
    bool is_counted;         /* the newest frame is in `frames` already */
    bool is_gradual;         /* a piece of the newest frame is */
    uint64_t frame_began_us; /* of the newest frame */
    uint64_t piece_us;       /* newest piece */
    uint64_t counted_us;     /* newest frame that was counted */
    uint64_t interval_us;    /* between frames, smoothed; 0: unknown */
    uint64_t min_piece_px;   /* the smallest piece */
    struct sm_rect span;     /* the box around the last few frames */
    uint32_t span_frames;
    uint32_t frames, gradual, since_gradual;
};

/** Zeroed memory has seen nothing. Thread: one at a time. */
struct sm_stream_detect {
    bool takes_all; /* small and flat pictures are streams, too */
    struct sm_detect_trace traces[SM_DETECT_MAX_TRACES];
    struct sm_detect_trace streams[SM_DETECT_MAX_STREAMS]; /* those that are used run */
};

/** What a piece is, and what it did. */
struct sm_detect_verdict {
    bool is_piece;        /* of stream `id` */
    bool is_new;          /* the stream begins with it */
    bool has_moved;       /* the stream's box is another one from now on */
    bool begins_frame;    /* the frame before is as complete as it gets */
    bool completes_frame; /* nothing of the frame is missing */
    uint32_t id;
};

/** Forgets everything. */
void sm_stream_detect_reset(struct sm_stream_detect *detect);

/** Takes a piece; what cannot be kept for lack of memory is no piece of a stream. */
struct sm_detect_verdict sm_stream_detect_add(struct sm_stream_detect *detect,
                                              const struct sm_detect_piece *piece);

/** The stream `id`, or NULL if it does not run. */
const struct sm_detect_trace *sm_stream_detect_find(const struct sm_stream_detect *detect,
                                                    uint32_t id);

/** Ends a stream; its place has to show itself again. */
void sm_stream_detect_end(struct sm_stream_detect *detect, uint32_t id);

#endif
