/* SPDX-License-Identifier: MIT */
#include "server/display/display_peer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/channel/display/server.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/pump.h"
#include "io/socket.h"
#include "io/transport.h"
#include "server/display/client_shares.h"
#include "server/display/glz_share.h"
#include "server/display/image_task.h"
#include "server/display/lossy.h"
#include "server/display/peer_migration.h"
#include "server/display/peer_palettes.h"
#include "server/display/peer_queue.h"
#include "server/display/peer_sender.h"
#include "server/session/figures.h"
#include "server/session/handover.h"

enum {
    /*
     * Acknowledgements are feedback, never the brake: a window in flight a round trip would be
     * slow on a long line.
     */
    ACK_WINDOW = 20,
    ACK_WINDOW_SLOW = 40,
    /* What was not lossily drawn for one to two of these is still. */
    STILL_MS = 150,
};

struct sm_display_peer {
    struct sm_list link;
    struct sm_display_peer_config config;
    struct sm_channel_handover *handover; /* owned */
    struct sm_display_server *server;     /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_peer_sender *sender;        /* owned */
    struct sm_peer_queue queue;
    struct sm_lossy lossy;
    struct sm_timer *still_timer; /* owned: runs while `is_watching` */
    bool is_watching;             /* over what is lossy */
    bool is_closed, is_in_activity, has_preference, owes_gl_draw, wants_pixels;
    enum sm_worker_compression compression;
    struct sm_display_server_init init; /* what it said it can keep, here or to another server */
    uint64_t glz_first_id;              /* of the first image in its dictionary */
    uint32_t glz_window_px;         /* the client's, until a dictionary was made; 0: none to make */
    struct sm_glz_share *glz;       /* joined; NULL: no GLZ */
    struct sm_pixmap_cache *images; /* joined; NULL: it keeps none */
    struct sm_peer_palettes palettes;
    uint8_t known[SM_SURFACES_MAX / 8]; /* bit per surface id */

    /* migration: to another server, or from one until it has settled here */
    bool is_leaving, is_arriving, empties_cache;
    uint64_t cache_serials[SM_PEER_MAX_SHARERS];
    uint8_t outdated[SM_SURFACES_MAX / 8]; /* surfaces that changed while it was arriving */
};

/* Clients can cause warnings as often as they connect, so there is a limit for all of them. */
static bool may_say(const struct sm_display_peer *client, enum sm_log_level level)
{
    return level < SM_LOG_WARNING || sm_log_limit_allows(client->config.complaints, sm_now_us());
}

static void log_line(struct sm_display_peer *client, enum sm_log_level level, const char *text)
{
    if (!may_say(client, level))
        return;
    sm_log_at(client->config.log, level, "display:%u (%p): %s",
              (unsigned)client->handover->channel_id, (void *)client, text);
}

/* Nothing more is sent; what waits is let go. */
static void end(struct sm_display_peer *client)
{
    client->is_closed = true;
    sm_peer_sender_stop(client->sender);
    sm_loop_timer_cancel(client->config.loop, client->still_timer);
    sm_peer_queue_clear(&client->queue);
    client->config.callbacks->on_closed(client->config.opaque, client);
}

void sm_display_peer_close(struct sm_display_peer *client, const char *reason)
{
    if (client->is_closed)
        return;
    log_line(client, SM_LOG_WARNING, reason);
    end(client);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_display_peer *client = opaque;
    if (client->is_closed)
        return;
    enum sm_log_level level = status == SM_ERR_IO ? SM_LOG_INFO : SM_LOG_WARNING;
    if (may_say(client, level))
        sm_log_at(client->config.log, level, "display:%u (%p): connection closed: %s",
                  (unsigned)client->handover->channel_id, (void *)client, reason);
    end(client);
}

/* ---- what the client says ---- */

static struct sm_client_share_key share_key(const struct sm_display_peer *client, uint8_t id)
{
    return (struct sm_client_share_key){client->handover->connection_id, id};
}

static void join_images(struct sm_display_peer *client)
{
    if (client->init.pixmap_cache_px > 0)
        client->images = sm_client_shares_join_cache(
            client->config.shares, share_key(client, client->init.pixmap_cache_id),
            client->init.pixmap_cache_px);
}

