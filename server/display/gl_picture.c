/* SPDX-License-Identifier: MIT */
#include "server/display/gl_picture.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/wire/types.h"
#include "io/pixel_buffer.h"

enum {
    TILE_PX = 64,    /* what is compared at a time, each way */
    MAX_RECTS = 32,  /* more become the one around them */
    PIXEL_BYTES = 4, /* of the surface */
};

struct sm_gl_picture {
    struct sm_display_surface surface; /* its pixels are owned */
    struct sm_pixel_buffer *memory;    /* owned; NULL: nothing to be read */
    bool is_y0_top;
    uint8_t *band; /* owned: a row of tiles, as read */
};

static struct sm_pixel_layout layout_of(const struct sm_gl_buffer *buffer)
{
    return (struct sm_pixel_layout){.width = buffer->width,
                                    .height = buffer->height,
                                    .stride_bytes = buffer->stride_bytes,
                                    .fourcc = buffer->fourcc,
                                    .is_y0_top = buffer->is_y0_top};
}

enum sm_status sm_gl_picture_create(struct sm_gl_picture **out, const struct sm_gl_buffer *buffer)
{
    struct sm_pixel_layout layout = layout_of(buffer);
    if (!sm_pixel_layout_is_sane(&layout))
        return SM_ERR_LIMIT;
    struct sm_gl_picture *picture = calloc(1, sizeof(*picture));
    if (!picture)
        return SM_ERR_NOMEM;
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
    picture->band = malloc((size_t)surface->pixels.stride_bytes * TILE_PX);
    if (!surface->pixels.data || !picture->band) {
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
    return sm_pixel_buffer_open(&picture->memory, buffer->fd, &layout, reason);
}

void sm_gl_picture_let_go(struct sm_gl_picture *picture)
{
    sm_pixel_buffer_close(picture->memory);
    picture->memory = NULL;
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

static enum sm_status take_band(struct sm_gl_picture *picture, struct sm_rect band,
                                struct sm_region *changed)
{
    const struct sm_pixels *pixels = &picture->surface.pixels;
    uint32_t height = (uint32_t)sm_rect_height(band);
    struct sm_pixels now = {.data = picture->band,
                            .stride_bytes = (ptrdiff_t)sm_rect_width(band) * PIXEL_BYTES,
                            .width = (uint32_t)sm_rect_width(band),
                            .height = height,
                            .format = SM_PIXEL_XRGB32};
    enum sm_status status = sm_pixel_buffer_read(picture->memory, band, &now);
    int32_t run = band.left; /* tiles from here up to the current one differ */
    for (int32_t x = band.left, end; x < band.right && !status; x = end) {
        end = next_tile(x, band.right);
        uint32_t width = (uint32_t)(end - x);
        struct sm_pixels old =
            sm_pixels_part(pixels, (uint32_t)x, (uint32_t)band.top, width, height);
        struct sm_pixels tile = sm_pixels_part(&now, (uint32_t)(x - band.left), 0, width, height);
        bool differs = take_tile(&old, &tile);
        int32_t run_end = differs ? end : x;
        if (run < run_end && (!differs || end == band.right))
            status = sm_region_union_rect(changed,
                                          (struct sm_rect){run, band.top, run_end, band.bottom});
        if (!differs)
            run = end;
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
    if (!picture->memory || sm_rect_is_empty(area))
        return SM_OK;
    if (!picture->is_y0_top) { /* nobody says which end the area is counted from */
        area.top = 0;
        area.bottom = whole.bottom;
    }
    enum sm_status status = SM_OK;
    for (int32_t y = area.top, end; y < area.bottom && !status; y = end) {
        end = next_tile(y, area.bottom);
        status = take_band(picture, (struct sm_rect){area.left, y, area.right, end}, changed);
    }
    if (status == SM_ERR_NOMEM) { /* of the region: more than changed is never wrong */
        sm_region_finish(changed);
        sm_region_init_rect(changed, area);
        return SM_OK;
    }
    simplify(changed);
    return status;
}
