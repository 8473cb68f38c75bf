/* SPDX-License-Identifier: MIT */
/* The smart card of a session. Source: docs/smartcards.md. */
#ifndef SM_CLIENT_SMARTCARD_H
#define SM_CLIENT_SMARTCARD_H

#include "sumac/smartcard.h"

/** Part of a session; zero-initialised. Under the session's lock once it is connected. */
struct sm_client_smartcard {
    char *database;        /* owned; or NULL */
    char *certificates[3]; /* owned; or NULL */
    struct sm_smartcard shown;
};

void sm_client_smartcard_finish(struct sm_client_smartcard *card);

#endif
