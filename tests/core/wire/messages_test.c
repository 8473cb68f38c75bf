/* SPDX-License-Identifier: MIT */
/* Every message of every channel, both ways, on valid samples and on samples broken on purpose. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/wire/agent.h"
#include "core/wire/display.h"
#include "core/wire/main.h"
#include "tests/support/failmalloc.h"
#include "wire_rounds.h"

enum { ARENA_LIMIT = 1 << 20, WRITER_LIMIT = 1 << 22 };

/* Room for one round trip. */
struct round {
    struct sm_arena arena;
    struct sm_writer w;
    struct sm_wire_result result;
    enum sm_status status;
};

static void run(struct round *round, const struct sm_wire_sample *sample, struct sm_bytes body)
{
    sm_arena_init(&round->arena, ARENA_LIMIT);
    sm_writer_init(&round->w, WRITER_LIMIT);
    round->result = (struct sm_wire_result){0};
    round->status = sample->round->round(sample->type, sample->context, body, &round->arena,
                                         &round->w, &round->result);
}

static void finish(struct round *round)
{
    sm_arena_finish(&round->arena);
    sm_writer_finish(&round->w);
}

static void fail_sample(const struct sm_wire_sample *sample, const char *what, size_t detail)
{
    fail_msg("%s %s (sample %zu): %s (%zu)", sample->round->name, sample->name,
             (size_t)(sample - sm_wire_samples), what, detail);
}

/* A refusal leaves the message alone and says why. */
static void check_refusal(const struct sm_wire_sample *sample, const struct round *round,
                          size_t detail)
{
    if (round->result.parse != SM_ERR_PROTOCOL && round->result.parse != SM_ERR_LIMIT)
        fail_sample(sample, "refused with an unexpected status", detail);
    if (!round->result.is_untouched)
        fail_sample(sample, "a refused message was written to", detail);
    if (!round->result.reason || !round->result.reason[0])
        fail_sample(sample, "no reason given", detail);
}

static bool is_equal(struct sm_bytes a, struct sm_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* All of `cut` but for a piece of a number at its end. */
static bool is_cut(struct sm_bytes built, struct sm_bytes cut)
{
    return built.size <= cut.size && cut.size - built.size < 4 &&
           is_equal(built, (struct sm_bytes){cut.data, built.size});
}

static void every_sample_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        struct round round;
        run(&round, sample, sm_test_copy(sample->body.data, sample->body.size));
        if (round.status != SM_OK)
            fail_sample(sample, round.result.reason ? round.result.reason : "not built", i);
        sm_check_bytes(sm_writer_bytes(&round.w), sample->body);
        finish(&round);
        sm_test_free_copies();
    }
}

/* What is cut is refused, or it is a shorter message that comes back as it is. */
static void every_truncation_is_refused_or_complete(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        for (size_t size = 0; size < sample->body.size; size++) {
            struct sm_bytes cut = sm_test_copy(sample->body.data, size);
            struct round round;
            run(&round, sample, cut);
            if (round.result.parse != SM_OK) {
                check_refusal(sample, &round, size);
                refused++;
            } else if (sample->pad) {
                if (size + sample->pad < sample->body.size)
                    fail_sample(sample, "taken though cut", size);
            } else if (!sample->takes_rest) {
                fail_sample(sample, "taken though cut", size);
            } else if (round.status != SM_OK || !is_cut(sm_writer_bytes(&round.w), cut)) {
                fail_sample(sample, "taken though cut, and not equal", size);
            }
            finish(&round);
        }
        sm_test_free_copies();
    }
    assert_true(refused > 1000);
}

static void bytes_behind_the_last_field_are_tolerated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        if (sample->takes_rest)
            continue;
        uint8_t *longer = malloc(sample->body.size + 7);
        assert_non_null(longer);
        memcpy(longer, sample->body.data, sample->body.size);
        memset(longer + sample->body.size, 0x5a, 7);
        struct round round;
        run(&round, sample, (struct sm_bytes){longer, sample->body.size + 7});
        if (round.status != SM_OK || !is_equal(sm_writer_bytes(&round.w), sample->body))
            fail_sample(sample, "trailing bytes changed it", i);
        finish(&round);
        free(longer);
    }
}

/* Overwrites `width` bytes at `at` and runs the result. */
static void run_changed(struct round *round, const struct sm_wire_sample *sample, size_t at,
                        uint64_t value, size_t width)
{
    struct sm_bytes copy = sm_test_copy(sample->body.data, sample->body.size);
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.data;
    for (size_t i = 0; i < width; i++)
        bytes[at + i] = (uint8_t)(value >> (8 * i));
    run(round, sample, copy);
}

