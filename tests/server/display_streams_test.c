/* SPDX-License-Identifier: MIT */
/* Moving pictures on their way from a scripted device to a client. */
#include "tests/support/check.h"

#include <signal.h>
#include <string.h>

#include "core/gfx/surface.h"
#include "core/wire/display.h"
#include "media/video_loader.h"
#include "tests/server/support/stage.h"

enum {
    STEP_MS = 15, /* between frames */
    MANY = 1500,  /* frames: more than any test needs, however busy the machine is */
    ATTEMPTS = 5, /* a machine that stands still for a second ends every stream */
};

/* A client that knows streams and says how they arrive. */
static const struct sm_test_watcher_options VIEWER = {
    .connection_id = 1,
    .channel_caps = 1u << SM_DISPLAY_CAP_SIZED_STREAM | 1u << SM_DISPLAY_CAP_MONITORS_CONFIG |
                    1u << SM_DISPLAY_CAP_COMPOSITE | 1u << SM_DISPLAY_CAP_STREAM_REPORT,
};

static void begin(struct sm_test_stage *f, const struct sm_test_watcher_options *options)
{
    sm_worker_set_streaming(f->device.worker, SM_STREAMING_ALL);
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    sm_test_watch_display(&f->watcher, f->device.worker, options);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
}

/* Pictures a film is made of; guest memory is small, so they are shown again and again. */
struct film {
    struct sm_test_stage *stage;
    uint64_t images[4];
    uint32_t width, height;
    unsigned shown;
};

static struct film make_film(struct sm_test_stage *f, uint32_t width, uint32_t height)
{
    struct film film = {.stage = f, .width = width, .height = height};
    for (unsigned i = 0; i < 4; i++)
        film.images[i] = sm_test_device_image(&f->device, width, height, 50 + i);
    return film;
}

static void draw_at(struct film *film, int x, int y)
{
    QXLDrawable copy = sm_test_drawable(
        QXL_DRAW_COPY, 0, sm_test_rect(x, y, x + (int)film->width, y + (int)film->height));
    copy.effect = QXL_EFFECT_OPAQUE;
    copy.u.copy.src_bitmap = film->images[film->shown++ % 4];
    copy.u.copy.src_area = sm_test_rect(0, 0, (int)film->width, (int)film->height);
    copy.u.copy.rop_descriptor = 8;
    (void)sm_test_device_draw(&film->stage->device, &copy);
}

static void show_at(struct film *film, int x, int y)
{
    draw_at(film, x, y);
    sm_test_watcher_run(&film->stage->watcher, STEP_MS);
}

static uint32_t came(const struct sm_test_stage *f, uint16_t type)
{
    return sm_test_watcher_count(&f->watcher, type);
}

/* Shows frames until `count` messages of `type` have come in all. */
static void show_until(struct film *film, uint16_t type, uint32_t count)
{
    const struct sm_test_watcher *watcher = &film->stage->watcher;
    for (unsigned i = 0; i < MANY && sm_test_watcher_count(watcher, type) < count; i++)
        show_at(film, 8, 4);
    assert_true(sm_test_watcher_count(watcher, type) >= count);
}

static void check_exact_in_the_end(struct sm_test_stage *f)
{
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
}

static void film_is_sent_as_a_stream_and_exact_when_it_stands_still(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 10);
    const struct sm_test_film *seen = &f->watcher.cinema.films[0];
    assert_int_equal(seen->created.codec_type, SM_VIDEO_CODEC_MJPEG);
    assert_int_equal(seen->created.stream_width, 40);
    assert_int_equal(seen->created.stream_height, 32);
    assert_int_equal(seen->created.dest.left, 8);
    assert_true(seen->unique_id != 0);
    /* The frames of the stream came as nothing else; where it stood still it was made exact. */
    assert_in_range(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY), 1,
                    film.shown - 5);
    check_exact_in_the_end(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_STREAM_DESTROY, 1);
    check_exact_in_the_end(f);
}

