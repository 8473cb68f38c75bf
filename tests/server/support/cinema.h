/* SPDX-License-Identifier: MIT */
/* Streams as a test's client shows them: painted on its canvas when they come. */
#ifndef SM_TESTS_SERVER_SUPPORT_CINEMA_H
#define SM_TESTS_SERVER_SUPPORT_CINEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/canvas/canvas.h"
#include "core/codec/decoder.h"
#include "core/wire/display.h"
#include "media/video.h"

enum { TEST_CINEMA_MAX_STREAMS = 50 };

struct sm_test_film {
    bool is_live;
    struct sm_msg_display_stream_create created; /* without its clip */
    struct sm_clip clip;                         /* `rects` are owned */
    uint32_t unique_id;                          /* of reports; 0: none are wanted */
    uint32_t frames;
    uint32_t last_time;
    const struct sm_video_decoder_ops *ops; /* NULL: Motion JPEG */
    void *decoder;                          /* owned */
};

/** Zeroed memory shows nothing. */
struct sm_test_cinema {
    struct sm_test_film films[TEST_CINEMA_MAX_STREAMS];
    struct sm_decoder *decoder; /* owned */
};

/** Takes a STREAM_* message; others do nothing. Fails the test if it makes no sense. */
void sm_test_cinema_take(struct sm_test_cinema *cinema, struct sm_canvas *canvas,
                         const struct sm_display_msg *msg);

void sm_test_cinema_finish(struct sm_test_cinema *cinema);

#endif
