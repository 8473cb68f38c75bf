/* SPDX-License-Identifier: MIT */
#include "server/display/stream_agent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/codec/codec.h"
#include "core/wire/display.h"
#include "io/clock.h"
#include "server/display/image_policy.h"
#include "server/display/peer_queue.h"
#include "server/display/video_encoders.h"
#include "server/session/handover.h"

enum {
    MAX_SLOTS = 2, /* frames encoded side by side, where they do not depend on each other */
    REPORT_WINDOW = 5,
    REPORT_TIMEOUT_MS = 1000,
    FIRST_MARGIN_MS = 60, /* for a line nothing is known of */
    ENCODER_THREADS = 2,
    DEFAULT_FPS = 30,
};

/* One encoder, and room for one frame of it. */
struct slot {
    void *encoder; /* owned; NULL until it is needed */
    uint32_t width, height;
    bool is_busy;
};

struct sm_stream_agent {
    struct sm_list link;
    unsigned refs;                /* the stream's, and one a thing queued */
    struct sm_stream *stream;     /* NULL: it has ended */
    struct sm_display_peer *peer; /* likewise */
    const struct sm_video_encoder_ops *ops;
    void *card; /* borrowed: what may encode for it, or NULL */
    struct slot slots[MAX_SLOTS];
    unsigned slot_count;
    uint32_t unique_id;
    struct sm_rect dest;   /* as the client was told when it was created */
    struct sm_region clip; /* likewise; all of `dest` if `is_unclipped` */
    bool is_unclipped;
    bool has_failed; /* nothing more comes of it: drawings go as they are */
    bool is_behind;  /* the picture changed after the last frame was queued */
    bool needs_key;
    unsigned waiting, under_way; /* frames queued, frames begun */
    struct sm_region lossy;
    struct sm_stream_rate rate;
};

/* A frame on its way. */
struct frame {
    struct sm_stream_agent *agent; /* held */
    struct slot *slot;             /* NULL until it has begun */
    struct sm_drawable *drawable;  /* held: where `pixels` lie, or */
    uint8_t *memory;               /* owned: where they lie */
    struct sm_pixels pixels;
    struct sm_video_setup setup;
    struct sm_video_order order;
    enum sm_status status;
    uint64_t encode_us;
    struct sm_bytes data;
    struct sm_display_msg msg;
};

/* A change of the clip on its way. */
struct clip {
    struct sm_stream_agent *agent; /* held */
    struct sm_rect *rects;         /* owned */
    struct sm_display_msg msg;
};

static void unref(struct sm_stream_agent *agent)
{
    if (--agent->refs > 0)
        return;
    for (unsigned i = 0; i < MAX_SLOTS; i++)
        agent->ops->destroy(agent->slots[i].encoder);
    sm_region_finish(&agent->clip);
    sm_region_finish(&agent->lossy);
    free(agent);
}

static bool is_over(const struct sm_stream_agent *agent)
{
    return !agent->stream || agent->has_failed || !sm_display_peer_is_ready(agent->peer);
}

static void fail(struct sm_stream_agent *agent)
{
    agent->has_failed = true;
}

/* ---- the clip ---- */

/* True if all of the stream is to be seen. */
static bool is_all_visible(const struct sm_stream *stream)
{
    return sm_region_contains_rect(&stream->visible, stream->box);
}

