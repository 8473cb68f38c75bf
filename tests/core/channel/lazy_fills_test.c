/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "core/channel/canvas/canvas.h"

enum {
    WIDTH = 320,
    HEIGHT = 200,
    ROUNDS = 4000,
    RED = 0xff0000,
    GREEN = 0x00ff00,
    BLUE = 0x0000ff
};

static const struct sm_rect ALL = {0, 0, WIDTH, HEIGHT};

static struct sm_canvas *canvas_of(bool is_lazy)
{
    const struct sm_canvas_config config = {
        .max_surfaces = 2, .max_pixels = 2 * WIDTH * HEIGHT, .has_lazy_fills = is_lazy};
    struct sm_canvas *canvas = NULL;
    sm_check_status(sm_canvas_create(&canvas, &config), SM_OK);
    for (uint32_t id = 0; id < 2; id++)
        sm_check_status(
            sm_canvas_surface_create(canvas, id, SM_SURFACE_FORMAT_32_XRGB, WIDTH, HEIGHT), SM_OK);
    return canvas;
}

static uint32_t pixel(const struct sm_canvas *canvas, uint32_t x, uint32_t y)
{
    uint32_t value;
    const uint8_t *row = sm_pixels_row(sm_surface_pixels(sm_canvas_surface(canvas, 0)), y);
    memcpy(&value, row + (size_t)4 * x, sizeof(value));
    return value;
}

static struct sm_display_msg fill_of(struct sm_rect box, uint32_t color)
{
    return (struct sm_display_msg){
        .type = SM_MSG_DISPLAY_DRAW_FILL,
        .draw_fill = {.base = {.box = box},
                      .brush = {.type = SM_BRUSH_TYPE_SOLID, .color = color},
                      .ropd = SM_ROPD_OP_PUT},
    };
}

static void fill(struct sm_canvas *canvas, struct sm_rect box, uint32_t color)
{
    const struct sm_display_msg msg = fill_of(box, color);
    sm_check_status(sm_canvas_draw(canvas, &msg, NULL), SM_OK);
}

static struct sm_display_msg move_of(struct sm_rect box, int32_t from_x, int32_t from_y)
{
    return (struct sm_display_msg){
        .type = SM_MSG_DISPLAY_COPY_BITS,
        .copy_bits = {.base = {.box = box}, .src_pos = {from_x, from_y}}};
}

static void fill_waits_until_somebody_looks(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    fill(canvas, ALL, RED);
    assert_int_equal(pixel(canvas, 5, 5), 0); /* if not, this test file tests nothing */
    sm_canvas_settle(canvas);
    assert_int_equal(pixel(canvas, 5, 5), RED);
    assert_int_equal(pixel(canvas, WIDTH - 1, HEIGHT - 1), RED);
    sm_canvas_settle(canvas);
    sm_canvas_destroy(canvas);
}

static void fill_that_waits_is_told(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    struct sm_canvas_fill fills[SM_CANVAS_FILLS_MAX];
    assert_int_equal(sm_canvas_fills(canvas, 0, fills), 0);
    fill(canvas, (struct sm_rect){-5, 10, 100, 90}, RED); /* what is outside does not count */
    assert_int_equal(sm_canvas_fills(canvas, 0, fills), 1);
    assert_true(sm_rect_equal(fills[0].rect, (struct sm_rect){0, 10, 100, 90}));
    assert_int_equal(fills[0].color, RED);
    assert_int_equal(sm_canvas_fills(canvas, 1, fills), 0);
    assert_int_equal(sm_canvas_fills(canvas, 77, fills), 0);
    assert_int_equal(pixel(canvas, 5, 20), 0);
    sm_canvas_settle(canvas);
    assert_int_equal(sm_canvas_fills(canvas, 0, fills), 0);
    sm_canvas_destroy(canvas);
}

static void fill_is_told_of_at_once(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    const struct sm_display_msg msg = fill_of(ALL, RED);
    struct sm_region damage = {0};
    sm_check_status(sm_canvas_draw(canvas, &msg, &damage), SM_OK);
    assert_true(sm_rect_equal(sm_region_bounds(&damage), ALL));
    sm_region_finish(&damage);
    sm_canvas_destroy(canvas);
}

static void later_fill_wins(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    fill(canvas, ALL, RED);
    fill(canvas, (struct sm_rect){100, 50, 200, 150}, GREEN);
    fill(canvas, (struct sm_rect){150, 100, 151, 101}, BLUE); /* small: painted at once */
    sm_canvas_settle(canvas);
    assert_int_equal(pixel(canvas, 99, 50), RED);
    assert_int_equal(pixel(canvas, 100, 50), GREEN);
    assert_int_equal(pixel(canvas, 199, 149), GREEN);
    assert_int_equal(pixel(canvas, 200, 149), RED);
    assert_int_equal(pixel(canvas, 150, 100), BLUE);
    assert_int_equal(pixel(canvas, 151, 100), GREEN);
    sm_canvas_destroy(canvas);
}

