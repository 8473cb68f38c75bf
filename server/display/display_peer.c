/* SPDX-License-Identifier: MIT */
#include "server/display/display_peer_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/pump.h"
#include "io/socket.h"
#include "io/transport.h"
#include "server/display/client_shares.h"
#include "server/session/figures.h"

enum {
    /*
     * Acknowledgements are feedback, never the brake: a window in flight a round trip would be
     * slow on a long line.
     */
    ACK_WINDOW = 20,
    ACK_WINDOW_SLOW = 40,
    MAX_GLZ_PX = 4 << 20, /* of a dictionary, 16 MiB */
};

/* Clients can cause warnings as often as they connect, so there is a limit for all of them. */
bool sm_display_peer_may_say(const struct sm_display_peer *client, enum sm_log_level level)
{
    return level < SM_LOG_WARNING || sm_log_limit_allows(client->config.complaints, sm_now_us());
}

static void log_line(struct sm_display_peer *client, enum sm_log_level level, const char *text)
{
    if (!sm_display_peer_may_say(client, level))
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
    if (sm_display_peer_may_say(client, level))
        sm_log_at(client->config.log, level, "display:%u (%p): connection closed: %s",
                  (unsigned)client->handover->channel_id, (void *)client, reason);
    end(client);
}

/* ---- what the client says ---- */

static struct sm_client_share_key share_key(const struct sm_display_peer *client, uint8_t id)
{
    return (struct sm_client_share_key){client->handover->connection_id, id};
}

void sm_display_peer_join_images(struct sm_display_peer *client)
{
    if (client->init.pixmap_cache_px > 0)
        client->images = sm_client_shares_join_cache(
            client->config.shares, share_key(client, client->init.pixmap_cache_id),
            client->init.pixmap_cache_px);
}

/*
 * The dictionary takes megabytes, so it is made when GLZ is first wanted; and it is no larger than
 * two pictures of a large screen, for what is drawn again is drawn soon.
 */
void sm_display_peer_prepare_glz(struct sm_display_peer *client)
{
    bool is_wanted =
        client->compression == SM_COMPRESSION_GLZ || client->compression == SM_COMPRESSION_AUTO_GLZ;
    if (!is_wanted || client->glz_window_px == 0)
        return;
    uint32_t window_px = client->glz_window_px < MAX_GLZ_PX ? client->glz_window_px : MAX_GLZ_PX;
    client->glz = sm_client_shares_join_glz(client->config.shares,
                                            share_key(client, client->init.glz_dictionary_id),
                                            window_px, client->glz_first_id);
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
    sm_display_peer_prepare_glz(client);
}

/* ---- messages ---- */

static void take_message(struct sm_display_peer *client, const struct sm_display_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MIGRATE_FLUSH_MARK:
    case SM_MSGC_MIGRATE_DATA:
        sm_display_peer_take_migration(client, msg);
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
    sm_display_peer_join_images(client);
    sm_display_peer_prepare_glz(client);
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
                             ? sm_peer_queue_miss(&client->queue, drawing, sm_now_us())
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
        sm_display_peer_watch_lossy(client, sm_lossy_add(&client->lossy, surface_id, area));
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

bool sm_display_peer_shows_gl_picture(const struct sm_display_peer *client)
{
    return client->shows_gl_picture;
}

void sm_display_peer_set_shows_gl_picture(struct sm_display_peer *client, bool shows)
{
    client->shows_gl_picture = shows;
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
    sm_display_peer_prepare_glz(client);
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
            &client->sender,
            &(struct sm_peer_sender_config){.loop = client->config.loop,
                                            .server = client->server,
                                            .queue = &client->queue,
                                            .encoder = client->config.encoder,
                                            .inbox = client->config.inbox,
                                            .costs = client->config.costs,
                                            .input_us = client->config.input_us,
                                            .is_slow = handover->is_low_bandwidth,
                                            .figures = handover->figures,
                                            .callbacks = &sm_display_peer_sender_callbacks,
                                            .opaque = client});
    if (status)
        return status;
    client->still_timer = sm_loop_timer_add(client->config.loop, sm_display_peer_on_still, client);
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
