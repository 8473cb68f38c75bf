/* SPDX-License-Identifier: MIT */
/* Sound: frames of two signed 16-bit samples, left in the low half of a uint32_t. */
#ifndef SM_SPICE_SERVER_AUDIO_H
#define SM_SPICE_SERVER_AUDIO_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

enum {
    SPICE_INTERFACE_AUDIO_FMT_S16 = 1,
};

#define SPICE_INTERFACE_PLAYBACK       "playback"
#define SPICE_INTERFACE_PLAYBACK_MAJOR 1
#define SPICE_INTERFACE_PLAYBACK_MINOR 3
#define SPICE_INTERFACE_PLAYBACK_FREQ  44100 /* historic: ask for the best rate instead */
#define SPICE_INTERFACE_PLAYBACK_CHAN  2
#define SPICE_INTERFACE_PLAYBACK_FMT   SPICE_INTERFACE_AUDIO_FMT_S16

typedef struct SpicePlaybackInterface SpicePlaybackInterface;
typedef struct SpicePlaybackInstance SpicePlaybackInstance;
typedef struct SpicePlaybackState SpicePlaybackState;

struct SpicePlaybackInterface {
    SpiceBaseInterface base; /* no callbacks */
};

struct SpicePlaybackInstance {
    SpiceBaseInstance base;
    SpicePlaybackState *st; /* the library's */
};

void spice_server_playback_start(SpicePlaybackInstance *sin);
void spice_server_playback_stop(SpicePlaybackInstance *sin);
/** A buffer to fill and its frames; NULL and 0 while nobody listens. */
void spice_server_playback_get_buffer(SpicePlaybackInstance *sin, uint32_t **samples,
                                      uint32_t *num_samples);
void spice_server_playback_put_samples(SpicePlaybackInstance *sin, uint32_t *samples);
void spice_server_playback_set_volume(SpicePlaybackInstance *sin, uint8_t nchannels,
                                      uint16_t *volume);
void spice_server_playback_set_mute(SpicePlaybackInstance *sin, uint8_t mute);
uint32_t spice_server_get_best_playback_rate(SpicePlaybackInstance *sin); /* Hz */
void spice_server_set_playback_rate(SpicePlaybackInstance *sin, uint32_t frequency);

#define SPICE_INTERFACE_RECORD       "record"
#define SPICE_INTERFACE_RECORD_MAJOR 2
#define SPICE_INTERFACE_RECORD_MINOR 3
#define SPICE_INTERFACE_RECORD_FREQ  44100 /* historic, as above */
#define SPICE_INTERFACE_RECORD_CHAN  2
#define SPICE_INTERFACE_RECORD_FMT   SPICE_INTERFACE_AUDIO_FMT_S16

typedef struct SpiceRecordInterface SpiceRecordInterface;
typedef struct SpiceRecordInstance SpiceRecordInstance;
typedef struct SpiceRecordState SpiceRecordState;

struct SpiceRecordInterface {
    SpiceBaseInterface base; /* no callbacks */
};

struct SpiceRecordInstance {
    SpiceBaseInstance base;
    SpiceRecordState *st; /* the library's */
};

void spice_server_record_start(SpiceRecordInstance *sin);
void spice_server_record_stop(SpiceRecordInstance *sin);
/** Takes up to `bufsize` frames of what the client recorded; returns how many. */
uint32_t spice_server_record_get_samples(SpiceRecordInstance *sin, uint32_t *samples,
                                         uint32_t bufsize);
void spice_server_record_set_volume(SpiceRecordInstance *sin, uint8_t nchannels, uint16_t *volume);
void spice_server_record_set_mute(SpiceRecordInstance *sin, uint8_t mute);
uint32_t spice_server_get_best_record_rate(SpiceRecordInstance *sin); /* Hz */
void spice_server_set_record_rate(SpiceRecordInstance *sin, uint32_t frequency);

SPICE_END_DECLS

#endif
