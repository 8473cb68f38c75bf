/* SPDX-License-Identifier: MIT */
#include "server/display/peer_sender.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/channel/display/server.h"
#include "core/channel/line.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/transport.h"
#include "server/display/draw_bands.h"
#include "server/display/encode_pool.h"
#include "server/display/glz_share.h"
#include "server/display/pace.h"
#include "server/display/peer_figures.h"

enum {
    FD_RETRY_MS = 5,
    SOCKET_RETRY_MS = 5,
    LEAST_BYTES = 64,        /* any message counts as so much */
    FRAME_BYTES = 32 << 10,  /* what is expected of a late item */
    FIRST_RATIO = 64,        /* expected, of 256: encoded to raw bytes */
    FAST_BYTES_S = 16 << 20, /* of a line: keep all threads busy, whatever comes out */
    FILL_IN_EVERY = 4,       /* pieces that are sent when no drawing waits */
    AHEAD_PER_THREAD = 2,    /* jobs of one client, then */
};

/* Something planned: in order, and sent as soon as it is encoded. */
struct sending {
    struct sm_encode_job job;
    struct sm_list link;
    bool is_job; /* submitted */
    size_t expected_bytes, raw_bytes;
    uint64_t queued_us;           /* when it came */
    uint64_t encode_us;           /* that encoding took; whoever runs the job writes it */
    struct sm_peer_item *item;    /* owned: a message or late item; NULL for a drawing */
    struct sm_drawable *drawable; /* held */
    struct sm_image band;         /* the rows of its source, if it is one of several */
    struct sm_image_task task;    /* of the drawing */
};

struct sm_peer_sender {
    struct sm_peer_sender_config config;
    struct sm_pump *pump; /* borrowed */
    struct sm_peer_flow flow;
    struct sm_peer_figures figures;
    struct sm_timer *fd_timer;    /* owned: tries again to pass a descriptor */
    int passing_fd;               /* owned: must leave before anything else does; −1 for none */
    struct sm_list planned;       /* struct sending, in order */
    size_t made_bytes;            /* expected of them all */
    unsigned job_count;           /* of them */
    unsigned glz_job_count;       /* of these, which use the dictionary */
    uint32_t ratio;               /* of late, of 256: encoded to raw bytes */
    struct sm_timer *batch_timer; /* owned: the next batch may begin */
    struct sm_pace pace;
    bool is_in_batch;     /* what is queued is being planned */
    uint64_t batch_px;    /* pixels of the backlog that go with it */
    unsigned piece_count; /* of areas, since the beginning */
    bool is_pushing, is_stopped;
};

static void fail(struct sm_peer_sender *sender, const char *reason)
{
    sender->config.callbacks->failed(sender->config.opaque, reason);
}

static void on_timer(void *opaque)
{
    struct sm_peer_sender *sender = opaque;
    if (sm_peer_sender_push(sender))
        sm_pump_kick(sender->pump);
}

/* Passes a descriptor once everything before it has left; true when none waits any more. */
static bool pass_fd(struct sm_peer_sender *sender)
{
    if (sender->passing_fd < 0)
        return true;
    if (sm_channel_pending_size(sm_display_server_channel(sender->config.server)) > 0)
        return false;
    enum sm_status status =
        sm_transport_send_fd(sm_pump_transport(sender->pump), '@', sender->passing_fd);
    if (status == SM_AGAIN) {
        sm_loop_timer_start(sender->config.loop, sender->fd_timer, FD_RETRY_MS);
        return false;
    }
    (void)close(sender->passing_fd);
    sender->passing_fd = -1;
    if (status)
        fail(sender, "descriptor of the scan-out could not be passed");
    return status == SM_OK;
}

/* ---- planning ---- */

static struct sending *sending_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sending, link);
}

static void free_sending(struct sending *sending)
{
    if (sending->drawable) {
        sm_image_task_finish(&sending->task);
        sm_drawable_unref(sending->drawable);
    }
    if (sending->item)
        sm_peer_item_destroy(sending->item);
    free(sending);
}

