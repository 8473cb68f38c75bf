/* SPDX-License-Identifier: MIT */
#include "server/display/surfaces.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "io/pages.h"
#include "server/display/renderer.h"

enum {
    MAX_DIRTY_RECTS = 128,
    SMALL_PART = 64,  /* smaller than such a part of its surface, a drawing is compared with … */
    SMALL_STEPS = 48, /* … so many older ones */
};

void sm_surfaces_init(struct sm_surfaces *surfaces, uint32_t limit, struct sm_renderer *renderer)
{
    *surfaces =
        (struct sm_surfaces){.limit = sm_min_u32(limit, SM_SURFACES_MAX), .renderer = renderer};
    sm_list_init(&surfaces->pending);
}

static struct sm_pixels find_pixels(const void *surfaces, uint32_t id)
{
    const struct sm_display_surface *surface = sm_surfaces_find(surfaces, id);
    return surface ? surface->pixels : (struct sm_pixels){0};
}

struct sm_footprint_source sm_surfaces_for_footprints(const struct sm_surfaces *surfaces)
{
    return (struct sm_footprint_source){.find = find_pixels, .surfaces = surfaces};
}

struct sm_display_surface *sm_surfaces_find(const struct sm_surfaces *surfaces, uint32_t id)
{
    return id < surfaces->limit ? surfaces->table[id] : NULL;
}

enum sm_status sm_surfaces_add(struct sm_surfaces *surfaces, struct sm_display_surface **out,
                               uint32_t id, uint32_t format, const struct sm_pixels *pixels)
{
    struct sm_display_surface *surface = calloc(1, sizeof(*surface));
    if (!surface)
        return SM_ERR_NOMEM;
    *surface = (struct sm_display_surface){.id = id, .format = format, .pixels = *pixels};
    sm_list_init(&surface->pending);
    sm_list_init(&surface->readers);
    sm_region_init(&surface->dirty);
    enum sm_status status = sm_renderer_add_surface(surfaces->renderer, id, pixels);
    if (status) {
        free(surface);
        return status;
    }
    surfaces->table[id] = surface;
    *out = surface;
    return SM_OK;
}

/* Takes a drawable out of all pending lists and lets it go. */
static void unlink_pending(struct sm_surfaces *surfaces, struct sm_drawable *drawable)
{
    sm_list_remove(&drawable->surface_link);
    sm_list_remove(&drawable->all_link);
    for (uint32_t i = 0; i < drawable->source_count; i++)
        sm_list_remove(&drawable->sources[i].reader_link);
    surfaces->pending_count--;
    surfaces->pending_bytes -= drawable->drawing->size_bytes;
    sm_region_finish(&drawable->visible);
    drawable->target = NULL;
    sm_drawable_unref(drawable);
}

static struct sm_drawable *oldest_on(struct sm_display_surface *surface)
{
    return SM_LIST_ITEM(surface->pending.next, struct sm_drawable, surface_link);
}

/*
 * Adds to what was rendered since the host last cleared it. A host that never asks must not make
 * each drawing slower than the one before, so many rectangles become the one around them: more than
 * was drawn may be reported, never less.
 */
static void note_dirty(struct sm_display_surface *surface, struct sm_rect box)
{
    struct sm_region *dirty = &surface->dirty;
    enum sm_status status = sm_region_union_rect(dirty, box);
    if (status == SM_OK && dirty->count <= MAX_DIRTY_RECTS)
        return;
    struct sm_rect around = sm_region_bounds(dirty);
    if (status) /* the region kept its value */
        around =
            (struct sm_rect){0, 0, (int32_t)surface->pixels.width, (int32_t)surface->pixels.height};
    sm_region_finish(dirty);
    sm_region_init_rect(dirty, around);
}

/* Renders the oldest drawing on `surface`, its sources first. */
static void render_one(struct sm_surfaces *surfaces, struct sm_display_surface *surface)
{
    struct sm_drawable *drawable = sm_drawable_ref(oldest_on(surface));
    for (uint32_t i = 0; i < drawable->source_count; i++) {
        if (drawable->sources[i].surface != surface)
            sm_surfaces_render(surfaces, drawable->sources[i].surface);
    }
    /* Only what is certain to be drawn is drawn in part: failing would depend on the part. */
    bool is_cut = drawable->footprint.is_opaque &&
                  !sm_region_equal(&drawable->visible, &drawable->footprint.writes);
    sm_renderer_draw(surfaces->renderer, drawable->drawing, is_cut ? &drawable->visible : NULL);
    drawable->is_rendered = true;
    note_dirty(surface, drawable->drawing->msg.draw_fill.base.box);
    unlink_pending(surfaces, drawable);
    sm_drawable_unref(drawable);
}

static void render_up_to(struct sm_surfaces *surfaces, struct sm_display_surface *surface,
                         const struct sm_drawable *last)
{
    bool is_last = false;
    while (!is_last && !sm_list_is_empty(&surface->pending)) {
        is_last = oldest_on(surface) == last;
        render_one(surfaces, surface);
    }
}

