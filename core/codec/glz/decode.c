/* SPDX-License-Identifier: MIT */
#include "core/codec/glz/decode.h"

#include <string.h>

#include "core/codec/ops.h"

enum sm_status sm_glz_parse_header(struct sm_glz_header *out, struct sm_reader *r,
                                   const char **reason)
{
    uint32_t magic = sm_get_be32(r);
    uint32_t version = sm_get_be32(r);
    uint32_t type_byte = sm_get_u8(r);
    uint32_t width = sm_get_be32(r);
    uint32_t height = sm_get_be32(r);
    uint32_t stride = sm_get_be32(r);
    uint64_t id = sm_get_be64(r);
    uint32_t head_distance = sm_get_be32(r);
    uint32_t type = type_byte & 15;
    if (r->failed || magic != SM_LZ_MAGIC || version != SM_LZ_VERSION) {
        *reason = "glz: not a GLZ header";
        return SM_ERR_PROTOCOL;
    }
    if (type < SM_LZ_RGB16 || type > SM_LZ_RGBA || width == 0 || height == 0 ||
        stride != sm_lz_stride(type, width)) {
        *reason = "glz: type, size and stride do not agree";
        return SM_ERR_PROTOCOL;
    }
    if (head_distance > id) {
        *reason = "glz: refers to images before the first";
        return SM_ERR_PROTOCOL;
    }
    *out = (struct sm_glz_header){
        .type = (enum sm_lz_type)type,
        .width = width,
        .height = height,
        .is_top_down = type_byte & SM_GLZ_TOP_DOWN,
        .id = id,
        .head_distance = head_distance,
    };
    return SM_OK;
}

static void release_held(struct sm_glz_job *job)
{
    for (size_t i = 0; i < SM_GLZ_HELD_IMAGES; i++) {
        if (job->held[i])
            sm_glz_window_release(job->window, job->held[i]);
        job->held[i] = NULL;
    }
}

static struct sm_glz_source find(void *context, uint64_t id)
{
    struct sm_glz_job *job = context;
    struct sm_glz_image **held = &job->held[id % SM_GLZ_HELD_IMAGES];
    struct sm_glz_source source = {0};
    if (!*held || (*held)->id != id) {
        if (*held)
            sm_glz_window_release(job->window, *held);
        *held = sm_glz_window_find(job->window, id, &source.is_gone);
        if (!*held)
            return source;
    }
    source.pixels = (*held)->pixels;
    source.count = (*held)->count;
    return source;
}

void sm_glz_job_finish(struct sm_glz_job *job)
{
    if (job->window)
        release_held(job);
    sm_glz_image_destroy(job->image);
    *job = (struct sm_glz_job){0};
}

static enum sm_status begin(struct sm_glz_job *job, struct sm_glz_window *window,
                            struct sm_bytes data, const struct sm_pixels *out, const char **reason)
{
    struct sm_reader r = sm_reader(data);
    enum sm_status status = sm_glz_parse_header(&job->header, &r, reason);
    if (status != SM_OK)
        return status;
    const struct sm_glz_header *header = &job->header;
    if (header->width != out->width || header->height != out->height) {
        *reason = "glz: dimensions differ from the descriptor's";
        return SM_ERR_PROTOCOL;
    }
    if (out->format != (header->type == SM_LZ_RGBA ? SM_PIXEL_ARGB32 : SM_PIXEL_XRGB32)) {
        *reason = "glz: pixels of the wrong format to decode to";
        return SM_ERR_STATE;
    }
    status = sm_glz_window_admits(window, header, reason);
    if (status != SM_OK)
        return status;

    uint32_t count = header->width * header->height; /* below the window's size */
    uint64_t oldest = header->id - header->head_distance;
    job->window = window;
    job->epoch = sm_glz_window_epoch(window);
    job->data_size = data.size;
    job->image = sm_glz_image_create(header->id, oldest, count);
    if (!job->image)
        return SM_ERR_NOMEM;
    job->pass = (struct sm_glz_pass){
        .offset = SM_GLZ_HEADER_SIZE,
        .out = (uint8_t *)job->image->pixels,
        .count = count,
        .id = header->id,
        .oldest = oldest,
        .find = find,
        .context = job,
    };
    return SM_OK;
}

static enum sm_glz_result run_passes(struct sm_glz_job *job, const struct sm_codec_ops *ops)
{
    bool has_alpha = job->header.type == SM_LZ_RGBA;
    if (!job->is_in_alpha) {
        enum sm_lz_unit unit = job->header.type == SM_LZ_RGB16 ? SM_LZ_555_WIDENED : SM_LZ_BGR;
        enum sm_glz_result result = ops->glz_pass(&job->pass, unit);
        if (result != SM_GLZ_DONE || !has_alpha)
            return result;
        job->is_in_alpha = true;
        job->pass.done = 0;
    }
    return ops->glz_pass(&job->pass, SM_LZ_ALPHA);
}

static void copy_out(const struct sm_glz_job *job, const struct sm_pixels *out)
{
    const uint32_t *row = job->image->pixels;
    for (uint32_t y = 0; y < out->height; y++, row += out->width) {
        uint32_t visible = job->header.is_top_down ? y : out->height - 1 - y;
        memcpy(sm_pixels_row(out, visible), row, (size_t)out->width * 4);
    }
}

static bool is_same_image(const struct sm_glz_job *job, const struct sm_glz_window *window,
                          struct sm_bytes data, const struct sm_pixels *out)
{
    const struct sm_glz_header *header = &job->header;
    struct sm_reader r = sm_reader(data);
    struct sm_glz_header again;
    const char *reason;
    return job->window == window && job->data_size == data.size &&
           sm_glz_parse_header(&again, &r, &reason) == SM_OK && again.id == header->id &&
           again.type == header->type && header->width == out->width &&
           header->height == out->height &&
           out->format == (header->type == SM_LZ_RGBA ? SM_PIXEL_ARGB32 : SM_PIXEL_XRGB32);
}

enum sm_status sm_glz_decode(struct sm_glz_job *job, struct sm_glz_window *window,
                             const struct sm_codec_ops *ops, struct sm_bytes data,
                             const struct sm_pixels *out, const char **reason)
{
    enum sm_status status = SM_OK;
    if (!job->image) {
        status = begin(job, window, data, out, reason);
    } else if (!is_same_image(job, window, data, out)) {
        *reason = "glz: another image than the one that waits";
        return SM_ERR_STATE; /* which goes on waiting */
    } else if (job->epoch != sm_glz_window_epoch(window)) {
        *reason = "glz: the window was emptied meanwhile";
        status = SM_ERR_STATE;
    }
    if (status == SM_OK) {
        job->pass.data = data;
        enum sm_glz_result result = run_passes(job, ops);
        release_held(job);
        if (result == SM_GLZ_WAITS)
            return SM_AGAIN;
        if (result == SM_GLZ_MALFORMED) {
            *reason = "glz: malformed tokens";
            status = SM_ERR_PROTOCOL;
        }
    }
    if (status == SM_OK) {
        copy_out(job, out); /* before another thread may let go of it */
        status = sm_glz_window_insert(window, job->image, job->epoch, reason);
        if (status == SM_OK)
            job->image = NULL;
    }
    sm_glz_job_finish(job);
    return status;
}
