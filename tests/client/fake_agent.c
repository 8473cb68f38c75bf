/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_agent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/writer.h"
#include "io/clock.h"
#include "tests/support/check.h"

enum { PATIENCE_MS = SM_TEST_PATIENCE_S * 1000 /* for what must happen */ };

static const uint32_t CAPS =
    1u << SM_AGENT_CAP_MONITORS_CONFIG | 1u << SM_AGENT_CAP_CLIPBOARD_BY_DEMAND |
    1u << SM_AGENT_CAP_CLIPBOARD_SELECTION | 1u << SM_AGENT_CAP_SPARSE_MONITORS_CONFIG |
    1u << SM_AGENT_CAP_GUEST_LINEEND_CRLF | 1u << SM_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;

void fake_agent_send(struct fake_peer *peer, const struct sm_agent_msg *msg, uint32_t context)
{
    struct sm_writer body, whole;
    sm_writer_init(&body, FAKE_AGENT_STREAM_MAX);
    sm_check_status(sm_agent_msg_build(&body, msg, context), SM_OK);
    sm_writer_init(&whole, FAKE_AGENT_STREAM_MAX);
    sm_check_status(
        sm_agent_header_build(&whole, &(struct sm_agent_header){.protocol = SM_AGENT_PROTOCOL,
                                                                .type = msg->type,
                                                                .size = (uint32_t)body.size}),
        SM_OK);
    sm_put_bytes(&whole, sm_writer_bytes(&body));
    fake_send_main(peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DATA,
                                               .agent_data = {.data = sm_writer_bytes(&whole)}});
    sm_writer_finish(&body);
    sm_writer_finish(&whole);
}

bool fake_agent_read(struct fake_agent *agent, struct sm_agent_msg *msg, uint32_t context)
{
    for (;;) {
        struct sm_agent_header header;
        struct sm_bytes stream = {agent->stream, agent->size};
        if (sm_agent_header_parse(&header, stream, NULL) == SM_OK &&
            agent->size >= SM_AGENT_HEADER_SIZE + header.size) {
            static uint8_t body[FAKE_AGENT_STREAM_MAX]; /* what `msg` borrows */
            size_t whole = SM_AGENT_HEADER_SIZE + header.size;
            memcpy(body, agent->stream + SM_AGENT_HEADER_SIZE, header.size);
            memmove(agent->stream, agent->stream + whole, agent->size - whole);
            agent->size -= whole;
            sm_check_status(sm_agent_msg_parse(msg, header.type,
                                               (struct sm_bytes){body, header.size}, context,
                                               &agent->arena, NULL),
                            SM_OK);
            return true;
        }
        uint16_t type;
        uint8_t *body;
        uint32_t size;
        if (!fake_read(agent->peer, &type, &body, &size))
            return false;
        if (type == SM_MSGC_MAIN_AGENT_DATA && agent->size + size <= FAKE_AGENT_STREAM_MAX) {
            memcpy(agent->stream + agent->size, body, size);
            agent->size += size;
            agent->pieces++;
            fake_send_main(agent->peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_TOKEN,
                                                              .agent_token = {.num_tokens = 1}});
        }
        free(body);
    }
}

struct fake_agent *fake_agent_come_with(struct fake_peer *peer, uint32_t caps, uint32_t tokens)
{
    caps |= CAPS;
    struct fake_agent *agent = calloc(1, sizeof(*agent));
    assert_non_null(agent);
    agent->peer = peer;
    sm_arena_init(&agent->arena, FAKE_AGENT_STREAM_MAX);
    fake_send_main(peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_CONNECTED_TOKENS,
                                               .agent_connected_tokens = {.num_tokens = tokens}});
    struct sm_agent_msg msg;
    assert_true(fake_agent_read(agent, &msg, 0));
    assert_int_equal(msg.type, SM_AGENT_ANNOUNCE_CAPABILITIES);
    assert_int_equal(msg.announce_capabilities.request, 1);
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_ANNOUNCE_CAPABILITIES,
                                           .announce_capabilities = {.num_caps = 1, .caps = &caps}},
                    0);
    return agent;
}

struct fake_agent *fake_agent_come(struct fake_peer *peer)
{
    return fake_agent_come_with(peer, 0, FAKE_AGENT_TOKENS);
}

void fake_agent_go(struct fake_agent *agent)
{
    fake_drain(agent->peer);
    sm_arena_finish(&agent->arena);
    free(agent);
}

struct sm_agent_msg fake_agent_expect(struct fake_agent *agent, uint32_t type)
{
    struct sm_agent_msg msg = {0};
    while (fake_agent_read(agent, &msg, FAKE_AGENT_ALL))
        if (msg.type == type)
            return msg;
    msg.type = 0;
    return msg;
}

/* ---- The client ---- */

struct sm_session *fake_agent_session(const struct fake_server *server)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), NULL), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    sm_check_status(sm_session_use_agent(session), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    return session;
}

void fake_await_event(struct sm_session *session, enum sm_event_kind kind)
{
    struct sm_event event;
    uint64_t until_us = sm_now_us() + PATIENCE_MS * 1000;
    while (sm_now_us() < until_us) {
        if (!sm_session_wait_event(session, PATIENCE_MS, &event))
            break;
        if (event.kind == kind)
            return;
        if (event.kind == SM_EVENT_CLOSED)
            fail_msg("closed while waiting for event %d: %s", kind, event.error->cause);
    }
    fail_msg("event %d did not come", kind);
}