static void drop_job(struct sm_encode_job *job)
{
    free_sending(SM_LIST_ITEM(job, struct sending, job));
}

static void run_job(struct sm_encode_job *job, struct sm_encoder *encoder)
{
    struct sending *sending = SM_LIST_ITEM(job, struct sending, job);
    uint64_t began_us = sm_now_us();
    if (sending->drawable)
        sm_image_task_encode(&sending->task, encoder);
    else
        sending->item->ops->encode(sending->item->late, encoder);
    sending->encode_us = sm_now_us() - began_us;
}

static void append(struct sm_peer_sender *sender, struct sending *sending)
{
    if (sending->expected_bytes < LEAST_BYTES)
        sending->expected_bytes = LEAST_BYTES;
    sender->made_bytes += sending->expected_bytes;
    sm_list_append(&sender->planned, &sending->link);
}

/* Has it encoded, by another thread if there is one and it is worth it. */
static void encode(struct sm_peer_sender *sender, struct sending *sending, bool is_worth_it)
{
    sending->job.run = run_job;
    sending->job.drop = drop_job;
    struct sm_encode_inbox *inbox = sender->config.inbox;
    sending->is_job = is_worth_it && inbox && sm_encode_submit(inbox, &sending->job);
    if (!sending->is_job) {
        run_job(&sending->job, sender->config.encoder);
        return;
    }
    sender->job_count++;
    sender->glz_job_count += sending->task.uses_glz;
}

static size_t task_bytes(const struct sm_image_task *task)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < task->count; i++)
        bytes += sm_image_slot_bytes(&task->slots[i]);
    return bytes;
}

static void start_drawing(struct sm_peer_sender *sender, struct sending *sending)
{
    struct sm_image_task *task = &sending->task;
    sending->raw_bytes = task->raw_bytes;
    if (task->raw_bytes == 0) {
        sending->expected_bytes = task_bytes(task);
        return;
    }
    /* The dictionary wants its images in order, and some are with other threads. */
    bool must_wait = task->uses_glz && sender->glz_job_count > 0;
    struct sm_encode_inbox *inbox = sender->config.inbox;
    bool is_large =
        inbox && task->raw_bytes >= sm_encode_pool_inline_bytes(sm_encode_inbox_pool(inbox));
    sending->job.lane = task->uses_glz ? sm_glz_share_lane(task->glz) : NULL;
    encode(sender, sending, must_wait || is_large);
    sending->expected_bytes =
        sending->is_job ? task->raw_bytes / 256 * sender->ratio : task_bytes(task);
}

/* Plans a drawing, or with `band` a part of it. */
static bool plan_drawing(struct sm_peer_sender *sender, struct sm_drawable *drawable,
                         const struct sm_image_receiver *receiver, const struct sm_band *band,
                         uint64_t queued_us)
{
    struct sending *sending = calloc(1, sizeof(*sending));
    if (!sending) {
        fail(sender, "out of memory");
        return false;
    }
    const struct sm_display_msg *msg = &drawable->drawing->msg;
    struct sm_display_msg cut;
    if (band) {
        sm_draw_bands_cut(msg, *band, &cut, &sending->band);
        msg = &cut;
    }
    sending->queued_us = queued_us;
    sending->drawable = sm_drawable_ref(drawable);
    sm_image_task_init(&sending->task, msg, receiver);
    sender->config.callbacks->planned(sender->config.opaque, drawable, &sending->task);
    start_drawing(sender, sending);
    append(sender, sending);
    return !sender->is_stopped;
}

/* What goes raw is cut as well: the connection's buffer stays small, and warm. */
static bool is_worth_bands(const struct sm_image_receiver *receiver,
                           const struct sm_display_msg *msg)
{
    return msg->type == SM_MSG_DISPLAY_DRAW_COPY && msg->draw_copy.src_bitmap &&
           !sm_image_task_caches(receiver, msg->draw_copy.src_bitmap);
}

