/* SPDX-License-Identifier: MIT */
/* Looking up a host name with a time limit, which the system's own function does not have. */
#ifndef SM_CLIENT_RESOLVE_H
#define SM_CLIENT_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "io/socket.h"

enum {
    SM_RESOLVED_MAX = 8,        /* addresses of a host that are tried */
    SM_RESOLVED_TEXT_SIZE = 64, /* of an IPv6 address with a zone */
};

/** The addresses of a host as numbers, in the order in which to try them. */
struct sm_resolved {
    char addresses[SM_RESOLVED_MAX][SM_RESOLVED_TEXT_SIZE];
    size_t count; /* at least 1 */
};

/**
 * Looks up `host`, which may be an address already.
 *
 * The look-up runs on a thread of its own; when time is up or `cancel_fd` becomes readable we leave
 * it behind, and it cleans up after itself.
 *
 * @return SM_OK; SM_ERR_IO with `why` filled; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_resolve(struct sm_resolved *out, const char *host,
                                       uint64_t deadline_us, int cancel_fd,
                                       struct sm_socket_error *why);

/** Until when to try address `index`, so that the ones behind it get their share of the time. */
uint64_t sm_resolve_share(const struct sm_resolved *resolved, size_t index, uint64_t deadline_us);

#endif
