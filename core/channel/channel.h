/* SPDX-License-Identifier: MIT */
/*
 * A connection behind the link phase: messages with headers, serials, acknowledgements and pings,
 * the same on every channel and for both ends. What the messages mean is said by the machines of
 * core/channel/{main,display,cursor,inputs}, which own one of these.
 *
 * Answered here, without the owner: client: PING (at once, also past messages the owner has not
 * pulled yet), SET_ACK, ACK; server: ACK_SYNC, ACK, PONG, and latency pings when idle. All other
 * messages, those of the base channel included, are pulled with sm_channel_next().
 * Source: docs/channel.md, "Messages".
 */
#ifndef SM_CORE_CHANNEL_CHANNEL_H
#define SM_CORE_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "core/channel/line.h"
#include "core/channel/machine.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_channel;

enum sm_channel_role {
    SM_CHANNEL_CLIENT, /* receives what servers send */
    SM_CHANNEL_SERVER,
};

enum {
    /** Bytes waiting to be written at which sends are refused, unless configured otherwise. */
    SM_CHANNEL_DEFAULT_MAX_PENDING = 1 << 20,
    /** Bytes received but not pulled at which no more are taken. */
    SM_CHANNEL_READ_AHEAD = 256 << 10,
};

struct sm_channel_config {
    enum sm_channel_role role;
    bool has_mini_header; /* what the link phase found */
    /**
     * The largest body we take of a type, in bytes; 0 for a type we do not know. A client skips
     * unknown messages, a server fails on them. A body that is too large is a failure.
     */
    uint32_t (*max_size)(uint16_t type);
    /**
     * Bytes waiting to be written at which sm_channel_send() says SM_AGAIN; 0 for the default.
     * Memory is bounded by this plus one message.
     */
    size_t max_pending_bytes;
    /** To be written before the first message, such as the unsent end of a link result; copied. */
    struct sm_bytes leading;
    /** Server: time between latency pings; 0 for none. The first comes after 100 ms of idleness. */
    uint64_t ping_interval_us;
    /**
     * Server: fail after so long without a byte from the peer while output waits or a ping is
     * unanswered; 0 for never.
     */
    uint64_t liveness_us;
};

/** What the link phase and the owner know about a connection; part of every typed machine's config.
 */
struct sm_channel_setup {
    bool has_mini_header;
    uint32_t common_caps, channel_caps; /* of the peer */
    struct sm_bytes leading;            /* see sm_channel_config; copied */
    bool is_local;                      /* server: a unix socket, which is not measured */
    bool is_migrated;         /* server: the client comes from another server, and is not greeted */
    size_t max_pending_bytes; /* see sm_channel_config; 0 for the default */
};

/** A message, or one of those that travelled inside it. */
struct sm_channel_message {
    uint16_t type;
    bool is_sub;          /* travelled inside the message with this serial */
    uint64_t serial;      /* of the message on this connection and direction; the first has 1 */
    uint64_t turn;        /* how many came before it; a peer may give serials as it likes */
    struct sm_bytes body; /* borrowed until the next sm_channel_next() */
};

/**
 * @param out  receives the channel, untouched on failure; release it with sm_channel_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_channel_create(struct sm_channel **out, const struct sm_channel_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_channel_destroy(struct sm_channel *channel);

/**
 * Some messages have one byte behind them that belongs to no message, because a descriptor travels
 * with it. Such a message is given out when its byte has come.
 *
 * @param has_byte_behind  true for these; static
 */
void sm_channel_set_byte_behind(struct sm_channel *channel,
                                bool (*has_byte_behind)(uint16_t type, struct sm_bytes body));

/** For the pump; borrows `channel`. */
struct sm_machine sm_channel_machine(struct sm_channel *channel);

/**
 * Pulls the next message. Asking for it says that the former one is dealt with. Messages that came
 * whole before the peer broke the protocol are still given.
 *
 * @param out  receives the message
 * @return SM_OK; SM_AGAIN if there is none, or the channel is held; else the channel has failed
 *         (sm_channel_reason())
 */
SM_NODISCARD enum sm_status sm_channel_next(struct sm_channel *channel,
                                            struct sm_channel_message *out);

/**
 * Lets sm_channel_next() give nothing until sm_channel_release(): the client waits for other
 * channels. Pings are answered all the same.
 */
void sm_channel_hold(struct sm_channel *channel);
void sm_channel_release(struct sm_channel *channel);
bool sm_channel_is_held(const struct sm_channel *channel);

