/* SPDX-License-Identifier: MIT */
#include "server/display/gl_picture.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/wire/types.h"
#include "io/pixel_buffer.h"
#include "server/display/gl_reader.h"

enum {
    TILE_PX = 64,    /* what is compared at a time, each way */
    MAX_RECTS = 32,  /* more become the one around them */
    PIXEL_BYTES = 4, /* of the surface */
};

struct sm_gl_picture {
    struct sm_display_surface surface; /* its pixels are owned */
    struct sm_gl_reader *reader;       /* borrowed */
    bool is_y0_top;
    uint8_t *band; /* owned: as read; a row of tiles, or all if the graphics card reads */
    size_t band_bytes;
};

static struct sm_pixel_layout layout_of(const struct sm_gl_buffer *buffer)
{
    return (struct sm_pixel_layout){.width = buffer->width,
                                    .height = buffer->height,
                                    .stride_bytes = buffer->stride_bytes,
                                    .fourcc = buffer->fourcc,
                                    .is_y0_top = buffer->is_y0_top};
}

enum sm_status sm_gl_picture_create(struct sm_gl_picture **out, const struct sm_gl_buffer *buffer,
                                    struct sm_gl_reader *reader)
{
    struct sm_pixel_layout layout = layout_of(buffer);
    if (!sm_pixel_layout_is_sane(&layout))
        return SM_ERR_LIMIT;
    struct sm_gl_picture *picture = calloc(1, sizeof(*picture));
    if (!picture)
        return SM_ERR_NOMEM;
    picture->reader = reader;
    struct sm_display_surface *surface = &picture->surface;
    *surface = (struct sm_display_surface){
        .format = SM_SURFACE_FORMAT_32_XRGB,
        .pixels = {.stride_bytes = (ptrdiff_t)buffer->width * PIXEL_BYTES,
                   .width = buffer->width,
                   .height = buffer->height,
                   .format = SM_PIXEL_XRGB32},
    };
    sm_list_init(&surface->pending);
    sm_list_init(&surface->readers);
    sm_region_init(&surface->dirty);
    surface->pixels.data = calloc(buffer->height, (size_t)surface->pixels.stride_bytes);
    if (!surface->pixels.data) {
        sm_gl_picture_destroy(picture);
        return SM_ERR_NOMEM;
    }
    *out = picture;
    return SM_OK;
}

void sm_gl_picture_destroy(struct sm_gl_picture *picture)
{
    if (!picture)
        return;
    sm_gl_picture_let_go(picture);
    free(picture->surface.pixels.data);
    free(picture->band);
    free(picture);
}

struct sm_display_surface *sm_gl_picture_surface(struct sm_gl_picture *picture)
{
    return &picture->surface;
}

enum sm_status sm_gl_picture_follow(struct sm_gl_picture *picture,
                                    const struct sm_gl_buffer *buffer, const char **reason)
{
    const struct sm_pixels *pixels = &picture->surface.pixels;
    sm_gl_picture_let_go(picture);
    *reason = "it is of another size";
    if (buffer->width != pixels->width || buffer->height != pixels->height)
        return SM_ERR_STATE;
    struct sm_pixel_layout layout = layout_of(buffer);
    picture->is_y0_top = buffer->is_y0_top;
    return sm_gl_reader_open(picture->reader, buffer->fd, &layout, reason);
}

void sm_gl_picture_let_go(struct sm_gl_picture *picture)
{
    sm_gl_reader_close(picture->reader);
}

/* Takes over what differs in a tile; true if anything does. */
static bool take_tile(const struct sm_pixels *to, const struct sm_pixels *from)
{
    bool differs = false;
    size_t bytes = (size_t)to->width * PIXEL_BYTES;
    for (uint32_t y = 0; y < to->height; y++) {
        uint8_t *old = sm_pixels_row(to, y);
        const uint8_t *now = sm_pixels_row(from, y);
        if (memcmp(old, now, bytes) == 0)
            continue;
        memcpy(old, now, bytes);
        differs = true;
    }
    return differs;
}

/* Where the tile ends that begins at or before `at`. */
static int32_t next_tile(int32_t at, int32_t end)
{
    return sm_min_i32((at / TILE_PX + 1) * TILE_PX, end);
}

