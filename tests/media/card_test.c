/* SPDX-License-Identifier: MIT */
/*
 * Films on a graphics card, and from it back to the processor whatever the card fails at. The card
 * is tests/support/va_card.c: everything but the card is real, libavcodec's way through VA-API,
 * too.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sandbox.h"
#include "media/video_loader.h"
#include "tests/support/va_card.h"

enum { WIDTH = 174, HEIGHT = 98, FRAMES = 12, KEY_FRAME = 8, NEVER = FRAMES };

/* What the card decodes. */
static const enum sm_video_kind KINDS[] = {SM_VIDEO_VP8, SM_VIDEO_H264, SM_VIDEO_VP9};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

struct film {
    const struct sm_video_module *module;
    struct va_card *card;
    struct sm_bytes packets[KIND_COUNT][FRAMES];
    uint8_t *pictures[KIND_COUNT][FRAMES]; /* owned: as the processor decodes them */
};

static struct sm_pixels make_picture(unsigned frame)
{
    struct sm_pixels p = {.data = malloc((size_t)WIDTH * HEIGHT * 4),
                          .stride_bytes = (ptrdiff_t)WIDTH * 4,
                          .width = WIDTH,
                          .height = HEIGHT,
                          .format = SM_PIXEL_XRGB32};
    assert_non_null(p.data);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint8_t *pixel = sm_pixels_row(&p, y) + (size_t)4 * x;
            double u = x + 3.0 * frame, v = y;
            pixel[0] = (uint8_t)(128 + 90 * sin(u / 23) * cos(v / 31));
            pixel[1] = (uint8_t)(128 + 80 * sin((u + v) / 40));
            pixel[2] = (uint8_t)(128 + 70 * cos(u / 17 - v / 50));
            pixel[3] = 0;
        }
    return p;
}

static const struct sm_video_setup SETUP = {
    .width = WIDTH, .height = HEIGHT, .fps = 30, .bits_per_second = 1500000, .threads = 1};

static uint8_t *copy_of(const struct sm_pixels *shown)
{
    size_t row_bytes = (size_t)shown->width * 4;
    uint8_t *copy = malloc(row_bytes * shown->height);
    assert_non_null(copy);
    for (uint32_t y = 0; y < shown->height; y++)
        memcpy(copy + y * row_bytes, sm_pixels_row(shown, y), row_bytes);
    return copy;
}

/* Twelve frames of each codec, two of them key frames, and what the processor makes of them. */
static void make_film(struct film *film, unsigned kind)
{
    const struct sm_video_encoder_ops *e = film->module->find_encoder(KINDS[kind]);
    const struct sm_video_decoder_ops *d = film->module->find_decoder(KINDS[kind]);
    void *encoder, *decoder;
    sm_check_status(e->create(&encoder, &SETUP), SM_OK);
    sm_check_status(d->create(&decoder, NULL), SM_OK);
    assert_false(d->is_on_card(decoder));
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        struct sm_pixels picture = make_picture(frame), shown;
        struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second,
                                       .is_key = frame % KEY_FRAME == 0};
        struct sm_bytes data;
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
        film->packets[kind][frame] = sm_test_copy(data.data, data.size);
        sm_check_status(d->decode(decoder, data, &shown), SM_OK);
        film->pictures[kind][frame] = copy_of(&shown);
        free(picture.data);
    }
    e->destroy(encoder);
    d->destroy(decoder);
}

static int begin(void **state)
{
    struct film *film = calloc(1, sizeof(*film));
    assert_non_null(film);
    film->module = sm_video_module_load();
    assert_non_null(film->module);
    film->card = &va_card;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        make_film(film, kind);
    *state = film;
    return 0;
}

static int end(void **state)
{
    struct film *film = *state;
    for (unsigned kind = 0; film && kind < KIND_COUNT; kind++)
        for (unsigned frame = 0; frame < FRAMES; frame++)
            free(film->pictures[kind][frame]);
    free(film);
    sm_test_free_copies();
    return 0;
}

/* A card that works, in our hands. */
static void *open_card(struct film *film)
{
    *film->card = (struct va_card){.fails = false};
    void *card = film->module->open_card();
    assert_non_null(card);
    assert_int_equal(film->card->opened, 1);
    return card;
}

static void close_card(struct film *film, void *card)
{
    film->module->close_card(card);
    assert_int_equal(film->card->closed, 1);
    assert_int_equal(film->card->objects, 0);
}

