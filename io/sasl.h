/* SPDX-License-Identifier: MIT */
/*
 * Who a peer is, found out by Cyrus SASL, and the protection of the stream that an exchange may
 * leave behind. Without the library (Meson option `sasl`) nothing here can be created.
 * Source: docs/wire/link.md, "SASL".
 */
#ifndef SM_IO_SASL_H
#define SM_IO_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/channel/sasl_parts.h"
#include "io/transport.h"

enum {
    SM_SASL_PLAIN_SSF = 56, /* bits: what protection has to be worth on a line without TLS */
};

/**
 * One exchange and what it leaves behind. Thread: one at a time, and any. Making one and each of
 * its turns may wait for others: for name servers, key servers, daemons that know passwords.
 */
struct sm_sasl;

/** Whether the library was built in. */
bool sm_sasl_is_available(void);

/**
 * Prepares the process for servers. May be called again; the first name counts.
 *
 * @param application  names the configuration file, such as "qemu" for /etc/sasl2/qemu.conf; copied
 * @param why          receives words about a failure
 */
SM_NODISCARD enum sm_status sm_sasl_prepare_server(const char *application, char *why,
                                                   size_t why_size);

enum { SM_SASL_PLACE_MAX = 96 };

/** The stream that an exchange is about. */
struct sm_sasl_stream {
    /* "address;port" of both its ends, part of some exchanges; "": there are none. */
    char local[SM_SASL_PLACE_MAX], remote[SM_SASL_PLACE_MAX];
    bool is_secure;    /* TLS: then anything may be said, and no protection is negotiated */
    unsigned tls_bits; /* of its cipher */
};

/** Fills in the ends of `fd`, a connected socket. */
void sm_sasl_stream_set_ends(struct sm_sasl_stream *stream, int fd);

/** A server's end. SM_OK; SM_ERR_STATE without the library; SM_ERR_NOMEM; SM_ERR_IO and `why`. */
SM_NODISCARD enum sm_status sm_sasl_server(struct sm_sasl **out,
                                           const struct sm_sasl_stream *stream, char *why,
                                           size_t why_size);

/** The mechanisms to offer, a comma before and behind each; borrowed until the next call. */
SM_NODISCARD enum sm_status sm_sasl_mechanisms(struct sm_sasl *sasl, struct sm_bytes *list);

/** Who the user of a client is. */
struct sm_sasl_credentials {
    const char *user;     /* or NULL; borrowed until the exchange is destroyed */
    const char *password; /* or NULL; likewise */
};

/** A client's end, talking to `host`. */
SM_NODISCARD enum sm_status sm_sasl_client(struct sm_sasl **out,
                                           const struct sm_sasl_stream *stream, const char *host,
                                           const struct sm_sasl_credentials *credentials, char *why,
                                           size_t why_size);

/** Waits for no other exchange. NULL does nothing. */
void sm_sasl_destroy(struct sm_sasl *sasl);

/**
 * The server begins with the client's mechanism and first turn.
 *
 * @param answer  receives our turn; borrowed until the next call
 * @return SM_OK when the client is who it says; SM_AGAIN if the exchange goes on;
 *         SM_ERR_PROTOCOL if it failed, with sm_sasl_reason()
 */
SM_NODISCARD enum sm_status sm_sasl_server_start(struct sm_sasl *sasl, const char *mechanism,
                                                 struct sm_sasl_turn turn, struct sm_bytes *answer);

/** The server goes on; results as above. */
SM_NODISCARD enum sm_status sm_sasl_server_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                                struct sm_bytes *answer);

/**
 * The client chooses the strongest mechanism of `list` that can begin: one for which credentials
 * are lacking gives way to the next.
 *
 * @param mechanism  receives its name, borrowed until destroyed
 * @return as above; SM_ERR_STATE if credentials are lacking, see sm_sasl_lacks_user()
 */
SM_NODISCARD enum sm_status sm_sasl_client_start(struct sm_sasl *sasl, struct sm_bytes list,
                                                 const char **mechanism,
                                                 struct sm_sasl_turn *answer);

/** The client goes on. */
SM_NODISCARD enum sm_status sm_sasl_client_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                                struct sm_sasl_turn *answer);

/** What a mechanism asked for and was not given. */
bool sm_sasl_lacks_user(const struct sm_sasl *sasl);
bool sm_sasl_lacks_password(const struct sm_sasl *sasl);

/** How well the exchange protects the stream, in bits; 0 for not at all. Valid after success. */
unsigned sm_sasl_ssf(const struct sm_sasl *sasl);

/** True if what was negotiated is enough for `sasl`'s stream. Valid after success. */
bool sm_sasl_is_strong_enough(const struct sm_sasl *sasl);

/** The name of who came, "" if there is none; borrowed until destroyed. Valid after success. */
const char *sm_sasl_user(const struct sm_sasl *sasl);

/** Words about the last failure, never a secret; "" before one. Borrowed until the next call. */
const char *sm_sasl_reason(const struct sm_sasl *sasl);

/* ---- the protection of the stream ---- */

/** The longest plain text of one block. */
size_t sm_sasl_block_max(const struct sm_sasl *sasl);

/** One block: `in` as it goes over the line; borrowed until the next encode. SM_OK or SM_ERR_IO. */
SM_NODISCARD enum sm_status sm_sasl_encode(struct sm_sasl *sasl, struct sm_bytes in,
                                           struct sm_bytes *out);

/** Bytes of the line, wherever they were cut; `out` may be empty. Borrowed as above. */
SM_NODISCARD enum sm_status sm_sasl_decode(struct sm_sasl *sasl, struct sm_bytes in,
                                           struct sm_bytes *out);

/**
 * Puts the protection that `sasl` has negotiated on top of `lower`.
 *
 * @param sasl      taken on SM_OK, like `lower`
 * @param received  what was read from `lower` before, to be decoded first; copied
 */
SM_NODISCARD enum sm_status sm_sasl_transport(struct sm_transport **out, struct sm_sasl *sasl,
                                              struct sm_transport *lower, struct sm_bytes received);

#endif
