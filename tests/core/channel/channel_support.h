/* SPDX-License-Identifier: MIT */
/* A display channel's framing under test: hex in, hex out. */
#ifndef SM_TESTS_CORE_CHANNEL_CHANNEL_SUPPORT_H
#define SM_TESTS_CORE_CHANNEL_CHANNEL_SUPPORT_H

#include "tests/core/channel/wire.h"

#include "core/channel/channel.h"

/** Source: docs/wire/examples.md: a wait for display 1 and an INVAL_LIST, composed. */
#define SM_TEST_LIST                                                                               \
    "0800 2c000000 0200 1b000000 0a000000 6900 0b000000 0100 01 0100000064000000"                  \
    "0500 0b000000 01 0201 2a00000000000000"

struct sm_channel *new_channel(enum sm_channel_role role, bool is_mini);
struct sm_channel *new_client(void); /* with mini headers */
struct sm_channel *new_server(void);

/** Feeds `hex` in pieces; on SM_OK all of it was taken. */
enum sm_status feed(struct sm_channel *channel, const char *hex, size_t piece);

/** Takes what is pending. */
struct sm_bytes output(struct sm_channel *channel);

/** The next message is this one. */
void check_next(struct sm_channel *channel, uint16_t type, uint64_t serial, bool is_sub,
                const char *body);

void check_no_more(struct sm_channel *channel);

#endif
