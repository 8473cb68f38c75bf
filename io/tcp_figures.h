/* SPDX-License-Identifier: MIT */
/* What the kernel knows of a TCP connection that we send on. */
#ifndef SM_IO_TCP_FIGURES_H
#define SM_IO_TCP_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

struct sm_tcp_figures {
    uint64_t rtt_us;           /* smoothed */
    uint64_t min_rtt_us;       /* the shortest in the last minutes; 0: none measured yet */
    uint64_t bytes_per_second; /* that arrived lately; 0: none measured yet */
    uint64_t queued_bytes;     /* written to the socket and not acknowledged */
};

/**
 * Asks the kernel about `fd`. What is behind TLS or a WebSocket is asked about by its socket.
 *
 * @return false, and `out` as it was, if it is no TCP socket, or the kernel does not tell
 */
bool sm_tcp_figures_read(struct sm_tcp_figures *out, int fd);

#endif
