/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "server/qxl/chunks.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"
#include "tests/support/failmalloc.h"

enum { GROUP = TEST_GUEST_GROUP, LIMIT = 1 << 20 };

struct fixture {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sm_test_guest_init(&f->guest, 1024);
    sm_test_lines_init(&f->lines);
    sm_check_status(sm_memslots_create(&f->slots, &sm_test_guest_info, &f->lines.log), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    sm_memslots_add(f->slots, &slot);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sm_memslots_destroy(f->slots);
    sm_test_lines_finish(&f->lines);
    sm_test_guest_finish(&f->guest);
    free(f);
    return 0;
}

static void chain_is_copied_in_order_without_its_empty_links(void **state)
{
    struct fixture *f = *state;
    uint64_t last = sm_test_guest_chunk(&f->guest, "efg", 3, 0);
    uint64_t empty = sm_test_guest_chunk(&f->guest, NULL, 0, last);
    uint64_t first = sm_test_guest_chunk(&f->guest, "abcd", 4, empty);
    struct sm_chunk_data data = {0};
    sm_check_status(sm_chunks_read(&data, f->slots, first, GROUP, LIMIT), SM_OK);
    sm_check_bytes(((struct sm_bytes){.data = data.data, .size = data.size}),
                   ((struct sm_bytes){.data = (const uint8_t *)"abcdefg", .size = 7}));
    free(data.data);
}

static void chain_that_ends_with_its_slot_is_copied(void **state)
{
    struct fixture *f = *state;
    uint32_t size = 1024 - SM_CHUNK_HEADER_SIZE;
    uint64_t chunk = sm_test_guest_chunk(&f->guest, NULL, size, 0);
    struct sm_chunk_data data = {0};
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_OK);
    assert_int_equal(data.size, size);
    free(data.data);

    memcpy(sm_test_guest_at(&f->guest, chunk), &(uint32_t){size + 1}, 4);
    data = (struct sm_chunk_data){0};
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_ERR_PROTOCOL);
    memcpy(sm_test_guest_at(&f->guest, chunk), &(uint32_t){UINT32_MAX}, 4);
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_ERR_PROTOCOL);
    assert_null(data.data);
}

static void header_that_crosses_the_end_of_its_slot_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sm_chunk_data data = {0};
    for (size_t left = 0; left < SM_CHUNK_HEADER_SIZE; left++) {
        uint64_t address = sm_test_guest_address(1024 - left);
        sm_check_status(sm_chunks_read(&data, f->slots, address, GROUP, LIMIT), SM_ERR_PROTOCOL);
    }
    assert_null(data.data);
}

static void wild_link_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sm_chunk_data data = {0};
    uint64_t chunk = sm_test_guest_chunk(&f->guest, "a", 1, UINT64_MAX);
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_ERR_PROTOCOL);
    sm_check_status(sm_chunks_read(&data, f->slots, 0, GROUP, LIMIT), SM_ERR_PROTOCOL);
}

static void circle_of_empty_links_ends(void **state)
{
    struct fixture *f = *state;
    uint64_t self = sm_test_guest_address(f->guest.used);
    uint64_t chunk = sm_test_guest_chunk(&f->guest, NULL, 0, self);
    assert_int_equal(chunk, self);
    struct sm_chunk_data data = {0};
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_ERR_LIMIT);
    sm_test_lines_check(&f->lines, "data split in too many chunks, avoiding DoS");
}

static void circle_of_full_links_ends_at_the_limit_of_bytes(void **state)
{
    struct fixture *f = *state;
    uint64_t self = sm_test_guest_address(f->guest.used);
    /* 1000 bytes × 2097151 links would be 2 GiB: the sum stops it before the count does. */
    size_t total = 0;
    uint64_t chunk = sm_test_guest_chunk(&f->guest, NULL, 1004, self);
    memcpy((uint8_t *)sm_test_guest_at(&f->guest, chunk), &(uint32_t){1004}, 4);
    enum sm_status status = sm_chunks_measure(f->slots, chunk, GROUP, SIZE_MAX, &total);
    sm_check_status(status, SM_ERR_LIMIT);
    assert_int_equal(total, 0);
    struct sm_chunk_data data = {0};
    sm_check_status(sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT), SM_ERR_LIMIT);
    assert_null(data.data);
}

static void more_than_the_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    uint64_t last = sm_test_guest_chunk(&f->guest, NULL, 100, 0);
    uint64_t first = sm_test_guest_chunk(&f->guest, NULL, 100, last);
    struct sm_chunk_data data = {0};
    sm_check_status(sm_chunks_read(&data, f->slots, first, GROUP, 199), SM_ERR_LIMIT);
    sm_test_lines_check(&f->lines, "too much data inside chunks, avoiding DoS");
    assert_null(data.data);
    sm_check_status(sm_chunks_read(&data, f->slots, first, GROUP, 200), SM_OK);
    free(data.data);
}

static void without_memory_nothing_is_copied(void **state)
{
    struct fixture *f = *state;
    uint64_t chunk = sm_test_guest_chunk(&f->guest, NULL, 100, 0);
    struct sm_chunk_data data = {0};
    sm_failmalloc_arm(0);
    enum sm_status status = sm_chunks_read(&data, f->slots, chunk, GROUP, LIMIT);
    assert_true(sm_failmalloc_disarm());
    sm_check_status(status, SM_ERR_NOMEM);
    assert_null(data.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(chain_is_copied_in_order_without_its_empty_links, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(chain_that_ends_with_its_slot_is_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(header_that_crosses_the_end_of_its_slot_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wild_link_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(circle_of_empty_links_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(circle_of_full_links_ends_at_the_limit_of_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_than_the_limit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_copied, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
