/* SPDX-License-Identifier: MIT */
/*
 * A long line in user space: passes TCP connections on with a given round trip and rate. Like a
 * real line it holds no more than its bandwidth-delay product and a router's queue, so a sender
 * feels it in its own socket. For measuring any server with any client. A connection has the line
 * for itself, unless --shared: then all stand in the one queue of the router, as behind a modem.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/list.h"
#include "core/base/math.h"
#include "io/clock.h"
#include "io/epoll_loop.h"
#include "io/socket.h"

enum {
    SEGMENT_MAX = 16 * 1024,
    UNLIMITED_IN_FLIGHT = 8 << 20, /* without a rate */
};

struct line {
    struct sm_epoll_loop *loop;
    uint16_t listen_port, to_port;
    uint64_t one_way_us;
    uint64_t bytes_per_second; /* 0: no limit */
    size_t queue_bytes;        /* of the router before the narrow part */
    int listener;
    bool is_shared;
    struct sm_list connections;
    uint64_t free_us[2];       /* see struct way; of all of a direction, if shared */
    size_t in_flight_bytes[2]; /* of all of a direction */
};

/* Bytes on their way, due at the far end at a certain time. */
struct segment {
    struct sm_list link;
    uint64_t due_us;
    size_t size, gone;
    uint8_t bytes[];
};

/* One direction of a connection. */
struct way {
    struct connection *connection;
    int direction;                  /* 0: from who connected */
    struct sm_transport *from, *to; /* borrowed from the connection */
    struct sm_list segments;
    size_t in_flight;
    uint64_t free_us; /* when the narrow part has passed everything so far */
    struct sm_timer *timer;
    bool has_ended;
};

struct connection {
    struct line *line;
    struct sm_list link; /* of the line's */
    struct sm_transport *ends[2];
    struct sm_watch *watches[2];
    struct way ways[2]; /* from ends[i] to the other */
};

static void close_connection(struct connection *c)
{
    struct sm_loop loop = sm_epoll_loop_base(c->line->loop);
    sm_list_remove(&c->link);
    for (int i = 0; i < 2; i++) {
        c->line->in_flight_bytes[i] -= c->ways[i].in_flight;
        sm_loop_watch_remove(loop, c->watches[i]);
        sm_loop_timer_remove(loop, c->ways[i].timer);
        SM_LIST_FOR (link, &c->ways[i].segments)
            free(SM_LIST_ITEM(link, struct segment, link));
        sm_transport_destroy(c->ends[i]);
    }
    free(c);
}

static size_t most_in_flight(const struct line *line)
{
    if (!line->bytes_per_second)
        return UNLIMITED_IN_FLIGHT;
    uint64_t product = line->bytes_per_second * line->one_way_us * 2 / 1000000;
    return (size_t)product + line->queue_bytes;
}

/* A queue that others have filled still takes the few bytes of one who sends little. */
static bool has_room(const struct way *way)
{
    const struct line *line = way->connection->line;
    size_t most = most_in_flight(line);
    if (!line->is_shared)
        return way->in_flight < most;
    return way->in_flight < SEGMENT_MAX || line->in_flight_bytes[way->direction] < most;
}

static void enqueue(struct way *way, const uint8_t *bytes, size_t size)
{
    struct line *line = way->connection->line;
    struct segment *segment = malloc(sizeof(*segment) + size);
    if (!segment)
        abort(); /* a bench without memory measures nothing */
    uint64_t now = sm_now_us();
    uint64_t *free_us = line->is_shared ? &line->free_us[way->direction] : &way->free_us;
    if (*free_us < now)
        *free_us = now;
    if (line->bytes_per_second)
        *free_us += size * 1000000 / line->bytes_per_second;
    *segment = (struct segment){.due_us = *free_us + line->one_way_us, .size = size};
    memcpy(segment->bytes, bytes, size);
    sm_list_append(&way->segments, &segment->link);
    way->in_flight += size;
    line->in_flight_bytes[way->direction] += size;
}

/* Reads as much as the line holds. */
static void take_in(struct way *way)
{
    while (!way->has_ended && has_room(way)) {
        uint8_t bytes[SEGMENT_MAX];
        size_t got = 0;
        enum sm_status status = sm_transport_read(way->from, bytes, sizeof(bytes), &got);
        if (status == SM_ERR_IO)
            way->has_ended = true; /* what is on its way still arrives */
        if (status != SM_OK)
            return;
        enqueue(way, bytes, got);
    }
}

/* Delivers what is due; false when the far end failed. */
static bool let_out(struct way *way)
{
    while (!sm_list_is_empty(&way->segments)) {
        struct segment *segment = SM_LIST_ITEM(way->segments.next, struct segment, link);
        if (segment->due_us > sm_now_us())
            return true;
        struct sm_bytes rest = {segment->bytes + segment->gone, segment->size - segment->gone};
        size_t put = 0;
        enum sm_status status = sm_transport_write(way->to, rest, &put);
        if (status == SM_AGAIN)
            return true;
        if (status != SM_OK)
            return false;
        segment->gone += put;
        way->in_flight -= put;
        way->connection->line->in_flight_bytes[way->direction] -= put;
        if (segment->gone == segment->size) {
            sm_list_remove(&segment->link);
            free(segment);
        }
    }
    return !way->has_ended;
}

