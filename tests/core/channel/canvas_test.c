/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "core/channel/canvas/canvas.h"
#include "tests/support/failmalloc.h"

enum { SIDE = 8, MAX_PIXELS = 4096 };

/* Two canvases that share a cache, like two display channels of a session. */
struct bench {
    struct sm_image_cache *cache;
    struct sm_canvas *canvas, *other;
};

static void set_up(struct bench *b)
{
    const struct sm_image_cache_config cache = {.max_pixels = 200};
    sm_check_status(sm_image_cache_create(&b->cache, &cache), SM_OK);
    const struct sm_canvas_config config = {
        .max_surfaces = 4, .max_pixels = MAX_PIXELS, .cache = b->cache};
    sm_check_status(sm_canvas_create(&b->canvas, &config), SM_OK);
    sm_check_status(sm_canvas_create(&b->other, &config), SM_OK);
    sm_check_status(sm_canvas_surface_create(b->canvas, 0, SM_SURFACE_FORMAT_32_XRGB, SIDE, SIDE),
                    SM_OK);
    sm_check_status(sm_canvas_surface_create(b->other, 0, SM_SURFACE_FORMAT_32_XRGB, SIDE, SIDE),
                    SM_OK);
}

static void tear_down(struct bench *b)
{
    sm_canvas_destroy(b->canvas);
    sm_canvas_destroy(b->other);
    sm_image_cache_destroy(b->cache);
}

static uint32_t pixel(const struct sm_canvas *canvas, uint32_t id, uint32_t x, uint32_t y)
{
    uint32_t value = 0;
    const struct sm_pixels *p = sm_surface_pixels(sm_canvas_surface(canvas, id));
    uint32_t bytes = sm_pixel_bits(p->format) / 8;
    memcpy(&value, sm_pixels_row(p, y) + (size_t)x * bytes, bytes);
    return value;
}

/* A 2 × 2 bitmap of one colour. */
struct small_image {
    uint32_t pixels[4];
    struct sm_image image;
};

static const struct sm_image *colored(struct small_image *s, uint32_t color, uint64_t id,
                                      uint8_t flags)
{
    for (size_t i = 0; i < 4; i++)
        s->pixels[i] = color;
    s->image = (struct sm_image){
        .id = id,
        .flags = flags,
        .width = 2,
        .height = 2,
        .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                   .x = 2,
                   .y = 2,
                   .stride = 8,
                   .data = {(const uint8_t *)s->pixels, 16}},
    };
    return &s->image;
}

static struct sm_image cached(uint64_t id)
{
    return (struct sm_image){.id = id, .type = SM_IMAGE_TYPE_FROM_CACHE, .width = 2, .height = 2};
}

static struct sm_display_msg copy_of(const struct sm_image *image)
{
    return (struct sm_display_msg){
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.base = {.box = {1, 1, 3, 3}},
                      .src_bitmap = image,
                      .src_area = {0, 0, 2, 2},
                      .ropd = SM_ROPD_OP_PUT},
    };
}

static enum sm_status draw(struct sm_canvas *canvas, const struct sm_image *image)
{
    const struct sm_display_msg msg = copy_of(image);
    return sm_canvas_draw(canvas, &msg, NULL);
}

static void forget(struct bench *b, uint64_t id)
{
    const struct sm_resource_id resource = {SM_RESOURCE_TYPE_PIXMAP, id};
    const struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_INVAL_LIST,
                                       .inval_list = {1, &resource}};
    sm_check_status(sm_canvas_apply(b->canvas, &msg), SM_OK);
}

