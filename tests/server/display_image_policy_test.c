/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/codec/encoder.h"
#include "media/libs.h"
#include "server/display/glz_share.h"
#include "server/display/image_task.h"

enum { SIDE = 64 };

static uint32_t flat[SIDE * SIDE], photo[SIDE * SIDE], noise[SIDE * SIDE];
static uint8_t indices[SIDE * SIDE];
static const uint32_t COLORS[4] = {0, 0xff0000, 0x00ff00, 0x0000ff};
static const struct sm_palette PALETTE = {.num_ents = 4, .ents = COLORS};

static int set_up(void **state)
{
    (void)state;
    struct sm_test_random random = {5};
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        uint32_t x = i % SIDE, y = i / SIDE;
        flat[i] = y % 8 ? 0xffffff : 0x202020;
        photo[i] = (x * 3 + y) % 256 | (x + y * 2) % 256 << 8 | (x + y) % 256 << 16;
        noise[i] = sm_test_random_next(&random) & 0xffffff;
        indices[i] = (uint8_t)(y % 4);
    }
    return 0;
}

static struct sm_image image_of(const void *pixels, uint8_t format, uint32_t stride,
                                const struct sm_palette *palette)
{
    return (struct sm_image){
        .id = 7,
        .type = SM_IMAGE_TYPE_BITMAP,
        .flags = SM_IMAGE_FLAG_CACHE_ME | SM_IMAGE_FLAG_HIGH_BITS_SET,
        .width = SIDE,
        .height = SIDE,
        .bitmap = {.format = format,
                   .flags = SM_BITMAP_FLAG_TOP_DOWN,
                   .x = SIDE,
                   .y = SIDE,
                   .stride = stride,
                   .palette = palette,
                   .data = {.data = pixels, .size = (size_t)stride * SIDE}},
    };
}

static struct sm_encoder *encoder;
static struct sm_glz_share *share;

static void make_share(uint32_t window_px)
{
    sm_glz_share_unref(share);
    sm_check_status(sm_glz_share_create(&share, window_px, 0), SM_OK);
}

static int start(void **state)
{
    (void)state;
    return sm_encoder_create(&encoder, &(struct sm_encoder_config){.libs = &sm_media_codec_libs});
}

static int finish(void **state)
{
    (void)state;
    sm_encoder_destroy(encoder);
    sm_glz_share_unref(share);
    share = NULL;
    return 0;
}

static uint8_t type_for(struct sm_image image, struct sm_image_receiver receiver)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY,
                                 .draw_copy = {.src_bitmap = &image}};
    struct sm_image_task task;
    receiver.glz = share;
    sm_image_task_init(&task, &msg, &receiver);
    sm_image_task_encode(&task, encoder);
    const struct sm_image *chosen = task.msg.draw_copy.src_bitmap;
    uint8_t type = chosen->type;
    assert_true(chosen != &image);
    assert_int_equal(chosen->flags, SM_IMAGE_FLAG_HIGH_BITS_SET); /* nothing claims a cache */
    assert_int_equal(chosen->width, SIDE);
    if (type != SM_IMAGE_TYPE_BITMAP)
        assert_true(chosen->data.size < image.bitmap.data.size);
    assert_int_equal(task.uses_glz, type == SM_IMAGE_TYPE_GLZ_RGB);
    sm_image_task_finish(&task);
    return type;
}

