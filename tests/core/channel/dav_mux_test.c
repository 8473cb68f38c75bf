/* SPDX-License-Identifier: MIT */
/* Frames of a webdav channel, as they come and as they are written. */
#include "tests/support/check.h"

#include <string.h>

#include "core/channel/spicevmc/dav_mux.h"

/* Connection 2 with "ab", connection -1 ends, connection 2 with "c" in a frame of one. */
static const uint8_t FRAMES[] = {2,   0,   0,   0,   0,   0,   0,   0,   2, 0, 'a', 'b', //
                                 255, 255, 255, 255, 255, 255, 255, 255, 0, 0,           //
                                 2,   0,   0,   0,   0,   0,   0,   0,   1, 0, 'c'};

struct seen {
    char text[16];
    size_t size;
    int64_t ended;
    unsigned ends;
};

static void feed(struct sm_dav_mux *mux, struct sm_bytes in, struct seen *seen)
{
    struct sm_dav_piece piece;
    while (sm_dav_mux_next(mux, &in, &piece)) {
        if (piece.data.size == 0) {
            seen->ended = piece.connection;
            seen->ends++;
            continue;
        }
        assert_int_equal(piece.connection, 2);
        assert_true(seen->size + piece.data.size < sizeof(seen->text));
        memcpy(seen->text + seen->size, piece.data.data, piece.data.size);
        seen->size += piece.data.size;
    }
    assert_int_equal(in.size, 0);
}

static void frames_are_told_apart_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof(FRAMES); step++) {
        struct sm_dav_mux mux = {.left = 0};
        struct seen seen = {.size = 0};
        for (size_t at = 0; at < sizeof(FRAMES); at += step) {
            size_t size = sizeof(FRAMES) - at < step ? sizeof(FRAMES) - at : step;
            struct sm_bytes in = sm_test_copy(FRAMES + at, size);
            feed(&mux, in, &seen);
        }
        assert_int_equal(seen.size, 3);
        assert_memory_equal(seen.text, "abc", 3);
        assert_int_equal(seen.ends, 1);
        assert_int_equal(seen.ended, -1);
    }
}

static void a_cut_stream_gives_what_has_come_and_no_more(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(FRAMES); size++) {
        struct sm_dav_mux mux = {.left = 0};
        struct seen seen = {.size = 0};
        struct sm_bytes in = sm_test_copy(FRAMES, size);
        feed(&mux, in, &seen);
        assert_int_equal(seen.size, size < 11 ? 0 : size < 12 ? 1 : 2);
        assert_int_equal(seen.ends, size >= 22);
    }
}

static void a_header_that_is_written_is_read_again(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, -1, INT64_MIN, INT64_MAX, 0x0102030405060708};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint8_t frame[SM_DAV_HEADER_SIZE + 1];
        struct sm_dav_mux mux = {.left = 0};
        struct sm_dav_piece piece;
        sm_dav_mux_header(frame, numbers[i], SM_DAV_FRAME_MAX);
        frame[SM_DAV_HEADER_SIZE] = 'x';
        struct sm_bytes in = {frame, sizeof(frame)};
        assert_true(sm_dav_mux_next(&mux, &in, &piece));
        assert_true(piece.connection == numbers[i]);
        assert_int_equal(mux.left, SM_DAV_FRAME_MAX - 1);
    }
}

static int free_copies(void **state)
{
    (void)state;
    sm_test_free_copies();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_told_apart_however_they_are_cut),
        cmocka_unit_test(a_cut_stream_gives_what_has_come_and_no_more),
        cmocka_unit_test(a_header_that_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, free_copies);
}
