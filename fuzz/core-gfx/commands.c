/* SPDX-License-Identifier: MIT */
/*
 * Random drawing commands, sensible and senseless, on random surfaces. The invariant: a command
 * says what it may have changed, and changes nothing else; nothing else of what the canvas can
 * reach, rows' padding included, is written. And a canvas whose fills wait until somebody looks
 * shows the same whenever somebody does.
 */
#include "fuzz/support/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/cpu.h"
#include "core/channel/canvas/canvas.h"

enum {
    SURFACES = 4,
    MAX_SIDE = 64,
    MAX_COMMANDS = 24,
    PADDING = 12, /* bytes around and between rows */
    MEMORY_SIZE = (MAX_SIDE + 2) * (MAX_SIDE * 4 + PADDING),
    POOL_SIZE = 70 * 70 * 4, /* pixels for images */
};

struct source {
    const uint8_t *data;
    size_t size;
};

/* A surface in memory of ours, so that what surrounds it can be compared too. */
struct place {
    uint8_t memory[MEMORY_SIZE];
    struct sm_pixels pixels;
};

struct scene {
    struct source in;
    struct sm_arena arena;
    struct sm_image_cache *cache;
    struct sm_canvas *canvas;
    struct place places[SURFACES];
    struct sm_image_cache *lazy_cache;
    struct sm_canvas *lazy; /* given the same as `canvas`, on memory of its own */
    uint8_t lazy_memory[SURFACES][MEMORY_SIZE];
    uint8_t before[MEMORY_SIZE];
    uint8_t pool[POOL_SIZE];
};

static uint8_t u8(struct source *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static uint32_t u32(struct source *in)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | u8(in);
    return v;
}

static uint16_t u16(struct source *in)
{
    uint16_t high = u8(in);
    return (uint16_t)(high << 8 | u8(in));
}

/* Mostly near the surfaces, sometimes anywhere. */
static int32_t coordinate(struct source *in)
{
    uint8_t kind = u8(in);
    if (kind < 240)
        return (int32_t)(kind % 120) - 24;
    if (kind < 250)
        return (int16_t)u16(in);
    return (int32_t)u32(in);
}

static struct sm_point point(struct source *in)
{
    struct sm_point p;
    p.x = coordinate(in);
    p.y = coordinate(in);
    return p;
}

static struct sm_rect rect(struct source *in)
{
    struct sm_rect r;
    r.left = coordinate(in);
    r.top = coordinate(in);
    r.right = u8(in) < 200 ? r.left / 2 + 40 : coordinate(in);
    r.bottom = u8(in) < 200 ? r.top / 2 + 40 : coordinate(in);
    return r;
}

static void *room(struct scene *s, size_t count, size_t size)
{
    void *made = sm_arena_alloc(&s->arena, count, size);
    FUZZ_CHECK(made);
    return made;
}

static struct sm_clip clip(struct scene *s)
{
    struct sm_clip c = {.type = u8(&s->in) % 16};
    if (c.type != SM_CLIP_TYPE_RECTS) {
        c.type = c.type == 15 ? 7 : SM_CLIP_TYPE_NONE;
        return c;
    }
    c.num_rects = u8(&s->in) % 9;
    struct sm_rect *rects = room(s, c.num_rects, sizeof(*rects));
    for (uint32_t i = 0; i < c.num_rects; i++)
        rects[i] = rect(&s->in);
    c.rects = rects;
    return c;
}

static const struct sm_palette *palette(struct scene *s)
{
    struct sm_palette *p = room(s, 1, sizeof(*p));
    p->unique = u8(&s->in) % 4;
    p->num_ents = u8(&s->in);
    uint32_t *entries = room(s, p->num_ents, sizeof(*entries));
    for (uint32_t i = 0; i < p->num_ents; i++)
        entries[i] = i * 0x01234567u ^ p->num_ents << 24;
    p->ents = entries;
    return p;
}

