/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "tests/core/codec/pictures.h"

enum { COUNT = 6, WIDTH = 32, HEIGHT = 16, PIXELS = WIDTH * HEIGHT };

/* Images of one dictionary, each beginning with most of the one before. */
struct sequence {
    struct sm_writer data[COUNT];
    struct sm_codec_image images[COUNT];
    uint8_t *pixels[COUNT];
};

static void make_sequence(struct sequence *s, uint32_t window_pixels)
{
    struct pair pair;
    pair_open(&pair, window_pixels, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, WIDTH, HEIGHT, i, &s->pixels[i]);
        if (i > 0)
            memcpy(s->pixels[i], s->pixels[i - 1], PIXELS * 3);
        sm_writer_init(&s->data[i], SIZE_MAX);
        s->images[i] = pair_encode(&pair, SM_CODEC_GLZ, &in, &s->data[i]);
    }
    pair_close(&pair);
}

static void free_sequence(struct sequence *s)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        sm_writer_finish(&s->data[i]);
        free(s->pixels[i]);
    }
}

static struct sm_decoder *new_decoder(struct sm_glz_window *window)
{
    struct sm_decoder_config config = {.window = window};
    struct sm_decoder *decoder;
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    return decoder;
}

static enum sm_status decode(struct sm_decoder *decoder, const struct sequence *s, uint32_t i)
{
    uint8_t out[PIXELS * 4];
    struct sm_pixels target = {out, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    enum sm_status status = sm_image_decode(decoder, &s->images[i], &target);
    if (status == SM_OK)
        sm_check_bytes(((struct sm_bytes){out, sizeof(out)}),
                       ((struct sm_bytes){s->pixels[i], sizeof(out)}));
    return status;
}

static void an_image_waits_for_what_it_refers_to(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 1 << 16);
    struct sm_glz_window *window;
    sm_check_status(sm_glz_window_create(&window, 1 << 16, NULL), SM_OK);
    struct sm_decoder *first = new_decoder(window), *second = new_decoder(window);

    sm_check_status(decode(second, &s, 1), SM_AGAIN);
    assert_int_equal(sm_decoder_awaited(second), 0);
    assert_false(sm_glz_window_is_settled(window, 0));
    sm_check_status(decode(second, &s, 2),
                    SM_ERR_STATE); /* another image than the one that waits */
    assert_int_equal(sm_decoder_awaited(second), 0);
    sm_check_status(decode(second, &s, 1), SM_AGAIN);
    sm_check_status(decode(first, &s, 0), SM_OK);
    assert_true(sm_glz_window_is_settled(window, 0));
    sm_check_status(decode(second, &s, 1), SM_OK);
    sm_check_status(decode(second, &s, 1), SM_ERR_PROTOCOL); /* its id is there */

    sm_decoder_destroy(first);
    sm_decoder_destroy(second);
    sm_glz_window_destroy(window);
    free_sequence(&s);
}

/* A plain image waits, and a zlib-wrapped one claims to be as large inside: no memory of it yet. */
static void a_wrapped_image_is_not_taken_for_a_plain_one(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 1 << 16);
    struct pair pair;
    pair_open(&pair, 1 << 16, 0);
    uint8_t *pixels;
    size_t size;
    sm_check_status(pair_decode(&pair, &s.images[1], &pixels, &size), SM_AGAIN);
    free(pixels);
    static const uint8_t NOTHING[] = {0x78, 0x9c};
    struct sm_codec_image wrapped = s.images[1];
    wrapped.codec = SM_CODEC_ZLIB_GLZ;
    wrapped.inflated_size = (uint32_t)s.images[1].data.size;
    wrapped.data = SM_TEST_BYTES(NOTHING);
    uint8_t room[PIXELS * 4];
    struct sm_pixels out = {room, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    sm_check_status(sm_image_decode(pair.decoder, &wrapped, &out), SM_ERR_STATE);
    sm_check_status(sm_image_decode(pair.decoder, &s.images[1], &out), SM_AGAIN);
    pair_close(&pair);
    free_sequence(&s);
}

