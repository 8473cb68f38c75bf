/* SPDX-License-Identifier: MIT */
/*
 * A client of a worker for tests: a display or cursor channel over a socket pair, played by the
 * client machines, with a canvas that draws what comes.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_WATCHER_H
#define SM_TESTS_SERVER_SUPPORT_WATCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/channel/canvas/canvas.h"
#include "core/channel/cursor/client.h"
#include "core/channel/display/client.h"
#include "io/epoll_loop.h"
#include "io/pump.h"
#include "server/display/worker.h"
#include "server/session/handover.h"
#include "tests/server/support/cinema.h"

enum { TEST_WATCHER_MAX_TYPES = 8192 };

struct sm_test_watcher_options {
    uint32_t connection_id;
    uint32_t channel_caps;
    bool is_unix;
    bool is_silent; /* never sends INIT, reads nothing: only the socket is there */
    int32_t glz_px; /* of its dictionary; 0: none */
    enum sm_wan_compression jpeg, zlib_glz; /* the host's settings; 0: never */
    bool is_low_bandwidth;                  /* the network test said so */
};

struct sm_test_watcher {
    struct sm_epoll_loop *loop;
    struct sm_display_client *display; /* one of these two */
    struct sm_cursor_client *cursor;
    struct sm_pump *pump;
    struct sm_canvas *canvas;
    struct sm_glz_window *window; /* with a dictionary */
    struct sm_test_cinema cinema;
    int socket;                             /* of a silent one */
    uint16_t types[TEST_WATCHER_MAX_TYPES]; /* of the messages that came, in order */
    uint32_t count;
    uint32_t image_types[256]; /* how many images of each type came as sources of DRAW_COPY */
    struct sm_msg_display_monitors_config monitors; /* the last one, without its heads */
    struct sm_head first_head;
    struct sm_msg_display_surface_create created; /* the last one */
    struct sm_rect last_box;                      /* of the last DRAW_COPY */
    bool is_closed;
    _Atomic bool handover_closed; /* the server told its session */
};

extern const struct sm_test_watcher_options sm_test_watcher_default;

void sm_test_watch_display(struct sm_test_watcher *watcher, struct sm_worker *worker,
                           const struct sm_test_watcher_options *options);
void sm_test_watch_cursor(struct sm_test_watcher *watcher, struct sm_worker *worker,
                          const struct sm_test_watcher_options *options);
void sm_test_watcher_finish(struct sm_test_watcher *watcher);

/** Runs until a message of `type` has come `times` times in all, at most five seconds. */
void sm_test_watcher_await(struct sm_test_watcher *watcher, uint16_t type, uint32_t times);

/** Runs until the server has closed the connection, at most five seconds. */
void sm_test_watcher_await_close(struct sm_test_watcher *watcher);

/** Runs for a while, whatever comes. */
void sm_test_watcher_run(struct sm_test_watcher *watcher, unsigned ms);

/** How many messages of `type` have come. */
uint32_t sm_test_watcher_count(const struct sm_test_watcher *watcher, uint16_t type);

/** Where the first message of `type` stands; UINT32_MAX if none came. */
uint32_t sm_test_watcher_index(const struct sm_test_watcher *watcher, uint16_t type);

/** Runs until the canvas's surface shows these pixels, at most five seconds; rows as below. */
void sm_test_watcher_await_pixels(struct sm_test_watcher *watcher, uint32_t surface_id,
                                  const uint8_t *expected);

/** Fails unless the canvas's surface shows the same pixels as rows of 4 × width bytes. */
void sm_test_watcher_check_pixels(struct sm_test_watcher *watcher, uint32_t surface_id,
                                  const uint8_t *expected);

#endif