/* The dictionary takes tens of megabytes, so it is made when GLZ is first wanted. */
static void prepare_glz(struct sm_display_peer *client)
{
    bool is_wanted =
        client->compression == SM_COMPRESSION_GLZ || client->compression == SM_COMPRESSION_AUTO_GLZ;
    if (!is_wanted || client->glz_window_px == 0)
        return;
    client->glz = sm_client_shares_join_glz(client->config.shares,
                                            share_key(client, client->init.glz_dictionary_id),
                                            client->glz_window_px, client->glz_first_id);
    if (!client->glz)
        log_line(client, SM_LOG_INFO, "no GLZ: the dictionary could not be made");
    client->glz_window_px = 0; /* once: its numbering must not begin anew */
}

static void take_preference(struct sm_display_peer *client, uint8_t compression)
{
    if (compression < SM_COMPRESSION_OFF || compression > SM_COMPRESSION_LZ4) {
        log_line(client, SM_LOG_WARNING, "unknown preferred compression ignored");
        return;
    }
    client->has_preference = true;
    client->compression = (enum sm_worker_compression)compression;
    prepare_glz(client);
}

static void watch_lossy(struct sm_display_peer *client, enum sm_status status)
{
    if (status) {
        sm_display_peer_close(client, "out of memory");
        return;
    }
    if (client->is_watching || sm_lossy_is_empty(&client->lossy))
        return;
    client->is_watching = true;
    sm_loop_timer_start(client->config.loop, client->still_timer, STILL_MS);
}

/* ---- from one server to the next ---- */

/* The dictionary as the client has it; behind a migration only the first display goes on with it.
 */
static void describe_glz(struct sm_display_peer *client, struct sm_peer_state *state)
{
    state->glz_id = client->init.glz_dictionary_id;
    state->glz_window_px = client->init.glz_dictionary_px;
    state->glz_next_id = client->glz ? sm_glz_share_next_id(client->glz) : client->glz_first_id;
}

/* A reference target looks at its own settings alone, which are those of the source. */
static bool has_lossy_layout(const struct sm_display_peer *client)
{
    const struct sm_channel_handover *handover = client->handover;
    return !sm_lossy_is_empty(&client->lossy) || handover->jpeg == SM_WAN_ALWAYS ||
           (handover->jpeg == SM_WAN_AUTO && handover->is_low_bandwidth);
}

static struct sm_rect lossy_bounds(const struct sm_display_peer *client, uint32_t surface_id)
{
    const struct sm_region *region = sm_lossy_region(&client->lossy, surface_id);
    return region ? sm_region_bounds(region) : (struct sm_rect){0};
}

static enum sm_status hand_on(struct sm_display_peer *client)
{
    struct sm_peer_surface surfaces[SM_SURFACES_MAX];
    struct sm_channel *channel = sm_display_server_channel(client->server);
    struct sm_peer_state state = {
        .serial = sm_channel_sent_serial(channel) + 1, /* this message counts */
        .is_low_bandwidth = client->handover->is_low_bandwidth,
        .cache_id = client->init.pixmap_cache_id,
        .cache_px = client->init.pixmap_cache_px,
        .empties_cache = client->handover->channel_id == 0,
        .surfaces = surfaces,
    };
    describe_glz(client, &state);
    if (client->images)
        sm_pixmap_cache_serials(client->images, state.cache_serials, SM_PEER_MAX_SHARERS);
    for (uint32_t id = 0; id < SM_SURFACES_MAX; id++)
        if (sm_display_peer_knows(client, id))
            surfaces[state.surface_count++] =
                (struct sm_peer_surface){.id = id, .lossy = lossy_bounds(client, id)};
    struct sm_writer blob;
    sm_writer_init(&blob, 64 << 10);
    enum sm_status status = sm_peer_state_build(&blob, &state, has_lossy_layout(client));
    if (status == SM_OK)
        status = sm_channel_migrate_data(channel, sm_writer_bytes(&blob));
    sm_writer_finish(&blob);
    return status;
}