/* A row of tiles, at most; `now` is what the picture's `row` is to be. */
static enum sm_status take_row(struct sm_gl_picture *picture, struct sm_rect row,
                               const struct sm_pixels *now, struct sm_region *changed)
{
    const struct sm_pixels *pixels = &picture->surface.pixels;
    enum sm_status status = SM_OK;
    int32_t run = row.left; /* tiles from here up to the current one differ */
    for (int32_t x = row.left, end; x < row.right && !status; x = end) {
        end = next_tile(x, row.right);
        uint32_t width = (uint32_t)(end - x);
        struct sm_pixels old =
            sm_pixels_part(pixels, (uint32_t)x, (uint32_t)row.top, width, now->height);
        struct sm_pixels tile =
            sm_pixels_part(now, (uint32_t)(x - row.left), 0, width, now->height);
        bool differs = take_tile(&old, &tile);
        int32_t run_end = differs ? end : x;
        if (run < run_end && (!differs || end == row.right))
            status =
                sm_region_union_rect(changed, (struct sm_rect){run, row.top, run_end, row.bottom});
        if (!differs)
            run = end;
    }
    return status;
}

static bool make_room(struct sm_gl_picture *picture, size_t bytes)
{
    if (bytes <= picture->band_bytes)
        return true;
    uint8_t *band = realloc(picture->band, bytes);
    if (!band)
        return false;
    picture->band = band;
    picture->band_bytes = bytes;
    return true;
}

static enum sm_status take_band(struct sm_gl_picture *picture, struct sm_rect band,
                                struct sm_region *changed)
{
    struct sm_pixels now = {.stride_bytes = (ptrdiff_t)sm_rect_width(band) * PIXEL_BYTES,
                            .width = (uint32_t)sm_rect_width(band),
                            .height = (uint32_t)sm_rect_height(band),
                            .format = SM_PIXEL_XRGB32};
    if (!make_room(picture, (size_t)now.stride_bytes * now.height))
        return SM_ERR_NOMEM;
    now.data = picture->band;
    enum sm_status status = sm_gl_reader_read(picture->reader, band, &now);
    for (int32_t y = band.top, end; y < band.bottom && !status; y = end) {
        end = next_tile(y, band.bottom);
        const struct sm_pixels row =
            sm_pixels_part(&now, 0, (uint32_t)(y - band.top), now.width, (uint32_t)(end - y));
        status = take_row(picture, (struct sm_rect){band.left, y, band.right, end}, &row, changed);
    }
    return status;
}

/* Few rectangles, and the same ones for every frame of a film: most of a box is the box. */
static void simplify(struct sm_region *changed)
{
    struct sm_rect box = sm_region_bounds(changed);
    uint64_t box_area = (uint64_t)sm_rect_width(box) * (uint64_t)sm_rect_height(box);
    if (changed->count <= MAX_RECTS && sm_region_area(changed) * 2 < box_area)
        return;
    sm_region_finish(changed);
    sm_region_init_rect(changed, box);
}

enum sm_status sm_gl_picture_read(struct sm_gl_picture *picture, struct sm_rect area,
                                  struct sm_region *changed)
{
    const struct sm_pixels *pixels = &picture->surface.pixels;
    const struct sm_rect whole = {0, 0, (int32_t)pixels->width, (int32_t)pixels->height};
    area = sm_rect_intersect(area, whole);
    if (!sm_gl_reader_is_open(picture->reader) || sm_rect_is_empty(area))
        return SM_OK;
    if (!picture->is_y0_top) { /* nobody says which end the area is counted from */
        area.top = 0;
        area.bottom = whole.bottom;
    }
    enum sm_status status = SM_OK;
    for (int32_t y = area.top, end; y < area.bottom && !status; y = end) {
        end = sm_gl_reader_is_card(picture->reader) ? area.bottom : next_tile(y, area.bottom);
        status = take_band(picture, (struct sm_rect){area.left, y, area.right, end}, changed);
    }
    if (status == SM_ERR_NOMEM) { /* more than changed is never wrong */
        sm_region_finish(changed);
        sm_region_init_rect(changed, area);
        return status;
    }
    simplify(changed);
    return status;
}
