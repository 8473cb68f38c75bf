/* SPDX-License-Identifier: MIT */
/* Our own event loop, on epoll. One thread runs it; any thread may post to it or stop it. */
#ifndef SM_IO_EPOLL_LOOP_H
#define SM_IO_EPOLL_LOOP_H

#include <stdint.h>

#include "io/loop.h"

/** Thread: the running one, except where said. */
struct sm_epoll_loop;

/** @return SM_OK, SM_ERR_NOMEM, or SM_ERR_IO if the kernel gave no descriptors */
SM_NODISCARD enum sm_status sm_epoll_loop_create(struct sm_epoll_loop **out);

/**
 * Destroys the loop with whatever watches and timers are left; posted work that did not run is
 * dropped. Not from inside a callback. NULL does nothing.
 */
void sm_epoll_loop_destroy(struct sm_epoll_loop *loop);

/** The loop as everybody else sees it; valid as long as `loop`. */
struct sm_loop sm_epoll_loop_base(struct sm_epoll_loop *loop);

/**
 * Waits until something happens, at most `timeout_ms` (−1: for ever), and handles all of it.
 *
 * @return the number of callbacks made; 0 after a timeout, an interruption or sm_epoll_loop_stop()
 */
unsigned sm_epoll_loop_run_once(struct sm_epoll_loop *loop, int timeout_ms);

/** Handles events until sm_epoll_loop_stop(); a stop that came earlier counts. */
void sm_epoll_loop_run(struct sm_epoll_loop *loop);

/** Makes sm_epoll_loop_run() return after the callback in progress. Any thread. */
void sm_epoll_loop_stop(struct sm_epoll_loop *loop);

/**
 * Has `func(opaque)` called on the loop's thread, in the order of posting. Any thread.
 *
 * @return SM_OK or SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_epoll_loop_post(struct sm_epoll_loop *loop,
                                               void (*func)(void *opaque), void *opaque);

#endif
