/* SPDX-License-Identifier: MIT */
#include "client/sound_buffer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_MS = 2000,
    WINDOW_MS = 500,      /* the least that was left in it tells whether we are too far behind */
    MARGIN_FIRST_MS = 6,  /* what shall be left at the least */
    MARGIN_LEAST_MS = 4,  /* after a long time without a gap */
    MARGIN_MOST_MS = 120, /* on a line that stutters */
    MARGIN_UP_MS = 6,     /* a gap, at the least: else as long as it was */
    PAUSE_MS = 300,       /* a longer one is no jitter */
    LEAP_MS = 25,         /* further behind than this: frames are left out */
    LEAP_AT_ONCE_MS = 120,
    BLEND_MS = 5, /* from one place to the other */
    FADE_MS = 3,
    GAIN_MS = 10,
};

static const double CHANGE_A_SECOND = 0.25; /* of the distance from the margin */
static const double DRIFT_A_SECOND = 0.025;
static const double STEP_MOST = 0.004;   /* 7 cents: not heard */
static const double MARGIN_DOWN = 0.002; /* a part, in a window without a gap: half in 3 minutes */

static uint32_t frames_of_ms(const struct sm_sound_buffer *b, uint32_t ms)
{
    return (uint32_t)((uint64_t)b->rate_hz * ms / 1000);
}

enum sm_status sm_sound_buffer_init(struct sm_sound_buffer *b, uint32_t rate_hz, uint32_t channels)
{
    if (rate_hz < SM_SOUND_RATE_MIN_HZ || rate_hz > SM_SOUND_RATE_MAX_HZ || channels < 1 ||
        channels > SM_SOUND_CHANNELS_MAX)
        return SM_ERR_LIMIT;
    uint32_t capacity = (uint32_t)((uint64_t)rate_hz * CAPACITY_MS / 1000);
    int16_t *ring = calloc((size_t)capacity * channels, sizeof(*ring));
    if (!ring)
        return SM_ERR_NOMEM;
    *b = (struct sm_sound_buffer){.rate_hz = rate_hz,
                                  .channels = channels,
                                  .ring = ring,
                                  .capacity = capacity,
                                  .step = 1,
                                  .is_waiting = true};
    b->margin = frames_of_ms(b, MARGIN_FIRST_MS);
    b->packet = b->period = frames_of_ms(b, 10);
    b->lowest = UINT32_MAX;
    for (uint32_t i = 0; i < SM_SOUND_CHANNELS_MAX; i++)
        b->gain[i] = b->wanted_gain[i] = 1;
    return SM_OK;
}

void sm_sound_buffer_finish(struct sm_sound_buffer *b)
{
    free(b->ring);
    b->ring = NULL;
}

uint32_t sm_sound_buffer_level(const struct sm_sound_buffer *b)
{
    return (uint32_t)(b->put - b->got);
}

void sm_sound_buffer_set_gain(struct sm_sound_buffer *b, uint32_t channel, float gain)
{
    if (channel < SM_SOUND_CHANNELS_MAX)
        b->wanted_gain[channel] = gain;
}

void sm_sound_buffer_begin(struct sm_sound_buffer *b)
{
    b->has_ended = false;
    b->lowest = UINT32_MAX;
    b->window_taken = 0;
    b->step = 1 + b->drift;
}

void sm_sound_buffer_end(struct sm_sound_buffer *b)
{
    b->has_ended = true;
}

void sm_sound_buffer_put(struct sm_sound_buffer *b, const int16_t *samples, uint32_t frames)
{
    if (frames > b->capacity) {
        samples += (size_t)(frames - b->capacity) * b->channels;
        frames = b->capacity;
    }
    if (frames == 0)
        return;
    b->packet = frames;
    uint32_t at = (uint32_t)(b->put % b->capacity);
    uint32_t first = frames < b->capacity - at ? frames : b->capacity - at;
    size_t frame_size = b->channels * sizeof(*samples);
    memcpy(b->ring + (size_t)at * b->channels, samples, first * frame_size);
    memcpy(b->ring, samples + (size_t)first * b->channels, (frames - first) * frame_size);
    b->put += frames;
    if (b->put - b->got > b->capacity) {
        b->skipped_frames += b->put - b->got - b->capacity;
        b->got = b->put - b->capacity;
        b->leap_left = 0;
    }
}

/* ---- One frame ---- */

static float sample_at(const struct sm_sound_buffer *b, uint64_t frame, uint32_t channel)
{
    return b->ring[(size_t)(frame % b->capacity) * b->channels + channel];
}

/* The sample between two frames, on a smooth curve through the four around it. */
static float between(const struct sm_sound_buffer *b, uint64_t frame, float phase, uint32_t channel)
{
    float x1 = sample_at(b, frame, channel);
    if (phase == 0)
        return x1;
    uint64_t last = b->put - 1;
    float x0 = frame > 0 && b->put - frame < b->capacity ? sample_at(b, frame - 1, channel) : x1;
    float x2 = sample_at(b, frame + 1 < b->put ? frame + 1 : last, channel);
    float x3 = sample_at(b, frame + 2 < b->put ? frame + 2 : last, channel);
    float c1 = (x2 - x0) / 2, c2 = x0 - 2.5F * x1 + 2 * x2 - x3 / 2;
    float c3 = (x3 - x0) / 2 + 1.5F * (x1 - x2);
    return ((c3 * phase + c2) * phase + c1) * phase + x1;
}

static int16_t clip(float value)
{
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : lrintf(value));
}

