/* SPDX-License-Identifier: MIT */
/* Clients that are told of each other, ask for what another has, and give it. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/wire/main.h"
#include "core/wire/types.h"
#include "sumac/server.h"
#include "tests/server/support/people.h"

static const uint8_t USBREDIR = SM_CHANNEL_USBREDIR;

static const uint32_t NOT_YET = UINT32_MAX;

enum { YOU = 1, VIEW_ONLY = 2, HOLDER = 4, ASKS = 8, CAN_BE_ASKED = 16, PERSON_SIZE = 40 };

static struct sm_test_person come_and_know(struct sm_test_people *f, const char *password)
{
    struct sm_test_person person = {.main = sm_test_visitor(&f->host, f->host.path)};
    person.main.more_caps = 1u << SM_MAIN_CAP_PEOPLE;
    person.id = sm_test_visitor_open_main(&person.main, password);
    (void)sm_test_ask_list(&person);
    return person;
}

/* The flags of person `number` in the next PEOPLE; NOT_YET unless they are `count` by then. */
static uint32_t told(struct sm_test_person *person, uint32_t count, uint32_t number)
{
    uint8_t body[4 + 8 * PERSON_SIZE];
    size_t size = sm_test_visitor_await(&person->main, SM_MSG_MAIN_PEOPLE, body, sizeof(body));
    struct sm_reader r = sm_reader((struct sm_bytes){body, size});
    if (sm_get_le32(&r) != count)
        return NOT_YET;
    assert_int_equal(size, 4 + count * PERSON_SIZE);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t its_number = sm_get_le32(&r), flags = sm_get_le32(&r);
        struct sm_bytes name = sm_get_bytes(&r, PERSON_SIZE - 8);
        assert_int_equal(name.data[0], 0); /* without SASL nobody has one */
        if (its_number == number)
            return flags;
    }
    fail_msg("person %u is not told", number);
    return 0;
}

static void await_told(struct sm_test_person *person, uint32_t count, uint32_t number,
                       uint32_t flags)
{
    while (told(person, count, number) != flags)
        continue;
}

static void wish(struct sm_test_person *person, uint32_t what, uint32_t number)
{
    uint8_t body[8] = {(uint8_t)what, 0, 0, 0, (uint8_t)number};
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_PEOPLE_WISH, SM_TEST_BYTES(body));
}

static void a_client_asks_for_usb_and_is_given_it(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    struct sm_test_person first = come_and_know(f, ""), second = come_and_know(f, "");
    await_told(&first, 2, 1, YOU | HOLDER | CAN_BE_ASKED);
    await_told(&second, 2, 1, HOLDER | CAN_BE_ASKED);
    assert_int_equal(sm_test_open_channel(f, first.id, USBREDIR, "", &usb), 0);

    wish(&second, SM_PEOPLE_WISH_ASK, 0);
    await_told(&first, 2, 2, ASKS | CAN_BE_ASKED);
    wish(&second, SM_PEOPLE_WISH_FORGET, 0);
    await_told(&first, 2, 2, CAN_BE_ASKED);
    wish(&second, SM_PEOPLE_WISH_ASK, 0);
    await_told(&first, 2, 2, ASKS | CAN_BE_ASKED);
    assert_false(sm_test_visitor_is_closed(&usb)); /* the holder decides */

    wish(&first, SM_PEOPLE_WISH_GIVE, 2);
    assert_true(sm_test_visitor_is_closed(&usb));
    assert_int_equal(sm_test_listed(&second), 1u << USBREDIR);
    await_told(&second, 2, 2, YOU | HOLDER | CAN_BE_ASKED);
    assert_int_equal(sm_test_open_channel(f, second.id, USBREDIR, "", NULL), 0);
    await_told(&first, 2, 1, YOU | CAN_BE_ASKED);
    sm_test_visitor_close(&usb);

    sm_test_go(&second); /* it goes back to who is left */
    await_told(&first, 1, 1, YOU | HOLDER | CAN_BE_ASKED);
    sm_test_go(&first);
}

static void nobody_gives_what_is_not_theirs(void **state)
{
    struct sm_test_people *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person first = come_and_know(f, ""), second = come_and_know(f, "");
    struct sm_test_person viewer = sm_test_come(f, "look");
    await_told(&first, 3, 3, VIEW_ONLY);
    wish(&second, SM_PEOPLE_WISH_GIVE, 2);
    wish(&viewer, SM_PEOPLE_WISH_ASK, 0);
    wish(&first, SM_PEOPLE_WISH_GIVE, 3);  /* only looks */
    wish(&first, SM_PEOPLE_WISH_GIVE, 77); /* is not there */
    wish(&first, 99, 1);                   /* of a later Sumac */
    assert_int_equal(told(&first, 3, 3), VIEW_ONLY);
    struct sumac_client clients[3];
    assert_int_equal(sumac_server_get_clients(f->server, clients, 3), 3);
    assert_true(clients[0].is_holder);
    sm_test_go(&first);
    sm_test_go(&second);
    sm_test_go(&viewer);
}

