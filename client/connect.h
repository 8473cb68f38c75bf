/* SPDX-License-Identifier: MIT */
/* From an address to a transport, blocking: for a channel's own thread. */
#ifndef SM_CLIENT_CONNECT_H
#define SM_CLIENT_CONNECT_H

#include "client/reasons.h"
#include "io/transport.h"

struct sm_session;

/**
 * Connects to the session's server and, with `is_secure`, puts TLS on top (its handshake has then
 * not begun).
 *
 * @param attempt    `place`, `is_unix` and `is_secure` are set; for messages
 * @param cancel_fd  connecting ends when this becomes readable
 * @return SM_OK; else `error` is filled
 */
SM_NODISCARD enum sm_status sm_connect(struct sm_transport **out, struct sm_session *session,
                                       const struct sm_attempt *attempt, uint64_t deadline_us,
                                       int cancel_fd, struct sm_error *error);

#endif
