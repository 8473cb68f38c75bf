/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "server/qxl/memslots.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"

enum { GROUP = TEST_GUEST_GROUP, MEMORY_SIZE = 256 };

struct fixture {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sm_test_guest_init(&f->guest, MEMORY_SIZE);
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

static void address_resolves_up_to_the_last_byte_of_its_slot(void **state)
{
    struct fixture *f = *state;
    for (size_t offset = 0; offset <= MEMORY_SIZE; offset++) {
        size_t room = MEMORY_SIZE - offset;
        uint64_t address = sm_test_guest_address(offset);
        assert_ptr_equal(sm_memslots_resolve(f->slots, address, room, GROUP),
                         f->guest.memory + offset);
        assert_null(sm_memslots_resolve(f->slots, address, room + 1, GROUP));
        assert_null(sm_memslots_resolve(f->slots, address, SIZE_MAX, GROUP));
        assert_null(sm_memslots_resolve(f->slots, address, SIZE_MAX - offset, GROUP));
    }
    sm_test_lines_check(&f->lines, "virtual address out of range");
}

static void address_beyond_its_slot_does_not_resolve(void **state)
{
    struct fixture *f = *state;
    assert_null(sm_memslots_resolve(f->slots, sm_test_guest_address(MEMORY_SIZE + 1), 0, GROUP));
    assert_null(sm_memslots_resolve(f->slots, sm_test_guest_address(0xffffffffffff), 1, GROUP));
    assert_int_equal(sm_memslots_room(f->slots, sm_test_guest_address(MEMORY_SIZE), GROUP), 0);
    assert_int_equal(sm_memslots_room(f->slots, sm_test_guest_address(10), GROUP),
                     MEMORY_SIZE - 10);
}

static void address_below_its_slot_does_not_resolve(void **state)
{
    struct fixture *f = *state;
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    slot.addr_delta -= 8; /* as a slot that starts at guest address 8 has it */
    sm_memslots_add(f->slots, &slot);
    assert_null(sm_memslots_resolve(f->slots, sm_test_guest_address(7), 1, GROUP));
    assert_ptr_equal(sm_memslots_resolve(f->slots, sm_test_guest_address(8), 1, GROUP),
                     f->guest.memory);
}

static void delta_may_be_negative(void **state)
{
    struct fixture *f = *state;
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    slot.addr_delta = (uint64_t)slot.virt_start - 0xff0000000000;
    sm_memslots_add(f->slots, &slot);
    assert_ptr_equal(
        sm_memslots_resolve(f->slots, sm_test_guest_address(0xff0000000000), MEMORY_SIZE, GROUP),
        f->guest.memory);
}

static void wrong_generation_slot_or_group_does_not_resolve(void **state)
{
    struct fixture *f = *state;
    uint64_t address = sm_test_guest_address(0);
    assert_non_null(sm_memslots_resolve(f->slots, address, 1, GROUP));
    assert_null(sm_memslots_resolve(f->slots, address ^ (uint64_t)1 << 48, 1, GROUP));
    sm_test_lines_check(&f->lines, "generation 2 of slot 2");
    assert_null(sm_memslots_resolve(f->slots, address ^ (uint64_t)1 << 56, 1, GROUP));
    assert_null(sm_memslots_resolve(f->slots, address | (uint64_t)0xf8 << 56, 1, GROUP));
    sm_test_lines_check(&f->lines, "slot 250 of group 1 does not exist");
    assert_null(sm_memslots_resolve(f->slots, address, 1, 0));
    assert_null(sm_memslots_resolve(f->slots, address, 1, 2));
    assert_null(sm_memslots_resolve(f->slots, address, 1, UINT32_MAX));
    sm_test_lines_check(&f->lines, "group 2 does not exist");
}

static void deleted_slot_keeps_its_generation_but_holds_nothing(void **state)
{
    struct fixture *f = *state;
    sm_memslots_del(f->slots, GROUP, TEST_GUEST_SLOT);
    assert_null(sm_memslots_resolve(f->slots, sm_test_guest_address(0), 1, GROUP));
    sm_test_lines_check(&f->lines, "virtual address out of range");
}

static void reset_empties_every_group(void **state)
{
    struct fixture *f = *state;
    struct sm_qxl_memslot all = {.group = 0, .virt_end = UINTPTR_MAX};
    sm_memslots_add(f->slots, &all);
    uint64_t host = (uintptr_t)f->guest.memory;
    assert_ptr_equal(sm_memslots_resolve(f->slots, host, 1, 0), f->guest.memory);
    sm_memslots_reset(f->slots);
    assert_null(sm_memslots_resolve(f->slots, host, 1, 0));
    assert_null(sm_memslots_resolve(f->slots, sm_test_guest_address(0), 1, GROUP));
}

static void null_is_no_address_even_in_a_slot_over_everything(void **state)
{
    struct fixture *f = *state;
    struct sm_qxl_memslot all = {.group = 0, .virt_end = UINTPTR_MAX};
    sm_memslots_add(f->slots, &all);
    assert_null(sm_memslots_resolve(f->slots, 0, 1, 0));
}

static void slots_that_do_not_exist_are_ignored(void **state)
{
    struct fixture *f = *state;
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    slot.id = 8;
    sm_memslots_add(f->slots, &slot);
    sm_test_lines_check(&f->lines, "memory slot 8 of group 1 does not exist");
    slot.id = UINT32_MAX;
    slot.group = UINT32_MAX;
    sm_memslots_add(f->slots, &slot);
    sm_memslots_del(f->slots, 2, 0);
    sm_memslots_del(f->slots, UINT32_MAX, UINT32_MAX);
    assert_non_null(sm_memslots_resolve(f->slots, sm_test_guest_address(0), 1, GROUP));
}

static void copy_takes_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t to[4] = {1, 2, 3, 4};
    memset(f->guest.memory, 0xaa, MEMORY_SIZE);
    assert_false(sm_memslots_copy(f->slots, sm_test_guest_address(MEMORY_SIZE - 3), GROUP, to, 4));
    assert_int_equal(to[0], 1);
    assert_true(sm_memslots_copy(f->slots, sm_test_guest_address(MEMORY_SIZE - 4), GROUP, to, 4));
    assert_int_equal(to[0], 0xaa);
    assert_int_equal(to[3], 0xaa);
}

