/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "core/gfx/fourcc.h"

/* A pixel that is 0x80, 0x41, 0x08 (red, green, blue) as near as the format can say it. */
struct sample {
    const char *name;
    uint8_t bytes[4];
    uint8_t red, green, blue;
};

static const struct sample SAMPLES[] = {
    {"XR24", {0x08, 0x41, 0x80, 0x77}, 0x80, 0x41, 0x08},
    {"AR24", {0x08, 0x41, 0x80, 0x77}, 0x80, 0x41, 0x08},
    {"XB24", {0x80, 0x41, 0x08, 0x77}, 0x80, 0x41, 0x08},
    {"AB24", {0x80, 0x41, 0x08, 0x77}, 0x80, 0x41, 0x08},
    {"RX24", {0x77, 0x08, 0x41, 0x80}, 0x80, 0x41, 0x08},
    {"RA24", {0x77, 0x08, 0x41, 0x80}, 0x80, 0x41, 0x08},
    {"BX24", {0x77, 0x80, 0x41, 0x08}, 0x80, 0x41, 0x08},
    {"BA24", {0x77, 0x80, 0x41, 0x08}, 0x80, 0x41, 0x08},
    {"RG24", {0x08, 0x41, 0x80}, 0x80, 0x41, 0x08},
    {"BG24", {0x80, 0x41, 0x08}, 0x80, 0x41, 0x08},
    {"XR30", {0x20, 0x10, 0x04, 0x20}, 0x80, 0x41, 0x08}, /* 0x200, 0x104, 0x020 */
    {"AR30", {0x20, 0x10, 0x04, 0xe0}, 0x80, 0x41, 0x08},
    {"XB30", {0x00, 0x12, 0x04, 0x02}, 0x80, 0x41, 0x08},
    {"AB30", {0x00, 0x12, 0x04, 0xc2}, 0x80, 0x41, 0x08},
    {"RG16", {0x01, 0x82}, 0x84, 0x41, 0x08}, /* 16, 16, 1 */
    {"BG16", {0x10, 0x0a}, 0x84, 0x41, 0x08},
    {"XR15", {0x01, 0x41}, 0x84, 0x42, 0x08}, /* 16, 8, 1 */
    {"AR15", {0x01, 0xc1}, 0x84, 0x42, 0x08},
    {"XB15", {0x10, 0x05}, 0x84, 0x42, 0x08},
    {"AB15", {0x10, 0x85}, 0x84, 0x42, 0x08},
};

static void every_format_becomes_xrgb(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
        const struct sample *s = &SAMPLES[i];
        uint32_t fourcc = sm_fourcc(s->name), bytes = sm_fourcc_pixel_bytes(fourcc);
        uint8_t row[9 * 4], to[9 * 4];
        assert_in_range(bytes, 2, 4);
        for (uint32_t x = 0; x < 9; x++)
            memcpy(row + (size_t)x * bytes, s->bytes, bytes);
        struct sm_bytes exact = sm_test_copy(row, 9 * bytes); /* for the address sanitizer */
        sm_fourcc_row_to_xrgb(fourcc, to, exact.data, 9);
        for (uint32_t x = 0; x < 9; x++) {
            const uint8_t want[] = {s->blue, s->green, s->red, 0};
            if (memcmp(to + (size_t)x * 4, want, 4) != 0)
                fail_msg("%s: pixel %u is %02x%02x%02x", s->name, x, to[4 * x + 2], to[4 * x + 1],
                         to[4 * x]);
        }
        sm_test_free_copies();
    }
}

static void full_channels_stay_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
        const uint8_t ones[] = {0xff, 0xff, 0xff, 0xff}, white[] = {0xff, 0xff, 0xff, 0};
        uint8_t to[4];
        sm_fourcc_row_to_xrgb(sm_fourcc(SAMPLES[i].name), to, ones, 1);
        assert_memory_equal(to, white, 4);
    }
}

static void other_formats_are_unknown(void **state)
{
    (void)state;
    assert_int_equal(sm_fourcc("XR24"), 0x34325258);
    assert_int_equal(sm_fourcc_pixel_bytes(sm_fourcc("NV12")), 0);
    assert_int_equal(sm_fourcc_pixel_bytes(0), 0);
    assert_int_equal(sm_fourcc_pixel_bytes(UINT32_MAX), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_becomes_xrgb),
        cmocka_unit_test(full_channels_stay_full),
        cmocka_unit_test(other_formats_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
