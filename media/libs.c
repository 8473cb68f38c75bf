/* SPDX-License-Identifier: MIT */
#include "media/libs.h"

const struct sm_codec_libs sm_media_codec_libs = {
    .jpeg = &sm_media_jpeg,
    .zlib = &sm_media_zlib,
    .lz4 = &sm_media_lz4,
};