static void what_is_moved_is_painted_before(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    fill(canvas, (struct sm_rect){0, 0, 100, 100}, RED);
    const struct sm_display_msg move = move_of((struct sm_rect){150, 0, 250, 100}, 0, 0);
    sm_check_status(sm_canvas_draw(canvas, &move, NULL), SM_OK);
    assert_int_equal(pixel(canvas, 150, 0), RED);
    assert_int_equal(pixel(canvas, 249, 99), RED);
    sm_canvas_destroy(canvas);
}

static void surface_that_goes_takes_its_fills(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    fill(canvas, ALL, RED);
    sm_check_status(sm_canvas_surface_create(canvas, 0, SM_SURFACE_FORMAT_32_XRGB, 8, 8), SM_OK);
    sm_canvas_settle(canvas);
    assert_int_equal(pixel(canvas, 7, 7), 0);
    sm_canvas_surface_destroy(canvas, 0);
    sm_canvas_settle(canvas);
    sm_canvas_destroy(canvas);
}

static void reset_leaves_black(void **state)
{
    (void)state;
    struct sm_canvas *canvas = canvas_of(true);
    const struct sm_display_msg primary = {
        .type = SM_MSG_DISPLAY_SURFACE_CREATE,
        .surface_create = {.width = WIDTH,
                           .height = HEIGHT,
                           .format = SM_SURFACE_FORMAT_32_XRGB,
                           .flags = SM_SURFACE_FLAG_PRIMARY},
    };
    const struct sm_display_msg reset = {.type = SM_MSG_DISPLAY_RESET};
    sm_check_status(sm_canvas_apply(canvas, &primary), SM_OK);
    fill(canvas, ALL, RED);
    sm_check_status(sm_canvas_apply(canvas, &reset), SM_OK);
    sm_canvas_settle(canvas);
    assert_int_equal(pixel(canvas, 5, 5), 0);
    sm_canvas_destroy(canvas);
}

/* ---- the same drawings, with and without ---- */

struct picture {
    uint32_t pixels[64 * 64];
    struct sm_image image;
    struct sm_rect clips[2];
};

static struct sm_rect random_rect(struct sm_test_random *r)
{
    int32_t left = (int32_t)(sm_test_random_next(r) % (WIDTH + 40)) - 20;
    int32_t top = (int32_t)(sm_test_random_next(r) % (HEIGHT + 40)) - 20;
    return (struct sm_rect){left, top, left + (int32_t)(sm_test_random_next(r) % 160),
                            top + (int32_t)(sm_test_random_next(r) % 100)};
}

static struct sm_display_msg random_copy(struct sm_test_random *r, struct picture *p)
{
    uint32_t width = 1 + sm_test_random_next(r) % 64, height = 1 + sm_test_random_next(r) % 64;
    for (size_t i = 0; i < (size_t)width * height; i++)
        p->pixels[i] = sm_test_random_next(r) & 0xffffff;
    p->image = (struct sm_image){
        .width = width,
        .height = height,
        .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                   .flags = SM_BITMAP_FLAG_TOP_DOWN,
                   .x = width,
                   .y = height,
                   .stride = width * 4,
                   .data = {(const uint8_t *)p->pixels, (size_t)width * height * 4}},
    };
    struct sm_rect box = random_rect(r);
    if (sm_test_random_next(r) % 8 > 0) { /* else it is scaled */
        box.right = box.left + (int32_t)width;
        box.bottom = box.top + (int32_t)height;
    }
    return (struct sm_display_msg){
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.base = {.box = box},
                      .src_bitmap = &p->image,
                      .src_area = {0, 0, (int32_t)width, (int32_t)height},
                      .ropd = sm_test_random_next(r) % 8 > 0 ? SM_ROPD_OP_PUT : SM_ROPD_OP_XOR},
    };
}

/* From one surface to the other, or to itself. */
static struct sm_display_msg random_surface_copy(struct sm_test_random *r, struct picture *p)
{
    p->image = (struct sm_image){.type = SM_IMAGE_TYPE_SURFACE,
                                 .width = WIDTH,
                                 .height = HEIGHT,
                                 .surface_id = sm_test_random_next(r) % 2};
    struct sm_rect box = random_rect(r);
    struct sm_rect area = {0, 0, box.right - box.left, box.bottom - box.top};
    return (struct sm_display_msg){.type = SM_MSG_DISPLAY_DRAW_COPY,
                                   .draw_copy = {.base = {.box = box},
                                                 .src_bitmap = &p->image,
                                                 .src_area = area,
                                                 .ropd = SM_ROPD_OP_PUT}};
}

