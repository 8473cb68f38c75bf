/* SPDX-License-Identifier: MIT */
/*
 * The webdav channel: connections of the guest, each led to the server of the shared folder. All of
 * it happens on the channel's thread. Source: docs/folders.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/byte_queue.h"
#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "client/vmc_channel.h"
#include "core/base/list.h"
#include "core/channel/spicevmc/dav_mux.h"
#include "io/loop.h"

enum {
    CONNECTIONS_MAX = 64,
    TO_SERVER_MAX = 17 << 20, /* bytes: a message of any size, and what waited before it */
    PIECE_BYTES = 32 << 10,
};

struct dav {
    struct sm_client_vmc vmc; /* first: see there */
    struct sm_client_channel *channel;
    struct sm_dav_mux mux;
    struct sm_list connections; /* owned struct connection */
    unsigned count;
    bool is_paused;
};

/** One of the guest's. */
struct connection {
    struct sm_list link;
    struct dav *dav;
    int64_t number;
    int fd;                         /* owned: to the server; -1 once it has ended */
    struct sm_watch *watch;         /* owned; likewise NULL */
    struct sm_byte_queue to_server; /* what it does not take yet */
};

static struct connection *connection_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct connection, link);
}

static struct sm_loop loop_of(const struct dav *dav)
{
    return sm_epoll_loop_base(dav->channel->loop);
}

static void tell(const struct dav *dav)
{
    struct sm_session *session = dav->channel->session;
    pthread_mutex_lock(&session->lock);
    session->folder.connections = dav->count;
    pthread_mutex_unlock(&session->lock);
    sm_session_tell(session, SM_EVENT_FOLDER, dav->channel);
}

/* ---- Ends ---- */

