/* SPDX-License-Identifier: MIT */
#include "server/display/streams.h"

#include <stdlib.h>

#include "core/base/math.h"
#include "core/codec/classify.h"
#include "core/wire/display.h"
#include "io/clock.h"
#include "io/log.h"
#include "server/display/footprint.h"
#include "server/display/image_policy.h"
#include "server/display/stream_detect.h"
#include "server/display/video_encoders.h"

enum {
    TICK_MS = 100,
    /* Without a change for so long the exact picture is sent, although the stream may go on. */
    STILL_US = 400 * 1000,
    /* Pieces of a frame are waited for: half of the time to the next frame, but not more. */
    SETTLE_MAX_US = 15 * 1000,
    SLOW_START_BITS = 2500 << 10,
    BIT_RATE_UNIT = 1024 * 1024,
    BIT_RATE_MAX = 10000,
    NARROW_BYTES_S = 3 << 20, /* Motion JPEG of a film wants more */
};

/* A client that may get streams. */
struct viewer {
    struct sm_list link;
    struct sm_display_peer *peer;
    struct sm_video_list preferred;
};

struct sm_streams {
    struct sm_streams_config config;
    struct sm_stream_detect detect;
    struct sm_stream streams[SM_DETECT_MAX_STREAMS];
    struct sm_video_list codecs; /* the host's */
    struct sm_video_encoders encoders;
    struct sm_list viewers;
    struct sm_timer *timer; /* owned */
    bool is_ticking;
    uint32_t live_count;
    uint32_t next_unique_id;
};

/* ---- agents ---- */

static struct sm_stream_agent *find_agent(const struct sm_stream *stream,
                                          const struct sm_display_peer *peer)
{
    for (struct sm_list *link = stream->agents.next; link != &stream->agents; link = link->next)
        if (sm_stream_agent_peer(sm_stream_agent_of(link)) == peer)
            return sm_stream_agent_of(link);
    return NULL;
}

static uint64_t pixels_of(struct sm_rect r)
{
    return (uint64_t)(sm_rect_width(r) * sm_rect_height(r));
}

/* What the host's owner says in SPICE_BIT_RATE, in bits per second; 0: nothing. */
static uint64_t wished_bits(const struct sm_streams *streams)
{
    const char *text = getenv("SPICE_BIT_RATE");
    if (!text)
        return 0;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end != text && value > 0 && value <= BIT_RATE_MAX)
        return (uint64_t)value * BIT_RATE_UNIT;
    sm_log_at(streams->config.log, SM_LOG_WARNING, "SPICE_BIT_RATE is not a number of Mbit/s: %s",
              text);
    return 0;
}

/* A stream's share of the line. 0: nothing is known. */
static uint64_t first_bits(const struct sm_streams *streams, const struct sm_stream *stream,
                           const struct sm_display_peer *peer)
{
    uint64_t bits = wished_bits(streams), all_px = 0;
    if (bits == 0)
        bits = sm_display_peer_rate(peer) * 8;
    if (bits == 0 && sm_display_peer_is_slow(peer))
        bits = SLOW_START_BITS;
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++)
        if (streams->streams[id].is_live)
            all_px += pixels_of(streams->streams[id].box);
    uint64_t permille = all_px > 0 ? pixels_of(stream->box) * 1000 / all_px : 1000;
    return bits / 5 * 4 / 1000 * permille;
}

static void add_agent(struct sm_streams *streams, struct sm_stream *stream,
                      const struct viewer *viewer)
{
    if (!sm_display_peer_is_ready(viewer->peer) || !sm_display_peer_knows(viewer->peer, 0))
        return;
    struct sm_stream_agent *agent;
    uint64_t rate_bytes_s = sm_display_peer_rate(viewer->peer);
    const struct sm_video_client client = {
        .preferred = viewer->preferred,
        .caps = sm_display_peer_caps(viewer->peer),
        .is_narrow = sm_display_peer_is_slow(viewer->peer) ||
                     (rate_bytes_s > 0 && rate_bytes_s < NARROW_BYTES_S),
    };
    struct sm_stream_agent_config config = {
        .stream = stream,
        .peer = viewer->peer,
        .codecs = sm_video_choose(&streams->codecs, &client),
        .encoders = &streams->encoders,
        .bits_per_second = first_bits(streams, stream, viewer->peer),
        .unique_id = ++streams->next_unique_id,
    };
    enum sm_status status = sm_stream_agent_create(&agent, &config);
    if (status) {
        sm_log_at(streams->config.log, SM_LOG_INFO, "a client gets a film as drawings: %s",
                  sm_status_name(status));
        return;
    }
    sm_log_at(streams->config.log, SM_LOG_DEBUG, "a film is encoded by %s",
              sm_stream_agent_encoder_name(agent));
    sm_stream_agent_offer(agent, sm_now_us());
}

