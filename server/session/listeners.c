/* SPDX-License-Identifier: MIT */
#include "server/session/listeners.h"

#include <poll.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/socket.h"
#include "server/session/connection.h"
#include "server/session/internal.h"
#include "server/session/log.h"

/* Connections taken in one turn of the loop: the host's other work waits meanwhile. */
enum { ACCEPT_BATCH = 16 };

/* Out of descriptors: those who wait keep the socket readable, and looking again at once would only
 * spin. Meanwhile they wait in the kernel's queue. */
enum { PAUSE_MS = 100 };

static void on_pause_over(void *opaque)
{
    struct sm_listener *listener = opaque;
    sm_loop_watch_update(listener->server->loop, listener->watch, SM_IO_READ);
}

/* The host's own socket may be one that blocks, and stays as it is. */
static bool has_caller(int fd)
{
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    return poll(&asked, 1, 0) == 1;
}

static void on_readable(void *opaque, unsigned events)
{
    struct sm_listener *listener = opaque;
    struct sm_server *server = listener->server;
    (void)events;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        int fd;
        if (!listener->is_owned && !has_caller(listener->fd))
            return;
        enum sm_status status = sm_socket_accept(listener->fd, &fd);
        if (status == SM_ERR_IO) {
            if (sm_log_limit_allows(&server->link_complaints, sm_now_us()))
                sm_say(server->log, SM_LOG_WARNING, "accept failed: out of descriptors or memory");
            sm_loop_watch_update(server->loop, listener->watch, 0);
            sm_loop_timer_start(server->loop, listener->pause, PAUSE_MS);
        }
        if (status)
            return;
        sm_connection_accept(server, fd, listener->is_tls);
    }
}

static enum sm_status watch(struct sm_server *server, struct sm_listener *listener, int fd,
                            bool is_tls, bool is_owned)
{
    *listener =
        (struct sm_listener){.server = server, .fd = fd, .is_tls = is_tls, .is_owned = is_owned};
    listener->watch = sm_loop_watch_add(server->loop, fd, SM_IO_READ, on_readable, listener);
    listener->pause = sm_loop_timer_add(server->loop, on_pause_over, listener);
    if (listener->watch && listener->pause)
        return SM_OK;
    sm_loop_watch_remove(server->loop, listener->watch);
    sm_loop_timer_remove(server->loop, listener->pause);
    listener->watch = NULL;
    if (is_owned)
        close(fd);
    return SM_ERR_NOMEM;
}

static enum sm_status open_port(struct sm_server *server, struct sm_listener *listener, int port,
                                bool is_tls)
{
    struct sm_socket_error error = {0};
    int fd;
    enum sm_status status =
        server->is_unix
            ? sm_socket_listen_unix(&fd, server->address ? server->address : "", &error)
            : sm_socket_listen_tcp(&fd, server->address, (uint16_t)port, server->family, &error);
    if (status) {
        sm_say(server->log, SM_LOG_WARNING, "binding socket to %s:%d failed: %s",
               server->address ? server->address : "", port, error.text);
        return status;
    }
    return watch(server, listener, fd, is_tls, true);
}

enum sm_status sm_listeners_open(struct sm_server *server)
{
    struct sm_listeners *listeners = &server->listeners;
    enum sm_status status = SM_OK;
    if (server->is_unix && server->tls_port >= 0) {
        sm_say(server->log, SM_LOG_WARNING,
               "a unix socket and a TLS port were asked for; the port cannot share the path");
        status = SM_ERR_STATE;
    }
    if (!status && (server->port >= 0 || server->is_unix))
        status = open_port(server, &listeners->plain, server->port, false);
    if (!status && server->tls_port >= 0)
        status = open_port(server, &listeners->tls, server->tls_port, true);
    if (!status && server->listen_fd >= 0)
        status = watch(server, &listeners->given, server->listen_fd, false, false);
    if (status) {
        sm_listeners_close(server);
        sm_say(server->log, SM_LOG_WARNING, "Failed to open SPICE sockets");
    }
    return status;
}

static void close_listener(struct sm_server *server, struct sm_listener *listener)
{
    if (!listener->watch)
        return;
    sm_loop_watch_remove(server->loop, listener->watch);
    sm_loop_timer_remove(server->loop, listener->pause);
    if (listener->is_owned)
        close(listener->fd);
    listener->watch = NULL;
}

void sm_listeners_close(struct sm_server *server)
{
    close_listener(server, &server->listeners.plain);
    close_listener(server, &server->listeners.tls);
    close_listener(server, &server->listeners.given);
}