/* From now on `step` fails. */
static void let_fail(struct va_card *card, enum va_card_step step)
{
    card->fails = true;
    card->step = step;
    card->from = 0;
}

/* All of one grey, the one of the card's picture `number`. */
static bool is_cards(const struct sm_pixels *shown, unsigned number)
{
    int wanted = (va_card_grey(number) - 16) * 255 / 219;
    for (uint32_t y = 0; y < shown->height; y++)
        for (uint32_t x = 0; x < shown->width; x++)
            for (unsigned c = 0; c < 3; c++)
                if (abs(sm_pixels_row(shown, y)[4 * x + c] - wanted) > 2)
                    return false;
    return true;
}

static void check_exact(const struct film *film, unsigned kind, unsigned frame,
                        const struct sm_pixels *shown)
{
    assert_int_equal(shown->width, WIDTH);
    assert_int_equal(shown->height, HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y++)
        if (memcmp(sm_pixels_row(shown, y), film->pictures[kind][frame] + (size_t)y * WIDTH * 4,
                   (size_t)WIDTH * 4) != 0)
            fail_msg("codec %d, frame %u, row %u is not what the processor decodes",
                     (int)KINDS[kind], frame, y);
}

/* Plays a film that leaves the card at frame `from` (NEVER: stays there) and shows each picture. */
static void play(struct film *film, void *card, unsigned kind, unsigned from)
{
    const struct sm_video_decoder_ops *d = film->module->find_decoder(KINDS[kind]);
    void *decoder;
    unsigned before = film->card->pictures;
    sm_check_status(d->create(&decoder, card), SM_OK);
    assert_true(d->is_on_card(decoder));
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        struct sm_pixels shown;
        sm_check_status(d->decode(decoder, film->packets[kind][frame], &shown), SM_OK);
        assert_int_equal(d->is_on_card(decoder), frame < from);
        if (frame >= from)
            check_exact(film, kind, frame, &shown);
        else if (!is_cards(&shown, before + frame))
            fail_msg("codec %d, frame %u is not the card's", (int)KINDS[kind], frame);
    }
    d->destroy(decoder);
}

static void every_codec_is_decoded_on_the_card(void **state)
{
    struct film *film = *state;
    void *card = open_card(film);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        play(film, card, kind, NEVER);
    assert_int_equal(film->card->pictures, KIND_COUNT * FRAMES);
    close_card(film, card);
}

/* docs/video.md says why. */
static void av1_is_left_to_the_processor(void **state)
{
    struct film *film = *state;
    const struct sm_video_decoder_ops *d = film->module->find_decoder(SM_VIDEO_AV1);
    void *decoder, *card = open_card(film);
    sm_check_status(d->create(&decoder, card), SM_OK);
    assert_false(d->is_on_card(decoder));
    d->destroy(decoder);
    close_card(film, card);
}

static void decoders_outlive_the_closing_of_their_card(void **state)
{
    struct film *film = *state;
    const struct sm_video_decoder_ops *d = film->module->find_decoder(SM_VIDEO_H264);
    void *decoder, *card = open_card(film);
    struct sm_pixels shown;
    sm_check_status(d->create(&decoder, card), SM_OK);
    film->module->close_card(card);
    for (unsigned frame = 0; frame < FRAMES; frame++)
        sm_check_status(d->decode(decoder, film->packets[1][frame], &shown), SM_OK);
    assert_true(d->is_on_card(decoder));
    assert_int_equal(film->card->closed, 0);
    d->destroy(decoder);
    assert_int_equal(film->card->closed, 1);
    assert_int_equal(film->card->objects, 0);
}

/* What the card is asked once, with the first frame. */
static void a_card_that_refuses_a_film_costs_no_picture(void **state)
{
    static const enum va_card_step STEPS[] = {VA_CARD_PROFILES, VA_CARD_CONFIG, VA_CARD_SURFACES,
                                              VA_CARD_CONTEXT};
    struct film *film = *state;
    for (unsigned i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
        for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
            void *card = open_card(film);
            unsigned before = film->card->calls[STEPS[i]]; /* opening has asked, too */
            let_fail(film->card, STEPS[i]);
            play(film, card, kind, 0);
            assert_true(film->card->calls[STEPS[i]] > before);
            close_card(film, card);
        }
}

