/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "media/libs.h"

enum { WIDTH = 33, HEIGHT = 21 };

static void draw(uint32_t *pixels)
{
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = (i % WIDTH * 7) << 16 | (i / WIDTH * 11) << 8 | 0x40;
}

static struct sm_bytes encode_jpeg(void *state, const uint32_t *pixels)
{
    struct sm_pixels in = {(uint8_t *)(uintptr_t)pixels, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    struct sm_bytes file;
    sm_check_status(sm_media_jpeg.encode(state, &in, 90, SM_JPEG_ACCURATE, &file), SM_OK);
    return file;
}

static void jpeg_survives_every_truncation(void **state)
{
    (void)state;
    uint32_t pixels[WIDTH * HEIGHT], decoded[WIDTH * HEIGHT];
    draw(pixels);
    void *jpeg = sm_media_jpeg.create();
    assert_non_null(jpeg);
    struct sm_bytes file = encode_jpeg(jpeg, pixels);
    struct sm_bytes whole = sm_test_copy(file.data, file.size);
    struct sm_pixels out = {(uint8_t *)decoded, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    for (size_t size = 0; size < whole.size; size++) {
        struct sm_bytes cut = sm_test_copy(whole.data, size);
        enum sm_status status = sm_media_jpeg.decode(jpeg, cut, &out, SM_JPEG_ACCURATE);
        assert_true(status == SM_OK || status == SM_ERR_PROTOCOL);
        if (size < 100) /* not even a header */
            sm_check_status(status, SM_ERR_PROTOCOL);
    }
    sm_check_status(sm_media_jpeg.decode(jpeg, whole, &out, SM_JPEG_ACCURATE), SM_OK);
    out.height--;
    sm_check_status(sm_media_jpeg.decode(jpeg, whole, &out, SM_JPEG_ACCURATE), SM_ERR_PROTOCOL);
    sm_test_free_copies();
    sm_media_jpeg.destroy(jpeg);
}

static void jpeg_flips_with_a_negative_stride(void **state)
{
    (void)state;
    uint32_t pixels[WIDTH * HEIGHT], upright[WIDTH * HEIGHT], flipped[WIDTH * HEIGHT];
    draw(pixels);
    void *jpeg = sm_media_jpeg.create();
    assert_non_null(jpeg);
    struct sm_bytes file = encode_jpeg(jpeg, pixels);
    struct sm_pixels out = {(uint8_t *)upright, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    sm_check_status(sm_media_jpeg.decode(jpeg, file, &out, SM_JPEG_FAST), SM_OK);
    out.data = (uint8_t *)(flipped + WIDTH * (HEIGHT - 1));
    out.stride_bytes = -WIDTH * 4;
    sm_check_status(sm_media_jpeg.decode(jpeg, file, &out, SM_JPEG_FAST), SM_OK);
    for (uint32_t y = 0; y < HEIGHT; y++)
        assert_memory_equal(upright + y * WIDTH, flipped + (HEIGHT - 1 - y) * WIDTH, WIDTH * 4);
    sm_media_jpeg.destroy(jpeg);
}

static void zlib_takes_exactly_what_was_announced(void **state)
{
    (void)state;
    uint8_t text[1000], packed[1100], out[1001];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * i >> 5);
    void *zlib = sm_media_zlib.create();
    assert_non_null(zlib);
    size_t size;
    struct sm_bytes in = SM_TEST_BYTES(text);
    sm_check_status(sm_media_zlib.deflate(zlib, in, 3, packed, sizeof(packed), &size), SM_OK);
    size_t small;
    sm_check_status(sm_media_zlib.deflate(zlib, in, 3, packed, size - 1, &small), SM_ERR_LIMIT);
    sm_check_status(sm_media_zlib.deflate(zlib, in, 3, packed, sizeof(packed), &size), SM_OK);
    struct sm_bytes stream = {packed, size};
    sm_check_status(sm_media_zlib.inflate(zlib, stream, out, sizeof(text)), SM_OK);
    assert_memory_equal(out, text, sizeof(text));
    sm_check_status(sm_media_zlib.inflate(zlib, stream, out, sizeof(text) - 1), SM_ERR_PROTOCOL);
    sm_check_status(sm_media_zlib.inflate(zlib, stream, out, sizeof(text) + 1), SM_ERR_PROTOCOL);
    sm_check_status(sm_media_zlib.inflate_head(zlib, stream, out, 33), SM_OK);
    assert_memory_equal(out, text, 33);
    for (size_t cut = 0; cut < size; cut++) {
        struct sm_bytes part = sm_test_copy(packed, cut);
        sm_check_status(sm_media_zlib.inflate(zlib, part, out, sizeof(text)), SM_ERR_PROTOCOL);
        sm_test_free_copies();
    }
    sm_media_zlib.destroy(zlib);
}

static void lz4_blocks_go_on_from_their_history(void **state)
{
    (void)state;
    /* "abcdefgh" as literals, then eight more from eight back: the second block refers to the
     * first. */
    static const uint8_t FIRST[] = {0x80, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};
    static const uint8_t SECOND[] = {0x04, 0x08, 0x00, 0x50, '1', '2', '3', '4', '5'};
    uint8_t out[64];
    size_t made;
    void *lz4 = sm_media_lz4.create();
    assert_non_null(lz4);
    sm_check_status(sm_media_lz4.decode(lz4, SM_TEST_BYTES(FIRST), out, 0, 64, &made), SM_OK);
    assert_int_equal(made, 8);
    sm_check_status(sm_media_lz4.decode(lz4, SM_TEST_BYTES(SECOND), out + 8, 8, 56, &made), SM_OK);
    assert_int_equal(made, 13);
    assert_memory_equal(out, "abcdefghabcdefgh12345", 21);
    sm_check_status(sm_media_lz4.decode(lz4, SM_TEST_BYTES(SECOND), out + 8, 7, 56, &made),
                    SM_ERR_PROTOCOL); /* begins before the history */
    sm_check_status(sm_media_lz4.decode(lz4, SM_TEST_BYTES(SECOND), out + 8, 8, 12, &made),
                    SM_ERR_PROTOCOL); /* makes more than there is room for */
    sm_check_status(sm_media_lz4.decode(lz4, (struct sm_bytes){FIRST, 0}, out, 0, 64, &made),
                    SM_ERR_PROTOCOL);
    sm_media_lz4.destroy(lz4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_survives_every_truncation),
        cmocka_unit_test(jpeg_flips_with_a_negative_stride),
        cmocka_unit_test(zlib_takes_exactly_what_was_announced),
        cmocka_unit_test(lz4_blocks_go_on_from_their_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