static void read_frame(struct sm_sound_buffer *b)
{
    float phase = (float)b->phase;
    float blend = (float)b->leap_left / (float)frames_of_ms(b, BLEND_MS);
    for (uint32_t i = 0; i < b->channels; i++) {
        float value = between(b, b->got, phase, i);
        if (b->leap_left)
            value = value * blend + between(b, b->leap_to, phase, i) * (1 - blend);
        b->held[i] = clip(value);
    }
    b->phase += b->step;
    uint64_t whole = (uint64_t)b->phase;
    b->phase -= (double)whole;
    b->got += whole;
    if (b->leap_left) {
        b->leap_to += whole;
        if (--b->leap_left == 0)
            b->got = b->leap_to;
    }
    if (b->got > b->put)
        b->got = b->put;
}

static void write_frame(struct sm_sound_buffer *b, int16_t *out)
{
    float most = 1.0F / (float)frames_of_ms(b, GAIN_MS);
    for (uint32_t i = 0; i < b->channels; i++) {
        float distance = b->wanted_gain[i] - b->gain[i];
        b->gain[i] += distance > most ? most : distance < -most ? -most : distance;
        out[i] = clip((float)b->held[i] * b->gain[i] * (float)b->fade);
    }
}

/* ---- How far behind ---- */

static void leap(struct sm_sound_buffer *b, uint32_t frames)
{
    uint32_t level = sm_sound_buffer_level(b), blend = frames_of_ms(b, BLEND_MS);
    if (b->leap_left || level < frames + 2 * blend)
        return;
    b->leap_to = b->got + frames;
    b->leap_left = blend;
    b->skipped_frames += frames;
}

static double limit(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

static void judge(struct sm_sound_buffer *b)
{
    double error = (double)b->lowest - b->margin;
    if (error > frames_of_ms(b, LEAP_MS)) {
        leap(b, (uint32_t)error);
        b->step = 1 + b->drift;
    } else {
        /* Of the distance a part, and of all distances there were: the clocks' own difference. */
        double error_s = error / b->rate_hz;
        b->drift = limit(b->drift + error_s * DRIFT_A_SECOND * WINDOW_MS / 1000, STEP_MOST);
        b->step = 1 + limit(error_s * CHANGE_A_SECOND + b->drift, STEP_MOST);
        double least = frames_of_ms(b, MARGIN_LEAST_MS);
        b->margin -= b->margin * MARGIN_DOWN;
        if (b->margin < least)
            b->margin = least;
    }
    b->lowest = UINT32_MAX;
    b->window_taken = 0;
}

static void note_level(struct sm_sound_buffer *b, uint32_t frames)
{
    uint32_t level = sm_sound_buffer_level(b);
    if (level < b->lowest)
        b->lowest = level;
    b->window_taken += frames;
    double far_behind = b->margin + frames_of_ms(b, LEAP_AT_ONCE_MS);
    if (level > far_behind + b->packet)
        leap(b, level - (uint32_t)b->margin - b->packet);
    else if (b->window_taken >= frames_of_ms(b, WINDOW_MS))
        judge(b);
}

static void run_dry(struct sm_sound_buffer *b)
{
    b->is_waiting = true;
    b->leap_left = 0;
    b->phase = 0;
    b->lowest = UINT32_MAX;
    b->window_taken = 0;
    if (b->has_ended)
        return;
    b->underruns++;
    b->is_dry = true;
    b->dry = 0;
}

/* The gap is over. One as long as it was would now be outlasted. */
static void learn(struct sm_sound_buffer *b)
{
    uint32_t least = frames_of_ms(b, MARGIN_UP_MS), most = frames_of_ms(b, MARGIN_MOST_MS);
    bool is_jitter = b->dry > least && b->dry < frames_of_ms(b, PAUSE_MS);
    b->margin += is_jitter ? b->dry : least;
    if (b->margin > most)
        b->margin = most;
    b->is_dry = false;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/*
 * Enough that the margin is what will be left at the worst moment. Turns and packets meet again
 * every so often, and in between the turns are ahead by a turn and a packet at most, less the
 * largest size that divides both: where they are alike, by one.
 */
static bool may_begin(const struct sm_sound_buffer *b)
{
    uint32_t level = sm_sound_buffer_level(b);
    uint32_t ahead = b->period + b->packet - common_divisor(b->period, b->packet);
    uint32_t enough = ahead + (uint32_t)b->margin;
    return level > 0 && (b->has_ended || level >= enough);
}

/* Nothing is played while it is waited; but what sounded dies away first. */
static bool is_silent(const struct sm_sound_buffer *b)
{
    return b->is_waiting && b->fade <= 0;
}

void sm_sound_buffer_get(struct sm_sound_buffer *b, int16_t *samples, uint32_t frames)
{
    double fade_step = 1.0 / frames_of_ms(b, FADE_MS);
    b->period = frames;
    if (b->is_dry && (b->put != b->got || b->has_ended))
        learn(b);
    else if (b->is_dry && b->dry < frames_of_ms(b, PAUSE_MS))
        b->dry += frames;
    if (is_silent(b) && may_begin(b)) {
        b->is_waiting = false;
        b->lowest = UINT32_MAX;
        b->window_taken = 0;
    }
    for (uint32_t i = 0; i < frames; i++) {
        if (!b->is_waiting && (b->got == b->put || (b->leap_left && b->leap_to >= b->put)))
            run_dry(b);
        if (!b->is_waiting)
            read_frame(b);
        b->fade += b->is_waiting ? -fade_step : fade_step;
        b->fade = b->fade < 0 ? 0 : b->fade > 1 ? 1 : b->fade;
        write_frame(b, samples + (size_t)i * b->channels);
    }
    if (!b->is_waiting && !b->has_ended)
        note_level(b, frames);
}
