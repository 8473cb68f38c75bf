/* SPDX-License-Identifier: MIT */
#include "tests/golden/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/base/math.h"

struct file file_read(const char *dir, const char *name)
{
    char path[4096];
    struct file file = {0};
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return file;
    FILE *f = fopen(path, "rb");
    if (!f)
        return file;
    if (fseek(f, 0, SEEK_END) == 0) {
        long size = ftell(f);
        rewind(f);
        /* Exactly as large as it is, so that ASan sees a read behind its end. */
        file.data = size >= 0 ? malloc(size ? (size_t)size : 1) : NULL;
        if (file.data && fread(file.data, 1, (size_t)size, f) == (size_t)size) {
            file.size = (size_t)size;
        } else {
            free(file.data);
            file.data = NULL;
        }
    }
    fclose(f);
    return file;
}

static struct file inflate_file(struct file in, size_t size)
{
    struct file out = {.data = malloc(size ? size : 1), .size = size};
    uLongf got = (uLongf)size;
    if (in.data && out.data && uncompress(out.data, &got, in.data, in.size) == Z_OK &&
        got == size) {
        free(in.data);
        return out;
    }
    free(in.data);
    free(out.data);
    return (struct file){0};
}

static const struct {
    const char *name;
    enum sm_image_codec codec;
} CODECS[] = {
    {"quic", SM_CODEC_QUIC},         {"lz", SM_CODEC_LZ_RGB},
    {"lz_plt", SM_CODEC_LZ_PALETTE}, {"glz", SM_CODEC_GLZ},
    {"zlib_glz", SM_CODEC_ZLIB_GLZ}, {"lz4", SM_CODEC_LZ4},
    {"jpeg", SM_CODEC_JPEG},         {"jpeg_alpha", SM_CODEC_JPEG_ALPHA},
    {"bitmap", SM_CODEC_BITMAP},     {"mjpeg", SM_CODEC_JPEG},
};

static const struct {
    const char *name;
    enum sm_pixel_format format;
} RAW_FORMATS[] = {
    {"gray8", SM_PIXEL_GRAY8}, {"a8", SM_PIXEL_A8},         {"rgb555", SM_PIXEL_RGB555},
    {"bgr24", SM_PIXEL_RGB24}, {"bgrx32", SM_PIXEL_XRGB32}, {"bgra32", SM_PIXEL_ARGB32},
};

static bool find_codec(struct vector *v)
{
    for (size_t i = 0; i < SM_COUNT_OF(CODECS); i++) {
        if (strcmp(v->codec, CODECS[i].name) == 0) {
            v->image.codec = CODECS[i].codec;
            v->is_mjpeg = strcmp(v->codec, "mjpeg") == 0;
            return true;
        }
    }
    return false;
}

static bool find_raw_format(struct vector *v)
{
    const char *name = json_text(v->json, "raw_format", "");
    for (size_t i = 0; i < SM_COUNT_OF(RAW_FORMATS); i++) {
        if (strcmp(name, RAW_FORMATS[i].name) == 0) {
            v->raw_format = RAW_FORMATS[i].format;
            return true;
        }
    }
    return false;
}

static void read_palette(struct vector *v)
{
    const struct json *list = json_get(v->json, "palette");
    if (!list)
        return;
    uint32_t count = 0;
    for (const struct json *c = list->first; c && count < SM_PALETTE_MAX_ENTRIES; c = c->next)
        v->palette[count++] = c->text ? (uint32_t)strtoul(c->text, NULL, 16) : 0;
    v->image.palette = (struct sm_codec_palette){.entries = v->palette, .count = count};
}

static void read_image(struct vector *v)
{
    const struct json *j = v->json;
    struct sm_codec_image *image = &v->image;
    image->width = (uint32_t)json_number(j, "width", 0);
    image->height = (uint32_t)json_number(j, "height", 0);
    image->bitmap_format = sm_bitmap_format((uint32_t)json_number(j, "bitmap_format", 0));
    image->bitmap_stride_bytes = (uint32_t)json_number(j, "bitmap_stride", 0);
    if (image->codec == SM_CODEC_BITMAP)
        image->is_top_down = (uint32_t)json_number(j, "bitmap_flags", 0) & 4;
    if (image->codec == SM_CODEC_JPEG_ALPHA)
        image->is_top_down = (uint32_t)json_number(j, "jpeg_alpha_flags", 0) & 1;
    image->inflated_size = (uint32_t)json_number(j, "glz_data_size", 0);
    image->jpeg_size = (uint32_t)json_number(j, "jpeg_size", 0);
    read_palette(v);
}

const char *vector_load(struct vector *v, const char *dir, const struct json *json)
{
    *v = (struct vector){
        .json = json,
        .name = json_text(json, "name", NULL),
        .codec = json_text(json, "codec", ""),
        .is_bad = strcmp(json_text(json, "expect", ""), "reject") == 0,
        .is_optional = json_bool(json, "optional", false),
        .is_lossy = json_bool(json, "lossy", false),
        .is_encoder_exact = json_bool(json, "encoder_exact", false),
        .group = json_text(json, "group", NULL),
    };
    if (!v->name || !find_codec(v))
        return "unknown codec";
    read_image(v);
    v->bin = file_read(dir, json_text(json, "bin_file", ""));
    if (!v->bin.data)
        return "no .bin file";
    if (v->bin.size != (size_t)json_number(json, "bin_size", -1))
        return "the .bin file has another size";
    v->image.data = (struct sm_bytes){.data = v->bin.data, .size = v->bin.size};
    if (v->is_bad)
        return NULL;

    if (!find_raw_format(v))
        return "unknown raw_format";
    v->raw_stride = (uint32_t)json_number(json, "stride", 0);
    size_t raw_size = (size_t)json_number(json, "raw_size", 0);
    v->raw = file_read(dir, json_text(json, "raw_file", ""));
    if (v->raw.data && json_bool(json, "raw_zlib", false))
        v->raw = inflate_file(v->raw, raw_size);
    if (!v->raw.data || v->raw.size != raw_size ||
        (uint64_t)v->raw_stride * v->image.height != raw_size ||
        sm_pixel_row_bytes(v->raw_format, v->image.width) > v->raw_stride)
        return "no .raw file of the right size";
    return NULL;
}

void vector_free(struct vector *vector)
{
    free(vector->bin.data);
    free(vector->raw.data);
}
