/* SPDX-License-Identifier: MIT */
/* The playback channel: what the guest plays, to everybody who listens. docs/sound.md. */
#ifndef SM_SERVER_DEVICE_PLAYBACK_H
#define SM_SERVER_DEVICE_PLAYBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "server/device/volume.h"
#include "sumac/status.h"

struct sm_server;

/** Thread: main context. */
struct sm_playback;

/**
 * Offers the channel.
 *
 * @param may_compress  Opus, where client and rate allow it
 * @return SM_OK; SM_ERR_STATE if the server has a playback channel already; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_playback_create(struct sm_playback **out, struct sm_server *server,
                                               bool may_compress);

/** Ends the client and the channel. Before the server is destroyed. NULL does nothing. */
void sm_playback_destroy(struct sm_playback *playback);

/** Of what is played from the next start on; a rate that Opus has lets clients ask for it. */
void sm_playback_set_rate(struct sm_playback *playback, uint32_t rate_hz);

/** Takes effect at once. */
void sm_playback_set_compression(struct sm_playback *playback, bool may_compress);

/** The guest starts or stops to play; again is harmless. */
void sm_playback_start(struct sm_playback *playback);
void sm_playback_stop(struct sm_playback *playback);

/**
 * A frame to fill: one stereo frame of two 16-bit samples each 32-bit word.
 *
 * @param count  receives the frame's words; 0 while nobody listens or all buffers are out
 * @return the words, to be given back with sm_playback_put(); NULL with a count of 0
 */
uint32_t *sm_playback_get(struct sm_playback *playback, uint32_t *count);

/** Sends a filled frame, whoever listens by now; anything not given out is ignored. */
void sm_playback_put(struct sm_playback *playback, const uint32_t *frame);

/** Told to clients from now on. */
void sm_playback_set_volume(struct sm_playback *playback, const struct sm_volume *volume);
void sm_playback_set_mute(struct sm_playback *playback, bool is_muted);

#endif