/* Every image has a channel of its own; what waits is tried again until nothing moves. */
static void decode_in_order(const struct sequence *s, const uint32_t order[COUNT])
{
    struct sm_glz_window *window;
    sm_check_status(sm_glz_window_create(&window, 1 << 16, NULL), SM_OK);
    struct sm_decoder *decoders[COUNT] = {0};
    bool is_done[COUNT] = {false};
    uint32_t done = 0;
    for (uint32_t arrived = 0; arrived < COUNT; arrived++) {
        decoders[order[arrived]] = new_decoder(window);
        bool has_moved = true;
        while (has_moved) {
            has_moved = false;
            for (uint32_t i = 0; i < COUNT; i++) {
                if (!decoders[i] || is_done[i])
                    continue;
                enum sm_status status = decode(decoders[i], s, i);
                if (status == SM_AGAIN)
                    continue;
                sm_check_status(status, SM_OK);
                is_done[i] = has_moved = true;
                done++;
            }
        }
    }
    assert_int_equal(done, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        sm_decoder_destroy(decoders[i]);
    sm_glz_window_destroy(window);
}

static void permute(const struct sequence *s, uint32_t order[COUNT], uint32_t from)
{
    if (from == COUNT) {
        decode_in_order(s, order);
        return;
    }
    for (uint32_t i = from; i < COUNT; i++) {
        uint32_t chosen = order[i];
        order[i] = order[from];
        order[from] = chosen;
        permute(s, order, from + 1);
        order[from] = order[i];
        order[i] = chosen;
    }
}

static void every_order_of_arrival_ends_well(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 1 << 16);
    uint32_t order[COUNT] = {0, 1, 2, 3, 4, 5};
    permute(&s, order, 0);
    free_sequence(&s);
}

static void what_the_sender_forgot_is_let_go(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 2 * PIXELS + 1); /* room for two images */
    struct sm_glz_window *window;
    sm_check_status(sm_glz_window_create(&window, 2 * PIXELS + 1, NULL), SM_OK);
    struct sm_decoder *decoder = new_decoder(window);
    for (uint32_t i = 0; i < COUNT; i++) {
        sm_check_status(decode(decoder, &s, i), SM_OK);
        assert_true(sm_glz_window_used_bytes(window) <= 2 * PIXELS * 4);
    }
    assert_true(sm_glz_window_is_settled(window, 0)); /* gone, and never to come */
    assert_false(sm_glz_window_is_settled(window, COUNT));
    sm_check_status(decode(decoder, &s, 0), SM_ERR_PROTOCOL);
    sm_decoder_destroy(decoder);
    sm_glz_window_destroy(window);
    free_sequence(&s);
}

static void a_reset_ends_every_wait(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 1 << 16);
    struct sm_glz_window *window;
    sm_check_status(sm_glz_window_create(&window, 1 << 16, NULL), SM_OK);
    struct sm_decoder *decoder = new_decoder(window);
    sm_check_status(decode(decoder, &s, 1), SM_AGAIN);
    sm_glz_window_reset(window);
    sm_check_status(decode(decoder, &s, 1), SM_ERR_STATE);
    sm_check_status(decode(decoder, &s, 1), SM_AGAIN); /* begun anew */
    sm_decoder_cancel(decoder);
    sm_check_status(decode(decoder, &s, 0), SM_OK);
    sm_decoder_destroy(decoder);
    sm_glz_window_destroy(window);
    free_sequence(&s);
}

struct calls {
    int depth;
    unsigned locked, changed;
};

static void count_lock(void *context)
{
    struct calls *calls = context;
    assert_int_equal(calls->depth++, 0);
    calls->locked++;
}

static void count_unlock(void *context)
{
    struct calls *calls = context;
    assert_int_equal(--calls->depth, 0);
}

