/* SPDX-License-Identifier: MIT */
/* Clip rectangles, paths, strings, dashes: the parts of variable length that are no images. */
#include "server/qxl/drawing_parts.h"

#include <stdlib.h>

#include "core/base/math.h"
#include "server/qxl/chunks.h"

enum {
    RECT_SIZE = 16,
    SEGMENT_HEADER_SIZE = 8,
    POINT_SIZE = 8,
    GLYPH_HEADER_SIZE = 20,
    TRANSFORM_SIZE = 24,
};

/* The bytes of a chain, which the drawing then owns. */
static enum sm_status get_chunks(struct sm_drawing_parser *p, uint64_t address,
                                 struct sm_bytes *out)
{
    struct sm_chunk_data data;
    enum sm_status status = sm_chunks_read(&data, p->source->slots, address, p->source->group,
                                           SM_DRAWING_MAX_SHAPE_BYTES);
    if (status)
        return status;
    *out = (struct sm_bytes){.data = data.data, .size = data.size};
    return sm_drawing_keep(p, data.data, data.size);
}

static void grow_bounds(struct sm_rect *bounds, struct sm_rect rect)
{
    if (sm_rect_is_empty(rect))
        return;
    if (sm_rect_is_empty(*bounds)) {
        *bounds = rect;
        return;
    }
    bounds->left = sm_min_i32(bounds->left, rect.left);
    bounds->top = sm_min_i32(bounds->top, rect.top);
    bounds->right = sm_max_i32(bounds->right, rect.right);
    bounds->bottom = sm_max_i32(bounds->bottom, rect.bottom);
}

enum sm_status sm_drawing_get_clip(struct sm_drawing_parser *p, uint32_t type, uint64_t address,
                                   struct sm_rect box, struct sm_clip *out, struct sm_rect *bounds)
{
    if (type == SM_CLIP_TYPE_NONE) {
        *out = (struct sm_clip){.type = SM_CLIP_TYPE_NONE};
        *bounds = box;
        return SM_OK;
    }
    if (type != SM_CLIP_TYPE_RECTS)
        return sm_drawing_refuse(p, "clip type %u", type);

    uint8_t header[4];
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, header, sizeof(header)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = header, .size = sizeof(header)});
    uint32_t count = sm_get_le32(&r);
    struct sm_chunk_data data;
    enum sm_status status = sm_chunks_read(&data, p->source->slots, address + sizeof(header),
                                           p->source->group, SM_DRAWING_MAX_SHAPE_BYTES);
    if (status)
        return status;
    if (data.size != (uint64_t)count * RECT_SIZE) {
        status = sm_drawing_refuse(p, "%u clip rectangles in %zu bytes", count, data.size);
        free(data.data);
        return status;
    }
    struct sm_rect *rects = sm_drawing_alloc(p, count, sizeof(*rects));
    if (!rects) {
        free(data.data);
        return sm_arena_failure(&p->drawing->arena);
    }
    *bounds = (struct sm_rect){0};
    r = sm_reader((struct sm_bytes){.data = data.data, .size = data.size});
    for (uint32_t i = 0; i < count; i++) {
        rects[i] = sm_qxl_get_rect(&r);
        grow_bounds(bounds, sm_rect_intersect(rects[i], box));
    }
    free(data.data);
    *out = (struct sm_clip){.type = SM_CLIP_TYPE_RECTS, .num_rects = count, .rects = rects};
    return SM_OK;
}

/* Counts the segments of a path; false if a segment reaches beyond the data. */
static bool count_segments(struct sm_bytes bytes, uint32_t *count)
{
    struct sm_reader r = sm_reader(bytes);
    *count = 0;
    while (sm_left(&r) > 0) {
        sm_skip(&r, 4);
        uint32_t points = sm_get_le32(&r);
        if (points > sm_left(&r) / POINT_SIZE)
            return false;
        sm_skip(&r, (size_t)points * POINT_SIZE);
        if (r.failed)
            return false;
        ++*count;
    }
    return true;
}

static enum sm_status get_segment(struct sm_drawing_parser *p, struct sm_reader *r,
                                  struct sm_path_segment *out)
{
    uint32_t flags = sm_get_le32(r);
    uint32_t count = sm_get_le32(r);
    struct sm_point_fix *points = sm_drawing_alloc(p, count, sizeof(*points));
    if (!points)
        return sm_arena_failure(&p->drawing->arena);
    for (uint32_t i = 0; i < count; i++) {
        points[i].x = (int32_t)sm_get_le32(r);
        points[i].y = (int32_t)sm_get_le32(r);
    }
    *out = (struct sm_path_segment){
        .flags = (uint8_t)(flags & (SM_PATH_FLAG_BEGIN | SM_PATH_FLAG_END | SM_PATH_FLAG_CLOSE |
                                    SM_PATH_FLAG_BEZIER)),
        .num_points = count,
        .points = points,
    };
    return SM_OK;
}

enum sm_status sm_drawing_get_path(struct sm_drawing_parser *p, uint64_t address,
                                   const struct sm_path **out)
{
    if (address == 0)
        return sm_drawing_refuse(p, "stroke without a path");
    struct sm_bytes bytes;
    enum sm_status status = get_chunks(p, address + 4, &bytes); /* behind its data_size */
    if (status)
        return status;
    uint32_t count;
    if (!count_segments(bytes, &count))
        return sm_drawing_refuse(p, "path segment beyond its data");

    struct sm_path *path = sm_drawing_alloc(p, 1, sizeof(*path));
    struct sm_path_segment *segments = sm_drawing_alloc(p, count, sizeof(*segments));
    if (!path || !segments)
        return sm_arena_failure(&p->drawing->arena);
    struct sm_reader r = sm_reader(bytes);
    for (uint32_t i = 0; i < count; i++) {
        status = get_segment(p, &r, &segments[i]);
        if (status)
            return status;
    }
    *path = (struct sm_path){.num_segments = count, .segments = segments};
    *out = path;
    return SM_OK;
}