static void make_bitmap(struct scene *s, struct sm_image *image)
{
    static const uint8_t bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8};
    struct sm_bitmap *b = &image->bitmap;
    b->format = u8(&s->in) % 11;
    b->flags = u8(&s->in) & 7;
    b->x = image->width;
    b->y = image->height;
    b->stride = (image->width * bits[b->format] + 7) / 8 + (u8(&s->in) & 3);
    if (u8(&s->in) > 250)
        b->stride = u32(&s->in);
    b->palette_id = u8(&s->in) % 4;
    b->palette = u8(&s->in) & 1 ? palette(s) : NULL;
    size_t size = (size_t)b->stride * b->y;
    b->data = (struct sm_bytes){s->pool, size < POOL_SIZE ? size : POOL_SIZE};
    if (u8(&s->in) > 250)
        b->data.size /= 2;
}

static const struct sm_image *image(struct scene *s)
{
    static const uint8_t types[] = {
        SM_IMAGE_TYPE_BITMAP,  SM_IMAGE_TYPE_BITMAP,     SM_IMAGE_TYPE_BITMAP,
        SM_IMAGE_TYPE_BITMAP,  SM_IMAGE_TYPE_SURFACE,    SM_IMAGE_TYPE_SURFACE,
        SM_IMAGE_TYPE_SURFACE, SM_IMAGE_TYPE_FROM_CACHE, SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS,
        SM_IMAGE_TYPE_QUIC,    SM_IMAGE_TYPE_LZ_RGB,     SM_IMAGE_TYPE_RESERVED,
        SM_IMAGE_TYPE_JPEG,    SM_IMAGE_TYPE_LZ_PLT,     SM_IMAGE_TYPE_GLZ_RGB,
    };
    struct sm_image *made = room(s, 1, sizeof(*made));
    made->type = types[u8(&s->in) % sizeof(types)];
    made->flags = u8(&s->in) < 128 ? 0 : u8(&s->in) & 7;
    made->id = u8(&s->in) % 4;
    made->width = 1 + u8(&s->in) % 70;
    made->height = 1 + u8(&s->in) % 70;
    made->surface_id = u8(&s->in) % (SURFACES + 1);
    made->data = (struct sm_bytes){s->pool, 200};
    if (made->type == SM_IMAGE_TYPE_BITMAP)
        make_bitmap(s, made);
    if (made->type == SM_IMAGE_TYPE_LZ_PLT)
        made->palette = palette(s);
    return made;
}

/* A one-bit bitmap, as masks should be. */
static const struct sm_image *mask_image(struct scene *s)
{
    struct sm_image *made = room(s, 1, sizeof(*made));
    made->type = SM_IMAGE_TYPE_BITMAP;
    made->flags = u8(&s->in) < 200 ? 0 : SM_IMAGE_FLAG_CACHE_ME;
    made->id = u8(&s->in) % 4;
    made->width = made->bitmap.x = 1 + u8(&s->in) % 70;
    made->height = made->bitmap.y = 1 + u8(&s->in) % 70;
    made->bitmap.format = 1 + u8(&s->in) % 2;
    made->bitmap.flags = u8(&s->in) & 4;
    made->bitmap.stride = (made->width + 7) / 8;
    made->bitmap.data = (struct sm_bytes){s->pool, made->bitmap.stride * made->height};
    return made;
}

static struct sm_qmask mask(struct scene *s)
{
    struct sm_qmask m = {.flags = u8(&s->in) & 1};
    uint8_t kind = u8(&s->in);
    if (kind > 220)
        m.bitmap = image(s);
    else if (kind > 128)
        m.bitmap = mask_image(s);
    m.pos = point(&s->in);
    return m;
}

static struct sm_brush brush(struct scene *s)
{
    struct sm_brush b = {.type = u8(&s->in) % 16};
    b.type = b.type == 15 ? 3 : b.type % 3;
    b.color = u32(&s->in);
    if (b.type == SM_BRUSH_TYPE_PATTERN)
        b.image = image(s);
    b.pos = point(&s->in);
    return b;
}

