/* SPDX-License-Identifier: MIT */
/* A host program for tests: it lends its event loop to the library and notes what it is told. */
#ifndef SM_TESTS_SERVER_SUPPORT_HOST_H
#define SM_TESTS_SERVER_SUPPORT_HOST_H

#include "io/epoll_loop.h"
#include "spice-server/spice.h"

/** One at a time: the core interface of the ABI has no context. */
struct sm_test_host {
    SpiceCoreInterface core;
    struct sm_epoll_loop *loop;
    unsigned connected, initialized, disconnected; /* events */
    SpiceChannelEventInfo *last_info;              /* of the last CONNECTED or INITIALIZED */
    int last_flags;                                /* of the last INITIALIZED */
    char folder[32], path[64];                     /* of its server's socket; "": none */
};

void sm_test_host_init(struct sm_test_host *host);
void sm_test_host_finish(struct sm_test_host *host);

/**
 * Initialises `host` with a new server that is to listen at host->path, in a folder of its own
 * which is there until sm_test_host_finish(). The caller sets the rest, starts and destroys it.
 */
SpiceServer *sm_test_host_server(struct sm_test_host *host);

/** Runs the loop until nothing has happened for `quiet_ms`. */
void sm_test_host_run(struct sm_test_host *host, int quiet_ms);

#endif