static bool begin_clip(void *late)
{
    struct clip *clip = late;
    struct sm_stream_agent *agent = clip->agent;
    if (is_over(agent))
        return false;
    struct sm_stream *stream = agent->stream;
    bool is_unclipped = is_all_visible(stream);
    if (is_unclipped ? agent->is_unclipped
                     : !agent->is_unclipped && sm_region_equal(&agent->clip, &stream->visible))
        return false;
    struct sm_msg_display_stream_clip *body = &clip->msg.stream_clip;
    clip->msg.type = SM_MSG_DISPLAY_STREAM_CLIP;
    body->id = stream->id;
    body->clip.type = SM_CLIP_TYPE_NONE;
    if (!is_unclipped) {
        uint32_t count;
        const struct sm_rect *rects = sm_region_rects(&stream->visible, &count);
        clip->rects = sm_memdup(rects, sizeof(*rects) * (count ? count : 1));
        if (!clip->rects || sm_region_copy(&agent->clip, &stream->visible) != SM_OK)
            return false; /* the old one does until the next frame */
        body->clip.type = SM_CLIP_TYPE_RECTS;
        body->clip.num_rects = count;
        body->clip.rects = clip->rects;
    }
    agent->is_unclipped = is_unclipped;
    return true;
}

static const struct sm_display_msg *clip_message(void *late)
{
    struct clip *clip = late;
    return &clip->msg;
}

static void destroy_clip(void *late, bool was_sent)
{
    struct clip *clip = late;
    (void)was_sent;
    unref(clip->agent);
    free(clip->rects);
    free(clip);
}

static const struct sm_late_ops CLIP_OPS = {
    .begin = begin_clip, .message = clip_message, .destroy = destroy_clip};

/* ---- a frame ---- */

/* The pixels of the newest drawing itself, if it is all there is to see. */
static bool take_drawing(struct frame *frame, const struct sm_stream *stream)
{
    if (!stream->whole)
        return false;
    const struct sm_bitmap *bitmap = &stream->whole->drawing->msg.draw_copy.src_bitmap->bitmap;
    struct sm_pixels_in in = sm_image_policy_pixels(bitmap);
    if (in.format != SM_PIXEL_XRGB32 && in.format != SM_PIXEL_ARGB32 && in.format != SM_PIXEL_RGB24)
        return false;
    frame->drawable = sm_drawable_ref(stream->whole);
    uint8_t *first = (uint8_t *)(uintptr_t)in.data.data;
    ptrdiff_t stride_bytes = (ptrdiff_t)in.stride_bytes;
    frame->pixels = (struct sm_pixels){
        .data = in.is_top_down ? first : first + (ptrdiff_t)(in.height - 1) * stride_bytes,
        .stride_bytes = in.is_top_down ? stride_bytes : -stride_bytes,
        .width = in.width,
        .height = in.height,
        .format = in.format,
    };
    return true;
}

static struct slot *free_slot(struct sm_stream_agent *agent)
{
    for (unsigned i = 0; i < agent->slot_count; i++)
        if (!agent->slots[i].is_busy)
            return &agent->slots[i];
    return NULL;
}

static void describe_message(struct frame *frame, const struct sm_stream_agent *agent,
                             uint32_t stamp)
{
    const struct sm_stream *stream = agent->stream;
    if (sm_rect_equal(stream->box, agent->dest)) {
        frame->msg.type = SM_MSG_DISPLAY_STREAM_DATA;
        frame->msg.stream_data.id = stream->id;
        frame->msg.stream_data.multi_media_time = stamp;
        return;
    }
    frame->msg.type = SM_MSG_DISPLAY_STREAM_DATA_SIZED;
    frame->msg.stream_data_sized = (struct sm_msg_display_stream_data_sized){
        .id = stream->id,
        .multi_media_time = stamp,
        .width = frame->pixels.width,
        .height = frame->pixels.height,
        .dest = stream->box,
    };
}

