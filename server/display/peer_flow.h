/* SPDX-License-Identifier: MIT */
/*
 * The brake of one client's connection: how much more may be made for it now, and what is known of
 * its line. The sender asks before anything is encoded, so whatever is decided here decides how old
 * pixels are when they arrive. Source: docs/display.md, "Flow".
 */
#ifndef SM_SERVER_DISPLAY_PEER_FLOW_H
#define SM_SERVER_DISPLAY_PEER_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_channel;
struct sm_tcp_figures;

enum {
    /**
     * So much may wait to be written; the kernel is told to hold about as much that is not on its
     * way, so what is made now is late by the line's own round trip and little more.
     */
    SM_PEER_LOW_WATER_BYTES = 64 << 10,
};

/** Thread: the worker's. */
struct sm_peer_flow {
    struct sm_channel *channel;   /* borrowed: unsent bytes, and the line that it measures */
    uint64_t made_px, made_bytes; /* lately: how many bytes a pixel becomes */
    bool is_slow;                 /* see sm_peer_flow_is_slow() */
    int socket;                   /* borrowed: the kernel is asked about it; −1: none */
    bool is_socket_full; /* it was, when last asked: nobody says when there is room again */
};

/** @param is_slow  what is taken for true as long as nothing is known */
void sm_peer_flow_init(struct sm_peer_flow *flow, struct sm_channel *channel, bool is_slow);

/** The socket below the connection, borrowed; for clients that answer no marks. */
void sm_peer_flow_set_socket(struct sm_peer_flow *flow, int fd);

/** Bytes that may be given to a socket with these figures: what its line holds and 25 ms more, less
 * what is on its way or waits for that. The brake when the client itself says nothing. */
size_t sm_peer_flow_socket_room(const struct sm_tcp_figures *figures);

/**
 * Bytes that may be made for the line now, as they will be on the wire; 0: wait until something has
 * left or arrived. What is made may be larger: nobody knows before.
 *
 * @param made_bytes  are ready, or being made, and not yet given to the connection
 */
size_t sm_peer_flow_room(struct sm_peer_flow *flow, size_t made_bytes, uint64_t now_us);

/** There was room and nothing to send. */
void sm_peer_flow_starved(struct sm_peer_flow *flow);

/** The images of a message, `pixels` in all, became `bytes` of data. */
void sm_peer_flow_note(struct sm_peer_flow *flow, uint64_t pixels, uint64_t bytes);

/** What the line carries, in bytes per second; 0: not known, to be taken for fast. */
uint64_t sm_peer_flow_rate(const struct sm_peer_flow *flow);

/** Whether the line is so slow that it pays to spend time and exactness on bytes: about 10 Mbit/s,
 * judged whenever it is asked, by what was measured for eight round trips. */
bool sm_peer_flow_is_slow(struct sm_peer_flow *flow);

/** Pixels of a piece of the backlog: what is encoded and sent in a few tens of milliseconds. */
uint32_t sm_peer_flow_piece_px(const struct sm_peer_flow *flow);

/** Whether an image of so many pixels would hold up all behind it for longer than a few pieces. */
bool sm_peer_flow_is_too_large(const struct sm_peer_flow *flow, uint64_t pixels);

#endif
