/* SPDX-License-Identifier: MIT */
/* Connecting and listening: how a socket comes to be. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/socket.h"

static enum sm_socket_failure failure_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return SM_SOCKET_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
        return SM_SOCKET_UNREACHABLE;
    case ETIMEDOUT:
        return SM_SOCKET_TIMED_OUT;
    case EACCES:
    case EPERM:
        return SM_SOCKET_DENIED;
    case ENOENT:
        return SM_SOCKET_MISSING;
    case EADDRINUSE:
        return SM_SOCKET_IN_USE;
    default:
        return SM_SOCKET_OTHER;
    }
}

static enum sm_status say(struct sm_socket_error *error, enum sm_socket_failure failure,
                          const char *address, const char *words)
{
    error->failure = failure;
    snprintf(error->text, sizeof(error->text), "%.120s: %s", address, words);
    return SM_ERR_IO;
}

static enum sm_status say_errno(struct sm_socket_error *error, const char *address, int number)
{
    return say(error, failure_of(number), address, strerror(number));
}

/* "host port n", numeric where possible, for messages. */
static void name_of(const struct addrinfo *info, char *out, size_t size)
{
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, size, "%s port %s", host, port);
}

static enum sm_status resolve(struct addrinfo **out, const char *host, uint16_t port, int family,
                              int flags, struct sm_socket_error *error)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    int result = getaddrinfo(host && *host ? host : NULL, service, &hints, out);
    if (result != 0) {
        const char *words = result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result);
        return say(error, SM_SOCKET_RESOLVE, host && *host ? host : "any address", words);
    }
    return SM_OK;
}

/* Waits until `fd` is writable; 0, or an errno value. */
static int wait_connected(int fd, uint64_t deadline_us, int cancel_fd)
{
    for (;;) {
        uint64_t now = sm_now_us();
        if (now >= deadline_us)
            return ETIMEDOUT;
        uint64_t left_ms = (deadline_us - now + 999) / 1000;
        struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT}, {.fd = cancel_fd, .events = POLLIN}};
        int got = poll(fds, 2, left_ms > 60000 ? 60000 : (int)left_ms);
        if (got < 0 && errno != EINTR)
            return errno;
        if (got > 0 && fds[1].revents)
            return ECANCELED;
        if (got > 0 && fds[0].revents) {
            int result = 0;
            socklen_t size = sizeof(result);
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size);
            return result;
        }
    }
}

static int connect_one(int *out, const struct sockaddr *address, socklen_t size,
                       uint64_t deadline_us, int cancel_fd)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int result = connect(fd, address, size) == 0 ? 0 : errno;
    if (result == EINPROGRESS || result == EINTR)
        result = wait_connected(fd, deadline_us, cancel_fd);
    if (result != 0) {
        close(fd);
        return result;
    }
    *out = fd;
    return 0;
}

enum sm_status sm_socket_connect_tcp(int *out, const char *host, uint16_t port,
                                     uint64_t deadline_us, int cancel_fd,
                                     struct sm_socket_error *error)
{
    struct addrinfo *found;
    enum sm_status status = resolve(&found, host, port, AF_UNSPEC, AI_ADDRCONFIG, error);
    if (status != SM_OK) /* loopback may be all there is, which AI_ADDRCONFIG does not count */
        status = resolve(&found, host, port, AF_UNSPEC, 0, error);
    if (status != SM_OK)
        return status;

    status = SM_ERR_IO;
    for (const struct addrinfo *info = found; info && status != SM_OK; info = info->ai_next) {
        int result = connect_one(out, info->ai_addr, info->ai_addrlen, deadline_us, cancel_fd);
        char name[NI_MAXHOST + 16];
        name_of(info, name, sizeof(name));
        if (result == ECANCELED) {
            say(error, SM_SOCKET_CANCELLED, name, "cancelled");
            break;
        }
        if (result == 0)
            status = SM_OK;
        else
            say_errno(error, name, result);
    }
    freeaddrinfo(found);
    return status;
}

