/* SPDX-License-Identifier: MIT */
/*
 * What the guest plays, and what it records. Off by default. Either the library plays and records
 * on the desktop (PipeWire, else PulseAudio), or the program takes and gives the samples itself:
 *
 *     sm_session_use_sound(session, SM_SOUND_DESKTOP, SM_SOUND_DESKTOP);
 *
 *     sm_session_use_sound(session, SM_SOUND_PROGRAM, SM_SOUND_OFF);
 *     ...
 *     case SM_EVENT_SOUND_DATA:
 *         while ((frames = sm_session_take_sound(session, &format, samples, ROOM)) > 0)
 *             ...;
 *
 * Samples are signed, 16 bits wide, in the machine's byte order and interleaved; a frame is one
 * sample of each channel. Thread: any, for every function.
 */
#ifndef SUMAC_SOUND_H
#define SUMAC_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Who does it. */
enum sm_sound_use {
    SM_SOUND_OFF = 0,     /* nobody: the channel is not opened */
    SM_SOUND_DESKTOP = 1, /* the library, on the desktop's sound server */
    SM_SOUND_PROGRAM = 2, /* the program */
};

/**
 * Who plays what the guest plays, and who records for it; before sm_session_connect(). Opens the
 * channels for it whatever sm_session_set_channels() says, unless they are left out.
 *
 * @return SM_OK; SM_ERR_STATE once sm_session_connect() was called
 */
SM_API SM_NODISCARD enum sm_status sm_session_use_sound(struct sm_session *session,
                                                        enum sm_sound_use playback,
                                                        enum sm_sound_use recording);

enum { SM_SOUND_LEVELS_MAX = 8, SM_SOUND_LEVEL_FULL = 65535 };

struct sm_sound_format {
    uint32_t rate_hz;
    uint32_t channels; /* 1 to 8 */
};

/** How one direction stands. Events: SM_EVENT_SOUND, with the channel's kind. */
struct sm_sound_info {
    bool is_open;                  /* the channel is */
    bool is_running;               /* the guest plays, or records */
    bool is_opus;                  /* compressed on the line */
    struct sm_sound_format format; /* while it runs */

    /* The volume that the guest has set. Levels up to SM_SOUND_LEVEL_FULL; what is heard is their
     * cube. On the desktop the library applies it, for programs it is only told. */
    uint32_t level_count;
    uint16_t levels[SM_SOUND_LEVELS_MAX];
    bool is_guest_muted;

    /* Ours: */
    bool is_muted;        /* sm_session_mute_sound() */
    bool is_capturing;    /* recording: the desktop's microphone is really open */
    const char *server;   /* the desktop's sound server in use, for people; NULL: none. Static */
    char problem[128];    /* why there is none, for people; "" if that was not tried */
    uint64_t frames;      /* that came, or went */
    uint64_t lost_frames; /* that nobody took in time, or that the line did not */
    uint64_t gaps;        /* desktop: times there was nothing to play */
    uint32_t delay_us;    /* desktop: from their arrival until they are heard; now */
};

SM_API void sm_session_get_playback(struct sm_session *session, struct sm_sound_info *info);
SM_API void sm_session_get_recording(struct sm_session *session, struct sm_sound_info *info);

/** Plays nothing, or plays again; also before connecting. Desktop only. */
SM_API void sm_session_mute_playback(struct sm_session *session, bool is_muted);

/** How loud the desktop plays, besides the guest's own volume: 0 to SM_SOUND_LEVEL_FULL, which is
 * the default; likewise cubed. */
SM_API void sm_session_set_playback_level(struct sm_session *session, uint16_t level);

/**
 * Closes the microphone, or opens it again while the guest records; also before connecting. A
 * guest that records meanwhile hears silence. Desktop only.
 */
SM_API void sm_session_mute_recording(struct sm_session *session, bool is_muted);

/**
 * Asks the guest's agent to set the guest's own volume. Needs sm_session_use_agent().
 *
 * @param is_playback  else that of its microphone
 * @param levels       one a channel, 0 to SM_SOUND_LEVEL_FULL; `count` is 1 to SM_SOUND_LEVELS_MAX
 * @return SM_OK: it was sent, or there is no agent that could; SM_ERR_STATE without a session or
 *         the agent's use; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_guest_volume(struct sm_session *session,
                                                               bool is_playback,
                                                               const uint16_t *levels,
                                                               uint32_t count, bool is_muted);

/**
 * SM_SOUND_PROGRAM: takes what the guest has played, at most `room` frames of one format. Two
 * seconds wait at most, then the oldest goes.
 *
 * @param format   receives the format of what was taken; the number of channels is at most
 *                 SM_SOUND_LEVELS_MAX
 * @param samples  has room for `room` × SM_SOUND_LEVELS_MAX samples
 * @return frames taken; 0 if there are none
 */
SM_API uint32_t sm_session_take_sound(struct sm_session *session, struct sm_sound_format *format,
                                      int16_t *samples, uint32_t room);

/**
 * SM_SOUND_PROGRAM: gives the guest `frames` frames to record, as fast as they are to be heard. A
 * second waits at most.
 *
 * @param format  of these samples, as sm_session_get_recording() told it
 * @return SM_OK; SM_ERR_STATE while the guest does not record, or does in another format by now:
 *         they are forgotten; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_give_sound(struct sm_session *session,
                                                         const struct sm_sound_format *format,
                                                         const int16_t *samples, uint32_t frames);

#ifdef __cplusplus
}
#endif

#endif
