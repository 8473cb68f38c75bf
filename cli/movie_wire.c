/* SPDX-License-Identifier: MIT */
#include "cli/movie_wire.h"

#include <errno.h>
#include <sys/socket.h>

bool cli_movie_receive(int fd, void *to, size_t size)
{
    for (uint8_t *at = to; size > 0;) {
        ssize_t got = recv(fd, at, size, MSG_WAITALL);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool cli_movie_send(int fd, struct iovec *parts, size_t count)
{
    while (count > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        for (size_t left = sent > 0 ? (size_t)sent : 0; count > 0; parts++, count--) {
            if (left < parts->iov_len) {
                parts->iov_base = (uint8_t *)parts->iov_base + left;
                parts->iov_len -= left;
                break;
            }
            left -= parts->iov_len;
        }
    }
    return true;
}
