/* SPDX-License-Identifier: MIT */
/* Both ends of a main channel, as the tests want them. */
#ifndef SM_TESTS_CORE_CHANNEL_MAIN_ENDS_H
#define SM_TESTS_CORE_CHANNEL_MAIN_ENDS_H

#include "tests/core/channel/wire.h"

#include "core/channel/main/client.h"
#include "core/channel/main/server.h"

/** All capabilities of the channel. */
enum { SM_TEST_MAIN_CAPS = 0x0f };

/** Copy and paste, and files. */
extern const struct sm_agent_policy SM_TEST_ALLOWED;

/** A machine without an agent. */
extern const struct sm_main_server_start SM_TEST_START;

/** What a server says that is started with it, captured. Source: docs/wire, main channel. */
extern const char SM_TEST_MAIN_START_HEX[];

struct sm_main_server *sm_test_main_server_with(uint32_t caps, bool is_local,
                                                struct sm_agent_policy policy);

/** With all capabilities, on this machine, everything allowed. */
struct sm_main_server *sm_test_main_server(void);

/** With the mini header, whatever `config` says of it. */
struct sm_main_client *sm_test_main_client_with(struct sm_main_client_config config);

struct sm_main_client *sm_test_main_client(void);

/** The client with its INIT behind it; with an agent it has ten tokens. */
struct sm_main_client *sm_test_started_main_client(bool has_agent);

/** The next event is a message of this type. */
void sm_check_main_message(struct sm_main_client *client, uint16_t type);

/** There is no event. */
void sm_check_no_main_event(struct sm_main_client *client);

#endif
