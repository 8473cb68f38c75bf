/* SPDX-License-Identifier: MIT */
/* Every rendering vector, drawn through the canvas, from structures and from wire bytes. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/channel/canvas/canvas.h"
#include "tests/golden/render_vectors.h"

enum { MAX_PIXELS = 1 << 24 };

struct bench {
    struct sm_image_cache *cache;
    struct sm_canvas *canvas;
    bool through_wire;
};

static void set_up(struct bench *bench, const struct render_vector *v)
{
    const struct sm_image_cache_config cache = {.max_pixels = MAX_PIXELS};
    sm_check_status(sm_image_cache_create(&bench->cache, &cache), SM_OK);
    const struct sm_canvas_config config = {.max_surfaces = 16,
                                            .max_pixels = MAX_PIXELS,
                                            .cache = bench->cache,
                                            .cpu_flags = bench->through_wire ? sm_cpu_detect() : 0};
    sm_check_status(sm_canvas_create(&bench->canvas, &config), SM_OK);
    for (unsigned i = 0; i < v->surface_count; i++) {
        const struct render_surface *s = &v->surfaces[i];
        sm_check_status(
            sm_canvas_surface_create(bench->canvas, s->id, s->format, s->width, s->height), SM_OK);
        const struct sm_pixels *to = sm_surface_pixels(sm_canvas_surface(bench->canvas, s->id));
        uint32_t bytes = sm_pixel_bits(to->format) / 8;
        for (uint32_t y = 0; y < s->height; y++)
            for (uint32_t x = 0; x < s->width; x++)
                memcpy(sm_pixels_row(to, y) + (size_t)x * bytes,
                       s->pixels + 4 * ((size_t)y * s->width + x), bytes);
    }
}

static void tear_down(struct bench *bench)
{
    sm_canvas_destroy(bench->canvas);
    sm_image_cache_destroy(bench->cache);
}

static void draw_through_wire(struct bench *bench, const struct sm_display_msg *msg)
{
    struct sm_writer writer;
    struct sm_arena arena;
    struct sm_display_msg parsed;
    const char *reason = "";
    sm_writer_init(&writer, 1 << 24);
    sm_arena_init(&arena, 1 << 24);
    sm_check_status(sm_display_msg_build(&writer, msg), SM_OK);
    struct sm_bytes body = sm_test_copy(writer.data, writer.size);
    if (sm_display_msg_parse(&parsed, msg->type, body, &arena, &reason) != SM_OK)
        fail_msg("parse: %s", reason);
    sm_check_status(sm_canvas_draw(bench->canvas, &parsed, NULL), SM_OK);
    sm_writer_finish(&writer);
    sm_arena_finish(&arena);
    sm_test_free_copies();
}

/* Strings without a glyph format were never defined; our wire refuses them, guests may send them.
 */
static bool can_travel(const struct sm_display_msg *msg)
{
    return msg->type != SM_MSG_DISPLAY_DRAW_TEXT || (msg->draw_text.str->flags & 7) != 0;
}

static void draw(struct bench *bench, const struct render_command *command)
{
    if (command->is_frame)
        sm_check_status(sm_canvas_blit(bench->canvas, command->frame_surface, command->frame_dest,
                                       &command->frame_clip, &command->frame, NULL),
                        SM_OK);
    else if (bench->through_wire && can_travel(&command->msg))
        draw_through_wire(bench, &command->msg);
    else
        sm_check_status(sm_canvas_draw(bench->canvas, &command->msg, NULL), SM_OK);
}

static bool is_close(uint32_t a, uint32_t b, uint32_t mask, uint32_t tolerance)
{
    if (((a ^ b) & mask) == 0)
        return true;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        int32_t difference =
            (int32_t)((a & mask) >> shift & 255) - (int32_t)((b & mask) >> shift & 255);
        if (difference > (int32_t)tolerance || -difference > (int32_t)tolerance)
            return false;
    }
    return true;
}

