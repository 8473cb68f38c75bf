/* SPDX-License-Identifier: MIT */
/* Who gets in with which password, and until when. */
#ifndef SM_SERVER_SESSION_TICKET_POLICY_H
#define SM_SERVER_SESSION_TICKET_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "io/ticket.h"

/** Thread: one at a time. */
struct sm_ticket_policy {
    bool is_on;                                /* a password is asked for */
    char password[SM_TICKET_PASSWORD_MAX + 1]; /* empty: nobody gets in; NULs behind the end */
    uint64_t expires_us;                       /* monotonic; UINT64_MAX: never */
};

/** Passwords are asked for and none is set: nobody gets in. */
void sm_ticket_policy_init(struct sm_ticket_policy *policy);

/** No password is asked for. */
void sm_ticket_policy_open(struct sm_ticket_policy *policy);

/**
 * Asks for `password` during `lifetime_s` seconds, 0 for ever; NULL locks everybody out.
 *
 * @return SM_OK; SM_ERR_LIMIT if it is too long: the former password stays, with the new lifetime
 */
SM_NODISCARD enum sm_status sm_ticket_policy_set(struct sm_ticket_policy *policy,
                                                 const char *password, int lifetime_s,
                                                 uint64_t now_us);

/**
 * Whether a client with this password gets in.
 *
 * @param given  as sm_ticket_decrypt() makes it
 * @return NULL if it does, else why not, for the log
 */
const char *sm_ticket_policy_refuses(const struct sm_ticket_policy *policy,
                                     const char given[SM_TICKET_PASSWORD_MAX + 1], uint64_t now_us);

#endif
