/* SPDX-License-Identifier: MIT */
/*
 * Which encoding for this image for this client: one pure function of the image and of what is
 * known about the receiver. Source: docs/display.md, "Images".
 */
#ifndef SM_SERVER_DISPLAY_IMAGE_POLICY_H
#define SM_SERVER_DISPLAY_IMAGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/codec/classify.h"
#include "core/codec/codec.h"
#include "core/wire/display.h"
#include "server/display/worker.h"

struct sm_glz_share;
struct sm_image_costs;
struct sm_peer_palettes;
struct sm_pixmap_cache;

/** What is known about the receiver, for the images of one message. */
struct sm_image_receiver {
    enum sm_worker_compression compression; /* its wish, or the server's setting */
    bool is_local;                          /* copying beats compressing */
    bool has_lz4;                           /* it can decode it */
    bool may_be_lossy; /* the image, where this message draws: what is wrong is put right later */
    bool wants_zlib;   /* over GLZ: bytes are worth the time */
    uint64_t rate_bytes_s;          /* of its line; 0: fast, or not known */
    struct sm_glz_share *glz;       /* borrowed: its dictionary; NULL for none, GLZ means LZ then */
    struct sm_pixmap_cache *images; /* borrowed: what its session keeps; NULL: nothing */
    struct sm_peer_palettes *palettes;  /* borrowed: what it keeps; NULL: nothing */
    uint8_t channel_id;                 /* among the displays of the session */
    const struct sm_image_costs *costs; /* borrowed: what codecs cost; NULL: as said in general */
};

/** What was decided for an image. */
struct sm_image_choice {
    enum sm_image_codec codec;
    bool is_expected;                  /* `expected` is set */
    struct sm_codec_estimate expected; /* in general, for sm_image_costs_learn() */
};

/**
 * The codec to try; SM_CODEC_BITMAP: as it is. Whoever encodes falls back to the image as it is if
 * that does not make it smaller. Thread: any.
 */
struct sm_image_choice sm_image_policy_choose(const struct sm_image_receiver *receiver,
                                              const struct sm_image *image);

/** A bitmap's pixels, borrowed from it. */
struct sm_pixels_in sm_image_policy_pixels(const struct sm_bitmap *bitmap);

#endif
