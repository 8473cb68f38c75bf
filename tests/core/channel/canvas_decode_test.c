/* SPDX-License-Identifier: MIT */
/* Compressed images on surfaces: decoded straight to the target, and by way of a picture. */
#include "tests/support/check.h"

#include <string.h>

#include "core/channel/canvas/ahead.h"
#include "core/channel/canvas/canvas.h"
#include "core/codec/decoder.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/window.h"

enum { SIDE = 61, IMAGE_WIDTH = 33, IMAGE_HEIGHT = 21, X = 11, Y = 7 };

static const struct sm_rect BOX = {X, Y, X + IMAGE_WIDTH, Y + IMAGE_HEIGHT};

static void fill_surface(const struct sm_canvas *canvas)
{
    const struct sm_pixels *p = sm_surface_pixels(sm_canvas_surface(canvas, 0));
    for (uint32_t y = 0; y < p->height; y++)
        memset(sm_pixels_row(p, y), 0xa0 + (int)(y % 16),
               (size_t)sm_pixel_row_bytes(p->format, p->width));
}

/* A picture with runs, repeats and noise. */
static struct sm_pixels_in picture(enum sm_pixel_format format, uint8_t *rows)
{
    struct sm_test_random random = {.state = 5};
    uint32_t row_bytes = (uint32_t)sm_pixel_row_bytes(format, IMAGE_WIDTH);
    for (uint32_t i = 0; i < row_bytes * IMAGE_HEIGHT; i++)
        rows[i] = i % 97 < 60 ? (uint8_t)(i / 97) : (uint8_t)sm_test_random_next(&random);
    return (struct sm_pixels_in){
        .format = format,
        .width = IMAGE_WIDTH,
        .height = IMAGE_HEIGHT,
        .is_top_down = true,
        .stride_bytes = row_bytes,
        .data = {rows, (size_t)row_bytes * IMAGE_HEIGHT},
    };
}

static struct sm_image encoded_image(struct sm_encoder *encoder, enum sm_image_codec codec,
                                     enum sm_pixel_format format, struct sm_writer *writer)
{
    uint8_t rows[IMAGE_WIDTH * IMAGE_HEIGHT * 4];
    const struct sm_pixels_in in = picture(format, rows);
    struct sm_encoded info;
    sm_writer_reset(writer);
    sm_check_status(sm_image_encode(encoder, &codec, &in, &info, writer), SM_OK);
    return (struct sm_image){
        .type = (uint8_t)codec,
        .width = IMAGE_WIDTH,
        .height = IMAGE_HEIGHT,
        .data = sm_writer_bytes(writer),
    };
}

/* With a mask of ones the image goes by way of a picture, and ends up on the same pixels. */
static enum sm_status draw(struct sm_canvas *canvas, const struct sm_image *image, bool is_masked,
                           struct sm_region *damage)
{
    uint8_t ones[IMAGE_HEIGHT * 5];
    memset(ones, 0xff, sizeof(ones));
    const struct sm_image mask = {
        .width = IMAGE_WIDTH,
        .height = IMAGE_HEIGHT,
        .bitmap = {.format = SM_BITMAP_FORMAT_1BIT_BE,
                   .x = IMAGE_WIDTH,
                   .y = IMAGE_HEIGHT,
                   .stride = 5,
                   .data = SM_TEST_BYTES(ones)},
    };
    const struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.base = {.box = BOX},
                      .src_bitmap = image,
                      .src_area = {0, 0, IMAGE_WIDTH, IMAGE_HEIGHT},
                      .ropd = SM_ROPD_OP_PUT,
                      .mask = {.bitmap = is_masked ? &mask : NULL}},
    };
    return sm_canvas_draw(canvas, &msg, damage);
}

struct side {
    struct sm_glz_window *window;
    struct sm_canvas *canvas;
};

static void set_up(struct side *side, uint32_t format)
{
    sm_check_status(sm_glz_window_create(&side->window, 1 << 20, NULL), SM_OK);
    const struct sm_canvas_config config = {
        .max_surfaces = 1, .max_pixels = 1 << 20, .window = side->window};
    sm_check_status(sm_canvas_create(&side->canvas, &config), SM_OK);
    sm_check_status(sm_canvas_surface_create(side->canvas, 0, format, SIDE, SIDE), SM_OK);
    fill_surface(side->canvas);
}

