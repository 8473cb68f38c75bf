/* SPDX-License-Identifier: MIT */
/*
 * Sound of the desktop, in and out: what a backend offers, and how one is found. A backend is a
 * module of its own, so that nobody who plays nothing loads a sound library. It exports one symbol,
 * a struct sm_sound_module named SM_SOUND_MODULE_SYMBOL.
 */
#ifndef SM_MEDIA_SOUND_H
#define SM_MEDIA_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

#define SM_SOUND_MODULE_SYMBOL "sm_sound_module"

enum {
    SM_SOUND_MODULE_VERSION = 1, /* of all that is declared here; others are not to be used */
    SM_SOUND_PERIOD_MS = 10,     /* what a stream should ask of its device */
};

struct sm_sound_stream_config {
    bool is_input;
    uint32_t rate_hz, channels; /* interleaved signed 16-bit samples, of the machine's byte order */
    const char *name;           /* for the desktop's mixer; borrowed until open() returns */
    /**
     * Output: fills `frames` frames. Input: takes them. On a thread of the backend's that must not
     * be held up: no waiting, no calls of the backend.
     *
     * @param delay_us  from now until the first of them is heard, or since it was recorded
     */
    void (*run)(void *opaque, int16_t *samples, uint32_t frames, uint32_t delay_us);
    /** The sound server is gone: nothing is run any more. The backend's thread, once. */
    void (*lost)(void *opaque);
    void *opaque;
};

/** A stream that plays or records where the desktop says, also when that changes. */
struct sm_sound_stream;

/** A sound server. Thread: one at a time per stream; run() and lost() come from another. */
struct sm_sound_ops {
    const char *name; /* for people */
    /**
     * Makes a stream that is at rest.
     *
     * @param why  receives why not, for people, on failure
     * @return SM_OK; SM_ERR_IO if there is no such server, or it has no device; SM_ERR_NOMEM
     */
    enum sm_status (*open)(struct sm_sound_stream **out,
                           const struct sm_sound_stream_config *config, char *why, size_t why_size);
    /** Begins or rests. */
    void (*set_active)(struct sm_sound_stream *stream, bool is_active);
    /** Ends it: no callback runs any more when this returns. NULL does nothing. */
    void (*destroy)(struct sm_sound_stream *stream);
};

struct sm_sound_module {
    uint32_t version;
    const struct sm_sound_ops *ops;
};

enum { SM_SOUND_BACKENDS_MAX = 2 };

/**
 * The backends that are installed, the preferred first. Loading takes tens of milliseconds the
 * first time. Thread: any.
 *
 * @param out  static, until the process ends
 * @return how many
 */
size_t sm_sound_backends(const struct sm_sound_ops *out[SM_SOUND_BACKENDS_MAX]);

#endif