static void counts_beyond_the_body_are_refused(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        for (uint32_t c = 0; c < sample->num_counts; c++) {
            struct sm_wire_place place = sample->counts[c];
            uint64_t most = UINT64_MAX >> (64 - 8 * place.value);
            /* The last values wrap when multiplied by the size of an element in 32 bits. */
            const uint64_t values[] = {most, most / 2 + 1, most / 4 + 1, most / 16 + 1};
            for (size_t v = 0; v < SM_COUNT_OF(values); v++) {
                if (values[v] <= sample->body.size)
                    continue;
                struct round round;
                run_changed(&round, sample, place.at, values[v], place.value);
                if (round.result.parse == SM_OK)
                    fail_sample(sample, "taken with a count beyond the body at", place.at);
                check_refusal(sample, &round, place.at);
                /* Refused for what it says, not because so much room could not be had. */
                if (round.arena.hit_limit || round.arena.used_bytes > 64 * sample->body.size)
                    fail_sample(sample, "a count alone made room", round.arena.used_bytes);
                finish(&round);
                tried++;
            }
        }
        sm_test_free_copies();
    }
    assert_true(tried > 500);
}

/* Sizes that are small, or zero, when multiplied in 32 bits. */
static void sizes_that_wrap_are_refused(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, WRITER_LIMIT);
    struct sm_image image = {.type = SM_IMAGE_TYPE_BITMAP, .width = 1, .height = 2};
    image.bitmap = (struct sm_bitmap){.format = SM_BITMAP_FORMAT_8BIT, .x = 1, .y = 2, .stride = 1};
    image.bitmap.data = (struct sm_bytes){(const uint8_t *)"ab", 2};
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.src_bitmap = &image, .ropd = SM_ROPD_OP_PUT},
    };
    sm_check_status(sm_display_msg_build(&w, &msg), SM_OK);

    enum { IMAGE_AT = 57, HEIGHT_AT = IMAGE_AT + 14, Y_AT = IMAGE_AT + 24, STRIDE_AT = Y_AT + 4 };
    const struct {
        uint32_t width, height, stride;
        enum sm_status status;
    } hostile[] = {
        {1, 0x10000, 0x10000, SM_ERR_PROTOCOL}, /* 2^32 bytes of pixels */
        {1, 2, 0x80000001, SM_ERR_PROTOCOL},    /* 2^32 + 2 */
        {0x10000, 0x10000, 0x80000, SM_ERR_LIMIT},
        {0x80000001, 2, 1, SM_ERR_LIMIT},
    };
    struct sm_arena arena;
    sm_arena_init(&arena, ARENA_LIMIT);
    for (size_t i = 0; i < SM_COUNT_OF(hostile); i++) {
        sm_patch_le32(&w, HEIGHT_AT - 4, hostile[i].width);
        sm_patch_le32(&w, HEIGHT_AT, hostile[i].height);
        sm_patch_le32(&w, Y_AT - 4, hostile[i].width);
        sm_patch_le32(&w, Y_AT, hostile[i].height);
        sm_patch_le32(&w, STRIDE_AT, hostile[i].stride);
        struct sm_bytes body = sm_test_copy(w.data, w.size);
        sm_check_status(sm_display_msg_parse(&msg, SM_MSG_DISPLAY_DRAW_COPY, body, &arena, NULL),
                        hostile[i].status);
    }
    struct sm_display_msg surface = {
        .type = SM_MSG_DISPLAY_SURFACE_CREATE,
        .surface_create = {.width = 0x10000, .height = 0x10000, .format = 32},
    };
    sm_check_status(sm_display_msg_build(&w, &surface), SM_ERR_LIMIT);
    sm_arena_finish(&arena);
    sm_writer_finish(&w);
    sm_test_free_copies();
}

static void pointers_out_of_the_body_are_refused(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        for (uint32_t p = 0; p < sample->num_pointers; p++) {
            uint32_t at = sample->pointers[p].at;
            bool is_null = memcmp(sample->body.data + at, "\0\0\0\0", 4) == 0;
            const uint64_t values[] = {sample->body.size, sample->body.size - 1, 0x7fffffff,
                                       0x80000000, 0xffffffff};
            for (size_t v = 0; v < SM_COUNT_OF(values) && !is_null; v++) {
                struct round round;
                run_changed(&round, sample, at, values[v], 4);
                /* One byte can be a whole string, but nothing else. */
                if (round.result.parse == SM_OK && values[v] != sample->body.size - 1)
                    fail_sample(sample, "taken with a wild pointer at", at);
                if (round.result.parse != SM_OK)
                    check_refusal(sample, &round, at);
                finish(&round);
                tried++;
            }
            if (sample->pointers[p].value) {
                struct round round;
                run_changed(&round, sample, at, 0, 4);
                if (round.result.parse == SM_OK)
                    fail_sample(sample, "taken without a required pointer at", at);
                check_refusal(sample, &round, at);
                finish(&round);
                tried++;
            }
        }
        sm_test_free_copies();
    }
    assert_true(tried > 500);
}

