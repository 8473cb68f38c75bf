/* SPDX-License-Identifier: MIT */
/*
 * A client session for tests that shows several displays: their channels share an image cache and a
 * GLZ window, wait for each other as they are told, and draw. All on the test's thread.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_MEMBER_H
#define SM_TESTS_SERVER_SUPPORT_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/canvas/canvas.h"
#include "core/channel/display/client.h"
#include "io/epoll_loop.h"
#include "io/pump.h"
#include "server/display/worker.h"

enum { TEST_MEMBER_DISPLAYS = 2 };

struct sm_test_member_options {
    uint32_t connection_id;
    int64_t cache_px; /* 0: no image cache */
    int32_t glz_px;   /* 0: no dictionary */
    bool is_lossy;    /* the host wants JPEG */
};

struct sm_test_member;

/** One display channel. */
struct sm_test_member_display {
    struct sm_test_member *member;
    struct sm_display_client *client;
    struct sm_pump *pump;
    struct sm_canvas *canvas;
    struct sm_display_client_event event; /* the one being dealt with */
    bool has_event;
    bool is_closed;
};

struct sm_test_member {
    struct sm_test_member_options options;
    struct sm_epoll_loop *loop;
    struct sm_image_cache *cache;
    struct sm_glz_window *window;
    struct sm_test_member_display displays[TEST_MEMBER_DISPLAYS];
    uint32_t display_count;
    uint32_t image_types[256]; /* sources of copies that came, of each type */
    uint32_t invalidations, waits, palettes_from_cache;
};

void sm_test_member_init(struct sm_test_member *member,
                         const struct sm_test_member_options *options);

/** Connects its next display to a worker, which has that channel id. */
void sm_test_member_join(struct sm_test_member *member, struct sm_worker *worker);

void sm_test_member_finish(struct sm_test_member *member);

/** Deals with what has come; waits up to `ms` for something. */
void sm_test_member_run(struct sm_test_member *member, int ms);

/** Whether surface 0 of a display shows these 32-bit pixels, rows without gaps. */
bool sm_test_member_shows(const struct sm_test_member *member, uint32_t display,
                          const uint8_t *pixels);

#endif
