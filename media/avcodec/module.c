/* SPDX-License-Identifier: MIT */
#include <libavutil/log.h>

#include "media/avcodec/codecs.h"
#include "media/avcodec/hardware.h"

extern const struct sm_video_module sm_video_module;

/* The process belongs to somebody else: the library below must not print. */
__attribute__((constructor)) static void be_quiet(void)
{
    av_log_set_level(AV_LOG_QUIET);
}

__attribute__((visibility("default"))) const struct sm_video_module sm_video_module = {
    .version = SM_VIDEO_MODULE_VERSION,
    .find_encoder = sm_avcodec_find_encoder,
    .find_decoder = sm_avcodec_find_decoder,
    .open_card = sm_hardware_open_card,
    .close_card = sm_hardware_close_card,
};
