/* SPDX-License-Identifier: MIT */
/*
 * Couples a transport with a machine (core/channel/machine.h) on a loop: what arrives is fed, what
 * is pending is written, the deadline is kept.
 */
#ifndef SM_IO_PUMP_H
#define SM_IO_PUMP_H

#include <stdbool.h>

#include "core/channel/machine.h"
#include "io/loop.h"
#include "io/transport.h"

/** Thread: that of the loop. */
struct sm_pump;

/** What the owner is told. Inside both functions it may do anything, sm_pump_destroy() included. */
struct sm_pump_callbacks {
    /**
     * The machine was fed, ticked, or has sent all it had: pull its events and send answers; they
     * are written on return.
     */
    void (*on_activity)(void *opaque);
    /**
     * The connection is over: SM_ERR_IO (the transport ended or failed), or the machine's failure,
     * whose pending bytes were still offered to the peer. Called once; destroy the pump now or
     * later.
     */
    void (*on_closed)(void *opaque, enum sm_status status, const char *reason);
};

/**
 * Starts pumping at once (from the loop, never from inside this call).
 *
 * @param transport  taken on SM_OK, else still the caller's
 * @param machine    its object stays the caller's and must outlive the pump or be replaced
 * @param received   bytes that arrived before, such as those behind a link phase; copied
 */
SM_NODISCARD enum sm_status sm_pump_create(struct sm_pump **out, struct sm_loop loop,
                                           struct sm_transport *transport,
                                           struct sm_machine machine, struct sm_bytes received,
                                           const struct sm_pump_callbacks *callbacks, void *opaque);

/** Ends the connection and frees everything but the machine. NULL does nothing. */
void sm_pump_destroy(struct sm_pump *pump);

/** From now on drives `machine`; bytes the former one left are fed to it. */
void sm_pump_set_machine(struct sm_pump *pump, struct sm_machine machine);

/** To be called after the owner sent something, or pulled events, outside of on_activity. */
void sm_pump_kick(struct sm_pump *pump);

/** Whether the socket has taken everything, also what filters hold back; if not, on_activity is
 * called when it has. */
bool sm_pump_is_drained(const struct sm_pump *pump);

/** Stops (or goes on) reading from the peer: back pressure. Writing is not affected. */
void sm_pump_set_reading(struct sm_pump *pump, bool is_reading);

/**
 * Takes transport and bytes that were read but not fed out of the pump and frees it, for another
 * thread to go on.
 *
 * @param received       receives a heap copy owned by the caller; NULL if there are none
 * @param received_size  receives its size
 * @return the transport, owned by the caller
 */
struct sm_transport *sm_pump_detach(struct sm_pump *pump, uint8_t **received,
                                    size_t *received_size);

/** Bytes that were read and not fed yet; borrowed until the next call. */
struct sm_bytes sm_pump_unfed(const struct sm_pump *pump);

/**
 * Goes on with `top`, a filter that has just been put on top of the pump's transport and knows what
 * sm_pump_unfed() gave: that is forgotten here. To be called when nothing is pending.
 */
void sm_pump_raise(struct sm_pump *pump, struct sm_transport *top);

/** The transport, borrowed. */
struct sm_transport *sm_pump_transport(struct sm_pump *pump);

#endif