static const struct sm_path *path(struct scene *s)
{
    struct sm_path *p = room(s, 1, sizeof(*p));
    p->num_segments = u8(&s->in) % 5;
    struct sm_path_segment *segments = room(s, p->num_segments, sizeof(*segments));
    for (uint32_t i = 0; i < p->num_segments; i++) {
        segments[i].flags = u8(&s->in) & 0x1b;
        segments[i].num_points = u8(&s->in) % 8;
        struct sm_point_fix *points = room(s, segments[i].num_points, sizeof(*points));
        for (uint32_t k = 0; k < segments[i].num_points; k++) {
            points[k].x = u8(&s->in) < 250 ? (int32_t)((uint32_t)coordinate(&s->in) * 8)
                                           : (int32_t)u32(&s->in);
            points[k].y = u8(&s->in) < 250 ? (int32_t)((uint32_t)coordinate(&s->in) * 8)
                                           : (int32_t)u32(&s->in);
        }
        segments[i].points = points;
    }
    p->segments = segments;
    return p;
}

static struct sm_line_attr line_attr(struct scene *s)
{
    struct sm_line_attr attr = {.flags = u8(&s->in) & 0xc};
    attr.num_style = attr.flags & SM_LINE_FLAG_STYLED ? u8(&s->in) % 6 : 0;
    int32_t *style = room(s, attr.num_style, sizeof(*style));
    for (uint32_t i = 0; i < attr.num_style; i++)
        style[i] = u8(&s->in) < 240 ? u8(&s->in) : (int32_t)u32(&s->in);
    attr.style = style;
    return attr;
}

static const struct sm_string *string(struct scene *s)
{
    struct sm_string *made = room(s, 1, sizeof(*made));
    made->num_glyphs = u8(&s->in) % 6;
    made->flags = u8(&s->in) & 15;
    struct sm_raster_glyph *glyphs = room(s, made->num_glyphs, sizeof(*glyphs));
    for (uint32_t i = 0; i < made->num_glyphs; i++) {
        glyphs[i].render_pos = point(&s->in);
        glyphs[i].glyph_origin = point(&s->in);
        glyphs[i].width = u8(&s->in) % 40;
        glyphs[i].height = u8(&s->in) % 40;
        glyphs[i].data = (struct sm_bytes){s->pool, u8(&s->in) * 8u};
    }
    made->glyphs = glyphs;
    return made;
}

static struct sm_transform transform(struct source *in)
{
    int32_t t[6];
    for (int i = 0; i < 6; i++)
        t[i] = u8(in) < 200 ? (int32_t)(u16(in) * 4) - 131072 : (int32_t)u32(in);
    return (struct sm_transform){t[0], t[1], t[2], t[3], t[4], t[5]};
}

static struct sm_display_base base(struct scene *s)
{
    struct sm_display_base b = {.surface_id = u8(&s->in) % (SURFACES * 8)};
    b.surface_id = b.surface_id == SURFACES * 8 - 1 ? SURFACES : b.surface_id % SURFACES;
    b.box = rect(&s->in);
    b.clip = clip(s);
    return b;
}

static void make_text(struct scene *s, struct sm_msg_display_draw_text *m)
{
    m->str = string(s);
    if (u8(&s->in) & 1)
        m->back_area = rect(&s->in);
    m->fore_brush = brush(s);
    m->back_brush = brush(s);
    m->fore_mode = u8(&s->in) < 200 ? SM_ROPD_OP_PUT : u16(&s->in);
}

static void make_composite(struct scene *s, struct sm_msg_display_draw_composite *m)
{
    m->flags = u32(&s->in);
    if (u8(&s->in) < 200)
        m->flags &= ~0x2400u; /* filters that exist */
    m->src_bitmap = image(s);
    m->mask_bitmap = image(s);
    m->src_transform = transform(&s->in);
    m->mask_transform = transform(&s->in);
    m->src_origin.x = (int16_t)coordinate(&s->in);
    m->src_origin.y = (int16_t)coordinate(&s->in);
    m->mask_origin.x = (int16_t)coordinate(&s->in);
    m->mask_origin.y = (int16_t)coordinate(&s->in);
}

