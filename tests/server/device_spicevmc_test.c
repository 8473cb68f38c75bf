/* SPDX-License-Identifier: MIT */
/*
 * Streams of the guest (usbredir, ports, webdav) through the exports of the library, between
 * emulated devices of the host and clients on sockets.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "core/wire/spicevmc.h"
#include "media/libs.h"
#include "tests/server/support/visitor.h"

enum { READ_SIZE = 65568, SINK_SIZE = 1 << 20 };

/* The host's functions in which a device may take itself away. */
enum suicide { NEVER, IN_NOTHING, IN_STATE, IN_WRITE, IN_READ, IN_EVENT };

/* A device whose guest says the numbers 0, 1, 2 … as bytes, `left` in all. */
struct device {
    SpiceCharDeviceInstance instance;
    uint64_t said, left;
    uint8_t text_step; /* 0: the bytes said are all alike */
    uint8_t *to_guest; /* what it was sent: the first SINK_SIZE bytes */
    size_t to_size;    /* all of it */
    size_t room;       /* bytes that the guest takes before it is full */
    unsigned wakes;    /* times it wakes the library from inside its functions */
    enum suicide suicide;
    char states[16]; /* a digit a call */
    char events[16];
    int largest_read;
};

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    uint16_t port; /* 0: a unix socket */
    struct device devices[3];
    struct sm_test_visitor main;
    uint32_t id;
};

static struct device *device_of(SpiceCharDeviceInstance *instance)
{
    return (struct device *)(void *)instance;
}

static void come_back(struct device *device, enum suicide place)
{
    if (device->suicide == place) {
        device->suicide = NEVER;
        spice_server_remove_interface(&device->instance.base);
    } else if (device->wakes > 0) {
        device->wakes--;
        spice_server_char_device_wakeup(&device->instance);
    }
}

static void note(char log[16], unsigned number)
{
    size_t length = strlen(log);
    assert_true(length < 15);
    log[length] = (char)('0' + number);
}

static void on_state(SpiceCharDeviceInstance *instance, int connected)
{
    note(device_of(instance)->states, (unsigned)connected);
    come_back(device_of(instance), connected ? IN_NOTHING : IN_STATE);
}

static int on_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct device *device = device_of(instance);
    size_t taken = (size_t)size < device->room ? (size_t)size : device->room;
    if (device->to_size < SINK_SIZE) {
        size_t kept = SINK_SIZE - device->to_size;
        memcpy(device->to_guest + device->to_size, data, taken < kept ? taken : kept);
    }
    device->to_size += taken;
    device->room -= taken;
    come_back(device, IN_WRITE);
    return (int)taken;
}

static int on_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct device *device = device_of(instance);
    if (size > device->largest_read)
        device->largest_read = size;
    if (device->left == 0)
        return 0;
    int given = (uint64_t)size < device->left ? size : (int)device->left;
    for (int i = 0; i < given; i++)
        to[i] = (uint8_t)((device->said + (uint64_t)i) * device->text_step);
    device->said += (uint64_t)given;
    device->left -= (uint64_t)given;
    come_back(device, IN_READ);
    return given;
}

static void on_event(SpiceCharDeviceInstance *instance, uint8_t event)
{
    note(device_of(instance)->events, event);
    come_back(device_of(instance), IN_EVENT);
}

#define INTERFACE(the_flags)                                                                       \
    {                                                                                              \
        .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,                                              \
                 .description = "stream",                                                          \
                 .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,                               \
                 .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},                              \
        .state = on_state, .write = on_write, .read = on_read, .event = on_event,                  \
        .flags = the_flags                                                                         \
    }
static const SpiceCharDeviceInterface TELLS = INTERFACE(SPICE_CHAR_DEVICE_NOTIFY_WRITABLE);
static const SpiceCharDeviceInterface IS_ASKED = INTERFACE(0);

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static struct fixture *make(bool is_tcp)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    if (is_tcp) {
        f->port = free_port();
        spice_server_set_addr(f->server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
        assert_int_equal(spice_server_set_port(f->server, f->port), 0);
    }
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    spice_server_vm_start(f->server);
    for (unsigned i = 0; i < 3; i++) {
        struct device *device = &f->devices[i];
        device->instance.base.sif = &TELLS.base;
        device->room = SIZE_MAX;
        device->text_step = 1;
        device->to_guest = malloc(SINK_SIZE);
        assert_non_null(device->to_guest);
    }
    f->main.fd = -1;
    return f;
}