static void plan_whole_drawing(struct sm_peer_sender *sender, struct sm_drawable *drawable,
                               uint64_t queued_us)
{
    struct sm_image_receiver receiver = {0};
    struct sm_band bands[SM_BANDS_MAX];
    sender->config.callbacks->describe(sender->config.opaque, drawable, &receiver);
    uint32_t count = 1;
    if (!drawable->must_be_whole && is_worth_bands(&receiver, &drawable->drawing->msg))
        count = sm_draw_bands_plan(bands, &drawable->drawing->msg);
    for (uint32_t i = 0; i < count; i++)
        if (!plan_drawing(sender, drawable, &receiver, count > 1 ? &bands[i] : NULL, queued_us))
            return;
}

/* Plans a message or a late item, and takes it. */
static void plan_item(struct sm_peer_sender *sender, struct sm_peer_item *item)
{
    bool is_late = item->kind == SM_PEER_LATE;
    struct sending *sending = NULL;
    if (!is_late || item->ops->begin(item->late)) {
        sending = calloc(1, sizeof(*sending));
        if (!sending)
            fail(sender, "out of memory");
    }
    if (!sending) {
        sm_peer_item_destroy(item);
        return;
    }
    sending->item = item;
    sending->queued_us = item->queued_us;
    if (!is_late)
        sender->config.callbacks->planned_message(sender->config.opaque, &item->msg);
    if (is_late && item->ops->encode) {
        sending->job.lane = item->ops->lane ? item->ops->lane(item->late) : NULL;
        sending->expected_bytes = FRAME_BYTES;
        encode(sender, sending, true);
    }
    append(sender, sending);
}

static void plan_first(struct sm_peer_sender *sender, struct sm_peer_item *item)
{
    sm_peer_queue_remove(sender->config.queue, item);
    if (item->kind != SM_PEER_DRAWING) {
        plan_item(sender, item);
        return;
    }
    plan_whole_drawing(sender, item->drawable, item->queued_us);
    if (sender->figures.figures)
        sm_figure_add(&sender->figures.figures->pictures, 1);
    sm_peer_item_destroy(item);
}

/* ---- sending ---- */

/* Gives a message to the connection; what cannot be sent at all is dropped. */
static bool send_msg(struct sm_peer_sender *sender, const struct sm_display_msg *msg, bool is_owed)
{
    enum sm_status status = sm_display_server_send(sender->config.server, msg);
    if (status == SM_OK) {
        sm_peer_figures_message(&sender->figures, msg);
        return true;
    }
    if (status == SM_ERR_NOMEM)
        fail(sender, "out of memory");
    else if (is_owed)
        fail(sender, "what was decided could not be sent"); /* later images refer to it */
    else
        sender->config.callbacks->dropped(sender->config.opaque, msg->type, status);
    return false;
}

/* A drawing's message with what goes before and behind it; after a failure the rest is left out. */
static void send_task(struct sm_peer_sender *sender, struct sending *sending)
{
    struct sm_image_task *task = &sending->task;
    struct sm_channel *channel = sm_display_server_channel(sender->config.server);
    for (unsigned i = 0; i < task->before_count; i++) {
        if (!send_msg(sender, &task->before[i], true))
            return;
    }
    if (!send_msg(sender, &task->msg, task->is_owed))
        return;
    sm_image_task_sent(task, sm_channel_sent_serial(channel));
    sm_peer_figures_drawing(&sender->figures, task, sm_now_us() - sending->queued_us,
                            sending->encode_us);
    for (unsigned i = 0; i < task->after_count; i++) {
        if (!send_msg(sender, &task->after[i], true))
            return;
    }
}

