/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "viewer/canvas.h"

enum { WIDTH = 40, HEIGHT = 30 };

static struct sm_canvas *make_canvas(void)
{
    struct sm_canvas *canvas = sm_canvas_create(WIDTH, HEIGHT);
    assert_non_null(canvas);
    sm_canvas_clear(canvas, (struct sm_rect){0});
    return canvas;
}

static uint32_t pixel_at(const uint8_t *pixels, size_t stride_bytes, int x, int y)
{
    uint32_t pixel;
    memcpy(&pixel, pixels + (size_t)y * stride_bytes + (size_t)x * sizeof(pixel), sizeof(pixel));
    return pixel;
}

static uint32_t canvas_pixel(const struct sm_canvas *canvas, int x, int y)
{
    return pixel_at(canvas->pixels, canvas->stride_bytes, x, y);
}

static void put_pixel(struct sm_canvas *canvas, int x, int y, uint32_t pixel)
{
    const struct sm_display_view view = {.pixels = (const uint8_t *)&pixel,
                                         .stride_bytes = sizeof(pixel)};
    sm_canvas_copy(canvas, (struct sm_rect){x, y, x + 1, y + 1},
                   &(struct sm_canvas_source){&view, -x, -y});
}

/* What a node of the toolkit does; (x, y) of the canvas is its upper left pixel. */
static cairo_surface_t *record(struct sm_canvas *canvas, int x, int y)
{
    cairo_surface_t *recording =
        cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &(cairo_rectangle_t){0, 0, 8, 8});
    cairo_t *cr = cairo_create(recording);
    sm_canvas_record(canvas, x, y, cr);
    cairo_destroy(cr);
    return recording;
}

/* The upper left pixel of what is played. */
static uint32_t play(cairo_surface_t *recording)
{
    cairo_surface_t *target = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 8, 8);
    cairo_t *cr = cairo_create(target);
    cairo_set_source_surface(cr, recording, 0, 0);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(target);
    uint32_t pixel = pixel_at(cairo_image_surface_get_data(target), 32, 0, 0);
    cairo_surface_destroy(target);
    return pixel;
}

static void a_recording_shows_what_is_on_the_canvas_when_it_is_played(void **state)
{
    (void)state;
    struct sm_canvas *canvas = make_canvas();
    put_pixel(canvas, 16, 9, 0x112233);
    cairo_surface_t *one = record(canvas, 16, 9), *other = record(canvas, 17, 9);
    assert_int_equal(play(one), 0xff112233);
    assert_int_equal(play(other), 0xff000000);
    put_pixel(canvas, 16, 9, 0x445566);
    put_pixel(canvas, 17, 9, 0x778899);
    assert_int_equal(play(one), 0xff445566);
    assert_int_equal(play(other), 0xff778899);
    cairo_surface_destroy(one); /* which must not make a copy for the other */
    put_pixel(canvas, 17, 9, 0xaabbcc);
    assert_int_equal(play(other), 0xffaabbcc);
    cairo_surface_destroy(other);
    sm_canvas_unref(canvas);
}

static void a_recording_holds_the_canvas(void **state)
{
    (void)state;
    struct sm_canvas *canvas = make_canvas();
    put_pixel(canvas, 3, 4, 0x112233);
    cairo_surface_t *recording = record(canvas, 3, 4);
    sm_canvas_unref(canvas);
    assert_int_equal(play(recording), 0xff112233);
    cairo_surface_destroy(recording);
}

static void clearing_keeps_the_rectangle_it_is_told_to(void **state)
{
    (void)state;
    struct sm_canvas *canvas = make_canvas();
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            put_pixel(canvas, x, y, 0x123456);
    struct sm_rect kept = {10, 5, 30, 20};
    sm_canvas_clear(canvas, kept);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            bool is_kept = x >= kept.left && x < kept.right && y >= kept.top && y < kept.bottom;
            assert_int_equal(canvas_pixel(canvas, x, y), is_kept ? 0xff123456 : 0xff000000);
        }
    sm_canvas_clear(canvas, (struct sm_rect){0});
    assert_int_equal(canvas_pixel(canvas, 12, 12), 0xff000000);
    sm_canvas_unref(canvas);
}

enum { ROUNDS = 300, FILLS = 12, GUEST_WIDTH = 100, GUEST_HEIGHT = 80 };