static void cached_image_is_found_by_its_id(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    struct sm_image from_cache = cached(7);
    set_up(&b);
    sm_check_status(draw(b.canvas, colored(&s, 0x112233, 7, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    memset(s.pixels, 0, sizeof(s.pixels)); /* the cache has pixels of its own */
    sm_check_status(draw(b.other, &from_cache), SM_OK);
    assert_int_equal(pixel(b.other, 0, 2, 2), 0x112233);
    assert_int_equal(pixel(b.other, 0, 3, 3), 0);
    forget(&b, 7);
    sm_check_status(draw(b.canvas, &from_cache), SM_AGAIN);
    tear_down(&b);
}

static void image_added_twice_needs_two_removals(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    struct sm_image from_cache = cached(7);
    set_up(&b);
    sm_check_status(draw(b.canvas, colored(&s, 1, 7, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    sm_check_status(draw(b.other, colored(&s, 1, 7, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    assert_int_equal(sm_image_cache_pixels(b.cache), 4);
    forget(&b, 7);
    sm_check_status(draw(b.canvas, &from_cache), SM_OK);
    forget(&b, 7);
    sm_check_status(draw(b.canvas, &from_cache), SM_AGAIN);
    assert_int_equal(sm_image_cache_pixels(b.cache), 0);
    forget(&b, 99); /* unknown: nothing */
    tear_down(&b);
}

static void missing_image_is_awaited(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    struct sm_image from_cache = cached(5);
    uint64_t id = 0;
    set_up(&b);
    sm_check_status(draw(b.canvas, &from_cache), SM_AGAIN);
    assert_int_equal(sm_canvas_awaited(b.canvas, &id), SM_CANVAS_WAITS_FOR_CACHE);
    assert_int_equal(id, 5);
    sm_check_status(draw(b.canvas, &from_cache), SM_AGAIN); /* not yet */
    sm_check_status(draw(b.other, colored(&s, 0xabcdef, 5, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    sm_check_status(draw(b.canvas, &from_cache), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0xabcdef);
    assert_int_equal(sm_canvas_awaited(b.canvas, &id), SM_CANVAS_WAITS_NOT);
    tear_down(&b);
}

/* A message that waits for its second image has its first one counted once. */
static void waiting_message_caches_its_images_once(void **state)
{
    (void)state;
    struct bench b;
    struct small_image first, second;
    struct sm_image from_cache = cached(2), awaited = cached(1);
    set_up(&b);
    const struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_DRAW_OPAQUE,
        .draw_opaque = {.base = {.box = {0, 0, 2, 2}},
                        .src_bitmap = colored(&first, 0xf0, 1, SM_IMAGE_FLAG_CACHE_ME),
                        .src_area = {0, 0, 2, 2},
                        .brush = {.type = SM_BRUSH_TYPE_PATTERN, .image = &from_cache},
                        .ropd = SM_ROPD_OP_OR},
    };
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_AGAIN);
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_AGAIN);
    sm_check_status(draw(b.other, colored(&second, 0x0f, 2, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 0, 0), 0xff);
    forget(&b, 1);
    sm_check_status(draw(b.canvas, &awaited), SM_AGAIN);
    sm_canvas_cancel(b.canvas);
    tear_down(&b);
}

static void lossless_use_waits_for_the_replacement(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    struct sm_picture *lossy = NULL;
    sm_check_status(sm_picture_create(&lossy, SM_PIXEL_XRGB32, 2, 2), SM_OK);
    memset(sm_picture_pixels(lossy)->data, 1, (size_t)sm_picture_pixels(lossy)->stride_bytes * 2);
    sm_check_status(sm_image_cache_add(b.cache, 3, lossy, true), SM_OK);
    sm_picture_unref(lossy);

    struct sm_image any = cached(3), exact = cached(3);
    exact.type = SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS;
    sm_check_status(draw(b.canvas, &any), SM_OK);
    sm_check_status(draw(b.canvas, &exact), SM_AGAIN);
    sm_check_status(draw(b.other, colored(&s, 0x77, 3, SM_IMAGE_FLAG_CACHE_REPLACE_ME)), SM_OK);
    sm_check_status(draw(b.canvas, &exact), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0x77);
    forget(&b, 3); /* replacing was no second use */
    sm_check_status(draw(b.canvas, &any), SM_AGAIN);
    tear_down(&b);
}

static void cache_has_a_ceiling(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    for (uint64_t id = 1; id <= 50; id++)
        sm_check_status(draw(b.canvas, colored(&s, 0, id, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    sm_check_status(draw(b.canvas, colored(&s, 0, 51, SM_IMAGE_FLAG_CACHE_ME)), SM_ERR_LIMIT);
    const struct sm_display_msg all = {.type = SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS};
    sm_check_status(sm_canvas_apply(b.canvas, &all), SM_OK);
    sm_check_status(draw(b.canvas, colored(&s, 0, 51, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    tear_down(&b);
}

static void cache_finds_thousands(void **state)
{
    (void)state;
    struct sm_image_cache *cache = NULL;
    const struct sm_image_cache_config config = {.max_pixels = UINT64_MAX};
    struct sm_picture *picture = NULL, *found = NULL;
    sm_check_status(sm_image_cache_create(&cache, &config), SM_OK);
    sm_check_status(sm_picture_create(&picture, SM_PIXEL_A8, 1, 1), SM_OK);
    for (uint64_t id = 0; id < 3000; id++)
        sm_check_status(sm_image_cache_add(cache, id << 32, picture, false), SM_OK);
    for (uint64_t id = 0; id < 3000; id += 2)
        sm_image_cache_remove(cache, id << 32);
    for (uint64_t id = 0; id < 3000; id++) {
        enum sm_status status = sm_image_cache_get(cache, id << 32, true, &found);
        assert_int_equal(status, id % 2 ? SM_OK : SM_AGAIN);
        if (status == SM_OK)
            sm_picture_unref(found);
    }
    assert_int_equal(sm_image_cache_pixels(cache), 1500);
    sm_picture_unref(picture);
    sm_image_cache_destroy(cache);
}

/* What nobody sees is still remembered. */
static void hidden_image_is_cached(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    struct sm_display_msg msg = copy_of(colored(&s, 0x42, 9, SM_IMAGE_FLAG_CACHE_ME));
    struct sm_region damage;
    sm_region_init_rect(&damage, (struct sm_rect){0, 0, 1, 1});
    msg.draw_copy.base.clip.type = SM_CLIP_TYPE_RECTS; /* of which there are none */
    sm_check_status(sm_canvas_draw(b.canvas, &msg, &damage), SM_OK);
    assert_true(sm_region_is_empty(&damage));
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0);
    struct sm_image from_cache = cached(9);
    sm_check_status(draw(b.canvas, &from_cache), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0x42);
    tear_down(&b);
}

static struct sm_image indexed(const struct sm_palette *palette, uint8_t flags)
{
    static const uint8_t indices[] = {0, 1, 2, 9};
    return (struct sm_image){
        .width = 2,
        .height = 2,
        .bitmap = {.format = SM_BITMAP_FORMAT_8BIT,
                   .flags = flags | SM_BITMAP_FLAG_TOP_DOWN,
                   .x = 2,
                   .y = 2,
                   .stride = 2,
                   .palette_id = 6,
                   .palette = palette,
                   .data = {indices, 4}},
    };
}

static void palettes_are_kept_until_withdrawn(void **state)
{
    (void)state;
    struct bench b;
    static const uint32_t entries[] = {0x10, 0x20, 0x30};
    const struct sm_palette palette = {.unique = 6, .num_ents = 3, .ents = entries};
    struct sm_image sent = indexed(&palette, SM_BITMAP_FLAG_PAL_CACHE_ME);
    struct sm_image used = indexed(NULL, SM_BITMAP_FLAG_PAL_FROM_CACHE);
    set_up(&b);
    sm_check_status(draw(b.canvas, &used), SM_ERR_PROTOCOL);
    assert_string_equal(sm_canvas_reason(b.canvas), "a palette is not in the cache");
    sm_check_status(draw(b.canvas, &sent), SM_OK);
    sm_check_status(draw(b.canvas, &used), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 2, 1), 0x20);
    assert_int_equal(pixel(b.canvas, 0, 1, 2), 0x30);
    assert_int_equal(pixel(b.canvas, 0, 2, 2), 0);          /* an index without a colour */
    sm_check_status(draw(b.other, &used), SM_ERR_PROTOCOL); /* each channel has its own */
    const struct sm_display_msg one = {.type = SM_MSG_DISPLAY_INVAL_PALETTE, .inval_palette = {6}};
    sm_check_status(sm_canvas_apply(b.canvas, &one), SM_OK);
    sm_check_status(draw(b.canvas, &used), SM_ERR_PROTOCOL);
    sm_check_status(draw(b.canvas, &sent), SM_OK);
    const struct sm_display_msg reset = {.type = SM_MSG_DISPLAY_RESET};
    sm_check_status(sm_canvas_apply(b.canvas, &reset), SM_OK);
    sm_check_status(draw(b.canvas, &used), SM_ERR_PROTOCOL);
    tear_down(&b);
}

static void masks_and_pictures_do_not_mix(void **state)
{
    (void)state;
    struct bench b;
    static const uint8_t bits[] = {0x01, 0x02};
    const struct sm_image mask = {
        .id = 4,
        .flags = SM_IMAGE_FLAG_CACHE_ME,
        .width = 2,
        .height = 2,
        .bitmap = {.format = SM_BITMAP_FORMAT_1BIT_LE,
                   .flags = SM_BITMAP_FLAG_TOP_DOWN,
                   .x = 2,
                   .y = 2,
                   .stride = 1,
                   .data = {bits, 2}},
    };
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_DRAW_WHITENESS,
        .draw_whiteness = {.base = {.box = {0, 0, 2, 2}}, .mask = {.bitmap = &mask}},
    };
    set_up(&b);
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 0, 0), 0xffffffff);
    assert_int_equal(pixel(b.canvas, 0, 1, 0), 0);
    struct sm_image from_cache = cached(4);
    sm_check_status(draw(b.canvas, &from_cache), SM_OK);
    assert_string_equal(sm_canvas_reason(b.canvas), "a mask is used as a picture");
    assert_int_equal(pixel(b.canvas, 0, 2, 2), 0);

    struct small_image s;
    sm_check_status(draw(b.canvas, colored(&s, 0, 8, SM_IMAGE_FLAG_CACHE_ME)), SM_OK);
    from_cache.id = 8;
    msg.draw_whiteness.mask.bitmap = &from_cache;
    msg.draw_whiteness.base.box = (struct sm_rect){4, 4, 6, 6};
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 4, 4), 0);
    tear_down(&b);
}

static void high_bits_are_set_before_caching(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    sm_check_status(draw(b.canvas, colored(&s, 0x010203, 0, SM_IMAGE_FLAG_HIGH_BITS_SET)), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0xff010203);
    tear_down(&b);
}

/* A surface drawn on itself behaves as if it had been copied first. */
static void surface_can_be_its_own_source(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    sm_check_status(draw(b.canvas, colored(&s, 0x55, 0, 0)), SM_OK); /* at (1, 1)..(3, 3) */
    const struct sm_image self = {.type = SM_IMAGE_TYPE_SURFACE, .width = 1, .height = 1};
    struct sm_display_msg msg = copy_of(&self);
    msg.draw_copy.base.box = (struct sm_rect){1, 0, 8, 8};
    msg.draw_copy.src_area = (struct sm_rect){0, 0, 7, 8};
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    static const uint32_t expected[SIDE] = {0, 0, 0x55, 0x55, 0, 0, 0, 0};
    for (uint32_t x = 0; x < SIDE; x++)
        assert_int_equal(pixel(b.canvas, 0, x, 1), expected[x]);
    tear_down(&b);
}

static void senseless_commands_are_left_out(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    struct sm_display_msg msg = copy_of(colored(&s, 1, 0, 0));
    msg.draw_copy.base.surface_id = 3;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    assert_string_equal(sm_canvas_reason(b.canvas), "there is no such surface");
    msg.draw_copy.base.surface_id = UINT32_MAX;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);

    msg = copy_of(&s.image);
    msg.draw_copy.base.box.right = INT32_MAX;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0);
    msg = copy_of(&s.image);
    msg.draw_copy.base.clip.type = 9;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_ERR_PROTOCOL);
    msg = copy_of(NULL);
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_OK);
    msg.type = SM_MSG_DISPLAY_MARK;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_ERR_STATE);
    sm_check_status(sm_canvas_apply(b.canvas, &msg), SM_ERR_STATE);

    s.image.bitmap.data.size = 15; /* one byte short */
    msg = copy_of(&s.image);
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_ERR_PROTOCOL);
    s.image.bitmap.data.size = 16;
    s.image.bitmap.x = 3;
    sm_check_status(sm_canvas_draw(b.canvas, &msg, NULL), SM_ERR_PROTOCOL);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0);
    tear_down(&b);
}

static void damage_is_what_was_drawn(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    struct sm_region damage = {0};
    const struct sm_rect clip[] = {{0, 0, 2, 8}, {7, 0, 8, 8}};
    set_up(&b);
    struct sm_display_msg msg = copy_of(colored(&s, 1, 0, 0));
    msg.draw_copy.base.clip = (struct sm_clip){SM_CLIP_TYPE_RECTS, 2, clip};
    sm_check_status(sm_canvas_draw(b.canvas, &msg, &damage), SM_OK);
    assert_true(sm_rect_equal(sm_region_bounds(&damage), (struct sm_rect){1, 1, 2, 3}));
    sm_region_finish(&damage);
    tear_down(&b);
}

static enum sm_status create(struct sm_canvas *canvas, uint32_t id, uint32_t size, uint32_t format)
{
    const struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_SURFACE_CREATE,
        .surface_create = {id, size, size, format, id ? 0 : SM_SURFACE_FLAG_PRIMARY}};
    return sm_canvas_apply(canvas, &msg);
}

static void surfaces_are_bounded_and_replaced(void **state)
{
    (void)state;
    struct bench b;
    struct small_image s;
    set_up(&b);
    sm_check_status(create(b.canvas, 0, 16, SM_SURFACE_FORMAT_32_XRGB), SM_OK);
    sm_check_status(draw(b.canvas, colored(&s, 0x66, 0, 0)), SM_OK);
    sm_check_status(create(b.canvas, 0, 16, SM_SURFACE_FORMAT_32_XRGB), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0x66); /* the same primary is kept */
    sm_check_status(create(b.canvas, 0, 16, SM_SURFACE_FORMAT_32_ARGB), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0); /* another format is another surface */

    sm_check_status(create(b.canvas, 4, 16, SM_SURFACE_FORMAT_32_XRGB), SM_ERR_LIMIT);
    sm_check_status(create(b.canvas, 1, 0, SM_SURFACE_FORMAT_32_XRGB), SM_ERR_LIMIT);
    sm_check_status(create(b.canvas, 1, 16, SM_SURFACE_FORMAT_1_A), SM_ERR_LIMIT);
    sm_check_status(create(b.canvas, 1, 16, 33), SM_ERR_LIMIT);
    sm_check_status(create(b.canvas, 1, 62, SM_SURFACE_FORMAT_32_XRGB), SM_ERR_LIMIT);
    assert_null(sm_canvas_surface(b.canvas, 1));
    sm_check_status(create(b.canvas, 1, 61, SM_SURFACE_FORMAT_8_A), SM_OK);
    sm_check_status(create(b.canvas, 1, 61, SM_SURFACE_FORMAT_16_565), SM_OK); /* in its place */
    sm_check_status(create(b.canvas, 2, 12, SM_SURFACE_FORMAT_32_XRGB), SM_ERR_LIMIT);
    sm_canvas_surface_destroy(b.canvas, 1);
    sm_canvas_surface_destroy(b.canvas, 1);
    sm_check_status(create(b.canvas, 2, 12, SM_SURFACE_FORMAT_32_XRGB), SM_OK);
    tear_down(&b);
}

static void mode_makes_a_primary(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_MODE, .mode = {5, 4, 16}};
    sm_check_status(sm_canvas_apply(b.canvas, &msg), SM_OK);
    const struct sm_pixels *p = sm_surface_pixels(sm_canvas_surface(b.canvas, 0));
    assert_int_equal(p->format, SM_PIXEL_RGB555);
    assert_int_equal(p->width, 5);
    msg.mode.bits = 24;
    sm_check_status(sm_canvas_apply(b.canvas, &msg), SM_ERR_PROTOCOL);
    tear_down(&b);
}

