/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a playback channel: what the guest plays goes out in frames. Sound is news
 * only: a frame that the line cannot take now is not queued here. Source: docs/sound.md.
 */
#ifndef SM_CORE_CHANNEL_PLAYBACK_SERVER_H
#define SM_CORE_CHANNEL_PLAYBACK_SERVER_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/wire/playback.h"

/** Thread: one at a time. */
struct sm_playback_server;

struct sm_playback_server_config {
    struct sm_channel_setup setup;
    uint16_t mode;    /* enum sm_audio_mode: of the frames to come; MODE is pending at once */
    uint32_t time_ms; /* mm time, for MODE */
};

/**
 * @param out  receives the machine, untouched on failure; release with
 *             sm_playback_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_playback_server_create(struct sm_playback_server **out,
                          const struct sm_playback_server_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_playback_server_destroy(struct sm_playback_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_playback_server_machine(struct sm_playback_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_playback_server_channel(struct sm_playback_server *server);

/** Takes what the client sent: nothing but base messages. SM_AGAIN, or the channel's failure. */
SM_NODISCARD enum sm_status sm_playback_server_next(struct sm_playback_server *server);

/** Frames from now on are in this mode. SM_OK; SM_ERR_NOMEM; likewise the ones below. */
SM_NODISCARD enum sm_status sm_playback_server_mode(struct sm_playback_server *server,
                                                    uint16_t mode, uint32_t time_ms);

/** The guest starts to play two channels of signed 16-bit samples. */
SM_NODISCARD enum sm_status sm_playback_server_start(struct sm_playback_server *server,
                                                     uint32_t rate_hz, uint32_t time_ms);
SM_NODISCARD enum sm_status sm_playback_server_stop(struct sm_playback_server *server);

/** Volumes of 0 to 65535, one for each of `count` (at most 255) channels, 0 for only whether it is
 *  muted; nothing if the client does not know volumes. */
SM_NODISCARD enum sm_status sm_playback_server_volume(struct sm_playback_server *server,
                                                      const uint16_t *volume, uint8_t count,
                                                      bool is_muted);

/** True if frames wait that the line has not taken: another one would only come late. */
bool sm_playback_server_is_behind(const struct sm_playback_server *server);

/** One frame, encoded as the mode says. */
SM_NODISCARD enum sm_status sm_playback_server_frame(struct sm_playback_server *server,
                                                     struct sm_bytes frame, uint32_t time_ms);

#endif
