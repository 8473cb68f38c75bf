/* SPDX-License-Identifier: MIT */
/* A picture is found where it is, and nowhere else. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "cli/search.h"

enum { WIDTH = 40, HEIGHT = 30, STRIDE = WIDTH * 4 };

static const struct sm_rect ALL = {0, 0, WIDTH, HEIGHT};

/* A ground with a block of 3 × 2 colours at (x, y). */
static void paint(uint8_t *pixels, uint32_t x, uint32_t y, uint8_t shade)
{
    for (uint32_t row = 0; row < 2; row++)
        for (uint32_t column = 0; column < 3; column++) {
            uint8_t *p = pixels + (y + row) * STRIDE + (x + column) * 4;
            p[0] = (uint8_t)(shade + 10 * column);
            p[1] = (uint8_t)(shade + 30 * row);
            p[2] = shade;
            p[3] = 0; /* of no meaning on a screen */
        }
}

static struct cli_pattern make_pattern(uint8_t shade)
{
    static uint8_t pixels[WIDTH * HEIGHT * 4], cut[3 * 2 * 4];
    paint(pixels, 0, 0, shade);
    for (uint32_t i = 0; i < 6; i++) {
        memcpy(cut + (size_t)i * 4, pixels + i / 3 * STRIDE + (size_t)(i % 3) * 4, 4);
        cut[i * 4 + 3] = 255;
    }
    struct cli_pattern pattern = {.pixels = cut, .width = 3, .height = 2};
    cli_pattern_prepare(&pattern);
    return pattern;
}

static bool find(const struct cli_pattern *pattern, const uint8_t *pixels, struct sm_rect region,
                 uint32_t tolerance, struct sm_point *at)
{
    struct sm_bytes copy = sm_test_copy(pixels, (size_t)STRIDE * HEIGHT);
    bool is_found = cli_search(pattern, copy.data, STRIDE, region, tolerance, at);
    sm_test_free_copies();
    return is_found;
}

static void it_is_found_everywhere_it_fits(void **state)
{
    (void)state;
    struct cli_pattern pattern = make_pattern(100);
    for (uint32_t y = 0; y + 2 <= HEIGHT; y++)
        for (uint32_t x = 0; x + 3 <= WIDTH; x++) {
            uint8_t pixels[STRIDE * HEIGHT] = {0};
            struct sm_point at;
            paint(pixels, x, y, 100);
            assert_true(find(&pattern, pixels, ALL, 0, &at));
            assert_true(at.x == (int32_t)x && at.y == (int32_t)y);
        }
}

static void colours_may_differ_by_the_tolerance_and_no_more(void **state)
{
    (void)state;
    struct cli_pattern pattern = make_pattern(100);
    uint8_t pixels[STRIDE * HEIGHT] = {0};
    struct sm_point at = {-1, -1};
    paint(pixels, 5, 6, 104);
    assert_false(find(&pattern, pixels, ALL, 0, &at));
    assert_false(find(&pattern, pixels, ALL, 3, &at));
    assert_int_equal(at.x, -1);
    assert_true(find(&pattern, pixels, ALL, 4, &at));
    assert_true(at.x == 5 && at.y == 6);
}

static void all_of_it_has_to_be_in_the_region(void **state)
{
    (void)state;
    struct cli_pattern pattern = make_pattern(100);
    uint8_t pixels[STRIDE * HEIGHT] = {0};
    struct sm_point at;
    paint(pixels, 5, 6, 100);
    assert_true(find(&pattern, pixels, (struct sm_rect){5, 6, 8, 8}, 0, &at));
    assert_false(find(&pattern, pixels, (struct sm_rect){6, 6, 40, 30}, 0, &at));
    assert_false(find(&pattern, pixels, (struct sm_rect){0, 0, 7, 30}, 0, &at));
    assert_false(find(&pattern, pixels, (struct sm_rect){0, 0, 40, 7}, 0, &at));
    assert_false(find(&pattern, pixels, (struct sm_rect){0, 0, 2, 1}, 0, &at));
}

static void transparent_pixels_may_be_anything(void **state)
{
    (void)state;
    struct cli_pattern pattern = make_pattern(100);
    uint8_t pixels[STRIDE * HEIGHT] = {0};
    struct sm_point at;
    paint(pixels, 5, 6, 100);
    pixels[6 * STRIDE + 6 * 4] = 77;
    assert_false(find(&pattern, pixels, ALL, 0, &at));
    pattern.pixels[4 + 3] = 0;
    cli_pattern_prepare(&pattern);
    assert_true(find(&pattern, pixels, ALL, 0, &at));
    pattern.pixels[4 + 3] = 255;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_found_everywhere_it_fits),
        cmocka_unit_test(colours_may_differ_by_the_tolerance_and_no_more),
        cmocka_unit_test(all_of_it_has_to_be_in_the_region),
        cmocka_unit_test(transparent_pixels_may_be_anything),
    };
    return cmocka_run_group_tests_name("cli search", tests, NULL, NULL);
}