static void tear_down(struct side *side)
{
    sm_canvas_destroy(side->canvas);
    sm_glz_window_destroy(side->window);
}

static void check_same(const struct side *a, const struct side *b)
{
    const struct sm_pixels *p = sm_surface_pixels(sm_canvas_surface(a->canvas, 0));
    const struct sm_pixels *q = sm_surface_pixels(sm_canvas_surface(b->canvas, 0));
    size_t size = (size_t)sm_pixel_row_bytes(p->format, p->width);
    for (uint32_t y = 0; y < p->height; y++) {
        const struct sm_bytes actual = {sm_pixels_row(p, y), size};
        const struct sm_bytes expected = {sm_pixels_row(q, y), size};
        sm_check_bytes(actual, expected);
    }
}

static const uint32_t SURFACE_FORMATS[] = {SM_SURFACE_FORMAT_32_XRGB, SM_SURFACE_FORMAT_32_ARGB,
                                           SM_SURFACE_FORMAT_16_555, SM_SURFACE_FORMAT_16_565,
                                           SM_SURFACE_FORMAT_8_A};

/* Each image twice: the second GLZ one refers to the first. */
static void draw_both_ways(struct sm_encoder *encoder, enum sm_image_codec codec,
                           enum sm_pixel_format format, uint32_t surface_format)
{
    struct sm_writer writer;
    struct side straight, by_picture;
    sm_writer_init(&writer, 1 << 20);
    set_up(&straight, surface_format);
    set_up(&by_picture, surface_format);
    for (int i = 0; i < 2; i++) {
        struct sm_region damage = {0};
        struct sm_image image = encoded_image(encoder, codec, format, &writer);
        image.flags = i ? SM_IMAGE_FLAG_HIGH_BITS_SET : 0;
        sm_check_status(draw(straight.canvas, &image, false, &damage), SM_OK);
        assert_true(sm_rect_equal(sm_region_bounds(&damage), BOX));
        sm_check_status(draw(by_picture.canvas, &image, true, NULL), SM_OK);
        check_same(&straight, &by_picture);
        sm_region_finish(&damage);
    }
    tear_down(&straight);
    tear_down(&by_picture);
    sm_writer_finish(&writer);
}

static void images_decoded_straight_to_the_target_are_the_same(void **state)
{
    (void)state;
    static const enum sm_image_codec codecs[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB, SM_CODEC_GLZ};
    static const enum sm_pixel_format formats[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB555, SM_PIXEL_RGB24};
    unsigned drawn = 0;
    for (size_t i = 0; i < 3 * 4 * 5; i++) {
        enum sm_image_codec codec = codecs[i % 3];
        enum sm_pixel_format format = formats[i / 3 % 4];
        if (!sm_codec_can_encode(codec, format))
            continue;
        struct sm_glz_dictionary *dictionary = NULL;
        struct sm_encoder *encoder = NULL;
        sm_check_status(sm_glz_dictionary_create(&dictionary, 1 << 20, 0, NULL), SM_OK);
        const struct sm_encoder_config config = {.dictionary = dictionary};
        sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
        draw_both_ways(encoder, codec, format, SURFACE_FORMATS[i / 12]);
        sm_encoder_destroy(encoder);
        sm_glz_dictionary_destroy(dictionary);
        drawn++;
    }
    assert_true(drawn >= 45);
}

/* What is painted before a stream breaks off is reported as damage and stays in its box. */
static void broken_image_stays_in_its_box(void **state)
{
    (void)state;
    struct sm_encoder *encoder = NULL;
    struct sm_writer writer;
    const struct sm_encoder_config config = {0};
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_writer_init(&writer, 1 << 20);
    static const enum sm_image_codec codecs[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB};
    for (size_t i = 0; i < 2; i++) {
        struct sm_image image = encoded_image(encoder, codecs[i], SM_PIXEL_XRGB32, &writer);
        const struct sm_bytes all = image.data;
        for (size_t size = 0; size < all.size; size += 4) {
            struct side side, untouched;
            struct sm_region damage = {0};
            set_up(&side, SM_SURFACE_FORMAT_32_XRGB);
            set_up(&untouched, SM_SURFACE_FORMAT_32_XRGB);
            image.data = sm_test_copy(all.data, size);
            sm_check_status(draw(side.canvas, &image, false, &damage), SM_ERR_PROTOCOL);
            const struct sm_pixels *p = sm_surface_pixels(sm_canvas_surface(side.canvas, 0));
            const struct sm_pixels *q = sm_surface_pixels(sm_canvas_surface(untouched.canvas, 0));
            for (int32_t y = 0; y < IMAGE_HEIGHT && !sm_region_is_empty(&damage); y++)
                memcpy(sm_pixels_row(p, (uint32_t)(Y + y)) + 4 * (ptrdiff_t)X,
                       sm_pixels_row(q, (uint32_t)(Y + y)) + 4 * (ptrdiff_t)X, 4 * IMAGE_WIDTH);
            check_same(&side, &untouched);
            sm_region_finish(&damage);
            tear_down(&side);
            tear_down(&untouched);
            sm_test_free_copies();
        }
    }
    sm_encoder_destroy(encoder);
    sm_writer_finish(&writer);
}