void sm_surfaces_render(struct sm_surfaces *surfaces, struct sm_display_surface *surface)
{
    while (!sm_list_is_empty(&surface->pending))
        render_one(surfaces, surface);
}

void sm_surfaces_render_area(struct sm_surfaces *surfaces, struct sm_display_surface *surface,
                             struct sm_rect area)
{
    const struct sm_drawable *last = NULL;
    for (struct sm_list *link = surface->pending.prev; link != &surface->pending && !last;
         link = link->prev) {
        const struct sm_drawable *drawable = SM_LIST_ITEM(link, struct sm_drawable, surface_link);
        if (!sm_rect_is_empty(sm_rect_intersect(drawable->drawing->bounds, area)))
            last = drawable;
    }
    if (last)
        render_up_to(surfaces, surface, last);
}

void sm_surfaces_render_all(struct sm_surfaces *surfaces)
{
    while (!sm_list_is_empty(&surfaces->pending)) {
        struct sm_drawable *drawable =
            SM_LIST_ITEM(surfaces->pending.next, struct sm_drawable, all_link);
        render_up_to(surfaces, drawable->target, drawable);
    }
}

uint32_t sm_surfaces_render_oldest(struct sm_surfaces *surfaces, uint32_t count)
{
    uint32_t before = surfaces->pending_count;
    while (!sm_list_is_empty(&surfaces->pending) && before - surfaces->pending_count < count) {
        struct sm_drawable *drawable =
            SM_LIST_ITEM(surfaces->pending.next, struct sm_drawable, all_link);
        render_up_to(surfaces, drawable->target, drawable);
    }
    return before - surfaces->pending_count;
}

void sm_surfaces_render_readers(struct sm_surfaces *surfaces, struct sm_display_surface *surface)
{
    while (!sm_list_is_empty(&surface->readers)) {
        struct sm_drawable *reader =
            SM_LIST_ITEM(surface->readers.next, struct sm_drawable_source, reader_link)->drawable;
        render_up_to(surfaces, reader->target, reader);
    }
}

void sm_surfaces_drop_pending(struct sm_surfaces *surfaces, struct sm_display_surface *surface)
{
    while (!sm_list_is_empty(&surface->pending))
        unlink_pending(surfaces, oldest_on(surface));
}

void sm_surfaces_remove(struct sm_surfaces *surfaces, struct sm_display_surface *surface)
{
    sm_surfaces_render_readers(surfaces, surface);
    sm_surfaces_drop_pending(surfaces, surface);
    surfaces->table[surface->id] = NULL;
    sm_region_finish(&surface->dirty);
    sm_renderer_remove_surface(surfaces->renderer, surface->id);
    free(surface);
}

/* Records which other surfaces the drawing reads. */
static void link_sources(struct sm_surfaces *surfaces, struct sm_drawable *drawable)
{
    const struct sm_drawing *drawing = drawable->drawing;
    for (uint32_t i = 0; i < drawing->dependency_count; i++) {
        struct sm_display_surface *surface =
            sm_surfaces_find(surfaces, drawing->dependencies[i].surface_id);
        if (!surface || surface == drawable->target)
            continue;
        struct sm_drawable_source *source = &drawable->sources[drawable->source_count++];
        source->surface = surface;
        source->drawable = drawable;
        sm_list_append(&surface->readers, &source->reader_link);
    }
}

/* A small drawing covers what was just drawn there, if anything; a large one may cover it all. */
static uint32_t steps_for(const struct sm_drawable *drawable)
{
    struct sm_rect box = drawable->drawing->bounds;
    const struct sm_pixels *target = &drawable->target->pixels;
    uint64_t area = (uint64_t)sm_rect_width(box) * (uint64_t)sm_rect_height(box);
    bool is_small = area * SMALL_PART < (uint64_t)target->width * target->height;
    return is_small ? SMALL_STEPS : SM_SURFACES_MAX_PENDING;
}

/*
 * Lets go of what nobody will see once `drawable` is drawn. All that is pending on its target is
 * older, and nothing pending elsewhere reads the target, so only the target's own count.
 */
static void drop_covered(struct sm_surfaces *surfaces, const struct sm_drawable *drawable)
{
    struct sm_list *pending = &drawable->target->pending;
    struct sm_cover cover;
    uint32_t steps = 0, limit = steps_for(drawable);
    sm_cover_begin(&cover, &drawable->footprint);
    for (struct sm_list *link = pending->prev, *older;
         link != pending && steps < limit && !sm_cover_is_over(&cover); link = older, steps++) {
        older = link->prev;
        struct sm_drawable *old = SM_LIST_ITEM(link, struct sm_drawable, surface_link);
        if (sm_cover_pass(&cover, &old->footprint, &old->visible))
            unlink_pending(surfaces, old);
    }
    sm_cover_finish(&cover);
}

