/* SPDX-License-Identifier: MIT */
/*
 * A stream of bytes to a peer, as a stack of filters: a socket at the bottom, TLS (later WebSocket,
 * proxies, SASL layers) on top. Nothing here blocks.
 */
#ifndef SM_IO_TRANSPORT_H
#define SM_IO_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_transport;

/** Counts what passes a transport; read by any thread. */
struct sm_transport_meter {
    _Atomic uint64_t received_bytes, sent_bytes;
};

/** What a filter does; see the functions below for what each promises. */
struct sm_transport_ops {
    enum sm_status (*read)(struct sm_transport *t, uint8_t *to, size_t size, size_t *got);
    enum sm_status (*writev)(struct sm_transport *t, const struct sm_bytes *parts, size_t count,
                             size_t *put);
    unsigned (*wants)(const struct sm_transport *t, unsigned asked);
    bool (*has_buffered)(const struct sm_transport *t);
    /* Optional: writes what the filter itself holds back; SM_OK when nothing is left. */
    enum sm_status (*flush)(struct sm_transport *t);
    /* Optional: see sm_transport_send_fd(). */
    enum sm_status (*send_fd)(struct sm_transport *t, uint8_t byte, int fd);
    /* Optional: see sm_transport_accept_fds(). */
    enum sm_status (*accept_fds)(struct sm_transport *t);
    int (*take_fd)(struct sm_transport *t);
    void (*destroy)(struct sm_transport *t);
};

/** Thread: one at a time. The first member of every filter's own struct. */
struct sm_transport {
    const struct sm_transport_ops *ops;
    int fd;                           /* of the socket at the bottom; owned by the bottom filter */
    bool is_secure;                   /* encrypted from here down */
    bool is_unix;                     /* the bottom is a unix socket */
    bool has_ended;                   /* the peer closed its side in an orderly way */
    struct sm_transport_meter *meter; /* borrowed; NULL: nobody counts */
    char reason[288];                 /* why the last operation gave SM_ERR_IO, as words */
};

/**
 * Reads at most `size` bytes.
 *
 * @param got  receives how many, at least 1 with SM_OK
 * @return SM_OK; SM_AGAIN if nothing is there yet; SM_ERR_IO at the end or after an error, with
 *         sm_transport_reason()
 */
SM_NODISCARD enum sm_status sm_transport_read(struct sm_transport *t, uint8_t *to, size_t size,
                                              size_t *got);

/**
 * Writes the start of the `count` parts one behind the other.
 *
 * @param put  receives how many bytes were taken, at least 1 with SM_OK
 * @return SM_OK, SM_AGAIN if none could be taken, SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_transport_writev(struct sm_transport *t,
                                                const struct sm_bytes *parts, size_t count,
                                                size_t *put);

SM_NODISCARD enum sm_status sm_transport_write(struct sm_transport *t, struct sm_bytes bytes,
                                               size_t *put);

/**
 * The events of the descriptor to wait for, given that the caller wants to read and/or write
 * (`asked`): a TLS read may have to wait until the socket is writable.
 */
unsigned sm_transport_wants(const struct sm_transport *t, unsigned asked);

/** True if a read would give bytes although the descriptor may never become readable again. */
bool sm_transport_has_buffered(const struct sm_transport *t);

/**
 * Writes what the filters hold back of earlier writes and of their own.
 *
 * @return SM_OK when nothing is left, SM_AGAIN, SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_transport_flush(struct sm_transport *t);

/**
 * Sends the byte `byte` with the descriptor `fd` attached (−1: without) beside the stream:
 * everything before must have been written. `fd` stays the caller's.
 *
 * @return SM_OK, SM_AGAIN, SM_ERR_STATE if the transport is no plain unix socket, SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_transport_send_fd(struct sm_transport *t, uint8_t byte, int fd);

/**
 * Keeps the descriptors that come with the stream from now on; before, they are lost.
 *
 * @return SM_OK; SM_ERR_STATE if the transport is no plain unix socket
 */
SM_NODISCARD enum sm_status sm_transport_accept_fds(struct sm_transport *t);

/**
 * The descriptor that came longest ago of those not taken yet: the caller's now. −1: none. Of more
 * than four that wait the oldest are closed.
 */
int sm_transport_take_fd(struct sm_transport *t);

/** Words about the last SM_ERR_IO; empty before one. Borrowed until the next operation. */
const char *sm_transport_reason(const struct sm_transport *t);

/** Closes and frees the whole stack. NULL does nothing. */
void sm_transport_destroy(struct sm_transport *t);

#endif