/* The types of all messages until the list of channels comes. */
static bool hears_of_people(struct sm_test_person *person)
{
    bool hears = false;
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    sm_test_host_run(person->main.host, 5);
    for (uint16_t type = 0; type != SM_MSG_MAIN_CHANNELS_LIST;) {
        uint8_t header[6], body[4096];
        if (sm_test_visitor_receive_rest(&person->main, header, sizeof(header)) != sizeof(header))
            break;
        struct sm_reader r = sm_reader(SM_TEST_BYTES(header));
        type = sm_get_le16(&r);
        uint32_t size = sm_get_le32(&r);
        assert_true(size <= sizeof(body));
        assert_int_equal(sm_test_visitor_receive(&person->main, body, size), size);
        hears = hears || type == SM_MSG_MAIN_PEOPLE;
    }
    return hears;
}

static void others_hear_nothing_of_it(void **state)
{
    struct sm_test_people *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person stock = sm_test_come(f, ""), first = come_and_know(f, ""),
                          viewer = {.id = 0};
    viewer.main = sm_test_visitor(&f->host, f->host.path);
    viewer.main.more_caps = 1u << SM_MAIN_CAP_PEOPLE;
    viewer.id = sm_test_visitor_open_main(&viewer.main, "look");
    await_told(&first, 3, 1, HOLDER); /* and cannot be asked */
    wish(&first, SM_PEOPLE_WISH_ASK, 0);
    assert_false(hears_of_people(&stock));
    assert_false(hears_of_people(&stock)); /* what the first list would have brought */
    assert_false(hears_of_people(&viewer));
    assert_false(hears_of_people(&viewer));
    sm_test_go(&stock);
    sm_test_go(&viewer);
    sm_test_go(&first);
}

static void a_wish_that_changes_nothing_is_not_told(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_person first = come_and_know(f, ""), second = come_and_know(f, "");
    await_told(&first, 2, 2, CAN_BE_ASKED);
    (void)hears_of_people(&first); /* what that list brings */
    (void)hears_of_people(&first);
    wish(&first, SM_PEOPLE_WISH_ASK, 0); /* has it */
    wish(&second, SM_PEOPLE_WISH_FORGET, 0);
    sm_test_host_run(&f->host, 5);
    uint8_t byte;
    (void)sm_test_visitor_await(&second.main, SM_MSG_MAIN_PEOPLE, &byte, 1);
    while (recv(second.main.fd, &byte, 1, MSG_DONTWAIT) == 1)
        continue;
    wish(&first, SM_PEOPLE_WISH_GIVE, 77); /* is not there: only the giver learns it */
    sm_test_host_run(&f->host, 5);
    assert_int_equal(recv(second.main.fd, &byte, 1, MSG_DONTWAIT), -1);
    sm_test_go(&first);
    sm_test_go(&second);
}

/* Reads all there is; its size. */
static size_t drain(struct sm_test_person *person, uint8_t *last, size_t last_size)
{
    uint8_t buffer[65536];
    size_t total = 0, got;
    do {
        got = sm_test_visitor_receive_rest(&person->main, buffer, sizeof(buffer));
        total += got;
        if (got >= last_size)
            memcpy(last, buffer + got - last_size, last_size);
    } while (got == sizeof(buffer));
    assert_true(got >= last_size);
    return total;
}

/* About 240 KiB of lists, if each step were told. */
static void a_client_that_does_not_read_is_told_the_newest_alone(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_person deaf = come_and_know(f, ""), other = come_and_know(f, "");
    uint8_t buffer[4096], list[2 * PERSON_SIZE];
    for (unsigned i = 0; i < 2001; i++) {
        wish(&other, i % 2 ? SM_PEOPLE_WISH_FORGET : SM_PEOPLE_WISH_ASK, 0);
        sm_test_host_run(&f->host, 0);
        while (recv(other.main.fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
            continue;
    }
    assert_int_equal(spice_server_get_num_clients(f->server), 2);
    assert_in_range(drain(&deaf, list, sizeof(list)), sizeof(list), 128 << 10);
    struct sm_reader r = sm_reader(SM_TEST_BYTES(list));
    sm_skip(&r, PERSON_SIZE);
    assert_int_equal(sm_get_le32(&r), 2);
    assert_int_equal(sm_get_le32(&r), ASKS | CAN_BE_ASKED);
    sm_test_go(&deaf);
    sm_test_go(&other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_people_setup, sm_test_people_teardown)
    const struct CMUnitTest tests[] = {
        T(a_client_asks_for_usb_and_is_given_it),
        T(nobody_gives_what_is_not_theirs),
        T(others_hear_nothing_of_it),
        T(a_wish_that_changes_nothing_is_not_told),
        T(a_client_that_does_not_read_is_told_the_newest_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