static void send_item(struct sm_peer_sender *sender, const struct sending *sending,
                      struct sm_peer_item *item)
{
    if (item->kind == SM_PEER_LATE) {
        const struct sm_display_msg *msg = item->ops->message(item->late);
        bool is_sent = msg && send_msg(sender, msg, false);
        if (is_sent && item->ops->encode)
            sm_peer_figures_frame(&sender->figures, sm_now_us() - sending->queued_us,
                                  sending->encode_us);
        item->ops->destroy(item->late, is_sent);
        item->late = NULL;
    } else if (send_msg(sender, &item->msg, false) && item->fd >= 0) {
        sender->passing_fd = item->fd;
        item->fd = -1;
    }
}

/* Keeps an average of what encoding makes of raw bytes. */
static void learn_ratio(struct sm_peer_sender *sender, const struct sending *sending)
{
    uint64_t bytes = task_bytes(&sending->task), ratio = bytes * 256 / sending->raw_bytes;
    sm_peer_flow_note(&sender->flow, sending->raw_bytes / 4, bytes);
    if (sender->config.costs)
        sm_image_task_learn(&sending->task, sender->config.costs);
    sender->ratio = (uint32_t)((sender->ratio * 3 + (ratio < 256 ? ratio : 256) + 2) / 4);
}

static void send_first(struct sm_peer_sender *sender, struct sending *sending)
{
    sm_list_remove(&sending->link);
    sender->made_bytes -= sending->expected_bytes;
    if (sending->is_job) {
        sender->job_count--;
        sender->glz_job_count -= sending->task.uses_glz;
    }
    if (sending->item) {
        send_item(sender, sending, sending->item);
    } else {
        if (sending->raw_bytes)
            learn_ratio(sender, sending);
        send_task(sender, sending);
    }
    free_sending(sending);
}

/* Sends what is encoded, in order; true if there was anything. */
static bool send_ready(struct sm_peer_sender *sender)
{
    struct sm_channel *channel = sm_display_server_channel(sender->config.server);
    bool has_sent = false;
    while (!sender->is_stopped && !sm_list_is_empty(&sender->planned)) {
        struct sending *first = sending_of(sender->planned.next);
        if ((first->is_job && !sm_encode_job_is_done(&first->job)) || sm_channel_is_full(channel) ||
            !pass_fd(sender))
            break;
        send_first(sender, first);
        has_sent = true;
    }
    return has_sent;
}

/* The queue is empty and the line free: queues a piece of what was missed. */
static bool catch_up(struct sm_peer_sender *sender)
{
    uint32_t surface_id;
    struct sm_rect area;
    struct sm_peer_queue *queue = sender->config.queue;
    if (!sm_peer_queue_take_missed(queue, sm_peer_flow_piece_px(&sender->flow), &surface_id, &area))
        return false;
    uint64_t pixels = (uint64_t)(sm_rect_width(area) * sm_rect_height(area));
    sender->batch_px -= pixels < sender->batch_px ? pixels : sender->batch_px;
    sender->config.callbacks->queue_pixels(sender->config.opaque, surface_id, area);
    sm_peer_queue_end_missed(queue);
    return true;
}

/* On a fast line all threads are kept busy; what comes out of them is gone at once. */
static bool may_fill_threads(struct sm_peer_sender *sender)
{
    uint64_t rate = sm_peer_flow_rate(&sender->flow);
    struct sm_encode_inbox *inbox = sender->config.inbox;
    if (!inbox || (rate > 0 && rate < FAST_BYTES_S))
        return false;
    return sender->job_count > 0 &&
           sender->job_count <
               AHEAD_PER_THREAD * sm_encode_pool_threads(sm_encode_inbox_pool(inbox));
}

/* A descriptor that is to leave lets everything wait in the queue, where newer ones replace it. */
static bool has_fd(const struct sm_peer_sender *sender)
{
    if (sender->passing_fd >= 0)
        return true;
    if (sm_list_is_empty(&sender->planned))
        return false;
    const struct sending *last = sending_of(sender->planned.prev);
    return last->item && last->item->fd >= 0;
}