static enum sm_status resume(struct sm_display_peer *client, const struct sm_peer_state *state)
{
    enum sm_status status = sm_display_server_resume(client->server, state->serial);
    if (status != SM_OK)
        return status;
    client->init = (struct sm_display_server_init){
        .pixmap_cache_id = state->cache_id,
        .pixmap_cache_px = state->cache_px,
        .glz_dictionary_id = state->glz_id,
        .glz_dictionary_px = state->glz_window_px,
    };
    client->glz_first_id = state->glz_next_id;
    client->empties_cache = state->empties_cache;
    memcpy(client->cache_serials, state->cache_serials, sizeof(client->cache_serials));
    for (uint32_t i = 0; i < state->surface_count; i++)
        sm_display_peer_set_knows(client, state->surfaces[i].id, true);
    if (client->handover->channel_id == 0)
        client->glz_window_px = state->glz_window_px;
    prepare_glz(client);
    for (uint32_t i = 0; i < state->surface_count; i++)
        if (!sm_rect_is_empty(state->surfaces[i].lossy))
            watch_lossy(client, sm_lossy_add(&client->lossy, state->surfaces[i].id,
                                             state->surfaces[i].lossy));
    sm_channel_handover_resumed(client->handover);
    client->config.callbacks->on_resumed(client->config.opaque, client);
    return SM_OK;
}

static enum sm_status take_migration_data(struct sm_display_peer *client, struct sm_bytes data)
{
    struct sm_arena arena;
    struct sm_peer_state state;
    sm_arena_init(&arena, 128 << 10);
    enum sm_status status = sm_peer_state_parse(&state, data, &arena);
    if (status == SM_OK)
        status = resume(client, &state);
    sm_arena_finish(&arena);
    return status;
}

static void take_migration_message(struct sm_display_peer *client,
                                   const struct sm_display_msgc *msg)
{
    enum sm_status status = msg->type == SM_MSGC_MIGRATE_DATA
                                ? take_migration_data(client, msg->migrate_data.data)
                                : hand_on(client);
    if (status != SM_OK)
        sm_display_peer_close(client, msg->type == SM_MSGC_MIGRATE_DATA
                                          ? "migration data that cannot be"
                                          : "migration data could not be sent");
}

static bool send_migrate(struct sm_display_peer *client)
{
    struct sm_channel *channel = sm_display_server_channel(client->server);
    if (client->is_closed || sm_channel_is_leaving(channel))
        return false;
    if (sm_channel_migrate(channel, SM_MIGRATE_FLAG_NEED_FLUSH |
                                        SM_MIGRATE_FLAG_NEED_DATA_TRANSFER) == SM_OK)
        return true;
    sm_display_peer_close(client, "out of memory");
    return false;
}

void sm_display_peer_migrate(struct sm_display_peer *client)
{
    client->is_leaving = true;
    /* The next server is told how they stand. */
    if (client->images)
        sm_pixmap_cache_freeze(client->images);
    if (client->glz)
        sm_glz_share_break(client->glz);
    if (sm_display_server_is_ready(client->server))
        sm_display_peer_push(client);
    else if (send_migrate(client))
        sm_pump_kick(client->pump);
}

bool sm_display_peer_is_arriving(const struct sm_display_peer *client)
{
    return client->is_arriving && !client->is_closed;
}

bool sm_display_peer_is_resumed(const struct sm_display_peer *client)
{
    return sm_display_server_is_ready(client->server);
}

void sm_display_peer_outdate(struct sm_display_peer *client, uint32_t surface_id)
{
    client->outdated[surface_id / 8] |= (uint8_t)(1u << (surface_id % 8));
    sm_peer_queue_forget(&client->queue, surface_id);
}

/* Its images would be mistaken for those of this server, which knows nothing of them. */
static void empty_caches(struct sm_display_peer *client)
{
    struct sm_wait_for_channel waits[SM_PEER_MAX_SHARERS];
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS};
    for (uint8_t id = 0; id < SM_PEER_MAX_SHARERS; id++)
        if (id != client->handover->channel_id && client->cache_serials[id] > 0)
            waits[msg.inval_all_pixmaps.num_waits++] =
                (struct sm_wait_for_channel){.channel_type = SM_CHANNEL_DISPLAY,
                                             .channel_id = id,
                                             .message_serial = client->cache_serials[id]};
    msg.inval_all_pixmaps.waits = waits;
    enum sm_status status = SM_OK;
    if (client->empties_cache)
        status = sm_display_server_send(client->server, &msg);
    /* The others would have to know when that has happened: they do without. */
    if (client->empties_cache && status == SM_OK)
        join_images(client);
    if (status == SM_OK)
        status = sm_display_server_send(
            client->server, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES});
    if (status != SM_OK)
        sm_display_peer_close(client, "out of memory");
}

