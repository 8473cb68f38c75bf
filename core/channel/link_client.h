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
    /**
     * The server wants SASL. The machine takes and gives no bytes until sm_link_client_sasl_done().
     */
    SM_LINK_CLIENT_NEED_SASL,
    /** The link is up; bytes not taken belong to the channel. The machine is done. */
    SM_LINK_CLIENT_DONE,
    /** The server said no; the connection is of no more use. The machine is done. */
    SM_LINK_CLIENT_REFUSED,
};

struct sm_link_client_event {
    enum sm_link_client_event_kind kind;
    struct sm_bytes public_key; /* NEED_TICKET: 162 bytes of DER, borrowed until destroyed */
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

/** Answers NEED_SASL when it succeeded: the link result is read next. SM_ERR_STATE otherwise. */
SM_NODISCARD enum sm_status sm_link_client_sasl_done(struct sm_link_client *link);

#endif
