/* SPDX-License-Identifier: MIT */
/*
 * Work that may have to wait for others (a key server, a password daemon), done on threads of its
 * own: the host's loop, and with it the guest and everybody else, goes on meanwhile.
 */
#ifndef SM_SERVER_SESSION_ERRANDS_H
#define SM_SERVER_SESSION_ERRANDS_H

#include <stdbool.h>

#include "core/base/list.h"
#include "server/session/main_queue.h"
#include "sumac/status.h"

struct sm_errands;

/** Part of a larger object on the heap. Set the functions and zero the rest. */
struct sm_errand {
    /** The work. Called on any thread but the main one, and by one at a time. */
    void (*run)(struct sm_errand *errand);
    /** It is done. Called on the main thread once for each sending; may send it again. */
    void (*done)(struct sm_errand *errand);
    /** After sm_errand_drop(): frees the object. Called once, on any thread, as the last thing. */
    void (*free)(struct sm_errand *errand);

    /* private, guarded by the errands' lock */
    struct sm_errands *errands;
    int state;
    bool is_dropped;
    struct sm_list link;
    struct sm_main_task task;
};

/**
 * @param out          receives the object, untouched on failure
 * @param queue        how the main thread is told; must outlive all that is not dropped
 * @param max_threads  how many errands run at a time; the others wait in their order
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_errands_create(struct sm_errands **out, struct sm_main_queue *queue,
                                              unsigned max_threads);

/**
 * Every errand was dropped: the object goes when the last thread has come home, which nobody waits
 * for. NULL does nothing.
 */
void sm_errands_destroy(struct sm_errands *errands);

/**
 * Sends an errand that is at home. Thread: main context; returns at once.
 *
 * @return SM_OK; SM_ERR_NOMEM if there is no thread for it, and then done() is not called
 */
SM_NODISCARD enum sm_status sm_errands_send(struct sm_errands *errands, struct sm_errand *errand);

/** Wants no answer any more, whatever the errand does now. Thread: main context; never waits. */
void sm_errand_drop(struct sm_errand *errand);

#endif
