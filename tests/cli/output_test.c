/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

#include "cli/json.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/utf8.h"

/* ---- JSON ---- */

static char *json_of(void (*write)(struct cli_json *json))
{
    char *text = NULL;
    size_t size = 0;
    struct cli_json json = {.out = open_memstream(&text, &size)};
    write(&json);
    fclose(json.out);
    return text;
}

static void names_move_no_terminal_s_cursor(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""},
        {"J\xc3\xb6rg", "J\xc3\xb6rg"},
        {"a\x1b[2J\x7f\n", "a?[2J??"},
        {"a\xc2\x9b"
         "2J\xc2\x80\xc2\xa0",
         "a?2J?\xc2\xa0"},
        {"cut \xe2\x82", "cut ??"},
        {"\xc0\x80\xff", "???"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[33];
        strcpy(text, texts[i][0]);
        cli_utf8_tame(text);
        assert_string_equal(text, texts[i][1]);
    }
}

static void write_nested(struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_bool(json, "ok", true);
    cli_json_number(json, "n", -5);
    cli_json_open(json, "list", '[');
    cli_json_open(json, NULL, '{');
    cli_json_close(json, '}');
    cli_json_text(json, NULL, "a");
    cli_json_close(json, ']');
    cli_json_text(json, "nothing", NULL);
    cli_json_close(json, '}');
}

static void json_nests_and_separates(void **state)
{
    (void)state;
    char *text = json_of(write_nested);
    assert_string_equal(text,
                        "{\"ok\": true, \"n\": -5, \"list\": [{}, \"a\"], \"nothing\": null}");
    free(text);
}

static void write_hostile(struct cli_json *json)
{
    cli_json_text(json, NULL, "q\" b\\ n\n e\x1b d\x7f \xc3\xa4 \xff \xed\xa0\x80 \xc0\x80");
}

static void json_texts_are_escaped_and_always_utf8(void **state)
{
    (void)state;
    char *text = json_of(write_hostile);
    assert_string_equal(text, "\"q\\\" b\\\\ n\\u000a e\\u001b d\\u007f \xc3\xa4 \\ufffd "
                              "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\"");
    free(text);
}

static void utf8_is_decoded_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size, taken;
        uint32_t character;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"\xc3\xa4", 2, 2, 0xe4},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"\xc3\xa4", 1, 1, UINT32_MAX},         /* cut */
        {"\xe2\x82", 2, 1, UINT32_MAX},         /* cut */
        {"\x80", 1, 1, UINT32_MAX},             /* no lead */
        {"\xc1\xbf", 2, 1, UINT32_MAX},         /* too long a form */
        {"\xe0\x9f\xbf", 3, 1, UINT32_MAX},     /* too long a form */
        {"\xed\xa0\x80", 3, 1, UINT32_MAX},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 1, UINT32_MAX}, /* beyond Unicode */
        {"\xf8\x88\x80\x80", 4, 1, UINT32_MAX},
        {"\xc3"
         "a",
         2, 1, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_bytes copy = sm_test_copy(cases[i].bytes, cases[i].size);
        uint32_t character = 0;
        assert_int_equal(cli_utf8_next((const char *)copy.data, copy.size, &character),
                         cases[i].taken);
        assert_int_equal(character, cases[i].character);
    }
    sm_test_free_copies();
}

/* ---- Pictures ---- */

static void a_picture_comes_back_from_the_file(void **state)
{
    (void)state;
    enum { WIDTH = 3, HEIGHT = 2, STRIDE = 16 };
    static const uint8_t pixels[STRIDE * HEIGHT] = {
        1,  2,  3,  255, 4,  5,  6,  0, 7,  8,  9,  9, 99, 99, 99, 99, /* one pixel of padding */
        11, 12, 13, 255, 14, 15, 16, 0, 17, 18, 19, 9, 99, 99, 99, 99,
    };
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    assert_true(cli_picture_write(out, pixels, STRIDE, WIDTH, HEIGHT));
    fclose(out);

    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, bytes, size));
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    uint8_t rgb[WIDTH * HEIGHT * 3];
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    static const uint8_t expected[] = {3,  2,  1,  6,  5,  4,  9,  8,  7,
                                       13, 12, 11, 16, 15, 14, 19, 18, 17};
    sm_check_bytes(SM_TEST_BYTES(rgb), SM_TEST_BYTES(expected));
    free(bytes);
}

