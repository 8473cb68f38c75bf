/* SPDX-License-Identifier: MIT */
/* A large copy in bands draws the same pixels as the copy itself. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "server/display/draw_bands.h"

enum { WIDTH = 1024, HEIGHT = 1000, SURFACE_HEIGHT = 1100, LEFT = 7, TOP = 11 };

static uint32_t pixels[WIDTH * HEIGHT];
static struct sm_image image;
static struct sm_display_msg msg;

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = i;
    image = (struct sm_image){
        .type = SM_IMAGE_TYPE_BITMAP,
        .width = WIDTH,
        .height = HEIGHT,
        .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                   .flags = SM_BITMAP_FLAG_TOP_DOWN,
                   .x = WIDTH,
                   .y = HEIGHT,
                   .stride = WIDTH * 4,
                   .data = {.data = (const uint8_t *)pixels, .size = sizeof(pixels)}},
    };
    msg = (struct sm_display_msg){.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = (struct sm_rect){LEFT, TOP, LEFT + 400, TOP + 900};
    msg.draw_copy.src_area = (struct sm_rect){20, 30, 420, 930};
    msg.draw_copy.src_bitmap = &image;
    return 0;
}

/* The pixel that a message puts at a place; UINT32_MAX if it draws nothing there. */
static uint32_t pixel_at(const struct sm_display_msg *drawing, int32_t x, int32_t y)
{
    const struct sm_rect box = drawing->draw_copy.base.box, from = drawing->draw_copy.src_area;
    if (x < box.left || x >= box.right || y < box.top || y >= box.bottom)
        return UINT32_MAX;
    const struct sm_bitmap *bitmap = &drawing->draw_copy.src_bitmap->bitmap;
    uint32_t row = (uint32_t)(y - box.top + from.top),
             column = (uint32_t)(x - box.left + from.left);
    assert_true(row < bitmap->y && column < bitmap->x);
    if (!(bitmap->flags & SM_BITMAP_FLAG_TOP_DOWN))
        row = bitmap->y - 1 - row;
    size_t at = (size_t)row * bitmap->stride + 4 * (size_t)column;
    assert_true(at + 4 <= bitmap->data.size);
    uint32_t pixel;
    memcpy(&pixel, bitmap->data.data + at, 4);
    return pixel;
}

static void check_bands(void)
{
    struct sm_band bands[SM_BANDS_MAX];
    uint32_t count = sm_draw_bands_plan(bands, &msg);
    assert_in_range(count, 2, SM_BANDS_MAX);
    for (int32_t y = 0; y < SURFACE_HEIGHT; y++) {
        for (int32_t x = 0; x < WIDTH; x += 101) {
            uint32_t drawn = 0, found = UINT32_MAX;
            for (uint32_t i = 0; i < count; i++) {
                struct sm_display_msg band;
                struct sm_image rows;
                sm_draw_bands_cut(&msg, bands[i], &band, &rows);
                uint32_t pixel = pixel_at(&band, x, y);
                drawn += pixel != UINT32_MAX;
                found = pixel != UINT32_MAX ? pixel : found;
            }
            assert_int_equal(found, pixel_at(&msg, x, y));
            assert_true(drawn <= 1);
        }
    }
}

static void bands_draw_what_the_copy_draws(void **state)
{
    (void)state;
    check_bands();
    image.bitmap.flags = 0; /* bottom row first */
    check_bands();
}

static void only_plain_large_copies_are_cut(void **state)
{
    (void)state;
    struct sm_band bands[SM_BANDS_MAX];
    msg.draw_copy.src_area.right--; /* scaled */
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    msg.draw_copy.src_area = (struct sm_rect){20, 101, 420, 1001}; /* beyond the image */
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    msg.draw_copy.src_area = (struct sm_rect){20, 30, 420, 930};
    msg.draw_copy.mask.bitmap = &image;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    msg.draw_copy.mask.bitmap = NULL;
    image.type = SM_IMAGE_TYPE_QUIC;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    image.type = SM_IMAGE_TYPE_BITMAP;
    image.bitmap.data.size--;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    image.bitmap.data.size++;
    msg.draw_copy.base.box.bottom = TOP + 20;
    msg.draw_copy.src_area.bottom = 50;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1); /* small */
    msg.draw_copy.src_bitmap = NULL;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
    msg.type = SM_MSG_DISPLAY_DRAW_FILL;
    assert_int_equal(sm_draw_bands_plan(bands, &msg), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bands_draw_what_the_copy_draws, set_up),
        cmocka_unit_test_setup(only_plain_large_copies_are_cut, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