static void nothing_is_a_stream_when_that_is_off(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    sm_worker_set_streaming(f->device.worker, SM_STREAMING_OFF);
    struct film film = make_film(f, 40, 32);
    for (unsigned i = 0; i < 40; i++)
        show_at(&film, 0, 0);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_CREATE), 0);
    check_exact_in_the_end(f);
}

static void streams_end_when_they_are_switched_off(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    sm_worker_set_streaming(f->device.worker, SM_STREAMING_OFF);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_STREAM_DESTROY, 1);
    check_exact_in_the_end(f);
    sm_worker_set_streaming(f->device.worker, SM_STREAMING_ALL);
    show_until(&film, SM_MSG_DISPLAY_STREAM_CREATE, 2);
}

/* Shows a film around a hole; whether its player has been told in the end. */
static bool is_clipped_around_a_hole(struct film *film)
{
    struct sm_test_stage *f = film->stage;
    const struct sm_test_film *seen = &f->watcher.cinema.films[0];
    for (unsigned i = 0; i < 20 || (i < 200 && seen->clip.type != SM_CLIP_TYPE_RECTS); i++) {
        QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 0, sm_test_rect(8, 4, 48, 36));
        struct {
            QXLDataChunk chunk;
            QXLRect rects[4];
        } rects = {{.data_size = sizeof(rects.rects)},
                   {sm_test_rect(8, 4, 48, 10), sm_test_rect(8, 10, 10, 20),
                    sm_test_rect(20, 10, 48, 20), sm_test_rect(8, 20, 48, 36)}};
        struct {
            uint32_t count;
            uint8_t chunk[sizeof(rects)];
        } __attribute__((packed)) clip = {.count = 4};
        memcpy(clip.chunk, &rects, sizeof(rects));
        copy.effect = QXL_EFFECT_OPAQUE;
        copy.clip.type = 1;
        copy.clip.data = sm_test_guest_put(&f->device.guest, &clip, sizeof(clip));
        copy.u.copy.src_bitmap = film->images[i % 4];
        copy.u.copy.src_area = sm_test_rect(0, 0, 40, 32);
        copy.u.copy.rop_descriptor = 8;
        (void)sm_test_device_draw(&f->device, &copy);
        sm_test_watcher_run(&f->watcher, STEP_MS);
    }
    return seen->clip.type == SM_CLIP_TYPE_RECTS;
}

static void what_is_drawn_over_a_film_stays_exact(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    bool is_clipped = false;
    for (unsigned attempt = 0; attempt < ATTEMPTS && !is_clipped; attempt++) {
        show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, came(f, SM_MSG_DISPLAY_STREAM_DATA) + 3);
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(10, 10, 20, 20), 0x123456);
        is_clipped = is_clipped_around_a_hole(&film);
    }
    assert_true(is_clipped);
    const uint8_t filled[] = {0x56, 0x34, 0x12};
    const struct sm_pixels *surface = sm_surface_pixels(sm_canvas_surface(f->watcher.canvas, 0));
    for (uint32_t y = 10; y < 20; y++)
        for (uint32_t x = 10; x < 20; x++)
            assert_memory_equal(sm_pixels_row(surface, y) + x * 4, filled, 3);
    check_exact_in_the_end(f);
}

static void drawings_that_use_what_is_there_are_sent_as_pixels(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    QXLDrawable move = sm_test_drawable(QXL_COPY_BITS, 0, sm_test_rect(20, 8, 60, 40));
    move.u.copy_bits.src_pos = (QXLPoint){8, 4};
    (void)sm_test_device_draw(&f->device, &move);
    QXLDrawable invert = sm_test_drawable(QXL_DRAW_INVERS, 0, sm_test_rect(8, 4, 30, 30));
    (void)sm_test_device_draw(&f->device, &invert);
    check_exact_in_the_end(f);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_COPY_BITS), 0);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_INVERS), 0);
}

