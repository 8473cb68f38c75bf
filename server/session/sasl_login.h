/* SPDX-License-Identifier: MIT */
/* How a client in its link phase is authenticated by SASL. Main context. */
#ifndef SM_SERVER_SESSION_SASL_LOGIN_H
#define SM_SERVER_SESSION_SASL_LOGIN_H

#include <stdbool.h>

#include "sumac/status.h"

struct sm_link_server;
struct sm_link_server_event;
struct sm_pump;
struct sm_sasl;
struct sm_sasl_stream;
struct sm_server;

/** Part of a connection; zero at first. */
struct sm_sasl_login {
    struct sm_sasl *sasl; /* owned until its protection is put onto the stream */
    bool is_accepted;     /* sm_sasl_login_secure() is due when nothing is pending any more */
};

/** Makes ready for clients that log in this way; what goes wrong is logged. */
SM_NODISCARD enum sm_status sm_sasl_login_prepare(struct sm_server *server);

/** Answers the event SASL; what goes wrong is logged. */
SM_NODISCARD enum sm_status sm_sasl_login_offer(struct sm_sasl_login *login,
                                                struct sm_server *server,
                                                const struct sm_sasl_stream *stream,
                                                struct sm_link_server *phase);

/** Answers SASL_START and SASL_STEP; after a failure there is nothing to be said: close. */
SM_NODISCARD enum sm_status sm_sasl_login_turn(struct sm_sasl_login *login,
                                               struct sm_server *server,
                                               const struct sm_link_server_event *event,
                                               struct sm_link_server *phase);

/**
 * Puts the protection that was negotiated onto the pump's stream, if there is one.
 *
 * @param has_layer  receives whether there is
 */
SM_NODISCARD enum sm_status sm_sasl_login_secure(struct sm_sasl_login *login, struct sm_pump *pump,
                                                 bool *has_layer);

/** Ends an exchange, whatever its state. */
void sm_sasl_login_finish(struct sm_sasl_login *login);

#endif
