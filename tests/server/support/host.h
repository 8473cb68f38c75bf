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
};

void sm_test_host_init(struct sm_test_host *host);
void sm_test_host_finish(struct sm_test_host *host);

/** Runs the loop until nothing has happened for `quiet_ms`. */
void sm_test_host_run(struct sm_test_host *host, int quiet_ms);

#endif