/* Whatever is taken can be built, and what was built comes back as it is. */
static void check_stable(const struct sm_wire_sample *sample, const struct round *first,
                         size_t detail)
{
    if (first->status != SM_OK)
        fail_sample(sample, "taken but not built", detail);
    struct sm_bytes built = sm_writer_bytes(&first->w);
    struct round second;
    run(&second, sample, sm_test_copy(built.data, built.size));
    if (second.status != SM_OK || !is_equal(sm_writer_bytes(&second.w), built))
        fail_sample(sample, second.result.reason ? second.result.reason : "not stable", detail);
    finish(&second);
}

static void changed_bytes_never_break_a_round_trip(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 2024};
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        if (sample->body.size == 0)
            continue;
        for (size_t turn = 0; turn < 60; turn++) {
            size_t at = sm_test_random_next(&random) % sample->body.size;
            struct round round;
            run_changed(&round, sample, at, sm_test_random_next(&random), 1);
            if (round.result.parse == SM_OK)
                check_stable(sample, &round, at);
            else
                check_refusal(sample, &round, at);
            finish(&round);
        }
        sm_test_free_copies();
    }
}

static void run_one(void *context)
{
    const struct sm_wire_sample *sample = context;
    struct round round;
    run(&round, sample, sample->body);
    if (round.status != SM_OK && round.status != SM_ERR_NOMEM)
        fail_sample(sample, "out of memory became another failure", 0);
    if (round.result.parse != SM_OK && !round.result.is_untouched)
        fail_sample(sample, "written to without memory", 0);
    finish(&round);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sm_wire_samples_count; i++)
        sm_failmalloc_each(run_one, (void *)(uintptr_t)&sm_wire_samples[i]);
}

static void an_arena_without_room_is_a_limit(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        struct sm_arena arena;
        sm_arena_init(&arena, 0);
        struct sm_writer w;
        sm_writer_init(&w, WRITER_LIMIT);
        struct sm_wire_result result = {0};
        enum sm_status status =
            sample->round->round(sample->type, sample->context, sample->body, &arena, &w, &result);
        if (result.parse != SM_OK) {
            sm_check_status(status, SM_ERR_LIMIT);
            assert_true(result.is_untouched);
            tried++;
        }
        sm_writer_finish(&w);
        sm_arena_finish(&arena);
    }
    assert_true(tried > 100);
}

static void a_writer_without_room_is_a_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        if (sample->body.size == 0)
            continue;
        struct sm_arena arena;
        sm_arena_init(&arena, ARENA_LIMIT);
        struct sm_writer w;
        sm_writer_init(&w, sample->body.size - 1);
        struct sm_wire_result result = {0};
        sm_check_status(
            sample->round->round(sample->type, sample->context, sample->body, &arena, &w, &result),
            SM_ERR_LIMIT);
        sm_writer_finish(&w);
        sm_arena_finish(&arena);
    }
}

static void unknown_types_are_refused(void **state)
{
    (void)state;
    const uint32_t unknown[] = {0, 9, 99, 100, 109, 121, 127, 301, 400, 0xffff};
    for (size_t i = 0; sm_wire_rounds[i]; i++) {
        const struct sm_wire_round *pair = sm_wire_rounds[i];
        for (size_t u = 0; u < SM_COUNT_OF(unknown); u++) {
            if (pair->max_size(unknown[u]) != 0)
                continue; /* 109 is AGENT_DATA on main, 9 a type of the agent's */
            struct sm_wire_sample none = {.round = pair, .type = unknown[u], .name = "unknown"};
            struct round round;
            run(&round, &none, (struct sm_bytes){0});
            sm_check_status(round.status, SM_ERR_PROTOCOL);
            assert_string_equal(round.result.reason, "unknown message");
            assert_string_equal(pair->message_name(unknown[u]), "unknown");
            finish(&round);
        }
    }
}

static void every_sample_has_a_name_and_fits_its_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sm_wire_samples_count; i++) {
        const struct sm_wire_sample *sample = &sm_wire_samples[i];
        assert_string_equal(sample->round->message_name(sample->type), sample->name);
        uint32_t max_size = sample->round->max_size(sample->type);
        assert_true(max_size >= 1024);
        assert_true(sample->body.size <= max_size);
    }
}

static void base_messages_work_on_every_channel(void **state)
{
    (void)state;
    const uint8_t set_ack[8] = {1, 0, 0, 0, 20, 0, 0, 0};
    size_t channels = 0;
    for (size_t i = 0; sm_wire_rounds[i]; i++) {
        if (!strstr(sm_wire_rounds[i]->name, "server"))
            continue;
        struct sm_wire_sample sample = {
            .round = sm_wire_rounds[i], .type = SM_MSG_SET_ACK, .name = "set_ack"};
        struct round round;
        run(&round, &sample, SM_TEST_BYTES(set_ack));
        sm_check_status(round.status, SM_OK);
        sm_check_bytes(sm_writer_bytes(&round.w), SM_TEST_BYTES(set_ack));
        finish(&round);
        channels++;
    }
    assert_int_equal(channels, 9);
}

