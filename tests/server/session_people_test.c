/* SPDX-License-Identifier: MIT */
/* Several people at one machine, over sockets and the library's functions. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/wire/agent.h"
#include "core/wire/main.h"
#include "core/wire/playback.h"
#include "core/wire/types.h"
#include "sumac/server.h"
#include "tests/server/support/visitor.h"

static const uint8_t USBREDIR = SM_CHANNEL_USBREDIR;

/* A host's char device that notes what clients say to the guest, and says what the guest does. */
struct device {
    SpiceCharDeviceInstance instance;
    uint8_t written[65536];
    size_t size;
    int state;
    struct sm_bytes says; /* borrowed; what is left of it */
};

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    struct device usb, agent;
    SpicePlaybackInstance sound;
};

static struct device *device_of(SpiceCharDeviceInstance *instance)
{
    return (struct device *)(void *)instance;
}

static void device_state(SpiceCharDeviceInstance *instance, int connected)
{
    device_of(instance)->state = connected;
}

static int device_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct device *device = device_of(instance);
    assert_true(device->size + (size_t)size <= sizeof(device->written));
    memcpy(device->written + device->size, data, (size_t)size);
    device->size += (size_t)size;
    return size;
}

static int device_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct sm_bytes *says = &device_of(instance)->says;
    size_t given = says->size < (size_t)size ? says->size : (size_t)size;
    if (given > 0)
        memcpy(to, says->data, given);
    *says = given > 0 ? (struct sm_bytes){says->data + given, says->size - given} : *says;
    return (int)given;
}

static const SpiceCharDeviceInterface DEVICE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = device_state,
    .write = device_write,
    .read = device_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static const SpicePlaybackInterface SOUND = {
    .base = {.type = SPICE_INTERFACE_PLAYBACK,
             .major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
             .minor_version = SPICE_INTERFACE_PLAYBACK_MINOR},
};

static void add_device(struct fixture *f, struct device *device, const char *subtype)
{
    device->instance.base.sif = &DEVICE.base;
    device->instance.subtype = subtype;
    assert_int_equal(spice_server_add_interface(f->server, &device->instance.base), 0);
    assert_non_null(device->instance.st);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    add_device(f, &f->usb, "usbredir");
    add_device(f, &f->agent, "vdagent");
    f->sound.base.sif = &SOUND.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->sound.base), 0);
    sumac_server_set_clients(f->server, 3);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

/* ---- people ---- */

struct person {
    struct sm_test_visitor main;
    uint32_t id;
};

static struct person come(struct fixture *f, const char *password)
{
    struct person person = {.main = sm_test_visitor(&f->host, f->host.path)};
    person.id = sm_test_visitor_open_main(&person.main, password);
    return person;
}

static void go(struct person *person)
{
    sm_test_visitor_close(&person->main);
}

/* The result of a further main link, or of its ticket. */
static int try_to_come(struct fixture *f, const char *password)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    int result = sm_test_visitor_ticket(&visitor, key, password);
    sm_test_visitor_close(&visitor);
    return result;
}

/* The link result for another channel; it is left open in `out` if that is given. */
static int open_channel(struct fixture *f, uint32_t id, uint8_t type, const char *password,
                        struct sm_test_visitor *out)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    int result = sm_test_visitor_hello(&visitor, id, type, 0, key);
    if (result == 0)
        result = sm_test_visitor_ticket(&visitor, key, password);
    if (out && result == 0)
        *out = visitor;
    else
        sm_test_visitor_close(&visitor);
    return result;
}

/* A mask of the channel types in the next list. */
static uint32_t listed(struct person *person)
{
    uint8_t body[512];
    size_t size =
        sm_test_visitor_await(&person->main, SM_MSG_MAIN_CHANNELS_LIST, body, sizeof(body));
    uint32_t mask = 0;
    for (size_t at = 4; at + 2 <= size; at += 2)
        mask |= 1u << body[at];
    return mask;
}

static uint32_t ask_list(struct person *person)
{
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    return listed(person);
}