/* How many pixels differ; tells about the first. */
static unsigned count_wrong(struct bench *bench, const struct render_vector *v,
                            const struct render_result *result)
{
    const struct sm_pixels *got = sm_surface_pixels(sm_canvas_surface(bench->canvas, result->id));
    uint32_t bytes = sm_pixel_bits(got->format) / 8;
    unsigned wrong = 0;
    for (uint32_t y = 0; y < got->height; y++) {
        for (uint32_t x = 0; x < got->width; x++) {
            uint32_t value = 0, expected;
            memcpy(&value, sm_pixels_row(got, y) + (size_t)x * bytes, bytes);
            memcpy(&expected, result->pixels + 4 * ((size_t)y * got->width + x), 4);
            uint32_t mask = v->tolerance ? v->mask : v->strict;
            if (is_close(value, expected, mask, v->tolerance))
                continue;
            if (wrong++ == 0)
                print_error("%s: surface %u (%u, %u): got %08x, expected %08x, mask %08x\n",
                            v->name, result->id, x, y, value, expected, mask);
        }
    }
    if (wrong)
        print_error("%s: %u pixels differ\n", v->name, wrong);
    return wrong;
}

static unsigned run_vector(const struct render_vector *v, bool through_wire)
{
    struct bench bench = {.through_wire = through_wire};
    set_up(&bench, v);
    for (unsigned i = 0; i < v->command_count; i++)
        draw(&bench, &v->commands[i]);
    unsigned wrong = 0;
    for (unsigned i = 0; i < v->result_count; i++)
        wrong += count_wrong(&bench, v, &v->results[i]);
    tear_down(&bench);
    if (v->is_defect) /* the reference is wrong here: matching it would be, too */
        return wrong ? 0 : 1;
    return wrong ? 1 : 0;
}

static void run_group(const char *group, unsigned expected_count)
{
    char directory[4096];
    const char *data = getenv("SM_TEST_DATA");
    assert_non_null(data);
    snprintf(directory, sizeof(directory), "%s/golden/render", data);
    struct render_reader reader;
    assert_true(render_open(&reader, directory, group));
    struct render_vector *v = calloc(1, sizeof(*v));
    unsigned count = 0, failed = 0;
    while (render_next(&reader, v)) {
        failed += run_vector(v, false);
        failed += run_vector(v, true);
        count++;
    }
    free(v);
    render_close(&reader);
    assert_int_equal(count, expected_count);
    if (failed)
        fail_msg("%s: %u of %u vectors failed (each drawn twice)", group, failed, count);
}

#define GROUP(function, name, count)                                                               \
    static void function(void **state)                                                             \
    {                                                                                              \
        (void)state;                                                                               \
        run_group(name, count);                                                                    \
    }

GROUP(fill_vectors_match, "fill", 58)
GROUP(clip_and_mask_vectors_match, "clip-mask", 22)
GROUP(copy_vectors_match, "copy", 40)
GROUP(scale_vectors_match, "scale", 36)
GROUP(opaque_vectors_match, "opaque", 13)
GROUP(alpha_vectors_match, "alpha", 31)
GROUP(copybits_vectors_match, "copybits", 12)
GROUP(rop3_vectors_match, "rop3", 28)
GROUP(stroke_vectors_match, "stroke", 40)
GROUP(text_vectors_match, "text", 24)
GROUP(composite_vectors_match, "composite", 95)
GROUP(misc_vectors_match, "misc", 7)
GROUP(mix_vectors_match, "mix", 74)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_vectors_match),      cmocka_unit_test(clip_and_mask_vectors_match),
        cmocka_unit_test(copy_vectors_match),      cmocka_unit_test(scale_vectors_match),
        cmocka_unit_test(opaque_vectors_match),    cmocka_unit_test(alpha_vectors_match),
        cmocka_unit_test(copybits_vectors_match),  cmocka_unit_test(rop3_vectors_match),
        cmocka_unit_test(stroke_vectors_match),    cmocka_unit_test(text_vectors_match),
        cmocka_unit_test(composite_vectors_match), cmocka_unit_test(misc_vectors_match),
        cmocka_unit_test(mix_vectors_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
