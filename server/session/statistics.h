/* SPDX-License-Identifier: MIT */
/* All that is counted, as text for administrators. Source: docs/statistics.md. Main context. */
#ifndef SM_SERVER_SESSION_STATISTICS_H
#define SM_SERVER_SESSION_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_server;

enum sm_statistics_format {
    SM_STATISTICS_PROMETHEUS,
    SM_STATISTICS_JSON,
    SM_STATISTICS_TABLE, /* for people */
};

/** @param out  receives the text, owned by the caller (free()) */
SM_NODISCARD enum sm_status sm_statistics_write(char **out, size_t *size,
                                                const struct sm_server *server,
                                                enum sm_statistics_format format);

/** What somebody asks for. */
struct sm_statistics_request {
    enum sm_statistics_format format;
    bool is_http; /* the answer begins with a header */
};

enum { SM_STATISTICS_REQUEST_MAX = 4096 }; /* bytes */

/**
 * Understands a request: a line "prometheus", "json" or "table", or HTTP's GET of /metrics, /json
 * or /table up to its empty line.
 *
 * @return SM_OK; SM_AGAIN if it is not whole; SM_ERR_PROTOCOL if it asks for anything else;
 *         SM_ERR_LIMIT if it is too long
 */
SM_NODISCARD enum sm_status sm_statistics_request_parse(struct sm_statistics_request *out,
                                                        struct sm_bytes in);

#endif