/* What the server gives besides bytes in the message. */
struct server_side {
    const struct sm_image *image;
    struct sm_bytes chunks[3];
    size_t chunk_count;
    struct sm_pixels pixels;
};

static bool give_chunks(void *context, const struct sm_image *image, const struct sm_bytes **chunks,
                        size_t *count)
{
    struct server_side *side = context;
    if (image != side->image || side->chunk_count == 0)
        return false;
    *chunks = side->chunks;
    *count = side->chunk_count;
    return true;
}

static bool give_pixels(void *context, const struct sm_image *image, struct sm_pixels *pixels)
{
    struct server_side *side = context;
    if (image != side->image || !side->pixels.data)
        return false;
    *pixels = side->pixels;
    return true;
}

static void server_draws_chunks_into_guest_memory(void **state)
{
    (void)state;
    uint8_t memory[4 * 4 * 4 + 1] = {0};
    struct server_side side = {0};
    const struct sm_canvas_config config = {
        .max_surfaces = 1,
        .images = {.pixels = give_pixels, .chunks = give_chunks, .context = &side}};
    struct sm_canvas *canvas = NULL;
    sm_check_status(sm_canvas_create(&canvas, &config), SM_OK);
    const struct sm_pixels upside_down = {memory + 1 + 48, -16, 4, 4, SM_PIXEL_XRGB32};
    sm_check_status(sm_canvas_surface_wrap(canvas, 0, &upside_down), SM_OK);
    sm_check_status(sm_canvas_surface_wrap(canvas, 1, &upside_down), SM_ERR_LIMIT);

    struct small_image s;
    colored(&s, 0x334455, 0, SM_IMAGE_FLAG_CACHE_ME); /* without a cache that means nothing */
    const uint8_t *bytes = (const uint8_t *)s.pixels;
    side.image = &s.image;
    s.image.bitmap.data = (struct sm_bytes){0};
    side.chunks[0] = (struct sm_bytes){bytes, 5};
    side.chunks[1] = (struct sm_bytes){bytes + 5, 3};
    side.chunks[2] = (struct sm_bytes){bytes + 8, 8};
    side.chunk_count = 3;
    sm_check_status(draw(canvas, &s.image), SM_OK);
    assert_int_equal(pixel(canvas, 0, 2, 2), 0x334455);
    side.chunks[2].size = 7;
    sm_check_status(draw(canvas, &s.image), SM_ERR_PROTOCOL);
    side.chunks[0] = (struct sm_bytes){bytes, 16};
    side.chunk_count = 1;
    s.pixels[0] = 0x99; /* bottom left */
    sm_check_status(draw(canvas, &s.image), SM_OK);
    assert_int_equal(pixel(canvas, 0, 1, 2), 0x99);

    uint32_t decoded[4] = {1, 2, 3, 4};
    side.pixels = (struct sm_pixels){(uint8_t *)decoded, 8, 2, 2, SM_PIXEL_XRGB32};
    sm_check_status(draw(canvas, &s.image), SM_OK);
    assert_int_equal(pixel(canvas, 0, 2, 1), 2);
    assert_int_equal(memory[1 + 32 + 8], 2); /* row 1 lies second to last */
    sm_canvas_destroy(canvas);
}

