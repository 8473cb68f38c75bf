/* SPDX-License-Identifier: MIT */
#include "core/channel/main/agent_join.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"

/* Memory comes as the body does; what a large message took is given back behind it. */
enum { FIRST_CAPACITY = 4 << 10, KEPT_CAPACITY = 1 << 20 };

void sm_agent_join_init(struct sm_agent_join *join, size_t max_body)
{
    *join = (struct sm_agent_join){.max_body = max_body};
}

void sm_agent_join_finish(struct sm_agent_join *join)
{
    free(join->body);
    *join = (struct sm_agent_join){.max_body = join->max_body};
}

void sm_agent_join_reset(struct sm_agent_join *join)
{
    join->header_filled = 0;
    join->size = join->seen = 0;
    join->is_skipped = join->is_whole = false;
    if (join->capacity > KEPT_CAPACITY) {
        free(join->body);
        join->body = NULL;
        join->capacity = 0;
    }
}

struct sm_bytes sm_agent_join_body(const struct sm_agent_join *join)
{
    return (struct sm_bytes){.data = join->body, .size = join->size};
}

static enum sm_status take_header(struct sm_agent_join *join, struct sm_bytes in, size_t *taken)
{
    size_t part = sm_min_size(in.size, sizeof(join->header) - join->header_filled);
    if (part)
        memcpy(join->header + join->header_filled, in.data, part);
    join->header_filled += part;
    *taken += part;
    if (join->header_filled < sizeof(join->header))
        return SM_AGAIN;
    struct sm_agent_header header;
    enum sm_status status =
        sm_agent_header_parse(&header, (struct sm_bytes){join->header, sizeof(join->header)}, NULL);
    if (status != SM_OK)
        return SM_ERR_PROTOCOL;
    join->type = header.type;
    join->size = header.size;
    join->seen = 0;
    join->is_skipped = header.size > join->max_body;
    return SM_OK;
}

static enum sm_status reserve(struct sm_agent_join *join, size_t size)
{
    if (size <= join->capacity)
        return SM_OK;
    size_t capacity = join->capacity ? join->capacity * 2 : FIRST_CAPACITY;
    if (capacity < size)
        capacity = size;
    uint8_t *body = realloc(join->body, capacity);
    if (!body)
        return SM_ERR_NOMEM;
    join->body = body;
    join->capacity = capacity;
    return SM_OK;
}

enum sm_status sm_agent_join_feed(struct sm_agent_join *join, struct sm_bytes in, size_t *taken)
{
    *taken = 0;
    if (join->is_whole)
        sm_agent_join_reset(join);
    for (;;) {
        struct sm_bytes rest = sm_bytes_behind(in, *taken);
        if (join->header_filled < sizeof(join->header)) {
            enum sm_status status = take_header(join, rest, taken);
            if (status != SM_OK)
                return status;
            rest = sm_bytes_behind(in, *taken);
        }
        size_t part = sm_min_size(rest.size, join->size - join->seen);
        if (part && !join->is_skipped) {
            enum sm_status status = reserve(join, (size_t)join->seen + part);
            if (status != SM_OK)
                return status;
            memcpy(join->body + join->seen, rest.data, part);
        }
        join->seen += (uint32_t)part;
        *taken += part;
        if (join->seen < join->size)
            return SM_AGAIN;
        if (!join->is_skipped) {
            join->is_whole = true;
            return SM_OK;
        }
        sm_agent_join_reset(join); /* too long a message is over: look at what follows */
    }
}