static void film_that_is_dragged_goes_on_in_sized_frames(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 32, 24);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    bool goes_on = false;
    for (unsigned drag = 0; drag < ATTEMPTS && !goes_on; drag++) {
        uint32_t streams = came(f, SM_MSG_DISPLAY_STREAM_CREATE);
        uint32_t sized = came(f, SM_MSG_DISPLAY_STREAM_DATA_SIZED);
        for (int i = 0; i < 20 || (i < MANY && came(f, SM_MSG_DISPLAY_STREAM_DATA_SIZED) == sized);
             i++)
            show_at(&film, 8 + i % 20, 4 + i % 20);
        assert_true(came(f, SM_MSG_DISPLAY_STREAM_DATA_SIZED) > sized);
        goes_on = came(f, SM_MSG_DISPLAY_STREAM_CREATE) == streams;
    }
    assert_true(goes_on);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 20, 48), 0x99);
    check_exact_in_the_end(f);
}

static void drag_that_outruns_its_frames_leaves_no_holes(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 32, 24);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    for (int i = 0; i < 20; i++) /* most of them are never sent */
        draw_at(&film, 8 + i, 4 + i);
    check_exact_in_the_end(f);
}

static void client_that_knows_no_sized_frames_gets_a_new_stream(void **state)
{
    struct sm_test_stage *f = *state;
    struct sm_test_watcher_options poor = VIEWER;
    poor.channel_caps &= ~(1u << SM_DISPLAY_CAP_SIZED_STREAM);
    begin(f, &poor);
    struct film film = make_film(f, 32, 24);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    const struct sm_test_film *seen = &f->watcher.cinema.films[0];
    for (unsigned i = 0; i < MANY && (!seen->is_live || seen->created.dest.left != 10); i++)
        show_at(&film, 10, 6);
    assert_int_equal(seen->created.dest.left, 10);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_DATA_SIZED), 0);
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_CREATE) >= 2);
    check_exact_in_the_end(f);
}

static void client_that_joins_gets_the_running_stream(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 3);
    struct sm_test_watcher_options second = VIEWER;
    second.connection_id = 2;
    sm_test_watch_display(&f->other, f->device.worker, &second);
    for (unsigned i = 0;
         i < 20 || (i < MANY && sm_test_watcher_count(&f->other, SM_MSG_DISPLAY_STREAM_DATA) < 2);
         i++) {
        show_at(&film, 8, 4);
        sm_test_watcher_run(&f->other, 1);
    }
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_STREAM_DATA, 2);
    assert_true(sm_test_watcher_index(&f->other, SM_MSG_DISPLAY_MARK) <
                sm_test_watcher_index(&f->other, SM_MSG_DISPLAY_STREAM_CREATE));
    sm_worker_disconnect(f->device.worker, 2); /* with frames on their way */
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 20);
    check_exact_in_the_end(f);
}

static void report(struct sm_test_stage *f, const struct sm_msgc_display_stream_report *body)
{
    struct sm_display_msgc msg = {.type = SM_MSGC_DISPLAY_STREAM_REPORT, .stream_report = *body};
    sm_check_status(sm_display_client_send(f->watcher.display, &msg), SM_OK);
    sm_pump_kick(f->watcher.pump);
}

static void client_that_cannot_show_a_stream_gets_drawings(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 2);
    report(f, &(struct sm_msgc_display_stream_report){.num_drops = UINT32_MAX});
    show_until(&film, SM_MSG_DISPLAY_DRAW_COPY, 40);
    check_exact_in_the_end(f);
}

static void reports_of_any_kind_are_survived(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 2);
    uint32_t unique = f->watcher.cinema.films[0].unique_id;
    const struct sm_msgc_display_stream_report reports[] = {
        {.unique_id = unique + 7, .num_frames = 5},
        {.stream_id = 49, .unique_id = unique, .num_frames = 5},
        {.unique_id = unique, .num_frames = UINT32_MAX, .last_frame_delay = INT32_MIN},
        {.unique_id = unique, .num_frames = 1, .last_frame_delay = INT32_MAX},
        {.unique_id = unique, .num_frames = 5, .num_drops = 5, .audio_delay = UINT32_MAX},
        {.unique_id = unique, .num_frames = 5, .last_frame_delay = -400, .audio_delay = UINT32_MAX},
    };
    for (unsigned i = 0; i < 120; i++) {
        report(f, &reports[i % 6]);
        if (i % 6 == 5)
            show_at(&film, 8, 4);
    }
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 30);
    report(f, &(struct sm_msgc_display_stream_report){.stream_id = 50});
    sm_test_watcher_await_close(&f->watcher);
}

