/* SPDX-License-Identifier: MIT */
/*
 * How good the frames of one stream to one client may be. What the line carries, when that is
 * known, else what got through of what there was; and what the client says it got too late. Also
 * which time a frame is stamped with, so that the client shows it when it arrives. Source:
 * docs/video.md, "Rate".
 */
#ifndef SM_SERVER_DISPLAY_STREAM_RATE_H
#define SM_SERVER_DISPLAY_STREAM_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct sm_msgc_display_stream_report;

/** Thread: one at a time. */
struct sm_stream_rate {
    uint32_t pixels;          /* of a frame */
    bool is_intra;            /* quality counts, not bits per second */
    unsigned quality;         /* to encode the next frame with */
    uint64_t bits_per_second; /* likewise */

    /* private */
    uint64_t window_us;             /* when counting began */
    uint32_t offered, sent;         /* frames since then */
    uint64_t sent_bytes, encode_us; /* likewise */
    uint32_t good_windows;          /* in a row */
    uint64_t interval_us;           /* of the source */
    uint64_t cut_us;                /* when the client last had it made worse */
    int32_t stamp_ms;               /* from now to the time a frame is stamped with */
    bool has_stamp;                 /* a frame was stamped: `last_stamp` */
    uint32_t last_stamp;
};

/**
 * @param bits_per_second  to begin with; 0: nothing is known
 * @param stamp_ms         how far the client's clock is behind ours, negative
 */
void sm_stream_rate_init(struct sm_stream_rate *rate, uint32_t pixels, bool is_intra,
                         uint64_t bits_per_second, int32_t stamp_ms, uint64_t now_us);

/** The picture has changed: a frame could be sent. `interval_us`: from one to the next; or 0. */
void sm_stream_rate_offer(struct sm_stream_rate *rate, uint64_t interval_us, uint64_t now_us);

/**
 * A frame has been given to the line.
 *
 * @param line_bytes_s  what the line carries for this stream; 0: not known
 */
void sm_stream_rate_sent(struct sm_stream_rate *rate, uint32_t bytes, uint64_t encode_us,
                         uint64_t line_bytes_s);

/** Takes what a client says; anything may be in it. */
void sm_stream_rate_report(struct sm_stream_rate *rate,
                           const struct sm_msgc_display_stream_report *report, uint64_t now_us);

/** The stamp for a frame of this time; never earlier than the one before. */
uint32_t sm_stream_rate_stamp(struct sm_stream_rate *rate, uint64_t frame_us);

#endif