static void several_come_and_nobody_is_sent_away(void **state)
{
    struct fixture *f = *state;
    struct person people[3];
    for (int i = 0; i < 3; i++)
        people[i] = come(f, "");
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    assert_int_equal(try_to_come(f, ""), SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    go(&people[1]);
    assert_int_equal(spice_server_get_num_clients(f->server), 2);
    assert_int_equal(try_to_come(f, ""), 0); /* there is room again */

    sumac_server_set_clients(f->server, 1); /* the next one takes over */
    struct person last = come(f, "");
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_true(sm_test_visitor_is_closed(&people[0].main));
    go(&people[0]);
    go(&people[2]);
    go(&last);
}

static void the_list_of_clients_is_told(void **state)
{
    struct fixture *f = *state;
    struct sumac_client clients[4];
    assert_int_equal(sumac_server_get_clients(f->server, NULL, 0), 0);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person viewer = come(f, "look"), first = come(f, "");
    assert_int_equal(sumac_server_get_clients(f->server, clients, 1), 2);
    assert_int_equal(sumac_server_get_clients(f->server, clients, 4), 2);
    assert_int_equal(clients[0].connection_id, viewer.id);
    assert_true(clients[0].is_view_only && !clients[0].is_holder);
    assert_int_equal(clients[1].connection_id, first.id);
    assert_true(!clients[1].is_view_only && clients[1].is_holder);
    go(&viewer);
    go(&first);
}

/* ---- view only ---- */

static void the_second_password_opens_the_door_for_looking(void **state)
{
    struct fixture *f = *state;
    spice_server_set_ticket(f->server, "all", 0, 0, 0);
    assert_int_equal(try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    assert_int_equal(try_to_come(f, "lock"), SM_LINK_ERR_PERMISSION_DENIED);
    struct person viewer = come(f, "look"), owner = come(f, "all");

    uint32_t mask = ask_list(&viewer);
    assert_int_equal(mask, 1u << SM_CHANNEL_PLAYBACK); /* no graphics device is there */
    mask = ask_list(&owner);
    assert_true(mask & 1u << SM_CHANNEL_INPUTS);
    assert_true(mask & 1u << SM_CHANNEL_USBREDIR);

    static const uint8_t FORBIDDEN[] = {SM_CHANNEL_INPUTS, SM_CHANNEL_USBREDIR};
    for (size_t i = 0; i < 2; i++) { /* nor with the better password behind its own session's id */
        assert_int_equal(open_channel(f, viewer.id, FORBIDDEN[i], "look", NULL),
                         SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
        assert_int_equal(open_channel(f, viewer.id, FORBIDDEN[i], "all", NULL),
                         SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    }
    assert_int_equal(open_channel(f, viewer.id, SM_CHANNEL_PLAYBACK, "look", NULL), 0);
    /* and not into somebody else's session */
    assert_int_equal(open_channel(f, owner.id, SM_CHANNEL_INPUTS, "look", NULL),
                     SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(open_channel(f, owner.id, SM_CHANNEL_PLAYBACK, "look", NULL),
                     SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(open_channel(f, owner.id, SM_CHANNEL_INPUTS, "all", NULL), 0);

    assert_int_equal(sumac_server_set_view_ticket(f->server, NULL, 0), 0);
    assert_int_equal(try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    char too_long[62];
    memset(too_long, 'x', 61);
    too_long[61] = 0;
    assert_int_equal(sumac_server_set_view_ticket(f->server, too_long, 0), -1);
    go(&viewer);
    go(&owner);
}

static void a_password_for_looking_expires(void **state)
{
    struct fixture *f = *state;
    spice_server_set_ticket(f->server, "all", 0, 0, 0);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", -1), 0);
    assert_int_equal(try_to_come(f, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 1000), 0);
    assert_int_equal(try_to_come(f, "look"), 0);
}

/* A whole message to the agent, in one piece. */
static struct sm_bytes agent_message(uint32_t type, uint32_t size, size_t here)
{
    static struct sm_writer w;
    static bool is_made;
    if (!is_made)
        sm_writer_init(&w, 8192);
    is_made = true;
    sm_writer_reset(&w);
    sm_put_le32(&w, SM_AGENT_PROTOCOL);
    sm_put_le32(&w, type);
    sm_put_le64(&w, 0);
    sm_put_le32(&w, size);
    sm_put_zeros(&w, here);
    return sm_test_copy(sm_writer_bytes(&w).data, sm_writer_bytes(&w).size);
}

static void start_agent(struct person *person)
{
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_AGENT_START, sm_test_hex("ffffffff"));
}

static void a_viewer_has_no_agent_and_no_say(void **state)
{
    struct fixture *f = *state;
    uint8_t init[32], key[SM_TEST_KEY_SIZE];
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person viewer = {.main = sm_test_visitor(&f->host, f->host.path)};
    assert_int_equal(sm_test_visitor_hello(&viewer.main, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(&viewer.main, key, "look"), 0);
    assert_int_equal(sm_test_visitor_await(&viewer.main, SM_MSG_MAIN_INIT, init, 32), 32);
    assert_int_equal(init[16], 0); /* no agent */

    size_t before = f->agent.size;
    start_agent(&viewer);
    sm_test_visitor_message(&viewer.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 4, 4));
    sm_test_visitor_message(&viewer.main, SM_MSGC_MAIN_MOUSE_MODE_REQUEST, sm_test_hex("0200"));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, before);
    assert_int_equal(spice_server_get_num_clients(f->server), 1); /* and is still there */

    struct person owner = come(f, "");
    start_agent(&owner);
    sm_test_visitor_message(&owner.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 4, 4));
    sm_test_host_run(&f->host, 10);
    assert_true(f->agent.size > before); /* the same from somebody who may */
    go(&viewer);
    go(&owner);
}

/* Reads the list that it asks for; whether words of the guest's agent came before it. */
static bool hears_agent(struct person *person)
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
    struct fixture *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person viewer = come(f, "look"), owner = come(f, "");
    start_agent(&viewer);
    start_agent(&owner);
    sm_test_host_run(&f->host, 10);
    struct sm_bytes message = agent_message(SM_AGENT_CLIPBOARD, 4, 4);
    uint8_t chunk[8 + 64] = {1, 0, 0, 0, (uint8_t)message.size}; /* for clients */
    memcpy(chunk + 8, message.data, message.size);
    f->agent.says = (struct sm_bytes){chunk, 8 + message.size};
    spice_server_char_device_wakeup(&f->agent.instance);
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.says.size, 0);
    assert_true(hears_agent(&owner));
    assert_false(hears_agent(&viewer));
    go(&viewer);
    go(&owner);
}

/* ---- what there is one of ---- */

static void usb_goes_on_when_its_holder_leaves(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    struct person first = come(f, ""), second = come(f, ""), third = come(f, "");
    assert_true(ask_list(&first) & 1u << USBREDIR);
    assert_false(ask_list(&second) & 1u << USBREDIR);
    assert_false(ask_list(&third) & 1u << USBREDIR);
    assert_int_equal(open_channel(f, second.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(open_channel(f, first.id, USBREDIR, "", &usb), 0);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(f->usb.state, 1);
    go(&first);
    assert_int_equal(f->usb.state, 0);
    assert_int_equal(listed(&second), 1u << USBREDIR); /* told of what is new to it */
    sm_test_visitor_close(&usb);
    assert_int_equal(open_channel(f, second.id, USBREDIR, "", &usb), 0);
    assert_int_equal(open_channel(f, third.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    sm_test_visitor_close(&usb);
    go(&second);
    go(&third);
}

static void usb_is_handed_over_when_asked(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person first = come(f, ""), second = come(f, ""), viewer = come(f, "look");
    (void)ask_list(&second);
    assert_int_equal(open_channel(f, first.id, USBREDIR, "", &usb), 0);
    assert_int_equal(sumac_server_hand_over(f->server, viewer.id), -1);
    assert_int_equal(sumac_server_hand_over(f->server, first.id ^ second.id ^ viewer.id), -1);
    assert_int_equal(sumac_server_hand_over(f->server, first.id), 0); /* it has it */
    assert_false(sm_test_visitor_is_closed(&usb));

    assert_int_equal(sumac_server_hand_over(f->server, second.id), 0);
    assert_true(sm_test_visitor_is_closed(&usb));
    assert_int_equal(listed(&second), 1u << USBREDIR);
    assert_int_equal(open_channel(f, first.id, USBREDIR, "", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    assert_int_equal(open_channel(f, second.id, USBREDIR, "", NULL), 0);
    sm_test_visitor_close(&usb);
    go(&first); /* loses nothing any more */
    go(&viewer);
    assert_int_equal(open_channel(f, second.id, USBREDIR, "", NULL), 0);
    go(&second);
}

/* ---- clients that know of each other ---- */

static const uint32_t NOT_YET = UINT32_MAX;

enum { YOU = 1, VIEW_ONLY = 2, HOLDER = 4, ASKS = 8, CAN_BE_ASKED = 16, PERSON_SIZE = 40 };

static struct person come_and_know(struct fixture *f, const char *password)
{
    struct person person = {.main = sm_test_visitor(&f->host, f->host.path)};
    person.main.more_caps = 1u << SM_MAIN_CAP_PEOPLE;
    person.id = sm_test_visitor_open_main(&person.main, password);
    (void)ask_list(&person);
    return person;
}

/* The flags of person `number` in the next PEOPLE; NOT_YET unless they are `count` by then. */
static uint32_t told(struct person *person, uint32_t count, uint32_t number)
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

static void await_told(struct person *person, uint32_t count, uint32_t number, uint32_t flags)
{
    while (told(person, count, number) != flags)
        continue;
}

static void wish(struct person *person, uint32_t what, uint32_t number)
{
    uint8_t body[8] = {(uint8_t)what, 0, 0, 0, (uint8_t)number};
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_PEOPLE_WISH, SM_TEST_BYTES(body));
}

static void a_client_asks_for_usb_and_is_given_it(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor usb = {.fd = -1};
    struct person first = come_and_know(f, ""), second = come_and_know(f, "");
    await_told(&first, 2, 1, YOU | HOLDER | CAN_BE_ASKED);
    await_told(&second, 2, 1, HOLDER | CAN_BE_ASKED);
    assert_int_equal(open_channel(f, first.id, USBREDIR, "", &usb), 0);

    wish(&second, SM_PEOPLE_WISH_ASK, 0);
    await_told(&first, 2, 2, ASKS | CAN_BE_ASKED);
    wish(&second, SM_PEOPLE_WISH_FORGET, 0);
    await_told(&first, 2, 2, CAN_BE_ASKED);
    wish(&second, SM_PEOPLE_WISH_ASK, 0);
    await_told(&first, 2, 2, ASKS | CAN_BE_ASKED);
    assert_false(sm_test_visitor_is_closed(&usb)); /* the holder decides */

    wish(&first, SM_PEOPLE_WISH_GIVE, 2);
    assert_true(sm_test_visitor_is_closed(&usb));
    assert_int_equal(listed(&second), 1u << USBREDIR);
    await_told(&second, 2, 2, YOU | HOLDER | CAN_BE_ASKED);
    assert_int_equal(open_channel(f, second.id, USBREDIR, "", NULL), 0);
    await_told(&first, 2, 1, YOU | CAN_BE_ASKED);
    sm_test_visitor_close(&usb);

    go(&second); /* it goes back to who is left */
    await_told(&first, 1, 1, YOU | HOLDER | CAN_BE_ASKED);
    go(&first);
}

static void nobody_gives_what_is_not_theirs(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person first = come_and_know(f, ""), second = come_and_know(f, "");
    struct person viewer = come(f, "look");
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
    go(&first);
    go(&second);
    go(&viewer);
}

/* The types of all messages until the list of channels comes. */
static bool hears_of_people(struct person *person)
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
    struct fixture *f = *state;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    struct person stock = come(f, ""), first = come_and_know(f, ""), viewer = {.id = 0};
    viewer.main = sm_test_visitor(&f->host, f->host.path);
    viewer.main.more_caps = 1u << SM_MAIN_CAP_PEOPLE;
    viewer.id = sm_test_visitor_open_main(&viewer.main, "look");
    await_told(&first, 3, 1, HOLDER); /* and cannot be asked */
    wish(&first, SM_PEOPLE_WISH_ASK, 0);
    assert_false(hears_of_people(&stock));
    assert_false(hears_of_people(&stock)); /* what the first list would have brought */
    assert_false(hears_of_people(&viewer));
    assert_false(hears_of_people(&viewer));
    go(&stock);
    go(&viewer);
    go(&first);
}

static void a_wish_that_changes_nothing_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct person first = come_and_know(f, ""), second = come_and_know(f, "");
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
    go(&first);
    go(&second);
}

/* Reads all there is; its size. */
static size_t drain(struct person *person, uint8_t *last, size_t last_size)
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
    struct fixture *f = *state;
    struct person deaf = come_and_know(f, ""), other = come_and_know(f, "");
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
    go(&deaf);
    go(&other);
}

static void messages_to_the_agent_do_not_mix(void **state)
{
    struct fixture *f = *state;
    struct person first = come(f, ""), second = come(f, "");
    start_agent(&first);
    start_agent(&second);
    f->agent.size = 0;
    /* 100 of 200 bytes; then somebody else's whole message, which is lost; then the other 100 */
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 200, 100));
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    uint8_t rest[100] = {0};
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            (struct sm_bytes){rest, sizeof(rest)});
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 100 + 8 + 100);
    /* afterwards it has its turn again */
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 100 + 8 + 100 + 8 + 20 + 50);

    /* who leaves amid a message: the agent is told to forget it, the next may speak */
    sm_test_visitor_message(&first.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 200, 100));
    f->agent.size = 0;
    go(&first);
    assert_int_equal(f->agent.size, 8 + 20);
    assert_int_equal(f->agent.written[0], 2); /* from the server itself */
    assert_int_equal(f->agent.written[8 + 4], SM_AGENT_CLIENT_DISCONNECTED);
    sm_test_visitor_message(&second.main, SM_MSGC_MAIN_AGENT_DATA,
                            agent_message(SM_AGENT_CLIPBOARD, 50, 50));
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->agent.size, 8 + 20 + 8 + 20 + 50);
    go(&second);
}

