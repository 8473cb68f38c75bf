/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "server/display/peer_migration.h"

enum { SURFACES = 3 };

static const struct sm_peer_surface KNOWN[SURFACES] = {
    {.id = 0, .lossy = {1, 2, 30, 40}}, {.id = 7}, {.id = SM_SURFACES_MAX - 1}};

static struct sm_peer_state example(void)
{
    return (struct sm_peer_state){
        .serial = 0x1122334455667788,
        .is_low_bandwidth = true,
        .cache_id = 3,
        .glz_id = 4,
        .cache_px = 1 << 20,
        .empties_cache = true,
        .cache_serials = {5, 0, 6, 0},
        .glz_window_px = 1 << 16,
        .glz_next_id = 17,
        .surface_count = SURFACES,
        .surfaces = KNOWN,
    };
}

static void build(struct sm_writer *w, const struct sm_peer_state *state, bool has_lossy)
{
    sm_writer_init(w, 1 << 16);
    sm_check_status(sm_peer_state_build(w, state, has_lossy), SM_OK);
}

static void a_target_reads_what_a_source_wrote_in_either_layout(void **state)
{
    (void)state;
    for (int has_lossy = 0; has_lossy < 2; has_lossy++) {
        struct sm_peer_state from = example(), to;
        struct sm_writer w;
        struct sm_arena arena;
        build(&w, &from, has_lossy);
        sm_arena_init(&arena, 1 << 16);
        sm_check_status(sm_peer_state_parse(&to, sm_writer_bytes(&w), &arena), SM_OK);
        assert_true(to.serial == from.serial);
        assert_int_equal(to.is_low_bandwidth, true);
        assert_int_equal(to.cache_id, 3);
        assert_int_equal(to.glz_id, 4);
        assert_int_equal(to.cache_px, 1 << 20);
        assert_int_equal(to.empties_cache, true);
        assert_int_equal(to.cache_serials[2], 6);
        assert_int_equal(to.glz_window_px, 1 << 16);
        assert_int_equal(to.glz_next_id, 17);
        assert_int_equal(to.surface_count, SURFACES);
        for (unsigned i = 0; i < SURFACES; i++) {
            assert_int_equal(to.surfaces[i].id, KNOWN[i].id);
            struct sm_rect lossy = has_lossy ? KNOWN[i].lossy : (struct sm_rect){0};
            assert_memory_equal(&to.surfaces[i].lossy, &lossy, sizeof(lossy));
        }
        sm_arena_finish(&arena);
        sm_writer_finish(&w);
    }
}

static void numbering_begins_at_none(void **state)
{
    (void)state;
    struct sm_peer_state from = example(), to;
    from.glz_next_id = 0;
    struct sm_writer w;
    struct sm_arena arena;
    build(&w, &from, false);
    sm_arena_init(&arena, 1 << 16);
    sm_check_status(sm_peer_state_parse(&to, sm_writer_bytes(&w), &arena), SM_OK);
    assert_int_equal(to.glz_next_id, 1); /* number 0 is left out */
    sm_arena_finish(&arena);
    sm_writer_finish(&w);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct sm_peer_state from = example();
    from.surfaces = (const struct sm_peer_surface[]){{.id = 1}, {.id = 2}, {.id = 3}};
    struct sm_writer w;
    build(&w, &from, false);
    struct sm_bytes whole = sm_writer_bytes(&w);
    for (size_t size = 0; size < whole.size; size++) {
        struct sm_peer_state to = {.surface_count = 99};
        struct sm_arena arena;
        sm_arena_init(&arena, 1 << 16);
        sm_check_status(sm_peer_state_parse(&to, sm_test_copy(whole.data, size), &arena),
                        SM_ERR_PROTOCOL);
        assert_int_equal(to.surface_count, 99);
        sm_arena_finish(&arena);
    }
    sm_writer_finish(&w);
}

static void surfaces_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct sm_peer_surface surfaces[2];
        const char *what;
    } wrong[] = {
        {{{.id = SM_SURFACES_MAX}, {.id = 1}}, "an id out of range"},
        {{{.id = 0xffffffff}, {.id = 1}}, "far out of range"},
        {{{.id = 5}, {.id = 5}}, "the same twice"},
        {{{.id = 5, .lossy = {-1, 0, 5, 5}}, {.id = 1}}, "pixels left of it"},
        {{{.id = 5, .lossy = {0, 0, INT32_MAX, 5}}, {.id = 1}}, "more than can be"},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_peer_state from = example(), to;
        from.surface_count = 2;
        from.surfaces = wrong[i].surfaces;
        struct sm_writer w;
        struct sm_arena arena;
        build(&w, &from, true);
        sm_arena_init(&arena, 1 << 16);
        sm_check_status(sm_peer_state_parse(&to, sm_writer_bytes(&w), &arena), SM_ERR_PROTOCOL);
        sm_arena_finish(&arena);
        sm_writer_finish(&w);
    }
}

static void a_dictionary_beyond_all_measure_is_refused(void **state)
{
    (void)state;
    struct sm_peer_state from = example(), to;
    from.glz_window_px = UINT32_MAX;
    struct sm_writer w;
    struct sm_arena arena;
    build(&w, &from, false);
    sm_arena_init(&arena, 1 << 16);
    sm_check_status(sm_peer_state_parse(&to, sm_writer_bytes(&w), &arena), SM_ERR_LIMIT);
    sm_arena_finish(&arena);
    sm_writer_finish(&w);
}

/* The number of a next image would be that of the first, or of none. */
static void a_dictionary_without_a_next_image_is_refused(void **state)
{
    (void)state;
    struct sm_peer_state from = example(), to;
    const uint64_t last = 0x0102030405060708;
    from.glz_next_id = last + 1;
    struct sm_writer w;
    struct sm_arena arena;
    build(&w, &from, false);
    uint8_t *number = memmem(w.data, w.size, &last, sizeof(last));
    assert_non_null(number);
    memset(number, 0xff, sizeof(last));
    sm_arena_init(&arena, 1 << 16);
    sm_check_status(sm_peer_state_parse(&to, sm_writer_bytes(&w), &arena), SM_ERR_PROTOCOL);
    sm_arena_finish(&arena);
    sm_writer_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_reads_what_a_source_wrote_in_either_layout),
        cmocka_unit_test(numbering_begins_at_none),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(surfaces_that_cannot_be_are_refused),
        cmocka_unit_test(a_dictionary_beyond_all_measure_is_refused),
        cmocka_unit_test(a_dictionary_without_a_next_image_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
