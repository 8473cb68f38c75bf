/* SPDX-License-Identifier: MIT */
#include "server/session/statistics.h"

#include <string.h>

static bool equals(struct sm_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static bool find_format(enum sm_statistics_format *out, struct sm_bytes name)
{
    static const struct {
        const char *name;
        enum sm_statistics_format format;
    } NAMES[] = {
        {"metrics", SM_STATISTICS_PROMETHEUS},
        {"prometheus", SM_STATISTICS_PROMETHEUS},
        {"json", SM_STATISTICS_JSON},
        {"table", SM_STATISTICS_TABLE},
    };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        if (equals(name, NAMES[i].name)) {
            *out = NAMES[i].format;
            return true;
        }
    return false;
}

/* The bytes before `end`, without a carriage return. */
static struct sm_bytes line_before(struct sm_bytes in, const uint8_t *end)
{
    size_t size = (size_t)(end - in.data);
    if (size > 0 && in.data[size - 1] == '\r')
        size--;
    return (struct sm_bytes){in.data, size};
}

/* Whether there is an empty line, which ends a header. */
static bool has_end(struct sm_bytes in)
{
    for (size_t i = 0; i + 1 < in.size; i++) {
        if (in.data[i] != '\n')
            continue;
        bool is_empty = in.data[i + 1] == '\n' ||
                        (in.data[i + 1] == '\r' && i + 2 < in.size && in.data[i + 2] == '\n');
        if (is_empty)
            return true;
    }
    return false;
}

enum sm_status sm_statistics_request_parse(struct sm_statistics_request *out, struct sm_bytes in)
{
    static const char GET[] = "GET /";
    if (in.size > SM_STATISTICS_REQUEST_MAX)
        return SM_ERR_LIMIT;
    const uint8_t *end = in.size ? memchr(in.data, '\n', in.size) : NULL;
    if (!end)
        return in.size == SM_STATISTICS_REQUEST_MAX ? SM_ERR_LIMIT : SM_AGAIN;
    struct sm_bytes line = line_before(in, end);
    struct sm_statistics_request request = {0};
    size_t prefix = strlen(GET);
    if (line.size >= prefix && memcmp(line.data, GET, prefix) == 0) {
        const uint8_t *path = line.data + prefix;
        const uint8_t *blank = memchr(path, ' ', line.size - prefix);
        if (!blank)
            return SM_ERR_PROTOCOL;
        request.is_http = true;
        line = (struct sm_bytes){path, (size_t)(blank - path)};
    }
    if (!find_format(&request.format, line))
        return SM_ERR_PROTOCOL;
    if (request.is_http && !has_end(in))
        return in.size == SM_STATISTICS_REQUEST_MAX ? SM_ERR_LIMIT : SM_AGAIN;
    *out = request;
    return SM_OK;
}