/* A guest's pixels, and what they would be with the fills painted. */
struct guest {
    uint32_t pixels[GUEST_HEIGHT][GUEST_WIDTH], painted[GUEST_HEIGHT][GUEST_WIDTH];
    struct sm_display_fill fills[FILLS];
    struct sm_display_view view;
};

static bool is_free(const struct guest *guest, struct sm_rect rect)
{
    for (size_t i = 0; i < guest->view.fill_count; i++)
        if (!sm_rect_is_empty(sm_rect_intersect(rect, guest->fills[i].area)))
            return false;
    return true;
}

static struct sm_rect random_rect(struct sm_test_random *random, int width, int height)
{
    int left = (int)(sm_test_random_next(random) % (unsigned)width);
    int top = (int)(sm_test_random_next(random) % (unsigned)height);
    return (struct sm_rect){
        left, top, left + 1 + (int)(sm_test_random_next(random) % (unsigned)(width - left)),
        top + 1 + (int)(sm_test_random_next(random) % (unsigned)(height - top))};
}

static void make_guest(struct guest *guest, struct sm_test_random *random)
{
    for (size_t y = 0; y < GUEST_HEIGHT; y++)
        for (size_t x = 0; x < GUEST_WIDTH; x++)
            guest->pixels[y][x] = guest->painted[y][x] = sm_test_random_next(random);
    guest->view = (struct sm_display_view){.pixels = (const uint8_t *)guest->pixels,
                                           .stride_bytes = sizeof(guest->pixels[0]),
                                           .width = GUEST_WIDTH,
                                           .height = GUEST_HEIGHT,
                                           .fills = guest->fills};
    for (int tries = 0; tries < 3 * FILLS && guest->view.fill_count < FILLS; tries++) {
        struct sm_rect rect = random_rect(random, GUEST_WIDTH, GUEST_HEIGHT);
        if (!is_free(guest, rect))
            continue;
        uint32_t pixel = sm_test_random_next(random);
        guest->fills[guest->view.fill_count++] = (struct sm_display_fill){rect, pixel};
        for (int y = rect.top; y < rect.bottom; y++)
            for (int x = rect.left; x < rect.right; x++)
                guest->painted[y][x] = pixel;
    }
}

static void what_a_display_leaves_to_fill_is_filled(void **state)
{
    (void)state;
    struct sm_test_random random = {17};
    struct sm_canvas *canvas = make_canvas();
    static struct guest guest;
    for (int round = 0; round < ROUNDS; round++) {
        make_guest(&guest, &random);
        struct sm_canvas_source from = {
            &guest.view, (int)(sm_test_random_next(&random) % (GUEST_WIDTH - WIDTH + 1)),
            (int)(sm_test_random_next(&random) % (GUEST_HEIGHT - HEIGHT + 1))};
        struct sm_rect rect = random_rect(&random, WIDTH, HEIGHT);
        sm_canvas_clear(canvas, (struct sm_rect){0});
        sm_canvas_copy(canvas, rect, &from);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                bool is_in = x >= rect.left && x < rect.right && y >= rect.top && y < rect.bottom;
                uint32_t wanted = is_in ? guest.painted[y + from.y][x + from.x] : 0;
                assert_int_equal(canvas_pixel(canvas, x, y), wanted | 0xff000000u);
            }
        assert_false(sm_canvas_differs(canvas, rect, &from));
        int x =
            rect.left + (int)(sm_test_random_next(&random) % (unsigned)(rect.right - rect.left));
        int y = rect.top + (int)(sm_test_random_next(&random) % (unsigned)(rect.bottom - rect.top));
        put_pixel(canvas, x, y, canvas_pixel(canvas, x, y) ^ 0x010000);
        assert_true(sm_canvas_differs(canvas, rect, &from));
    }
    sm_canvas_unref(canvas);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    assert_null(sm_canvas_create(0, 10));
    assert_null(sm_canvas_create(10, -1));
    assert_null(sm_canvas_create(INT32_MAX, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_shows_what_is_on_the_canvas_when_it_is_played),
        cmocka_unit_test(a_recording_holds_the_canvas),
        cmocka_unit_test(clearing_keeps_the_rectangle_it_is_told_to),
        cmocka_unit_test(what_a_display_leaves_to_fill_is_filled),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
