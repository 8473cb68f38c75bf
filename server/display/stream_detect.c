/* SPDX-License-Identifier: MIT */
#include "server/display/stream_detect.h"

#include <stddef.h>

enum {
    START_FRAMES = 20,
    MIN_PIXELS = 96 * 96, /* of a stream, unless it takes all */
    MIN_PIECE_PX = 64,    /* smaller ones are glyphs and the like */
    /* Frames follow each other at this distance at most. */
    FRAME_GAP_US = 200 * 1000,
    /* Pieces of a frame do. */
    PIECE_GAP_US = 40 * 1000,
    FRAME_SPAN_US = 100 * 1000,
    MAX_FRAME_RECTS = 256, /* of a frame: tiles, until they touch */
    GRADUAL_MEMORY = 100,  /* frames after which a gradual one is forgotten */
    GRADUAL_SHARE = 5,     /* one in so many has to be gradual */
    INTERVAL_WEIGHT = 8,
    SPAN_FRAMES = 8, /* whose boxes together are where the picture is */
};

static uint64_t pixels_of(struct sm_rect r)
{
    return sm_rect_is_empty(r) ? 0 : (uint64_t)(sm_rect_width(r) * sm_rect_height(r));
}

static struct sm_rect around(struct sm_rect a, struct sm_rect b)
{
    return (struct sm_rect){
        .left = a.left < b.left ? a.left : b.left,
        .top = a.top < b.top ? a.top : b.top,
        .right = a.right > b.right ? a.right : b.right,
        .bottom = a.bottom > b.bottom ? a.bottom : b.bottom,
    };
}

static bool is_same_size(struct sm_rect a, struct sm_rect b)
{
    return sm_rect_width(a) == sm_rect_width(b) && sm_rect_height(a) == sm_rect_height(b);
}

