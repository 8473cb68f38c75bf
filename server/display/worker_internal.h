/* SPDX-License-Identifier: MIT */
/* What a worker is made of. Private to worker.c and worker_requests.c. */
#ifndef SM_SERVER_DISPLAY_WORKER_INTERNAL_H
#define SM_SERVER_DISPLAY_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/list.h"
#include "io/epoll_loop.h"
#include "server/display/screen.h"
#include "server/display/worker.h"
#include "server/replay/recorder.h"
#include "server/session/main_queue.h"

struct sm_worker_request;

/** Something another thread wants done, on that thread's stack or, if nobody waits, on the heap. */
struct sm_worker_request {
    struct sm_list link;
    void (*run)(struct sm_worker *worker, struct sm_worker_request *request);
    bool is_heap;
    bool is_done;  /* guarded by the worker's lock */
    bool is_async; /* async_complete(cookie) follows */
    uint64_t cookie;
    union {
        struct sm_qxl_memslot memslot;
        struct {
            uint32_t surface_id;
            struct sm_rect area;
            bool clear_dirty;
            struct sm_rect *dirty; /* the caller's; NULL: not asked for */
            uint32_t dirty_count;
        } update;
        struct sm_qxl_primary primary;
        uint32_t surface_id;
        struct {
            const struct sm_qxl_ring_command *commands; /* the caller's */
            uint32_t count;
        } load;
        struct {
            uint64_t address;
            uint32_t group;
        } monitors;
        struct sm_gl_buffer buffer;
        struct sm_gl_area area;
        struct sm_channel_handover *handover;
        uint32_t connection_id;
        int setting;
        struct sm_video_list codecs;
    };
};

struct sm_worker {
    struct sm_worker_config config;
    pthread_t thread;
    bool has_thread;
    struct sm_epoll_loop *loop; /* owned */
    int bell;                   /* owned eventfd: something is to be done */
    struct sm_watch *bell_watch;
    bool is_quitting; /* the worker's thread only */
    bool has_rung;    /* likewise: the bell was heard since the turn began */

    pthread_mutex_t lock; /* guards the next two, and is_done of requests */
    struct sm_list requests;
    pthread_cond_t done;
    _Atomic bool is_woken, is_oom;
    _Atomic bool scanout_exists; /* as the host last said */

    struct sm_screen screen; /* the worker's thread only */

    pthread_mutex_t primary_lock; /* guards the next */
    struct sm_worker_primary primary;
    struct sm_main_task primary_task;
};

/** What a recording calls `request`. */
enum sm_recorded_request sm_worker_recorded_request(const struct sm_worker_request *request);

/** Queues `request` and waits until it was carried out. */
void sm_worker_call(struct sm_worker *worker, struct sm_worker_request *request);

/** Queues a copy of `request`. */
void sm_worker_post(struct sm_worker *worker, const struct sm_worker_request *request);

#endif
