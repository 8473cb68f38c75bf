/* SPDX-License-Identifier: MIT */
/*
 * HTTP proxies, as pure functions of bytes: their addresses, the CONNECT request, the answer.
 * Source: docs/client.md, "Proxies"; RFC 9110, 9.3.6.
 */
#ifndef SM_IO_PROXY_H
#define SM_IO_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_PROXY_HOST_MAX = 255,
    SM_PROXY_LOGIN_MAX = 127,   /* bytes of a user's name, of a password */
    SM_PROXY_ANSWER_MAX = 8192, /* bytes of the answer's head */
};

/** A proxy. Plain data with a secret in it: wipe it. */
struct sm_proxy {
    char host[SM_PROXY_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
    bool is_secure; /* TLS to the proxy */
    bool has_login;
    char user[SM_PROXY_LOGIN_MAX + 1], password[SM_PROXY_LOGIN_MAX + 1];
};

/**
 * Understands `[http://|https://][user[:password]@]host[:port][/]`. Ports: 3128, with https 3129.
 * User and password are percent-decoded.
 *
 * @param reason  receives static words on failure
 * @return SM_OK; SM_ERR_PROTOCOL
 */
SM_NODISCARD enum sm_status sm_proxy_parse(struct sm_proxy *out, const char *text,
                                           const char **reason);

/** Writes the request for a tunnel to `host` (a name or an address, without brackets). */
void sm_proxy_request(struct sm_writer *out, const struct sm_proxy *proxy, const char *host,
                      uint16_t port);

struct sm_proxy_answer {
    unsigned code;  /* of HTTP, 100 to 599 */
    char words[80]; /* the proxy's own about it, made printable */
};

/**
 * Looks at what has come of the answer.
 *
 * @param in  from its first byte on; nothing behind the head belongs to it
 * @return SM_OK when its head is whole; SM_AGAIN; SM_ERR_PROTOCOL if it is none of HTTP, or longer
 *         than SM_PROXY_ANSWER_MAX
 */
SM_NODISCARD enum sm_status sm_proxy_answer_parse(struct sm_bytes in, struct sm_proxy_answer *out);

#endif
