/* SPDX-License-Identifier: MIT */
/* Where a machine's screen is served: spice://host:port and its relatives. */
#ifndef SUMAC_ADDRESS_H
#define SUMAC_ADDRESS_H

#include <stdint.h>

#include "sumac/error.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An address that was understood. Immutable: any thread may read it. */
struct sm_address;

/**
 * Understands an address. The forms (docs/client.md, "Addresses"):
 *
 *     spice://HOST:PORT                       plain
 *     spice://HOST?port=PORT&tls-port=PORT    either or both
 *     spice+tls://HOST:PORT                   TLS
 *     spice+unix://PATH                       a local socket; the rest is the path, literally
 *     ws://HOST[:PORT][/PATH]                 WebSocket; wss:// over TLS. What stands behind the
 *                                             host goes to the server as it is
 *
 * HOST is a name, an IPv4 address or an IPv6 address in brackets. A password before the host
 * (user:password@) is refused: it would be seen by every user of the machine. The query key
 * `password` is understood, because other clients write it; see sm_address_password().
 *
 * @param out    receives the address; the caller owns it and releases it with
 *               sm_address_destroy(); untouched on failure
 * @param text   NUL-terminated
 * @param error  receives the reason for people (kind SM_ERROR_ADDRESS) on failure; may be NULL
 * @return SM_OK; SM_ERR_PROTOCOL if `text` is no address; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_address_parse(struct sm_address **out, const char *text,
                                                    struct sm_error *error);

/** Releases `address` and wipes what is secret in it. NULL does nothing. */
SM_API void sm_address_destroy(struct sm_address *address);

/** The host without brackets; NULL for a local socket. Borrowed from `address`. */
SM_API const char *sm_address_host(const struct sm_address *address);

/** The path of the local socket; NULL for a network address. Borrowed from `address`. */
SM_API const char *sm_address_unix_path(const struct sm_address *address);

/** The port without TLS; 0 if there is none. */
SM_API uint16_t sm_address_port(const struct sm_address *address);

/** The port with TLS; 0 if there is none. */
SM_API uint16_t sm_address_tls_port(const struct sm_address *address);

/** What is asked for in the WebSocket's upgrade, such as "/"; NULL if none is used. Borrowed from
 * `address`. */
SM_API const char *sm_address_websocket_path(const struct sm_address *address);

/** The user before the host or in the query; NULL if none was named. Borrowed from `address`. */
SM_API const char *sm_address_user(const struct sm_address *address);

/** The password in the query; NULL if there is none. Borrowed from `address`; never log it. */
SM_API const char *sm_address_password(const struct sm_address *address);

/** What was ignored, as text for people, such as a path behind the host; NULL if nothing was. */
SM_API const char *sm_address_warning(const struct sm_address *address);

/** The address in its one canonical form, never with a password. Borrowed from `address`. */
SM_API const char *sm_address_text(const struct sm_address *address);

#ifdef __cplusplus
}
#endif

#endif
