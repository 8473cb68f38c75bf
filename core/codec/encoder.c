/* SPDX-License-Identifier: MIT */
#include "core/codec/encoder.h"

#include <stdlib.h>

#include "core/codec/block.h"
#include "core/codec/input.h"
#include "core/codec/ops.h"
#include "core/codec/quic/encode.h"
#include "core/codec/scratch.h"

enum { DEFAULT_JPEG_QUALITY = 85 };

struct sm_encoder {
    struct sm_codec_libs libs;
    struct sm_glz_dictionary *dictionary; /* borrowed */
    uint64_t max_pixels;
    unsigned jpeg_quality;
    struct sm_codec_ops ops;
    struct sm_quic_tables quic_tables;
    struct sm_quic_plane quic_planes[2];
    struct sm_block block;

    struct sm_scratch pixels; /* rows in the form a codec works on */
};

enum sm_status sm_encoder_create(struct sm_encoder **out, const struct sm_encoder_config *config)
{
    if (config->max_pixels > SM_CODEC_MAX_PIXELS || config->jpeg_quality > 100)
        return SM_ERR_LIMIT;
    struct sm_encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return SM_ERR_NOMEM;
    if (config->libs)
        encoder->libs = *config->libs;
    encoder->dictionary = config->dictionary;
    encoder->max_pixels = config->max_pixels ? config->max_pixels : SM_CODEC_MAX_PIXELS;
    encoder->jpeg_quality = config->jpeg_quality ? config->jpeg_quality : DEFAULT_JPEG_QUALITY;
    sm_codec_ops_init(&encoder->ops, config->cpu_flags);
    sm_quic_tables_init(&encoder->quic_tables);
    *out = encoder;
    return SM_OK;
}

void sm_encoder_destroy(struct sm_encoder *encoder)
{
    if (!encoder)
        return;
    sm_scratch_finish(&encoder->pixels);
    free(encoder);
}

static enum sm_status encode_quic(struct sm_encoder *encoder, struct sm_input *input,
                                  struct sm_writer *out)
{
    struct sm_quic_encode_context context = {
        .ops = &encoder->ops,
        .tables = &encoder->quic_tables,
        .planes = encoder->quic_planes,
        .block = &encoder->block,
        .scratch = &encoder->pixels,
    };
    return sm_quic_encode(&context, input, out);
}

enum sm_status sm_image_encode(struct sm_encoder *encoder, enum sm_image_codec *codec,
                               const struct sm_pixels_in *in, struct sm_encoded *info,
                               struct sm_writer *out)
{
    *info = (struct sm_encoded){0};
    struct sm_input input;
    enum sm_status status = sm_input_init(&input, in, encoder->max_pixels);
    if (status != SM_OK)
        return status;
    if (out->failed)
        return sm_writer_status(out);
    size_t size_before = out->size;
    status = SM_ERR_STATE;
    if (*codec == SM_CODEC_QUIC && sm_quic_can_encode(in->format))
        status = encode_quic(encoder, &input, out);
    if (status != SM_OK) { /* whoever called finds the writer as it was */
        out->size = size_before;
        out->failed = out->hit_limit = false;
    }
    sm_scratch_trim(&encoder->pixels);
    return status;
}