/* All drawing structures begin with their base, so it is made for all. */
static void make_message(struct scene *s, struct sm_display_msg *m)
{
    static const uint16_t types[] = {
        SM_MSG_DISPLAY_COPY_BITS,        SM_MSG_DISPLAY_DRAW_FILL,
        SM_MSG_DISPLAY_DRAW_OPAQUE,      SM_MSG_DISPLAY_DRAW_COPY,
        SM_MSG_DISPLAY_DRAW_BLEND,       SM_MSG_DISPLAY_DRAW_BLACKNESS,
        SM_MSG_DISPLAY_DRAW_WHITENESS,   SM_MSG_DISPLAY_DRAW_INVERS,
        SM_MSG_DISPLAY_DRAW_ROP3,        SM_MSG_DISPLAY_DRAW_STROKE,
        SM_MSG_DISPLAY_DRAW_TEXT,        SM_MSG_DISPLAY_DRAW_TRANSPARENT,
        SM_MSG_DISPLAY_DRAW_ALPHA_BLEND, SM_MSG_DISPLAY_DRAW_COMPOSITE,
    };
    memset(m, 0, sizeof(*m));
    m->type = types[u8(&s->in) % (sizeof(types) / sizeof(types[0]))];
    m->draw_fill.base = base(s);
    switch (m->type) {
    case SM_MSG_DISPLAY_COPY_BITS:
        m->copy_bits.src_pos = point(&s->in);
        break;
    case SM_MSG_DISPLAY_DRAW_FILL:
        m->draw_fill.brush = brush(s);
        m->draw_fill.ropd = u16(&s->in);
        m->draw_fill.mask = mask(s);
        break;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        m->draw_opaque.src_bitmap = image(s);
        m->draw_opaque.src_area = rect(&s->in);
        m->draw_opaque.brush = brush(s);
        m->draw_opaque.ropd = u16(&s->in);
        m->draw_opaque.scale_mode = u8(&s->in) % 3;
        m->draw_opaque.mask = mask(s);
        break;
    case SM_MSG_DISPLAY_DRAW_COPY:
    case SM_MSG_DISPLAY_DRAW_BLEND:
        m->draw_copy.src_bitmap = image(s);
        m->draw_copy.src_area = rect(&s->in);
        m->draw_copy.ropd = u8(&s->in) & 1 ? SM_ROPD_OP_PUT : u16(&s->in);
        m->draw_copy.scale_mode = u8(&s->in) % 3;
        m->draw_copy.mask = mask(s);
        break;
    case SM_MSG_DISPLAY_DRAW_ROP3:
        m->draw_rop3.src_bitmap = image(s);
        m->draw_rop3.src_area = rect(&s->in);
        m->draw_rop3.brush = brush(s);
        m->draw_rop3.rop3 = u8(&s->in);
        m->draw_rop3.scale_mode = u8(&s->in) % 3;
        m->draw_rop3.mask = mask(s);
        break;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        m->draw_stroke.path = path(s);
        m->draw_stroke.attr = line_attr(s);
        m->draw_stroke.brush = brush(s);
        m->draw_stroke.fore_mode = u16(&s->in);
        break;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        make_text(s, &m->draw_text);
        break;
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        m->draw_transparent.src_bitmap = image(s);
        m->draw_transparent.src_area = rect(&s->in);
        m->draw_transparent.true_color = u32(&s->in);
        break;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        m->draw_alpha_blend.alpha_flags = u8(&s->in);
        m->draw_alpha_blend.alpha = u8(&s->in);
        m->draw_alpha_blend.src_bitmap = image(s);
        m->draw_alpha_blend.src_area = rect(&s->in);
        break;
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        make_composite(s, &m->draw_composite);
        break;
    default:
        m->draw_blackness.mask = mask(s);
        break;
    }
}