static void count_changed(void *context)
{
    struct calls *calls = context;
    assert_int_equal(calls->depth, 1);
    calls->changed++;
}

static void hooks_lock_around_each_access(void **state)
{
    (void)state;
    struct sequence s;
    make_sequence(&s, 1 << 16);
    struct calls calls = {0};
    struct sm_glz_window_hooks hooks = {count_lock, count_unlock, count_changed, &calls};
    struct sm_glz_window *window;
    sm_check_status(sm_glz_window_create(&window, 1 << 16, &hooks), SM_OK);
    struct sm_decoder *decoder = new_decoder(window);
    sm_check_status(decode(decoder, &s, 0), SM_OK);
    sm_check_status(decode(decoder, &s, 1), SM_OK);
    assert_int_equal(calls.changed, 2);
    assert_true(calls.locked > 2);
    sm_glz_window_reset(window);
    assert_int_equal(calls.changed, 3);
    assert_int_equal(calls.depth, 0);
    sm_decoder_destroy(decoder);
    sm_glz_window_destroy(window);
    free_sequence(&s);
}

static void numbering_goes_on_after_a_clear(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 1 << 16, 0);
    uint8_t *bytes, *pixels;
    struct sm_pixels_in in = picture_make(SM_PIXEL_ARGB32, WIDTH, HEIGHT, 1, &bytes);
    for (uint32_t i = 0; i < 6; i++) {
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        if (i == 3) { /* as both ends do for a migration */
            sm_glz_dictionary_clear(pair.dictionary);
            sm_glz_window_reset(pair.window);
        }
        struct sm_codec_image image = pair_encode(&pair, SM_CODEC_GLZ, &in, &out);
        assert_int_equal(sm_glz_dictionary_next_id(pair.dictionary), i + 1);
        size_t size;
        sm_check_status(pair_decode(&pair, &image, &pixels, &size), SM_OK);
        sm_check_bytes(((struct sm_bytes){pixels, size}), in.data);
        free(pixels);
        sm_writer_finish(&out);
    }
    free(bytes);
    pair_close(&pair);
}

/* Sizes of every kind through a small ring: it wraps, entries grow, old images are overwritten. */
static void a_small_ring_wraps_without_a_trace(void **state)
{
    (void)state;
    static const enum sm_pixel_format FORMATS[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB24};
    struct pair pair;
    pair_open(&pair, 5000, 0);
    struct sm_test_random random = {.state = 3};
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t width = 1 + sm_test_random_next(&random) % 60;
        uint32_t height = 1 + sm_test_random_next(&random) % 60;
        if (i % 100 < 40)
            width = height = 1 + i % 3;
        uint8_t *bytes, *pixels;
        struct sm_pixels_in in = picture_make(FORMATS[i % 3], width, height, i % 7, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        struct sm_codec_image image = pair_encode(&pair, SM_CODEC_GLZ, &in, &out);
        size_t size;
        sm_check_status(pair_decode(&pair, &image, &pixels, &size), SM_OK);
        size_t from = in.format == SM_PIXEL_RGB24 ? 3 : 4;
        for (size_t p = 0; p < (size_t)width * height; p++)
            assert_memory_equal(pixels + 4 * p, bytes + from * p, from);
        free(pixels);
        sm_writer_finish(&out);
        free(bytes);
    }
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_waits_for_what_it_refers_to),
        cmocka_unit_test(a_wrapped_image_is_not_taken_for_a_plain_one),
        cmocka_unit_test(every_order_of_arrival_ends_well),
        cmocka_unit_test(what_the_sender_forgot_is_let_go),
        cmocka_unit_test(a_reset_ends_every_wait),
        cmocka_unit_test(hooks_lock_around_each_access),
        cmocka_unit_test(numbering_goes_on_after_a_clear),
        cmocka_unit_test(a_small_ring_wraps_without_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
