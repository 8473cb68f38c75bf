/* SPDX-License-Identifier: MIT */
#include "media/opus_codec.h"

#include <opus.h>

/* The library's own objects are ours under another name. */
static OpusEncoder *encoder_of(struct sm_opus_encoder *encoder)
{
    return (OpusEncoder *)encoder;
}

static OpusDecoder *decoder_of(struct sm_opus_decoder *decoder)
{
    return (OpusDecoder *)decoder;
}

static enum sm_status status_of(int error)
{
    switch (error) {
    case OPUS_OK:
        return SM_OK;
    case OPUS_ALLOC_FAIL:
        return SM_ERR_NOMEM;
    default:
        return SM_ERR_LIMIT;
    }
}

enum sm_status sm_opus_encoder_create(struct sm_opus_encoder **out, uint32_t rate_hz)
{
    int error = OPUS_OK;
    OpusEncoder *encoder =
        opus_encoder_create((opus_int32)rate_hz, SM_OPUS_CHANNELS, OPUS_APPLICATION_AUDIO, &error);
    if (error != OPUS_OK)
        return status_of(error);
    *out = (struct sm_opus_encoder *)encoder;
    return SM_OK;
}

enum sm_status sm_opus_decoder_create(struct sm_opus_decoder **out, uint32_t rate_hz)
{
    int error = OPUS_OK;
    OpusDecoder *decoder = opus_decoder_create((opus_int32)rate_hz, SM_OPUS_CHANNELS, &error);
    if (error != OPUS_OK)
        return status_of(error);
    *out = (struct sm_opus_decoder *)decoder;
    return SM_OK;
}

void sm_opus_encoder_destroy(struct sm_opus_encoder *encoder)
{
    if (encoder)
        opus_encoder_destroy(encoder_of(encoder));
}

void sm_opus_decoder_destroy(struct sm_opus_decoder *decoder)
{
    if (decoder)
        opus_decoder_destroy(decoder_of(decoder));
}

void sm_opus_encoder_set_independent(struct sm_opus_encoder *encoder, bool is_independent)
{
    (void)opus_encoder_ctl(encoder_of(encoder), OPUS_SET_PREDICTION_DISABLED(is_independent));
}

enum sm_status sm_opus_encode(struct sm_opus_encoder *encoder, const int16_t *samples,
                              uint32_t count, uint8_t packet[SM_OPUS_PACKET_MAX], size_t *size)
{
    if (count > SM_OPUS_DECODED_SAMPLES_MAX)
        return SM_ERR_LIMIT;
    int result = opus_encode(encoder_of(encoder), samples, (int)count, packet, SM_OPUS_PACKET_MAX);
    if (result < 0)
        return SM_ERR_LIMIT;
    *size = (size_t)result;
    return SM_OK;
}

enum sm_status sm_opus_decode(struct sm_opus_decoder *decoder, struct sm_bytes packet,
                              int16_t samples[], uint32_t *count)
{
    if (packet.size == 0 || packet.size > INT32_MAX)
        return SM_ERR_PROTOCOL;
    int result = opus_decode(decoder_of(decoder), packet.data, (opus_int32)packet.size, samples,
                             SM_OPUS_DECODED_SAMPLES_MAX, 0);
    if (result < 0)
        return SM_ERR_PROTOCOL;
    *count = (uint32_t)result;
    return SM_OK;
}
