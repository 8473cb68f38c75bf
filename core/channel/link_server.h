/* SPDX-License-Identifier: MIT */
/*
 * The server's end of the link phase. Source: docs/channel.md, "The link phase"; the order of
 * checks is that of the reference server.
 */
#ifndef SM_CORE_CHANNEL_LINK_SERVER_H
#define SM_CORE_CHANNEL_LINK_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/machine.h"
#include "core/channel/sasl_parts.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_link_server;

struct sm_link_server_config {
    bool has_sasl;         /* SASL instead of tickets; its events must then be handled */
    bool is_authenticated; /* with SASL: one who cannot choose it gets in with any ticket */
    uint64_t timeout_us;   /* for the whole phase; 0 for 30 s */
};

enum sm_link_server_event_kind {
    /**
     * A client asks for a channel: answer with sm_link_server_accept() or sm_link_server_refuse().
     */
    SM_LINK_SERVER_HELLO = 1,
    /** The client's ticket is here: answer with sm_link_server_result(). */
    SM_LINK_SERVER_TICKET,
    /** The client chose SASL: answer with sm_link_server_sasl_offer(). Never without `has_sasl`. */
    SM_LINK_SERVER_SASL,
    /** It chose a mechanism that was offered: answer with sm_link_server_sasl_reply(). */
    SM_LINK_SERVER_SASL_START,
    /** Its next turn: answer likewise. */
    SM_LINK_SERVER_SASL_STEP,
};

struct sm_link_server_event {
    enum sm_link_server_event_kind kind;
    uint32_t connection_id; /* HELLO */
    uint8_t channel_type, channel_id;
    uint32_t common_caps;   /* HELLO: the client's first words; every bit with a meaning is there */
    uint32_t channel_caps;  /* HELLO */
    struct sm_bytes ticket; /* TICKET: 128 encrypted bytes, borrowed until destroyed */
    const char *mechanism;  /* SASL_START: a name that was offered; borrowed until destroyed */
    struct sm_sasl_turn turn; /* SASL_START, SASL_STEP: borrowed until answered */
};

/**
 * Creates the server's end of a fresh connection.
 *
 * @param out  receives the link, untouched on failure; release it with sm_link_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_create(struct sm_link_server **out,
                                                  const struct sm_link_server_config *config,
                                                  uint64_t now_us);

/** NULL does nothing. */
void sm_link_server_destroy(struct sm_link_server *link);

/**
 * For the pump; borrows `link`. A failed receive leaves the error reply, if the protocol has one
 * for that failure, pending.
 */
struct sm_machine sm_link_server_machine(struct sm_link_server *link);

/** Fills `event` and returns true; false if there is none. Take them after each receive. */
bool sm_link_server_next(struct sm_link_server *link, struct sm_link_server_event *event);

/**
 * Answers HELLO: go on to authentication.
 *
 * @param public_key    162 bytes of DER, copied; no bytes (data NULL) for a key of zeros, for a
 *                      client that can do SASL where it is wanted
 * @param channel_caps  what the server can on this channel; the common word is made here
 * @return SM_OK; SM_ERR_STATE without a HELLO or with a key of another size; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_accept(struct sm_link_server *link,
                                                  struct sm_bytes public_key,
                                                  uint32_t channel_caps);

/**
 * Answers HELLO: no. Write what is pending, then close; whatever the client still sends is an
 * error.
 *
 * @param error      a link error code, told to the client
 * @param is_silent  true to tell nothing, as for a channel that does not exist
 * @return SM_OK; SM_ERR_STATE without a HELLO; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_refuse(struct sm_link_server *link, uint32_t error,
                                                  bool is_silent);

/**
 * Answers SASL with the names of the mechanisms, a comma before and behind each.
 *
 * @return SM_OK; SM_ERR_STATE; SM_ERR_LIMIT for more than SM_SASL_LIST_MAX bytes; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_sasl_offer(struct sm_link_server *link,
                                                      struct sm_bytes mechanisms);

/**
 * Answers SASL_START and SASL_STEP with our turn. Empty data counts as none, as it always has at
 * servers. When the exchange has failed there is no answer: close.
 *
 * @param is_complete  our side is satisfied: sm_link_server_sasl_end() comes next
 * @return SM_OK; SM_ERR_STATE; SM_ERR_LIMIT for more than SM_SASL_DATA_MAX - 1 bytes; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_sasl_reply(struct sm_link_server *link,
                                                      struct sm_bytes data, bool is_complete);

/**
 * Says what came of the exchange. Accepted: once what is pending was written, a security layer may
 * be put below, then sm_link_server_result() is due. Not accepted (too weak): write what is
 * pending, then close.
 */
SM_NODISCARD enum sm_status sm_link_server_sasl_end(struct sm_link_server *link, bool is_accepted);

/**
 * Answers TICKET, or follows an accepted SASL exchange. With error 0 the link is up once what is
 * pending was written: bytes not taken belong to the channel. With any other link error code: write
 * what is pending, then close.
 *
 * @return SM_OK; SM_ERR_STATE out of order; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_server_result(struct sm_link_server *link, uint32_t error);

/** True after a result of 0. */
bool sm_link_server_is_done(const struct sm_link_server *link);

/**
 * True after a refusal or failure, also one that happened inside an answer: write what is pending,
 * then close. The deadline still holds, for a peer that does not read.
 */
bool sm_link_server_is_failed(const struct sm_link_server *link);

/** True if both sides can, and so must, use 6-byte headers; known from HELLO on. */
bool sm_link_server_has_mini_header(const struct sm_link_server *link);

#endif
