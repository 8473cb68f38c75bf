/* SPDX-License-Identifier: MIT */
/* The way through an HTTP proxy. Source: docs/client.md, "Proxies". */
#ifndef SM_CLIENT_TUNNEL_H
#define SM_CLIENT_TUNNEL_H

#include "client/patience.h"
#include "io/proxy.h"
#include "io/transport.h"
#include "sumac/error.h"

struct sm_tls_context;

/** The proxy of a session. */
struct sm_tunnel {
    struct sm_proxy proxy;
    struct sm_tls_context *tls; /* owned; NULL for http:// */
    char place[300];            /* "host:port", for people */
};

/** Understands `text`, see io/proxy.h. Gives SM_OK; else `error` is filled. */
SM_NODISCARD enum sm_status sm_tunnel_init(struct sm_tunnel *tunnel, const char *text,
                                           struct sm_error *error);

/** Wipes and frees what is in it; harmless for zeroed memory. */
void sm_tunnel_finish(struct sm_tunnel *tunnel);

/**
 * Has the proxy, to which `*transport` leads, connect to `host`. Blocking.
 *
 * @param transport  with https:// becomes the one with TLS on top; destroyed on failure
 * @return SM_OK: what comes and goes from now on is the server's; else `error` is filled
 */
SM_NODISCARD enum sm_status sm_tunnel_open(const struct sm_tunnel *tunnel,
                                           struct sm_transport **transport, const char *host,
                                           uint16_t port, const struct sm_patience *patience,
                                           struct sm_error *error);

/** No connection to the proxy came about. */
void sm_tunnel_reason_socket(const struct sm_tunnel *tunnel, struct sm_error *error,
                             const struct sm_socket_error *why, uint32_t timeout_ms);

#endif
