/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>

#include "core/channel/sound_rate.h"
#include "media/opus_codec.h"

/* How strong one frequency is in a stretch of the left channel (Goertzel). */
static double strength(const int16_t *samples, uint32_t count, double frequency, uint32_t rate)
{
    double coefficient = 2 * cos(2 * M_PI * frequency / rate), a = 0, b = 0;
    for (uint32_t i = 0; i < count; i++) {
        double c = samples[2 * i] + coefficient * a - b;
        b = a;
        a = c;
    }
    return (a * a + b * b - coefficient * a * b) / count;
}

static void opus_carries_a_tone_at_every_rate(void **state)
{
    (void)state;
    static const uint32_t RATES[] = {48000, 24000, 16000, 12000, 8000};
    for (size_t r = 0; r < 5; r++) {
        uint32_t rate = RATES[r], frame = sm_sound_frame_samples(rate), total = 0;
        assert_true(sm_opus_has_rate(rate));
        struct sm_opus_encoder *encoder;
        struct sm_opus_decoder *decoder;
        sm_check_status(sm_opus_encoder_create(&encoder, rate), SM_OK);
        sm_check_status(sm_opus_decoder_create(&decoder, rate), SM_OK);
        int16_t *heard = calloc(2 * (rate + SM_OPUS_DECODED_SAMPLES_MAX), sizeof(*heard));
        assert_non_null(heard);
        for (uint32_t at = 0; at + frame <= rate; at += frame) { /* one second */
            int16_t played[2 * 480];
            for (uint32_t i = 0; i < frame; i++)
                played[2 * i] = played[2 * i + 1] =
                    (int16_t)(10000 * sin(2 * M_PI * 1000 * (at + i) / rate));
            uint8_t packet[SM_OPUS_PACKET_MAX];
            size_t size;
            uint32_t count;
            sm_check_status(sm_opus_encode(encoder, played, frame, packet, &size), SM_OK);
            sm_check_status(
                sm_opus_decode(decoder, (struct sm_bytes){packet, size}, heard + 2 * total, &count),
                SM_OK);
            assert_int_equal(count, frame);
            total += count;
        }
        double tone = strength(heard, total, 1000, rate);
        assert_true(tone > 100 * strength(heard, total, 700, rate));
        assert_true(tone > 100 * strength(heard, total, 1500, rate));
        free(heard);
        sm_opus_encoder_destroy(encoder);
        sm_opus_decoder_destroy(decoder);
    }
}

/* How loud the first 50 ms of a tone are for who begins to listen `join`
 * frames after others. */
static int peak_of_beginning(uint32_t join, bool is_independent)
{
    enum { RATE = 48000, FRAME = 480 };
    struct sm_opus_encoder *encoder;
    struct sm_opus_decoder *decoder;
    int peak = 0;
    sm_check_status(sm_opus_encoder_create(&encoder, RATE), SM_OK);
    sm_check_status(sm_opus_decoder_create(&decoder, RATE), SM_OK);
    for (uint32_t frame = 0; frame < join + 5; frame++) {
        int16_t played[2 * FRAME], heard[2 * SM_OPUS_DECODED_SAMPLES_MAX];
        for (uint32_t i = 0; i < FRAME; i++)
            played[2 * i] = played[2 * i + 1] =
                (int16_t)(10000 * sin(2 * M_PI * 440 * (frame * FRAME + i) / RATE));
        uint8_t packet[SM_OPUS_PACKET_MAX];
        size_t size;
        uint32_t count = 0;
        if (frame == join && is_independent)
            sm_opus_encoder_set_independent(encoder, true);
        sm_check_status(sm_opus_encode(encoder, played, FRAME, packet, &size), SM_OK);
        if (frame >= join)
            sm_check_status(sm_opus_decode(decoder, (struct sm_bytes){packet, size}, heard, &count),
                            SM_OK);
        for (uint32_t i = 0; i < 2 * count; i++)
            peak = abs(heard[i]) > peak ? abs(heard[i]) : peak;
    }
    sm_opus_encoder_destroy(encoder);
    sm_opus_decoder_destroy(decoder);
    return peak;
}

static void opus_lets_who_comes_later_hear_it_as_loud_as_it_is(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (uint32_t join = 20; join < 60; join++) {
        int peak = peak_of_beginning(join, false);
        wrong += peak < 9000 || peak > 12500;
        assert_in_range(peak_of_beginning(join, true), 9000, 12500);
    }
    assert_int_not_equal(wrong, 0); /* else there would be nothing to be done */
}

static void opus_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct sm_opus_encoder *encoder;
    struct sm_opus_decoder *decoder;
    sm_check_status(sm_opus_encoder_create(&encoder, 44100), SM_ERR_LIMIT);
    sm_check_status(sm_opus_decoder_create(&decoder, 44100), SM_ERR_LIMIT);
    assert_false(sm_opus_has_rate(44100));
    sm_check_status(sm_opus_encoder_create(&encoder, 16000), SM_OK);
    static const int16_t SILENCE[2 * 480];
    uint8_t packet[SM_OPUS_PACKET_MAX];
    size_t size;
    /* 30 ms are no Opus frame, which is why frames at 16 kHz are shorter. */
    sm_check_status(sm_opus_encode(encoder, SILENCE, 480, packet, &size), SM_ERR_LIMIT);
    sm_opus_encoder_destroy(encoder);
    sm_check_status(sm_opus_decoder_create(&decoder, 48000), SM_OK);
    static int16_t samples[2 * SM_OPUS_DECODED_SAMPLES_MAX];
    uint32_t count;
    struct sm_bytes garbage = sm_test_hex("ff ff ff ff 00 01");
    sm_check_status(sm_opus_decode(decoder, garbage, samples, &count), SM_ERR_PROTOCOL);
    sm_check_status(sm_opus_decode(decoder, (struct sm_bytes){0}, samples, &count),
                    SM_ERR_PROTOCOL);
    sm_opus_decoder_destroy(decoder);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opus_carries_a_tone_at_every_rate),
        cmocka_unit_test(opus_lets_who_comes_later_hear_it_as_loud_as_it_is),
        cmocka_unit_test(opus_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