static bool begin_frame(void *late)
{
    struct frame *frame = late;
    struct sm_stream_agent *agent = frame->agent;
    struct slot *slot = free_slot(agent);
    if (is_over(agent) || !slot)
        return false;
    struct sm_stream *stream = agent->stream;
    if (!take_drawing(frame, stream) &&
        stream->host->take_picture(stream->host_context, stream->box, &frame->memory,
                                   &frame->pixels) != SM_OK)
        return false;
    if (sm_region_union(&agent->lossy, &agent->lossy, &stream->visible) != SM_OK)
        sm_region_init_rect(&agent->lossy, stream->box); /* more than enough */
    agent->waiting--;
    agent->under_way++;
    frame->slot = slot;
    slot->is_busy = true;
    frame->setup = (struct sm_video_setup){
        .width = frame->pixels.width,
        .height = frame->pixels.height,
        .fps = stream->interval_us ? (uint32_t)(1000000 / stream->interval_us) : DEFAULT_FPS,
        .bits_per_second = agent->rate.bits_per_second,
        .threads = ENCODER_THREADS,
        .card = agent->card,
    };
    frame->setup.fps = frame->setup.fps ? frame->setup.fps : 1;
    frame->order = (struct sm_video_order){
        .quality = agent->rate.quality,
        .bits_per_second = agent->rate.bits_per_second,
        .is_key = agent->needs_key,
    };
    agent->needs_key = false;
    describe_message(frame, agent, sm_stream_rate_stamp(&agent->rate, stream->changed_us));
    return true;
}

/* On any thread: of the agent only the slot may be touched, and what never changes. */
static void encode_frame(void *late, struct sm_encoder *encoder)
{
    struct frame *frame = late;
    struct slot *slot = frame->slot;
    const struct sm_video_encoder_ops *ops = frame->agent->ops;
    (void)encoder;
    uint64_t began_us = sm_now_us();
    if (slot->encoder &&
        (slot->width != frame->pixels.width || slot->height != frame->pixels.height)) {
        ops->destroy(slot->encoder);
        slot->encoder = NULL;
    }
    frame->status = slot->encoder ? SM_OK : ops->create(&slot->encoder, &frame->setup);
    slot->width = frame->pixels.width;
    slot->height = frame->pixels.height;
    if (frame->status == SM_OK)
        frame->status = ops->encode(slot->encoder, &frame->pixels, &frame->order, &frame->data);
    frame->encode_us = sm_now_us() - began_us;
}

static const struct sm_display_msg *frame_message(void *late)
{
    struct frame *frame = late;
    if (frame->status != SM_OK) {
        if (frame->status != SM_AGAIN)
            fail(frame->agent);
        return NULL;
    }
    if (frame->msg.type == SM_MSG_DISPLAY_STREAM_DATA)
        frame->msg.stream_data.data = frame->data;
    else
        frame->msg.stream_data_sized.data = frame->data;
    return &frame->msg;
}

static void queue_frame(struct sm_stream_agent *agent);

static void destroy_frame(void *late, bool was_sent)
{
    struct frame *frame = late;
    struct sm_stream_agent *agent = frame->agent;
    if (frame->slot) {
        frame->slot->is_busy = false;
        agent->under_way--;
    } else {
        agent->waiting--;
    }
    if (was_sent && agent->peer)
        sm_stream_rate_sent(&agent->rate, (uint32_t)frame->data.size, frame->encode_us,
                            sm_display_peer_rate(agent->peer));
    sm_drawable_unref(frame->drawable);
    free(frame->memory);
    free(frame);
    if (agent->is_behind && !is_over(agent))
        queue_frame(agent);
    unref(agent);
}

static const struct sm_late_ops FRAME_OPS = {
    .begin = begin_frame,
    .encode = encode_frame,
    .message = frame_message,
    .destroy = destroy_frame,
};

/* Queues a frame, and the clip it needs just before it. */
static void queue_frame(struct sm_stream_agent *agent)
{
    struct clip *clip = calloc(1, sizeof(*clip));
    struct frame *frame = calloc(1, sizeof(*frame));
    agent->is_behind = !clip || !frame;
    if (agent->is_behind) { /* the next change tries again */
        free(clip);
        free(frame);
        return;
    }
    clip->agent = frame->agent = agent;
    agent->refs += 2;
    agent->waiting++;
    sm_display_peer_queue_late(agent->peer, &CLIP_OPS, clip);
    sm_display_peer_queue_late(agent->peer, &FRAME_OPS, frame);
}

