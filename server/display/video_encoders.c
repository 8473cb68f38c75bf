/* SPDX-License-Identifier: MIT */
#include "server/display/video_encoders.h"

#include <stddef.h>

#include "io/log.h"
#include "media/video_loader.h"

const struct sm_video_encoder_ops *sm_video_encoder_find(struct sm_video_encoders *encoders,
                                                         uint8_t codec)
{
    if (codec == SM_VIDEO_MJPEG)
        return &sm_media_mjpeg;
    if (!encoders->has_looked) {
        encoders->has_looked = true;
        encoders->module = sm_video_module_load();
        if (!encoders->module)
            sm_log_at(encoders->log, SM_LOG_INFO,
                      "no module of video codecs (%s): streams are Motion JPEG",
                      SM_VIDEO_MODULE_FILE);
        else
            encoders->card = encoders->module->open_card();
    }
    return encoders->module ? encoders->module->find_encoder((enum sm_video_kind)codec) : NULL;
}

void sm_video_encoders_finish(struct sm_video_encoders *encoders)
{
    if (encoders->module)
        encoders->module->close_card(encoders->card);
    encoders->card = NULL;
}
