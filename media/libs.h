/* SPDX-License-Identifier: MIT */
/* The libraries behind the image codecs, as the tables that core/codec/libs.h describes. */
#ifndef SM_MEDIA_LIBS_H
#define SM_MEDIA_LIBS_H

#include "core/codec/libs.h"

extern const struct sm_jpeg_lib sm_media_jpeg; /* libjpeg-turbo */
extern const struct sm_zlib_lib sm_media_zlib;
extern const struct sm_lz4_lib sm_media_lz4;

/** All of the above in one table. */
extern const struct sm_codec_libs sm_media_codec_libs;

#endif