void sm_stream_agent_offer(struct sm_stream_agent *agent, uint64_t now_us)
{
    if (is_over(agent))
        return;
    sm_stream_rate_offer(&agent->rate, agent->stream->interval_us, now_us);
    if (agent->waiting > 0)
        return; /* it will show this one */
    if (agent->under_way == agent->slot_count)
        agent->is_behind = true;
    else
        queue_frame(agent);
}

/* ---- what the client shows ---- */

void sm_stream_agent_draw(struct sm_stream_agent *agent, const struct sm_region *region)
{
    /* Where a film was dragged away before its frame began nothing else would bring it. */
    if (!is_over(agent) && sm_region_union(&agent->lossy, &agent->lossy, region) != SM_OK)
        sm_display_peer_queue_missed(agent->peer, 0, sm_region_bounds(region));
}

void sm_stream_agent_cover(struct sm_stream_agent *agent, const struct sm_region *region)
{
    /* Without memory it stays on the list, and is sent once more in the end. */
    (void)!sm_region_subtract(&agent->lossy, &agent->lossy, region);
}

bool sm_stream_agent_is_lossy(const struct sm_stream_agent *agent, struct sm_rect area)
{
    return sm_region_overlaps_rect(&agent->lossy, area);
}

static void send_exact(struct sm_stream_agent *agent)
{
    uint32_t count;
    const struct sm_rect *rects = sm_region_rects(&agent->lossy, &count);
    for (uint32_t i = 0; i < count; i++)
        sm_display_peer_queue_missed(agent->peer, 0, rects[i]);
    sm_region_finish(&agent->lossy);
    if (count > 0)
        sm_display_peer_push(agent->peer);
}

void sm_stream_agent_restore(struct sm_stream_agent *agent)
{
    if (agent->peer && agent->waiting == 0 && agent->under_way == 0)
        send_exact(agent);
}

/* ---- life ---- */

static bool make_first_encoder(struct sm_stream_agent *agent,
                               const struct sm_stream_agent_config *config, uint8_t codec)
{
    const struct sm_stream *stream = agent->stream;
    uint64_t bits = config->bits_per_second;
    agent->ops = sm_video_encoder_find(config->encoders, codec);
    if (!agent->ops)
        return false;
    agent->card = config->encoders->card;
    struct slot *slot = &agent->slots[0];
    struct sm_video_setup setup = {
        .width = (uint32_t)sm_rect_width(stream->box),
        .height = (uint32_t)sm_rect_height(stream->box),
        .fps = stream->interval_us ? (uint32_t)(1000000 / stream->interval_us) : DEFAULT_FPS,
        .bits_per_second = bits,
        .threads = ENCODER_THREADS,
        .card = agent->card,
    };
    setup.fps = setup.fps ? setup.fps : 1;
    uint64_t pixels = (uint64_t)setup.width * setup.height;
    sm_stream_rate_init(&agent->rate, (uint32_t)pixels, agent->ops->is_intra, bits,
                        FIRST_MARGIN_MS - SM_MM_LATENCY_MS, sm_now_us());
    setup.bits_per_second = agent->rate.bits_per_second;
    slot->width = setup.width;
    slot->height = setup.height;
    agent->slot_count = agent->ops->is_intra ? MAX_SLOTS : 1;
    return agent->ops->create(&slot->encoder, &setup) == SM_OK;
}

