/* SPDX-License-Identifier: MIT */
/* Sockets: the bottom of every transport, TCP or unix, connected or listening. */
#ifndef SM_IO_SOCKET_H
#define SM_IO_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "io/transport.h"

/** Why a socket could not be had. */
enum sm_socket_failure {
    SM_SOCKET_OK,
    SM_SOCKET_RESOLVE,     /* the host name has no address */
    SM_SOCKET_REFUSED,     /* nobody listens there */
    SM_SOCKET_UNREACHABLE, /* no route, network down */
    SM_SOCKET_TIMED_OUT,
    SM_SOCKET_CANCELLED,
    SM_SOCKET_DENIED,  /* permissions: of the path, of the port */
    SM_SOCKET_MISSING, /* a unix path that does not exist */
    SM_SOCKET_IN_USE,  /* address already bound */
    SM_SOCKET_OTHER,
};

struct sm_socket_error {
    enum sm_socket_failure failure;
    char text[192]; /* the operating system's words with the address they are about */
};

/**
 * Makes a transport of a connected stream socket: non-blocking, without delay of small packets and
 * with keep-alive after 600 s where the socket is TCP.
 *
 * @param fd  taken on SM_OK, else still the caller's
 * @return SM_OK, SM_ERR_NOMEM, SM_ERR_IO if the descriptor cannot be made non-blocking
 */
SM_NODISCARD enum sm_status sm_socket_transport(struct sm_transport **out, int fd);

/**
 * Connects to the first address of `host` that answers, blocking until `deadline_us` (io/clock.h).
 *
 * @param cancel_fd  connecting ends with SM_SOCKET_CANCELLED when this becomes readable; −1: never
 *                   (looking up the name cannot be cancelled)
 * @return SM_OK and the descriptor, owned by the caller; SM_ERR_IO and `error`
 */
SM_NODISCARD enum sm_status sm_socket_connect_tcp(int *out, const char *host, uint16_t port,
                                                  uint64_t deadline_us, int cancel_fd,
                                                  struct sm_socket_error *error);

/** The same for the unix socket at `path`; a leading '@' means the abstract name space. */
SM_NODISCARD enum sm_status sm_socket_connect_unix(int *out, const char *path,
                                                   struct sm_socket_error *error);

enum sm_socket_family {
    SM_SOCKET_ANY_FAMILY,
    SM_SOCKET_IPV4,
    SM_SOCKET_IPV6,
};

/**
 * Listens on the first local address that can be bound; IPv6 sockets accept IPv4 as well.
 *
 * @param address  a name or number; NULL or "" for all addresses
 * @param port     0 lets the kernel choose; sm_socket_local_port() tells
 * @return SM_OK and a non-blocking descriptor; SM_ERR_IO and `error`
 */
SM_NODISCARD enum sm_status sm_socket_listen_tcp(int *out, const char *address, uint16_t port,
                                                 enum sm_socket_family family,
                                                 struct sm_socket_error *error);

/** Listens on a unix path, removing a socket left behind there; '@' as above. */
SM_NODISCARD enum sm_status sm_socket_listen_unix(int *out, const char *path,
                                                  struct sm_socket_error *error);

/**
 * Lets the kernel hold no more than about `unsent_bytes` that are not on their way yet, so that
 * what is written later is not late. Best effort; nothing for sockets other than TCP.
 */
void sm_socket_set_latency(int fd, uint32_t unsent_bytes);

/** Asks the network to hurry with small packets of `fd`, such as sound. Best effort. */
void sm_socket_set_interactive(int fd);

enum { SM_SOCKET_PLACE_MAX = 64 /* bytes, the NUL included */ };

/** Where the peer of `fd` is: "1.2.3.4:5", "[::1]:5", or "local" if it has no address. */
void sm_socket_peer_place(int fd, char out[SM_SOCKET_PLACE_MAX]);

/** The local TCP port of `fd`, 0 if it has none. */
uint16_t sm_socket_local_port(int fd);

/**
 * Takes one waiting connection, non-blocking and close-on-exec.
 *
 * @return SM_OK and the descriptor; SM_AGAIN if none waits (or it has gone already); SM_ERR_IO if
 *         descriptors or memory ran out
 */
SM_NODISCARD enum sm_status sm_socket_accept(int listener, int *out);

#endif
