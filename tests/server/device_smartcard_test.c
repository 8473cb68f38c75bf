/* SPDX-License-Identifier: MIT */
/* The guest's card reader through the exports of the library, with a client's cards on a socket. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/smartcard.h"
#include "tests/server/support/visitor.h"

struct fixture {
    SpiceCharDeviceInstance instance; /* first: the host's functions find the rest by it */
    struct sm_test_host host;
    SpiceServer *server;
    const uint8_t *from_guest;
    size_t from_size, piece; /* at most so much a read */
    uint8_t to_guest[4096];
    size_t to_size;
    bool is_stuck; /* takes nothing */
    char states[16];
    struct sm_test_visitor main;
    uint32_t id;
};

static struct fixture *fixture_of(SpiceCharDeviceInstance *instance)
{
    return (struct fixture *)(void *)instance;
}

static void on_state(SpiceCharDeviceInstance *instance, int connected)
{
    char *states = fixture_of(instance)->states;
    states[strlen(states)] = (char)('0' + connected);
}

static int on_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct fixture *f = fixture_of(instance);
    if (f->is_stuck)
        return 0;
    assert_true(f->to_size + (size_t)size <= sizeof(f->to_guest));
    memcpy(f->to_guest + f->to_size, data, (size_t)size);
    f->to_size += (size_t)size;
    return size;
}

static int on_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct fixture *f = fixture_of(instance);
    size_t given = f->from_size < f->piece ? f->from_size : f->piece;
    given = given < (size_t)size ? given : (size_t)size;
    if (given == 0)
        return 0;
    memcpy(to, f->from_guest, given);
    f->from_guest += given;
    f->from_size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface READER = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .description = "card reader",
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = on_state,
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

/* ---- a second reader of the guest's ---- */

static struct {
    struct sm_bytes from;
    uint8_t to[256];
    size_t to_size;
    char states[64];
} other;

static void other_state(SpiceCharDeviceInstance *instance, int connected)
{
    (void)instance;
    other.states[strlen(other.states)] = (char)('0' + connected);
}

static int other_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    (void)instance;
    assert_true(other.to_size + (size_t)size <= sizeof(other.to));
    memcpy(other.to + other.to_size, data, (size_t)size);
    other.to_size += (size_t)size;
    return size;
}

static int other_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    (void)instance;
    size_t given = other.from.size < (size_t)size ? other.from.size : (size_t)size;
    if (given == 0)
        return 0;
    memcpy(to, other.from.data, given);
    other.from.data += given;
    other.from.size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface OTHER_READER = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .description = "another card reader",
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = other_state,
    .write = other_write,
    .read = other_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static SpiceCharDeviceInstance other_instance(void)
{
    memset(&other, 0, sizeof(other));
    return (SpiceCharDeviceInstance){.base.sif = &OTHER_READER.base, .subtype = "smartcard"};
}

static void other_says(SpiceCharDeviceInstance *instance, const char *hex)
{
    other.from = sm_test_hex(hex);
    spice_server_char_device_wakeup(instance);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    spice_server_vm_start(f->server);
    f->instance.base.sif = &READER.base;
    f->instance.subtype = "smartcard";
    f->piece = SIZE_MAX;
    assert_int_equal(spice_server_add_interface(f->server, &f->instance.base), 0);
    assert_non_null(f->instance.st);
    f->main = sm_test_visitor(&f->host, f->host.path);
    f->id = sm_test_visitor_open_main(&f->main, "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->instance.st)
        spice_server_remove_interface(&f->instance.base);
    sm_test_visitor_close(&f->main);
    spice_server_destroy(f->server);
    assert_int_equal(f->host.connected, f->host.disconnected);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

static struct sm_test_visitor open_cards(struct fixture *f)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&visitor, f->id, SM_CHANNEL_SMARTCARD, 0), 0);
    return visitor;
}

static void say(struct sm_test_visitor *visitor, const char *hex)
{
    sm_test_visitor_message(visitor, SM_MSGC_SMARTCARD_DATA, sm_test_hex(hex));
}

static void hear(struct sm_test_visitor *visitor, const char *hex)
{
    uint8_t body[256];
    struct sm_bytes expected = sm_test_hex(hex);
    size_t size = sm_test_visitor_await(visitor, SM_MSG_SMARTCARD_DATA, body, sizeof(body));
    sm_check_bytes(((struct sm_bytes){.data = body, .size = size}), expected);
}

