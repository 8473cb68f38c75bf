/* SPDX-License-Identifier: MIT */
/* The list of video encoders and codecs as hosts write it: "spice:mjpeg;gstreamer:vp8". */
#ifndef SM_SERVER_SESSION_VIDEO_CODECS_H
#define SM_SERVER_SESSION_VIDEO_CODECS_H

#include "server/display/video_choice.h"

struct sm_log;

/**
 * The list in its plain form: known entries, ";" between them.
 *
 * @param text  entries "encoder:codec" separated by ";", empty ones allowed; or "auto"
 * @param log   learns what is wrong with entries
 * @return a new string, malloc; NULL if no entry can be used
 */
char *sm_video_codecs_parse(const char *text, const struct sm_log *log);

/** The codecs of a list in its plain form. */
struct sm_video_list sm_video_codecs_of(const char *plain);

#endif
