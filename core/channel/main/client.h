/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a main channel: session set-up, mouse mode, and the stream to the guest
 * agent. Done here: ATTACH_CHANNELS and AGENT_START at their time, the wish for a mouse mode,
 * tokens, cutting and joining of agent messages. Source: docs/channel.md, "Main".
 */
#ifndef SM_CORE_CHANNEL_MAIN_CLIENT_H
#define SM_CORE_CHANNEL_MAIN_CLIENT_H

#include "core/channel/channel.h"
#include "core/wire/main.h"

/** Thread: one at a time. */
struct sm_main_client;

struct sm_main_client_config {
    struct sm_channel_setup setup;
    uint32_t wanted_mouse_mode; /* asked for whenever it is supported; 0 to take what comes */
    bool is_migration_target;   /* no ATTACH_CHANNELS: the channels are known */
    bool has_no_agent;          /* leave the agent alone: no AGENT_START */
    /** The largest agent message taken; longer ones are thrown away. 0 for 100 MiB + 4 KiB. */
    size_t max_agent_message_bytes;
    /** Bytes for the agent that wait at which sm_main_client_send_agent() refuses; 0 for 1 MiB. */
    size_t max_agent_queue_bytes;
};

enum sm_main_client_event_kind {
    /** A message of the server, after what this machine does about it. Not AGENT_DATA. */
    SM_MAIN_CLIENT_MESSAGE = 1,
    /** A whole message of the guest agent. */
    SM_MAIN_CLIENT_AGENT,
};

/** Everything in it is borrowed until the next sm_main_client_next(). */
struct sm_main_client_event {
    enum sm_main_client_event_kind kind;
    uint64_t serial;
    /**
     * MESSAGE. After WAIT_FOR_CHANNELS nothing further comes until sm_channel_release() of
     * sm_main_client_channel().
     */
    const struct sm_main_msg *msg;
    uint32_t agent_type; /* AGENT: a type of core/wire/agent.h, or one we do not know */
    struct sm_bytes agent_body;
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_main_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_client_create(struct sm_main_client **out,
                                                  const struct sm_main_client_config *config,
                                                  uint64_t now_us);

/** NULL does nothing. */
void sm_main_client_destroy(struct sm_main_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_main_client_machine(struct sm_main_client *client);

/** The channel below: serials, release, pending bytes, failure. Borrowed. */
struct sm_channel *sm_main_client_channel(struct sm_main_client *client);

/** Pulls the next event. SM_OK; SM_AGAIN if there is none; else the channel has failed. */
SM_NODISCARD enum sm_status sm_main_client_next(struct sm_main_client *client,
                                                struct sm_main_client_event *event);

/** Sends a message; status as sm_channel_send(), or SM_ERR_STATE for one that cannot be built. */
SM_NODISCARD enum sm_status sm_main_client_send(struct sm_main_client *client,
                                                const struct sm_main_msgc *msg);

/** From now on wants `mode` (of enum sm_mouse_mode) and asks if it is supported and not current. */
SM_NODISCARD enum sm_status sm_main_client_want_mouse_mode(struct sm_main_client *client,
                                                           uint32_t mode);

/** As the server told last; 0 before INIT. */
uint32_t sm_main_client_session_id(const struct sm_main_client *client);
uint32_t sm_main_client_mouse_mode(const struct sm_main_client *client);
uint32_t sm_main_client_mouse_modes(const struct sm_main_client *client); /* supported ones */
bool sm_main_client_has_agent(const struct sm_main_client *client);

/**
 * Queues a message for the guest agent; it leaves as tokens allow. Messages not begun are dropped
 * when the agent goes away. MONITORS_CONFIG is a state: it is taken however much waits, takes the
 * place of one that waits, and overtakes what was not begun. CLIPBOARD of no kind, the answer that
 * there is nothing, is taken likewise unless very many of these wait.
 *
 * @param type  a type of core/wire/agent.h
 * @param body  copied
 * @return SM_OK; SM_AGAIN if too much waits; SM_ERR_STATE without an agent; SM_ERR_LIMIT if `body`
 * is larger than max_agent_message_bytes; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_client_send_agent(struct sm_main_client *client, uint32_t type,
                                                      struct sm_bytes body);

/**
 * The same for a body of two parts, the second of which is not copied: it may be large.
 *
 * @param head  at most 12 bytes, copied
 * @param data  malloc'ed, `size` bytes, taken in any case; NULL if there are none
 */
SM_NODISCARD enum sm_status sm_main_client_give_agent(struct sm_main_client *client, uint32_t type,
                                                      struct sm_bytes head, uint8_t *data,
                                                      size_t size);

/** Bytes for the agent that wait for tokens or for the line. */
size_t sm_main_client_agent_queued(const struct sm_main_client *client);

/** How much of the oldest waiting message of `type` has left, headers included; false if none
 * waits. */
bool sm_main_client_agent_sending(const struct sm_main_client *client, uint32_t type, size_t *sent,
                                  size_t *size);

/** How much of the body of the agent's message in progress has come; false if none is. */
bool sm_main_client_agent_receiving(const struct sm_main_client *client, uint32_t *type,
                                    size_t *received, size_t *size);

#endif