static void primary_goes_and_takes_its_streams_along(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 2);
    sm_worker_destroy_primary(f->device.worker);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, 1);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_DESTROY), 1);
    assert_true(sm_test_watcher_index(&f->watcher, SM_MSG_DISPLAY_STREAM_DESTROY) <
                sm_test_watcher_index(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY));
}

static void preferring_codecs_begins_anew(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, &VIEWER);
    struct film film = make_film(f, 40, 32);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 2);
    static const uint8_t CODECS[] = {77, 0, SM_VIDEO_CODEC_VP8, SM_VIDEO_CODEC_MJPEG};
    struct sm_display_msgc msg = {.type = SM_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE};
    msg.preferred_video_codec_type.codecs = (struct sm_bytes){CODECS, sizeof(CODECS)};
    sm_check_status(sm_display_client_send(f->watcher.display, &msg), SM_OK);
    sm_pump_kick(f->watcher.pump);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_STREAM_CREATE, 2);
    show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, 6);
    check_exact_in_the_end(f);
}

/* Shows a film in each codec of the module to a client that can show that one beside JPEG. */
static void codecs_of_the_module_are_used_where_both_ends_can(void **state)
{
    struct sm_test_stage *f = *state;
    static const struct {
        uint8_t codec;
        enum sm_display_cap cap;
    } KNOWN[] = {{SM_VIDEO_CODEC_VP8, SM_DISPLAY_CAP_CODEC_VP8},
                 {SM_VIDEO_CODEC_H264, SM_DISPLAY_CAP_CODEC_H264},
                 {SM_VIDEO_CODEC_VP9, SM_DISPLAY_CAP_CODEC_VP9},
                 {SM_VIDEO_CODEC_AV1, SM_DISPLAY_CAP_CODEC_AV1}};
    struct sm_test_watcher_options able = VIEWER;
    able.channel_caps |= 1u << SM_DISPLAY_CAP_MULTI_CODEC | 1u << SM_DISPLAY_CAP_CODEC_MJPEG;
    for (unsigned i = 0; i < 4; i++)
        able.channel_caps |= 1u << KNOWN[i].cap;
    begin(f, &able);
    struct film film = make_film(f, 40, 32);
    bool has_module = sm_video_module_load();
    for (unsigned i = 0; i < 4; i++) {
        struct sm_video_list only = {.codecs = {KNOWN[i].codec}, .count = 1};
        sm_worker_set_video_codecs(f->device.worker, &only); /* what runs begins anew */
        uint32_t count = sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_CREATE);
        show_until(&film, SM_MSG_DISPLAY_STREAM_CREATE, count + 1);
        count = sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_DATA);
        show_until(&film, SM_MSG_DISPLAY_STREAM_DATA, count + 5);
        assert_int_equal(f->watcher.cinema.films[0].created.codec_type,
                         has_module ? KNOWN[i].codec : SM_VIDEO_CODEC_MJPEG);
    }
    check_exact_in_the_end(f);
}

#define STAGED(name)                                                                               \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        STAGED(film_is_sent_as_a_stream_and_exact_when_it_stands_still),
        STAGED(nothing_is_a_stream_when_that_is_off),
        STAGED(streams_end_when_they_are_switched_off),
        STAGED(what_is_drawn_over_a_film_stays_exact),
        STAGED(drawings_that_use_what_is_there_are_sent_as_pixels),
        STAGED(film_that_is_dragged_goes_on_in_sized_frames),
        STAGED(drag_that_outruns_its_frames_leaves_no_holes),
        STAGED(client_that_knows_no_sized_frames_gets_a_new_stream),
        STAGED(client_that_joins_gets_the_running_stream),
        STAGED(client_that_cannot_show_a_stream_gets_drawings),
        STAGED(reports_of_any_kind_are_survived),
        STAGED(primary_goes_and_takes_its_streams_along),
        STAGED(preferring_codecs_begins_anew),
        STAGED(codecs_of_the_module_are_used_where_both_ends_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
