/* SPDX-License-Identifier: MIT */
/* Made from protocol/. */
#include "wire_rounds.h"

#include <string.h>

#include "core/wire/example.h"

static enum sm_status round_example_server(uint32_t type, uint32_t context, struct sm_bytes body,
                                           struct sm_arena *arena, struct sm_writer *w,
                                           struct sm_wire_result *result)
{
    struct sm_example_msg msg;
    memset(&msg, SM_WIRE_UNTOUCHED, sizeof(msg));
    (void)context;
    result->parse = sm_example_msg_parse(&msg, (uint16_t)type, body, arena, &result->reason);
    result->is_untouched = sm_wire_is_untouched(&msg, sizeof(msg));
    if (result->parse != SM_OK)
        return result->parse;
    return sm_example_msg_build(w, &msg);
}

static const char *name_example_server(uint32_t type)
{
    return sm_example_msg_name((uint16_t)type);
}

static uint32_t max_size_example_server(uint32_t type)
{
    return sm_example_msg_max_size((uint16_t)type);
}

const struct sm_wire_round sm_wire_round_example_server = {
    .name = "example server",
    .round = round_example_server,
    .message_name = name_example_server,
    .max_size = max_size_example_server,
};

static enum sm_status round_example_client(uint32_t type, uint32_t context, struct sm_bytes body,
                                           struct sm_arena *arena, struct sm_writer *w,
                                           struct sm_wire_result *result)
{
    struct sm_example_msgc msg;
    memset(&msg, SM_WIRE_UNTOUCHED, sizeof(msg));
    (void)context;
    result->parse = sm_example_msgc_parse(&msg, (uint16_t)type, body, arena, &result->reason);
    result->is_untouched = sm_wire_is_untouched(&msg, sizeof(msg));
    if (result->parse != SM_OK)
        return result->parse;
    return sm_example_msgc_build(w, &msg);
}

static const char *name_example_client(uint32_t type)
{
    return sm_example_msgc_name((uint16_t)type);
}

static uint32_t max_size_example_client(uint32_t type)
{
    return sm_example_msgc_max_size((uint16_t)type);
}

const struct sm_wire_round sm_wire_round_example_client = {
    .name = "example client",
    .round = round_example_client,
    .message_name = name_example_client,
    .max_size = max_size_example_client,
};

const struct sm_wire_round *const sm_wire_rounds[] = {
    &sm_wire_round_example_server,
    &sm_wire_round_example_client,
    NULL,
};
