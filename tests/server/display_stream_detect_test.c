/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "server/display/stream_detect.h"
#include "tests/support/failmalloc.h"

enum { FRAME_US = 33333, ENOUGH = 24 };

static bool is_photo(const void *opaque)
{
    (void)opaque;
    return true;
}

static bool is_text(const void *opaque)
{
    (void)opaque;
    return false;
}

static struct sm_rect box(int32_t left, int32_t top, int32_t width, int32_t height)
{
    return (struct sm_rect){left, top, left + width, top + height};
}

struct film {
    struct sm_stream_detect detect;
    uint64_t now_us;
    bool (*kind)(const void *opaque);
    struct sm_detect_verdict last;
};

static struct sm_detect_verdict draw(struct film *film, struct sm_rect at)
{
    struct sm_detect_piece piece = {.box = at, .now_us = film->now_us, .is_gradual = film->kind};
    film->last = sm_stream_detect_add(&film->detect, &piece);
    return film->last;
}

static struct film *new_film(void)
{
    static struct film film;
    sm_stream_detect_reset(&film.detect);
    film = (struct film){.now_us = 1000000, .kind = is_photo};
    return &film;
}

/* Draws whole frames until a stream begins; how many it took, or 0. */
static unsigned run(struct film *film, struct sm_rect at, unsigned frames)
{
    for (unsigned i = 1; i <= frames; i++) {
        if (draw(film, at).is_new)
            return i;
        film->now_us += FRAME_US;
    }
    return 0;
}

static void film_becomes_a_stream_with_the_twentieth_frame(void **state)
{
    (void)state;
    struct film *film = new_film();
    assert_int_equal(run(film, box(10, 20, 640, 480), ENOUGH), 20);
    const struct sm_detect_trace *stream = sm_stream_detect_find(&film->detect, film->last.id);
    assert_non_null(stream);
    assert_true(sm_rect_equal(stream->box, box(10, 20, 640, 480)));
    assert_in_range(stream->interval_us, FRAME_US - 100, FRAME_US + 100);
    film->now_us += FRAME_US;
    struct sm_detect_verdict next = draw(film, box(10, 20, 640, 480));
    assert_true(next.is_piece && next.begins_frame && next.completes_frame && !next.is_new);
    sm_stream_detect_reset(&film->detect);
}

static void text_small_pictures_and_slow_ones_are_none(void **state)
{
    (void)state;
    struct film *film = new_film();
    film->kind = is_text;
    assert_int_equal(run(film, box(0, 0, 640, 480), 200), 0);
    film = new_film();
    assert_int_equal(run(film, box(0, 0, 95, 96), 200), 0);
    film = new_film();
    film->detect.takes_all = true;
    film->kind = is_text;
    assert_int_equal(run(film, box(0, 0, 95, 96), ENOUGH), 20);
    film = new_film();
    for (unsigned i = 0; i < 60; i++, film->now_us += 210000)
        assert_false(draw(film, box(0, 0, 640, 480)).is_piece);
    sm_stream_detect_reset(&film->detect);
}

static void one_frame_in_five_has_to_be_gradual(void **state)
{
    (void)state;
    for (unsigned every = 5; every <= 6; every++) {
        struct film *film = new_film();
        unsigned started = 0;
        for (unsigned i = 0; i < 99 && !started; i++, film->now_us += FRAME_US) {
            film->kind = i % every == every - 1 ? is_photo : is_text;
            started = draw(film, box(0, 0, 200, 200)).is_new ? i + 1 : 0;
        }
        assert_int_equal(started > 0, every == 5);
        sm_stream_detect_reset(&film->detect);
    }
}

/* Draws one frame in parts; true if one of them began a stream. */
static bool draw_parts(struct film *film, struct sm_rect at, int32_t columns, int32_t rows)
{
    bool is_new = false;
    int32_t width = (at.right - at.left) / columns, height = (at.bottom - at.top) / rows;
    for (int32_t i = 0; i < columns * rows; i++) {
        struct sm_rect part =
            box(at.left + i % columns * width, at.top + i / columns * height, width, height);
        is_new = draw(film, part).is_new || is_new;
        film->now_us += 100;
    }
    return is_new;
}

static void strips_and_tiles_are_one_picture(void **state)
{
    (void)state;
    static const int32_t grids[][2] = {{1, 4}, {8, 6}, {2, 1}, {1, 30}, {10, 10}};
    for (unsigned i = 0; i < sizeof(grids) / sizeof(grids[0]); i++) {
        struct film *film = new_film();
        struct sm_rect at = box(100, 50, 640, 480);
        unsigned frames = 0;
        bool is_new = false;
        for (; frames < 40 && !is_new; frames++, film->now_us += FRAME_US)
            is_new = draw_parts(film, at, grids[i][0], grids[i][1]);
        assert_true(is_new);
        assert_in_range(frames, 20, 22);
        uint32_t id = 0;
        at = box(100, 50, 640 / grids[i][0] * grids[i][0], 480 / grids[i][1] * grids[i][1]);
        assert_true(sm_rect_equal(sm_stream_detect_find(&film->detect, id)->box, at));
        /* Of the next frame the first part begins it, the last one completes it. */
        draw_parts(film, at, grids[i][0], grids[i][1]);
        film->now_us += FRAME_US;
        unsigned begun = 0, completed = 0, parts = (unsigned)(grids[i][0] * grids[i][1]);
        for (unsigned part = 0; part < parts; part++) {
            int32_t w = 640 / grids[i][0], h = 480 / grids[i][1];
            int32_t x = (int32_t)part % grids[i][0] * w, y = (int32_t)part / grids[i][0] * h;
            struct sm_detect_verdict v = draw(film, box(100 + x, 50 + y, w, h));
            assert_true(v.is_piece);
            begun += v.begins_frame;
            completed += v.completes_frame;
            assert_int_equal(v.begins_frame, part == 0);
            assert_int_equal(v.completes_frame, part == parts - 1);
        }
        assert_int_equal(begun, 1);
        assert_int_equal(completed, 1);
        sm_stream_detect_reset(&film->detect);
    }
}