static bool may_plan(struct sm_peer_sender *sender)
{
    if (sender->is_stopped || has_fd(sender) || !sm_display_server_is_ready(sender->config.server))
        return false;
    uint64_t now_us = sm_now_us();
    if (sm_peer_flow_room(&sender->flow, sender->made_bytes, now_us) > 0)
        return true;
    return may_fill_threads(sender) && sm_peer_flow_room(&sender->flow, 0, now_us) > 0;
}

/* What was missed goes as soon as the guest pauses; so it does not lag behind by what it drew. */
static bool is_pause(const struct sm_peer_queue *queue, uint64_t now_us, uint64_t *wait_us)
{
    if (sm_backlog_is_empty(&queue->backlog))
        return false;
    uint64_t still_us = now_us - queue->drawn_us;
    if (still_us < SM_PACE_PAUSE_US && SM_PACE_PAUSE_US - still_us < *wait_us)
        *wait_us = SM_PACE_PAUSE_US - still_us;
    return still_us >= SM_PACE_PAUSE_US;
}

/*
 * A batch is what is queued, and as many pixels as are missed when it begins: all there are, or
 * some of them again while the guest goes on drawing. It ends when that is planned, however long
 * the line needs for it.
 */
static bool begin_batch(struct sm_peer_sender *sender)
{
    if (sender->is_in_batch)
        return true;
    uint64_t now_us = sm_now_us(), wait_us = 0;
    const _Atomic uint64_t *input_us = sender->config.input_us;
    const struct sm_peer_queue *queue = sender->config.queue;
    sender->is_in_batch =
        sm_pace_begin(&sender->pace, now_us, input_us ? atomic_load(input_us) : 0, &wait_us) ||
        is_pause(queue, now_us, &wait_us);
    if (!sender->is_in_batch) {
        sm_loop_timer_start(sender->config.loop, sender->batch_timer,
                            (uint32_t)((wait_us + 999) / 1000));
        return false;
    }
    sender->batch_px = sm_backlog_pixels(&queue->backlog);
    sm_pace_spend(&sender->pace, sender->batch_px);
    return true;
}

/* Nothing is queued: queues a piece of what was missed, or of what can wait. */
static bool queue_piece(struct sm_peer_sender *sender)
{
    const struct sm_peer_sender_callbacks *callbacks = sender->config.callbacks;
    /* What can wait has its turn, too, while there is always something new. */
    if (++sender->piece_count % FILL_IN_EVERY == 0 && callbacks->fill_in(sender->config.opaque))
        return true;
    /* When its turn comes, not before: its pixels are taken now. */
    if (!sm_backlog_is_empty(&sender->config.queue->backlog))
        return begin_batch(sender) && catch_up(sender);
    return callbacks->fill_in(sender->config.opaque);
}

static bool plan_next(struct sm_peer_sender *sender)
{
    if (!may_plan(sender))
        return false;
    struct sm_peer_item *item = sm_peer_queue_first(sender->config.queue);
    const struct sm_peer_sender_callbacks *callbacks = sender->config.callbacks;
    if (!item) {
        if (sender->batch_px == 0 || sm_backlog_is_empty(&sender->config.queue->backlog))
            sender->is_in_batch = false;
        if (queue_piece(sender))
            return !sender->is_stopped;
    }
    if (!item || !begin_batch(sender)) {
        sm_peer_flow_starved(&sender->flow);
        return false;
    }
    if (item->kind == SM_PEER_DRAWING &&
        !callbacks->admits(sender->config.opaque, item->drawable)) {
        if (sender->figures.figures)
            sm_figure_add(&sender->figures.figures->collapses, 1);
        if (sm_peer_queue_collapse(sender->config.queue))
            fail(sender, "out of memory");
        return !sender->is_stopped;
    }
    plan_first(sender, item);
    return true;
}

/* Everything was given to the connection. */
static bool is_idle(const struct sm_peer_sender *sender)
{
    return !sender->is_stopped && sender->passing_fd < 0 && sm_list_is_empty(&sender->planned) &&
           sm_peer_queue_is_empty(sender->config.queue) &&
           sm_display_server_is_ready(sender->config.server);
}

