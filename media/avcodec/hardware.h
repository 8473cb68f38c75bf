/* SPDX-License-Identifier: MIT */
/* A graphics card that encodes and decodes, through VA-API: what libavcodec needs beside a codec.
 * Looking for it opens files of the system and loads drivers, so it is done once for all codecs.
 */
#ifndef SM_MEDIA_AVCODEC_HARDWARE_H
#define SM_MEDIA_AVCODEC_HARDWARE_H

#include <stdbool.h>

#include <libavcodec/avcodec.h>

/** As in struct sm_video_module. */
void *sm_hardware_open_card(void);
void sm_hardware_close_card(void *card);

/** For an encoder. Zeroed memory is one without a card. */
struct sm_hardware {
    AVBufferRef *device; /* owned; NULL: none */
    AVFrame *frame;      /* owned: on the card */
};

/** @param card  of sm_hardware_open_card(), or NULL; not needed any more afterwards */
void sm_hardware_init(struct sm_hardware *hardware, void *card);

/**
 * Makes `context`, not opened yet, one of the card, if it can have pictures of its size. The
 * context then takes frames of sm_hardware_upload() alone.
 *
 * @return false if there is no such card; the context is then to be freed
 */
bool sm_hardware_attach(struct sm_hardware *hardware, AVCodecContext *context);

/** Copies `planes`, NV12, to the card; borrowed until the next call. NULL if that cannot be. */
const AVFrame *sm_hardware_upload(struct sm_hardware *hardware, const AVCodecContext *context,
                                  const AVFrame *planes);

void sm_hardware_finish(struct sm_hardware *hardware);

#endif