static void frames_are_scaled_and_clipped(void **state)
{
    (void)state;
    struct bench b;
    uint32_t pixels[4] = {0xff000001, 0xff000002, 0xff000003, 0xff000004};
    const struct sm_pixels frame = {(uint8_t *)pixels, 8, 2, 2, SM_PIXEL_XRGB32};
    const struct sm_rect rects[] = {{0, 0, 3, 4}};
    const struct sm_clip clip = {SM_CLIP_TYPE_RECTS, 1, rects};
    struct sm_region damage = {0};
    set_up(&b);
    sm_check_status(
        sm_canvas_blit(b.canvas, 0, (struct sm_rect){0, 0, 4, 4}, &clip, &frame, &damage), SM_OK);
    assert_int_equal(pixel(b.canvas, 0, 1, 1), 0xff000001);
    assert_int_equal(pixel(b.canvas, 0, 2, 3), 0xff000004);
    assert_int_equal(pixel(b.canvas, 0, 3, 3), 0);
    assert_int_equal(sm_region_area(&damage), 12);
    sm_check_status(sm_canvas_blit(b.canvas, 3, rects[0], NULL, &frame, &damage), SM_OK);
    assert_true(sm_region_is_empty(&damage));
    sm_check_status(sm_canvas_blit(b.canvas, 0, (struct sm_rect){4, 4, 4, 0}, NULL, &frame, NULL),
                    SM_OK);
    tear_down(&b);
}

