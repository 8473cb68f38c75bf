/* SPDX-License-Identifier: MIT */
/* Ports. The channel's thread moves bytes between the machine and two queues, which the public
 * functions use under the session's lock. */
#include <stdlib.h>
#include <string.h>

#include "client/byte_queue.h"
#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "client/vmc_channel.h"
#include "sumac/port.h"

enum {
    IN_PAUSE_BYTES = 256 << 10,
    IN_MAX_BYTES = IN_PAUSE_BYTES + (16 << 20), /* and one message more, of any size */
    OUT_MAX_BYTES = 256 << 10,
    PIECE_BYTES = 64 << 10,
};

_Static_assert((int)SM_PORT_BREAK == (int)SM_PORT_EVENT_BREAK, "the wire's number");

struct port {
    struct sm_client_vmc vmc; /* first: see there */
    bool is_paused;           /* of the thread */
    /* Under the session's lock: */
    char name[SM_PORT_NAME_SIZE];
    bool is_named, is_open, is_gone;
    uint32_t breaks;
    bool is_flush_due;   /* a call that empties `out` is on its way */
    bool is_write_short; /* somebody waits for room */
    bool is_sending;     /* somebody may wait until all has left */
    size_t pending;      /* bytes that were taken out of `out` and have not left */
    struct sm_byte_queue in, out;
};

static void lock(struct sm_client_channel *channel)
{
    pthread_mutex_lock(&channel->session->lock);
}

static void unlock(struct sm_client_channel *channel)
{
    pthread_mutex_unlock(&channel->session->lock);
}

/* ---- On the channel's thread ---- */

static void on_init(struct sm_client_channel *channel, struct sm_bytes name, bool is_open)
{
    struct port *port = channel->self;
    size_t size = name.size < sizeof(port->name) - 1 ? name.size : sizeof(port->name) - 1;
    lock(channel);
    for (size_t i = 0; i < size; i++)
        port->name[i] = name.data[i] < 0x20 || name.data[i] == 0x7f ? '?' : (char)name.data[i];
    port->name[size] = 0;
    port->is_named = true;
    port->is_open = is_open;
    unlock(channel);
    sm_session_tell(channel->session, SM_EVENT_PORT, channel);
}

static void on_event(struct sm_client_channel *channel, uint8_t event)
{
    struct port *port = channel->self;
    lock(channel);
    if (event == SM_PORT_EVENT_OPENED || event == SM_PORT_EVENT_CLOSED)
        port->is_open = event == SM_PORT_EVENT_OPENED;
    else if (event == SM_PORT_EVENT_BREAK)
        port->breaks++;
    if (!port->is_open) /* it would arrive at whoever comes next */
        sm_byte_queue_drop(&port->out, port->out.size);
    unlock(channel);
    sm_session_tell(channel->session, SM_EVENT_PORT, channel);
}

static enum sm_status on_data(struct sm_client_channel *channel, struct sm_bytes data)
{
    struct port *port = channel->self;
    lock(channel);
    enum sm_status status = sm_byte_queue_put(&port->in, data);
    bool is_full = port->in.size >= IN_PAUSE_BYTES;
    unlock(channel);
    if (status == SM_OK && is_full) {
        port->is_paused = true;
        sm_client_vmc_pause(channel, true);
    }
    sm_session_tell(channel->session, SM_EVENT_PORT, channel);
    return status;
}

