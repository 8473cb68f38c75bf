/* SPDX-License-Identifier: MIT */
/* A guest's agent of a few lines behind a fake server, and a session that talks to it. */
#ifndef SM_TESTS_CLIENT_FAKE_AGENT_H
#define SM_TESTS_CLIENT_FAKE_AGENT_H

#include "core/base/arena.h"
#include "core/wire/agent.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"

enum {
    FAKE_AGENT_STREAM_MAX = 1 << 20,
    FAKE_AGENT_ALL = SM_AGENT_CONTEXT_SELECTION | SM_AGENT_CONTEXT_GRAB_SERIAL,
    FAKE_AGENT_TOKENS = 1000,
};

/* Bytes of the client that are not understood yet; one agent a test. */
struct fake_agent {
    struct fake_peer *peer;
    uint8_t stream[FAKE_AGENT_STREAM_MAX];
    size_t size;
    uint64_t pieces; /* of AGENT_DATA, taken and given back as tokens */
    struct sm_arena arena;
};

/* Connects the agent and exchanges capabilities: what monitors and clipboard need, and `caps`. */
struct fake_agent *fake_agent_come(struct fake_peer *peer);
struct fake_agent *fake_agent_come_with(struct fake_peer *peer, uint32_t caps, uint32_t tokens);

/* Reads until the client closes, then frees the agent. */
void fake_agent_go(struct fake_agent *agent);

void fake_agent_send(struct fake_peer *peer, const struct sm_agent_msg *msg, uint32_t context);

/* Reads until there is a whole message for the agent; false at the end. Every piece is given back
 * as a token. */
bool fake_agent_read(struct fake_agent *agent, struct sm_agent_msg *msg, uint32_t context);

/* Reads on to the next message of that type; of type 0 at the end. */
struct sm_agent_msg fake_agent_expect(struct fake_agent *agent, uint32_t type);

/* A session with `server` that uses the agent. */
struct sm_session *fake_agent_session(const struct fake_server *server);

/* Waits for an event; ends the test if it does not come. */
void fake_await_event(struct sm_session *session, enum sm_event_kind kind);

#endif