/* An image that refers to one which another channel has not brought yet. */
static void glz_image_is_awaited(void **state)
{
    (void)state;
    struct sm_glz_dictionary *dictionary = NULL;
    struct sm_encoder *encoder = NULL;
    struct sm_writer first_bytes, second_bytes;
    struct side side;
    uint64_t id = 99;
    sm_check_status(sm_glz_dictionary_create(&dictionary, 1 << 20, 0, NULL), SM_OK);
    const struct sm_encoder_config config = {.dictionary = dictionary};
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_writer_init(&first_bytes, 1 << 20);
    sm_writer_init(&second_bytes, 1 << 20);
    const struct sm_image zero =
        encoded_image(encoder, SM_CODEC_GLZ, SM_PIXEL_RGB24, &second_bytes);
    set_up(&side, SM_SURFACE_FORMAT_32_XRGB);
    sm_check_status(draw(side.canvas, &zero, false, NULL), SM_OK);
    const struct sm_image first =
        encoded_image(encoder, SM_CODEC_GLZ, SM_PIXEL_XRGB32, &first_bytes);
    const struct sm_image second =
        encoded_image(encoder, SM_CODEC_GLZ, SM_PIXEL_XRGB32, &second_bytes);

    struct sm_canvas *other = NULL;
    const struct sm_canvas_config shared = {
        .max_surfaces = 1, .max_pixels = 1 << 20, .window = side.window};
    sm_check_status(sm_canvas_create(&other, &shared), SM_OK);
    sm_check_status(draw(side.canvas, &second, false, NULL), SM_AGAIN);
    assert_int_equal(sm_canvas_awaited(side.canvas, &id), SM_CANVAS_WAITS_FOR_GLZ);
    assert_int_equal(id, 1);
    /* Not drawn, there is no surface; but the window has it. */
    sm_check_status(draw(other, &first, false, NULL), SM_OK);
    sm_check_status(draw(side.canvas, &second, false, NULL), SM_OK);

    struct side expected;
    set_up(&expected, SM_SURFACE_FORMAT_32_XRGB);
    struct sm_writer plain_bytes;
    sm_writer_init(&plain_bytes, 1 << 20);
    const struct sm_image plain =
        encoded_image(encoder, SM_CODEC_QUIC, SM_PIXEL_XRGB32, &plain_bytes);
    sm_check_status(draw(expected.canvas, &plain, false, NULL), SM_OK);
    check_same(&side, &expected);

    tear_down(&expected);
    sm_canvas_destroy(other);
    tear_down(&side);
    sm_writer_finish(&first_bytes);
    sm_writer_finish(&second_bytes);
    sm_writer_finish(&plain_bytes);
    sm_encoder_destroy(encoder);
    sm_glz_dictionary_destroy(dictionary);
}

/* ---- Before their turn ---- */

struct ahead {
    struct side side;
    struct sm_image_cache *cache;
    struct sm_picture *picture; /* decoded ahead; until the canvas takes it */
};

static struct sm_picture *take(void *context, const struct sm_image *image)
{
    struct ahead *ahead = context;
    struct sm_picture *picture = ahead->picture;
    (void)image;
    ahead->picture = NULL;
    return picture;
}