/* Sends what waits, as far as it goes. */
static void flush(struct sm_client_channel *channel)
{
    struct port *port = channel->self;
    bool is_news = false;
    lock(channel);
    port->is_flush_due = false;
    for (;;) {
        struct sm_bytes piece = sm_byte_queue_bytes(&port->out);
        piece.size = sm_client_vmc_piece(channel, piece.size, PIECE_BYTES);
        if (piece.size == 0)
            break;
        if (sm_client_vmc_send(channel, piece, true) != SM_OK)
            break;
        sm_byte_queue_drop(&port->out, piece.size);
    }
    if (port->out.size == 0)
        sm_client_vmc_starved(channel);
    if (port->is_write_short && sm_byte_queue_room(&port->out) >= OUT_MAX_BYTES / 2) {
        port->is_write_short = false;
        is_news = true;
    }
    port->pending = sm_channel_pending_size(sm_spicevmc_client_channel(port->vmc.client));
    bool is_sending = port->out.size + port->pending > 0;
    is_news = is_news || (port->is_sending && !is_sending);
    port->is_sending = is_sending;
    unlock(channel);
    if (is_news)
        sm_session_tell(channel->session, SM_EVENT_PORT, channel);
}

static const struct sm_client_vmc_ops VMC_OPS = {
    .data = on_data,
    .init = on_init,
    .event = on_event,
    .room = flush,
};

static enum sm_status open_port(struct sm_client_channel *channel,
                                const struct sm_link_client_event *link, struct sm_machine *machine)
{
    struct port *port = calloc(1, sizeof(*port));
    if (!port)
        return SM_ERR_NOMEM;
    port->in.limit = IN_MAX_BYTES;
    port->out.limit = OUT_MAX_BYTES;
    enum sm_status status = sm_client_vmc_open(&port->vmc, &VMC_OPS, channel, link, machine);
    if (status != SM_OK)
        free(port);
    return status;
}

static void closed(struct sm_client_channel *channel)
{
    struct port *port = channel->self;
    if (!port)
        return;
    lock(channel);
    port->is_open = false;
    port->is_gone = true;
    unlock(channel);
    sm_session_tell(channel->session, SM_EVENT_PORT, channel);
}

static void destroy(struct sm_client_channel *channel)
{
    struct port *port = channel->self;
    if (!port)
        return;
    sm_client_vmc_finish(&port->vmc);
    sm_byte_queue_finish(&port->in);
    sm_byte_queue_finish(&port->out);
    free(port);
}

const struct sm_client_channel_ops sm_port_channel_ops = {
    .caps = sm_client_vmc_caps,
    .open = open_port,
    .activity = sm_client_vmc_activity,
    .base = sm_client_vmc_base,
    .closed = closed,
    .destroy = destroy,
};

/* ---- What the public functions post ---- */

static void flush_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    flush(channel);
}

static void resume_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    struct port *port = channel->self;
    if (!port->is_paused)
        return;
    port->is_paused = false;
    sm_client_vmc_pause(channel, false);
}

static void event_call(struct sm_client_channel *channel, const void *argument)
{
    struct port *port = channel->self;
    uint8_t event;
    memcpy(&event, argument, sizeof(event));
    flush(channel); /* in order, as far as the line takes it */
    if (sm_spicevmc_client_port_event(port->vmc.client, event) != SM_OK)
        sm_log_at(&channel->session->log, SM_LOG_WARNING, "port %u: an event was not sent",
                  channel->id);
}

/* ---- Public ---- */

/* With the lock held: the port of a channel that is, or was, linked. */
static struct port *port_of(const struct sm_client_channel *channel)
{
    if (channel->kind != SM_CHANNEL_KIND_PORT || channel->state == SM_CLIENT_CHANNEL_CONNECTING)
        return NULL;
    struct port *port = channel->self;
    return port && port->is_named ? port : NULL;
}

static struct port *find(struct sm_session *session, uint8_t id, struct sm_client_channel **channel)
{
    for (size_t i = 0; i < session->channel_count; i++) {
        struct port *port = port_of(session->channels[i]);
        if (port && session->channels[i]->id == id) {
            *channel = session->channels[i];
            return port;
        }
    }
    return NULL;
}

