/* SPDX-License-Identifier: MIT */
/* WebSocket as a filter on any transport, for both ends. Source: docs/wire, "WebSocket". */
#ifndef SM_IO_WEBSOCKET_H
#define SM_IO_WEBSOCKET_H

#include "io/tls.h"
#include "io/transport.h"

/**
 * Puts a filter on a server's connection that finds out what the client speaks: a stream that
 * begins with a WebSocket upgrade is upgraded, everything else passes through untouched. A request
 * that cannot be upgraded passes through as well, so the layer above meets bytes that are not its
 * own and answers as it does to any stranger. The caller limits how long that may take.
 *
 * @param lower  taken on SM_OK, else still the caller's
 */
SM_NODISCARD enum sm_status sm_websocket_transport_server(struct sm_transport **out,
                                                          struct sm_transport *lower);

/**
 * Puts a client's end on `lower`: the upgrade is asked for with the first read or write.
 *
 * @param host  for the Host header, with port if not the default; copied
 * @param path  of the request, such as "/"; copied
 * @return SM_OK; SM_ERR_LIMIT if host and path are too long or have bytes that no header may have;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_websocket_transport_client(struct sm_transport **out,
                                                          struct sm_transport *lower,
                                                          const char *host, const char *path);

/**
 * Client: goes on with the upgrade, and the handshake of a TLS below, without moving data.
 *
 * @return SM_OK when frames may flow; SM_AGAIN; SM_ERR_IO with sm_transport_reason()
 */
SM_NODISCARD enum sm_status sm_websocket_transport_handshake(struct sm_transport *t);

/** Why the TLS below `t` failed; SM_TLS_OK if there is none, or it did not. */
enum sm_tls_failure sm_websocket_transport_tls_failure(const struct sm_transport *t);

/** True if `t`, made here, really speaks WebSocket (by now). */
bool sm_websocket_transport_is_upgraded(const struct sm_transport *t);

#endif
