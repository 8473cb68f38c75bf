/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdlib.h>

#include "io/epoll_loop.h"
#include "server/session/errands.h"

enum { THREADS = 2 };

struct fixture {
    struct sm_epoll_loop *loop;
    struct sm_main_queue *queue;
    struct sm_errands *errands;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool gate_is_open;            /* errands wait behind it */
    unsigned inside, most, freed; /* errands that run now, and at once at most */
    unsigned done;
    pthread_t main;
};

struct call {
    struct sm_errand errand; /* first */
    struct fixture *fixture;
    unsigned left; /* times to be sent again */
};

static struct call *call_of(struct sm_errand *errand)
{
    return (struct call *)(void *)errand;
}

/* Waits for the gate, as a mechanism waits for its key server. */
static void run(struct sm_errand *errand)
{
    struct fixture *f = call_of(errand)->fixture;
    assert_false(pthread_equal(pthread_self(), f->main));
    pthread_mutex_lock(&f->lock);
    f->inside++;
    f->most = f->inside > f->most ? f->inside : f->most;
    pthread_cond_broadcast(&f->changed);
    while (!f->gate_is_open)
        pthread_cond_wait(&f->changed, &f->lock);
    f->inside--;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void done(struct sm_errand *errand)
{
    struct call *call = call_of(errand);
    struct fixture *f = call->fixture;
    assert_true(pthread_equal(pthread_self(), f->main));
    f->done++;
    if (call->left-- > 0)
        sm_check_status(sm_errands_send(f->errands, errand), SM_OK);
}

static void free_call(struct sm_errand *errand)
{
    struct fixture *f = call_of(errand)->fixture;
    free(call_of(errand));
    pthread_mutex_lock(&f->lock);
    f->freed++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static struct call *new_call(struct fixture *f)
{
    struct call *call = calloc(1, sizeof(*call));
    assert_non_null(call);
    call->errand = (struct sm_errand){.run = run, .done = done, .free = free_call};
    call->fixture = f;
    return call;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->main = pthread_self();
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    sm_check_status(sm_epoll_loop_create(&f->loop), SM_OK);
    sm_check_status(sm_main_queue_create(&f->queue, sm_epoll_loop_base(f->loop)), SM_OK);
    sm_check_status(sm_errands_create(&f->errands, f->queue, THREADS), SM_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sm_errands_destroy(f->errands);
    sm_main_queue_destroy(f->queue);
    sm_epoll_loop_destroy(f->loop);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static void wait_until(struct fixture *f, const unsigned *number, unsigned value)
{
    pthread_mutex_lock(&f->lock);
    while (*number != value)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static void open_gate(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    f->gate_is_open = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void note(void *opaque)
{
    (*(unsigned *)opaque)++;
}

static void the_loop_goes_on_while_errands_wait(void **state)
{
    struct fixture *f = *state;
    struct call *calls[5];
    for (size_t i = 0; i < 5; i++) {
        calls[i] = new_call(f);
        sm_check_status(sm_errands_send(f->errands, &calls[i]->errand), SM_OK);
    }
    wait_until(f, &f->inside, THREADS);
    unsigned ticks = 0;
    for (unsigned i = 1; i <= 3; i++) {
        sm_check_status(sm_main_queue_post(f->queue, note, &ticks), SM_OK);
        while (ticks < i)
            sm_epoll_loop_run_once(f->loop, 1000);
    }
    assert_int_equal(f->done, 0);
    open_gate(f);
    while (f->done < 5)
        sm_epoll_loop_run_once(f->loop, 1000);
    assert_int_equal(f->most, THREADS);
    for (size_t i = 0; i < 5; i++)
        sm_errand_drop(&calls[i]->errand);
    assert_int_equal(f->freed, 5);
}

static void an_errand_may_be_sent_again(void **state)
{
    struct fixture *f = *state;
    struct call *call = new_call(f);
    call->left = 20;
    open_gate(f);
    sm_check_status(sm_errands_send(f->errands, &call->errand), SM_OK);
    while (f->done < 21)
        sm_epoll_loop_run_once(f->loop, 1000);
    sm_errand_drop(&call->errand);
    assert_int_equal(f->freed, 1);
}

/* Running, waiting for a thread, back but not heard, never sent: in no state does it come back. */
static void who_is_dropped_is_not_heard(void **state)
{
    struct fixture *f = *state;
    struct call *calls[4];
    for (size_t i = 0; i < 4; i++)
        calls[i] = new_call(f);
    for (size_t i = 0; i < 3; i++)
        sm_check_status(sm_errands_send(f->errands, &calls[i]->errand), SM_OK);
    wait_until(f, &f->inside, THREADS);
    sm_errand_drop(&calls[0]->errand); /* runs: its thread frees it later */
    sm_errand_drop(&calls[2]->errand); /* waits */
    sm_errand_drop(&calls[3]->errand); /* is at home */
    wait_until(f, &f->freed, 2);
    open_gate(f);
    wait_until(f, &f->freed, 3);
    wait_until(f, &f->inside, 0);
    sm_errand_drop(&calls[1]->errand); /* has run, or is about to come back */
    wait_until(f, &f->freed, 4);
    sm_main_queue_run(f->queue);
    assert_int_equal(f->done, 0);
}

/* A key server that never answers keeps nobody: the host may end, its thread comes home later. */
static void the_end_waits_for_nobody(void **state)
{
    struct fixture *f = *state;
    struct call *call = new_call(f);
    sm_check_status(sm_errands_send(f->errands, &call->errand), SM_OK);
    wait_until(f, &f->inside, 1);
    sm_errand_drop(&call->errand);
    sm_errands_destroy(f->errands);
    f->errands = NULL;
    sm_main_queue_destroy(f->queue);
    f->queue = NULL;
    assert_int_equal(f->freed, 0);
    open_gate(f);
    wait_until(f, &f->freed, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_loop_goes_on_while_errands_wait),
        T(an_errand_may_be_sent_again),
        T(who_is_dropped_is_not_heard),
        T(the_end_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