void sm_surfaces_add_drawable(struct sm_surfaces *surfaces, struct sm_drawable *drawable)
{
    uint32_t id = drawable->drawing->msg.draw_fill.base.surface_id;
    struct sm_display_surface *target = sm_surfaces_find(surfaces, id);
    sm_surfaces_render_readers(surfaces, target);
    drawable->target = target;
    drop_covered(surfaces, drawable);
    if (sm_region_copy(&drawable->visible, &drawable->footprint.writes) != SM_OK)
        sm_region_init_rect(&drawable->visible, drawable->drawing->bounds);
    link_sources(surfaces, drawable);
    sm_list_append(&target->pending, &drawable->surface_link);
    sm_list_append(&surfaces->pending, &drawable->all_link);
    surfaces->pending_count++;
    surfaces->pending_bytes += drawable->drawing->size_bytes;
    (void)sm_drawable_ref(drawable);
    while (surfaces->pending_count > SM_SURFACES_MAX_PENDING ||
           surfaces->pending_bytes > SM_SURFACES_MAX_PENDING_BYTES)
        (void)sm_surfaces_render_oldest(surfaces, 1);
}

/* What the top bytes of 32-bit pixels say: all zero, all ones, or something. */
struct high_bytes {
    bool has_some, has_all;
};

static struct high_bytes look_at_high_bytes(const uint8_t *pixels, size_t count)
{
    uint8_t any = 0, all = 0xff;
    for (size_t i = 0; i < count; i++) {
        any |= pixels[4 * i + 3];
        all &= pixels[4 * i + 3];
    }
    return (struct high_bytes){.has_some = any != 0, .has_all = all == 0xff};
}

static void widen_565_row(uint8_t *to, const uint8_t *from, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        unsigned pixel = from[2 * x] | (unsigned)from[2 * x + 1] << 8;
        unsigned red = pixel >> 11, green = pixel >> 5 & 0x3f, blue = pixel & 0x1f;
        to[4 * x] = (uint8_t)(blue << 3 | blue >> 2);
        to[4 * x + 1] = (uint8_t)(green << 2 | green >> 4);
        to[4 * x + 2] = (uint8_t)(red << 3 | red >> 2);
        to[4 * x + 3] = 0;
    }
}

enum sm_status sm_surface_snapshot(struct sm_snapshot *out,
                                   const struct sm_display_surface *surface, struct sm_rect area,
                                   bool in_pages)
{
    enum sm_pixel_format from = surface->pixels.format;
    if (from == SM_PIXEL_A1)
        return SM_ERR_LIMIT;
    uint32_t width = (uint32_t)sm_rect_width(area);
    uint32_t height = (uint32_t)sm_rect_height(area);
    /* No bitmap on the wire has 565, so such a surface travels in 32 bits. */
    size_t pixel_bytes = from == SM_PIXEL_RGB565 ? 4 : sm_pixel_bits(from) / 8;
    size_t row_bytes = width * pixel_bytes;
    uint8_t *copy = in_pages ? sm_pages_alloc(row_bytes * height) : malloc(row_bytes * height);
    if (!copy)
        return SM_ERR_NOMEM;
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *row = sm_pixels_row(&surface->pixels, (uint32_t)area.top + y) +
                             (size_t)area.left * (sm_pixel_bits(from) / 8);
        if (from == SM_PIXEL_RGB565)
            widen_565_row(copy + y * row_bytes, row, width);
        else
            sm_guest_memcpy(copy + y * row_bytes, row, row_bytes);
    }
    *out = (struct sm_snapshot){
        .pixels = copy,
        .page_bytes = in_pages ? row_bytes * height : 0,
        .stride_bytes = (uint32_t)row_bytes,
        .format = from == SM_PIXEL_ARGB32   ? SM_BITMAP_FORMAT_RGBA
                  : from == SM_PIXEL_RGB555 ? SM_BITMAP_FORMAT_16BIT
                  : from == SM_PIXEL_A8     ? SM_BITMAP_FORMAT_8BIT_A
                                            : SM_BITMAP_FORMAT_32BIT,
    };
    if (from == SM_PIXEL_XRGB32 && surface->id != 0) {
        /* Drivers keep alpha in off-screen surfaces that officially have none. */
        struct high_bytes high = look_at_high_bytes(copy, (size_t)width * height);
        if (high.has_all)
            out->flags = SM_IMAGE_FLAG_HIGH_BITS_SET;
        else if (high.has_some)
            out->format = SM_BITMAP_FORMAT_RGBA;
    }
    return SM_OK;
}

void sm_snapshot_finish(struct sm_snapshot *snapshot)
{
    if (snapshot->page_bytes)
        sm_pages_free(snapshot->pixels, snapshot->page_bytes);
    else
        free(snapshot->pixels);
    *snapshot = (struct sm_snapshot){.pixels = NULL};
}
