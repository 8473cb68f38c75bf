/* SPDX-License-Identifier: MIT */
/*
 * One channel of a session: its thread, its connection, and the link phase. What the channel says
 * once it is linked is in the file of its kind, behind a table.
 */
#ifndef SM_CLIENT_CHANNEL_THREAD_H
#define SM_CLIENT_CHANNEL_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/reasons.h"
#include "core/channel/link_client.h"
#include "core/channel/machine.h"
#include "core/channel/main/seamless.h"
#include "io/epoll_loop.h"
#include "io/pump.h"
#include "sumac/error.h"
#include "sumac/session.h"

struct sm_sasl;
struct sm_session;
struct sm_target;
struct sm_channel;
struct sm_client_channel;
struct sm_client_call;

/** What a kind of channel does. Every function runs on the channel's thread. */
struct sm_client_channel_ops {
    /** Our capability bits on this kind of channel. */
    uint32_t (*caps)(const struct sm_session *session);
    /**
     * The link is up: makes `channel->self` and the machine that speaks from now on. What it sends
     * at once goes out without further ado.
     */
    enum sm_status (*open)(struct sm_client_channel *channel,
                           const struct sm_link_client_event *link, struct sm_machine *machine);
    /**
     * Pulls the events of the machine.
     *
     * @return SM_OK, or a failure that ends the channel
     */
    enum sm_status (*activity)(struct sm_client_channel *channel);
    /** The channel below the machine: what failed, and where a move to another host has got. */
    struct sm_channel *(*base)(const struct sm_client_channel *channel);
    /** Tries again what had to wait for other channels. Optional. */
    void (*resume)(struct sm_client_channel *channel);
    /**
     * The line has ended. Deals with all that has come by it, and waits for nothing but what other
     * threads of ours are at. Optional.
     */
    void (*settle)(struct sm_client_channel *channel);
    /** The connection is gone, or will be at once. Optional. */
    void (*closed)(struct sm_client_channel *channel);
    /**
     * A lost line is back: open() is called with `self` still there, for other threads may be
     * looking at it. Without this destroy() comes first, with the session's lock held.
     */
    bool keeps_self;
    /** Once it is open its thread needs to open nothing else, and loses the right to. */
    bool is_confined;
    /** Frees `channel->self`, which may be NULL. Any thread, with nobody else looking. */
    void (*destroy)(struct sm_client_channel *channel);
};

enum sm_client_channel_state {
    SM_CLIENT_CHANNEL_CONNECTING,
    SM_CLIENT_CHANNEL_OPEN,
    SM_CLIENT_CHANNEL_CLOSED,
};

/** What has become of a link to the target of a migration. */
enum sm_client_link_state {
    SM_CLIENT_LINK_NONE, /* under way; or the channel is no such link */
    SM_CLIENT_LINK_UP,
    SM_CLIENT_LINK_FAILED,
};

/** A link that is up and not used yet. */
struct sm_ready_link {
    struct sm_transport *transport; /* owned; NULL: none */
    uint8_t *received;              /* owned: what came behind the link phase; or NULL */
    size_t received_size;
    struct sm_link_client_event event; /* without its borrowed parts */
    bool is_secure;
    bool takes_state; /* main: the target takes the session as it is */
};

struct sm_client_channel {
    const struct sm_client_channel_ops *ops;
    struct sm_session *session;     /* borrowed */
    const struct sm_target *target; /* borrowed from the session; set before the thread starts */
    enum sm_channel_kind kind;
    uint8_t id;
    void *self; /* owned; of the kind's own file */

    pthread_t thread;
    bool is_started;            /* the thread is to be joined */
    struct sm_epoll_loop *loop; /* owned */
    int cancel_fd;              /* eventfd: readable when the thread shall end */
    atomic_bool is_stopped;     /* likewise */

    pthread_mutex_t calls_lock;
    struct sm_client_call *calls, **calls_end; /* owned: posted by others and not run yet */
    size_t call_count;

