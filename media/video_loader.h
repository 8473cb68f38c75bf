/* SPDX-License-Identifier: MIT */
/* Finds the module of video codecs. */
#ifndef SM_MEDIA_VIDEO_LOADER_H
#define SM_MEDIA_VIDEO_LOADER_H

#include "media/video_module.h"

/** An environment variable that says where it is, for tests and unusual installations. */
#define SM_VIDEO_MODULE_VARIABLE "SUMAC_VIDEO_MODULE"

/** Whether there is something to load, without loading it. Thread: any. */
bool sm_video_module_exists(void);

/**
 * Loads the module: from the folder "sumac" beside the library or program that this code is a part
 * of, from beside it, or from where it is built. Loading takes tens of milliseconds the first time.
 * Thread: any.
 *
 * @return NULL if it is not installed, or of another version; else static, until the process ends
 */
const struct sm_video_module *sm_video_module_load(void);

#endif
