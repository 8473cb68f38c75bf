/* SPDX-License-Identifier: MIT */
#include "io/pump.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/math.h"
#include "io/clock.h"

enum {
    BUFFER_SIZE = 64 * 1024,
    READS_A_TURN = 16, /* then other connections of the loop have theirs */
    TURN_US = 1000,    /* likewise: many small messages take longer than few large ones */
    FED_AT_ONCE = 8 * 1024,
    LAST_WORDS = 32 * 1024 * 1024, /* of a peer that takes nothing: more than kernels hold */
    WRITES_A_TURN = 16,
};

struct sm_pump {
    struct sm_loop loop;
    struct sm_transport *transport; /* owned */
    struct sm_machine machine;      /* borrowed */
    struct sm_pump_callbacks callbacks;
    void *opaque;
    struct sm_watch *watch;
    struct sm_timer *deadline_timer; /* the machine's deadline */
    struct sm_timer *soon_timer;     /* a turn that the descriptor will not announce */
    uint8_t *buffer;                 /* owned: bytes read, not yet taken by the machine */
    size_t buffer_start, buffer_end, buffer_size;
    uint64_t armed_us; /* deadline the timer runs for */
    unsigned nesting;  /* callbacks below us on the stack */
    bool is_reading;
    bool is_soon;
    bool is_mute;      /* writing has failed: what has arrived is still taken, then it is over */
    size_t last_words; /* bytes taken since then */
    bool has_emptied;  /* all that was pending has left, and the owner was not told yet */
    bool holds_back;   /* filters of the transport have bytes that the socket did not take */
    bool is_closed;    /* on_closed was called */
    bool is_destroyed; /* by a callback; freed when the stack has unwound */
    char mute_reason[sizeof(((struct sm_transport *)0)->reason)];
};

static void turn(struct sm_pump *pump);

static void free_pump(struct sm_pump *pump)
{
    sm_loop_watch_remove(pump->loop, pump->watch);
    sm_loop_timer_remove(pump->loop, pump->deadline_timer);
    sm_loop_timer_remove(pump->loop, pump->soon_timer);
    sm_transport_destroy(pump->transport);
    free(pump->buffer);
    free(pump);
}

/* Every entry from the loop is bracketed by these two; leave() may free the pump. */
static void enter(struct sm_pump *pump)
{
    pump->nesting++;
}

static void leave(struct sm_pump *pump)
{
    if (--pump->nesting == 0 && pump->is_destroyed)
        free_pump(pump);
}

static void be_soon(struct sm_pump *pump)
{
    if (pump->is_soon || pump->is_closed)
        return;
    pump->is_soon = true;
    sm_loop_timer_start(pump->loop, pump->soon_timer, 0);
}

static bool is_over(const struct sm_pump *pump)
{
    return pump->is_closed || pump->is_destroyed;
}

static void close_with(struct sm_pump *pump, enum sm_status status, const char *reason)
{
    if (is_over(pump))
        return;
    pump->is_closed = true;
    sm_loop_watch_update(pump->loop, pump->watch, 0);
    sm_loop_timer_cancel(pump->loop, pump->deadline_timer);
    sm_loop_timer_cancel(pump->loop, pump->soon_timer);
    pump->callbacks.on_closed(pump->opaque, status, reason);
}

/*
 * The peer takes no more. It may have gone with its last words sent, and those count: the end comes
 * when they were read.
 */
static void fall_silent(struct sm_pump *pump)
{
    pump->is_mute = true;
    pump->has_emptied = false;
    memcpy(pump->mute_reason, sm_transport_reason(pump->transport),
           strnlen(sm_transport_reason(pump->transport), sizeof(pump->mute_reason) - 1));
    be_soon(pump);
}

/* SM_OK, also if the line takes no more for now; SM_ERR_IO. */
static enum sm_status write_pending(struct sm_pump *pump)
{
    for (;;) {
        struct sm_bytes pending = pump->machine.ops->pending(pump->machine.self);
        if (pending.size == 0)
            break;
        size_t put = 0;
        enum sm_status status = sm_transport_write(pump->transport, pending, &put);
        if (status != SM_OK)
            return status == SM_AGAIN ? SM_OK : SM_ERR_IO;
        pump->machine.ops->sent(pump->machine.self, put, sm_now_us());
        pump->has_emptied = pump->machine.ops->pending(pump->machine.self).size == 0;
    }
    enum sm_status status = sm_transport_flush(pump->transport);
    if (pump->holds_back && status == SM_OK)
        pump->has_emptied = true; /* only now */
    pump->holds_back = status == SM_AGAIN;
    return status == SM_ERR_IO ? SM_ERR_IO : SM_OK;
}

static void flush(struct sm_pump *pump)
{
    if (!pump->is_mute && write_pending(pump) == SM_ERR_IO)
        fall_silent(pump);
}