/**
 * Sends a message.
 *
 * @return SM_OK; SM_AGAIN if too much waits to be written: nothing was queued, try again when less
 *         is pending; SM_ERR_LIMIT for a body that no header can describe; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_channel_send(struct sm_channel *channel, uint16_t type,
                                            struct sm_bytes body);

/** As sm_channel_send(), with a body in parts. */
SM_NODISCARD enum sm_status sm_channel_sendv(struct sm_channel *channel, uint16_t type,
                                             const struct sm_bytes *parts, size_t count);

/**
 * Sends a message whose body the caller builds in place: between the two calls it appends to `w`
 * and calls nothing else of this channel. Then sm_channel_commit() says what became of building.
 *
 * @param w       receives the writer; it may hold bytes already, which stay as they are
 * @param always  never SM_AGAIN, as sm_channel_send_always()
 * @return as sm_channel_send(); unless SM_OK, commit is not called
 */
SM_NODISCARD enum sm_status sm_channel_begin(struct sm_channel *channel, uint16_t type,
                                             bool is_always, struct sm_writer **w);

/**
 * Ends what sm_channel_begin() began. If `built` is a failure, or the writer has failed, it is as
 * if nothing had been tried.
 *
 * @return `built`, or the status of the writer
 */
SM_NODISCARD enum sm_status sm_channel_commit(struct sm_channel *channel, enum sm_status built);

/** As sm_channel_send() but never SM_AGAIN: for the few small messages that may not be lost. */
SM_NODISCARD enum sm_status sm_channel_send_always(struct sm_channel *channel, uint16_t type,
                                                   struct sm_bytes body);

/** Bytes waiting to be written. */
size_t sm_channel_pending_size(const struct sm_channel *channel);

/** True if sm_channel_send() would say SM_AGAIN. */
bool sm_channel_is_full(const struct sm_channel *channel);

/** Serials: of the last message sent, received whole, and dealt with by the owner; 0 for none. */
uint64_t sm_channel_sent_serial(const struct sm_channel *channel);
uint64_t sm_channel_received_serial(const struct sm_channel *channel);
uint64_t sm_channel_handled_serial(const struct sm_channel *channel);

/**
 * Server: sends SET_ACK. The client acknowledges every `window` messages from then on; 0 stops it.
 * Status as sm_channel_send_always(); SM_ERR_STATE for a client.
 */
SM_NODISCARD enum sm_status sm_channel_set_ack_window(struct sm_channel *channel, uint32_t window);

/** Server: more than two windows of messages are unacknowledged: send nothing that can wait. */
bool sm_channel_is_blocked(const struct sm_channel *channel);

/** Server: messages sent behind the last SET_ACK and not acknowledged; 0 without a window. */
uint64_t sm_channel_unacked(const struct sm_channel *channel);

/** Server: bytes of the messages that sm_channel_unacked() counts, headers included. */
uint64_t sm_channel_unacked_bytes(const struct sm_channel *channel);

/** Server: the last measured round trip in microseconds; UINT64_MAX before one. */
uint64_t sm_channel_rtt_us(const struct sm_channel *channel);

/**
 * Server: measures the line from now on (core/channel/line.h): marks travel between the messages,
 * the first one now. To be called once, early.
 *
 * @param rtt_us, bytes_per_second  what is known beforehand; 0 for nothing
 * @return SM_OK; SM_ERR_STATE for a client or a second call; SM_ERR_NOMEM, the channel has failed
 */
SM_NODISCARD enum sm_status sm_channel_measure_line(struct sm_channel *channel, uint64_t rtt_us,
                                                    uint64_t bytes_per_second);

/**
 * Server: tells the client from now on how much of what it sends has come, now and whenever 4 KiB
 * more are here, so that a client of ours can measure its own line: receipts, which are pings.
 * Status as sm_channel_send_always(); SM_ERR_STATE for a client or a second call.
 */
SM_NODISCARD enum sm_status sm_channel_give_receipts(struct sm_channel *channel);

/** What is being measured, borrowed; NULL if nothing is: a client's when the server gives receipts.
 * For room and sm_line_starved(). */
struct sm_line *sm_channel_line(struct sm_channel *channel);

/**
 * Bytes that bulk may queue now so that what is sent is fresh, and other connections on the same
 * line are not held up; a message may be larger if there is room at all. 0 if the channel is full.
 */
size_t sm_channel_room(const struct sm_channel *channel);

/** There is room and nothing to send. */
void sm_channel_starved(struct sm_channel *channel);

/** What the network test found. */
struct sm_channel_net_test {
    bool is_done;
    uint64_t latency_us;      /* the shorter of two round trips */
    uint64_t bits_per_second; /* 0: too fast to measure */
};