static bool is_stuck(const struct way *way)
{
    return !sm_list_is_empty(&way->segments) &&
           SM_LIST_ITEM(way->segments.next, struct segment, link)->due_us <= sm_now_us();
}

static void arm(struct way *way)
{
    if (sm_list_is_empty(&way->segments) || is_stuck(way))
        return;
    uint64_t due = SM_LIST_ITEM(way->segments.next, struct segment, link)->due_us;
    uint64_t now = sm_now_us();
    sm_loop_timer_start(sm_epoll_loop_base(way->connection->line->loop), way->timer,
                        due <= now ? 0 : (uint32_t)((due - now + 999) / 1000));
}

static void watch_for(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        unsigned events = 0;
        if (!c->ways[i].has_ended && has_room(&c->ways[i]))
            events |= SM_IO_READ;
        if (is_stuck(&c->ways[1 - i]))
            events |= SM_IO_WRITE;
        sm_loop_watch_update(sm_epoll_loop_base(c->line->loop), c->watches[i], events);
    }
}

static void work(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        take_in(&c->ways[i]);
        if (!let_out(&c->ways[i])) {
            close_connection(c);
            return;
        }
    }
    for (int i = 0; i < 2; i++)
        arm(&c->ways[i]);
    if (!c->line->is_shared) {
        watch_for(c);
        return;
    }
    /* What one lets out makes room for the others. */
    SM_LIST_FOR (link, &c->line->connections)
        watch_for(SM_LIST_ITEM(link, struct connection, link));
}

static void on_events(void *opaque, unsigned events)
{
    (void)events;
    work(opaque);
}

static void on_due(void *opaque)
{
    work(((struct way *)opaque)->connection);
}

static void accept_one(void *opaque, unsigned events)
{
    (void)events;
    struct line *line = opaque;
    int near, far;
    struct sm_socket_error error;
    if (sm_socket_accept(line->listener, &near) != SM_OK)
        return;
    if (sm_socket_connect_tcp(&far, "127.0.0.1", line->to_port, sm_now_us() + 2000000, -1,
                              &error) != SM_OK) {
        fprintf(stderr, "bench-line: %s\n", error.text);
        close(near);
        return;
    }
    struct connection *c = calloc(1, sizeof(*c));
    if (!c || sm_socket_transport(&c->ends[0], near) != SM_OK ||
        sm_socket_transport(&c->ends[1], far) != SM_OK)
        abort();
    c->line = line;
    sm_list_append(&line->connections, &c->link);
    struct sm_loop loop = sm_epoll_loop_base(line->loop);
    for (int i = 0; i < 2; i++) {
        c->ways[i] =
            (struct way){.connection = c, .direction = i, .from = c->ends[i], .to = c->ends[1 - i]};
        sm_list_init(&c->ways[i].segments);
        c->ways[i].timer = sm_loop_timer_add(loop, on_due, &c->ways[i]);
        c->watches[i] = sm_loop_watch_add(loop, c->ends[i]->fd, SM_IO_READ, on_events, c);
        if (!c->ways[i].timer || !c->watches[i])
            abort();
    }
}

static int parse(struct line *line, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"listen", required_argument, NULL, 'l'},
        {"to", required_argument, NULL, 't'},
        {"rtt", required_argument, NULL, 'r'},
        {"mbit", required_argument, NULL, 'm'},
        {"queue", required_argument, NULL, 'q'},
        {"shared", no_argument, NULL, 's'},
        {0},
    };
    line->queue_bytes = 64 * 1024;
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'l')
            line->listen_port = (uint16_t)atoi(optarg);
        else if (option == 't')
            line->to_port = (uint16_t)atoi(optarg);
        else if (option == 'r')
            line->one_way_us = (uint64_t)(atof(optarg) * 500);
        else if (option == 'm')
            line->bytes_per_second = (uint64_t)(atof(optarg) * 125000);
        else if (option == 'q')
            line->queue_bytes = (size_t)atol(optarg);
        else if (option == 's')
            line->is_shared = true;
        else
            return 2;
    }
    return line->listen_port && line->to_port ? 0 : 2;
}

int main(int argc, char **argv)
{
    static struct line line;
    if (parse(&line, argc, argv) != 0) {
        fprintf(stderr, "usage: bench-line --listen PORT --to PORT [--rtt MS] [--mbit N] "
                        "[--queue BYTES] [--shared]\n");
        return 2;
    }
    sm_list_init(&line.connections);
    struct sm_socket_error error;
    if (sm_epoll_loop_create(&line.loop) != SM_OK)
        return 1;
    if (sm_socket_listen_tcp(&line.listener, "127.0.0.1", line.listen_port, SM_SOCKET_IPV4,
                             &error) != SM_OK) {
        fprintf(stderr, "bench-line: %s\n", error.text);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!sm_loop_watch_add(sm_epoll_loop_base(line.loop), line.listener, SM_IO_READ, accept_one,
                           &line))
        return 1;
    printf("ready\n");
    fflush(stdout);
    sm_epoll_loop_run(line.loop); /* until a signal ends the process */
    return 0;
}
