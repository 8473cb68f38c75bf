/* SPDX-License-Identifier: MIT */
/*
 * How a client in its link phase is authenticated by SASL. Each turn may wait for others and is an
 * errand: the client is answered when it is back. Main context.
 */
#ifndef SM_SERVER_SESSION_SASL_LOGIN_H
#define SM_SERVER_SESSION_SASL_LOGIN_H

#include <stdbool.h>

#include "sumac/status.h"

struct sm_link_server;
struct sm_link_server_event;
struct sm_pump;
struct sm_sasl_login;
struct sm_sasl_stream;
struct sm_server;

/** Makes ready for clients that log in this way; what goes wrong is logged. */
SM_NODISCARD enum sm_status sm_sasl_login_prepare(struct sm_server *server);

/**
 * Takes the event SASL: the mechanisms are looked for.
 *
 * @param out      receives the login, untouched on failure; end it with sm_sasl_login_destroy()
 * @param on_back  called later, whenever sm_sasl_login_answer() is due
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_sasl_login_create(struct sm_sasl_login **out,
                                                 struct sm_server *server,
                                                 const struct sm_sasl_stream *stream,
                                                 void (*on_back)(void *opaque), void *opaque);

/** Takes SASL_START and SASL_STEP: the mechanism thinks. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_sasl_login_turn(struct sm_sasl_login *login,
                                               const struct sm_link_server_event *event);

/**
 * Answers the client with what has come back; what goes wrong is logged. After a failure there is
 * nothing to be said: close.
 */
SM_NODISCARD enum sm_status sm_sasl_login_answer(struct sm_sasl_login *login,
                                                 struct sm_link_server *phase);

/** Whether sm_sasl_login_secure() is due when nothing is pending any more. NULL: no. */
bool sm_sasl_login_is_accepted(const struct sm_sasl_login *login);

/** Who was accepted; borrowed until destroyed. */
const char *sm_sasl_login_user(const struct sm_sasl_login *login);

/** Whether that user only looks. */
bool sm_sasl_login_is_view_only(const struct sm_sasl_login *login);

/**
 * Puts the protection that was negotiated onto the pump's stream, if there is one.
 *
 * @param has_layer  receives whether there is
 */
SM_NODISCARD enum sm_status sm_sasl_login_secure(struct sm_sasl_login *login, struct sm_pump *pump,
                                                 bool *has_layer);

/** Ends an exchange, whatever its state; never waits for a turn. NULL does nothing. */
void sm_sasl_login_destroy(struct sm_sasl_login *login);

#endif