static void picture_that_is_dragged_stays_one_stream(void **state)
{
    (void)state;
    struct film *film = new_film();
    int32_t x = 0;
    bool is_new = false;
    for (; x < 30 * 7 && !is_new; x += 7, film->now_us += FRAME_US)
        is_new = draw(film, box(x, x, 320, 240)).is_new;
    assert_true(is_new);
    struct sm_detect_verdict v = draw(film, box(x, x, 320, 240));
    assert_true(v.is_piece && v.has_moved);
    assert_true(
        sm_rect_equal(sm_stream_detect_find(&film->detect, v.id)->box, box(x, x, 320, 240)));
    sm_stream_detect_reset(&film->detect);
}

/* What changes of a picture is drawn: most of it, not always the same part. */
static void parts_that_change_belong_to_the_picture(void **state)
{
    (void)state;
    struct film *film = new_film();
    bool is_new = false;
    for (unsigned i = 0; i < 60 && !is_new; i++, film->now_us += FRAME_US) {
        int32_t cut = (int32_t)(i * 37 % 5) * 20;
        is_new = draw(film, box(0, cut, 640, 480 - cut)).is_new;
    }
    assert_true(is_new);
    assert_true(sm_rect_equal(sm_stream_detect_find(&film->detect, 0)->box, box(0, 0, 640, 480)));
    sm_stream_detect_reset(&film->detect);
}

static void two_films_side_by_side_are_two_streams(void **state)
{
    (void)state;
    struct film *film = new_film();
    unsigned begun = 0;
    for (unsigned i = 0; i < 40; i++, film->now_us += FRAME_US) {
        begun += draw(film, box(0, 0, 320, 240)).is_new;
        begun += draw(film, box(400, 0, 320, 240)).is_new;
    }
    assert_int_equal(begun, 2);
    assert_non_null(sm_stream_detect_find(&film->detect, 0));
    assert_non_null(sm_stream_detect_find(&film->detect, 1));
    sm_stream_detect_reset(&film->detect);
}

static void what_is_drawn_over_a_picture_is_not_a_part_of_it(void **state)
{
    (void)state;
    struct film *film = new_film();
    assert_int_equal(run(film, box(0, 0, 640, 480), ENOUGH), 20);
    assert_false(draw(film, box(100, 100, 200, 40)).is_piece); /* a menu */
    assert_false(draw(film, box(0, 0, 1920, 1080)).is_piece);  /* all of the screen */
    film->now_us += FRAME_US;
    assert_true(draw(film, box(0, 0, 640, 480)).is_piece);
    film->now_us += SM_DETECT_END_US + 1; /* too late to be the next frame */
    assert_false(draw(film, box(0, 0, 640, 480)).is_piece);
    sm_stream_detect_end(&film->detect, 0);
    assert_null(sm_stream_detect_find(&film->detect, 0));
    sm_stream_detect_reset(&film->detect);
}

static void no_more_streams_than_ids(void **state)
{
    (void)state;
    struct film *film = new_film();
    unsigned begun = 0;
    for (int32_t i = 0; i < SM_DETECT_MAX_STREAMS + 5; i++)
        begun += run(film, box(i * 200, 0, 100, 100), ENOUGH) != 0;
    assert_int_equal(begun, SM_DETECT_MAX_STREAMS);
    sm_stream_detect_reset(&film->detect);
}

static void without_memory_there_is_no_stream(void **state)
{
    (void)state;
    bool has_failed = true;
    for (unsigned nth = 0; has_failed; nth++) {
        struct film *film = new_film();
        sm_failmalloc_arm(nth);
        for (unsigned i = 0; i < 25; i++, film->now_us += FRAME_US)
            draw_parts(film, box(0, 0, 640, 480), 4, 4);
        has_failed = sm_failmalloc_disarm();
        sm_stream_detect_reset(&film->detect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(film_becomes_a_stream_with_the_twentieth_frame),
        cmocka_unit_test(text_small_pictures_and_slow_ones_are_none),
        cmocka_unit_test(one_frame_in_five_has_to_be_gradual),
        cmocka_unit_test(strips_and_tiles_are_one_picture),
        cmocka_unit_test(picture_that_is_dragged_stays_one_stream),
        cmocka_unit_test(parts_that_change_belong_to_the_picture),
        cmocka_unit_test(two_films_side_by_side_are_two_streams),
        cmocka_unit_test(what_is_drawn_over_a_picture_is_not_a_part_of_it),
        cmocka_unit_test(no_more_streams_than_ids),
        cmocka_unit_test(without_memory_there_is_no_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