static struct sm_port describe(const struct port *port, uint8_t id)
{
    struct sm_port out = {
        .id = id,
        .is_open = port->is_open,
        .is_gone = port->is_gone,
        .readable = port->in.size,
        .writable = port->is_open ? sm_byte_queue_room(&port->out) : 0,
        .unsent = port->is_gone ? 0 : port->out.size + port->pending,
        .breaks = port->breaks,
    };
    memcpy(out.name, port->name, sizeof(out.name));
    return out;
}

size_t sm_session_get_ports(struct sm_session *session, struct sm_port *out, size_t room)
{
    size_t count = 0;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++) {
        const struct port *port = port_of(session->channels[i]);
        if (!port)
            continue;
        if (count < room)
            out[count] = describe(port, session->channels[i]->id);
        count++;
    }
    pthread_mutex_unlock(&session->lock);
    return count;
}

bool sm_session_find_port(struct sm_session *session, const char *name, struct sm_port *out)
{
    bool is_found = false;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count && !is_found; i++) {
        const struct port *port = port_of(session->channels[i]);
        is_found = port && strcmp(port->name, name) == 0;
        if (is_found)
            *out = describe(port, session->channels[i]->id);
    }
    pthread_mutex_unlock(&session->lock);
    return is_found;
}

size_t sm_session_read_port(struct sm_session *session, uint8_t id, void *out, size_t size)
{
    struct sm_client_channel *channel = NULL;
    bool is_low = false;
    pthread_mutex_lock(&session->lock);
    struct port *port = find(session, id, &channel);
    if (!port)
        size = 0;
    else if (size > port->in.size)
        size = port->in.size;
    if (size > 0) {
        bool was_high = port->in.size >= IN_PAUSE_BYTES;
        memcpy(out, sm_byte_queue_bytes(&port->in).data, size);
        sm_byte_queue_drop(&port->in, size);
        is_low = was_high && port->in.size < IN_PAUSE_BYTES;
    }
    pthread_mutex_unlock(&session->lock);
    if (is_low) /* a channel that is gone has nothing to resume */
        (void)!sm_client_channel_post(channel, resume_call, NULL, 0);
    return size;
}

enum sm_status sm_session_write_port(struct sm_session *session, uint8_t id, const void *data,
                                     size_t size, size_t *taken)
{
    struct sm_client_channel *channel = NULL;
    enum sm_status status = SM_ERR_STATE;
    bool must_flush = false;
    *taken = 0;
    pthread_mutex_lock(&session->lock);
    struct port *port = find(session, id, &channel);
    if (port && port->is_open) {
        size_t room = sm_byte_queue_room(&port->out);
        size_t part = size < room ? size : room;
        status = sm_byte_queue_put(&port->out, (struct sm_bytes){data, part});
        if (status == SM_OK) {
            *taken = part;
            port->is_write_short = port->is_write_short || part < size;
            must_flush = part > 0 && !port->is_flush_due;
            port->is_flush_due = port->is_flush_due || must_flush;
        }
    }
    pthread_mutex_unlock(&session->lock);
    if (must_flush && sm_client_channel_post(channel, flush_call, NULL, 0) != SM_OK) {
        /* It goes with the next write, unless the channel is gone. */
        pthread_mutex_lock(&session->lock);
        port = find(session, id, &channel); /* a line that came back has made a new one */
        if (port)
            port->is_flush_due = false;
        pthread_mutex_unlock(&session->lock);
    }
    return status;
}

enum sm_status sm_session_send_port_event(struct sm_session *session, uint8_t id, uint8_t event)
{
    if (event < SM_PORT_BREAK)
        return SM_ERR_LIMIT;
    struct sm_client_channel *channel = NULL;
    pthread_mutex_lock(&session->lock);
    const struct port *port = find(session, id, &channel);
    bool is_usable = port && !port->is_gone;
    pthread_mutex_unlock(&session->lock);
    if (!is_usable)
        return SM_ERR_STATE;
    return sm_client_channel_post(channel, event_call, &event, sizeof(event));
}