/* ---- sound ---- */

static void play(struct fixture *f, unsigned frames)
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
    struct fixture *f = *state;
    struct sm_test_visitor ears[3];
    struct person people[3];
    int little = 4096;
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    for (int i = 0; i < 3; i++) {
        people[i] = come(f, i == 2 ? "look" : "");
        assert_int_equal(
            open_channel(f, people[i].id, SM_CHANNEL_PLAYBACK, i == 2 ? "look" : "", &ears[i]), 0);
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
        go(&people[i]);
    }
}

/* ---- hosts that know nothing of it ---- */

static SpiceServer *second_server(struct fixture *f, char path[96])
{
    SpiceServer *server = spice_server_new();
    snprintf(path, 96, "%s/second", f->host.folder);
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    spice_server_set_ticket(server, "all", 0, 0, 0);
    assert_int_equal(spice_server_init(server, &f->host.core), 0);
    return server;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_environment_says_how_many_and_who_looks(void **state)
{
    struct fixture *f = *state;
    char path[96], file[80];
    snprintf(file, sizeof(file), "%s/password", f->host.folder);
    write_file(file, "look\nand nothing else\n");
    setenv("SUMAC_CLIENTS", "2", 1);
    setenv("SUMAC_VIEW_PASSWORD_FILE", file, 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SUMAC_CLIENTS");
    unsetenv("SUMAC_VIEW_PASSWORD_FILE");
    struct fixture there = *f;
    there.server = server;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct person owner = come(&there, "all"), viewer = come(&there, "look");
    assert_int_equal(spice_server_get_num_clients(server), 2);
    assert_int_equal(open_channel(&there, viewer.id, SM_CHANNEL_INPUTS, "look", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    go(&viewer);
    write_file(file, "another\r\n"); /* counts from now on */
    assert_int_equal(try_to_come(&there, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(try_to_come(&there, "another"), 0);
    write_file(file, "");
    assert_int_equal(try_to_come(&there, ""), SM_LINK_ERR_PERMISSION_DENIED);
    unlink(file); /* then nobody just looks */
    assert_int_equal(try_to_come(&there, "another"), SM_LINK_ERR_PERMISSION_DENIED);
    go(&owner);
    spice_server_destroy(server);
    unlink(path);
}

/* A viewer that has sent its ticket and waits for what comes of it. */
static struct sm_test_visitor send_password(struct fixture *f, const char *password)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    sm_test_visitor_send_ticket(&visitor, key, password);
    return visitor;
}

/* Lets the one that waits to read the pipe read `text`, and waits until it has. */
static void write_pipe(struct fixture *f, const char *path, const char *text)
{
    struct pollfd reader;
    while ((reader.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
        sm_test_host_run(&f->host, 1); /* nobody reads yet */
    reader.events = 0;
    assert_int_equal(write(reader.fd, text, strlen(text)), strlen(text));
    assert_int_equal(poll(&reader, 1, -1), 1); /* nobody reads any more */
    close(reader.fd);
}

/* Lets go whoever still waits. */
static void remove_pipe(const char *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    assert_int_equal(unlink(path), 0);
}

/* The file is a pipe into which nobody writes: as one on a server that does not answer. */
static void a_file_that_hangs_holds_up_nobody_else(void **state)
{
    struct fixture *f = *state;
    char path[96], file[80];
    snprintf(file, sizeof(file), "%s/password", f->host.folder);
    assert_int_equal(mkfifo(file, 0600), 0);
    setenv("SUMAC_CLIENTS", "3", 1);
    setenv("SUMAC_VIEW_PASSWORD_FILE", file, 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SUMAC_CLIENTS");
    unsetenv("SUMAC_VIEW_PASSWORD_FILE");
    struct fixture there = *f;
    there.server = server;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct sm_test_visitor viewer = send_password(&there, "look");
    struct person owner = come(&there, "all"); /* and the guest goes on */
    assert_int_equal(spice_server_get_num_clients(server), 1);
    write_pipe(&there, file, "look\n");
    assert_int_equal(sm_test_visitor_result(&viewer), 0);
    sm_test_visitor_close(&viewer);

    struct sm_test_visitor stranger = send_password(&there, "guess");
    write_pipe(&there, file, "look\n");
    assert_int_equal(sm_test_visitor_result(&stranger), SM_LINK_ERR_PERMISSION_DENIED);
    sm_test_visitor_close(&stranger);

    /* Nobody waits for it when its client, or the server, has gone. */
    struct sm_test_visitor last = send_password(&there, "look");
    sm_test_visitor_close(&last);
    struct sm_test_visitor left = send_password(&there, "look");
    go(&owner);
    spice_server_destroy(server);
    assert_true(sm_test_visitor_is_closed(&left));
    sm_test_visitor_close(&left);
    remove_pipe(file);
    unlink(path);
}

static void the_reference_s_variable_lets_any_number_in(void **state)
{
    struct fixture *f = *state;
    char path[96];
    setenv("SPICE_DEBUG_ALLOW_MC", "1", 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SPICE_DEBUG_ALLOW_MC");
    struct fixture there = *f;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct person people[5];
    for (int i = 0; i < 5; i++)
        people[i] = come(&there, "all");
    assert_int_equal(spice_server_get_num_clients(server), 5);
    for (int i = 0; i < 5; i++)
        go(&people[i]);
    spice_server_destroy(server);
    unlink(path);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(several_come_and_nobody_is_sent_away),
        T(the_list_of_clients_is_told),
        T(the_second_password_opens_the_door_for_looking),
        T(a_password_for_looking_expires),
        T(a_viewer_has_no_agent_and_no_say),
        T(a_viewer_is_not_told_what_is_copied_in_the_guest),
        T(usb_goes_on_when_its_holder_leaves),
        T(usb_is_handed_over_when_asked),
        T(a_client_asks_for_usb_and_is_given_it),
        T(nobody_gives_what_is_not_theirs),
        T(others_hear_nothing_of_it),
        T(a_wish_that_changes_nothing_is_not_told),
        T(a_client_that_does_not_read_is_told_the_newest_alone),
        T(messages_to_the_agent_do_not_mix),
        T(everybody_hears_and_a_slow_one_harms_nobody),
        T(the_environment_says_how_many_and_who_looks),
        T(a_file_that_hangs_holds_up_nobody_else),
        T(the_reference_s_variable_lets_any_number_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