static int setup(void **state)
{
    *state = make(false);
    return 0;
}

static int setup_tcp(void **state)
{
    *state = make(true);
    return 0;
}

static void remove_device(struct device *device)
{
    if (device->instance.st)
        spice_server_remove_interface(&device->instance.base);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++)
        remove_device(&f->devices[i]);
    if (f->main.fd >= 0)
        sm_test_visitor_close(&f->main);
    spice_server_destroy(f->server);
    assert_int_equal(f->host.connected, f->host.disconnected);
    sm_test_host_finish(&f->host);
    for (unsigned i = 0; i < 3; i++)
        free(f->devices[i].to_guest);
    free(f);
    sm_test_free_copies();
    return 0;
}

static struct device *add(struct fixture *f, unsigned at, const char *subtype, const char *name)
{
    struct device *device = &f->devices[at];
    device->instance.subtype = subtype;
    device->instance.portname = name;
    assert_int_equal(spice_server_add_interface(f->server, &device->instance.base), 0);
    assert_non_null(device->instance.st);
    return device;
}

static struct sm_test_visitor visit(struct fixture *f)
{
    if (f->port == 0)
        return sm_test_visitor(&f->host, f->host.path);
    struct sm_test_visitor visitor = {.host = &f->host, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(f->port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(visitor.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return visitor;
}

/* A client's channel of a device; its session is opened with the first. */
static struct sm_test_visitor open_channel(struct fixture *f, uint8_t type, uint8_t id)
{
    if (f->main.fd < 0) {
        f->main = visit(f);
        f->id = sm_test_visitor_open_main(&f->main, "");
    }
    struct sm_test_visitor visitor = visit(f);
    assert_int_equal(sm_test_visitor_open(&visitor, f->id, type, id), 0);
    return visitor;
}

static void send_data(struct sm_test_visitor *visitor, const char *words)
{
    sm_test_visitor_message(
        visitor, SM_MSGC_SPICEVMC_DATA,
        (struct sm_bytes){.data = (const uint8_t *)words, .size = strlen(words)});
}

static void check_to_guest(const struct device *device, const char *expected)
{
    sm_check_bytes(
        ((struct sm_bytes){.data = device->to_guest, .size = device->to_size}),
        ((struct sm_bytes){.data = (const uint8_t *)expected, .size = strlen(expected)}));
}

/* ---- tests ---- */

static void each_device_has_the_lowest_free_id_of_its_type(void **state)
{
    struct fixture *f = *state;
    add(f, 0, "usbredir", NULL);
    add(f, 1, "usbredir", NULL);
    f->main = visit(f);
    f->id = sm_test_visitor_open_main(&f->main, "");
    uint8_t list[32] = {0};
    sm_test_visitor_message(&f->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    assert_int_equal(sm_test_visitor_await(&f->main, SM_MSG_MAIN_CHANNELS_LIST, list, 10), 10);
    assert_memory_equal(list, "\3\0\0\0\x9\1\x9\0\3\0", 10); /* newest first */

    spice_server_remove_interface(&f->devices[0].instance.base);
    add(f, 0, "usbredir", NULL);
    assert_true(sm_test_visitor_await(&f->main, SM_MSG_MAIN_CHANNELS_LIST, list, 10) >= 6);
    add(f, 2, "port", "org.spice-space.webdav.0");
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    struct sm_test_visitor webdav = open_channel(f, SM_CHANNEL_WEBDAV, 0);
    assert_string_equal(f->devices[0].states, "1");
    assert_string_equal(f->devices[1].states, "");
    assert_string_equal(f->devices[2].states, "1");
    sm_test_visitor_close(&usb);
    sm_test_visitor_close(&webdav);
    assert_string_equal(f->devices[0].states, "10");
    assert_string_equal(f->devices[2].states, "10");
}

static void a_port_says_its_name_and_talks_both_ways(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "port", "org.sumac.test.0");
    spice_server_port_event(&device->instance, SM_PORT_EVENT_OPENED);
    device->left = 300;
    device->wakes = 2;
    spice_server_char_device_wakeup(&device->instance);
    assert_int_equal(device->said, 0); /* nobody is there to listen */

    struct sm_test_visitor port = open_channel(f, SM_CHANNEL_PORT, 0);
    uint8_t init[9 + 17], data[300], event;
    assert_int_equal(sm_test_visitor_await(&port, SM_MSG_SPICEVMC_PORT_INIT, init, sizeof(init)),
                     sizeof(init));
    assert_memory_equal(init, "\x11\0\0\0\x9\0\0\0\1org.sumac.test.0", sizeof(init));
    assert_int_equal(sm_test_visitor_await(&port, SM_MSG_SPICEVMC_DATA, data, sizeof(data)), 300);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(data[i], (uint8_t)i);

    device->wakes = 2;
    send_data(&port, "hello, ");
    send_data(&port, "guest");
    check_to_guest(device, "hello, guest");
    sm_test_visitor_message(&port, SM_MSGC_SPICEVMC_PORT_EVENT, sm_test_hex("02"));
    assert_string_equal(device->events, "2");
    spice_server_port_event(&device->instance, SM_PORT_EVENT_CLOSED);
    assert_int_equal(sm_test_visitor_await(&port, SM_MSG_SPICEVMC_PORT_EVENT, &event, 1), 1);
    assert_int_equal(event, SM_PORT_EVENT_CLOSED);
    sm_test_visitor_close(&port);
    assert_string_equal(device->states, "10");

    port = open_channel(f, SM_CHANNEL_PORT, 0); /* once more: it is closed now */
    sm_test_visitor_await(&port, SM_MSG_SPICEVMC_PORT_INIT, init, sizeof(init));
    assert_int_equal(init[8], 0);
    sm_test_visitor_close(&port);
    assert_string_equal(device->states, "1010");
}

static void a_channel_serves_one_client(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor first = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    struct sm_test_visitor second = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    assert_true(sm_test_visitor_is_closed(&second));
    sm_test_visitor_close(&second);
    send_data(&first, "still here");
    check_to_guest(device, "still here");
    assert_string_equal(device->states, "1");
    sm_test_visitor_close(&first);
}

static void pieces_are_packed_on_the_network(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    device->text_step = 0;
    device->left = READ_SIZE;
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    uint8_t packed[4096], *piece = malloc(READ_SIZE);
    assert_non_null(piece);
    size_t size =
        sm_test_visitor_await(&usb, SM_MSG_SPICEVMC_COMPRESSED_DATA, packed, sizeof(packed));
    assert_in_range(size, 6, sizeof(packed));
    assert_memory_equal(packed, "\1\x20\0\1\0", 5); /* LZ4, 65568 bytes */
    size_t made = 0;
    sm_check_status(sm_media_lz4.decode(NULL,
                                        (struct sm_bytes){.data = packed + 5, .size = size - 5},
                                        piece, 0, READ_SIZE, &made),
                    SM_OK);
    assert_int_equal(made, READ_SIZE);
    assert_int_equal(device->largest_read, READ_SIZE);
    free(piece);

    device->left = 1000; /* not worth it */
    spice_server_char_device_wakeup(&device->instance);
    assert_int_equal(sm_test_visitor_await(&usb, SM_MSG_SPICEVMC_DATA, packed, 1), 1000);

    struct sm_bytes nine = sm_test_hex("01 09000000 90 616263646566676869");
    sm_test_visitor_message(&usb, SM_MSGC_SPICEVMC_COMPRESSED_DATA, nine);
    check_to_guest(device, "abcdefghi");
    sm_test_visitor_close(&usb);
}

static void a_full_guest_stops_the_client(void **state)
{
    enum { BODY = 16000, MESSAGES = 512 };
    struct fixture *f = *state;
    static uint8_t message[6 + BODY] = {SM_MSGC_SPICEVMC_DATA, 0, BODY & 255, BODY >> 8};
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    device->room = 0;
    size_t sent = 0, idle = 0;
    while (sent < MESSAGES * sizeof(message)) {
        size_t at = sent % sizeof(message);
        if (at == 0)
            memset(message + 6, (int)(sent / sizeof(message)), BODY);
        ssize_t put = send(usb.fd, message + at, sizeof(message) - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += put > 0 ? (size_t)put : 0;
        idle = put > 0 ? 0 : idle + 1;
        sm_epoll_loop_run_once(f->host.loop, 0);
        if (idle == 200 && device->room == 0) {
            /* 1 MiB in the device's queue, then what machine, pump and sockets hold */
            assert_in_range(sent, 1 << 20, 3 << 20);
            device->room = SIZE_MAX;
            spice_server_char_device_wakeup(&device->instance);
        }
        assert_true(idle < 2000);
    }
    sm_test_host_run(&f->host, 20);
    assert_int_equal(device->to_size, (size_t)BODY * MESSAGES);
    for (size_t i = 0; i < SINK_SIZE; i++)
        assert_int_equal(device->to_guest[i], (uint8_t)(i / BODY));
    sm_test_visitor_close(&usb);
}

static void small_messages_cost_a_token_each(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    device->room = 100;
    for (unsigned i = 0; i < 400; i++)
        send_data(&usb, i % 2 ? "b" : "a");
    assert_int_equal(device->to_size, 100);
    for (unsigned i = 0; i < 3; i++) {
        device->room = 100;
        spice_server_char_device_wakeup(&device->instance);
        sm_test_host_run(&f->host, 5);
        assert_int_equal(device->to_size, 200 + 100 * i);
    }
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(device->to_guest[i], i % 2 ? 'b' : 'a');
    sm_test_visitor_close(&usb);
}

static void a_client_that_does_not_read_stops_the_guest(void **state)
{
    enum { ALL = 8 << 20 };
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    device->left = ALL;
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    sm_test_host_run(&f->host, 20);
    assert_in_range(device->said, 1 << 20, 3 << 20);
    uint64_t got = 0;
    static uint8_t body[READ_SIZE];
    while (got < ALL) {
        uint8_t header[6];
        assert_int_equal(sm_test_visitor_receive(&usb, header, 6), 6);
        size_t size = header[2] | header[3] << 8 | header[4] << 16;
        assert_in_range(size, 1, READ_SIZE);
        assert_int_equal(sm_test_visitor_receive(&usb, body, size), size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(body[i], (uint8_t)(got + i));
        got += size;
    }
    assert_int_equal(device->left, 0);
    sm_test_visitor_close(&usb);
}

static void a_client_that_leaves_leaves_no_words_behind(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    device->room = 2;
    send_data(&usb, "begun");
    send_data(&usb, "waits");
    sm_test_visitor_close(&usb);
    assert_string_equal(device->states, "10");
    device->room = SIZE_MAX;
    spice_server_char_device_wakeup(&device->instance);
    check_to_guest(device, "begun");
    usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    send_data(&usb, " next");
    check_to_guest(device, "begun next");
    sm_test_visitor_close(&usb);
}

static void what_a_client_leaves_half_written_does_not_block_the_next(void **state)
{
    enum { BIG = 2 << 20 }; /* more than may wait in the device */
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    uint8_t *message = calloc(1, 6 + BIG);
    assert_non_null(message);
    message[0] = SM_MSGC_SPICEVMC_DATA;
    message[4] = BIG >> 16;
    device->room = 2;
    sm_test_visitor_send(&usb, message, 6 + BIG);
    sm_test_host_run(&f->host, 5);
    free(message);
    assert_int_equal(device->to_size, 2);
    sm_test_visitor_close(&usb);
    usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    send_data(&usb, " next");
    device->room = SIZE_MAX;
    spice_server_char_device_wakeup(&device->instance);
    sm_test_host_run(&f->host, 20);
    assert_int_equal(device->to_size, BIG + 5);
    sm_test_visitor_close(&usb);
}

static void hosts_that_do_not_tell_are_asked_again(void **state)
{
    struct fixture *f = *state;
    f->devices[0].instance.base.sif = &IS_ASKED.base;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    device->room = 2;
    send_data(&usb, "patience");
    check_to_guest(device, "pa");
    device->room = SIZE_MAX;
    sm_test_host_run(&f->host, 150); /* each 100 ms */
    check_to_guest(device, "patience");
    sm_test_visitor_close(&usb);
}

static void a_stopped_machine_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
    spice_server_vm_stop(f->server);
    device->left = 10;
    spice_server_char_device_wakeup(&device->instance);
    send_data(&usb, "later");
    assert_int_equal(device->said, 0);
    assert_int_equal(device->to_size, 0);
    spice_server_vm_start(f->server);
    check_to_guest(device, "later");
    assert_int_equal(sm_test_visitor_await(&usb, SM_MSG_SPICEVMC_DATA, NULL, 0), 10);
    sm_test_visitor_close(&usb);
}

static void who_breaks_the_protocol_loses_the_channel_alone(void **state)
{
    static const struct {
        uint16_t type;
        const char *body;
    } wrong[] = {
        {SM_MSGC_SPICEVMC_COMPRESSED_DATA, "01 0a000000 90 616263646566676869"},
        {SM_MSGC_SPICEVMC_COMPRESSED_DATA, "00 61"},
        {SM_MSGC_SPICEVMC_PORT_EVENT, "01"}, /* a usbredir channel has none */
        {999, "00"},
    };
    struct fixture *f = *state;
    struct device *device = add(f, 0, "usbredir", NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_test_visitor usb = open_channel(f, SM_CHANNEL_USBREDIR, 0);
        sm_test_visitor_message(&usb, wrong[i].type, sm_test_hex(wrong[i].body));
        assert_true(sm_test_visitor_is_closed(&usb));
        sm_test_visitor_close(&usb);
    }
    assert_string_equal(device->states, "10101010");
    assert_false(sm_test_visitor_is_closed(&f->main) && f->main.fd < 0);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_int_equal(device->to_size, 0);
}

static void a_device_that_goes_takes_its_channel_along(void **state)
{
    struct fixture *f = *state;
    struct device *device = add(f, 0, "port", "org.sumac.test.0");
    for (unsigned i = 0; i < 2; i++) {
        struct sm_test_visitor port = open_channel(f, SM_CHANNEL_PORT, 0);
        send_data(&port, "x");
        spice_server_remove_interface(&device->instance.base);
        assert_null(device->instance.st);
        assert_string_equal(device->states, i ? "1010" : "10");
        uint8_t byte;
        while (sm_test_visitor_receive(&port, &byte, 1) == 1) /* PORT_INIT */
            ;
        assert_true(sm_test_visitor_is_closed(&port));
        sm_test_visitor_close(&port);
        struct sm_test_visitor again = visit(f); /* no such channel any more */
        assert_int_equal(sm_test_visitor_hello(&again, f->id, SM_CHANNEL_PORT, 0, NULL),
                         SM_TEST_SILENCE);
        sm_test_visitor_close(&again);
        add(f, 0, "port", "org.sumac.test.0");
    }
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    check_to_guest(device, "xx");
}

static void a_device_may_go_from_inside_its_own_functions(void **state)
{
    struct fixture *f = *state;
    for (enum suicide place = IN_STATE; place <= IN_EVENT; place++) {
        struct device *device = add(f, 0, "port", "org.sumac.test.0");
        memset(device->states, 0, sizeof(device->states));
        struct sm_test_visitor port = open_channel(f, SM_CHANNEL_PORT, 0);
        device->suicide = place;
        device->left = 1;
        if (place == IN_READ)
            spice_server_char_device_wakeup(&device->instance);
        if (place == IN_WRITE)
            send_data(&port, "x");
        if (place == IN_EVENT)
            sm_test_visitor_message(&port, SM_MSGC_SPICEVMC_PORT_EVENT, sm_test_hex("00"));
        sm_test_visitor_close(&port);
        assert_null(device->instance.st);
        assert_int_equal(device->suicide, NEVER);
    }
    struct device *device = add(f, 0, "port", "org.sumac.test.0");
    struct sm_test_visitor port = open_channel(f, SM_CHANNEL_PORT, 0);
    device->suicide = IN_STATE; /* when it hears that it is closed, because it is being removed */
    spice_server_remove_interface(&device->instance.base);
    assert_null(device->instance.st);
    sm_test_visitor_close(&port);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_device_has_the_lowest_free_id_of_its_type),
        T(a_port_says_its_name_and_talks_both_ways),
        T(a_channel_serves_one_client),
        cmocka_unit_test_setup_teardown(pieces_are_packed_on_the_network, setup_tcp, teardown),
        T(a_full_guest_stops_the_client),
        T(small_messages_cost_a_token_each),
        T(a_client_that_does_not_read_stops_the_guest),
        T(a_client_that_leaves_leaves_no_words_behind),
        T(what_a_client_leaves_half_written_does_not_block_the_next),
        T(hosts_that_do_not_tell_are_asked_again),
        T(a_stopped_machine_is_left_alone),
        T(who_breaks_the_protocol_loses_the_channel_alone),
        T(a_device_that_goes_takes_its_channel_along),
        T(a_device_may_go_from_inside_its_own_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