/* A little of everything that allocates. */
static void draw_all(void *context)
{
    (void)context;
    struct sm_image_cache *cache = NULL;
    struct sm_canvas *canvas = NULL;
    struct small_image s;
    const struct sm_image_cache_config cache_config = {.max_pixels = 1000};
    if (sm_image_cache_create(&cache, &cache_config) != SM_OK)
        return;
    const struct sm_canvas_config config = {
        .max_surfaces = 2, .max_pixels = MAX_PIXELS, .cache = cache};
    const uint32_t entries[] = {1, 2};
    const struct sm_palette palette = {.unique = 6, .num_ents = 2, .ents = entries};
    struct sm_image palette_image = indexed(&palette, SM_BITMAP_FLAG_PAL_CACHE_ME);
    const struct sm_image self = {.type = SM_IMAGE_TYPE_SURFACE, .width = 1, .height = 1};
    struct sm_region damage = {0};
    if (sm_canvas_create(&canvas, &config) == SM_OK &&
        sm_canvas_surface_create(canvas, 0, SM_SURFACE_FORMAT_16_555, SIDE, SIDE) == SM_OK &&
        draw(canvas, colored(&s, 1, 1, SM_IMAGE_FLAG_CACHE_ME)) == SM_OK &&
        draw(canvas, &palette_image) == SM_OK && draw(canvas, &self) == SM_OK) {
        struct sm_display_msg msg = copy_of(colored(&s, 1, 1, 0));
        const struct sm_rect clip[] = {{1, 1, 2, 2}, {2, 2, 3, 3}, {0, 2, 2, 3}};
        msg.draw_copy.base.clip = (struct sm_clip){SM_CLIP_TYPE_RECTS, 3, clip};
        enum sm_status status = sm_canvas_draw(canvas, &msg, &damage);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    }
    sm_region_finish(&damage);
    sm_canvas_destroy(canvas);
    sm_image_cache_destroy(cache);
}

