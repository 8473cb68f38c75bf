/* SPDX-License-Identifier: MIT */
/* Several people at one machine, over sockets and the library's functions: who may come, what each
 * may have. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/wire/agent.h"
#include "core/wire/main.h"
#include "core/wire/playback.h"
#include "core/wire/types.h"
#include "sumac/server.h"
#include "tests/server/support/people.h"

static const uint8_t USBREDIR = SM_CHANNEL_USBREDIR;

static void several_come_and_nobody_is_sent_away(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_person people[3];
    for (int i = 0; i < 3; i++)
        people[i] = sm_test_come(f, "");
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    assert_int_equal(sm_test_try_to_come(f, ""), SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    sm_test_go(&people[1]);
    assert_int_equal(spice_server_get_num_clients(f->server), 2);
    assert_int_equal(sm_test_try_to_come(f, ""), 0); /* there is room again */

    sumac_server_set_clients(f->server, 1); /* the next one takes over */
    struct sm_test_person last = sm_test_come(f, "");
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_true(sm_test_visitor_is_closed(&people[0].main));
    sm_test_go(&people[0]);
    sm_test_go(&people[2]);
    sm_test_go(&last);
}

static void the_list_of_clients_is_told(void **state)
{
    struct sm_test_people *f = *state;
    struct sumac_client clients[4];
    assert_int_equal(sumac_server_get_clients(f->server, NULL, 0), 0);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person viewer = sm_test_come(f, "look"), first = sm_test_come(f, "");
    assert_int_equal(sumac_server_get_clients(f->server, clients, 1), 2);
    assert_int_equal(sumac_server_get_clients(f->server, clients, 4), 2);
    assert_int_equal(clients[0].connection_id, viewer.id);
    assert_true(clients[0].is_view_only && !clients[0].is_holder);
    assert_int_equal(clients[1].connection_id, first.id);
    assert_true(!clients[1].is_view_only && clients[1].is_holder);
    sm_test_go(&viewer);
    sm_test_go(&first);
}

/* ---- view only ---- */