void sm_display_peer_settle(struct sm_display_peer *client)
{
    client->is_arriving = false;
    empty_caches(client);
    for (uint32_t id = 0; id < SM_SURFACES_MAX; id++) {
        if (!sm_display_peer_knows(client, id)) {
            sm_peer_queue_forget(&client->queue, id);
            sm_lossy_forget(&client->lossy, id);
        } else if (client->outdated[id / 8] >> (id % 8) & 1) {
            sm_display_peer_queue_msg(
                client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_DESTROY,
                                                 .surface_destroy = {.surface_id = id}});
            sm_display_peer_set_knows(client, id, false);
        }
    }
}

/* ---- messages ---- */

static void take_message(struct sm_display_peer *client, const struct sm_display_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MIGRATE_FLUSH_MARK:
    case SM_MSGC_MIGRATE_DATA:
        take_migration_message(client, msg);
        break;
    case SM_MSGC_DISPLAY_PREFERRED_COMPRESSION:
        take_preference(client, msg->preferred_compression.image_compression);
        break;
    case SM_MSGC_DISPLAY_GL_DRAW_DONE:
        client->config.callbacks->on_gl_draw_done(client->config.opaque, client);
        break;
    case SM_MSGC_DISPLAY_STREAM_REPORT:
        client->config.callbacks->on_stream_report(client->config.opaque, client,
                                                   &msg->stream_report);
        break;
    case SM_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE:
        client->config.callbacks->on_codecs_preferred(client->config.opaque, client,
                                                      msg->preferred_video_codec_type.codecs);
        break;
    default:
        break;
    }
}

/* The displays of a session share images and the dictionary at the client, and so they do here. */
static void begin(struct sm_display_peer *client, const struct sm_display_server_init *init)
{
    client->init = *init;
    client->glz_window_px = init->glz_dictionary_px;
    join_images(client);
    prepare_glz(client);
    client->config.callbacks->on_ready(client->config.opaque, client);
}

static void pull_events(struct sm_display_peer *client)
{
    struct sm_display_server_event event;
    enum sm_status status = SM_OK;
    while (!client->is_closed && status == SM_OK) {
        status = sm_display_server_next(client->server, &event);
        if (status < 0)
            sm_display_peer_close(client,
                                  sm_channel_reason(sm_display_server_channel(client->server)));
        else if (status == SM_OK && event.kind == SM_DISPLAY_SERVER_INIT)
            begin(client, &event.init);
        else if (status == SM_OK)
            take_message(client, event.msg);
    }
}

/* ---- sending: what the sender asks and tells ---- */

static bool is_wanted(enum sm_wan_compression setting, struct sm_display_peer *client)
{
    bool is_slow = sm_peer_flow_is_slow(sm_peer_sender_flow(client->sender));
    return setting == SM_WAN_ALWAYS || (setting == SM_WAN_AUTO && is_slow);
}

static bool admits(void *opaque, const struct sm_drawable *drawable)
{
    struct sm_display_peer *client = opaque;
    return sm_lossy_admits(&client->lossy, drawable->drawing);
}

/*
 * The first picture of a surface would fill megabytes of a dictionary, of which little is drawn
 * again.
 */
static bool is_for_dictionary(const struct sm_display_peer *client,
                              const struct sm_drawable *drawable)
{
    return client->glz && !sm_glz_share_is_broken(client->glz) && !drawable->must_be_whole;
}

/* What this client may be sent for a drawing, as things are now. */
static void describe_receiver(void *opaque, const struct sm_drawable *drawable,
                              struct sm_image_receiver *receiver)
{
    struct sm_display_peer *client = opaque;
    *receiver = (struct sm_image_receiver){
        .compression = client->compression,
        .is_local = client->handover->is_unix,
        .has_lz4 = sm_display_peer_can(client, SM_DISPLAY_CAP_LZ4_COMPRESSION),
        .may_be_lossy = !drawable->must_be_exact && sm_lossy_suits(&drawable->drawing->msg) &&
                        is_wanted(client->handover->jpeg, client),
        .wants_zlib = is_wanted(client->handover->zlib_glz, client),
        .rate_bytes_s = sm_peer_flow_rate(sm_peer_sender_flow(client->sender)),
        .glz = is_for_dictionary(client, drawable) ? client->glz : NULL,
        .images = client->images,
        .palettes =
            client->images ? &client->palettes : NULL, /* one who keeps nothing, keeps none */
        .channel_id = client->handover->channel_id,
        .costs = client->config.costs,
    };
}