/* What it is asked for each frame, failing once in each of the calls that a film makes. */
static void a_card_that_fails_in_mid_film_costs_no_picture(void **state)
{
    static const enum va_card_step STEPS[] = {VA_CARD_BUFFER,    VA_CARD_BEGIN, VA_CARD_RENDER,
                                              VA_CARD_END,       VA_CARD_SYNC,  VA_CARD_IMAGE,
                                              VA_CARD_GET_IMAGE, VA_CARD_MAP};
    struct film *film = *state;
    for (unsigned i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
        for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
            void *card = open_card(film);
            play(film, card, kind, NEVER);
            unsigned calls = film->card->calls[STEPS[i]];
            close_card(film, card);
            assert_true(calls >= FRAMES);
            assert_int_equal(calls % FRAMES, 0);
            for (unsigned call = 0; call < calls; call++) {
                card = open_card(film);
                film->card->fails = film->card->once = true;
                film->card->step = STEPS[i];
                film->card->from = call;
                play(film, card, kind, call / (calls / FRAMES));
                close_card(film, card);
            }
        }
}

static void a_card_that_disappears_costs_no_picture(void **state)
{
    struct film *film = *state;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        const struct sm_video_decoder_ops *d = film->module->find_decoder(KINDS[kind]);
        void *decoder, *card = open_card(film);
        sm_check_status(d->create(&decoder, card), SM_OK);
        for (unsigned frame = 0; frame < FRAMES; frame++) {
            struct sm_pixels shown;
            film->card->is_gone = frame >= 5;
            sm_check_status(d->decode(decoder, film->packets[kind][frame], &shown), SM_OK);
            if (frame >= 5)
                check_exact(film, kind, frame, &shown);
        }
        d->destroy(decoder);
        play(film, card, kind, 0); /* and the next one does not wait for it */
        film->module->close_card(card);
        assert_null(film->module->open_card());
    }
}

/* A film without a key frame but the first and, if it is one, number `key`; then the card goes. */
static void play_long(struct film *film, unsigned kind, unsigned key, enum sm_status expected)
{
    enum { LONG = 360 }; /* frames: more than anybody would like to catch up with */
    const struct sm_video_encoder_ops *e = film->module->find_encoder(KINDS[kind]);
    const struct sm_video_decoder_ops *d = film->module->find_decoder(KINDS[kind]);
    void *encoder, *decoder, *card = open_card(film);
    struct sm_video_setup setup = SETUP;
    setup.fps = LONG; /* key frames that nobody asks for come every ten seconds */
    sm_check_status(e->create(&encoder, &setup), SM_OK);
    sm_check_status(d->create(&decoder, card), SM_OK);
    struct sm_pixels shown, picture = make_picture(0);
    for (unsigned frame = 0; frame <= LONG; frame++) {
        struct sm_video_order order = {.bits_per_second = setup.bits_per_second,
                                       .is_key = frame == key};
        struct sm_bytes data;
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
        film->card->is_gone = frame == LONG;
        sm_check_status(d->decode(decoder, data, &shown), frame == LONG ? expected : SM_OK);
        assert_int_equal(d->is_on_card(decoder), frame < LONG);
        if (frame == LONG && expected == SM_ERR_LIMIT) /* and so it stays */
            sm_check_status(d->decode(decoder, data, &shown), SM_ERR_LIMIT);
    }
    d->destroy(decoder);
    e->destroy(encoder);
    film->module->close_card(card);
    free(picture.data);
}

static void only_too_long_a_past_is_refused(void **state)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        play_long(*state, kind, 0, SM_ERR_LIMIT);
        play_long(*state, kind, 330, SM_OK); /* too long once, but that is forgotten */
    }
}

struct confined {
    struct film *film;
    void *card;
    enum sm_status status;
    int error;
};

