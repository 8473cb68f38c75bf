/* SPDX-License-Identifier: MIT */
/* Following a machine to another host. All of it runs on the main channel's thread. Source:
 * docs/client.md, "A machine that moves". */
#ifndef SM_CLIENT_MIGRATION_H
#define SM_CLIENT_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/wire/main.h"

struct sm_client_channel;
struct sm_ready_link;
struct sm_session;
struct sm_target;

enum { SM_MIGRATION_LINKS_MAX = 64 };

/** Part of a session; zero-initialised. */
struct sm_client_migration {
    struct sm_target *target; /* owned: where the machine may go; NULL: nowhere */
    /* Owned: links to it that wait, main first. Channels that never open. */
    struct sm_client_channel *links[SM_MIGRATION_LINKS_MAX];
    size_t link_count;
    uint64_t links_until_us; /* all of them; the source waits 10 s for the answer */
    bool is_seamless;        /* the source would hand on the session as it is */
    uint32_t version;        /* of how it does so; for the target */
    bool is_answered;        /* the source knows what became of the links */
    bool is_arriving;        /* the links are used from now on; INIT is awaited there */
    bool is_anew;            /* the target is connected to as if for the first time */
};

/**
 * MIGRATE_BEGIN, MIGRATE_BEGIN_SEAMLESS: links every open channel to the target, then answers.
 *
 * @param is_seamless  the target is asked whether it takes the session as it is
 * @param version      for it
 */
SM_NODISCARD enum sm_status sm_migration_begin(struct sm_client_channel *main,
                                               const struct sm_dst_info *where, bool is_seamless,
                                               uint32_t version);

/** A link's thread: its target may be asked whether it takes the session as it is. */
bool sm_migration_may_ask(const struct sm_client_channel *link);

/** Any channel's thread: gives it the link it goes on with; false if there is none. From the first
 * on the session's place is the target. */
bool sm_migration_take(struct sm_client_channel *channel, struct sm_ready_link *ready);

/** Main's thread: others have still to go; main is the last. For other channels false. */
bool sm_migration_is_early(struct sm_client_channel *channel);

/** A channel's thread: it goes on at the target. */
void sm_migration_went(struct sm_client_channel *channel);

/** A channel's thread: it has ended, so it will not go anywhere. */
void sm_migration_stays(struct sm_client_channel *channel);

/** A link is up, or has failed. The link's thread. */
void sm_migration_linked(struct sm_session *session);

/** MIGRATE_CANCEL, or the end of the main channel: forgets the links. */
void sm_migration_cancel(struct sm_session *session);

/** MIGRATE_END: the machine is there. */
void sm_migration_end(struct sm_client_channel *main);

/** MIGRATE_SWITCH_HOST: the machine is there, and does not know us. */
SM_NODISCARD enum sm_status sm_migration_switch(struct sm_client_channel *main,
                                                const struct sm_dst_info *where);

/** Before the main channel lives again: gives it the link that waits, if it moves on one. */
void sm_migration_hand_over(struct sm_client_channel *main);

/** INIT of the target has come: the other channels go on there. */
SM_NODISCARD enum sm_status sm_migration_arrived(struct sm_client_channel *main);

#endif