    /* Of the thread alone: */
    struct sm_pump *pump;        /* owned */
    struct sm_link_client *link; /* owned; until the link is up */
    struct sm_sasl *sasl;        /* owned; while SASL speaks */
    bool sasl_is_done;           /* our side of it */
    struct sm_machine machine;   /* that of the link, then that of the kind */
    struct sm_attempt attempt;   /* for messages */
    char place[640];             /* attempt.place */
    uint64_t measured_us;        /* when the kernel was asked for the round trip */
    bool is_over;                /* this connection has ended, `error` says why */
    bool is_link;                /* only links to a migration's target, and then ends */
    bool is_kept;                /* the link is up: `ready` */
    bool is_asking;              /* main's link: `seamless` has the connection */
    struct sm_main_seamless seamless;
    struct sm_ready_link ready;    /* what that came to; or what this channel is to go on with */
    bool was_cut;                  /* the line went, or the server ended it */
    bool needs_tls;                /* it ended because the server wants TLS */
    bool is_finishing;             /* our side closes when all is sent; then the server's end */
    bool is_half_closed;           /* is awaited */
    struct sm_timer *finish_timer; /* owned */

    /* Under the session's lock: */
    struct sm_ready_link next; /* where the channel goes when its host says MIGRATE */
    bool was_opened;           /* at least once: `self` can be looked at */
    enum sm_client_channel_state state;
    struct sm_error error; /* final when CLOSED */
    uint32_t common_caps, channel_caps;
    bool is_secure;
    bool is_confined;      /* its thread can open nothing */
    atomic_int link_state; /* enum sm_client_link_state */
    atomic_ullong received_bytes;
    atomic_bool is_pinged;        /* the server pings it when it is idle */
    atomic_ullong round_trip_us;  /* as the kernel said when bytes last came */
    atomic_ullong handled_serial; /* of the last message dealt with */
    atomic_bool is_waiting;       /* for other channels: tell it when any gets further */
};

/** Creates the channel and starts its thread, which connects. */
SM_NODISCARD enum sm_status sm_client_channel_start(struct sm_client_channel **out,
                                                    struct sm_session *session,
                                                    enum sm_channel_kind kind, uint8_t id);

/** The same for a link to `target` that waits to be used (`ready`) and is not in the session's
 * list: sm_migration_linked() is told what becomes of it. */
SM_NODISCARD enum sm_status sm_client_channel_start_link(struct sm_client_channel **out,
                                                         struct sm_session *session,
                                                         enum sm_channel_kind kind, uint8_t id,
                                                         const struct sm_target *target);

/** Starts the thread of a channel that was joined anew, to connect to the session's target. */
SM_NODISCARD enum sm_status sm_client_channel_restart(struct sm_client_channel *channel);

/** Has the thread end soon. Any thread, also more than once. */
void sm_client_channel_stop(struct sm_client_channel *channel);

/** Waits for the thread's end, after sm_client_channel_stop() or if the channel ends by itself. */
void sm_client_channel_join(struct sm_client_channel *channel);

/** Frees a channel that was joined. NULL does nothing. */
void sm_client_channel_destroy(struct sm_client_channel *channel);

/**
 * Runs `func(channel, argument)` on the channel's thread. Any thread.
 *
 * @param argument  copied, `size` bytes
 * @return SM_OK; SM_ERR_STATE if the channel is not open; SM_ERR_LIMIT if too many calls wait;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_client_channel_post(struct sm_client_channel *channel,
                                                   void (*func)(struct sm_client_channel *channel,
                                                                const void *argument),
                                                   const void *argument, size_t size);

/**
 * The channel's thread: ends the channel in an orderly way. What was sent is delivered, our side is
 * closed, and the thread ends when the server has closed its own, or a second later.
 */
void sm_client_channel_finish(struct sm_client_channel *channel);

/** The channel's thread: ends the channel because of `error`, which is copied. */
void sm_client_channel_fail(struct sm_client_channel *channel, const struct sm_error *error);

/** The channel's thread: what was sent outside of activity() goes out. */
void sm_client_channel_kick(struct sm_client_channel *channel);

/** The channel's thread: message `serial` is dealt with. Channels that wait for it go on. */
void sm_client_channel_handled(struct sm_client_channel *channel, uint64_t serial);

/** Closes a link that is not used after all, and forgets it. */
void sm_ready_link_drop(struct sm_ready_link *ready);

/** True if the link is up. Any thread. */
bool sm_client_channel_is_open(struct sm_client_channel *channel);

/** The table of `kind`; NULL if we do not know it. */
const struct sm_client_channel_ops *sm_client_channel_ops_of(enum sm_channel_kind kind);

#endif
