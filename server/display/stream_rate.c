/* SPDX-License-Identifier: MIT */
#include "server/display/stream_rate.h"

#include "core/wire/display.h"

enum {
    QUALITY_MIN = 20,
    QUALITY_MAX = 85,
    QUALITY_BUSY_MIN = 50, /* when it is not the line that cannot keep up */
    QUALITY_START = 75,
    QUALITY_SLOW_START = 40,
    SLOW_BITS = 10 << 20,
    BITS_MIN = 128 << 10,
    BITS_START = 8 << 20,
    BITS_A_PIXEL_SHIFT = 1, /* at 25 frames: half a bit a pixel is more than a film needs */
    MAX_FPS = 25,
    WINDOW_US = 500 * 1000,
    GOOD_WINDOWS = 4,
    CUT_US = 1000 * 1000,
    SETTLE_US = 3000 * 1000, /* stamps have to fit before lateness says anything */
    LATE_MS = -50,
    /* Where frames are to arrive before their time: enough for the line's jitter. */
    MARGIN_MIN_MS = 10,
    MARGIN_MS = 25,
    MARGIN_MAX_MS = 40,
    MARGIN_PATIENCE = 8,
    STAMP_STEP_MS = 100,
    STAMP_MAX_MS = 2000,
    DEFAULT_INTERVAL_US = 40 * 1000,
};

#define NO_AUDIO UINT32_MAX

static uint64_t limit_u64(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int32_t limit_i32(int64_t value, int32_t low, int32_t high)
{
    return (int32_t)(value < low ? low : value > high ? high : value);
}

static uint64_t bits_max(const struct sm_stream_rate *rate)
{
    uint64_t bits = ((uint64_t)rate->pixels * MAX_FPS) >> BITS_A_PIXEL_SHIFT;
    return limit_u64(bits, BITS_MIN, UINT64_MAX);
}

void sm_stream_rate_init(struct sm_stream_rate *rate, uint32_t pixels, bool is_intra,
                         uint64_t bits_per_second, int32_t stamp_ms, uint64_t now_us)
{
    *rate = (struct sm_stream_rate){
        .pixels = pixels,
        .is_intra = is_intra,
        .quality =
            bits_per_second > 0 && bits_per_second < SLOW_BITS ? QUALITY_SLOW_START : QUALITY_START,
        .window_us = now_us,
        .cut_us = now_us + SETTLE_US,
        .stamp_ms = stamp_ms,
    };
    rate->bits_per_second =
        limit_u64(bits_per_second ? bits_per_second : BITS_START, BITS_MIN, bits_max(rate));
}

static void make_worse(struct sm_stream_rate *rate)
{
    uint64_t frame_us = rate->sent ? rate->encode_us / rate->sent : 0;
    unsigned least =
        2 * frame_us > rate->interval_us && rate->interval_us ? QUALITY_BUSY_MIN : QUALITY_MIN;
    if (rate->quality > least)
        rate->quality = (unsigned)limit_u64(rate->quality - 10, least, QUALITY_MAX);
    rate->bits_per_second = limit_u64(rate->bits_per_second / 4 * 3, BITS_MIN, bits_max(rate));
    rate->good_windows = 0;
}

static void make_better(struct sm_stream_rate *rate)
{
    rate->quality = (unsigned)limit_u64(rate->quality + 5, QUALITY_MIN, QUALITY_MAX);
    rate->bits_per_second =
        limit_u64(rate->bits_per_second + rate->bits_per_second / 10, BITS_MIN, bits_max(rate));
}

/* Looks at what got through since the last look. */
static void judge(struct sm_stream_rate *rate)
{
    if (rate->offered < 4)
        return;
    if (rate->sent * 20 < rate->offered * 17)
        make_worse(rate);
    else if (rate->sent * 20 >= rate->offered * 19 && ++rate->good_windows >= GOOD_WINDOWS) {
        make_better(rate);
        rate->good_windows = 0;
    }
}

void sm_stream_rate_offer(struct sm_stream_rate *rate, uint64_t interval_us, uint64_t now_us)
{
    rate->interval_us = interval_us;
    if (now_us - rate->window_us >= WINDOW_US) {
        judge(rate);
        rate->window_us = now_us;
        rate->offered = rate->sent = 0;
        rate->sent_bytes = rate->encode_us = 0;
    }
    rate->offered++;
}

/* The line's share of a frame is known: go there, down at once and up by and by. */
static void fit_line(struct sm_stream_rate *rate, uint32_t bytes, uint64_t line_bytes_s)
{
    uint64_t interval_us = rate->interval_us ? rate->interval_us : DEFAULT_INTERVAL_US;
    uint64_t usable = line_bytes_s / 5 * 4;
    uint64_t budget = usable * interval_us / 1000000 + 1;
    if (bytes > budget) {
        unsigned percent = (unsigned)limit_u64(budget * 100 / bytes, 50, 100);
        unsigned factor = 100 - (100 - percent) / 2; /* size falls faster than quality at the top */
        rate->quality =
            (unsigned)limit_u64((uint64_t)rate->quality * factor / 100, QUALITY_MIN, QUALITY_MAX);
    } else if (bytes < budget / 5 * 4 && rate->quality < QUALITY_MAX) {
        rate->quality++;
    }
    rate->bits_per_second = limit_u64(usable * 8, BITS_MIN, bits_max(rate));
}

void sm_stream_rate_sent(struct sm_stream_rate *rate, uint32_t bytes, uint64_t encode_us,
                         uint64_t line_bytes_s)
{
    rate->sent++;
    rate->sent_bytes += bytes;
    rate->encode_us += encode_us;
    if (line_bytes_s > 0)
        fit_line(rate, bytes, line_bytes_s);
}

void sm_stream_rate_report(struct sm_stream_rate *rate,
                           const struct sm_msgc_display_stream_report *report, uint64_t now_us)
{
    int64_t margin_ms = report->last_frame_delay;
    if (report->audio_delay != NO_AUDIO) {
        /* It shows what it hears: stamps of both are the time they were made. */
        rate->stamp_ms += limit_i32(-(int64_t)rate->stamp_ms, -STAMP_STEP_MS, STAMP_STEP_MS);
        return;
    }
    int64_t step_ms = 0;
    if (margin_ms < MARGIN_MIN_MS || report->num_drops > 0)
        step_ms = margin_ms < MARGIN_MS ? MARGIN_MS - margin_ms : MARGIN_MIN_MS;
    else if (margin_ms > MARGIN_MAX_MS)
        step_ms = -((margin_ms - MARGIN_MS) / MARGIN_PATIENCE); /* the next burst may be worse */
    step_ms = limit_i32(step_ms, -STAMP_STEP_MS, 2 * STAMP_STEP_MS);
    rate->stamp_ms = limit_i32(rate->stamp_ms + step_ms, -STAMP_MAX_MS, STAMP_MAX_MS);
    if (margin_ms < LATE_MS && now_us >= rate->cut_us) {
        make_worse(rate);
        rate->cut_us = now_us + CUT_US;
    }
}

uint32_t sm_stream_rate_stamp(struct sm_stream_rate *rate, uint64_t frame_us)
{
    uint32_t stamp = (uint32_t)(frame_us / 1000) + (uint32_t)rate->stamp_ms;
    if (rate->has_stamp && (int32_t)(stamp - rate->last_stamp) < 1)
        stamp = rate->last_stamp + 1;
    rate->has_stamp = true;
    rate->last_stamp = stamp;
    return stamp ? stamp : 1; /* 0 has a meaning of its own */
}
