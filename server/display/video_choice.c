/* SPDX-License-Identifier: MIT */
#include "server/display/video_choice.h"

#include "core/wire/display.h"

static bool contains(const struct sm_video_list *list, uint8_t codec)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->codecs[i] == codec)
            return true;
    return false;
}

void sm_video_list_add(struct sm_video_list *list, uint8_t codec)
{
    if (list->count < SM_VIDEO_MAX_CODECS && !contains(list, codec))
        list->codecs[list->count++] = codec;
}

/* The capability that says so; −1 for a codec nobody knows. */
static int capability(uint8_t codec)
{
    switch (codec) {
    case SM_VIDEO_CODEC_MJPEG:
        return SM_DISPLAY_CAP_CODEC_MJPEG;
    case SM_VIDEO_CODEC_VP8:
        return SM_DISPLAY_CAP_CODEC_VP8;
    case SM_VIDEO_CODEC_H264:
        return SM_DISPLAY_CAP_CODEC_H264;
    case SM_VIDEO_CODEC_VP9:
        return SM_DISPLAY_CAP_CODEC_VP9;
    case SM_VIDEO_CODEC_H265:
        return SM_DISPLAY_CAP_CODEC_H265;
    case SM_VIDEO_CODEC_AV1:
        return SM_DISPLAY_CAP_CODEC_AV1;
    default:
        return -1;
    }
}

struct sm_video_list sm_video_list_of(struct sm_bytes codecs)
{
    struct sm_video_list list = {.count = 0};
    for (size_t i = 0; i < codecs.size; i++)
        if (capability(codecs.data[i]) >= 0)
            sm_video_list_add(&list, codecs.data[i]);
    return list;
}

bool sm_video_can_show(uint32_t caps, uint8_t codec)
{
    int bit = capability(codec);
    if (!(caps >> SM_DISPLAY_CAP_MULTI_CODEC & 1))
        return codec == SM_VIDEO_CODEC_MJPEG;
    return bit >= 0 && (caps >> bit & 1);
}

struct sm_video_list sm_video_list_automatic(void)
{
    static const uint8_t CODECS[] = {SM_VIDEO_CODEC_MJPEG, SM_VIDEO_CODEC_H264, SM_VIDEO_CODEC_VP8,
                                     SM_VIDEO_CODEC_VP9, SM_VIDEO_CODEC_AV1};
    struct sm_video_list list = {.is_automatic = true};
    for (uint32_t i = 0; i < sizeof(CODECS); i++)
        sm_video_list_add(&list, CODECS[i]);
    return list;
}

struct sm_video_list sm_video_choose(const struct sm_video_list *allowed,
                                     const struct sm_video_client *client)
{
    struct sm_video_list list = {.count = 0};
    const struct sm_video_list *preferred = &client->preferred;
    for (uint32_t i = 0; i < preferred->count; i++) {
        uint8_t codec = preferred->codecs[i];
        if (contains(allowed, codec) && sm_video_can_show(client->caps, codec))
            sm_video_list_add(&list, codec);
    }
    bool jpeg_is_last = allowed->is_automatic && client->is_narrow && preferred->count == 0;
    for (uint32_t i = 0; i < allowed->count; i++) {
        uint8_t codec = allowed->codecs[i];
        if (sm_video_can_show(client->caps, codec) &&
            !(jpeg_is_last && codec == SM_VIDEO_CODEC_MJPEG))
            sm_video_list_add(&list, codec);
    }
    if (sm_video_can_show(client->caps, SM_VIDEO_CODEC_MJPEG))
        sm_video_list_add(&list, SM_VIDEO_CODEC_MJPEG);
    return list;
}