static void policy_honours_each_setting(void **state)
{
    (void)state;
    struct sm_image text = image_of(flat, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    struct sm_image gradient = image_of(photo, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    struct sm_image palette = image_of(indices, SM_BITMAP_FORMAT_8BIT, SIDE, &PALETTE);
    static const struct {
        enum sm_worker_compression setting;
        uint8_t text, gradient, palette;
    } EXPECTED[] = {
        {SM_COMPRESSION_OFF, SM_IMAGE_TYPE_BITMAP, SM_IMAGE_TYPE_BITMAP, SM_IMAGE_TYPE_BITMAP},
        {SM_COMPRESSION_AUTO_GLZ, SM_IMAGE_TYPE_GLZ_RGB, SM_IMAGE_TYPE_QUIC, SM_IMAGE_TYPE_LZ_PLT},
        {SM_COMPRESSION_AUTO_LZ, SM_IMAGE_TYPE_LZ_RGB, SM_IMAGE_TYPE_QUIC, SM_IMAGE_TYPE_LZ_PLT},
        {SM_COMPRESSION_QUIC, SM_IMAGE_TYPE_QUIC, SM_IMAGE_TYPE_QUIC, SM_IMAGE_TYPE_BITMAP},
        {SM_COMPRESSION_LZ, SM_IMAGE_TYPE_LZ_RGB, SM_IMAGE_TYPE_LZ_RGB, SM_IMAGE_TYPE_LZ_PLT},
        /* LZ4 finds nothing in a gradient: it goes raw. */
        {SM_COMPRESSION_LZ4, SM_IMAGE_TYPE_LZ4, SM_IMAGE_TYPE_BITMAP, SM_IMAGE_TYPE_LZ_PLT},
    };
    make_share(1 << 20);
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++) {
        struct sm_image_receiver receiver = {.compression = EXPECTED[i].setting, .has_lz4 = true};
        assert_int_equal(type_for(text, receiver), EXPECTED[i].text);
        assert_int_equal(type_for(gradient, receiver), EXPECTED[i].gradient);
        assert_int_equal(type_for(palette, receiver), EXPECTED[i].palette);
    }
}

static void policy_sends_raw_what_compressing_does_not_help(void **state)
{
    (void)state;
    struct sm_image image = image_of(noise, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    struct sm_image_receiver receiver = {.compression = SM_COMPRESSION_LZ4, .has_lz4 = true};
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_BITMAP);
    image = image_of(flat, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    receiver.is_local = true;
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_BITMAP);
}

static void policy_does_without_what_the_client_lacks(void **state)
{
    (void)state;
    struct sm_image image = image_of(flat, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    struct sm_image_receiver receiver = {.compression = SM_COMPRESSION_LZ4};
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_LZ_RGB);
    receiver.compression = SM_COMPRESSION_GLZ;
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_LZ_RGB); /* no dictionary */
    make_share(SIDE * SIDE);
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_LZ_RGB); /* larger than the window */
    make_share(SIDE * SIDE + 1);
    assert_int_equal(type_for(image, receiver), SM_IMAGE_TYPE_GLZ_RGB);
    struct sm_glz_share *none;
    sm_check_status(sm_glz_share_create(&none, UINT32_MAX, 0), SM_ERR_LIMIT);
}

static void policy_leaves_masks_alone(void **state)
{
    (void)state;
    struct sm_image source = image_of(flat, SM_BITMAP_FORMAT_32BIT, SIDE * 4, NULL);
    struct sm_image mask = image_of(indices, SM_BITMAP_FORMAT_1BIT_BE, SIDE / 8, NULL);
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY,
                                 .draw_copy = {.src_bitmap = &source, .mask = {.bitmap = &mask}}};
    struct sm_image_receiver receiver = {.compression = SM_COMPRESSION_LZ};
    struct sm_image_task task;
    sm_image_task_init(&task, &msg, &receiver);
    sm_image_task_encode(&task, encoder);
    assert_int_equal(task.msg.draw_copy.src_bitmap->type, SM_IMAGE_TYPE_LZ_RGB);
    assert_int_equal(task.msg.draw_copy.mask.bitmap->type, SM_IMAGE_TYPE_BITMAP);
    sm_image_task_finish(&task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(policy_honours_each_setting, start, finish),
        cmocka_unit_test_setup_teardown(policy_sends_raw_what_compressing_does_not_help, start,
                                        finish),
        cmocka_unit_test_setup_teardown(policy_does_without_what_the_client_lacks, start, finish),
        cmocka_unit_test_setup_teardown(policy_leaves_masks_alone, start, finish),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