static void renew_agent(struct sm_streams *streams, struct sm_stream *stream,
                        const struct viewer *viewer, bool restore)
{
    struct sm_stream_agent *agent = find_agent(stream, viewer->peer);
    if (agent)
        sm_stream_agent_end(agent, restore);
    add_agent(streams, stream, viewer);
}

/* ---- streams ---- */

static void tick(void *opaque);

static void start_timer(struct sm_streams *streams, uint64_t now_us)
{
    uint64_t end_us = now_us + TICK_MS * 1000;
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        const struct sm_stream *stream = &streams->streams[id];
        if (stream->is_live && stream->settle_us)
            end_us = sm_min_u64(end_us, stream->settle_us);
    }
    uint64_t wait_us = end_us > now_us ? end_us - now_us : 0;
    sm_loop_timer_start(streams->config.loop, streams->timer, (uint32_t)((wait_us + 999) / 1000));
}

static void start_stream(struct sm_streams *streams, uint32_t id, uint64_t now_us)
{
    const struct sm_detect_trace *trace = sm_stream_detect_find(&streams->detect, id);
    struct sm_stream *stream = &streams->streams[id];
    *stream = (struct sm_stream){
        .is_live = true,
        .id = id,
        .box = trace->box,
        .changed_us = now_us,
        .interval_us = trace->interval_us,
        .host = streams->config.host,
        .host_context = streams->config.host_context,
    };
    sm_list_init(&stream->agents);
    sm_region_init_rect(&stream->visible, stream->box);
    streams->live_count++;
    SM_LIST_FOR (link, &streams->viewers)
        add_agent(streams, stream, SM_LIST_ITEM(link, struct viewer, link));
    start_timer(streams, now_us);
}

static void end_stream(struct sm_streams *streams, struct sm_stream *stream, bool restore)
{
    SM_LIST_FOR (link, &stream->agents)
        sm_stream_agent_end(sm_stream_agent_of(link), restore);
    sm_drawable_unref(stream->whole);
    sm_region_finish(&stream->visible);
    sm_stream_detect_end(&streams->detect, stream->id);
    stream->whole = NULL;
    stream->is_live = false;
    streams->live_count--;
}

static void end_all(struct sm_streams *streams, bool restore)
{
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++)
        if (streams->streams[id].is_live)
            end_stream(streams, &streams->streams[id], restore);
    sm_stream_detect_reset(&streams->detect);
}

static void offer(struct sm_stream *stream, uint64_t now_us)
{
    stream->settle_us = 0;
    SM_LIST_FOR (link, &stream->agents) {
        struct sm_stream_agent *agent = sm_stream_agent_of(link);
        sm_stream_agent_offer(agent, now_us);
        sm_display_peer_push(sm_stream_agent_peer(agent));
    }
}

static void restore(struct sm_stream *stream, bool is_still)
{
    SM_LIST_FOR (link, &stream->agents) {
        struct sm_stream_agent *agent = sm_stream_agent_of(link);
        if (is_still || !sm_stream_agent_carries(agent))
            sm_stream_agent_restore(agent);
    }
}

static void tick(void *opaque)
{
    struct sm_streams *streams = opaque;
    uint64_t now_us = sm_now_us();
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        struct sm_stream *stream = &streams->streams[id];
        if (!stream->is_live)
            continue;
        if (now_us - stream->changed_us > SM_DETECT_END_US) {
            end_stream(streams, stream, true);
            continue;
        }
        if (stream->settle_us && now_us >= stream->settle_us)
            offer(stream, now_us);
        restore(stream, now_us - stream->changed_us > STILL_US);
    }
    if (streams->live_count > 0)
        start_timer(streams, now_us);
}

/* ---- drawings ---- */