static struct sm_display_msg random_message(struct sm_test_random *r, struct picture *p)
{
    struct sm_display_msg msg;
    switch (sm_test_random_next(r) % 12) {
    case 0:
        msg = move_of(random_rect(r), (int32_t)(sm_test_random_next(r) % WIDTH) - 20,
                      (int32_t)(sm_test_random_next(r) % HEIGHT) - 20);
        break;
    case 1:
        msg = (struct sm_display_msg){.type = SM_MSG_DISPLAY_DRAW_INVERS,
                                      .draw_invers = {.base = {.box = random_rect(r)}}};
        break;
    case 2:
        msg = random_surface_copy(r, p);
        break;
    case 3:
    case 4:
    case 5:
        msg = random_copy(r, p);
        break;
    default:
        msg = fill_of(random_rect(r), sm_test_random_next(r) & 0xffffff);
        if (sm_test_random_next(r) % 8 == 0)
            msg.draw_fill.ropd = SM_ROPD_OP_XOR;
    }
    struct sm_display_base *base = &msg.draw_fill.base; /* all begin with theirs */
    base->surface_id = sm_test_random_next(r) % 4 == 0;
    if (sm_test_random_next(r) % 6 == 0) {
        p->clips[0] = random_rect(r);
        p->clips[1] = random_rect(r);
        base->clip =
            (struct sm_clip){.type = SM_CLIP_TYPE_RECTS, .num_rects = 2, .rects = p->clips};
    }
    return msg;
}

/* What waits, painted by somebody else: nothing is painted on the canvas. */
static void check_told(const struct sm_canvas *lazy, const struct sm_canvas *plain)
{
    static uint32_t shown[HEIGHT][WIDTH];
    for (uint32_t id = 0; id < 2; id++) {
        const struct sm_pixels *from = sm_surface_pixels(sm_canvas_surface(lazy, id));
        for (uint32_t y = 0; y < HEIGHT; y++)
            memcpy(shown[y], sm_pixels_row(from, y), sizeof(shown[y]));
        struct sm_canvas_fill fills[SM_CANVAS_FILLS_MAX];
        size_t count = sm_canvas_fills(lazy, id, fills);
        for (size_t i = 0; i < count; i++)
            for (int32_t y = fills[i].rect.top; y < fills[i].rect.bottom; y++)
                for (int32_t x = fills[i].rect.left; x < fills[i].rect.right; x++)
                    shown[y][x] = fills[i].color;
        const struct sm_pixels *wanted = sm_surface_pixels(sm_canvas_surface(plain, id));
        for (uint32_t y = 0; y < HEIGHT; y++)
            assert_memory_equal(shown[y], sm_pixels_row(wanted, y), sizeof(shown[y]));
    }
}

static void check_same(struct sm_canvas *lazy, const struct sm_canvas *plain)
{
    check_told(lazy, plain);
    sm_canvas_settle(lazy);
    for (uint32_t id = 0; id < 2; id++) {
        const struct sm_pixels *a = sm_surface_pixels(sm_canvas_surface(lazy, id));
        const struct sm_pixels *b = sm_surface_pixels(sm_canvas_surface(plain, id));
        for (uint32_t y = 0; y < HEIGHT; y++)
            assert_memory_equal(sm_pixels_row(a, y), sm_pixels_row(b, y), (size_t)WIDTH * 4);
    }
}

static void what_is_seen_is_the_same(void **state)
{
    (void)state;
    struct sm_test_random random = {2026};
    struct sm_canvas *lazy = canvas_of(true), *plain = canvas_of(false);
    struct picture picture;
    for (int i = 0; i < ROUNDS; i++) {
        const struct sm_display_msg msg = random_message(&random, &picture);
        sm_check_status(sm_canvas_draw(plain, &msg, NULL), SM_OK);
        sm_check_status(sm_canvas_draw(lazy, &msg, NULL), SM_OK);
        if (sm_test_random_next(&random) % 16 == 0)
            check_same(lazy, plain);
        else if (sm_test_random_next(&random) % 16 == 0)
            check_told(lazy, plain);
    }
    check_same(lazy, plain);
    sm_canvas_destroy(lazy);
    sm_canvas_destroy(plain);
}

/* More fills than can wait, and then one below them all. */
static void more_fills_than_can_wait(void **state)
{
    (void)state;
    struct sm_canvas *lazy = canvas_of(true), *plain = canvas_of(false);
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < 200; i++) {
            struct sm_rect box = {i % 10 * 32, i / 10 * 10, i % 10 * 32 + 32, i / 10 * 10 + 40};
            fill(lazy, box, (uint32_t)i * 997);
            fill(plain, box, (uint32_t)i * 997);
        }
        check_same(lazy, plain);
        fill(lazy, ALL, BLUE);
        fill(plain, ALL, BLUE);
    }
    check_same(lazy, plain);
    sm_canvas_destroy(lazy);
    sm_canvas_destroy(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_waits_until_somebody_looks),
        cmocka_unit_test(fill_that_waits_is_told),
        cmocka_unit_test(fill_is_told_of_at_once),
        cmocka_unit_test(later_fill_wins),
        cmocka_unit_test(what_is_moved_is_painted_before),
        cmocka_unit_test(surface_that_goes_takes_its_fills),
        cmocka_unit_test(reset_leaves_black),
        cmocka_unit_test(what_is_seen_is_the_same),
        cmocka_unit_test(more_fills_than_can_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