static void guest_says(struct fixture *f, const char *hex)
{
    struct sm_bytes bytes = sm_test_hex(hex);
    f->from_guest = bytes.data;
    f->from_size = bytes.size;
    spice_server_char_device_wakeup(&f->instance);
}

static void check_other_got(struct fixture *f, const char *hex)
{
    sm_test_host_run(&f->host, 5);
    sm_check_bytes(((struct sm_bytes){.data = other.to, .size = other.to_size}), sm_test_hex(hex));
    other.to_size = 0;
}

/* What the guest got since it was asked last. */
static void check_guest_got(struct fixture *f, const char *hex)
{
    sm_test_host_run(&f->host, 5);
    sm_check_bytes(((struct sm_bytes){.data = f->to_guest, .size = f->to_size}), sm_test_hex(hex));
    f->to_size = 0;
}

/* Words are little-endian on the wire and big-endian at the device. */
static void a_card_talks_to_the_guest(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    assert_string_equal(f->states, "1");
    say(&cards, "03000000 ffffffff 04000000 6e616d65"); /* READER_ADD; its name stays here */
    check_guest_got(f, "00000003 00000000 00000000");
    guest_says(f, "00000002 00000000 00000004 00000000"); /* ERROR: success */
    hear(&cards, "02000000 00000000 04000000 00000000");
    say(&cards, "05000000 00000000 02000000 3b00"); /* ATR */
    check_guest_got(f, "00000005 00000000 00000002 3b00");
    for (f->piece = 1; f->piece < 40; f->piece += 7) {
        guest_says(f, "00000007 00000000 00000005 00a4040000"); /* APDU */
        hear(&cards, "07000000 00000000 05000000 00a4040000");
    }
    say(&cards, "07000000 00000000 02000000 9000");
    check_guest_got(f, "00000007 00000000 00000002 9000");
    say(&cards, "04000000 00000000 00000000"); /* READER_REMOVE */
    check_guest_got(f, "00000004 00000000 00000000");
    sm_test_visitor_close(&cards);
    assert_string_equal(f->states, "10");
    check_guest_got(f, ""); /* the reader had gone before */
}

static void words_for_readers_that_are_not_there_are_refused(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "04000000 00000000 00000000"); /* READER_REMOVE of one that was never added */
    hear(&cards, "02000000 00000000 04000000 01000000");
    say(&cards, "01000000 00000000 00000000"); /* INIT means nothing here */
    say(&cards, "08000000 00000000 00000000"); /* nor does FLUSH, which is logged */
    check_guest_got(f, "");
    say(&cards, "07000000 01000000 00000000"); /* an APDU for a second reader */
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    assert_string_equal(f->states, "10");
}

static void there_is_room_for_as_many_readers_as_devices(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "03000000 ffffffff 00000000");
    say(&cards, "03000000 ffffffff 00000000");
    hear(&cards, "02000000 ffffffff 04000000 02000000");
    check_guest_got(f, "00000003 00000000 00000000");
    sm_test_visitor_close(&cards);
}

static void a_client_that_leaves_takes_its_reader_along(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "00000003 00000000 00000000");
    sm_test_visitor_close(&cards);
    assert_string_equal(f->states, "10");
    check_guest_got(f, "00000004 00000000 00000000");
}

static void a_reader_taken_off_is_gone_even_if_its_client_goes_first(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "00000003 00000000 00000000");
    f->is_stuck = true;
    say(&cards, "04000000 00000000 00000000");
    check_guest_got(f, "");
    sm_test_visitor_close(&cards);
    assert_string_equal(f->states, "10");
    f->is_stuck = false;
    spice_server_char_device_wakeup(&f->instance);
    check_guest_got(f, "00000004 00000000 00000000");
}

static void the_devices_own_init_goes_nowhere(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    guest_says(f, "00000001 ffffffff 00000004 00000000 00000007 00000005 00000001 aa");
    hear(&cards, "07000000 00000000 01000000 aa"); /* and the reader is ours, whatever it says */
    sm_test_visitor_close(&cards);
}

static void a_device_that_announces_too_much_is_cut_off(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    guest_says(f, "00000007 00000000 ffffffff 00");
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    assert_string_equal(f->states, "10");
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    spice_server_remove_interface(&f->instance.base);
    assert_int_equal(spice_server_add_interface(f->server, &f->instance.base), 0); /* a new one */
    guest_says(f, "");
    cards = open_cards(f);
    guest_says(f, "00000007 00000000 00000001 aa");
    hear(&cards, "07000000 00000000 01000000 aa");
    sm_test_visitor_close(&cards);
}

