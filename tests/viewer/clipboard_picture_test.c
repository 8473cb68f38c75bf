/* SPDX-License-Identifier: MIT */
/* Pictures of the clipboard made PNG, and those that claim to be larger than they are. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "viewer/clipboard_picture.h"

enum { SIDE = 5, BMP_HEAD = 54, BMP_ROW = (SIDE * 3 + 3) / 4 * 4 };

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A BMP of 24 bits a pixel that says it has that size, but brings rows of 5 x 5. */
static GBytes *make_bmp(uint32_t width, uint32_t height)
{
    static uint8_t bmp[BMP_HEAD + BMP_ROW * SIDE];
    memset(bmp, 0, sizeof(bmp));
    memcpy(bmp, "BM", 2);
    put_le32(bmp + 2, sizeof(bmp));
    put_le32(bmp + 10, BMP_HEAD);
    put_le32(bmp + 14, 40);
    put_le32(bmp + 18, width);
    put_le32(bmp + 22, height);
    bmp[26] = 1;
    bmp[28] = 24;
    for (int i = 0; i < SIDE * SIDE; i++)
        bmp[BMP_HEAD + i / SIDE * BMP_ROW + i % SIDE * 3 + 2] = (uint8_t)(i * 10); /* red */
    return g_bytes_new(bmp, sizeof(bmp));
}

static GBytes *convert(GBytes *picture, enum sm_clipboard_kind kind, GError **error)
{
    GBytes *png = sm_clipboard_picture_to_png(picture, kind, error);
    assert_int_equal(!png, *error != NULL);
    return png;
}

static void check_refused(GBytes *picture, enum sm_clipboard_kind kind, const char *part)
{
    GError *error = NULL;
    GBytes *png = convert(picture, kind, &error);
    assert_null(png);
    if (part && !strstr(error->message, part))
        fail_msg("'%s' does not say '%s'", error->message, part);
    g_error_free(error);
    g_bytes_unref(picture);
}

static GdkPixbuf *decode_png(GBytes *png)
{
    gsize size;
    const guchar *data = g_bytes_get_data(png, &size);
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_type("png", NULL);
    assert_true(gdk_pixbuf_loader_write(loader, data, size, NULL));
    assert_true(gdk_pixbuf_loader_close(loader, NULL));
    GdkPixbuf *pixels = g_object_ref(gdk_pixbuf_loader_get_pixbuf(loader));
    g_object_unref(loader);
    return pixels;
}

static void check_pixels(GBytes *picture, enum sm_clipboard_kind kind, int shades)
{
    GError *error = NULL;
    GBytes *png = convert(picture, kind, &error);
    if (!png)
        fail_msg("%s", error->message);
    GdkPixbuf *pixels = decode_png(png);
    assert_int_equal(gdk_pixbuf_get_width(pixels), SIDE);
    assert_int_equal(gdk_pixbuf_get_height(pixels), SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        /* The lowest row comes first in BMP. */
        const guchar *pixel = gdk_pixbuf_get_pixels(pixels) +
                              (SIDE - 1 - i / SIDE) * gdk_pixbuf_get_rowstride(pixels) +
                              i % SIDE * gdk_pixbuf_get_n_channels(pixels);
        assert_in_range(abs(pixel[0] - i * 10), 0, shades);
    }
    g_object_unref(pixels);
    g_bytes_unref(png);
    g_bytes_unref(picture);
}

static GBytes *make(const char *type)
{
    GError *error = NULL;
    GBytes *bmp = make_bmp(SIDE, SIDE);
    GBytes *png = convert(bmp, SM_CLIPBOARD_BMP, &error);
    GdkPixbuf *pixels = decode_png(png);
    char *data;
    gsize size;
    assert_true(gdk_pixbuf_save_to_buffer(pixels, &data, &size, type, NULL, NULL));
    g_object_unref(pixels);
    g_bytes_unref(png);
    g_bytes_unref(bmp);
    return g_bytes_new_take(data, size);
}

static void every_kind_becomes_png(void **state)
{
    (void)state;
    check_pixels(make_bmp(SIDE, SIDE), SM_CLIPBOARD_BMP, 0);
    check_pixels(make("tiff"), SM_CLIPBOARD_TIFF, 0);
    check_pixels(make("png"), SM_CLIPBOARD_PNG, 0);
    check_pixels(make("jpeg"), SM_CLIPBOARD_JPEG, 120); /* it loses some */
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    check_refused(g_bytes_new("BM", 2), SM_CLIPBOARD_BMP, NULL);
    check_refused(g_bytes_new("", 0), SM_CLIPBOARD_TIFF, NULL);
    check_refused(g_bytes_new("II*\0\xff\xff\xff\xff", 8), SM_CLIPBOARD_TIFF, NULL);
    check_refused(make_bmp(SIDE, SIDE), SM_CLIPBOARD_JPEG, NULL); /* one of another kind */
}

static void every_truncation_is_refused_or_a_picture(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum sm_clipboard_kind kind;
    } kinds[] = {{"tiff", SM_CLIPBOARD_TIFF}, {"bmp", SM_CLIPBOARD_BMP}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        GBytes *whole = kinds[i].kind == SM_CLIPBOARD_BMP ? make_bmp(SIDE, SIDE) : make("tiff");
        for (gsize size = 0; size < g_bytes_get_size(whole); size++) {
            GError *error = NULL;
            GBytes *cut = g_bytes_new(g_bytes_get_data(whole, NULL), size); /* exact, for ASan */
            GBytes *png = convert(cut, kinds[i].kind, &error);
            g_clear_error(&error);
            g_clear_pointer(&png, g_bytes_unref);
            g_bytes_unref(cut);
        }
        g_bytes_unref(whole);
    }
}

static void one_that_is_too_large_is_refused_before_there_is_room_for_it(void **state)
{
    (void)state;
    check_refused(make_bmp(60000, 60000), SM_CLIPBOARD_BMP, "larger than any screen");
    check_refused(make_bmp(8193, 8192), SM_CLIPBOARD_BMP, "larger than any screen");
    check_refused(make_bmp(INT32_MAX, 1), SM_CLIPBOARD_BMP, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_becomes_png),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(every_truncation_is_refused_or_a_picture),
        cmocka_unit_test(one_that_is_too_large_is_refused_before_there_is_room_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