/* The machine gave up: its last words go out if the line takes them now. */
static void fail(struct sm_pump *pump, enum sm_status status)
{
    const char *reason = pump->machine.ops->reason(pump->machine.self);
    flush(pump);
    close_with(pump, status, reason);
}

/*
 * Feeds buffered bytes as long as the machine takes some and our turn is not over; false if the
 * connection is.
 */
static bool feed(struct sm_pump *pump, uint64_t turn_ends_us)
{
    while (pump->buffer_start < pump->buffer_end) {
        if (sm_now_us() >= turn_ends_us) {
            be_soon(pump);
            break;
        }
        struct sm_bytes in = {.data = pump->buffer + pump->buffer_start,
                              .size =
                                  sm_min_size(pump->buffer_end - pump->buffer_start, FED_AT_ONCE)};
        size_t taken = 0;
        enum sm_status status =
            pump->machine.ops->receive(pump->machine.self, in, sm_now_us(), &taken);
        pump->buffer_start += taken < in.size ? taken : in.size;
        if (status < 0) {
            pump->callbacks.on_activity(pump->opaque); /* events before the fault still count */
            if (!is_over(pump))
                fail(pump, status);
            return false;
        }
        const void *fed = pump->machine.self;
        pump->callbacks.on_activity(pump->opaque);
        if (is_over(pump))
            return false;
        if (taken == 0 && pump->machine.self == fed)
            break; /* it waits for its owner */
    }
    if (pump->buffer_start == pump->buffer_end)
        pump->buffer_start = pump->buffer_end = 0;
    return true;
}

static bool make_room(struct sm_pump *pump)
{
    if (pump->buffer_start > 0) {
        memmove(pump->buffer, pump->buffer + pump->buffer_start,
                pump->buffer_end - pump->buffer_start);
        pump->buffer_end -= pump->buffer_start;
        pump->buffer_start = 0;
    }
    return pump->buffer_end < pump->buffer_size;
}

/* Reads and feeds until nothing comes, the machine is full, or our turn is over. */
static bool take_in(struct sm_pump *pump)
{
    uint64_t ends_us = sm_now_us() + TURN_US;
    if (!feed(pump, ends_us))
        return false;
    for (unsigned i = 0; i < READS_A_TURN && sm_now_us() < ends_us; i++) {
        if (!pump->is_reading || !make_room(pump))
            return true;
        size_t got = 0;
        enum sm_status status = sm_transport_read(pump->transport, pump->buffer + pump->buffer_end,
                                                  pump->buffer_size - pump->buffer_end, &got);
        if (status == SM_AGAIN)
            return true;
        if (status != SM_OK) {
            close_with(pump, SM_ERR_IO, sm_transport_reason(pump->transport));
            return false;
        }
        pump->buffer_end += got;
        if (!feed(pump, ends_us))
            return false;
        if (pump->is_mute && (pump->last_words += got) > LAST_WORDS)
            return true; /* it goes on and on, and hears nothing */
    }
    be_soon(pump);
    return true;
}

static bool keep_deadline(struct sm_pump *pump)
{
    uint64_t now = sm_now_us();
    uint64_t due = pump->machine.ops->deadline(pump->machine.self);
    if (due <= now) {
        enum sm_status status = pump->machine.ops->tick(pump->machine.self, now);
        pump->callbacks.on_activity(pump->opaque);
        if (is_over(pump))
            return false;
        if (status < 0) {
            fail(pump, status);
            return false;
        }
        due = pump->machine.ops->deadline(pump->machine.self);
    }
    if (due == pump->armed_us)
        return true;
    pump->armed_us = due;
    if (due == UINT64_MAX) {
        sm_loop_timer_cancel(pump->loop, pump->deadline_timer);
        return true;
    }
    uint64_t delay_ms = due <= now ? 0 : (due - now + 999) / 1000;
    sm_loop_timer_start(pump->loop, pump->deadline_timer,
                        delay_ms > INT32_MAX ? INT32_MAX : (uint32_t)delay_ms);
    return true;
}

static void watch_for(struct sm_pump *pump)
{
    bool has_room = pump->buffer_end - pump->buffer_start < pump->buffer_size;
    unsigned asked = pump->is_reading && has_room ? SM_IO_READ : 0;
    if (pump->machine.ops->pending(pump->machine.self).size)
        asked |= SM_IO_WRITE;
    sm_loop_watch_update(pump->loop, pump->watch, sm_transport_wants(pump->transport, asked));
}

/*
 * Lets the owner send more each time everything has left, as long as our turn lasts; false if the
 * connection is over.
 */
static bool offer_room(struct sm_pump *pump)
{
    uint64_t ends_us = sm_now_us() + TURN_US;
    for (unsigned i = 0; i < WRITES_A_TURN && pump->has_emptied && sm_now_us() < ends_us; i++) {
        pump->has_emptied = false;
        pump->callbacks.on_activity(pump->opaque);
        if (is_over(pump))
            return false;
        flush(pump);
    }
    return true;
}

