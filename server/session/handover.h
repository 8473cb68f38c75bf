/* SPDX-License-Identifier: MIT */
/* A connection that finished its link phase, on its way to the channel that serves it. */
#ifndef SM_SERVER_SESSION_HANDOVER_H
#define SM_SERVER_SESSION_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/channel/channel.h"
#include "io/pump.h"

struct sm_figures;
struct sm_transport;

/** When images are made smaller for slow lines; values of the host's API. */
enum sm_wan_compression {
    SM_WAN_AUTO = 1, /* while the line is slow */
    SM_WAN_ALWAYS = 2,
    SM_WAN_NEVER = 3,
};

enum {
    /** How far the clocks that clients are given lag behind ours, so that frames can travel. */
    SM_MM_LATENCY_MS = 400,
};

/**
 * Everything a channel needs to know about its new client. Whoever is given one owns it and ends
 * it with sm_channel_handover_destroy(), on whatever thread serves the channel by then.
 */
struct sm_channel_handover {
    struct sm_transport *transport; /* owned; non-blocking; no watch on its descriptor is left */
    uint8_t *leftover;              /* owned, malloc: came behind the link phase, feed it first */
    size_t leftover_size;           /* bytes */
    uint8_t *leading;               /* owned, malloc: the unsent end of the link phase */
    size_t leading_size;            /* bytes; struct sm_channel_config wants them as `leading` */
    uint32_t connection_id;         /* names the client session on this server; never 0 */
    uint8_t channel_type, channel_id;
    uint32_t common_caps;  /* the client's first word; every bit with a meaning is in it */
    uint32_t channel_caps; /* likewise */
    bool has_mini_header;  /* both sides can: 6-byte headers */
    bool is_unix;          /* a local socket: no bandwidth limits, descriptors can be passed */
    bool is_secure;        /* TLS */
    bool is_view_only;     /* main: who comes may see and hear, no more */
    char user[64];         /* main: as SASL says, cut; "": nobody knows */
    bool is_low_bandwidth; /* the network test of the session's main channel said so */
    uint64_t line_rtt_us, line_bytes_per_second; /* what it found; 0: nothing */
    enum sm_wan_compression jpeg, zlib_glz;      /* the host's settings */
    struct sm_figures *figures;                  /* a reference; NULL: nobody counts */
    bool is_migrated; /* it comes from another server, and goes on as it was there */

    /* Tells the session that the connection is gone. Any thread; called by _destroy, once. */
    void (*closed)(void *opaque);
    /* Tells the session that the data of a migrated channel are here. Any thread. */
    void (*resumed)(void *opaque);
    void *opaque;
};

/**
 * Closes the transport if `handover` still has one, frees the rest and tells the session, which
 * may then count the client as gone. NULL does nothing.
 */
void sm_channel_handover_destroy(struct sm_channel_handover *handover);

/** Writes `leading` out; false if the socket does not take it all. */
bool sm_channel_handover_flush(struct sm_channel_handover *handover);

/** The channel has what the other server handed on. Thread: the channel's. */
void sm_channel_handover_resumed(const struct sm_channel_handover *handover);

/** What the machine of the channel wants to know; borrows from `handover`. */
struct sm_channel_setup sm_channel_handover_setup(const struct sm_channel_handover *handover);

/**
 * Starts pumping between the client and its channel's machine, beginning with what came behind the
 * link phase.
 *
 * @param out  receives the pump, which takes the transport on SM_OK
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_channel_handover_pump(struct sm_channel_handover *handover,
                                                     struct sm_pump **out, struct sm_loop loop,
                                                     struct sm_machine machine,
                                                     const struct sm_pump_callbacks *callbacks,
                                                     void *opaque);

#endif
