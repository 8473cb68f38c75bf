/* SPDX-License-Identifier: MIT */
/*
 * A smart card of this computer in the machine: the first reader that there is, or a card of
 * software made of certificates. Nothing here waits; SM_EVENT_SMARTCARD says that something has
 * changed. The channel is opened if sm_session_set_channels() has SM_CHANNEL_KIND_SMARTCARD. One
 * session of a process at a time has cards.
 */
#ifndef SUMAC_SMARTCARD_H
#define SUMAC_SMARTCARD_H

#include <stdbool.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_SMARTCARD_TEXT_SIZE = 256 /* bytes with the NUL */ };

/** False if this build, or this system, has no module for smart cards. */
SM_API bool sm_smartcard_is_available(void);

/**
 * Which cards the machine gets. Before sm_session_connect().
 *
 * @param database      a folder with an NSS database; NULL: the system's
 * @param certificates  the nicknames of three certificates in it, for signing, authentication and
 *                      encryption: a card of software; NULL: the readers of this computer
 * @return SM_OK; SM_ERR_STATE after connecting; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_smartcard(struct sm_session *session,
                                                            const char *database,
                                                            const char *const certificates[3]);

struct sm_smartcard {
    bool has_reader;                     /* this computer has one */
    bool is_shared;                      /* the machine has it */
    bool has_card;                       /* there is a card in it */
    bool is_card_known;                  /* which the machine knows of */
    char reader[SM_SMARTCARD_TEXT_SIZE]; /* its name */
    char reason[SM_SMARTCARD_TEXT_SIZE]; /* why the machine does not have it; or empty */
    unsigned commands;                   /* that the machine has given the card */
};

SM_API void sm_session_get_smartcard(struct sm_session *session, struct sm_smartcard *out);

/** Puts the card of software into its reader, where it is at first, or takes it out. */
SM_API SM_NODISCARD enum sm_status sm_session_insert_smartcard(struct sm_session *session,
                                                               bool is_inserted);

#ifdef __cplusplus
}
#endif

#endif
