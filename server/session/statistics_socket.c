/* SPDX-License-Identifier: MIT */
#include "server/session/statistics_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/statistics.h"

enum {
    READERS_MAX = 8,
    PATIENCE_US = 5 * 1000000, /* with one */
    HEADER_MAX = 256,
};

/* Somebody who asks: a machine that takes one request and has one answer. */
struct reader {
    struct sm_statistics_socket *socket;
    struct sm_list link;
    struct sm_pump *pump; /* owned */
    struct sm_writer in;
    char *text; /* owned: the answer */
    size_t size, sent;
    uint64_t deadline_us;
};

struct sm_statistics_socket {
    struct sm_server *server; /* borrowed */
    int fd;
    struct sm_watch *watch;
    struct sm_list readers;
    unsigned count;
    char *path; /* owned */
};

static void destroy_reader(struct reader *reader)
{
    sm_list_remove(&reader->link);
    reader->socket->count--;
    sm_pump_destroy(reader->pump);
    sm_writer_finish(&reader->in);
    free(reader->text);
    free(reader);
}

/* ---- the machine ---- */

static enum sm_status answer(struct reader *reader, const struct sm_statistics_request *request)
{
    static const char *const TYPES[] = {
        [SM_STATISTICS_PROMETHEUS] = "text/plain; version=0.0.4",
        [SM_STATISTICS_JSON] = "application/json",
        [SM_STATISTICS_TABLE] = "text/plain",
    };
    char *text;
    size_t size;
    enum sm_status status =
        sm_statistics_write(&text, &size, reader->socket->server, request->format);
    if (status != SM_OK || !request->is_http) {
        reader->text = status == SM_OK ? text : NULL;
        reader->size = status == SM_OK ? size : 0;
        return status;
    }
    int length = asprintf(&reader->text,
                          "HTTP/1.0 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                          TYPES[request->format], size, text);
    free(text);
    if (length < 0) {
        reader->text = NULL;
        return SM_ERR_NOMEM;
    }
    reader->size = (size_t)length;
    return SM_OK;
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct reader *reader = self;
    (void)now_us;
    *taken = in.size; /* what comes behind a request means nothing */
    if (reader->text)
        return SM_OK;
    sm_put_bytes(&reader->in, in);
    if (reader->in.failed)
        return sm_writer_status(&reader->in);
    struct sm_statistics_request request;
    enum sm_status status = sm_statistics_request_parse(&request, sm_writer_bytes(&reader->in));
    if (status != SM_OK)
        return status == SM_AGAIN ? SM_OK : status;
    return answer(reader, &request);
}

static struct sm_bytes pending(const void *self)
{
    const struct reader *reader = self;
    if (!reader->text)
        return (struct sm_bytes){0};
    return (struct sm_bytes){(const uint8_t *)reader->text + reader->sent,
                             reader->size - reader->sent};
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    (void)now_us;
    ((struct reader *)self)->sent += size;
}

static uint64_t deadline(const void *self)
{
    return ((const struct reader *)self)->deadline_us;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    return now_us < deadline(self) ? SM_OK : SM_ERR_LIMIT;
}

static const char *reason(const void *self)
{
    (void)self;
    return "no request for statistics";
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = reason,
};

/* ---- the socket ---- */

static void on_activity(void *opaque)
{
    struct reader *reader = opaque;
    if (reader->text && reader->sent == reader->size)
        destroy_reader(reader);
}

static void on_closed(void *opaque, enum sm_status status, const char *why)
{
    (void)status;
    (void)why;
    destroy_reader(opaque);
}

static enum sm_status add_reader(struct sm_statistics_socket *socket,
                                 struct sm_transport *transport)
{
    static const struct sm_pump_callbacks callbacks = {.on_activity = on_activity,
                                                       .on_closed = on_closed};
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return SM_ERR_NOMEM;
    reader->socket = socket;
    reader->deadline_us = sm_now_us() + PATIENCE_US;
    sm_writer_init(&reader->in, SM_STATISTICS_REQUEST_MAX);
    enum sm_status status =
        sm_pump_create(&reader->pump, socket->server->loop, transport,
                       (struct sm_machine){&OPS, reader}, (struct sm_bytes){0}, &callbacks, reader);
    if (status != SM_OK) {
        free(reader);
        return status;
    }
    sm_list_append(&socket->readers, &reader->link);
    socket->count++;
    return SM_OK;
}

/* One at a time: the watch says it again while more wait. Those beyond the limit go away. */
static void on_readable(void *opaque, unsigned events)
{
    struct sm_statistics_socket *socket = opaque;
    struct sm_transport *transport;
    int fd;
    (void)events;
    if (sm_socket_accept(socket->fd, &fd) != SM_OK)
        return;
    if (socket->count >= READERS_MAX || sm_socket_transport(&transport, fd) != SM_OK) {
        (void)close(fd);
        return;
    }
    if (add_reader(socket, transport) != SM_OK)
        sm_transport_destroy(transport);
}

enum sm_status sm_statistics_socket_create(struct sm_statistics_socket **out,
                                           struct sm_server *server, const char *path)
{
    struct sm_socket_error error = {0};
    struct sm_statistics_socket *socket = calloc(1, sizeof(*socket));
    char *copy = strdup(path);
    if (!socket || !copy) {
        free(socket);
        free(copy);
        return SM_ERR_NOMEM;
    }
    *socket = (struct sm_statistics_socket){.server = server, .path = copy, .fd = -1};
    sm_list_init(&socket->readers);
    enum sm_status status = sm_socket_listen_unix(&socket->fd, path, &error);
    if (status == SM_OK && path[0] != '@' && chmod(path, S_IRUSR | S_IWUSR) != 0)
        status = SM_ERR_IO;
    if (status == SM_OK) {
        socket->watch =
            sm_loop_watch_add(server->loop, socket->fd, SM_IO_READ, on_readable, socket);
        status = socket->watch ? SM_OK : SM_ERR_NOMEM;
    }
    if (status != SM_OK) {
        sm_say(server->log, SM_LOG_WARNING, "statistics cannot be offered at %s: %s", path,
               error.text);
        sm_statistics_socket_destroy(socket);
        return status;
    }
    *out = socket;
    return SM_OK;
}

void sm_statistics_socket_destroy(struct sm_statistics_socket *socket)
{
    if (!socket)
        return;
    SM_LIST_FOR (link, &socket->readers)
        destroy_reader(SM_LIST_ITEM(link, struct reader, link));
    sm_loop_watch_remove(socket->server->loop, socket->watch);
    if (socket->fd >= 0) {
        (void)close(socket->fd);
        if (socket->path[0] != '@')
            (void)unlink(socket->path);
    }
    free(socket->path);
    free(socket);
}