static bool is_candidate(const struct sm_drawing *drawing)
{
    const struct sm_msg_display_draw_copy *copy = &drawing->msg.draw_copy;
    return drawing->msg.type == SM_MSG_DISPLAY_DRAW_COPY && copy->base.surface_id == 0 &&
           drawing->effect == SM_EFFECT_OPAQUE && copy->ropd == SM_ROPD_OP_PUT &&
           !copy->mask.bitmap && !drawing->has_self_bitmap && copy->src_bitmap &&
           copy->src_bitmap->type == SM_IMAGE_TYPE_BITMAP;
}

/* Where a drawing changes anything; at worst all of its box. */
static void region_of(const struct sm_drawing *drawing, struct sm_region *region)
{
    const struct sm_display_base *base = &drawing->msg.draw_fill.base;
    sm_region_init(region);
    if (base->clip.type != SM_CLIP_TYPE_RECTS ||
        sm_region_from_rects(region, base->clip.rects, base->clip.num_rects, drawing->bounds) !=
            SM_OK)
        sm_region_init_rect(region, drawing->bounds);
}

static bool is_gradual(const void *opaque)
{
    const struct sm_drawing *drawing = opaque;
    struct sm_pixels_in in = sm_image_policy_pixels(&drawing->msg.draw_copy.src_bitmap->bitmap);
    if (in.stride_bytes != sm_pixel_row_bytes(in.format, in.width))
        return true; /* cannot be measured, which counts as such */
    struct sm_graduality_score score = {0};
    sm_graduality_add(&score, in.format, in.data.data, in.width, in.height);
    return score.samples == 0 || sm_graduality_judge(&score, in.format) != SM_GRADUALITY_LOW;
}

/* The drawing's bitmap as it is, without scaling, is what the stream's box shows. */
static bool is_whole(const struct sm_drawing *drawing, struct sm_rect box)
{
    const struct sm_msg_display_draw_copy *copy = &drawing->msg.draw_copy;
    const struct sm_bitmap *bitmap = &copy->src_bitmap->bitmap;
    const struct sm_rect all = {0, 0, (int32_t)bitmap->x, (int32_t)bitmap->y};
    return sm_rect_equal(copy->base.box, box) && sm_rect_equal(copy->src_area, all) &&
           sm_rect_width(box) == (int64_t)bitmap->x && sm_rect_height(box) == (int64_t)bitmap->y;
}

static void move(struct sm_streams *streams, struct sm_stream *stream, struct sm_rect box)
{
    stream->box = box;
    sm_region_finish(&stream->visible);
    sm_region_init_rect(&stream->visible, box);
    SM_LIST_FOR (link, &streams->viewers) {
        const struct viewer *viewer = SM_LIST_ITEM(link, struct viewer, link);
        const struct sm_stream_agent *agent = find_agent(stream, viewer->peer);
        if (agent && sm_stream_agent_carries(agent) && !sm_stream_agent_can_follow(agent))
            renew_agent(streams, stream, viewer, true);
    }
}

struct sm_stream_verdict sm_streams_look(struct sm_streams *streams,
                                         const struct sm_drawing *drawing)
{
    struct sm_stream_verdict verdict = {.stream = NULL};
    if (streams->config.mode == SM_STREAMING_OFF || sm_list_is_empty(&streams->viewers) ||
        !is_candidate(drawing))
        return verdict;
    uint64_t now_us = sm_now_us();
    const struct sm_detect_piece piece = {.box = drawing->msg.draw_copy.base.box,
                                          .now_us = now_us,
                                          .is_gradual = is_gradual,
                                          .opaque = drawing};
    struct sm_detect_verdict found = sm_stream_detect_add(&streams->detect, &piece);
    if (!found.is_piece)
        return verdict;
    if (found.is_new)
        start_stream(streams, found.id, now_us);
    struct sm_stream *stream = &streams->streams[found.id];
    const struct sm_detect_trace *trace = sm_stream_detect_find(&streams->detect, found.id);
    if (found.begins_frame && stream->settle_us)
        offer(stream, now_us); /* the picture before this piece */
    if (found.has_moved)
        move(streams, stream, trace->box);
    stream->interval_us = trace->interval_us;
    verdict.stream = stream;
    verdict.is_complete = found.completes_frame;
    verdict.is_whole = is_whole(drawing, stream->box);
    return verdict;
}

bool sm_streams_carry(const struct sm_stream_verdict *verdict, const struct sm_display_peer *client)
{
    const struct sm_stream_agent *agent =
        verdict->stream ? find_agent(verdict->stream, client) : NULL;
    return agent && sm_stream_agent_carries(agent);
}