static void announce(struct sm_stream_agent *agent, uint8_t codec)
{
    const struct sm_stream *stream = agent->stream;
    uint32_t width = (uint32_t)sm_rect_width(stream->box);
    uint32_t height = (uint32_t)sm_rect_height(stream->box);
    agent->dest = stream->box;
    agent->is_unclipped = true;
    sm_display_peer_queue_msg(
        agent->peer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_CREATE,
                                              .stream_create = {.id = stream->id,
                                                                .flags = SM_STREAM_FLAG_TOP_DOWN,
                                                                .codec_type = codec,
                                                                .stream_width = width,
                                                                .stream_height = height,
                                                                .src_width = width,
                                                                .src_height = height,
                                                                .dest = stream->box}});
    if (sm_display_peer_can(agent->peer, SM_DISPLAY_CAP_STREAM_REPORT))
        sm_display_peer_queue_msg(
            agent->peer,
            &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_ACTIVATE_REPORT,
                                     .stream_activate_report = {.stream_id = stream->id,
                                                                .unique_id = agent->unique_id,
                                                                .max_window_size = REPORT_WINDOW,
                                                                .timeout_ms = REPORT_TIMEOUT_MS}});
}

enum sm_status sm_stream_agent_create(struct sm_stream_agent **out,
                                      const struct sm_stream_agent_config *config)
{
    struct sm_stream_agent *agent = calloc(1, sizeof(*agent));
    if (!agent)
        return SM_ERR_NOMEM;
    *agent = (struct sm_stream_agent){.refs = 1,
                                      .stream = config->stream,
                                      .peer = config->peer,
                                      .unique_id = config->unique_id,
                                      .needs_key = true};
    for (uint32_t i = 0; i < config->codecs.count; i++) {
        uint8_t codec = config->codecs.codecs[i];
        if (!make_first_encoder(agent, config, codec))
            continue;
        sm_list_append(&config->stream->agents, &agent->link);
        announce(agent, codec);
        *out = agent;
        return SM_OK;
    }
    free(agent);
    return SM_ERR_LIMIT;
}

void sm_stream_agent_end(struct sm_stream_agent *agent, bool restore)
{
    sm_list_remove(&agent->link);
    if (sm_display_peer_is_ready(agent->peer)) {
        sm_display_peer_queue_msg(
            agent->peer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_DESTROY,
                                                  .stream_destroy = {.id = agent->stream->id}});
        if (agent->under_way > 0 && /* they are shown before it is destroyed */
            sm_region_union(&agent->lossy, &agent->lossy, &agent->stream->visible) != SM_OK)
            sm_region_init_rect(&agent->lossy, agent->stream->box);
        if (restore)
            send_exact(agent);
    }
    agent->stream = NULL;
    agent->peer = NULL;
    unref(agent);
}

/* Frames of a new place carry it with them, if the client understands that; decoders whose frames
 * hang together keep their size. */
bool sm_stream_agent_can_follow(const struct sm_stream_agent *agent)
{
    const struct sm_rect *dest = &agent->dest, *box = &agent->stream->box;
    bool is_same_size = sm_rect_width(*dest) == sm_rect_width(*box) &&
                        sm_rect_height(*dest) == sm_rect_height(*box);
    return sm_display_peer_can(agent->peer, SM_DISPLAY_CAP_SIZED_STREAM) &&
           (agent->ops->is_intra || is_same_size);
}

struct sm_stream_agent *sm_stream_agent_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_stream_agent, link);
}

struct sm_display_peer *sm_stream_agent_peer(const struct sm_stream_agent *agent)
{
    return agent->peer;
}

const char *sm_stream_agent_encoder_name(const struct sm_stream_agent *agent)
{
    const void *encoder = agent->slots[0].encoder;
    return encoder && agent->ops->name ? agent->ops->name(encoder) : "Motion JPEG";
}

bool sm_stream_agent_carries(const struct sm_stream_agent *agent)
{
    return !is_over(agent);
}

void sm_stream_agent_report(struct sm_stream_agent *agent,
                            const struct sm_msgc_display_stream_report *report, uint64_t now_us)
{
    if (report->num_frames == 0 && report->num_drops == UINT32_MAX)
        fail(agent); /* the client cannot do this stream at all */
    else if (report->unique_id == agent->unique_id)
        sm_stream_rate_report(&agent->rate, report, now_us);
}