/**
 * Server: sends the pings of the network test (twice nothing, once 256000 bytes of zeros). Latency
 * pings and liveness begin when it is done. Status as sm_channel_send_always(); SM_ERR_STATE for a
 * client or a second test.
 */
SM_NODISCARD enum sm_status sm_channel_start_net_test(struct sm_channel *channel);
struct sm_channel_net_test sm_channel_net_test(const struct sm_channel *channel);

/* ---- looking ahead: the client's end; source: docs/client.md, "Decoding ahead" ---- */

/** A message that has come and was not pulled yet. */
struct sm_channel_ahead {
    struct sm_channel_message message; /* type 0: its owner will not be shown it. The body is
                                        * borrowed until the message behind it has been asked for */
    bool has_subs;                     /* others travel in it */
    bool is_first;                     /* nothing else is ahead of it */
    size_t behind; /* bytes known to follow it, some of them perhaps only announced; exact only
                    * while they are fewer than its own */
};

/**
 * Shows the first message that was neither pulled nor passed. Nothing of its effects happens: it
 * still has to be pulled in its turn.
 *
 * @return false if there is none, or the channel is held, leaves for another host, or has failed
 */
bool sm_channel_look_ahead(const struct sm_channel *channel, struct sm_channel_ahead *out);

/**
 * Goes past the message that sm_channel_look_ahead() shows.
 *
 * @param is_on_loan  its memory does not count for SM_CHANNEL_READ_AHEAD any more; the owner sees
 * to it that this stays little
 */
void sm_channel_pass(struct sm_channel *channel, bool is_on_loan);

/* ---- migration: the server's end; source: docs/migration.md ---- */

/**
 * Source: sends MIGRATE with `flags` (enum sm_migrate_flag). Whatever is sent behind it succeeds
 * and goes nowhere, but for sm_channel_migrate_data(). With NEED_FLUSH the client's
 * MIGRATE_FLUSH_MARK is awaited, which is pulled like any message.
 *
 * @return SM_OK; SM_ERR_STATE for a client or a second time; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_channel_migrate(struct sm_channel *channel, uint32_t flags);

/** Source: sends MIGRATE_DATA, once, behind the mark; before, SM_ERR_STATE. */
SM_NODISCARD enum sm_status sm_channel_migrate_data(struct sm_channel *channel,
                                                    struct sm_bytes data);

/** Source: MIGRATE was sent. */
bool sm_channel_is_leaving(const struct sm_channel *channel);

/**
 * Target: the first message to be pulled has to be MIGRATE_DATA; with another one the channel
 * fails. Pings rest until it has come.
 */
void sm_channel_await_migrate_data(struct sm_channel *channel);
bool sm_channel_awaits_migrate_data(const struct sm_channel *channel);

/** Target: messages are numbered as if `serial` of them had been sent before all of ours. */
void sm_channel_continue_serial(struct sm_channel *channel, uint64_t serial);

/** Server: no pings and no look for signs of life until they are resumed. */
void sm_channel_pause_pings(struct sm_channel *channel);
void sm_channel_resume_pings(struct sm_channel *channel);

/* ---- migration: the client's end; source: docs/client.md, "A machine that moves" ---- */

/**
 * MIGRATE is done here from now on. What was sent before it still goes to the source, with the mark
 * behind it if the source wants one; what is sent later waits for the target, and so does the data.
 * Without this the owner is shown MIGRATE like any message.
 */
void sm_channel_allow_move(struct sm_channel *channel);

/** The source has had its last byte and has given its last: it is time to go to the target.
 * sm_channel_next() gives nothing from then on. */
bool sm_channel_has_left(const struct sm_channel *channel);

/**
 * The other end is the target from now on: the data go out first, then what has waited. Serials of
 * what comes go on; nothing is acknowledged until the target asks for it. What the former end sent
 * beyond its last message is forgotten.
 *
 * @return SM_OK; SM_ERR_STATE before sm_channel_has_left(); SM_ERR_NOMEM, the channel has failed
 */
SM_NODISCARD enum sm_status sm_channel_arrive(struct sm_channel *channel);

/** Pings that a client has answered and that measured nothing but the round trip. */
uint64_t sm_channel_ping_count(const struct sm_channel *channel);

/** Messages of unknown types that a client has skipped. */
uint64_t sm_channel_skipped_count(const struct sm_channel *channel);

/** Lets the channel fail: for owners that find a message wrong. Returns `status`. */
enum sm_status sm_channel_fail(struct sm_channel *channel, enum sm_status status,
                               const char *reason);

/** Words about the failure, static; "" before one. */
const char *sm_channel_reason(const struct sm_channel *channel);

#endif