static struct sm_pixels find_nothing(const void *surfaces, uint32_t id)
{
    (void)surfaces;
    (void)id;
    return (struct sm_pixels){.format = SM_PIXEL_NONE};
}

/* Whether old pixels of the primary in `area` become a part of what the drawing makes. */
static bool reads(const struct sm_drawing *drawing, const struct sm_footprint *footprint,
                  const struct sm_stream_agent *agent)
{
    for (uint32_t i = 0; i < drawing->dependency_count; i++)
        if (drawing->dependencies[i].surface_id == 0 &&
            sm_stream_agent_is_lossy(agent, drawing->dependencies[i].area))
            return true;
    if (drawing->msg.draw_fill.base.surface_id != 0)
        return false;
    if (!footprint->is_opaque && sm_stream_agent_is_lossy(agent, drawing->bounds))
        return true;
    if (footprint->reads == SM_FOOTPRINT_READS_NOTHING)
        return false;
    if (footprint->reads == SM_FOOTPRINT_READS_ALL)
        return true;
    struct sm_region shadow = {.count = 0};
    bool is_read = sm_region_copy(&shadow, &footprint->writes) != SM_OK;
    sm_region_translate(&shadow, footprint->dx, footprint->dy);
    is_read = is_read || sm_stream_agent_is_lossy(agent, sm_region_bounds(&shadow));
    sm_region_finish(&shadow);
    return is_read;
}

bool sm_streams_disturb(const struct sm_streams *streams, const struct sm_display_peer *client,
                        const struct sm_drawing *drawing)
{
    if (streams->live_count == 0)
        return false;
    const struct sm_footprint_source source = {.find = find_nothing};
    struct sm_footprint footprint;
    bool is_disturbed = false;
    sm_footprint_init(&footprint, drawing, &source);
    for (uint32_t id = 0; !is_disturbed && id < SM_DETECT_MAX_STREAMS; id++) {
        const struct sm_stream *stream = &streams->streams[id];
        const struct sm_stream_agent *agent = stream->is_live ? find_agent(stream, client) : NULL;
        is_disturbed = agent && reads(drawing, &footprint, agent);
    }
    sm_footprint_finish(&footprint);
    return is_disturbed;
}

/* What is drawn over a stream is not the stream's any more, and is exact. */
static void cover(struct sm_streams *streams, const struct sm_drawing *drawing,
                  const struct sm_stream *except)
{
    struct sm_region region;
    region_of(drawing, &region);
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        struct sm_stream *stream = &streams->streams[id];
        if (!stream->is_live || stream == except)
            continue;
        if (sm_region_subtract(&stream->visible, &stream->visible, &region) != SM_OK)
            sm_region_finish(&stream->visible); /* the next piece shows itself again */
        SM_LIST_FOR (link, &stream->agents)
            sm_stream_agent_cover(sm_stream_agent_of(link), &region);
    }
    sm_region_finish(&region);
}

void sm_streams_drawn(struct sm_streams *streams, const struct sm_stream_verdict *verdict,
                      struct sm_drawable *drawable)
{
    struct sm_stream *stream = verdict->stream;
    const struct sm_drawing *drawing = drawable->drawing;
    if (streams->live_count == 0)
        return;
    if (!stream) {
        if (drawing->msg.draw_fill.base.surface_id == 0)
            cover(streams, drawing, NULL);
        return;
    }
    struct sm_region region;
    region_of(drawing, &region);
    if (sm_region_union(&stream->visible, &stream->visible, &region) != SM_OK) {
        sm_region_finish(&stream->visible);
        sm_region_init_rect(&stream->visible, stream->box);
    }
    SM_LIST_FOR (link, &stream->agents)
        sm_stream_agent_draw(sm_stream_agent_of(link), &region);
    sm_region_finish(&region);
    sm_drawable_unref(stream->whole);
    stream->whole = verdict->is_whole ? sm_drawable_ref(drawable) : NULL;
    uint64_t now_us = sm_now_us();
    stream->changed_us = now_us;
    if (verdict->is_complete) {
        offer(stream, now_us);
    } else {
        uint64_t wait_us = stream->interval_us ? stream->interval_us / 2 : SETTLE_MAX_US;
        stream->settle_us = now_us + sm_min_u64(wait_us, SETTLE_MAX_US);
        start_timer(streams, now_us);
    }
}

/* ---- clients ---- */