/* A drawing, or a band of it, was decided and will be sent in this form. In sending order. */
static void note_planned(void *opaque, const struct sm_drawable *drawable,
                         const struct sm_image_task *task)
{
    struct sm_display_peer *client = opaque;
    /* Every drawing message begins with the same base; that of a band has its own box. */
    struct sm_rect part = task->msg.draw_fill.base.box;
    watch_lossy(client, sm_lossy_note(&client->lossy, drawable->drawing, &drawable->footprint, part,
                                      sm_image_task_is_lossy(task)));
}

/* A piece of what was sent lossily and has been still for a while, as it is. */
static bool send_exactly(void *opaque)
{
    struct sm_display_peer *client = opaque;
    uint32_t surface_id, waiting = client->queue.count;
    struct sm_rect area;
    if (client->is_arriving)
        return false; /* the surfaces may not be what they will be */
    if (!sm_lossy_find_still(&client->lossy,
                             sm_peer_flow_piece_px(sm_peer_sender_flow(client->sender)),
                             &surface_id, &area))
        return false;
    if (!sm_display_peer_knows(client, surface_id)) { /* it is gone; another may have its number */
        sm_lossy_forget(&client->lossy, surface_id);
        return true;
    }
    sm_peer_queue_begin_piece(&client->queue);
    client->config.callbacks->queue_pixels(client->config.opaque, client, surface_id, area, true);
    sm_peer_queue_end_missed(&client->queue);
    if (!client->is_closed && client->queue.count == waiting)
        sm_lossy_forget(&client->lossy, surface_id); /* there is no such area any more */
    return true;
}

static void on_still_timer(void *opaque)
{
    struct sm_display_peer *client = opaque;
    client->is_watching = false;
    sm_lossy_tick(&client->lossy);
    watch_lossy(client, SM_OK);
    sm_display_peer_push(client);
}

static void note_planned_message(void *opaque, const struct sm_display_msg *msg)
{
    struct sm_display_peer *client = opaque;
    if (msg->type == SM_MSG_DISPLAY_INVAL_ALL_PALETTES)
        sm_peer_palettes_clear(&client->palettes);
}

static void queue_missed(void *opaque, uint32_t surface_id, struct sm_rect area)
{
    struct sm_display_peer *client = opaque;
    client->config.callbacks->queue_pixels(client->config.opaque, client, surface_id, area, false);
}

/* All that waited has left. */
static bool on_idle(void *opaque)
{
    struct sm_display_peer *client = opaque;
    return client->is_leaving && send_migrate(client);
}

static void on_dropped(void *opaque, uint16_t type, enum sm_status status)
{
    struct sm_display_peer *client = opaque;
    if (may_say(client, SM_LOG_WARNING))
        sm_log_at(
            client->config.log, SM_LOG_WARNING, "display:%u (%p): message of type %u not sent: %s",
            (unsigned)client->handover->channel_id, (void *)client, type, sm_status_name(status));
}

static void on_failed(void *opaque, const char *reason)
{
    sm_display_peer_close(opaque, reason);
}

static const struct sm_peer_sender_callbacks SENDER_CALLBACKS = {
    .admits = admits,
    .describe = describe_receiver,
    .planned = note_planned,
    .planned_message = note_planned_message,
    .queue_pixels = queue_missed,
    .fill_in = send_exactly,
    .idle = on_idle,
    .dropped = on_dropped,
    .failed = on_failed,
};

void sm_display_peer_push(struct sm_display_peer *client)
{
    if (sm_peer_sender_push(client->sender) && !client->is_in_activity)
        sm_pump_kick(client->pump);
}

static void on_activity(void *opaque)
{
    struct sm_display_peer *client = opaque;
    client->is_in_activity = true;
    pull_events(client);
    (void)sm_peer_sender_push(client->sender);
    client->is_in_activity = false;
}

static const struct sm_pump_callbacks PUMP_CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

/* ---- queueing ---- */

static void check_queued(struct sm_display_peer *client, enum sm_status status)
{
    if (status == SM_ERR_LIMIT)
        sm_display_peer_close(client, "does not read, disconnecting");
    else if (status)
        sm_display_peer_close(client, "out of memory");
}

