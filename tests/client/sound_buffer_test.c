/* SPDX-License-Identifier: MIT */
/* The buffer between network and device, with clocks of the test's own: a tone goes in, and what
 * comes out is looked at. */
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/sound_buffer.h"
#include "tests/support/failmalloc.h"

enum {
    RATE = 48000,
    PACKET = 480,
    PERIOD = 256,
    AMPLITUDE = 10000,
    OUT_MAX = RATE * 70,
};

static const double TONE_HZ = 440;
static const double TURN = 6.283185307179586;

/* A tone that goes on for ever, and what a device has taken of it. */
struct scene {
    struct sm_sound_buffer buffer;
    uint64_t made; /* frames */
    int16_t *out;  /* the left channel */
    size_t out_count;
};

static void begin(struct scene *scene)
{
    *scene = (struct scene){.out = malloc(OUT_MAX * sizeof(int16_t))};
    assert_non_null(scene->out);
    sm_check_status(sm_sound_buffer_init(&scene->buffer, RATE, 2), SM_OK);
}

static void end(struct scene *scene)
{
    sm_sound_buffer_finish(&scene->buffer);
    free(scene->out);
}

static void deliver(struct scene *scene, uint32_t frames)
{
    int16_t samples[2 * PACKET];
    while (frames > 0) {
        uint32_t part = frames < PACKET ? frames : PACKET;
        for (uint32_t i = 0; i < part; i++, scene->made++)
            samples[2 * i] = samples[2 * i + 1] =
                (int16_t)lrint(AMPLITUDE * sin(TURN * TONE_HZ * (double)scene->made / RATE));
        sm_sound_buffer_put(&scene->buffer, samples, part);
        frames -= part;
    }
}

static void take(struct scene *scene, uint32_t frames)
{
    int16_t samples[2 * 4096];
    assert_true(frames <= 4096 && scene->out_count + frames <= OUT_MAX);
    sm_sound_buffer_get(&scene->buffer, samples, frames);
    for (uint32_t i = 0; i < frames; i++) {
        assert_int_equal(samples[2 * i], samples[2 * i + 1]);
        scene->out[scene->out_count++] = samples[2 * i];
    }
}

/* `seconds` of a network at one rate and a device at another, which differ by `ppm`; packets come
 * up to `jitter_ms` late, in turn. */
static void play(struct scene *scene, double seconds, double ppm, double jitter_ms)
{
    double device_s = 0, packet_s = (double)PACKET / RATE * (1 + ppm * 1e-6);
    double next_s = 0;
    unsigned turn = 0;
    double late_s = 0;
    while (device_s < seconds) {
        while (next_s + late_s <= device_s) {
            deliver(scene, PACKET);
            next_s += packet_s;
            late_s = (double)(turn++ * 7 % 11) / 10 * jitter_ms / 1000;
        }
        take(scene, PERIOD);
        device_s += (double)PERIOD / RATE;
    }
}

/* The largest step from one sample to the next: a tone has small ones, a click large ones. */
static int largest_step(const struct scene *scene, size_t from)
{
    int largest = 0;
    for (size_t i = from + 1; i < scene->out_count; i++)
        if (abs(scene->out[i] - scene->out[i - 1]) > largest)
            largest = abs(scene->out[i] - scene->out[i - 1]);
    return largest;
}

/* A 440 Hz tone of this amplitude has steps of 576 at most; blending two places adds to it. */
enum { STEP_OF_TONE = 580, STEP_ALLOWED = 750 };

static double hertz(const struct scene *scene, size_t from)
{
    size_t waves = 0;
    for (size_t i = from + 1; i < scene->out_count; i++)
        waves += scene->out[i - 1] < 0 && scene->out[i] >= 0;
    return (double)waves * RATE / (double)(scene->out_count - from);
}

static void clocks_that_agree_are_a_few_milliseconds_apart(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    play(&scene, 40, 0, 0);
    assert_int_equal(scene.buffer.underruns, 0);
    assert_int_equal(scene.buffer.skipped_frames, 0);
    assert_true(largest_step(&scene, 0) <= STEP_OF_TONE);
    assert_true(fabs(hertz(&scene, RATE * 30) - TONE_HZ) < 0.3);
    assert_true(sm_sound_buffer_level(&scene.buffer) < RATE * 20 / 1000);
    end(&scene);
}

/* It begins with what will be needed and no more: with the sizes of PipeWire and PulseAudio, of a
 * device of CDs, and of one that takes more than a packet at a time. */
