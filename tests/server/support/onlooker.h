/* SPDX-License-Identifier: MIT */
/* A client of a server in our own process that draws all it is told, and fails the test if what it
 * is told is malformed. */
#ifndef SM_TESTS_SERVER_SUPPORT_ONLOOKER_H
#define SM_TESTS_SERVER_SUPPORT_ONLOOKER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/epoll_loop.h"

/** A channel; zero-initialised it is not connected. */
struct sm_test_onlooker {
    uint64_t seed;                     /* for the words of a failure */
    struct sm_display_client *display; /* owned; NULL for a cursor channel */
    struct sm_cursor_client *cursor;   /* owned; NULL for a display channel */
    struct sm_pump *pump;              /* owned */
    struct sm_canvas *canvas;          /* owned: what the display shows; or NULL */
    uint32_t messages;                 /* taken so far */
    bool is_closed;                    /* by the server */
};

/** Takes `fd`, where a link for a display channel has been made; `loop` is borrowed until the end.
 */
void sm_test_onlooker_start_display(struct sm_test_onlooker *onlooker, struct sm_epoll_loop *loop,
                                    int fd, uint64_t seed);

/** The same for a cursor channel. */
void sm_test_onlooker_start_cursor(struct sm_test_onlooker *onlooker, struct sm_epoll_loop *loop,
                                   int fd, uint64_t seed);

/** Frees what it has. */
void sm_test_onlooker_finish(struct sm_test_onlooker *onlooker);

#endif