/* Of what the server reads and sends: bulk data that is not of bitmaps is rare and small. */
static uint64_t image_pixels(const struct sm_drawing *drawing)
{
    return drawing->size_bytes / 4;
}

/* On a slow line a large image goes as pieces of what is there by then, newest first. */
void sm_display_peer_queue_drawable(struct sm_display_peer *client, struct sm_drawable *drawable)
{
    if (client->is_closed)
        return;
    const struct sm_drawing *drawing = drawable->drawing;
    bool is_piece =
        client->queue.is_catching_up || (drawable->must_be_exact && !drawable->must_be_whole);
    bool is_missed = !is_piece && sm_peer_flow_is_too_large(sm_peer_sender_flow(client->sender),
                                                            image_pixels(drawing));
    if (client->handover->figures)
        sm_figure_add(&client->handover->figures->queued, 1);
    check_queued(client, is_missed
                             ? sm_peer_queue_miss(&client->queue, drawing)
                             : sm_peer_queue_add_drawing(&client->queue, drawable, sm_now_us()));
}

void sm_display_peer_queue_missed(struct sm_display_peer *client, uint32_t surface_id,
                                  struct sm_rect area)
{
    if (!client->is_closed)
        check_queued(client, sm_peer_queue_add_missed(&client->queue, surface_id, area));
}

void sm_display_peer_queue_msg(struct sm_display_peer *client, const struct sm_display_msg *msg)
{
    if (msg->type == SM_MSG_DISPLAY_SURFACE_DESTROY)
        sm_lossy_forget(&client->lossy, msg->surface_destroy.surface_id);
    if (!client->is_closed)
        check_queued(client, sm_peer_queue_add_message(&client->queue, msg, -1, sm_now_us()));
}

void sm_display_peer_queue_scanout(struct sm_display_peer *client, const struct sm_display_msg *msg,
                                   int fd)
{
    if (client->is_closed)
        (void)close(fd);
    else
        check_queued(client, sm_peer_queue_add_message(&client->queue, msg, fd, sm_now_us()));
}

void sm_display_peer_queue_late(struct sm_display_peer *client, const struct sm_late_ops *ops,
                                void *late)
{
    if (client->is_closed)
        ops->destroy(late, false);
    else
        check_queued(client, sm_peer_queue_add_late(&client->queue, ops, late, sm_now_us()));
}

void sm_display_peer_note_lossy(struct sm_display_peer *client, uint32_t surface_id,
                                struct sm_rect area)
{
    if (!client->is_closed)
        watch_lossy(client, sm_lossy_add(&client->lossy, surface_id, area));
}

/* ---- what is known about it ---- */

struct sm_list *sm_display_peer_link(struct sm_display_peer *client)
{
    return &client->link;
}

struct sm_display_peer *sm_display_peer_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_display_peer, link);
}

uint32_t sm_display_peer_connection_id(const struct sm_display_peer *client)
{
    return client->handover->connection_id;
}

bool sm_display_peer_can(const struct sm_display_peer *client, enum sm_display_cap cap)
{
    return client->handover->channel_caps >> cap & 1;
}

uint32_t sm_display_peer_caps(const struct sm_display_peer *client)
{
    return client->handover->channel_caps;
}

bool sm_display_peer_is_slow(const struct sm_display_peer *client)
{
    return client->handover->is_low_bandwidth;
}

uint64_t sm_display_peer_rate(const struct sm_display_peer *client)
{
    return sm_peer_flow_rate(sm_peer_sender_flow(client->sender));
}

bool sm_display_peer_is_local(const struct sm_display_peer *client)
{
    return client->handover->is_unix && !client->handover->is_secure;
}

bool sm_display_peer_is_ready(const struct sm_display_peer *client)
{
    return !client->is_closed && !client->is_arriving && sm_display_server_is_ready(client->server);
}

bool sm_display_peer_is_closed(const struct sm_display_peer *client)
{
    return client->is_closed;
}

uint32_t sm_display_peer_queue_count(const struct sm_display_peer *client)
{
    return client->queue.count;
}

size_t sm_display_peer_queue_bytes(const struct sm_display_peer *client)
{
    return client->queue.bytes;
}

bool sm_display_peer_knows(const struct sm_display_peer *client, uint32_t surface_id)
{
    return client->known[surface_id / 8] >> (surface_id % 8) & 1;
}

