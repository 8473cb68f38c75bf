/* SPDX-License-Identifier: MIT */
#include "io/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PARTS_A_WRITE = 64,
    FDS_MAX = 4, /* that wait for being taken */
    KEEP_ALIVE_S = 600,
};

struct socket {
    struct sm_transport base;
    bool accepts_fds;
    int fds[FDS_MAX]; /* owned, oldest first */
    unsigned fd_count;
};

static enum sm_status fail(struct sm_transport *t, const char *what)
{
    snprintf(t->reason, sizeof(t->reason), "%s: %s", what, strerror(errno));
    return SM_ERR_IO;
}

static int socket_take_fd(struct sm_transport *t)
{
    struct socket *socket = (struct socket *)t;
    if (socket->fd_count == 0)
        return -1;
    int fd = socket->fds[0];
    socket->fd_count--;
    memmove(socket->fds, socket->fds + 1, socket->fd_count * sizeof(fd));
    return fd;
}

static void keep_fds(struct socket *socket, const struct cmsghdr *header)
{
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
        if (socket->fd_count == FDS_MAX)
            (void)close(socket_take_fd(&socket->base));
        socket->fds[socket->fd_count++] = fd;
    }
}

/* As recv(), and what comes with the bytes is kept. */
static ssize_t receive_with_fds(struct socket *socket, uint8_t *to, size_t size)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int))]; /* the kernel closes what has no room */
    } control;
    struct iovec vector = {.iov_base = to, .iov_len = size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    ssize_t count = recvmsg(socket->base.fd, &message, MSG_CMSG_CLOEXEC);
    if (count < 0)
        return count;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            keep_fds(socket, header);
    return count;
}

static enum sm_status socket_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    struct socket *socket = (struct socket *)t;
    ssize_t count;
    do {
        count = socket->accepts_fds ? receive_with_fds(socket, to, size) : recv(t->fd, to, size, 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        *got = (size_t)count;
        return SM_OK;
    }
    if (count == 0) {
        t->has_ended = true;
        snprintf(t->reason, sizeof(t->reason), "the peer closed the connection");
        return SM_ERR_IO;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? SM_AGAIN : fail(t, "reading");
}

static enum sm_status socket_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                    size_t count, size_t *put)
{
    struct iovec vectors[PARTS_A_WRITE];
    size_t used = 0;
    for (size_t i = 0; i < count && used < PARTS_A_WRITE; i++) {
        if (parts[i].size == 0)
            continue;
        vectors[used++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)parts[i].data, .iov_len = parts[i].size};
    }
    if (used == 0) {
        *put = 0;
        return SM_OK;
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = used};
    ssize_t sent;
    do {
        sent = sendmsg(t->fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        *put = (size_t)sent;
        return SM_OK;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? SM_AGAIN : fail(t, "writing");
}

static enum sm_status socket_accept_fds(struct sm_transport *t)
{
    if (!t->is_unix)
        return SM_ERR_STATE;
    ((struct socket *)t)->accepts_fds = true;
    return SM_OK;
}

static void socket_destroy(struct sm_transport *t)
{
    for (int fd = socket_take_fd(t); fd >= 0; fd = socket_take_fd(t))
        (void)close(fd);
    close(t->fd);
    free(t);
}

static enum sm_status socket_send_fd(struct sm_transport *t, uint8_t byte, int fd)
{
    if (!t->is_unix)
        return SM_ERR_STATE;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof(control.room);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    ssize_t sent;
    do {
        sent = sendmsg(t->fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent == 1)
        return SM_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK ? SM_AGAIN : fail(t, "passing a descriptor");
}

static const struct sm_transport_ops SOCKET_OPS = {
    .read = socket_read,
    .writev = socket_writev,
    .send_fd = socket_send_fd,
    .accept_fds = socket_accept_fds,
    .take_fd = socket_take_fd,
    .destroy = socket_destroy,
};

static bool is_unix_socket(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.ss_family == AF_UNIX;
}

/* Best effort: a socket pair or a unix socket has none of these options. */
static void set_tcp_options(int fd)
{
    int on = 1, idle = KEEP_ALIVE_S;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
}

enum sm_status sm_socket_transport(struct sm_transport **out, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return SM_ERR_IO;
    struct socket *socket = calloc(1, sizeof(*socket));
    if (!socket)
        return SM_ERR_NOMEM;
    socket->base =
        (struct sm_transport){.ops = &SOCKET_OPS, .fd = fd, .is_unix = is_unix_socket(fd)};
    if (!socket->base.is_unix)
        set_tcp_options(fd);
    *out = &socket->base;
    return SM_OK;
}
