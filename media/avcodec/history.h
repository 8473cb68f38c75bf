/* SPDX-License-Identifier: MIT */
/*
 * What a decoder was given since the last key frame: with it another one can take over. Bounded in
 * bytes and in packets; beyond, nothing is kept until the next key frame.
 */
#ifndef SM_MEDIA_AVCODEC_HISTORY_H
#define SM_MEDIA_AVCODEC_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <libavcodec/avcodec.h>

enum {
    SM_HISTORY_MAX_PACKETS = 300, /* 10 s at 30 a second; of 1920×1080, some 2 s of decoding */
    SM_HISTORY_MAX_BYTES = 32 << 20,
};

/** Zeroed memory has no parser: nothing is a key frame but the beginning. */
struct sm_history {
    AVCodecParserContext *parser;              /* owned */
    AVCodecContext *codec;                     /* owned: what the parser finds out */
    AVPacket *packets[SM_HISTORY_MAX_PACKETS]; /* owned */
    size_t count, size_bytes;
    bool is_cut; /* too much was to be kept: the packets are none */
};

/** @return false if there is no memory, or no parser for this codec; it can still be finished */
bool sm_history_init(struct sm_history *history, enum AVCodecID codec);

/** Keeps `packet`, which is the reader's still; if it is a key frame, it alone. */
void sm_history_add(struct sm_history *history, const AVPacket *packet);

void sm_history_finish(struct sm_history *history);

#endif