/* A refused message must not leave half a body behind what the writer held before. */
static void a_builder_refuses_what_a_parser_would(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, WRITER_LIMIT);
    sm_put_le32(&w, 7);

    struct sm_display_msg copy = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    sm_check_status(sm_display_msg_build(&w, &copy), SM_ERR_STATE); /* no image */
    struct sm_display_msg surface = {
        .type = SM_MSG_DISPLAY_SURFACE_CREATE,
        .surface_create = {
            .surface_id = 1024, .width = 1, .height = 1, .format = SM_SURFACE_FORMAT_32_XRGB}};
    sm_check_status(sm_display_msg_build(&w, &surface), SM_ERR_LIMIT);
    static const struct sm_rect rects[1];
    static const struct sm_resource_id resource = {.type = SM_RESOURCE_TYPE_PIXMAP};
    struct sm_display_msg inval = {
        .type = SM_MSG_DISPLAY_INVAL_LIST,
        .inval_list = {.num_resources = 0x10000, .resources = &resource}};
    sm_check_status(sm_display_msg_build(&w, &inval), SM_ERR_LIMIT); /* the count is a u16 */
    inval.inval_list = (struct sm_msg_display_inval_list){.num_resources = 1};
    sm_check_status(sm_display_msg_build(&w, &inval), SM_ERR_STATE); /* no array */
    struct sm_display_msg unknown = {.type = 4711};
    sm_check_status(sm_display_msg_build(&w, &unknown), SM_ERR_STATE);
    struct sm_main_msg begin = {.type = SM_MSG_MAIN_MIGRATE_BEGIN,
                                .migrate_begin.dst.host = {(const uint8_t *)"host", 4}};
    sm_check_status(sm_main_msg_build(&w, &begin), SM_ERR_STATE); /* no NUL */

    assert_int_equal(w.size, 4);
    struct sm_display_msg fill = {
        .type = SM_MSG_DISPLAY_DRAW_FILL,
        .draw_fill.base.clip = {.type = SM_CLIP_TYPE_RECTS, .num_rects = 1, .rects = rects}};
    sm_check_status(sm_display_msg_build(&w, &fill), SM_OK);
    sm_writer_finish(&w);
}

static void an_agent_header_is_read_in_one_piece(void **state)
{
    (void)state;
    const struct sm_agent_header header = {
        .protocol = SM_AGENT_PROTOCOL, .type = SM_AGENT_CLIPBOARD, .opaque = 5, .size = 77};
    struct sm_writer w;
    sm_writer_init(&w, 64);
    sm_check_status(sm_agent_header_build(&w, &header), SM_OK);
    assert_int_equal(w.size, SM_AGENT_HEADER_SIZE);

    struct sm_agent_header got = {0};
    const char *reason = NULL;
    for (size_t size = 0; size < w.size; size++)
        sm_check_status(sm_agent_header_parse(&got, sm_test_copy(w.data, size), &reason), SM_AGAIN);
    assert_int_equal(got.size, 0);
    sm_check_status(sm_agent_header_parse(&got, sm_writer_bytes(&w), NULL), SM_OK);
    assert_int_equal(got.type, SM_AGENT_CLIPBOARD);
    assert_int_equal(got.opaque, 5);
    assert_int_equal(got.size, 77);

    w.data[0] = 2;
    sm_check_status(sm_agent_header_parse(&got, sm_writer_bytes(&w), &reason), SM_ERR_PROTOCOL);
    assert_string_equal(reason, "agent_header: unknown protocol");
    sm_writer_finish(&w);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_comes_back_as_it_was),
        cmocka_unit_test(every_truncation_is_refused_or_complete),
        cmocka_unit_test(bytes_behind_the_last_field_are_tolerated),
        cmocka_unit_test(counts_beyond_the_body_are_refused),
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(pointers_out_of_the_body_are_refused),
        cmocka_unit_test(changed_bytes_never_break_a_round_trip),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(an_arena_without_room_is_a_limit),
        cmocka_unit_test(a_writer_without_room_is_a_limit),
        cmocka_unit_test(unknown_types_are_refused),
        cmocka_unit_test(every_sample_has_a_name_and_fits_its_limit),
        cmocka_unit_test(base_messages_work_on_every_channel),
        cmocka_unit_test(a_builder_refuses_what_a_parser_would),
        cmocka_unit_test(an_agent_header_is_read_in_one_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