static void the_second_password_opens_the_door_for_looking(void **state)
{
    struct sm_test_people *f = *state;
    spice_server_set_ticket(f->server, "all", 0, 0, 0);
    assert_int_equal(sm_test_try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    assert_int_equal(sm_test_try_to_come(f, "lock"), SM_LINK_ERR_PERMISSION_DENIED);
    struct sm_test_person viewer = sm_test_come(f, "look"), owner = sm_test_come(f, "all");

    uint32_t mask = sm_test_ask_list(&viewer);
    assert_int_equal(mask, 1u << SM_CHANNEL_PLAYBACK); /* no graphics device is there */
    mask = sm_test_ask_list(&owner);
    assert_true(mask & 1u << SM_CHANNEL_INPUTS);
    assert_true(mask & 1u << SM_CHANNEL_USBREDIR);

    static const uint8_t FORBIDDEN[] = {SM_CHANNEL_INPUTS, SM_CHANNEL_USBREDIR};
    for (size_t i = 0; i < 2; i++) { /* nor with the better password behind its own session's id */
        assert_int_equal(sm_test_open_channel(f, viewer.id, FORBIDDEN[i], "look", NULL),
                         SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
        assert_int_equal(sm_test_open_channel(f, viewer.id, FORBIDDEN[i], "all", NULL),
                         SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    }
    assert_int_equal(sm_test_open_channel(f, viewer.id, SM_CHANNEL_PLAYBACK, "look", NULL), 0);
    /* and not into somebody else's session */
    assert_int_equal(sm_test_open_channel(f, owner.id, SM_CHANNEL_INPUTS, "look", NULL),
                     SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sm_test_open_channel(f, owner.id, SM_CHANNEL_PLAYBACK, "look", NULL),
                     SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sm_test_open_channel(f, owner.id, SM_CHANNEL_INPUTS, "all", NULL), 0);

    assert_int_equal(sumac_server_set_view_ticket(f->server, NULL, 0), 0);
    assert_int_equal(sm_test_try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    char too_long[62];
    memset(too_long, 'x', 61);
    too_long[61] = 0;
    assert_int_equal(sumac_server_set_view_ticket(f->server, too_long, 0), -1);
    sm_test_go(&viewer);
    sm_test_go(&owner);
}

static void a_password_for_looking_expires(void **state)
{
    struct sm_test_people *f = *state;
    spice_server_set_ticket(f->server, "all", 0, 0, 0);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", -1), 0);
    assert_int_equal(sm_test_try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 1000), 0);
    assert_int_equal(sm_test_try_to_come(f, "look"), 0);
}

static void a_viewer_has_no_agent_and_no_say(void **state)
{
    struct sm_test_people *f = *state;
    uint8_t init[32], key[SM_TEST_KEY_SIZE];
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person viewer = {.main = sm_test_visitor(&f->host, f->host.path)};
    assert_int_equal(sm_test_visitor_hello(&viewer.main, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(&viewer.main, key, "look"), 0);
    assert_int_equal(sm_test_visitor_await(&viewer.main, SM_MSG_MAIN_INIT, init, 32), 32);
    assert_int_equal(init[16], 0); /* no agent */

    size_t before = f->agent.size;
    sm_test_start_agent(&viewer);
    sm_test_visitor_message(&viewer.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 4, 4));
    sm_test_visitor_message(&viewer.main, SM_MSGC_MAIN_MOUSE_MODE_REQUEST, sm_test_hex("0200"));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, before);
    assert_int_equal(spice_server_get_num_clients(f->server), 1); /* and is still there */

    struct sm_test_person owner = sm_test_come(f, "");
    sm_test_start_agent(&owner);
    sm_test_visitor_message(&owner.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 4, 4));
    sm_test_host_run(&f->host, 10);
    assert_true(f->agent.size > before); /* the same from somebody who may */
    sm_test_go(&viewer);
    sm_test_go(&owner);
}

/* Reads the list that it asks for; whether words of the guest's agent came before it. */
static bool hears_agent(struct sm_test_person *person)
{
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    bool heard = false;
    for (;;) {
        uint8_t header[6], body[512];
        assert_int_equal(sm_test_visitor_receive(&person->main, header, 6), 6);
        uint16_t type = (uint16_t)(header[0] | header[1] << 8);
        size_t size = (size_t)(header[2] | header[3] << 8);
        assert_true(size <= sizeof(body));
        assert_int_equal(sm_test_visitor_receive(&person->main, body, size), size);
        heard = heard || type == SM_MSG_MAIN_AGENT_DATA;
        if (type == SM_MSG_MAIN_CHANNELS_LIST)
            return heard;
    }
}

static void a_viewer_is_not_told_what_is_copied_in_the_guest(void **state)
{
    struct sm_test_people *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person viewer = sm_test_come(f, "look"), owner = sm_test_come(f, "");
    sm_test_start_agent(&viewer);
    sm_test_start_agent(&owner);
    sm_test_host_run(&f->host, 10);
    struct sm_bytes message = sm_test_agent_message(SM_AGENT_CLIPBOARD, 4, 4);
    uint8_t chunk[8 + 64] = {1, 0, 0, 0, (uint8_t)message.size}; /* for clients */
    memcpy(chunk + 8, message.data, message.size);
    f->agent.says = (struct sm_bytes){chunk, 8 + message.size};
    spice_server_char_device_wakeup(&f->agent.instance);
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.says.size, 0);
    assert_true(hears_agent(&owner));
    assert_false(hears_agent(&viewer));
    sm_test_go(&viewer);
    sm_test_go(&owner);
}

/* ---- what there is one of ---- */