static void it_begins_as_soon_as_the_margin_will_be_left(void **state)
{
    (void)state;
    static const struct {
        uint32_t period;
        unsigned packets; /* that have to be there */
    } CASES[] = {{480, 2}, {240, 2}, {384, 3}, {441, 3}, {960, 3}, {672, 3}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct scene scene;
        begin(&scene);
        for (unsigned packets = 1; packets < CASES[i].packets; packets++) {
            deliver(&scene, PACKET);
            take(&scene, CASES[i].period);
            if (sm_sound_buffer_level(&scene.buffer) != packets * PACKET)
                fail_msg("turns of %u: it began with %u packets", CASES[i].period, packets);
        }
        /* From here on every turn takes; packets come as late as they may without being late. */
        uint64_t taken = 0;
        unsigned packets = CASES[i].packets;
        deliver(&scene, PACKET);
        for (; taken < 2 * RATE; taken += CASES[i].period) {
            for (; (uint64_t)(packets - CASES[i].packets + 1) * PACKET < taken; packets++)
                deliver(&scene, PACKET);
            take(&scene, CASES[i].period);
            if (taken == 0)
                assert_int_equal(sm_sound_buffer_level(&scene.buffer),
                                 packets * PACKET - CASES[i].period);
        }
        if (scene.buffer.underruns)
            fail_msg("turns of %u: %d gaps", CASES[i].period, (int)scene.buffer.underruns);
        end(&scene);
    }
}

static void clocks_that_differ_are_followed_without_a_gap(void **state)
{
    (void)state;
    static const double PPMS[] = {-1000, -200, 200, 1000};
    for (size_t i = 0; i < sizeof(PPMS) / sizeof(PPMS[0]); i++) {
        struct scene scene;
        begin(&scene);
        play(&scene, 60, PPMS[i], 5);
        if (scene.buffer.underruns || scene.buffer.skipped_frames)
            fail_msg("%g ppm: %d gaps", PPMS[i], (int)scene.buffer.underruns);
        assert_true(largest_step(&scene, 0) <= STEP_OF_TONE);
        double found = hertz(&scene, RATE * 10), expected = TONE_HZ * (1 - PPMS[i] * 1e-6);
        if (fabs(found - expected) > 0.5)
            fail_msg("%.2f Hz, expected %.2f", found, expected);
        assert_true(sm_sound_buffer_level(&scene.buffer) < RATE * 40 / 1000);
        end(&scene);
    }
}

static void a_pause_of_the_network_fades_out_and_in(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    play(&scene, 1, 0, 0);
    for (int i = 0; i < 100; i++)
        take(&scene, PERIOD);
    assert_int_equal(scene.buffer.underruns, 1);
    assert_int_equal(scene.out[scene.out_count - 1], 0);
    play(&scene, 1, 0, 0);
    assert_int_equal(scene.buffer.underruns, 1);
    assert_true(abs(scene.out[scene.out_count - 1]) <= AMPLITUDE);
    assert_true(largest_step(&scene, 0) <= STEP_ALLOWED);
    end(&scene);
}

static void what_comes_all_at_once_is_caught_up_with_soon(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    play(&scene, 1, 0, 0);
    deliver(&scene, RATE / 2); /* half a second */
    play(&scene, 1.5, 0, 0);
    assert_true(sm_sound_buffer_level(&scene.buffer) < RATE * 40 / 1000);
    assert_true(scene.buffer.skipped_frames > RATE * 400 / 1000);
    assert_int_equal(scene.buffer.underruns, 0);
    assert_true(largest_step(&scene, 0) <= STEP_ALLOWED * 2); /* two tones, blended */
    end(&scene);
}

static void a_line_that_stutters_gets_a_larger_margin(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    play(&scene, 20, 0, 60);
    uint64_t gaps = scene.buffer.underruns;
    play(&scene, 20, 0, 60);
    if (scene.buffer.underruns - gaps > 1)
        fail_msg("%d gaps, then %d", (int)gaps, (int)(scene.buffer.underruns - gaps));
    end(&scene);
}

static void an_end_plays_all_that_is_there_and_is_no_gap(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    deliver(&scene, 100); /* less than would be waited for */
    take(&scene, PERIOD);
    assert_int_equal(scene.out[50], 0);
    sm_sound_buffer_end(&scene.buffer);
    take(&scene, PERIOD);
    assert_int_not_equal(scene.out[PERIOD + 50], 0);
    take(&scene, PERIOD);
    assert_int_equal(scene.out[scene.out_count - 1], 0);
    assert_int_equal(scene.buffer.underruns, 0);
    assert_int_equal(sm_sound_buffer_level(&scene.buffer), 0);
    sm_sound_buffer_begin(&scene.buffer);
    play(&scene, 1, 0, 0);
    assert_int_equal(scene.buffer.underruns, 0);
    end(&scene);
}

