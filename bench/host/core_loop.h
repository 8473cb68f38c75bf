/* SPDX-License-Identifier: MIT */
/* A hypervisor's event loop as the server library wants it, on ours. */
#ifndef SM_BENCH_HOST_CORE_LOOP_H
#define SM_BENCH_HOST_CORE_LOOP_H

#include "spice-server/spice.h"

#include "io/epoll_loop.h"

/**
 * The interface for spice_server_init(). Its functions carry no context, so one loop a process:
 * `loop`, borrowed until the server is destroyed.
 */
SpiceCoreInterface *sm_bench_core_interface(struct sm_epoll_loop *loop);

#endif
