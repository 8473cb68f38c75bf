/* SPDX-License-Identifier: MIT */
/* A decoder that runs on a graphics card, through VA-API, and what the processor needs to take over
 * from it. Its pictures come back to the processor's memory as planes. */
#ifndef SM_MEDIA_AVCODEC_CARD_DECODER_H
#define SM_MEDIA_AVCODEC_CARD_DECODER_H

#include <libavcodec/avcodec.h>

#include "media/avcodec/history.h"

struct sm_card_decoder;

/** @param card  of sm_hardware_open_card(). @return NULL if the card is not for such a codec */
struct sm_card_decoder *sm_card_decoder_create(void *card, const AVCodec *codec);

/** NULL does nothing. */
void sm_card_decoder_destroy(struct sm_card_decoder *decoder);

/**
 * Decodes a packet that counts its references.
 *
 * @param out  receives the planes, borrowed until the next call
 * @return 0; AVERROR(EAGAIN) for no picture yet; else below 0: it is of no use any more, but for
 *         its history, which has this packet, too
 */
int sm_card_decoder_decode(struct sm_card_decoder *decoder, const AVPacket *packet,
                           const AVFrame **out);

const struct sm_history *sm_card_decoder_history(const struct sm_card_decoder *decoder);

#endif
