/* SPDX-License-Identifier: MIT */
/* What playback_channel.c, record_channel.c and sound.c share. */
#ifndef SM_CLIENT_SOUND_CHANNELS_H
#define SM_CLIENT_SOUND_CHANNELS_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/channel_thread.h"
#include "core/wire/types.h"
#include "media/sound.h"
#include "sumac/sound.h"

/** What the program wants; of the session. Thread: any. */
struct sm_sound_settings {
    enum sm_sound_use playback, recording; /* written before connecting only */
    const struct sm_sound_ops *ops;        /* likewise; NULL: what is installed. For tests. */
    atomic_bool is_playback_muted, is_recording_muted;
    atomic_uint playback_level;
};

/** The desktop's stream of a channel. Of the channel's thread, but for is_lost. */
struct sm_desk_stream {
    const struct sm_sound_ops *ops; /* NULL: closed */
    struct sm_sound_stream *stream; /* owned */
    struct sm_sound_format format;
    bool is_active;
    bool has_complained;
    atomic_bool is_lost; /* the sound server has gone */
};

/**
 * Opens a stream at the best sound server there is, unless one of that format is open already.
 *
 * @param config  what to open: run, lost and opaque
 * @return NULL if it is open; else why not, for people, in `why`
 */
bool sm_desk_stream_open(struct sm_desk_stream *desk, struct sm_client_channel *channel,
                         const struct sm_sound_stream_config *config, char *why, size_t why_size);

void sm_desk_stream_set_active(struct sm_desk_stream *desk, bool is_active);
void sm_desk_stream_close(struct sm_desk_stream *desk);

/** How much the amplitude of level `level` is. */
float sm_sound_gain(uint16_t level);

/** Sets levels as a message told; what is too much is cut. */
void sm_sound_take_levels(struct sm_sound_info *info, const uint16_t *levels, uint32_t count);

/* playback_channel.c; any thread. */
void sm_playback_channel_info(struct sm_client_channel *channel, struct sm_sound_info *info);
uint32_t sm_playback_channel_take(struct sm_client_channel *channel, struct sm_sound_format *format,
                                  int16_t *samples, uint32_t room);
/** What is set for playback has changed. */
void sm_playback_channel_adjust(struct sm_client_channel *channel);

/* record_channel.c; any thread. */
void sm_record_channel_info(struct sm_client_channel *channel, struct sm_sound_info *info);
enum sm_status sm_record_channel_give(struct sm_client_channel *channel,
                                      const struct sm_sound_format *format, const int16_t *samples,
                                      uint32_t frames);
/** What is set for recording has changed. */
void sm_record_channel_adjust(struct sm_client_channel *channel);

#endif