static void set_up_ahead(struct ahead *ahead, uint32_t format)
{
    *ahead = (struct ahead){.picture = NULL};
    const struct sm_image_cache_config cache = {.max_pixels = 1 << 16};
    sm_check_status(sm_image_cache_create(&ahead->cache, &cache), SM_OK);
    const struct sm_canvas_config config = {.max_surfaces = 1,
                                            .max_pixels = 1 << 20,
                                            .cache = ahead->cache,
                                            .images = {.decoded = take, .context = ahead}};
    sm_check_status(sm_canvas_create(&ahead->side.canvas, &config), SM_OK);
    sm_check_status(sm_canvas_surface_create(ahead->side.canvas, 0, format, SIDE, SIDE), SM_OK);
    fill_surface(ahead->side.canvas);
}

static void tear_down_ahead(struct ahead *ahead)
{
    tear_down(&ahead->side);
    sm_image_cache_destroy(ahead->cache);
    sm_picture_unref(ahead->picture);
}

static struct sm_display_msg copy_of(const struct sm_image *image)
{
    return (struct sm_display_msg){
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.base = {.box = BOX},
                      .src_bitmap = image,
                      .src_area = {0, 0, IMAGE_WIDTH, IMAGE_HEIGHT},
                      .ropd = SM_ROPD_OP_PUT},
    };
}

/* Decodes `image`, whose bytes are then scribbled over: nobody can decode it again. */
static void decode_ahead(struct ahead *ahead, struct sm_image *image, struct sm_writer *writer)
{
    struct sm_ahead_image what;
    const struct sm_display_msg msg = copy_of(image);
    const char *reason = "";
    struct sm_decoder *decoder = NULL;
    const struct sm_decoder_config config = {0};
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    assert_true(sm_ahead_image_init(&what, ahead->side.canvas, &msg));
    sm_check_status(sm_ahead_image_decode(&what, decoder, &ahead->picture, &reason), SM_OK);
    sm_decoder_destroy(decoder);
    memset(writer->data, 0x5a, writer->size);
}

static void images_decoded_before_their_turn_are_the_same(void **state)
{
    (void)state;
    static const enum sm_image_codec codecs[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB};
    static const enum sm_pixel_format formats[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB555, SM_PIXEL_RGB24};
    struct sm_encoder *encoder = NULL;
    struct sm_writer writer;
    const struct sm_encoder_config config = {0};
    unsigned drawn = 0;
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_writer_init(&writer, 1 << 20);
    for (size_t i = 0; i < 2 * 4 * 5; i++) {
        enum sm_image_codec codec = codecs[i % 2];
        enum sm_pixel_format format = formats[i / 2 % 4];
        if (!sm_codec_can_encode(codec, format))
            continue;
        struct ahead ahead;
        struct side side;
        set_up_ahead(&ahead, SURFACE_FORMATS[i / 8]);
        set_up(&side, SURFACE_FORMATS[i / 8]);
        struct sm_image image = encoded_image(encoder, codec, format, &writer);
        image.flags = drawn % 2 ? SM_IMAGE_FLAG_HIGH_BITS_SET : 0;
        sm_check_status(draw(side.canvas, &image, false, NULL), SM_OK);
        decode_ahead(&ahead, &image, &writer);
        sm_check_status(draw(ahead.side.canvas, &image, drawn % 3 == 0, NULL), SM_OK);
        assert_null(ahead.picture);
        check_same(&ahead.side, &side);
        tear_down_ahead(&ahead);
        tear_down(&side);
        drawn++;
    }
    assert_true(drawn >= 30);
    sm_encoder_destroy(encoder);
    sm_writer_finish(&writer);
}

static void image_decoded_ahead_enters_the_cache_in_its_turn(void **state)
{
    (void)state;
    struct sm_encoder *encoder = NULL;
    struct sm_writer writer;
    const struct sm_encoder_config config = {0};
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_writer_init(&writer, 1 << 20);
    struct ahead ahead;
    set_up_ahead(&ahead, SM_SURFACE_FORMAT_32_XRGB);
    const struct sm_image from_cache = {
        .id = 7, .type = SM_IMAGE_TYPE_FROM_CACHE, .width = IMAGE_WIDTH, .height = IMAGE_HEIGHT};
    struct sm_image image = encoded_image(encoder, SM_CODEC_QUIC, SM_PIXEL_XRGB32, &writer);
    image.id = 7;
    image.flags = SM_IMAGE_FLAG_CACHE_ME;
    decode_ahead(&ahead, &image, &writer);
    assert_int_equal(sm_image_cache_pixels(ahead.cache), 0);
    sm_check_status(draw(ahead.side.canvas, &from_cache, false, NULL), SM_AGAIN);
    sm_canvas_cancel(ahead.side.canvas);
    sm_check_status(draw(ahead.side.canvas, &image, false, NULL), SM_OK);
    assert_int_equal(sm_image_cache_pixels(ahead.cache), IMAGE_WIDTH * IMAGE_HEIGHT);
    fill_surface(ahead.side.canvas);
    sm_check_status(draw(ahead.side.canvas, &from_cache, false, NULL), SM_OK);

    struct side side;
    set_up(&side, SM_SURFACE_FORMAT_32_XRGB);
    const struct sm_image again = encoded_image(encoder, SM_CODEC_QUIC, SM_PIXEL_XRGB32, &writer);
    sm_check_status(draw(side.canvas, &again, false, NULL), SM_OK);
    check_same(&ahead.side, &side);
    tear_down(&side);
    tear_down_ahead(&ahead);
    sm_encoder_destroy(encoder);
    sm_writer_finish(&writer);
}