/* True if `a` and `b` overlap or lie side by side. */
static bool touches(struct sm_rect a, struct sm_rect b)
{
    return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

static uint64_t overlap_px(struct sm_rect a, struct sm_rect b)
{
    return pixels_of(sm_rect_intersect(a, b));
}

static void clear(struct sm_detect_trace *trace)
{
    sm_region_finish(&trace->frame);
    *trace = (struct sm_detect_trace){.is_used = false};
}

void sm_stream_detect_reset(struct sm_stream_detect *detect)
{
    for (unsigned i = 0; i < SM_DETECT_MAX_TRACES; i++)
        clear(&detect->traces[i]);
    for (unsigned i = 0; i < SM_DETECT_MAX_STREAMS; i++)
        clear(&detect->streams[i]);
}

const struct sm_detect_trace *sm_stream_detect_find(const struct sm_stream_detect *detect,
                                                    uint32_t id)
{
    return id < SM_DETECT_MAX_STREAMS && detect->streams[id].is_used ? &detect->streams[id] : NULL;
}

void sm_stream_detect_end(struct sm_stream_detect *detect, uint32_t id)
{
    if (id < SM_DETECT_MAX_STREAMS)
        clear(&detect->streams[id]);
}

/* ---- frames ---- */

/* Whether most of a piece was drawn in this frame already, so that it belongs to the next. */
static bool was_drawn(const struct sm_detect_trace *trace, struct sm_rect box)
{
    return trace->frame.count > 0 && 2 * overlap_px(trace->drawn, box) >= pixels_of(box) &&
           sm_region_contains_point(&trace->frame, box.left + (int32_t)sm_rect_width(box) / 2,
                                    box.top + (int32_t)sm_rect_height(box) / 2);
}

static bool add_to_frame(struct sm_detect_trace *trace, const struct sm_detect_piece *piece)
{
    if (trace->frame.count > MAX_FRAME_RECTS ||
        sm_region_union_rect(&trace->frame, piece->box) != SM_OK)
        return false;
    uint64_t px = pixels_of(piece->box);
    trace->drawn = trace->frame.bounds;
    trace->piece_us = piece->now_us;
    trace->min_piece_px = px < trace->min_piece_px ? px : trace->min_piece_px;
    return true;
}

static bool begin_frame(struct sm_detect_trace *trace, const struct sm_detect_piece *piece)
{
    sm_region_finish(&trace->frame);
    trace->is_counted = trace->is_gradual = false;
    trace->frame_began_us = piece->now_us;
    return add_to_frame(trace, piece);
}

static void note_interval(struct sm_detect_trace *trace)
{
    uint64_t interval_us = trace->frame_began_us - trace->counted_us;
    if (trace->frames < 2 || interval_us > SM_DETECT_END_US)
        return;
    trace->interval_us = trace->interval_us == 0
                             ? interval_us
                             : trace->interval_us - trace->interval_us / INTERVAL_WEIGHT +
                                   interval_us / INTERVAL_WEIGHT;
}

static void count_gradual(struct sm_detect_trace *trace, bool is_gradual)
{
    if (is_gradual) {
        trace->gradual++;
        trace->since_gradual = 0;
    } else if (++trace->since_gradual > GRADUAL_MEMORY) {
        trace->frames = trace->gradual = 1;
        trace->since_gradual = 0;
    }
}

/*
 * Where the frames are after one was drawn to `drawn`: the same place, a part of it, a little more,
 * or somewhere near in the same size. False if it is another place altogether.
 */
static bool follow(const struct sm_detect_trace *trace, struct sm_rect drawn, struct sm_rect *box)
{
    *box = trace->box;
    if (sm_rect_contains(trace->box, drawn))
        return 2 * pixels_of(drawn) >= pixels_of(trace->box);
    if (is_same_size(trace->box, drawn) && overlap_px(trace->box, drawn) > 0) {
        *box = drawn;
        return true;
    }
    *box = around(trace->box, drawn);
    return 2 * pixels_of(*box) <= 3 * pixels_of(trace->box);
}

/* What was drawn beside the picture by accident must not stay a part of it. */
static void follow_span(struct sm_detect_trace *trace, struct sm_rect box)
{
    bool is_moved = is_same_size(trace->box, box) && !sm_rect_equal(trace->box, box);
    trace->span =
        is_moved || trace->span_frames == 0 ? trace->drawn : around(trace->span, trace->drawn);
    trace->box = box;
    if (++trace->span_frames < SPAN_FRAMES)
        return;
    trace->box = trace->span;
    trace->span_frames = 0;
}

/* The newest frame is complete: is it one more of the same picture? */
static void count_frame(struct sm_detect_trace *trace)
{
    if (trace->is_counted)
        return;
    trace->is_counted = true;
    struct sm_rect box;
    bool is_solid = 10 * sm_region_area(&trace->frame) >= 6 * pixels_of(trace->drawn);
    bool is_next = trace->frames > 0 && is_solid && follow(trace, trace->drawn, &box) &&
                   trace->frame_began_us - trace->counted_us <= FRAME_GAP_US;
    if (is_next) {
        trace->frames++;
        follow_span(trace, box);
        note_interval(trace);
    } else {
        trace->frames = 1;
        trace->gradual = trace->since_gradual = 0;
        trace->interval_us = 0;
        trace->box = trace->span = trace->drawn;
        trace->span_frames = 0;
        trace->min_piece_px = pixels_of(trace->drawn);
    }
    count_gradual(trace, trace->is_gradual);
    trace->counted_us = trace->frame_began_us;
}

/* ---- running streams ---- */

/* Whether a piece is one of the stream; small things drawn over a picture are not. */
static bool belongs(const struct sm_detect_trace *stream, const struct sm_detect_piece *piece,
                    struct sm_rect *box)
{
    *box = stream->box;
    uint64_t px = pixels_of(piece->box), box_px = pixels_of(stream->box);
    if (piece->now_us - stream->piece_us > SM_DETECT_END_US || 2 * px < stream->min_piece_px)
        return false;
    if (sm_rect_contains(stream->box, piece->box))
        return true;
    bool is_moved =
        is_same_size(stream->box, piece->box) && overlap_px(stream->box, piece->box) > 0;
    bool is_larger = sm_rect_contains(piece->box, stream->box) && px <= 2 * box_px;
    *box = piece->box;
    return is_moved || is_larger;
}

/* True if everything of the stream that can be seen was drawn in this frame. */
static bool is_complete(const struct sm_detect_trace *stream)
{
    return sm_region_contains_rect(&stream->frame, stream->box);
}

static void add_to_stream(struct sm_detect_trace *stream, const struct sm_detect_piece *piece,
                          struct sm_rect box, struct sm_detect_verdict *out)
{
    out->has_moved = !sm_rect_equal(box, stream->box);
    out->begins_frame = out->has_moved || was_drawn(stream, piece->box) ||
                        piece->now_us - stream->frame_began_us > FRAME_SPAN_US;
    stream->box = box;
    bool is_kept;
    if (out->begins_frame) {
        is_kept = begin_frame(stream, piece);
        stream->frames++;
        note_interval(stream);
        stream->counted_us = stream->frame_began_us;
    } else {
        is_kept = add_to_frame(stream, piece);
    }
    stream->piece_us = piece->now_us;
    out->is_piece = true;
    out->completes_frame = !is_kept || is_complete(stream);
}

static bool find_stream(struct sm_stream_detect *detect, const struct sm_detect_piece *piece,
                        struct sm_detect_verdict *out)
{
    struct sm_rect box;
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        struct sm_detect_trace *stream = &detect->streams[id];
        if (!stream->is_used || !belongs(stream, piece, &box))
            continue;
        out->id = id;
        add_to_stream(stream, piece, box, out);
        return true;
    }
    return false;
}

