/* SPDX-License-Identifier: MIT */
#include "cli/feeder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/connection.h"

enum {
    PIECE_BYTES = 64 << 10, /* given at a time */
    WAIT_MAX_MS = 60000,    /* at a time: a recording may say any time */
    HELLO_MAX = 4096,
    REPLY_BYTES = 16 + 178 + 8,
    TICKET_BYTES = 4 + 128,
    MINI_HEADER = 8, /* of the common capabilities; below it those of ways to log in */
    AUTH_SELECTION_AND_TICKET = 3,
};

/* Some key of 1024 bits: the ticket is not looked at, but has to be encrypted. */
static const uint8_t PUBLIC_KEY[162] = {
    0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00, 0xbc,
    0xfc, 0xe8, 0x0c, 0x95, 0x9e, 0xc6, 0xf8, 0x70, 0x06, 0xfe, 0xff, 0xcc, 0xf9, 0xc2, 0x22,
    0xd7, 0x02, 0x96, 0x13, 0x92, 0x99, 0x2c, 0xa3, 0x60, 0x46, 0x0c, 0xea, 0x23, 0xd9, 0x53,
    0x08, 0x32, 0x74, 0xb4, 0x59, 0x7e, 0xd5, 0x9b, 0x9e, 0xe1, 0xd5, 0x70, 0x84, 0x3e, 0x0d,
    0x17, 0xf0, 0x47, 0xab, 0x4d, 0x5f, 0xc2, 0x47, 0x15, 0x31, 0xaa, 0xcb, 0x62, 0x4f, 0x8f,
    0x6e, 0x93, 0xe3, 0x95, 0x3f, 0xc1, 0x01, 0xca, 0x52, 0xcc, 0xbd, 0x04, 0x5d, 0x0f, 0xee,
    0x66, 0xde, 0xe5, 0x80, 0xd0, 0xa9, 0xcb, 0xe8, 0x37, 0x8b, 0xea, 0x7b, 0x4d, 0x32, 0xe4,
    0xd1, 0xc6, 0x9b, 0x3c, 0xdb, 0x44, 0xbd, 0xa0, 0xb2, 0xb8, 0x67, 0xb7, 0x1f, 0x93, 0x37,
    0x2a, 0x28, 0xdf, 0x26, 0x51, 0xa7, 0x7a, 0xc4, 0xd1, 0x28, 0xbe, 0x00, 0x65, 0xe0, 0x3d,
    0x8c, 0x07, 0x8c, 0xc0, 0x5a, 0xfd, 0x5f, 0x02, 0x03, 0x01, 0x00, 0x01,
};

/** One connection: its thread and our end of the socket. */
struct line {
    struct cli_feeder *feeder;
    uint32_t connection;
    int fd; /* owned */
    pthread_t thread;
};

struct cli_feeder {
    const struct cli_session_index *index;
    int file_fd;
    bool is_paced;
    uint64_t until_us;
    pthread_mutex_t lock; /* over the two below */
    struct line lines[CLI_SESSION_CONNECTIONS_MAX];
    size_t line_count;
    atomic_size_t begun, done;
    atomic_ullong start_us; /* monotonic, of the recording's beginning; 0: not yet */
};