static void close_fd(struct connection *c)
{
    if (c->fd < 0)
        return;
    sm_loop_watch_remove(loop_of(c->dav), c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
    sm_byte_queue_drop(&c->to_server, c->to_server.size);
}

static void forget(struct connection *c)
{
    close_fd(c);
    sm_byte_queue_finish(&c->to_server);
    sm_list_remove(&c->link);
    c->dav->count--;
    tell(c->dav);
    free(c);
}

static bool send_end(struct dav *dav, int64_t number)
{
    uint8_t header[SM_DAV_HEADER_SIZE];
    sm_dav_mux_header(header, number, 0);
    return sm_client_vmc_send(dav->channel, (struct sm_bytes){header, sizeof(header)}, false) ==
           SM_OK;
}

/* The server has ended it; the guest hears of that when there is room to say so. */
static void end(struct connection *c)
{
    close_fd(c);
    if (send_end(c->dav, c->number))
        forget(c);
}

/* Nothing is read from the guest while a server is behind. */
static void update_pause(struct dav *dav)
{
    bool is_behind = false;
    SM_LIST_FOR (link, &dav->connections)
        is_behind = is_behind || connection_of(link)->to_server.size > 0;
    if (is_behind == dav->is_paused)
        return;
    dav->is_paused = is_behind;
    sm_client_vmc_pause(dav->channel, is_behind);
}

/* ---- From the server to the guest ---- */

/* Whether there may be more. */
static bool read_once(struct connection *c)
{
    uint8_t frame[SM_DAV_HEADER_SIZE + PIECE_BYTES];
    ssize_t got = recv(c->fd, frame + SM_DAV_HEADER_SIZE, PIECE_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        end(c);
        return false;
    }
    sm_dav_mux_header(frame, c->number, (size_t)got);
    if (sm_client_vmc_send(c->dav->channel,
                           (struct sm_bytes){frame, SM_DAV_HEADER_SIZE + (size_t)got},
                           true) != SM_OK) {
        end(c); /* bytes are lost: the guest must not take the rest for all */
        return false;
    }
    atomic_fetch_add(&c->dav->channel->session->folder.sent, (unsigned long long)got);
    if (got < PIECE_BYTES) /* that was all */
        sm_client_vmc_starved(c->dav->channel);
    return true;
}

static void watch_for(struct connection *c)
{
    if (c->fd < 0)
        return;
    bool has_room = !sm_client_vmc_is_full(c->dav->channel);
    sm_loop_watch_update(loop_of(c->dav), c->watch,
                         (has_room ? SM_IO_READ : 0u) | (c->to_server.size ? SM_IO_WRITE : 0u));
}

/* ---- From the guest to the server ---- */

static void write_waiting(struct connection *c)
{
    while (c->to_server.size > 0) {
        struct sm_bytes waiting = sm_byte_queue_bytes(&c->to_server);
        ssize_t done = send(c->fd, waiting.data, waiting.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0) {
            if (errno != EAGAIN && errno != EINTR) /* it has closed: reading will tell */
                sm_byte_queue_drop(&c->to_server, waiting.size);
            return;
        }
        sm_byte_queue_drop(&c->to_server, (size_t)done);
    }
}

static void on_ready(void *opaque, unsigned events)
{
    struct connection *c = opaque;
    struct dav *dav = c->dav;
    if (events & SM_IO_WRITE)
        write_waiting(c);
    watch_for(c);
    /* One piece a turn, so that all get on; it may be the last of `c`. */
    if (events & SM_IO_READ && !sm_client_vmc_is_full(dav->channel))
        (void)read_once(c);
    update_pause(dav);
    sm_client_channel_kick(dav->channel);
}

static void on_room(struct sm_client_channel *channel)
{
    struct dav *dav = channel->self;
    SM_LIST_FOR (link, &dav->connections) {
        struct connection *c = connection_of(link);
        if (c->fd < 0)
            end(c);
        else
            watch_for(c);
    }
}

static struct connection *find(struct dav *dav, int64_t number)
{
    SM_LIST_FOR (link, &dav->connections)
        if (connection_of(link)->number == number)
            return connection_of(link);
    return NULL;
}

/* Leads a connection of the guest to the folder; NULL if there is none. */
static struct connection *begin(struct dav *dav, int64_t number)
{
    struct sm_session *session = dav->channel->session;
    if (dav->count >= CONNECTIONS_MAX)
        return NULL;
    pthread_mutex_lock(&session->lock);
    int fd = sm_client_folder_connect(&session->folder);
    pthread_mutex_unlock(&session->lock);
    struct connection *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
    if (c) {
        c->watch = sm_loop_watch_add(loop_of(dav), fd, SM_IO_READ, on_ready, c);
        if (!c->watch) {
            free(c);
            c = NULL;
        }
    }
    if (!c) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    c->dav = dav;
    c->number = number;
    c->fd = fd;
    c->to_server.limit = TO_SERVER_MAX;
    sm_list_append(&dav->connections, &c->link);
    dav->count++;
    tell(dav);
    return c;
}

static enum sm_status take_piece(struct dav *dav, const struct sm_dav_piece *piece)
{
    struct connection *c = find(dav, piece->connection);
    if (piece->data.size == 0) {
        if (c)
            forget(c);
        return SM_OK;
    }
    if (!c && !(c = begin(dav, piece->connection))) {
        /* Told at once; a guest whose line is full finds out when it hears nothing. */
        (void)send_end(dav, piece->connection);
        return SM_OK;
    }
    if (c->fd < 0)
        return SM_OK; /* the server's end is on its way to the guest */
    atomic_fetch_add(&dav->channel->session->folder.received, piece->data.size);
    enum sm_status status = sm_byte_queue_put(&c->to_server, piece->data);
    if (status != SM_OK)
        return status;
    write_waiting(c);
    watch_for(c);
    return SM_OK;
}

static enum sm_status on_data(struct sm_client_channel *channel, struct sm_bytes data)
{
    struct dav *dav = channel->self;
    struct sm_dav_piece piece;
    enum sm_status status = SM_OK;
    while (status == SM_OK && sm_dav_mux_next(&dav->mux, &data, &piece))
        status = take_piece(dav, &piece);
    update_pause(dav);
    return status;
}

/* ---- The port ---- */

static void forget_all(struct dav *dav)
{
    SM_LIST_FOR (link, &dav->connections)
        forget(connection_of(link));
    dav->mux = (struct sm_dav_mux){.left = 0};
}

static void set_listening(struct dav *dav, bool is_listening)
{
    struct sm_session *session = dav->channel->session;
    if (!is_listening)
        forget_all(dav);
    pthread_mutex_lock(&session->lock);
    session->folder.is_listening = is_listening;
    pthread_mutex_unlock(&session->lock);
    tell(dav);
}

static void on_init(struct sm_client_channel *channel, struct sm_bytes name, bool is_open)
{
    (void)name;
    set_listening(channel->self, is_open);
}

static void on_event(struct sm_client_channel *channel, uint8_t event)
{
    if (event == SM_PORT_EVENT_OPENED || event == SM_PORT_EVENT_CLOSED)
        set_listening(channel->self, event == SM_PORT_EVENT_OPENED);
}

static const struct sm_client_vmc_ops VMC_OPS = {
    .data = on_data,
    .init = on_init,
    .event = on_event,
    .room = on_room,
};

static enum sm_status open_webdav(struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link,
                                  struct sm_machine *machine)
{
    struct dav *dav = calloc(1, sizeof(*dav));
    if (!dav)
        return SM_ERR_NOMEM;
    dav->channel = channel;
    sm_list_init(&dav->connections);
    enum sm_status status = sm_client_vmc_open(&dav->vmc, &VMC_OPS, channel, link, machine);
    if (status != SM_OK)
        free(dav);
    return status;
}

static void closed(struct sm_client_channel *channel)
{
    if (channel->self)
        set_listening(channel->self, false);
}

static void destroy(struct sm_client_channel *channel)
{
    struct dav *dav = channel->self;
    if (!dav)
        return;
    SM_LIST_FOR (link, &dav->connections)
        forget(connection_of(link));
    sm_client_vmc_finish(&dav->vmc);
    free(dav);
}

const struct sm_client_channel_ops sm_webdav_channel_ops = {
    .caps = sm_client_vmc_caps,
    .open = open_webdav,
    .activity = sm_client_vmc_activity,
    .base = sm_client_vmc_base,
    .closed = closed,
    .destroy = destroy,
};