static void canvas_survives_every_failed_allocation(void **state)
{
    (void)state;
    sm_failmalloc_each(draw_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_image_is_found_by_its_id),
        cmocka_unit_test(image_added_twice_needs_two_removals),
        cmocka_unit_test(missing_image_is_awaited),
        cmocka_unit_test(waiting_message_caches_its_images_once),
        cmocka_unit_test(lossless_use_waits_for_the_replacement),
        cmocka_unit_test(cache_has_a_ceiling),
        cmocka_unit_test(cache_finds_thousands),
        cmocka_unit_test(hidden_image_is_cached),
        cmocka_unit_test(palettes_are_kept_until_withdrawn),
        cmocka_unit_test(masks_and_pictures_do_not_mix),
        cmocka_unit_test(high_bits_are_set_before_caching),
        cmocka_unit_test(surface_can_be_its_own_source),
        cmocka_unit_test(senseless_commands_are_left_out),
        cmocka_unit_test(damage_is_what_was_drawn),
        cmocka_unit_test(surfaces_are_bounded_and_replaced),
        cmocka_unit_test(mode_makes_a_primary),
        cmocka_unit_test(server_draws_chunks_into_guest_memory),
        cmocka_unit_test(frames_are_scaled_and_clipped),
        cmocka_unit_test(canvas_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