static void what_hangs_on_more_than_its_bytes_is_not_decoded_ahead(void **state)
{
    (void)state;
    static const uint8_t types[] = {
        SM_IMAGE_TYPE_BITMAP,
        SM_IMAGE_TYPE_GLZ_RGB,
        SM_IMAGE_TYPE_ZLIB_GLZ_RGB,
        SM_IMAGE_TYPE_FROM_CACHE,
        SM_IMAGE_TYPE_LZ_PLT,
        SM_IMAGE_TYPE_SURFACE,
        SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS,
    };
    struct ahead ahead;
    struct sm_ahead_image what;
    set_up_ahead(&ahead, SM_SURFACE_FORMAT_32_XRGB);
    for (size_t i = 0; i < sizeof(types); i++) {
        const struct sm_image image = {.type = types[i], .width = 8, .height = 8};
        const struct sm_display_msg msg = copy_of(&image);
        assert_false(sm_ahead_image_init(&what, ahead.side.canvas, &msg));
    }
    const struct sm_display_msg none = copy_of(NULL);
    assert_false(sm_ahead_image_init(&what, ahead.side.canvas, &none));
    const struct sm_display_msg fill = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    assert_false(sm_ahead_image_init(&what, ahead.side.canvas, &fill));
    tear_down_ahead(&ahead);
}

/* An image that says more pixels than it may have costs no memory. */
static void image_of_absurd_size_is_refused_ahead(void **state)
{
    (void)state;
    struct sm_encoder *encoder = NULL;
    struct sm_decoder *decoder = NULL;
    struct sm_writer writer;
    struct ahead ahead;
    const struct sm_encoder_config config = {0};
    const struct sm_decoder_config none = {0};
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_check_status(sm_decoder_create(&decoder, &none), SM_OK);
    sm_writer_init(&writer, 1 << 20);
    set_up_ahead(&ahead, SM_SURFACE_FORMAT_32_XRGB);
    struct sm_image image = encoded_image(encoder, SM_CODEC_QUIC, SM_PIXEL_XRGB32, &writer);
    static const uint32_t sizes[][2] = {{0, 21}, {33, 0}, {1 << 15, 1 << 14}, {UINT32_MAX, 2}};
    for (size_t i = 0; i < 4; i++) {
        struct sm_ahead_image what;
        struct sm_picture *picture = NULL;
        const char *reason = NULL;
        image.width = sizes[i][0];
        image.height = sizes[i][1];
        const struct sm_display_msg msg = copy_of(&image);
        assert_true(sm_ahead_image_init(&what, ahead.side.canvas, &msg));
        sm_check_status(sm_ahead_image_decode(&what, decoder, &picture, &reason), SM_ERR_LIMIT);
        assert_non_null(reason);
        assert_null(picture);
    }
    tear_down_ahead(&ahead);
    sm_decoder_destroy(decoder);
    sm_encoder_destroy(encoder);
    sm_writer_finish(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_decoded_straight_to_the_target_are_the_same),
        cmocka_unit_test(broken_image_stays_in_its_box),
        cmocka_unit_test(glz_image_is_awaited),
        cmocka_unit_test(images_decoded_before_their_turn_are_the_same),
        cmocka_unit_test(image_decoded_ahead_enters_the_cache_in_its_turn),
        cmocka_unit_test(what_hangs_on_more_than_its_bytes_is_not_decoded_ahead),
        cmocka_unit_test(image_of_absurd_size_is_refused_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
