/* SPDX-License-Identifier: MIT */
/* A server a session goes to: the one it was told, and those it is sent to by migrations. */
#ifndef SM_CLIENT_TARGET_H
#define SM_CLIENT_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/address.h"
#include "sumac/error.h"

struct sm_session;
struct sm_tls_context;

/** Immutable once the session connects: any thread may read it. */
struct sm_target {
    char *host;                 /* owned; NULL for a local socket or descriptors of the caller's */
    char *unix_path;            /* owned; or NULL */
    char *path;                 /* owned: of the WebSocket; NULL: none is used */
    char *host_subject;         /* owned; or NULL */
    uint16_t port, tls_port;    /* 0: none */
    struct sm_tls_context *tls; /* owned; NULL if it cannot be needed */
    struct sm_target *former;   /* owned: the one before; channels may still speak of it */
};

/** @param address  copied; NULL for descriptors of the caller's */
SM_NODISCARD enum sm_status sm_target_create(struct sm_target **out,
                                             const struct sm_address *address);

/** The one a server named for a migration; `subject` may be NULL. All texts are copied. */
SM_NODISCARD enum sm_status sm_target_create_next(struct sm_target **out, const char *host,
                                                  uint16_t port, uint16_t tls_port,
                                                  const char *subject);

/** Frees `target` and all former ones. NULL does nothing. */
void sm_target_destroy(struct sm_target *target);

/** Makes what TLS needs, by the settings of the session. */
SM_NODISCARD enum sm_status sm_target_make_tls(struct sm_target *target,
                                               const struct sm_session *session,
                                               struct sm_error *error);

#endif
