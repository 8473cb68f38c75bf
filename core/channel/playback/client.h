/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a playback channel: knows what is being played. Frames come as they were
 * sent; decoding is the owner's. Source: docs/sound.md.
 */
#ifndef SM_CORE_CHANNEL_PLAYBACK_CLIENT_H
#define SM_CORE_CHANNEL_PLAYBACK_CLIENT_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/wire/playback.h"

/** Thread: one at a time. */
struct sm_playback_client;

struct sm_playback_client_config {
    struct sm_channel_setup setup;
};

/** What is played now. */
struct sm_playback_view {
    bool is_playing;
    uint16_t mode;              /* enum sm_audio_mode; raw until the server says otherwise */
    uint32_t channels, rate_hz; /* 0 before the first START */
    uint32_t latency_ms;        /* the least to keep behind; 0: as little as possible */
};

/**
 * @param out  receives the machine, untouched on failure; release with
 *             sm_playback_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_playback_client_create(struct sm_playback_client **out,
                          const struct sm_playback_client_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_playback_client_destroy(struct sm_playback_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_playback_client_machine(struct sm_playback_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_playback_client_channel(struct sm_playback_client *client);

/**
 * Pulls the next message, already applied to the view. Frames that come while nothing is played
 * are left out.
 *
 * @param msg  receives the message, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_playback_client_next(struct sm_playback_client *client,
                                                    const struct sm_playback_msg **msg);

struct sm_playback_view sm_playback_client_view(const struct sm_playback_client *client);

#endif
