/* SPDX-License-Identifier: MIT */
/*
 * The password for looking that a file holds (SUMAC_VIEW_PASSWORD_FILE). The file may be where it
 * takes long, or never comes: it is read by an errand, and the client is answered when that is
 * back. Main context.
 */
#ifndef SM_SERVER_SESSION_VIEW_PASSWORD_H
#define SM_SERVER_SESSION_VIEW_PASSWORD_H

#include <stdbool.h>

#include "io/ticket.h"
#include "sumac/status.h"

struct sm_server;
struct sm_view_password;

/**
 * Reads the first line of the server's file, as it is now, beside the main thread.
 *
 * @param out      receives the question, untouched on failure; end it with
 *                 sm_view_password_destroy()
 * @param given    the client's, copied
 * @param on_back  called once, later, when sm_view_password_is_given() is known
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_view_password_ask(struct sm_view_password **out,
                                                 struct sm_server *server,
                                                 const char given[SM_TICKET_PASSWORD_MAX + 1],
                                                 void (*on_back)(void *opaque), void *opaque);

/** Whether the client's is the one in the file; not if there is none, or it cannot be read. */
bool sm_view_password_is_given(const struct sm_view_password *asked);

/** Also amid the reading, for which it never waits. NULL does nothing. */
void sm_view_password_destroy(struct sm_view_password *asked);

#endif
