/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/gfx/fourcc.h"
#include "io/pixel_buffer.h"

enum { WIDTH = 700, HEIGHT = 500, STRIDE = WIDTH * 4 + 36 };

static uint32_t pixel_at(uint32_t x, uint32_t row)
{
    return (x * 31 + row * 65599) & 0xffffff;
}

static int make_file(size_t size)
{
    int fd = memfd_create("pixels", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    for (uint32_t row = 0; row < HEIGHT; row++) {
        uint32_t pixels[WIDTH];
        for (uint32_t x = 0; x < WIDTH; x++)
            pixels[x] = pixel_at(x, row) | 0xab000000;
        if ((size_t)row * STRIDE + sizeof(pixels) <= size)
            assert_int_equal(pwrite(fd, pixels, sizeof(pixels), (off_t)row * STRIDE),
                             sizeof(pixels));
    }
    return fd;
}

static const struct sm_pixel_layout LAYOUT = {
    .width = WIDTH,
    .height = HEIGHT,
    .stride_bytes = STRIDE,
    .fourcc = 0x34325241, /* AR24 */
    .is_y0_top = true,
};

static void check_area(struct sm_pixel_buffer *buffer, struct sm_rect area, bool is_y0_top)
{
    static uint32_t room[WIDTH * HEIGHT];
    struct sm_pixels to = {.data = (uint8_t *)room,
                           .stride_bytes = (ptrdiff_t)sm_rect_width(area) * 4,
                           .width = (uint32_t)sm_rect_width(area),
                           .height = (uint32_t)sm_rect_height(area),
                           .format = SM_PIXEL_XRGB32};
    memset(room, 0xee, sizeof(room));
    sm_check_status(sm_pixel_buffer_read(buffer, area, &to), SM_OK);
    for (uint32_t y = 0; y < to.height; y++)
        for (uint32_t x = 0; x < to.width; x++) {
            uint32_t top = (uint32_t)area.top + y;
            uint32_t want = pixel_at((uint32_t)area.left + x, is_y0_top ? top : HEIGHT - 1 - top);
            assert_int_equal(room[y * to.width + x], want);
        }
}

static void areas_are_read_whichever_way_rows_lie(void **state)
{
    (void)state;
    /* Exactly as large as it has to be. */
    int fd = make_file((size_t)STRIDE * (HEIGHT - 1) + WIDTH * 4);
    for (int is_y0_top = 0; is_y0_top < 2; is_y0_top++) {
        struct sm_pixel_buffer *buffer;
        struct sm_pixel_layout layout = LAYOUT;
        layout.is_y0_top = is_y0_top;
        sm_check_status(sm_pixel_buffer_open(&buffer, fd, &layout, NULL), SM_OK);
        check_area(buffer, (struct sm_rect){0, 0, WIDTH, HEIGHT}, is_y0_top);
        check_area(buffer, (struct sm_rect){3, 5, 80, 333}, is_y0_top);
        check_area(buffer, (struct sm_rect){WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT}, is_y0_top);
        check_area(buffer, (struct sm_rect){1, 0, WIDTH, 1}, is_y0_top);
        sm_pixel_buffer_close(buffer);
    }
    assert_false(sm_pixel_buffer_is_dmabuf(fd));
    assert_true(lseek(fd, 0, SEEK_CUR) == 0); /* the other's position is its own */
    (void)close(fd);
}

static void check_refused(int fd, struct sm_pixel_layout layout, enum sm_status expected)
{
    struct sm_pixel_buffer *buffer = NULL;
    const char *reason = NULL;
    sm_check_status(sm_pixel_buffer_open(&buffer, fd, &layout, &reason), expected);
    assert_null(buffer);
    assert_non_null(reason);
}

static void layout_has_to_fit_the_memory(void **state)
{
    (void)state;
    int fd = make_file((size_t)STRIDE * (HEIGHT - 1) + WIDTH * 4 - 1);
    check_refused(fd, LAYOUT, SM_ERR_LIMIT);
    static const struct sm_pixel_layout BAD[] = {
        {0, 10, 64, 0x34325258, true},
        {10, 0, 64, 0x34325258, true},
        {SM_PIXEL_BUFFER_MAX_SIDE + 1, 1, 1 << 18, 0x34325258, true},
        {1, SM_PIXEL_BUFFER_MAX_SIDE + 1, 4, 0x34325258, true},
        {16384, 16384, 65536, 0x34325258, true},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0x34325258, true},
        {10, 10, 39, 0x34325258, true},
        {10, 1, UINT32_MAX, 0x34325258, true},
        {10, 10, 40, 0x3231564e, true},
        {10, 10, 40, 0, true},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        check_refused(fd, BAD[i], SM_ERR_LIMIT);
    (void)close(fd);
}

static void what_holds_no_memory_is_refused(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    check_refused(ends[0], LAYOUT, SM_ERR_IO); /* and is not waited for */
    check_refused(-1, LAYOUT, SM_ERR_IO);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    check_refused(null, LAYOUT, SM_ERR_IO);
    (void)close(null);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void file_that_shrinks_is_an_error(void **state)
{
    (void)state;
    int fd = make_file((size_t)STRIDE * HEIGHT);
    struct sm_pixel_buffer *buffer;
    static uint8_t room[WIDTH * HEIGHT * 4];
    struct sm_pixels to = {.data = room,
                           .stride_bytes = WIDTH * 4,
                           .width = WIDTH,
                           .height = HEIGHT,
                           .format = SM_PIXEL_XRGB32};
    const struct sm_rect all = {0, 0, WIDTH, HEIGHT};
    sm_check_status(sm_pixel_buffer_open(&buffer, fd, &LAYOUT, NULL), SM_OK);
    assert_int_equal(ftruncate(fd, 1000), 0);
    sm_check_status(sm_pixel_buffer_read(buffer, all, &to), SM_ERR_IO);
    assert_int_equal(ftruncate(fd, (off_t)STRIDE * HEIGHT), 0);
    sm_check_status(sm_pixel_buffer_read(buffer, all, &to), SM_OK);
    sm_pixel_buffer_close(buffer);
    (void)close(fd);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_are_read_whichever_way_rows_lie),
        cmocka_unit_test(layout_has_to_fit_the_memory),
        cmocka_unit_test(what_holds_no_memory_is_refused),
        cmocka_unit_test(file_that_shrinks_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
