/* SPDX-License-Identifier: MIT */
/* Waiting for a line, with an end: blocking, for a channel's own thread while it connects. */
#ifndef SM_CLIENT_PATIENCE_H
#define SM_CLIENT_PATIENCE_H

#include <stdint.h>

#include "io/socket.h"
#include "io/transport.h"

/** How long to wait at most, and what ends it earlier. */
struct sm_patience {
    uint64_t deadline_us;
    int cancel_fd; /* borrowed */
};

/**
 * Waits until `transport` can go on with what is `asked` (enum sm_io_event).
 *
 * @return SM_SOCKET_OK, SM_SOCKET_TIMED_OUT or SM_SOCKET_CANCELLED
 */
enum sm_socket_failure sm_patience_wait(const struct sm_patience *patience,
                                        const struct sm_transport *transport, unsigned asked);

#endif