static void usb_goes_on_when_its_holder_leaves(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    struct sm_test_person first = sm_test_come(f, ""), second = sm_test_come(f, ""),
                          third = sm_test_come(f, "");
    assert_true(sm_test_ask_list(&first) & 1u << USBREDIR);
    assert_false(sm_test_ask_list(&second) & 1u << USBREDIR);
    assert_false(sm_test_ask_list(&third) & 1u << USBREDIR);
    assert_int_equal(sm_test_open_channel(f, second.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(sm_test_open_channel(f, first.id, USBREDIR, "", &usb), 0);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(f->usb.state, 1);
    sm_test_go(&first);
    assert_int_equal(f->usb.state, 0);
    assert_int_equal(sm_test_listed(&second), 1u << USBREDIR); /* told of what is new to it */
    sm_test_visitor_close(&usb);
    assert_int_equal(sm_test_open_channel(f, second.id, USBREDIR, "", &usb), 0);
    assert_int_equal(sm_test_open_channel(f, third.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    sm_test_visitor_close(&usb);
    sm_test_go(&second);
    sm_test_go(&third);
}

static void usb_is_handed_over_when_asked(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct sm_test_person first = sm_test_come(f, ""), second = sm_test_come(f, ""),
                          viewer = sm_test_come(f, "look");
    (void)sm_test_ask_list(&second);
    assert_int_equal(sm_test_open_channel(f, first.id, USBREDIR, "", &usb), 0);
    assert_int_equal(sumac_server_hand_over(f->server, viewer.id), -1);
    assert_int_equal(sumac_server_hand_over(f->server, first.id ^ second.id ^ viewer.id), -1);
    assert_int_equal(sumac_server_hand_over(f->server, first.id), 0); /* it has it */
    assert_false(sm_test_visitor_is_closed(&usb));

    assert_int_equal(sumac_server_hand_over(f->server, second.id), 0);
    assert_true(sm_test_visitor_is_closed(&usb));
    assert_int_equal(sm_test_listed(&second), 1u << USBREDIR);
    assert_int_equal(sm_test_open_channel(f, first.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(sm_test_open_channel(f, second.id, USBREDIR, "", NULL), 0);
    sm_test_visitor_close(&usb);
    sm_test_go(&first); /* loses nothing any more */
    sm_test_go(&viewer);
    assert_int_equal(sm_test_open_channel(f, second.id, USBREDIR, "", NULL), 0);
    sm_test_go(&second);
}

static void messages_to_the_agent_do_not_mix(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_person first = sm_test_come(f, ""), second = sm_test_come(f, "");
    sm_test_start_agent(&first);
    sm_test_start_agent(&second);
    f->agent.size = 0;
    /* 100 of 200 bytes; then somebody else's whole message, which is lost; then the other 100 */
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 200, 100));
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    uint8_t rest[100] = {0};
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            (struct sm_bytes){rest, sizeof(rest)});
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 100 + 8 + 100);
    /* afterwards it has its turn again */
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 100 + 8 + 100 + 8 + 20 + 50);

    /* who leaves amid a message: the agent is told to forget it, the next may speak */
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 200, 100));
    f->agent.size = 0;
    sm_test_go(&first);
    assert_int_equal(f->agent.size, 8 + 20);
    assert_int_equal(f->agent.written[0], 2); /* from the server itself */
    assert_int_equal(f->agent.written[8 + 4], SM_AGENT_CLIENT_DISCONNECTED);
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 8 + 20 + 50);
    sm_test_go(&second);
}

/* The tokens that all that has come by now tell of. */
static uint32_t tokens_told(struct sm_test_person *person)
{
    uint8_t told[4096];
    sm_test_host_run(person->main.host, 10); /* until nothing happens any more */
    size_t size = sm_test_visitor_receive_rest(&person->main, told, sizeof(told));
    struct sm_reader r = sm_reader((struct sm_bytes){told, size});
    uint32_t tokens = 0;
    while (sm_left(&r) > 0) {
        uint16_t type = sm_get_le16(&r);
        uint32_t body_size = sm_get_le32(&r);
        struct sm_reader body = sm_reader(sm_get_bytes(&r, body_size));
        if (type == SM_MSG_MAIN_AGENT_TOKEN)
            tokens += sm_get_le32(&body);
        assert_false(r.failed || body.failed);
    }
    return tokens;
}

/* Messages of a piece each, which the agent takes; the tokens that are told of meanwhile. */
static uint32_t tokens_for(struct sm_test_person *person, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sm_test_visitor_message(&person->main, SM_MSGC_MAIN_AGENT_DATA,
                                sm_test_agent_message(SM_AGENT_CLIPBOARD, 4, 4));
    return tokens_told(person);
}