/* ---- traces ---- */

/* Whether a piece continues a trace: as a part of its frame, or as the beginning of the next. */
static bool continues(struct sm_detect_trace *trace, const struct sm_detect_piece *piece,
                      bool *begins_frame)
{
    uint64_t age_us = piece->now_us - trace->piece_us;
    if (!trace->is_used || age_us > FRAME_GAP_US)
        return false;
    *begins_frame = was_drawn(trace, piece->box);
    if (*begins_frame)
        return true;
    if (touches(trace->drawn, piece->box) && age_us <= PIECE_GAP_US &&
        piece->now_us - trace->frame_began_us <= FRAME_SPAN_US && !trace->is_counted)
        return true;
    *begins_frame = true;
    return 2 * overlap_px(trace->box, piece->box) >= pixels_of(piece->box) ||
           (is_same_size(trace->box, piece->box) && overlap_px(trace->box, piece->box) > 0);
}

static struct sm_detect_trace *find_trace(struct sm_stream_detect *detect,
                                          const struct sm_detect_piece *piece, bool *begins_frame)
{
    /* A place known as a whole comes before one that it could be a part of. */
    for (unsigned i = 0; i < SM_DETECT_MAX_TRACES; i++) {
        struct sm_detect_trace *trace = &detect->traces[i];
        if (trace->is_used && trace->frames > 0 && sm_rect_equal(trace->box, piece->box) &&
            piece->now_us - trace->piece_us <= FRAME_GAP_US) {
            *begins_frame = true;
            return trace;
        }
    }
    for (unsigned i = 0; i < SM_DETECT_MAX_TRACES; i++)
        if (continues(&detect->traces[i], piece, begins_frame))
            return &detect->traces[i];
    return NULL;
}

/* Room for a new trace: what was not seen lately, else what was seen least. */
static struct sm_detect_trace *make_trace(struct sm_stream_detect *detect,
                                          const struct sm_detect_piece *piece)
{
    struct sm_detect_trace *least = &detect->traces[0];
    for (unsigned i = 0; i < SM_DETECT_MAX_TRACES; i++) {
        struct sm_detect_trace *trace = &detect->traces[i];
        if (!trace->is_used || piece->now_us - trace->piece_us > FRAME_GAP_US) {
            least = trace;
            break;
        }
        bool is_less = trace->frames != least->frames ? trace->frames < least->frames
                                                      : trace->piece_us < least->piece_us;
        least = is_less ? trace : least;
    }
    clear(least);
    least->is_used = true;
    least->min_piece_px = UINT64_MAX;
    return least;
}

static bool may_start(const struct sm_stream_detect *detect, const struct sm_detect_trace *trace)
{
    if (trace->frames < START_FRAMES)
        return false;
    return detect->takes_all ||
           (trace->gradual * GRADUAL_SHARE >= trace->frames && pixels_of(trace->box) >= MIN_PIXELS);
}

static void start_stream(struct sm_stream_detect *detect, struct sm_detect_trace *trace,
                         struct sm_detect_verdict *out)
{
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        if (detect->streams[id].is_used)
            continue;
        detect->streams[id] = *trace; /* with the memory of its region */
        *trace = (struct sm_detect_trace){.is_used = false};
        *out = (struct sm_detect_verdict){.is_piece = true,
                                          .is_new = true,
                                          .begins_frame = true,
                                          .completes_frame = is_complete(&detect->streams[id]),
                                          .id = id};
        return;
    }
}

struct sm_detect_verdict sm_stream_detect_add(struct sm_stream_detect *detect,
                                              const struct sm_detect_piece *piece)
{
    struct sm_detect_verdict verdict = {.is_piece = false};
    if (pixels_of(piece->box) < MIN_PIECE_PX || find_stream(detect, piece, &verdict))
        return verdict;
    bool begins_frame = true;
    struct sm_detect_trace *trace = find_trace(detect, piece, &begins_frame);
    if (!trace)
        trace = make_trace(detect, piece);
    else if (begins_frame)
        count_frame(trace);
    bool is_kept = begins_frame ? begin_frame(trace, piece) : add_to_frame(trace, piece);
    if (!is_kept) {
        clear(trace);
        return verdict;
    }
    if (!trace->is_gradual)
        trace->is_gradual = detect->takes_all || piece->is_gradual(piece->opaque);
    /* A picture drawn whole is counted when it comes, others when the next frame begins. */
    if (trace->frames > 0 && sm_region_contains_rect(&trace->frame, trace->box))
        count_frame(trace);
    if (may_start(detect, trace))
        start_stream(detect, trace, &verdict);
    return verdict;
}
