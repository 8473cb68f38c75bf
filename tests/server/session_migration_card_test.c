/* SPDX-License-Identifier: MIT */
/* Card readers when the machine moves. */
#include "tests/support/check.h"

#include <string.h>

#include "core/wire/smartcard.h"
#include "tests/server/support/moving.h"

static struct sm_test_visitor open_cards(struct sm_test_move *f, unsigned host, uint32_t id)
{
    struct sm_test_visitor cards = sm_test_visitor(&f->loop, f->hosts[host].path);
    assert_int_equal(sm_test_visitor_open(&cards, id, SM_CHANNEL_SMARTCARD, 0), 0);
    return cards;
}

/*
 * The guest's reader stays, with its card: a command of the guest and an answer of the card are cut
 * between the servers, and the reader goes with the client at the target, not at the source.
 */
static void a_card_goes_on_where_it_was_cut(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_device(&f->hosts[0], "smartcard");
    sm_test_move_add_device(&f->hosts[1], "smartcard");
    uint32_t id = sm_test_move_begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    sm_test_visitor_message(&cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("03000000 ffffffff 00000000")); /* READER_ADD */
    sm_test_move_check_got(f, 0, "00000003 00000000 00000000");
    f->hosts[0].room = 5;
    sm_test_visitor_message(&cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("07000000 00000000 02000000 9000"));
    sm_test_move_check_got(f, 0, "00000007 00"); /* of the answer, so far */
    struct sm_bytes command = sm_test_hex("00000007 00000000 00000005 00a4040000");
    f->hosts[0].says = command.data;
    f->hosts[0].says_size = 14;
    spice_server_char_device_wakeup(&f->hosts[0].device);

    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    struct sm_test_visitor next_cards = open_cards(f, 1, id);
    uint8_t data[512], card_data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    size_t card_size = sm_test_move_take_channel(&cards, card_data, sizeof(card_data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                            (struct sm_bytes){card_data, card_size});
    spice_server_vm_start(f->hosts[1].server);
    sm_test_move_check_got(f, 1, "000000 00000002 9000");
    f->hosts[1].says = command.data + 14;
    f->hosts[1].says_size = command.size - 14;
    spice_server_char_device_wakeup(&f->hosts[1].device);
    uint8_t body[64];
    size_t got = sm_test_visitor_await(&next_cards, SM_MSG_SMARTCARD_DATA, body, sizeof(body));
    sm_check_bytes(((struct sm_bytes){body, got}),
                   sm_test_hex("07000000 00000000 05000000 00a4040000"));

    f->hosts[0].room = sizeof(f->hosts[0].to_guest);
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    sm_test_move_check_got(f, 0, "");
    sm_test_visitor_close(&next_cards);
    sm_test_move_check_got(f, 1, "00000004 00000000 00000000"); /* READER_REMOVE */
    sm_test_visitor_close(&next);
}

/* A second card reader of a host's. */
struct more {
    SpiceCharDeviceInstance device; /* first */
    uint8_t to_guest[64];
    size_t size;
};

static int more_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    struct more *more = (struct more *)(void *)device;
    assert_true(more->size + (size_t)size <= sizeof(more->to_guest));
    memcpy(more->to_guest + more->size, data, (size_t)size);
    more->size += (size_t)size;
    return size;
}

static int more_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    (void)device, (void)to, (void)size;
    return 0;
}

static const SpiceCharDeviceInterface MORE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = more_write,
    .read = more_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

/* The source told of the first alone. */
static void a_second_reader_is_taken_off_at_the_target(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    struct more more = {.device = {.base.sif = &MORE.base, .subtype = "smartcard"}};
    sm_test_move_add_device(&f->hosts[0], "smartcard");
    sm_test_move_add_device(&f->hosts[1], "smartcard");
    assert_int_equal(spice_server_add_interface(f->hosts[1].server, &more.device.base), 0);
    uint32_t id = sm_test_move_begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    struct sm_test_visitor next_cards = open_cards(f, 1, id);
    uint8_t data[512], card_data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    size_t card_size = sm_test_move_take_channel(&cards, card_data, sizeof(card_data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                            (struct sm_bytes){card_data, card_size});
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_message(&next_cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("04000000 01000000 00000000")); /* READER_REMOVE */
    sm_test_host_run(&f->loop, 5);
    sm_check_bytes(((struct sm_bytes){more.to_guest, more.size}),
                   sm_test_hex("00000004 00000001 00000000"));
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next_cards);
    sm_test_visitor_close(&next);
    spice_server_remove_interface(&more.device.base);
}

static void card_data_cut_anywhere_end_the_channel(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_device(&f->hosts[0], "smartcard");
    sm_test_move_add_device(&f->hosts[1], "smartcard");
    uint32_t id = sm_test_move_begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    struct sm_bytes command = sm_test_hex("00000007 00000000 00000005 00a4");
    f->hosts[0].says = command.data;
    f->hosts[0].says_size = command.size;
    spice_server_char_device_wakeup(&f->hosts[0].device);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t data[512], card_data[512];
    (void)sm_test_move_take(f, &main, data, sizeof(data));
    size_t size = sm_test_move_take_channel(&cards, card_data, sizeof(card_data));
    for (size_t cut = 0; cut < size; cut++) {
        struct sm_test_visitor next_cards = open_cards(f, 1, id);
        sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                                (struct sm_bytes){card_data, cut});
        assert_true(sm_test_visitor_is_closed(&next_cards));
        sm_test_visitor_close(&next_cards);
        sm_test_host_run(&f->loop, 1);
    }
    sm_test_move_check_got(f, 1, "");
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_move_setup, sm_test_move_teardown)
    const struct CMUnitTest tests[] = {
        T(a_card_goes_on_where_it_was_cut),
        T(a_second_reader_is_taken_off_at_the_target),
        T(card_data_cut_anywhere_end_the_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
