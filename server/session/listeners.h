/* SPDX-License-Identifier: MIT */
/* The ports: sockets that wait for clients. */
#ifndef SM_SERVER_SESSION_LISTENERS_H
#define SM_SERVER_SESSION_LISTENERS_H

#include <stdbool.h>

#include "io/loop.h"
#include "sumac/status.h"

struct sm_server;

struct sm_listener {
    struct sm_server *server;
    struct sm_watch *watch; /* NULL: not listening */
    struct sm_timer *pause; /* runs while there is nothing to accept with */
    int fd;
    bool is_tls;
    bool is_owned; /* we close it */
};

struct sm_listeners {
    struct sm_listener plain, tls, given;
};

/** Opens what the server's settings ask for; on failure nothing is open, and the log knows why. */
SM_NODISCARD enum sm_status sm_listeners_open(struct sm_server *server);

/** Closes what is ours. */
void sm_listeners_close(struct sm_server *server);

#endif