static unsigned glyph_bits(uint32_t flags)
{
    switch (flags &
            (SM_STRING_FLAG_RASTER_A1 | SM_STRING_FLAG_RASTER_A4 | SM_STRING_FLAG_RASTER_A8)) {
    case SM_STRING_FLAG_RASTER_A1:
        return 1;
    case SM_STRING_FLAG_RASTER_A4:
        return 4;
    case SM_STRING_FLAG_RASTER_A8:
        return 8;
    default:
        return 0;
    }
}

static struct sm_raster_glyph get_glyph(struct sm_reader *r, unsigned bits)
{
    struct sm_raster_glyph glyph;
    glyph.render_pos = sm_qxl_get_point(r);
    glyph.glyph_origin = sm_qxl_get_point(r);
    glyph.width = sm_get_le16(r);
    glyph.height = sm_get_le16(r);
    size_t row_bytes = ((size_t)glyph.width * bits + 7) / 8;
    glyph.data = sm_get_bytes(r, row_bytes * glyph.height);
    return glyph;
}

enum sm_status sm_drawing_get_string(struct sm_drawing_parser *p, uint64_t address,
                                     const struct sm_string **out)
{
    uint8_t header[8];
    if (address == 0)
        return sm_drawing_refuse(p, "text without a string");
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, header, sizeof(header)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = header, .size = sizeof(header)});
    uint32_t data_size = sm_get_le32(&r);
    uint32_t count = sm_get_le16(&r);
    uint32_t flags = sm_get_le16(&r);
    unsigned bits = glyph_bits(flags);
    if (bits == 0 || count == 0)
        return sm_drawing_refuse(p, "string of %u glyphs with flags %#x", count, flags);

    struct sm_bytes bytes;
    enum sm_status status = get_chunks(p, address + sizeof(header), &bytes);
    if (status)
        return status;
    if (bytes.size != data_size || bytes.size / GLYPH_HEADER_SIZE < count)
        return sm_drawing_refuse(p, "string of %u glyphs and %u bytes has %zu bytes", count,
                                 data_size, bytes.size);

    struct sm_string *string = sm_drawing_alloc(p, 1, sizeof(*string));
    struct sm_raster_glyph *glyphs = sm_drawing_alloc(p, count, sizeof(*glyphs));
    if (!string || !glyphs)
        return sm_arena_failure(&p->drawing->arena);
    r = sm_reader(bytes);
    for (uint32_t i = 0; i < count; i++)
        glyphs[i] = get_glyph(&r, bits);
    if (r.failed || sm_left(&r) != 0)
        return sm_drawing_refuse(p, "glyphs do not fill their string");
    *string =
        (struct sm_string){.num_glyphs = count, .flags = (uint8_t)(flags & 0xf), .glyphs = glyphs};
    *out = string;
    return SM_OK;
}

/* Dashes that never advance would keep whoever draws them busy for ever. */
static bool is_style_sane(const int32_t *style, uint32_t count)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (style[i] < 0)
            return false;
        sum += style[i];
    }
    return sum >= 16; /* a pixel in 28.4 */
}

enum sm_status sm_drawing_get_line_attr(struct sm_drawing_parser *p, struct sm_reader *r,
                                        struct sm_line_attr *out)
{
    uint8_t flags = sm_get_u8(r);
    sm_skip(r, 2); /* joins and ends mean nothing to a line of one pixel */
    uint32_t count = sm_get_u8(r);
    sm_skip(r, 8); /* nor do width and miter limit */
    uint64_t address = sm_get_le64(r);
    *out =
        (struct sm_line_attr){.flags = flags & (SM_LINE_FLAG_START_WITH_GAP | SM_LINE_FLAG_STYLED)};
    if (!(flags & SM_LINE_FLAG_STYLED))
        return SM_OK;

    uint8_t bytes[255 * 4];
    if (count == 0 || address == 0)
        return sm_drawing_refuse(p, "styled line without a style");
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, bytes, (size_t)count * 4))
        return SM_ERR_PROTOCOL;
    int32_t *style = sm_drawing_alloc(p, count, sizeof(*style));
    if (!style)
        return sm_arena_failure(&p->drawing->arena);
    struct sm_reader lengths =
        sm_reader((struct sm_bytes){.data = bytes, .size = (size_t)count * 4});
    for (uint32_t i = 0; i < count; i++)
        style[i] = (int32_t)sm_get_le32(&lengths);
    if (!is_style_sane(style, count))
        return sm_drawing_refuse(p, "line style without length");
    out->num_style = count;
    out->style = style;
    return SM_OK;
}

bool sm_drawing_get_transform(struct sm_drawing_parser *p, uint64_t address,
                              struct sm_transform *out)
{
    uint8_t bytes[TRANSFORM_SIZE];
    if (address == 0 ||
        !sm_memslots_copy(p->source->slots, address, p->source->group, bytes, sizeof(bytes)))
        return false;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    out->t00 = (int32_t)sm_get_le32(&r);
    out->t01 = (int32_t)sm_get_le32(&r);
    out->t02 = (int32_t)sm_get_le32(&r);
    out->t10 = (int32_t)sm_get_le32(&r);
    out->t11 = (int32_t)sm_get_le32(&r);
    out->t12 = (int32_t)sm_get_le32(&r);
    return true;
}
