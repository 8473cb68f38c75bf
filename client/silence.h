/* SPDX-License-Identifier: MIT */
/*
 * Whether the server still answers, while its line stands: a host that is stopped, or so busy that
 * it does nothing else. A server owes an answer when motion has not been acknowledged, and to be
 * heard of at all once it has pinged an idle display, as it does every 15 s.
 * Source: docs/client.md, "A server that says nothing".
 */
#ifndef SM_CLIENT_SILENCE_H
#define SM_CLIENT_SILENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sm_client_channel;
struct sm_session;
struct sm_timer;

/** Part of a session; zero-initialised. */
struct sm_silence {
    /* Of the main channel's thread: */
    struct sm_timer *timer; /* owned; of its loop */
    uint64_t looked_us, heard_us, heard_bytes;
    /* Of the inputs channel's thread: */
    uint32_t acks;
    /* Of any thread: */
    atomic_ullong motion_us; /* since when motion waits to be acknowledged; 0: none does */
    atomic_ullong since_us;  /* since when an answer is owed, and too long; 0: it answers */
};

/** The main channel's thread: the session is up. */
void sm_silence_begin(struct sm_client_channel *main);

/** The main channel's thread: its connection has ended. */
void sm_silence_end(struct sm_client_channel *main);

/**
 * The inputs channel's thread: something was sent or has come.
 *
 * @param is_owed  as much motion as is acknowledged at once is not
 * @param acks     acknowledgements so far; before the first nothing is expected
 */
void sm_silence_note_motion(struct sm_silence *silence, bool is_owed, uint32_t acks,
                            uint64_t now_us);

/**
 * Judges; what the timer does, without a clock.
 *
 * @param received_bytes  on all channels, ever
 * @param is_pinged       the server pings idle channels
 * @return true if `since_us` has become 0 or has been 0
 */
bool sm_silence_look(struct sm_silence *silence, uint64_t received_bytes, bool is_pinged,
                     uint64_t now_us);

/** For how long, in milliseconds, an answer is owed; 0: the server answers. Any thread. */
uint32_t sm_silence_ms(const struct sm_silence *silence, uint64_t now_us);

#endif