/* Where things stand, for who asks. */
static void note_state(struct sm_peer_sender *sender)
{
    struct sm_figures *figures = sender->figures.figures;
    if (!figures)
        return;
    sm_figure_set(&figures->waiting, sender->config.queue->count);
    sm_figure_set(&figures->line_bytes_s, sm_peer_flow_rate(&sender->flow));
    struct sm_channel *channel = sm_display_server_channel(sender->config.server);
    const struct sm_line *line = sm_channel_line(channel);
    uint64_t round_trip_us = line ? sm_line_rtt_us(line) : sm_channel_rtt_us(channel);
    sm_figure_set(&figures->round_trip_us, round_trip_us == UINT64_MAX ? 0 : round_trip_us);
}

bool sm_peer_sender_push(struct sm_peer_sender *sender)
{
    if (sender->is_pushing || sender->is_stopped)
        return false;
    sender->is_pushing = true;
    (void)pass_fd(sender);
    bool has_sent = send_ready(sender);
    while (plan_next(sender))
        has_sent = send_ready(sender) || has_sent;
    if (is_idle(sender) && sender->config.callbacks->idle)
        has_sent = sender->config.callbacks->idle(sender->config.opaque) || has_sent;
    sender->is_pushing = false;
    if (sender->flow.is_socket_full && !sender->is_stopped)
        sm_loop_timer_start(sender->config.loop, sender->batch_timer, SOCKET_RETRY_MS);
    note_state(sender);
    return has_sent && !sender->is_stopped;
}

/* ---- life ---- */

enum sm_status sm_peer_sender_create(struct sm_peer_sender **out,
                                     const struct sm_peer_sender_config *config)
{
    struct sm_peer_sender *sender = calloc(1, sizeof(*sender));
    if (!sender)
        return SM_ERR_NOMEM;
    sender->config = *config;
    sender->passing_fd = -1;
    sender->ratio = FIRST_RATIO;
    sender->figures.figures = config->figures;
    sm_list_init(&sender->planned);
    sm_peer_flow_init(&sender->flow, sm_display_server_channel(config->server), config->is_slow);
    sender->fd_timer = sm_loop_timer_add(config->loop, on_timer, sender);
    sender->batch_timer = sm_loop_timer_add(config->loop, on_timer, sender);
    if (!sender->fd_timer || !sender->batch_timer) {
        sm_peer_sender_destroy(sender);
        return SM_ERR_NOMEM;
    }
    *out = sender;
    return SM_OK;
}

static void drop_planned(struct sm_peer_sender *sender)
{
    SM_LIST_FOR (link, &sender->planned) {
        struct sending *sending = sending_of(link);
        sm_list_remove(link);
        if (sending->is_job)
            sm_encode_abandon(&sending->job);
        else
            free_sending(sending);
    }
    sender->made_bytes = 0;
    sender->job_count = sender->glz_job_count = 0;
}

void sm_peer_sender_destroy(struct sm_peer_sender *sender)
{
    if (!sender)
        return;
    drop_planned(sender);
    sm_loop_timer_remove(sender->config.loop, sender->fd_timer);
    sm_loop_timer_remove(sender->config.loop, sender->batch_timer);
    if (sender->passing_fd >= 0)
        (void)close(sender->passing_fd);
    free(sender);
}

void sm_peer_sender_set_pump(struct sm_peer_sender *sender, struct sm_pump *pump)
{
    sender->pump = pump;
    sm_peer_flow_set_socket(&sender->flow, sm_pump_transport(pump)->fd);
}

void sm_peer_sender_stop(struct sm_peer_sender *sender)
{
    sender->is_stopped = true;
    drop_planned(sender);
    sm_loop_timer_cancel(sender->config.loop, sender->fd_timer);
    sm_loop_timer_cancel(sender->config.loop, sender->batch_timer);
}

struct sm_peer_flow *sm_peer_sender_flow(struct sm_peer_sender *sender)
{
    return &sender->flow;
}