static struct viewer *find_viewer(struct sm_streams *streams, const struct sm_display_peer *client)
{
    SM_LIST_FOR (link, &streams->viewers) {
        struct viewer *viewer = SM_LIST_ITEM(link, struct viewer, link);
        if (viewer->peer == client)
            return viewer;
    }
    return NULL;
}

void sm_streams_add_client(struct sm_streams *streams, struct sm_display_peer *client)
{
    struct viewer *viewer = calloc(1, sizeof(*viewer));
    if (!viewer)
        return;
    viewer->peer = client;
    sm_list_append(&streams->viewers, &viewer->link);
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++)
        if (streams->streams[id].is_live)
            add_agent(streams, &streams->streams[id], viewer);
}

static void end_agents(struct sm_streams *streams, const struct sm_display_peer *client,
                       bool restore)
{
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        struct sm_stream_agent *agent =
            streams->streams[id].is_live ? find_agent(&streams->streams[id], client) : NULL;
        if (agent)
            sm_stream_agent_end(agent, restore);
    }
}

void sm_streams_dismiss_client(struct sm_streams *streams, struct sm_display_peer *client)
{
    end_agents(streams, client, true);
}

void sm_streams_remove_client(struct sm_streams *streams, struct sm_display_peer *client)
{
    end_agents(streams, client, false);
    struct viewer *viewer = find_viewer(streams, client);
    if (!viewer)
        return;
    sm_list_remove(&viewer->link);
    free(viewer);
}

void sm_streams_report(struct sm_streams *streams, struct sm_display_peer *client,
                       const struct sm_msgc_display_stream_report *report)
{
    struct sm_stream *stream =
        report->stream_id < SM_DETECT_MAX_STREAMS ? &streams->streams[report->stream_id] : NULL;
    struct sm_stream_agent *agent = stream && stream->is_live ? find_agent(stream, client) : NULL;
    if (agent) /* else it is late, and about a stream that has ended */
        sm_stream_agent_report(agent, report, sm_now_us());
}

void sm_streams_prefer(struct sm_streams *streams, struct sm_display_peer *client,
                       struct sm_bytes codecs)
{
    struct viewer *viewer = find_viewer(streams, client);
    struct sm_video_list list = sm_video_list_of(codecs);
    if (!viewer || list.count == 0) {
        sm_log_at(streams->config.log, SM_LOG_INFO, "a client prefers no codec at all: ignored");
        return;
    }
    viewer->preferred = list;
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++)
        if (streams->streams[id].is_live)
            renew_agent(streams, &streams->streams[id], viewer, false);
}

/* ---- settings and life ---- */

void sm_streams_set_mode(struct sm_streams *streams, enum sm_worker_streaming mode)
{
    if (mode == streams->config.mode)
        return;
    end_all(streams, true);
    streams->config.mode = mode;
    streams->detect.takes_all = mode == SM_STREAMING_ALL;
}

void sm_streams_set_codecs(struct sm_streams *streams, const struct sm_video_list *codecs)
{
    streams->codecs = *codecs;
    for (uint32_t id = 0; id < SM_DETECT_MAX_STREAMS; id++) {
        SM_LIST_FOR (link, &streams->viewers)
            if (streams->streams[id].is_live)
                renew_agent(streams, &streams->streams[id], SM_LIST_ITEM(link, struct viewer, link),
                            false);
    }
}

void sm_streams_forget(struct sm_streams *streams)
{
    end_all(streams, false);
}

enum sm_status sm_streams_create(struct sm_streams **out, const struct sm_streams_config *config)
{
    struct sm_streams *streams = calloc(1, sizeof(*streams));
    if (!streams)
        return SM_ERR_NOMEM;
    streams->config = *config;
    streams->encoders.log = config->log;
    streams->detect.takes_all = config->mode == SM_STREAMING_ALL;
    streams->next_unique_id = (uint32_t)sm_now_us();
    sm_list_init(&streams->viewers);
    streams->timer = sm_loop_timer_add(config->loop, tick, streams);
    if (!streams->timer) {
        free(streams);
        return SM_ERR_NOMEM;
    }
    streams->codecs = config->codecs;
    *out = streams;
    return SM_OK;
}

void sm_streams_destroy(struct sm_streams *streams)
{
    if (!streams)
        return;
    end_all(streams, false);
    sm_loop_timer_remove(streams->config.loop, streams->timer);
    sm_video_encoders_finish(&streams->encoders);
    free(streams);
}