static void warnings_of_a_guest_are_limited(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 10000; i++)
        assert_null(sm_memslots_resolve(f->slots, 0, 1, 7));
    assert_in_range(f->lines.count, 1, 200);
}

static void tables_out_of_range_are_refused(void **state)
{
    (void)state;
    struct sm_memslots *slots = NULL;
    struct sm_qxl_init_info info = sm_test_guest_info;
    info.group_count = 0;
    sm_check_status(sm_memslots_create(&slots, &info, NULL), SM_ERR_LIMIT);
    info = sm_test_guest_info;
    info.slot_count = UINT32_MAX;
    sm_check_status(sm_memslots_create(&slots, &info, NULL), SM_ERR_LIMIT);
    info = sm_test_guest_info;
    info.slot_bits = 32;
    info.generation_bits = 32;
    sm_check_status(sm_memslots_create(&slots, &info, NULL), SM_ERR_LIMIT);
    assert_null(slots);
}

static void fields_of_no_bits_and_of_many_bits_work(void **state)
{
    (void)state;
    uint8_t memory[8];
    struct sm_memslots *slots = NULL;
    struct sm_qxl_init_info info = {.group_count = 1, .slot_count = 1};
    sm_check_status(sm_memslots_create(&slots, &info, NULL), SM_OK);
    struct sm_qxl_memslot slot = {.virt_start = (uintptr_t)memory,
                                  .virt_end = (uintptr_t)memory + 8,
                                  .addr_delta = (uintptr_t)memory};
    sm_memslots_add(slots, &slot);
    assert_ptr_equal(sm_memslots_resolve(slots, 1, 7, 0), memory + 1);
    sm_memslots_destroy(slots);

    info.slot_bits = 1;
    info.generation_bits = 62;
    sm_check_status(sm_memslots_create(&slots, &info, NULL), SM_OK);
    sm_memslots_add(slots, &slot);
    assert_ptr_equal(sm_memslots_resolve(slots, 1, 7, 0), memory + 1);
    assert_null(sm_memslots_resolve(slots, 3, 1, 0));
    sm_memslots_destroy(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(address_resolves_up_to_the_last_byte_of_its_slot, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(address_beyond_its_slot_does_not_resolve, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(address_below_its_slot_does_not_resolve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(delta_may_be_negative, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_generation_slot_or_group_does_not_resolve, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(deleted_slot_keeps_its_generation_but_holds_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reset_empties_every_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(null_is_no_address_even_in_a_slot_over_everything, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(slots_that_do_not_exist_are_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copy_takes_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(warnings_of_a_guest_are_limited, set_up, tear_down),
        cmocka_unit_test(tables_out_of_range_are_refused),
        cmocka_unit_test(fields_of_no_bits_and_of_many_bits_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