static void volume_changes_without_a_click(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    play(&scene, 1, 0, 0);
    for (uint32_t i = 0; i < 2; i++)
        sm_sound_buffer_set_gain(&scene.buffer, i, 0);
    play(&scene, 0.5, 0, 0);
    assert_int_equal(scene.out[scene.out_count - 1], 0);
    for (uint32_t i = 0; i < 2; i++)
        sm_sound_buffer_set_gain(&scene.buffer, i, 0.5F);
    size_t from = scene.out_count;
    play(&scene, 0.5, 0, 0);
    int loudest = 0;
    for (size_t i = from; i < scene.out_count; i++)
        loudest = abs(scene.out[i]) > loudest ? abs(scene.out[i]) : loudest;
    assert_in_range(loudest, AMPLITUDE / 2 - 50, AMPLITUDE / 2 + 50);
    assert_true(largest_step(&scene, 0) <= STEP_ALLOWED);
    end(&scene);
}

static void more_than_fits_keeps_the_newest(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    deliver(&scene, RATE * 5);
    assert_int_equal(sm_sound_buffer_level(&scene.buffer), scene.buffer.capacity);
    assert_int_equal(scene.buffer.skipped_frames, RATE * 5 - scene.buffer.capacity);
    end(&scene);
}

static void absurd_formats_are_refused(void **state)
{
    (void)state;
    struct sm_sound_buffer buffer = {0};
    sm_check_status(sm_sound_buffer_init(&buffer, 0, 2), SM_ERR_LIMIT);
    sm_check_status(sm_sound_buffer_init(&buffer, 3999, 2), SM_ERR_LIMIT);
    sm_check_status(sm_sound_buffer_init(&buffer, 192001, 2), SM_ERR_LIMIT);
    sm_check_status(sm_sound_buffer_init(&buffer, RATE, 0), SM_ERR_LIMIT);
    sm_check_status(sm_sound_buffer_init(&buffer, RATE, 9), SM_ERR_LIMIT);
    sm_failmalloc_arm(0);
    sm_check_status(sm_sound_buffer_init(&buffer, RATE, 2), SM_ERR_NOMEM);
    sm_failmalloc_disarm();
    sm_sound_buffer_finish(&buffer);
}

static void every_rate_and_number_of_channels_plays(void **state)
{
    (void)state;
    static const uint32_t RATES[] = {4000,  8000,  11025, 12000, 16000, 22050,
                                     24000, 32000, 44100, 48000, 96000, 192000};
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++)
        for (uint32_t channels = 1; channels <= SM_SOUND_CHANNELS_MAX; channels++) {
            struct sm_sound_buffer buffer;
            sm_check_status(sm_sound_buffer_init(&buffer, RATES[i], channels), SM_OK);
            uint32_t packet = RATES[i] / 100;
            size_t size = (size_t)packet * channels;
            int16_t *samples = malloc(size * sizeof(*samples)), *out = malloc(size * sizeof(*out));
            for (int turn = 0; turn < 50; turn++) {
                for (size_t j = 0; j < size; j++)
                    samples[j] = (int16_t)(1000 * (j % channels + 1));
                sm_sound_buffer_put(&buffer, samples, packet);
                sm_sound_buffer_get(&buffer, out, packet);
            }
            for (size_t j = 0; j < size; j++)
                assert_int_equal(out[j], 1000 * (j % channels + 1));
            free(samples);
            free(out);
            sm_sound_buffer_finish(&buffer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_agree_are_a_few_milliseconds_apart),
        cmocka_unit_test(it_begins_as_soon_as_the_margin_will_be_left),
        cmocka_unit_test(clocks_that_differ_are_followed_without_a_gap),
        cmocka_unit_test(a_pause_of_the_network_fades_out_and_in),
        cmocka_unit_test(what_comes_all_at_once_is_caught_up_with_soon),
        cmocka_unit_test(a_line_that_stutters_gets_a_larger_margin),
        cmocka_unit_test(an_end_plays_all_that_is_there_and_is_no_gap),
        cmocka_unit_test(volume_changes_without_a_click),
        cmocka_unit_test(more_than_fits_keeps_the_newest),
        cmocka_unit_test(absurd_formats_are_refused),
        cmocka_unit_test(every_rate_and_number_of_channels_plays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