/* Takes in, writes, keeps the deadline; false if the connection is over. */
static bool go_round(struct sm_pump *pump)
{
    if (!take_in(pump))
        return false;
    flush(pump);
    if (!offer_room(pump) || !keep_deadline(pump))
        return false;
    flush(pump);
    return true;
}

static void turn(struct sm_pump *pump)
{
    if (is_over(pump))
        return;
    enter(pump);
    if (go_round(pump)) {
        watch_for(pump);
        if (pump->has_emptied)
            be_soon(pump);
        /* All was taken, or its owner takes no more. */
        if (pump->is_mute && (!pump->is_soon || pump->last_words > LAST_WORDS))
            close_with(pump, SM_ERR_IO, pump->mute_reason);
    }
    leave(pump);
}

static void on_events(void *opaque, unsigned events)
{
    (void)events; /* TLS may need either for either; a spurious try is harmless */
    turn(opaque);
}

static void on_deadline(void *opaque)
{
    struct sm_pump *pump = opaque;
    pump->armed_us = 0; /* it has run; whatever comes next is to be armed anew */
    turn(pump);
}

static void on_soon(void *opaque)
{
    struct sm_pump *pump = opaque;
    pump->is_soon = false;
    turn(pump);
}

/* The buffer also holds bytes of a former owner, however many. */
static bool set_up(struct sm_pump *pump, struct sm_bytes received)
{
    pump->buffer_size = received.size > BUFFER_SIZE ? received.size : BUFFER_SIZE;
    pump->buffer = malloc(pump->buffer_size);
    pump->deadline_timer = sm_loop_timer_add(pump->loop, on_deadline, pump);
    pump->soon_timer = sm_loop_timer_add(pump->loop, on_soon, pump);
    pump->watch =
        sm_loop_watch_add(pump->loop, pump->transport->fd,
                          sm_transport_wants(pump->transport, SM_IO_READ), on_events, pump);
    if (!pump->buffer || !pump->deadline_timer || !pump->soon_timer || !pump->watch)
        return false;
    if (received.size)
        memcpy(pump->buffer, received.data, received.size);
    pump->buffer_end = received.size;
    return true;
}

enum sm_status sm_pump_create(struct sm_pump **out, struct sm_loop loop,
                              struct sm_transport *transport, struct sm_machine machine,
                              struct sm_bytes received, const struct sm_pump_callbacks *callbacks,
                              void *opaque)
{
    struct sm_pump *pump = calloc(1, sizeof(*pump));
    if (!pump)
        return SM_ERR_NOMEM;
    *pump = (struct sm_pump){.loop = loop,
                             .transport = transport,
                             .machine = machine,
                             .callbacks = *callbacks,
                             .opaque = opaque,
                             .is_reading = true};
    if (!set_up(pump, received)) {
        pump->transport = NULL; /* still the caller's */
        free_pump(pump);
        return SM_ERR_NOMEM;
    }
    be_soon(pump);
    *out = pump;
    return SM_OK;
}

void sm_pump_destroy(struct sm_pump *pump)
{
    if (!pump || pump->is_destroyed)
        return;
    pump->is_destroyed = true;
    if (pump->nesting == 0)
        free_pump(pump);
}

void sm_pump_set_machine(struct sm_pump *pump, struct sm_machine machine)
{
    pump->machine = machine;
    be_soon(pump);
}

void sm_pump_kick(struct sm_pump *pump)
{
    be_soon(pump);
}

bool sm_pump_is_drained(const struct sm_pump *pump)
{
    return !pump->holds_back && pump->machine.ops->pending(pump->machine.self).size == 0;
}

void sm_pump_set_reading(struct sm_pump *pump, bool is_reading)
{
    pump->is_reading = is_reading;
    be_soon(pump);
}

struct sm_transport *sm_pump_detach(struct sm_pump *pump, uint8_t **received, size_t *received_size)
{
    struct sm_transport *transport = pump->transport;
    make_room(pump);
    *received_size = pump->buffer_end;
    *received = pump->buffer_end ? pump->buffer : NULL;
    if (*received)
        pump->buffer = NULL; /* handed over */
    pump->buffer_end = 0;
    sm_loop_watch_remove(pump->loop, pump->watch); /* before another loop watches it */
    pump->watch = NULL;
    pump->transport = NULL;
    sm_pump_destroy(pump);
    return transport;
}

struct sm_bytes sm_pump_unfed(const struct sm_pump *pump)
{
    return (struct sm_bytes){.data = pump->buffer + pump->buffer_start,
                             .size = pump->buffer_end - pump->buffer_start};
}

void sm_pump_raise(struct sm_pump *pump, struct sm_transport *top)
{
    pump->transport = top;
    pump->buffer_start = pump->buffer_end = 0;
    be_soon(pump);
}

struct sm_transport *sm_pump_transport(struct sm_pump *pump)
{
    return pump->transport;
}