static void *play_confined(void *opaque)
{
    struct confined *c = opaque;
    c->status = sm_sandbox_enter();
    c->error = open("/dev/null", O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        play(c->film, c->card, kind, NEVER);
    return NULL;
}

/* The client's decoding threads: the card is opened before, and no file is needed later. */
static void a_confined_thread_decodes_on_the_card(void **state)
{
    struct confined c = {.film = *state, .card = open_card(*state)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play_confined, &c), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (c.status == SM_OK) /* the kernel may not allow it: docs/io.md */
        assert_int_equal(c.error, EPERM);
    close_card(c.film, c.card);
}

static void nobody_gets_a_card_who_wants_none(void **state)
{
    struct film *film = *state;
    char *named = strdup(getenv(SM_VIDEO_CARD_VARIABLE));
    assert_non_null(named);
    *film->card = (struct va_card){.fails = false};
    assert_int_equal(setenv(SM_VIDEO_CARD_VARIABLE, "none", 1), 0);
    assert_null(film->module->open_card());
    assert_int_equal(setenv(SM_VIDEO_CARD_VARIABLE, "/nonexistent", 1), 0);
    assert_null(film->module->open_card());
    assert_int_equal(film->card->opened, 0);
    assert_int_equal(setenv(SM_VIDEO_CARD_VARIABLE, named, 1), 0);
    free(named);
}

/* ---- The server's side ---- */

/* Encodes a film, `step` failing from frame `from` on: the processor's, decoded without a gap. */
static void encode_film(struct film *film, void *card, enum va_card_step step, unsigned from)
{
    const struct sm_video_encoder_ops *e = film->module->find_encoder(SM_VIDEO_H264);
    const struct sm_video_decoder_ops *d = film->module->find_decoder(SM_VIDEO_H264);
    struct sm_video_setup setup = SETUP;
    setup.card = card;
    void *encoder, *decoder;
    sm_check_status(e->create(&encoder, &setup), SM_OK);
    sm_check_status(d->create(&decoder, NULL), SM_OK);
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        struct sm_pixels picture = make_picture(frame), shown;
        struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second};
        struct sm_bytes data;
        if (frame == from)
            let_fail(film->card, step);
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
        bool is_cards = data.size >= sizeof(VA_CARD_CODED) &&
                        memcmp(data.data + data.size - sizeof(VA_CARD_CODED), VA_CARD_CODED,
                               sizeof(VA_CARD_CODED)) == 0;
        if (is_cards != (frame < from))
            fail_msg("step %d fails, frame %u is encoded by %s", (int)step, frame,
                     e->name(encoder));
        assert_string_equal(e->name(encoder), is_cards ? "h264_vaapi" : "libx264");
        if (!is_cards) /* with a key frame first, or there would be no picture */
            sm_check_status(d->decode(decoder, data, &shown), SM_OK);
        free(picture.data);
    }
    e->destroy(encoder);
    d->destroy(decoder);
}

/* Not VA_CARD_PUT_IMAGE alone: libavutil passes over its failing, when it unmaps an image. */
static void a_card_encodes_until_it_fails(void **state)
{
    static const enum va_card_step STEPS[] = {VA_CARD_BUFFER, VA_CARD_BEGIN, VA_CARD_RENDER,
                                              VA_CARD_END,    VA_CARD_SYNC,  VA_CARD_IMAGE,
                                              VA_CARD_MAP};
    struct film *film = *state;
    for (unsigned i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
        for (unsigned from = 0; from <= FRAMES; from++) { /* in the end it never fails */
            void *card = open_card(film);
            encode_film(film, card, STEPS[i], from);
            assert_true(film->card->calls[STEPS[i]] >= from);
            close_card(film, card);
        }
}

static void a_card_that_encodes_nothing_is_none(void **state)
{
    static const enum va_card_step STEPS[] = {VA_CARD_PROFILES, VA_CARD_CONFIG, VA_CARD_SURFACES,
                                              VA_CARD_CONTEXT};
    struct film *film = *state;
    for (unsigned i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        void *card = open_card(film);
        let_fail(film->card, STEPS[i]);
        encode_film(film, card, STEPS[i], 0);
        close_card(film, card);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_is_decoded_on_the_card),
        cmocka_unit_test(av1_is_left_to_the_processor),
        cmocka_unit_test(decoders_outlive_the_closing_of_their_card),
        cmocka_unit_test(a_card_that_refuses_a_film_costs_no_picture),
        cmocka_unit_test(a_card_that_fails_in_mid_film_costs_no_picture),
        cmocka_unit_test(a_card_that_disappears_costs_no_picture),
        cmocka_unit_test(only_too_long_a_past_is_refused),
        cmocka_unit_test(a_confined_thread_decodes_on_the_card),
        cmocka_unit_test(nobody_gets_a_card_who_wants_none),
        cmocka_unit_test(a_card_encodes_until_it_fails),
        cmocka_unit_test(a_card_that_encodes_nothing_is_none),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
