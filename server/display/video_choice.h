/* SPDX-License-Identifier: MIT */
/* Which codec a client's streams use: what the host allows, in the order the client prefers. */
#ifndef SM_SERVER_DISPLAY_VIDEO_CHOICE_H
#define SM_SERVER_DISPLAY_VIDEO_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/reader.h"

enum { SM_VIDEO_MAX_CODECS = 16 };

/** Values of the wire's `video_codec`, best first. */
struct sm_video_list {
    uint8_t codecs[SM_VIDEO_MAX_CODECS];
    uint32_t count;
    bool is_automatic; /* of the host: nobody asked for this order, so the line may change it */
};

/** Adds a codec behind the others, unless it is there or the list is full. */
void sm_video_list_add(struct sm_video_list *list, uint8_t codec);

/** The codecs a client sent; unknown ones and repetitions are left out. */
struct sm_video_list sm_video_list_of(struct sm_bytes codecs);

/** Whether a client with these display capabilities, a bit each, can show the codec. */
bool sm_video_can_show(uint32_t caps, uint8_t codec);

/** What a host that says nothing allows: all there is, Motion JPEG first. */
struct sm_video_list sm_video_list_automatic(void);

/** What is known of a client. */
struct sm_video_client {
    struct sm_video_list preferred; /* by itself; empty: it did not say */
    uint32_t caps;                  /* display capabilities, a bit each */
    bool is_narrow;                 /* its line is no match for Motion JPEG */
};

/**
 * The codecs to try for a client, best first: `allowed`, those the client prefers before the others
 * and in its order, without what it cannot show; and Motion JPEG at the end where that is allowed
 * by the client alone. On a narrow line, where neither side asked for an order, Motion JPEG is
 * last.
 */
struct sm_video_list sm_video_choose(const struct sm_video_list *allowed,
                                     const struct sm_video_client *client);

#endif
