/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a main channel. Done here: the first messages, the network test, signs of
 * life, tokens of the guest agent both ways and the filter of what the client tells it. Source:
 * docs/channel.md, "Main".
 */
#ifndef SM_CORE_CHANNEL_MAIN_SERVER_H
#define SM_CORE_CHANNEL_MAIN_SERVER_H

#include "core/channel/channel.h"
#include "core/channel/main/agent_filter.h"
#include "core/channel/main/agent_window.h"
#include "core/wire/main.h"

enum {
    SM_MAIN_AGENT_QUEUE_COUNT = 5, /* messages that wait for the client's tokens */
};

/** Thread: one at a time. */
struct sm_main_server;

struct sm_main_server_config {
    struct sm_channel_setup setup;
    struct sm_agent_policy policy;
};

enum sm_main_server_event_kind {
    /**
     * A message of the client: ATTACH_CHANNELS (once; answer with CHANNELS_LIST),
     * MOUSE_MODE_REQUEST, MIGRATE_… and DISCONNECTING. Nothing about the agent. Of a client that
     * comes from another server (setup.is_migrated), before it is started or resumed: MIGRATE_END,
     * MIGRATE_DST_DO_SEAMLESS, MIGRATE_DATA and DISCONNECTING alone.
     */
    SM_MAIN_SERVER_MESSAGE = 1,
    /** AGENT_START: the agent's messages may flow; see sm_main_server_agent_room(). */
    SM_MAIN_SERVER_AGENT_START,
    /**
     * A piece for the agent, at most 2048 bytes: wrap it into one chunk for port 1. When the agent
     * has taken it, call sm_main_server_agent_taken().
     */
    SM_MAIN_SERVER_AGENT_DATA,
    /** A whole MONITORS_CONFIG for the graphics devices (body alone); its tokens are back already.
     */
    SM_MAIN_SERVER_AGENT_MONITORS,
    /** The client can take messages of the agent again: go on reading it. */
    SM_MAIN_SERVER_AGENT_ROOM,
};

/** Everything in it is borrowed until the next sm_main_server_next(). */
struct sm_main_server_event {
    enum sm_main_server_event_kind kind;
    const struct sm_main_msgc *msg; /* MESSAGE */
    struct sm_bytes data;           /* AGENT_DATA, AGENT_MONITORS */
};

/** The first messages of a session. */
struct sm_main_server_start {
    uint32_t session_id; /* not 0 */
    uint32_t display_channels_hint;
    uint32_t supported_mouse_modes, current_mouse_mode;
    bool has_agent;
    uint32_t multi_media_time; /* ms */
    uint32_t ram_hint;         /* bytes */
    const char *name;          /* NULL: not told */
    const uint8_t *uuid;       /* 16 bytes; NULL: not told */
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_main_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_server_create(struct sm_main_server **out,
                                                  const struct sm_main_server_config *config,
                                                  uint64_t now_us);

/** NULL does nothing. */
void sm_main_server_destroy(struct sm_main_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_main_server_machine(struct sm_main_server *server);

/** The channel below: network test, round trip, pending bytes, failure. Borrowed. */
struct sm_channel *sm_main_server_channel(struct sm_main_server *server);

/**
 * Sends INIT, then NAME and UUID if the client wants them, then the network test unless the client
 * is local or comes from another server.
 *
 * @return SM_OK; SM_ERR_STATE a second time; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_server_start(struct sm_main_server *server,
                                                 const struct sm_main_server_start *start);

/* ---- migration; source: docs/migration.md ---- */

/** What concerns the agent in the state of a main channel. */
struct sm_main_server_agent {
    bool has_agent;
    bool is_started;               /* by the client */
    uint32_t client_tokens;        /* pieces the client may send */
    uint32_t owed;                 /* pieces it has sent that the agent has not taken */
    uint64_t tokens;               /* pieces we may send */
    uint32_t left;                 /* bytes of the client's message under way that have not come */
    enum sm_agent_verdict verdict; /* on it */
};

/**
 * The machine is about to move to another server, or stays after all. Meanwhile no more tokens are
 * lent for files, so that what the target is told of is small if the client goes on.
 */
void sm_main_server_set_moving(struct sm_main_server *server, bool is_moving);

/** Source: sends what waits for the client, tokens or not, and MIGRATE. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_main_server_migrate(struct sm_main_server *server);

/** Source: the state to hand on. */
struct sm_main_server_agent sm_main_server_agent(const struct sm_main_server *server);

/**
 * Target: answers MIGRATE_DST_DO_SEAMLESS. If `accepts`, MIGRATE_DATA is the next message to come;
 * else MIGRATE_END.
 */
SM_NODISCARD enum sm_status sm_main_server_answer_seamless(struct sm_main_server *server,
                                                           bool accepts);

/**
 * Target: goes on where the source left off, instead of sm_main_server_start().
 *
 * @return SM_OK; SM_ERR_PROTOCOL for a state that cannot be; SM_ERR_STATE once started;
 * SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_server_resume(struct sm_main_server *server,
                                                  const struct sm_main_server_agent *agent);

/** False until it was started or resumed: sm_main_server_send() says SM_ERR_STATE. */
bool sm_main_server_is_started(const struct sm_main_server *server);

/**
 * Pulls the next event. SM_OK; SM_AGAIN if there is none; else the channel has failed: a client
 * that breaks the rules of tokens or of the agent's messages is one such case.
 */
SM_NODISCARD enum sm_status sm_main_server_next(struct sm_main_server *server,
                                                struct sm_main_server_event *event);

/** Sends a message; never SM_AGAIN. Not for messages about the agent. SM_ERR_STATE before start. */
SM_NODISCARD enum sm_status sm_main_server_send(struct sm_main_server *server,
                                                const struct sm_main_msg *msg);

/** Sends NOTIFY with severity WARN, visibility HIGH; `text` is ASCII. */
SM_NODISCARD enum sm_status sm_main_server_warn(struct sm_main_server *server,
                                                uint64_t time_stamp_ns, const char *text);

/**
 * The agent has come (or gone): tells the client, with its tokens restored. The client starts anew
 * with AGENT_START. Nothing happens if that is known already.
 */
SM_NODISCARD enum sm_status sm_main_server_set_agent(struct sm_main_server *server,
                                                     bool is_attached);

/** Takes effect with the next message of the client to the agent. */
void sm_main_server_set_policy(struct sm_main_server *server, struct sm_agent_policy policy);

/** A message of the agent begins with this piece, whether or not the client hears it. */
void sm_main_server_agent_said(struct sm_main_server *server, struct sm_bytes piece);

/**
 * The agent has taken `count` pieces: their tokens go back, in batches, as far as its window wants
 * them.
 */
SM_NODISCARD enum sm_status sm_main_server_agent_taken(struct sm_main_server *server,
                                                       uint32_t count);

/**
 * True if the agent may be read for this client: it has sent AGENT_START and has a token left for
 * each message that waits.
 */
bool sm_main_server_agent_room(const struct sm_main_server *server);

/**
 * Sends one piece of what the agent says, at most 2048 bytes, or lets it wait for a token; it was
 * judged by the filter of that direction before. Dropped if the client has not sent AGENT_START.
 *
 * @return SM_OK; SM_ERR_LIMIT if too many wait already: the session is over; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_main_server_agent_send(struct sm_main_server *server,
                                                      struct sm_bytes piece);

#endif
