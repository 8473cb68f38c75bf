/* SPDX-License-Identifier: MIT */
/*
 * Clients follow the machine to another host. As the source, a server tells its clients of the
 * target, waits until they have linked there, and sends them over when the machine has gone. As the
 * target it keeps the links of clients to come until it is told what kind of arrival it is.
 * Source: docs/migration.md.
 *
 * Thread: main context.
 */
#ifndef SM_SERVER_SESSION_MIGRATION_H
#define SM_SERVER_SESSION_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/wire/main.h"
#include "io/loop.h"
#include "sumac/status.h"

struct sm_server;
struct sm_session;

/** What the host wants to hear: each exactly once for a call, maybe from inside of it. */
struct sm_migration_host_ops {
    /** sm_migration_connect() is through: the clients are ready, or will not be. */
    void (*connect_complete)(void *context);
    /** sm_migration_end() is through: no client is here any more. */
    void (*end_complete)(void *context);
};

/** Where the machine goes. */
struct sm_migration_target {
    char *host, *subject;       /* owned; NULL: none */
    uint16_t port, secure_port; /* 0: none */
};

enum sm_migration_phase {
    SM_MIGRATION_IDLE,
    SM_MIGRATION_CONNECTING, /* clients link to the target */
    SM_MIGRATION_CONNECTED,  /* those that can have; the machine moves */
    SM_MIGRATION_LEAVING,    /* it has moved; clients have to go */
};

/** Part of a server. */
struct sm_migration {
    const struct sm_migration_host_ops *host; /* borrowed; NULL: nobody asks */
    void *host_context;
    bool allows_seamless;
    enum sm_migration_phase phase;
    bool has_moved; /* the machine; clients leave as soon as they are connected */
    bool has_target;
    struct sm_migration_target target;
    struct sm_timer *timer; /* owned; of CONNECTING and LEAVING; NULL before the first use */
};

/** How a client comes from another server. */
enum sm_arrival {
    SM_ARRIVAL_NONE,     /* it did not, or has arrived: a session like any */
    SM_ARRIVAL_WAITING,  /* its links are kept */
    SM_ARRIVAL_RESUMING, /* seamless: its channels wait for their data */
};

/** Whether a client can follow, as it said itself. */
enum sm_migration_answer {
    SM_ANSWER_NONE,
    SM_ANSWER_ERROR,
    SM_ANSWER_CONNECTED,
    SM_ANSWER_SEAMLESS,
};

/** Part of a session. */
struct sm_session_migration {
    enum sm_arrival arrival;
    struct sm_list pending; /* links of a client in WAITING; server/session/session.c */
    bool is_asked;          /* was told of a target, and its answer is waited for */
    bool owes_answer;       /* was told, and has not answered, waited for or not */
    bool is_postponed;      /* is to be told when it has arrived itself */
    bool is_seamless_offered;
    enum sm_migration_answer answer;
    bool has_left; /* its main channel is gone to the target; others may follow */
};

void sm_migration_set_host(struct sm_server *server, const struct sm_migration_host_ops *host,
                           void *context);

/** Whether clients that can do so keep all their state. */
void sm_migration_allow_seamless(struct sm_server *server, bool is_allowed);

/**
 * Tells the clients where the machine will go.
 *
 * @param host          copied
 * @param port          0: none; likewise `secure_port`
 * @param subject       of the target's certificate; copied; NULL: the host's name is enough
 * @return SM_OK: connect_complete() follows; SM_ERR_NOMEM: nothing was done
 */
SM_NODISCARD enum sm_status sm_migration_connect(struct sm_server *server, const char *host,
                                                 uint16_t port, uint16_t secure_port,
                                                 const char *subject);

/** Stores a target without telling anybody. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_migration_set_target(struct sm_server *server, const char *host,
                                                    uint16_t port, uint16_t secure_port,
                                                    const char *subject);
bool sm_migration_has_target(const struct sm_server *server);

/** Sends all clients to the stored target, where they begin anew. */
void sm_migration_switch(struct sm_server *server);

/**
 * The machine has gone (`is_completed`), or stays: clients go, or stay, too. end_complete()
 * follows. False if it went without a word before, so that clients had to be disconnected.
 */
bool sm_migration_end(struct sm_server *server, bool is_completed);

/** Forgets the target and stops the timer; nobody is called. */
void sm_migration_finish(struct sm_server *server);

/* ---- for server/session ---- */

/** A message about migration, of a session's main channel; SM_ERR_PROTOCOL if it may not be. */
SM_NODISCARD enum sm_status sm_migration_message(struct sm_session *session,
                                                 const struct sm_main_msgc *msg);

/** A session that came from another server is like any other now. */
void sm_migration_arrived(struct sm_session *session);

/** A session of the server has ended. */
void sm_migration_session_gone(struct sm_server *server);

#endif