static void who_tells_of_a_file_alone_is_lent_tokens_until_the_agent_refuses_it(void **state)
{
    enum { LENT = 502 }; /* 512 at most, of which everybody has ten */
    struct sm_test_people *f = *state;
    struct sm_test_person sender = sm_test_come(f, ""), other = sm_test_come(f, "");
    sm_test_start_agent(&sender);
    sm_test_start_agent(&other);
    sm_test_visitor_message(
        &sender.main, SM_MSGC_MAIN_AGENT_DATA,
        sm_test_hex("01000000 0a000000 0000000000000000 2c000000 01000000"
                    "5b76646167656e742d66696c652d786665725d0a" /* [vdagent-file-xfer] */
                    "6e616d653d610a"                           /* name=a */
                    "73697a653d323030303030300a"));            /* size=2000000 */
    assert_int_equal(tokens_told(&sender), LENT);
    assert_int_equal(tokens_for(&other, 5), 5);
    assert_int_equal(tokens_for(&sender, 5), 5);

    struct sm_bytes refusal = sm_test_hex("01000000 1c000000" /* a chunk for clients */
                                          "01000000 0b000000 0000000000000000 08000000"
                                          "01000000 01000000"); /* file 1: cancelled */
    f->agent.says = refusal;
    spice_server_char_device_wakeup(&f->agent.instance);
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.says.size, 0);
    assert_int_equal(tokens_for(&sender, LENT), 0); /* they are taken back as they come */
    assert_int_equal(tokens_for(&sender, 5), 5);
    assert_int_equal(tokens_for(&other, 5), 5);
    sm_test_go(&sender);
    sm_test_go(&other);
}

/* ---- sound ---- */

static void play(struct sm_test_people *f, unsigned frames)
{
    for (unsigned i = 0; i < frames; i++) {
        uint32_t *words, count;
        spice_server_playback_get_buffer(&f->sound, &words, &count);
        assert_non_null(words);
        for (uint32_t k = 0; k < count; k++)
            words[k] = i * 7919 + k;
        spice_server_playback_put_samples(&f->sound, words);
        sm_test_host_run(&f->host, 0);
    }
}

static void everybody_hears_and_a_slow_one_harms_nobody(void **state)
{
    struct sm_test_people *f = *state;
    struct sm_test_visitor ears[3];
    struct sm_test_person people[3];
    int little = 4096;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    for (int i = 0; i < 3; i++) {
        people[i] = sm_test_come(f, i == 2 ? "look" : "");
        assert_int_equal(sm_test_open_channel(f, people[i].id, SM_CHANNEL_PLAYBACK,
                                              i == 2 ? "look" : "", &ears[i]),
                         0);
        setsockopt(ears[i].fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    }
    spice_server_playback_start(&f->sound);
    uint8_t first[64], other[64];
    play(f, 1);
    for (int i = 0; i < 3; i++) {
        size_t size = sm_test_visitor_await(&ears[i], SM_MSG_PLAYBACK_DATA, i ? other : first, 64);
        assert_true(size > 64);
        if (i)
            assert_memory_equal(first + 4, other + 4, 60); /* the same but for the time */
    }
    /* One stops to read: the others go on hearing every frame, for two minutes of sound. */
    for (unsigned i = 0; i < 12000; i++) {
        play(f, 1);
        for (int k = 1; k < 3; k++) {
            assert_true(sm_test_visitor_await(&ears[k], SM_MSG_PLAYBACK_DATA, other, 64) > 4);
        }
    }
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    for (int i = 0; i < 3; i++) {
        sm_test_visitor_close(&ears[i]);
        sm_test_go(&people[i]);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_people_setup, sm_test_people_teardown)
    const struct CMUnitTest tests[] = {
        T(several_come_and_nobody_is_sent_away),
        T(the_list_of_clients_is_told),
        T(the_second_password_opens_the_door_for_looking),
        T(a_password_for_looking_expires),
        T(a_viewer_has_no_agent_and_no_say),
        T(a_viewer_is_not_told_what_is_copied_in_the_guest),
        T(usb_goes_on_when_its_holder_leaves),
        T(usb_is_handed_over_when_asked),
        T(messages_to_the_agent_do_not_mix),
        T(who_tells_of_a_file_alone_is_lent_tokens_until_the_agent_refuses_it),
        T(everybody_hears_and_a_slow_one_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
