/* SPDX-License-Identifier: MIT */
#include "client/patience.h"

#include <poll.h>

#include "io/clock.h"
#include "io/loop.h"

enum sm_socket_failure sm_patience_wait(const struct sm_patience *patience,
                                        const struct sm_transport *transport, unsigned asked)
{
    unsigned wants = sm_transport_wants(transport, asked);
    struct pollfd fds[] = {
        {.fd = transport->fd,
         .events =
             (short)((wants & SM_IO_READ ? POLLIN : 0) | (wants & SM_IO_WRITE ? POLLOUT : 0))},
        {.fd = patience->cancel_fd, .events = POLLIN},
    };
    if (asked & SM_IO_READ && sm_transport_has_buffered(transport))
        return SM_SOCKET_OK;
    for (;;) {
        uint64_t now_us = sm_now_us();
        if (now_us >= patience->deadline_us)
            return SM_SOCKET_TIMED_OUT;
        int ready = poll(fds, 2, (int)((patience->deadline_us - now_us + 999) / 1000));
        if (ready > 0 && fds[1].revents)
            return SM_SOCKET_CANCELLED;
        if (ready > 0)
            return SM_SOCKET_OK;
    }
}