static bool read_all(int fd, uint8_t *to, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(fd, to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *from, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, from, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        from += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void put_le32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

/* The link phase with a client that is our own. Source: docs/wire/link.md. */
static bool greet(const struct line *line)
{
    const struct cli_session_connection *c = &line->feeder->index->connections[line->connection];
    uint8_t head[16], rest[HELLO_MAX], ticket[TICKET_BYTES], reply[REPLY_BYTES] = "REDQ";
    if (!read_all(line->fd, head, sizeof(head)))
        return false;
    uint32_t size = head[12] | (uint32_t)head[13] << 8 | (uint32_t)head[14] << 16;
    if (head[15] || size > sizeof(rest) || !read_all(line->fd, rest, size))
        return false;
    put_le32(reply + 4, 2);
    put_le32(reply + 8, 2);
    put_le32(reply + 12, sizeof(reply) - 16);
    memcpy(reply + 20, PUBLIC_KEY, sizeof(PUBLIC_KEY));
    put_le32(reply + 16 + 166, 1);
    put_le32(reply + 16 + 170, 1);
    put_le32(reply + 16 + 174, 178);
    put_le32(reply + 16 + 178, (c->common_caps & MINI_HEADER) | AUTH_SELECTION_AND_TICKET);
    put_le32(reply + 16 + 182, c->channel_caps);
    static const uint8_t good[4];
    return write_all(line->fd, reply, sizeof(reply)) &&
           read_all(line->fd, ticket, sizeof(ticket)) && write_all(line->fd, good, sizeof(good));
}

/* Takes away what the client says; false if it has gone. */
static bool drain(int fd)
{
    uint8_t bin[4096];
    ssize_t got;
    while ((got = recv(fd, bin, sizeof(bin), MSG_DONTWAIT)) > 0)
        continue;
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until `due_us`, or until there is room; the client is listened to meanwhile. */
static bool wait_until(const struct line *line, uint64_t due_us, short events)
{
    for (;;) {
        uint64_t now_us = cli_now_us();
        if (!events && now_us >= due_us)
            return true;
        uint64_t left_ms = events ? WAIT_MAX_MS : (due_us - now_us) / 1000 + 1;
        struct pollfd wait = {.fd = line->fd, .events = (short)(POLLIN | events)};
        (void)poll(&wait, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS);
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) && !drain(line->fd))
            return false;
        if (events && wait.revents & events)
            return true;
    }
}

static bool give(const struct line *line, const struct cli_session_piece *piece)
{
    uint8_t data[PIECE_BYTES];
    for (uint32_t at = 0; at < piece->size;) {
        size_t size = piece->size - at < sizeof(data) ? piece->size - at : sizeof(data);
        ssize_t got = pread(line->feeder->file_fd, data, size, (off_t)(piece->offset + at));
        if (got <= 0)
            return false;
        for (ssize_t sent = 0; sent < got;) {
            ssize_t now =
                send(line->fd, data + sent, (size_t)(got - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (now < 0 && errno != EAGAIN && errno != EINTR)
                return false;
            sent += now > 0 ? now : 0;
            if (now < 0 && !wait_until(line, 0, POLLOUT))
                return false;
        }
        at += (uint32_t)got;
    }
    return true;
}

static void feed(struct line *line)
{
    struct cli_feeder *feeder = line->feeder;
    const struct cli_session_index *index = feeder->index;
    unsigned long long unset = 0, first_us = index->connections[0].opened_us;
    (void)atomic_compare_exchange_strong(&feeder->start_us, &unset, cli_now_us() - first_us);
    uint64_t start_us = atomic_load(&feeder->start_us);
    for (size_t i = 0; i < index->piece_count; i++) {
        const struct cli_session_piece *piece = &index->pieces[i];
        if (piece->at_us > feeder->until_us)
            break;
        if (piece->connection != line->connection)
            continue;
        uint64_t due_us =
            piece->at_us < UINT64_MAX - start_us ? start_us + piece->at_us : UINT64_MAX;
        if ((feeder->is_paced && !wait_until(line, due_us, 0)) || !give(line, piece))
            return;
    }
}

static void *run(void *opaque)
{
    struct line *line = opaque;
    bool is_linked = greet(line);
    if (is_linked)
        feed(line);
    atomic_fetch_add(&line->feeder->done, 1);
    if (is_linked) /* the picture stays until the client goes */
        (void)wait_until(line, UINT64_MAX, 0);
    (void)close(line->fd);
    return NULL;
}

struct cli_feeder *cli_feeder_create(const struct cli_session_index *index, int fd, bool is_paced,
                                     uint64_t until_us)
{
    struct cli_feeder *feeder = calloc(1, sizeof(*feeder));
    if (!feeder)
        return NULL;
    feeder->index = index;
    feeder->file_fd = fd;
    feeder->is_paced = is_paced;
    feeder->until_us = until_us;
    pthread_mutex_init(&feeder->lock, NULL);
    return feeder;
}

/* The next connection of that kind that nobody has had; its index, or the number of all. */
static size_t choose(const struct cli_feeder *feeder, enum sm_channel_kind kind, uint8_t id)
{
    size_t had = 0, i = 0;
    for (size_t j = 0; j < feeder->line_count; j++) {
        const struct cli_session_connection *c =
            &feeder->index->connections[feeder->lines[j].connection];
        had += c->kind == kind && c->id == id;
    }
    for (; i < feeder->index->connection_count; i++) {
        const struct cli_session_connection *c = &feeder->index->connections[i];
        if (c->kind == kind && c->id == id && had-- == 0)
            break;
    }
    return i;
}

int cli_feeder_connect(void *opaque, enum sm_channel_kind kind, uint8_t id, bool is_secure)
{
    struct cli_feeder *feeder = opaque;
    int ends[2] = {-1, -1};
    (void)is_secure;
    pthread_mutex_lock(&feeder->lock);
    size_t connection = choose(feeder, kind, id);
    bool is_there = connection < feeder->index->connection_count &&
                    feeder->line_count < CLI_SESSION_CONNECTIONS_MAX &&
                    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
    if (is_there) {
        struct line *line = &feeder->lines[feeder->line_count];
        *line = (struct line){.feeder = feeder, .connection = (uint32_t)connection, .fd = ends[1]};
        is_there = pthread_create(&line->thread, NULL, run, line) == 0;
        feeder->line_count += is_there;
        atomic_fetch_add(&feeder->begun, is_there);
    }
    if (!is_there && ends[0] >= 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
    pthread_mutex_unlock(&feeder->lock);
    return is_there ? ends[0] : -1;
}

bool cli_feeder_is_done(const struct cli_feeder *feeder)
{
    /* Main and a display at least: before that nothing can be seen. */
    return atomic_load(&feeder->begun) > 1 &&
           atomic_load(&feeder->begun) == atomic_load(&feeder->done);
}

void cli_feeder_destroy(struct cli_feeder *feeder)
{
    if (!feeder)
        return;
    for (size_t i = 0; i < feeder->line_count; i++)
        (void)pthread_join(feeder->lines[i].thread, NULL);
    pthread_mutex_destroy(&feeder->lock);
    free(feeder);
}
