/* SPDX-License-Identifier: MIT */
/* Which encoders there are: Motion JPEG always, others if their module can be loaded. */
#ifndef SM_SERVER_DISPLAY_VIDEO_ENCODERS_H
#define SM_SERVER_DISPLAY_VIDEO_ENCODERS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/video.h"

struct sm_log;
struct sm_video_module;

/** Zeroed but for `log`, nothing was loaded yet. Thread: one at a time. */
struct sm_video_encoders {
    const struct sm_log *log; /* borrowed, may be NULL */
    bool has_looked;
    const struct sm_video_module *module; /* NULL: there is none */
    void *card;                           /* owned: of the module, for all encoders; may be NULL */
};

/** The encoder for a wire `video_codec`; NULL if there is none. Loads the module if it must. */
const struct sm_video_encoder_ops *sm_video_encoder_find(struct sm_video_encoders *encoders,
                                                         uint8_t codec);

/** When nobody makes encoders any more. */
void sm_video_encoders_finish(struct sm_video_encoders *encoders);

#endif
