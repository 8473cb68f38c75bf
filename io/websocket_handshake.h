/* SPDX-License-Identifier: MIT */
/* The HTTP upgrade before WebSocket frames, as pure functions of bytes. */
#ifndef SM_IO_WEBSOCKET_HANDSHAKE_H
#define SM_IO_WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_WEBSOCKET_REQUEST_MAX = 4095,
    SM_WEBSOCKET_KEY_SIZE = 24,    /* base64 of 16 bytes */
    SM_WEBSOCKET_ACCEPT_SIZE = 28, /* base64 of a SHA-1 */
};

/**
 * Answers a client's request.
 *
 * @param in     what has arrived so far
 * @param reply  receives the answer; untouched unless SM_OK
 * @return SM_OK with the answer, when `in` ends with the request's empty line; SM_AGAIN if more
 * must come; SM_ERR_PROTOCOL if this is, or becomes, no upgrade that we accept
 */
SM_NODISCARD enum sm_status sm_websocket_answer(struct sm_bytes in, struct sm_writer *reply);

/** Writes a client's request. `key`: 24 characters of base64. */
void sm_websocket_request(struct sm_writer *out, const char *host, const char *path,
                          const char key[SM_WEBSOCKET_KEY_SIZE + 1]);

/**
 * Checks the server's answer to a request with `key`.
 *
 * @param size  receives the size of the answer; what follows are frames
 * @return SM_OK; SM_AGAIN; SM_ERR_PROTOCOL with a static `reason`
 */
SM_NODISCARD enum sm_status sm_websocket_check_answer(struct sm_bytes in,
                                                      const char key[SM_WEBSOCKET_KEY_SIZE + 1],
                                                      size_t *size, const char **reason);

/** The Sec-WebSocket-Accept value for a key. */
void sm_websocket_accept_value(struct sm_bytes key, char out[SM_WEBSOCKET_ACCEPT_SIZE + 1]);

#endif