static void a_reader_that_is_unplugged_takes_its_channel_along(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "00000003 00000000 00000000");
    spice_server_remove_interface(&f->instance.base);
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    check_guest_got(f, "");
}

static void two_readers_share_the_channel(void **state)
{
    struct fixture *f = *state;
    SpiceCharDeviceInstance second = other_instance();
    assert_int_equal(spice_server_add_interface(f->server, &second.base), 0);
    struct sm_test_visitor cards = open_cards(f);
    assert_string_equal(f->states, "1");
    assert_string_equal(other.states, ""); /* nothing is its yet */
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "00000003 00000000 00000000");
    guest_says(f, "00000002 00000000 00000004 00000000");
    hear(&cards, "02000000 00000000 04000000 00000000");
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "");
    check_other_got(f, "00000003 00000001 00000000");
    assert_string_equal(other.states, "1");
    other_says(&second, "00000002 00000000 00000004 00000000");
    hear(&cards, "02000000 01000000 04000000 00000000");
    say(&cards, "03000000 ffffffff 00000000"); /* and there is no third */
    hear(&cards, "02000000 ffffffff 04000000 02000000");

    say(&cards, "07000000 01000000 02000000 9000");
    check_other_got(f, "00000007 00000001 00000002 9000");
    other_says(&second, "00000007 00000000 00000001 bb");
    hear(&cards, "07000000 01000000 01000000 bb");
    guest_says(f, "00000007 00000000 00000001 aa");
    hear(&cards, "07000000 00000000 01000000 aa");
    say(&cards, "04000000 00000000 00000000"); /* the first is free again */
    check_guest_got(f, "00000004 00000000 00000000");
    say(&cards, "03000000 ffffffff 00000000");
    check_guest_got(f, "00000003 00000000 00000000");

    sm_test_visitor_close(&cards);
    check_guest_got(f, "00000004 00000000 00000000");
    check_other_got(f, "00000004 00000001 00000000");
    assert_string_equal(f->states, "10");
    assert_string_equal(other.states, "10");
    spice_server_remove_interface(&second.base);
}

static void the_channel_goes_on_with_the_reader_that_is_left(void **state)
{
    struct fixture *f = *state;
    SpiceCharDeviceInstance second = other_instance();
    assert_int_equal(spice_server_add_interface(f->server, &second.base), 0);
    struct sm_test_visitor cards = open_cards(f);
    say(&cards, "03000000 ffffffff 00000000");
    say(&cards, "03000000 ffffffff 00000000");
    check_other_got(f, "00000003 00000001 00000000");
    spice_server_remove_interface(&f->instance.base);
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    check_other_got(f, "00000004 00000001 00000000");
    assert_string_equal(other.states, "10");

    cards = open_cards(f);
    assert_string_equal(other.states, "101");
    say(&cards, "03000000 ffffffff 00000000");
    check_other_got(f, "00000003 00000001 00000000");
    spice_server_remove_interface(&second.base); /* and with it the channel */
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    assert_int_equal(spice_server_add_interface(f->server, &f->instance.base), 0);
}

static void ten_readers_are_enough(void **state)
{
    struct fixture *f = *state;
    SpiceCharDeviceInstance more[10];
    for (size_t i = 0; i < 10; i++) {
        more[i] = other_instance();
        assert_int_equal(spice_server_add_interface(f->server, &more[i].base), 0);
    }
    struct sm_test_visitor cards = open_cards(f);
    for (unsigned i = 0; i < 10; i++)
        say(&cards, "03000000 ffffffff 00000000");
    say(&cards, "03000000 ffffffff 00000000");
    hear(&cards, "02000000 ffffffff 04000000 02000000");
    say(&cards, "07000000 0a000000 00000000"); /* an APDU for the eleventh */
    assert_true(sm_test_visitor_is_closed(&cards));
    sm_test_visitor_close(&cards);
    for (size_t i = 0; i < 10; i++)
        spice_server_remove_interface(&more[i].base);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_card_talks_to_the_guest),
        T(words_for_readers_that_are_not_there_are_refused),
        T(there_is_room_for_as_many_readers_as_devices),
        T(two_readers_share_the_channel),
        T(the_channel_goes_on_with_the_reader_that_is_left),
        T(ten_readers_are_enough),
        T(a_client_that_leaves_takes_its_reader_along),
        T(a_reader_taken_off_is_gone_even_if_its_client_goes_first),
        T(the_devices_own_init_goes_nowhere),
        T(a_device_that_announces_too_much_is_cut_off),
        T(a_reader_that_is_unplugged_takes_its_channel_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