static void make_place(struct scene *s, uint32_t id)
{
    static const enum sm_pixel_format formats[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB555, SM_PIXEL_RGB565, SM_PIXEL_A8};
    struct place *p = &s->places[id];
    uint32_t seed = u32(&s->in) | 1;
    for (size_t i = 0; i < MEMORY_SIZE; i++) {
        seed = seed * 1664525 + 1013904223;
        p->memory[i] = (uint8_t)(seed >> 24);
    }
    p->pixels.format = formats[u8(&s->in) % 5];
    p->pixels.width = 1 + u8(&s->in) % MAX_SIDE;
    p->pixels.height = 1 + u8(&s->in) % MAX_SIDE;
    ptrdiff_t stride =
        (ptrdiff_t)sm_pixel_row_bytes(p->pixels.format, p->pixels.width) + u8(&s->in) % PADDING;
    uint8_t *first = p->memory + 1 + u8(&s->in) % 8;
    bool is_upside_down = u8(&s->in) & 1;
    p->pixels.data = is_upside_down ? first + stride * (ptrdiff_t)(p->pixels.height - 1) : first;
    p->pixels.stride_bytes = is_upside_down ? -stride : stride;
    FUZZ_CHECK(sm_canvas_surface_wrap(s->canvas, id, &p->pixels) == SM_OK);
    struct sm_pixels pixels = p->pixels;
    pixels.data = s->lazy_memory[id] + (p->pixels.data - p->memory);
    memcpy(s->lazy_memory[id], p->memory, MEMORY_SIZE);
    FUZZ_CHECK(sm_canvas_surface_wrap(s->lazy, id, &pixels) == SM_OK);
}

/* Has somebody look at the canvas whose fills wait. */
static void look(struct scene *s)
{
    sm_canvas_settle(s->lazy);
    for (uint32_t i = 0; i < SURFACES; i++)
        FUZZ_CHECK(memcmp(s->lazy_memory[i], s->places[i].memory, MEMORY_SIZE) == 0);
}

/* The same command once more. What one shows that fails halfway is anybody's guess. */
static void draw_lazily(struct scene *s, const struct sm_display_msg *msg, enum sm_status expected)
{
    enum sm_status status = sm_canvas_draw(s->lazy, msg, NULL);
    FUZZ_CHECK(status == expected);
    if (status == SM_AGAIN)
        sm_canvas_cancel(s->lazy);
    if (status == SM_OK)
        return;
    sm_canvas_settle(s->lazy);
    for (uint32_t i = 0; i < SURFACES; i++)
        memcpy(s->lazy_memory[i], s->places[i].memory, MEMORY_SIZE);
}

/* Makes `after` like `before` wherever the command was allowed to write. */
static void forget_damage(const struct place *p, uint8_t *before, const struct sm_region *damage,
                          bool forgets_tops)
{
    uint32_t bytes = sm_pixel_bits(p->pixels.format) / 8;
    for (uint32_t y = 0; y < p->pixels.height; y++) {
        ptrdiff_t offset = sm_pixels_row(&p->pixels, y) - p->memory;
        for (uint32_t x = 0; x < p->pixels.width; x++, offset += bytes) {
            if (sm_region_contains_point(damage, (int32_t)x, (int32_t)y))
                memcpy(before + offset, p->memory + offset, bytes);
            else if (forgets_tops && p->pixels.format == SM_PIXEL_XRGB32)
                before[offset + 3] = p->memory[offset + 3];
        }
    }
}

static void check_damage(const struct place *p, const struct sm_region *damage)
{
    const struct sm_rect all = {0, 0, (int32_t)p->pixels.width, (int32_t)p->pixels.height};
    FUZZ_CHECK(sm_rect_contains(all, sm_region_bounds(damage)));
}