void sm_display_peer_set_knows(struct sm_display_peer *client, uint32_t surface_id, bool knows)
{
    uint8_t bit = (uint8_t)(1u << (surface_id % 8));
    if (knows)
        client->known[surface_id / 8] |= bit;
    else
        client->known[surface_id / 8] &= (uint8_t)~bit;
}

bool sm_display_peer_wants_pixels(const struct sm_display_peer *client)
{
    return client->wants_pixels;
}

void sm_display_peer_set_wants_pixels(struct sm_display_peer *client, bool wants)
{
    client->wants_pixels = wants;
}

bool sm_display_peer_owes_gl_draw(const struct sm_display_peer *client)
{
    return client->owes_gl_draw && !client->is_closed;
}

void sm_display_peer_set_owes_gl_draw(struct sm_display_peer *client, bool owes)
{
    client->owes_gl_draw = owes;
}

void sm_display_peer_renew_images(struct sm_display_peer *client)
{
    if (client->images)
        sm_pixmap_cache_renew(client->images);
}

void sm_display_peer_set_compression(struct sm_display_peer *client,
                                     enum sm_worker_compression compression)
{
    if (client->has_preference)
        return;
    client->compression = compression;
    prepare_glz(client);
}

/* ---- life ---- */

static enum sm_status start(struct sm_display_peer *client)
{
    struct sm_channel_handover *handover = client->handover;
    struct sm_display_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .ack_window = handover->is_low_bandwidth ? ACK_WINDOW_SLOW : ACK_WINDOW,
        .line_rtt_us = handover->line_rtt_us,
        .line_bytes_per_second = handover->line_bytes_per_second,
    };
    enum sm_status status = sm_display_server_create(&client->server, &config, sm_now_us());
    if (!status)
        status = sm_peer_sender_create(
            &client->sender, &(struct sm_peer_sender_config){.loop = client->config.loop,
                                                             .server = client->server,
                                                             .queue = &client->queue,
                                                             .encoder = client->config.encoder,
                                                             .inbox = client->config.inbox,
                                                             .costs = client->config.costs,
                                                             .input_us = client->config.input_us,
                                                             .is_slow = handover->is_low_bandwidth,
                                                             .figures = handover->figures,
                                                             .callbacks = &SENDER_CALLBACKS,
                                                             .opaque = client});
    if (status)
        return status;
    client->still_timer = sm_loop_timer_add(client->config.loop, on_still_timer, client);
    if (!client->still_timer)
        return SM_ERR_NOMEM;
    status = sm_pump_create(
        &client->pump, client->config.loop, handover->transport,
        sm_display_server_machine(client->server),
        (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
        &PUMP_CALLBACKS, client);
    if (status)
        return status;
    handover->transport = NULL; /* the pump's now */
    sm_peer_sender_set_pump(client->sender, client->pump);
    return SM_OK;
}

enum sm_status sm_display_peer_create(struct sm_display_peer **out,
                                      const struct sm_display_peer_config *config,
                                      struct sm_channel_handover *handover)
{
    struct sm_display_peer *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return SM_ERR_NOMEM;
    }
    *client = (struct sm_display_peer){.config = *config,
                                       .handover = handover,
                                       .compression = config->compression,
                                       .is_arriving = handover->is_migrated};
    sm_list_init(&client->link);
    sm_peer_queue_init(&client->queue);
    client->queue.backlog.focus = config->focus;
    sm_lossy_init(&client->lossy);
    sm_socket_set_latency(handover->transport->fd, SM_PEER_LOW_WATER_BYTES);
    enum sm_status status = start(client);
    if (status) {
        sm_display_peer_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_display_peer_destroy(struct sm_display_peer *client)
{
    if (!client)
        return;
    sm_list_remove(&client->link);
    sm_peer_sender_destroy(client->sender);
    sm_loop_timer_remove(client->config.loop, client->still_timer);
    sm_lossy_finish(&client->lossy);
    sm_peer_queue_finish(&client->queue);
    sm_pump_destroy(client->pump);
    sm_display_server_destroy(client->server);
    if (client->glz)
        sm_client_shares_leave_glz(client->config.shares, client->glz);
    if (client->images)
        sm_client_shares_leave_cache(client->config.shares, client->images,
                                     client->handover->channel_id);
    sm_channel_handover_destroy(client->handover);
    free(client);
}
