/* SPDX-License-Identifier: MIT */
/* What a display's sender asks of its client and tells it; what is lossy, and exact again. */
#include "io/log.h"
#include "io/loop.h"
#include "server/display/display_peer_private.h"
#include "server/display/image_task.h"

enum {
    /* What was not lossily drawn for one to two of these is still. */
    STILL_MS = 150,
};

void sm_display_peer_watch_lossy(struct sm_display_peer *client, enum sm_status status)
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
    sm_display_peer_watch_lossy(client, sm_lossy_note(&client->lossy, drawable->drawing,
                                                      &drawable->footprint, part,
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
    if (!sm_lossy_find_still(&client->lossy, client->config.focus,
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

void sm_display_peer_on_still(void *opaque)
{
    struct sm_display_peer *client = opaque;
    client->is_watching = false;
    sm_lossy_tick(&client->lossy);
    sm_display_peer_watch_lossy(client, SM_OK);
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
    return client->is_leaving && sm_display_peer_send_migrate(client);
}

static void on_dropped(void *opaque, uint16_t type, enum sm_status status)
{
    struct sm_display_peer *client = opaque;
    if (sm_display_peer_may_say(client, SM_LOG_WARNING))
        sm_log_at(
            client->config.log, SM_LOG_WARNING, "display:%u (%p): message of type %u not sent: %s",
            (unsigned)client->handover->channel_id, (void *)client, type, sm_status_name(status));
}

static void on_failed(void *opaque, const char *reason)
{
    sm_display_peer_close(opaque, reason);
}

const struct sm_peer_sender_callbacks sm_display_peer_sender_callbacks = {
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