/* Fills a unix address; the abstract name space has no NUL at its end. */
static enum sm_status unix_address(struct sockaddr_un *out, socklen_t *size, const char *path,
                                   struct sm_socket_error *error)
{
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof(out->sun_path))
        return say(error, SM_SOCKET_OTHER, path, "not a usable socket path (1 to 107 bytes)");
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, length);
    bool is_abstract = path[0] == '@';
    if (is_abstract)
        out->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
    return SM_OK;
}

enum sm_status sm_socket_connect_unix(int *out, const char *path, struct sm_socket_error *error)
{
    struct sockaddr_un address;
    socklen_t size;
    enum sm_status status = unix_address(&address, &size, path, error);
    if (status != SM_OK)
        return status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return say_errno(error, path, errno);
    if (connect(fd, (const struct sockaddr *)&address, size) != 0) {
        status = say_errno(error, path, errno);
        close(fd);
        return status;
    }
    *out = fd;
    return SM_OK;
}

static int listen_one(int *out, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int on = 1, off = 0;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address, size) != 0 || listen(fd, SOMAXCONN) != 0) {
        int result = errno;
        close(fd);
        return result;
    }
    *out = fd;
    return 0;
}

static int native_family(enum sm_socket_family family)
{
    switch (family) {
    case SM_SOCKET_IPV4:
        return AF_INET;
    case SM_SOCKET_IPV6:
        return AF_INET6;
    case SM_SOCKET_ANY_FAMILY:
        break;
    }
    return AF_UNSPEC;
}

enum sm_status sm_socket_listen_tcp(int *out, const char *address, uint16_t port,
                                    enum sm_socket_family family, struct sm_socket_error *error)
{
    struct addrinfo *found;
    int native = native_family(family);
    enum sm_status status =
        resolve(&found, address, port, native, AI_PASSIVE | AI_ADDRCONFIG, error);
    if (status != SM_OK)
        status = resolve(&found, address, port, native, AI_PASSIVE, error);
    if (status != SM_OK)
        return status;

    status = SM_ERR_IO;
    for (const struct addrinfo *info = found; info && status != SM_OK; info = info->ai_next) {
        int result = listen_one(out, info->ai_addr, info->ai_addrlen);
        char name[NI_MAXHOST + 16];
        name_of(info, name, sizeof(name));
        if (result == 0)
            status = SM_OK;
        else
            say_errno(error, name, result);
    }
    freeaddrinfo(found);
    return status;
}

enum sm_status sm_socket_listen_unix(int *out, const char *path, struct sm_socket_error *error)
{
    struct sockaddr_un address;
    socklen_t size;
    enum sm_status status = unix_address(&address, &size, path, error);
    if (status != SM_OK)
        return status;
    struct stat left;
    if (path[0] != '@' && lstat(path, &left) == 0 && S_ISSOCK(left.st_mode))
        unlink(path);
    int result = listen_one(out, (const struct sockaddr *)&address, size);
    return result == 0 ? SM_OK : say_errno(error, path, result);
}

void sm_socket_set_latency(int fd, uint32_t unsent_bytes)
{
    int bytes = (int)unsent_bytes;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
}

void sm_socket_set_interactive(int fd)
{
    int priority = 6, low_delay = IPTOS_LOWDELAY;
    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
    setsockopt(fd, IPPROTO_IP, IP_TOS, &low_delay, sizeof(low_delay));
}

void sm_socket_peer_place(int fd, char out[SM_SOCKET_PLACE_MAX])
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof(peer);
    char host[INET6_ADDRSTRLEN], port[8];
    bool has_address = getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
                       (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) &&
                       getnameinfo((struct sockaddr *)&peer, size, host, sizeof(host), port,
                                   sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0;
    if (has_address)
        (void)snprintf(out, SM_SOCKET_PLACE_MAX, peer.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
                       host, port);
    else
        (void)snprintf(out, SM_SOCKET_PLACE_MAX, "local");
}

uint16_t sm_socket_local_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

enum sm_status sm_socket_accept(int listener, int *out)
{
    int fd;
    do {
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0) {
        *out = fd;
        return SM_OK;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EBADF:
    case EINVAL:
        return SM_ERR_IO;
    default: /* nobody waits, or the peer or the network took it back */
        return SM_AGAIN;
    }
}