static void a_full_disk_fails_the_picture(void **state)
{
    (void)state;
    static const uint8_t pixels[64 * 64 * 4] = {0};
    FILE *out = fopen("/dev/full", "wb");
    assert_non_null(out);
    bool is_written = cli_picture_write(out, pixels, 256, 64, 64);
    assert_true(!is_written || fflush(out) != 0);
    fclose(out);
}

/* ---- Files ---- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sumac-output-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int count_files(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static const char *path_of(const char *name)
{
    static char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void check_content(const char *name, const char *expected)
{
    char content[64] = "";
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    (void)!fread(content, 1, sizeof(content) - 1, file);
    fclose(file);
    assert_string_equal(content, expected);
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(path_of(entry->d_name));
    closedir(dir);
    return rmdir(folder);
}

static void put(const char *name, const char *content, bool is_kept)
{
    struct cli_output output;
    struct cli_failure failure;
    assert_true(cli_output_open(&output, path_of(name), &failure));
    fputs(content, output.file);
    if (is_kept)
        assert_true(cli_output_commit(&output, &failure));
    else
        cli_output_abandon(&output);
}

static void a_file_appears_whole_or_not_at_all(void **state)
{
    (void)state;
    put("a", "one", false);
    assert_int_equal(count_files(), 0);
    put("a", "one", true);
    check_content("a", "one");
    put("a", "two", false);
    check_content("a", "one");
    put("a", "two", true);
    check_content("a", "two");
    assert_int_equal(count_files(), 1);
    struct stat status;
    assert_int_equal(stat(path_of("a"), &status), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(status.st_mode & 0777, 0666 & ~mask);
}

static void a_link_stays_a_link(void **state)
{
    (void)state;
    put("target", "old", true);
    assert_int_equal(symlink("target", path_of("link")), 0);
    put("link", "new", true);
    check_content("target", "new");
    struct stat status;
    assert_int_equal(lstat(path_of("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void a_device_is_written_in_place(void **state)
{
    (void)state;
    struct cli_output output;
    struct cli_failure failure;
    assert_true(cli_output_open(&output, "/dev/null", &failure));
    fputs("x", output.file);
    assert_true(cli_output_commit(&output, &failure));
    struct stat status;
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void what_cannot_be_written_says_so(void **state)
{
    (void)state;
    struct cli_output output;
    struct cli_failure failure;
    assert_false(cli_output_open(&output, path_of("no/folder"), &failure));
    assert_int_equal(failure.code, CLI_EXIT_OUTPUT);
    assert_non_null(strstr(failure.cause, "no/folder"));
    cli_output_abandon(&output);
    assert_true(cli_output_open(&output, "/dev/full", &failure));
    fputs("x", output.file);
    assert_false(cli_output_commit(&output, &failure));
    assert_int_equal(failure.code, CLI_EXIT_OUTPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_move_no_terminal_s_cursor),
        cmocka_unit_test(json_nests_and_separates),
        cmocka_unit_test(json_texts_are_escaped_and_always_utf8),
        cmocka_unit_test(utf8_is_decoded_strictly),
        cmocka_unit_test(a_picture_comes_back_from_the_file),
        cmocka_unit_test(a_full_disk_fails_the_picture),
        cmocka_unit_test_setup_teardown(a_file_appears_whole_or_not_at_all, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_link_stays_a_link, make_folder, remove_folder),
        cmocka_unit_test(a_device_is_written_in_place),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_says_so, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("cli output", tests, NULL, NULL);
}
