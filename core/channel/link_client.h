/* SPDX-License-Identifier: MIT */
/*
 * The client's end of the link phase: what is said on a fresh connection until it carries messages.
 * Source: docs/channel.md, "The link phase".
 */
#ifndef SM_CORE_CHANNEL_LINK_CLIENT_H
#define SM_CORE_CHANNEL_LINK_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/machine.h"
#include "core/channel/sasl_parts.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_link_client;

struct sm_link_client_config {
    uint32_t connection_id; /* 0 for the first main channel, else the id of the session */
    uint8_t channel_type, channel_id;
    uint32_t channel_caps; /* our capabilities on this channel, bits 0 to 31 */
    bool has_sasl;         /* SASL is offered to the server; its events must then be handled */
    bool no_mini_header;   /* do without 6-byte headers, as old clients do */
    uint64_t timeout_us;   /* for the whole phase; 0 for 30 s */
};

enum sm_link_client_event_kind {
    /** The server wants a ticket: encrypt the password, call sm_link_client_ticket(). */
    SM_LINK_CLIENT_NEED_TICKET = 1,
    /** The server wants SASL: choose a mechanism, call sm_link_client_sasl_start(). */
    SM_LINK_CLIENT_NEED_SASL,
    /**
     * The server's turn in the exchange. Answer with sm_link_client_sasl_step(), or, if it is
     * complete for both, with sm_link_client_sasl_end().
     */
    SM_LINK_CLIENT_SASL_STEP,
    /**
     * The server accepts. What it sends from here on passes the security layer, if one was
     * negotiated: no byte of it is taken before sm_link_client_sasl_secured().
     */
    SM_LINK_CLIENT_SASL_ACCEPTED,
    /** The link is up; bytes not taken belong to the channel. The machine is done. */
    SM_LINK_CLIENT_DONE,
    /** The server said no; the connection is of no more use. The machine is done. */
    SM_LINK_CLIENT_REFUSED,
};

struct sm_link_client_event {
    enum sm_link_client_event_kind kind;
    struct sm_bytes public_key; /* NEED_TICKET: 162 bytes of DER, borrowed until destroyed */
    struct sm_bytes mechanisms; /* NEED_SASL: names, a comma before and behind each; borrowed */
    struct sm_sasl_turn turn;   /* SASL_STEP: borrowed until answered */
    bool is_complete;           /* SASL_STEP: the server is satisfied and expects no answer */
    uint32_t common_caps;       /* DONE: the server's first words */
    uint32_t channel_caps;
    bool has_mini_header; /* DONE: both sides can, so both must */
    uint32_t error;       /* REFUSED: a link error code, never 0; it may be one we do not know */
    bool after_ticket;    /* REFUSED: as the result of authentication, not in the link reply */
};

/**
 * Creates a link that begins now: the link message is pending at once.
 *
 * @param out  receives the link, untouched on failure; release it with sm_link_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_client_create(struct sm_link_client **out,
                                                  const struct sm_link_client_config *config,
                                                  uint64_t now_us);

/** NULL does nothing. */
void sm_link_client_destroy(struct sm_link_client *link);

/** For the pump; borrows `link`. */
struct sm_machine sm_link_client_machine(struct sm_link_client *link);

/** Fills `event` and returns true; false if there is none. Take them after each receive. */
bool sm_link_client_next(struct sm_link_client *link, struct sm_link_client_event *event);

/**
 * Answers NEED_TICKET.
 *
 * @param ticket  128 bytes, the encrypted password; copied
 * @return SM_OK; SM_ERR_STATE if no ticket was asked for or the size is wrong; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_client_ticket(struct sm_link_client *link,
                                                  struct sm_bytes ticket);

/**
 * Answers NEED_SASL.
 *
 * @param mechanism  1 to SM_SASL_NAME_MAX bytes
 * @return SM_OK; SM_ERR_STATE; SM_ERR_LIMIT if the name or the data is too long; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_link_client_sasl_start(struct sm_link_client *link,
                                                      const char *mechanism,
                                                      struct sm_sasl_turn turn);

/** Answers SASL_STEP with our next turn; SM_ERR_STATE also if the server is satisfied. */
SM_NODISCARD enum sm_status sm_link_client_sasl_step(struct sm_link_client *link,
                                                     struct sm_sasl_turn turn);

/** Answers a SASL_STEP that is complete: the server's verdict is read next. */
SM_NODISCARD enum sm_status sm_link_client_sasl_end(struct sm_link_client *link);

/** Answers SASL_ACCEPTED: the link result is read next, through the layer if there is one. */
SM_NODISCARD enum sm_status sm_link_client_sasl_secured(struct sm_link_client *link);

#endif
