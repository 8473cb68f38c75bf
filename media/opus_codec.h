/* SPDX-License-Identifier: MIT */
/* Opus, for two channels of interleaved signed 16-bit samples. The only file that knows libopus. */
#ifndef SM_MEDIA_OPUS_CODEC_H
#define SM_MEDIA_OPUS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_OPUS_CHANNELS = 2,
    SM_OPUS_PACKET_MAX = 480,           /* bytes; what peers take */
    SM_OPUS_DECODED_SAMPLES_MAX = 5760, /* per channel: 120 ms at 48 kHz, the longest packet */
};

/** Thread: one at a time; both. */
struct sm_opus_encoder;
struct sm_opus_decoder;

/** @return SM_OK; SM_ERR_LIMIT for a rate that Opus does not have; SM_ERR_NOMEM; both */
SM_NODISCARD enum sm_status sm_opus_encoder_create(struct sm_opus_encoder **out, uint32_t rate_hz);
SM_NODISCARD enum sm_status sm_opus_decoder_create(struct sm_opus_decoder **out, uint32_t rate_hz);
void sm_opus_encoder_destroy(struct sm_opus_encoder *encoder);
void sm_opus_decoder_destroy(struct sm_opus_decoder *decoder);

/**
 * From the next frame on, frames are encoded so that a decoder can begin with them (or again so
 * that they may refer to those before). In the middle of a stream of the other kind a decoder
 * begins with a bang: up to full scale.
 */
void sm_opus_encoder_set_independent(struct sm_opus_encoder *encoder, bool is_independent);

/**
 * Encodes one frame.
 *
 * @param samples  2 × `count` samples; `count` is 2.5, 5, 10, 20, 40 or 60 ms
 * @param packet   receives SM_OPUS_PACKET_MAX bytes at most
 * @param size     receives the packet's size
 * @return SM_OK; SM_ERR_LIMIT for another count
 */
SM_NODISCARD enum sm_status sm_opus_encode(struct sm_opus_encoder *encoder, const int16_t *samples,
                                           uint32_t count, uint8_t packet[SM_OPUS_PACKET_MAX],
                                           size_t *size);

/**
 * Decodes one packet.
 *
 * @param samples  receives 2 × SM_OPUS_DECODED_SAMPLES_MAX samples at most
 * @param count    receives the samples per channel
 * @return SM_OK; SM_ERR_PROTOCOL if it is no Opus packet
 */
SM_NODISCARD enum sm_status sm_opus_decode(struct sm_opus_decoder *decoder, struct sm_bytes packet,
                                           int16_t samples[], uint32_t *count);

#endif
