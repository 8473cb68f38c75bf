/* SPDX-License-Identifier: MIT */
/* What a session's main channel is made of. For server/session/main_channel*.c alone. */
#ifndef SM_SERVER_SESSION_MAIN_CHANNEL_INTERNAL_H
#define SM_SERVER_SESSION_MAIN_CHANNEL_INTERNAL_H

#include "core/base/writer.h"
#include "core/channel/main/server.h"
#include "server/session/main_channel.h"

struct sm_pump;

struct sm_main_channel {
    struct sm_server *server;
    struct sm_session *session;
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_main_server *machine;       /* owned */
    struct sm_pump *pump;                 /* owned */
    bool gives_receipts;                  /* it says much to the agent */
    bool is_over;                         /* and its fault was logged, if it had one */
    bool has_channels_list;               /* the client asked, and is told of new ones */
    bool owes_people;                     /* the list of people waits for a free line */
    uint64_t agent_left;                  /* bytes of its message to the agent still to come */
    bool is_agent_deaf;                   /* to that message: somebody else's is under way */

    /* What another server handed on about an agent that has not come yet; see docs/migration.md. */
    uint8_t *waiting_agent; /* owned, malloc: the MIGRATE_DATA; NULL: none */
    size_t waiting_agent_size;
    struct sm_writer held;  /* what the client said to it since: size u32 and piece, each */
    unsigned agents_before; /* how many had come when the client did */
    bool holds_agent;
};

/** Every message goes out at the next turn; one that cannot be made ends the session. */
void sm_main_channel_after_send(struct sm_main_channel *main, enum sm_status status);

/** Tells the client the time that frames are stamped with. */
void sm_main_channel_tell_time(struct sm_main_channel *main);

/** A piece of a client's message to the agent: passes it on, or keeps it for an agent to come. */
void sm_main_channel_take_piece(struct sm_main_channel *main, struct sm_bytes piece);

/* ---- main_channel_migration.c ---- */

/** Source, in answer to MIGRATE_FLUSH_MARK: sends MIGRATE_DATA. */
SM_NODISCARD enum sm_status sm_main_channel_hand_on(struct sm_main_channel *main);

/** Target: takes what the source handed on. SM_ERR_PROTOCOL, SM_ERR_LIMIT if it cannot be. */
SM_NODISCARD enum sm_status sm_main_channel_resume(struct sm_main_channel *main,
                                                   struct sm_bytes data);

/** Target: the agent has come; true if it goes on where it was with the source. */
bool sm_main_channel_restore_agent(struct sm_main_channel *main);
void sm_main_channel_forget_agent(struct sm_main_channel *main);

/** Target: true if the agent is yet to come, and what the client says to it is kept until then. */
bool sm_main_channel_holds_piece(struct sm_main_channel *main, struct sm_bytes piece);

#endif