static void draw(struct scene *s)
{
    struct sm_display_msg msg;
    struct sm_region damage = {0};
    make_message(s, &msg);
    uint32_t id = msg.draw_fill.base.surface_id;
    struct place *target = id < SURFACES ? &s->places[id] : &s->places[0];
    memcpy(s->before, target->memory, MEMORY_SIZE);

    enum sm_status status = sm_canvas_draw(s->canvas, &msg, &damage);
    FUZZ_CHECK(status == SM_OK || status == SM_AGAIN || status == SM_ERR_PROTOCOL ||
               status == SM_ERR_LIMIT);
    if (status == SM_AGAIN)
        sm_canvas_cancel(s->canvas);
    FUZZ_CHECK(status != SM_AGAIN || sm_region_is_empty(&damage));
    draw_lazily(s, &msg, status);

    bool clears_tops =
        msg.type == SM_MSG_DISPLAY_DRAW_TEXT || msg.type == SM_MSG_DISPLAY_DRAW_ALPHA_BLEND;
    check_damage(target, &damage);
    forget_damage(target, s->before, &damage, clears_tops);
    FUZZ_CHECK(memcmp(s->before, target->memory, MEMORY_SIZE) == 0);
    sm_region_finish(&damage);
}

static void paint_frame(struct scene *s)
{
    struct sm_pixels frame = {.data = s->pool, .format = SM_PIXEL_XRGB32};
    frame.width = 1 + u8(&s->in) % 60;
    frame.height = 1 + u8(&s->in) % 60;
    frame.stride_bytes = (ptrdiff_t)frame.width * 4;
    struct sm_clip c = clip(s);
    uint32_t id = u8(&s->in) % (SURFACES + 1);
    struct sm_rect dest = rect(&s->in);
    enum sm_status status = sm_canvas_blit(s->canvas, id, dest, &c, &frame, NULL);
    FUZZ_CHECK(status == SM_OK || status == SM_ERR_PROTOCOL);
    FUZZ_CHECK(sm_canvas_blit(s->lazy, id, dest, &c, &frame, NULL) == status);
}

static void forget_images(struct scene *s)
{
    struct sm_resource_id resource = {.type = SM_RESOURCE_TYPE_PIXMAP, .id = u8(&s->in) % 4};
    const struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_INVAL_LIST,
                                       .inval_list = {.num_resources = 1, .resources = &resource}};
    FUZZ_CHECK(sm_canvas_apply(s->canvas, &msg) == SM_OK);
    FUZZ_CHECK(sm_canvas_apply(s->lazy, &msg) == SM_OK);
}

static void make_canvases(struct scene *s, uint8_t options)
{
    const struct sm_image_cache_config cache = {.max_pixels = 100000};
    FUZZ_CHECK(sm_image_cache_create(&s->cache, &cache) == SM_OK &&
               sm_image_cache_create(&s->lazy_cache, &cache) == SM_OK);
    struct sm_canvas_config config = {.max_surfaces = SURFACES,
                                      .max_pixels = 1,
                                      .cache = options & 1 ? s->cache : NULL,
                                      .cpu_flags = options & 2 ? sm_cpu_detect() : 0};
    FUZZ_CHECK(sm_canvas_create(&s->canvas, &config) == SM_OK);
    config.cache = options & 1 ? s->lazy_cache : NULL;
    config.has_lazy_fills = true;
    FUZZ_CHECK(sm_canvas_create(&s->lazy, &config) == SM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 32 || size > FUZZ_MAX_SIZE)
        return 0;
    struct scene *s = calloc(1, sizeof(*s));
    FUZZ_CHECK(s);
    make_canvases(s, data[0]);
    sm_arena_init(&s->arena, 1 << 22);
    s->in = (struct source){data + 1, size - 1};
    for (uint32_t i = 0; i < SURFACES; i++)
        make_place(s, i);
    for (size_t i = 0; i < POOL_SIZE; i++)
        s->pool[i] = (uint8_t)(i * 151 >> 2 ^ data[i % size]);
    for (int i = 0; i < MAX_COMMANDS && s->in.size > 0; i++) {
        uint8_t kind = u8(&s->in);
        if (kind > 250)
            forget_images(s);
        else if (kind > 245)
            look(s);
        else if (kind > 240)
            paint_frame(s);
        else
            draw(s);
        sm_arena_reset(&s->arena);
    }
    look(s);
    sm_arena_finish(&s->arena);
    sm_canvas_destroy(s->canvas);
    sm_canvas_destroy(s->lazy);
    sm_image_cache_destroy(s->cache);
    sm_image_cache_destroy(s->lazy_cache);
    free(s);
    return 0;
}
