/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/display.h"
#include "io/log.h"
#include "server/session/video_codecs.h"

/* The last line logged, without its place in the source. */
static char last_line[256];
static unsigned line_count;

static void note_line(void *context, enum sm_log_level level, const char *text)
{
    (void)context;
    (void)level;
    const char *words = strstr(text, "spice: ");
    if (!words)
        words = strstr(text, "Failed to ");
    assert_non_null(words);
    strncpy(last_line, words, sizeof(last_line) - 1);
    line_count++;
}

static const struct sm_log LOG = {.write = note_line};

static void check(const char *text, const char *expected, const char *complaint)
{
    last_line[0] = '\0';
    char *list = sm_video_codecs_parse(text, &LOG);
    if (expected)
        assert_string_equal(list, expected);
    else
        assert_null(list);
    assert_string_equal(last_line, complaint);
    free(list);
}

static void good_lists_are_kept(void **state)
{
    (void)state;
    check("spice:mjpeg", "spice:mjpeg", "");
    check("spice:mjpeg;gstreamer:vp8;", "spice:mjpeg;gstreamer:vp8", "");
    check(";;gstreamer:h264;;spice:mjpeg;;;", "gstreamer:h264;spice:mjpeg", "");
    check("auto", "spice:mjpeg;gstreamer:mjpeg;gstreamer:h264;gstreamer:vp8;gstreamer:vp9", "");
}

static void plain_lists_become_codecs(void **state)
{
    (void)state;
    struct sm_video_list list = sm_video_codecs_of("gstreamer:vp9;spice:mjpeg;gstreamer:av1");
    assert_int_equal(list.count, 3);
    assert_int_equal(list.codecs[0], SM_VIDEO_CODEC_VP9);
    assert_int_equal(list.codecs[1], SM_VIDEO_CODEC_MJPEG);
    assert_int_equal(list.codecs[2], SM_VIDEO_CODEC_AV1);
    assert_false(list.is_automatic);
    char *automatic = sm_video_codecs_parse("auto", &LOG);
    list = sm_video_codecs_of(automatic);
    free(automatic);
    assert_true(list.is_automatic);
    assert_int_equal(list.codecs[0], SM_VIDEO_CODEC_MJPEG);
    assert_int_equal(list.codecs[1], SM_VIDEO_CODEC_H264);
}

static void bad_entries_are_named_and_left_out(void **state)
{
    (void)state;
    check("unknown:mjpeg;spice:mjpeg", "spice:mjpeg", "spice: unknown video encoder unknown");
    check("spice:unknown;spice:mjpeg", "spice:mjpeg", "spice: unknown video codec unknown");
    check("spice:h264;spice:mjpeg", "spice:mjpeg", "spice: unsupported video encoder spice");
    check("spice:mjpeg;bad", "spice:mjpeg", "spice: invalid encoder:codec value at bad");
}

static void a_list_without_a_good_entry_fails(void **state)
{
    (void)state;
    line_count = 0;
    check("", NULL, "Failed to set video codecs, input string: ''");
    assert_int_equal(line_count, 1);
    check(";", NULL, "Failed to set video codecs, input string: ';'");
    check("spice", NULL, "Failed to set video codecs, input string: 'spice'");
    check("spice:", NULL, "Failed to set video codecs, input string: 'spice:'");
    check(":mjpeg", NULL, "Failed to set video codecs, input string: ':mjpeg'");
    check("%s:%n", NULL, "Failed to set video codecs, input string: '%s:%n'");
}

static void words_beyond_reason_are_no_entry(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - sizeof(":mjpeg"), ":mjpeg", sizeof(":mjpeg"));
    last_line[0] = '\0';
    assert_null(sm_video_codecs_parse(text, &LOG));
    assert_non_null(strstr(last_line, "Failed to set video codecs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lists_are_kept),
        cmocka_unit_test(plain_lists_become_codecs),
        cmocka_unit_test(bad_entries_are_named_and_left_out),
        cmocka_unit_test(a_list_without_a_good_entry_fails),
        cmocka_unit_test(words_beyond_reason_are_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
