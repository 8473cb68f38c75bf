/* SPDX-License-Identifier: MIT */
/*
 * A device that has more to say than a line carries, through the exports of the library: what is on
 * its way stays little, so that keys and pictures on the same line need not stand behind it.
 */
#include "tests/support/check.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/base.h"
#include "core/wire/spicevmc.h"
#include "tests/server/support/visitor.h"

enum {
    BODY_MAX = 66 << 10,
    ALL = 4 << 20, /* more than a queue holds */
    LITTLE = 256 << 10,
    MARK_SIZE = 12, /* of a ping: its number, and what comes back */
};

static const uint8_t RECEIPT[4] = {1, 0, 0, 0x80}; /* the number of these pings */

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    SpiceCharDeviceInstance device;
    uint64_t left, said;
    uint32_t noise;
    struct sm_test_visitor main, usb;
    uint8_t body[BODY_MAX];
    uint64_t heard;          /* of the device's stream */
    unsigned marks;          /* pings that came */
    uint8_t mark[MARK_SIZE]; /* the last */
    unsigned receipts;
    uint64_t received; /* what the last said */
};

static struct fixture *fixture_of(SpiceCharDeviceInstance *device)
{
    return (struct fixture *)(void *)((char *)device - offsetof(struct fixture, device));
}

static int on_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    (void)device;
    (void)data;
    return size;
}

static int on_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    struct fixture *f = fixture_of(device);
    int given = (uint64_t)size < f->left ? size : (int)f->left;
    for (int i = 0; i < given; i++) { /* nothing that could be packed */
        f->noise = f->noise * 1664525 + 1013904223;
        to[i] = (uint8_t)(f->noise >> 24);
    }
    f->left -= (uint64_t)given;
    f->said += (uint64_t)given;
    return given;
}

static const SpiceCharDeviceInterface DEVICE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

/* A socket of the host's, as it is made: one that blocks. */
static int bind_anywhere(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

/* Connects over TCP, which is what is measured. */
static struct sm_test_visitor visit(struct fixture *f, const struct sockaddr_in *address)
{
    struct sm_test_visitor visitor = {.host = &f->host, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(visitor.fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return visitor;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    struct sockaddr_in address;
    f->server = sm_test_host_server(&f->host);
    spice_server_set_listen_socket_fd(f->server, bind_anywhere(&address));
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    spice_server_vm_start(f->server);
    f->device.base.sif = &DEVICE.base;
    f->device.subtype = "usbredir";
    assert_int_equal(spice_server_add_interface(f->server, &f->device.base), 0);
    f->main = visit(f, &address);
    uint32_t id = sm_test_visitor_open_main(&f->main, "");
    f->usb = visit(f, &address);
    assert_int_equal(sm_test_visitor_open(&f->usb, id, SM_CHANNEL_USBREDIR, 0), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sm_test_visitor_close(&f->usb);
    sm_test_visitor_close(&f->main);
    spice_server_remove_interface(&f->device.base);
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    return 0;
}

/* Takes a message; false if the server has nothing more to say. */
static bool hear(struct fixture *f)
{
    uint8_t header[6];
    size_t got = sm_test_visitor_receive(&f->usb, header, sizeof(header));
    if (got == 0)
        return false;
    assert_int_equal(got, sizeof(header));
    unsigned type = header[0] | header[1] << 8;
    size_t size = header[2] | header[3] << 8 | (size_t)header[4] << 16;
    assert_in_range(size, 1, sizeof(f->body));
    assert_int_equal(sm_test_visitor_receive(&f->usb, f->body, size), size);
    if (type == SM_MSG_PING && memcmp(f->body, RECEIPT, sizeof(RECEIPT)) == 0) {
        f->receipts++;
        f->received = f->body[4] | f->body[5] << 8 | (uint64_t)f->body[6] << 16;
    } else if (type == SM_MSG_PING) {
        f->marks++;
        memcpy(f->mark, f->body, sizeof(f->mark));
    } else if (type == SM_MSG_SPICEVMC_DATA) {
        f->heard += size;
    }
    return true;
}

static void answer(struct fixture *f)
{
    sm_test_visitor_message(&f->usb, SM_MSGC_PONG,
                            (struct sm_bytes){.data = f->mark, .size = sizeof(f->mark)});
}

/* As long as nobody has said that anything arrived, little is on its way; then all of it comes. */
static void what_is_not_known_to_have_arrived_stays_little(void **state)
{
    struct fixture *f = *state;
    f->left = ALL;
    spice_server_char_device_wakeup(&f->device);
    assert_in_range(f->said, 64 << 10, LITTLE);
    while (f->heard < ALL) {
        unsigned marks = f->marks;
        while (f->marks == marks && f->heard < ALL)
            assert_true(hear(f));
        answer(f);
    }
    assert_int_equal(f->left, 0);
}

/* Who says little is not bothered. */
static void a_device_of_few_words_is_not_measured(void **state)
{
    struct fixture *f = *state;
    f->left = 32 << 10;
    spice_server_char_device_wakeup(&f->device);
    while (f->heard < 32 << 10)
        assert_true(hear(f));
    sm_test_host_run(&f->host, 20);
    assert_int_equal(f->marks, 0);
}

/* Of what a client sends it is told how much has come, so that it can do likewise. */
static void what_has_come_is_told(void **state)
{
    struct fixture *f = *state;
    static const uint8_t BULK[40000];
    assert_true(hear(f));
    assert_int_equal(f->receipts, 1);
    assert_int_equal(f->received, 0);
    for (unsigned i = 1; i <= 4; i++) {
        sm_test_visitor_message(&f->usb, SM_MSGC_SPICEVMC_DATA,
                                (struct sm_bytes){.data = BULK, .size = sizeof(BULK)});
        while (f->received < i * sizeof(BULK) - 4096)
            assert_true(hear(f));
        assert_in_range(f->received, 0, i * (sizeof(BULK) + 6));
    }
    assert_int_equal(f->marks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_known_to_have_arrived_stays_little, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_device_of_few_words_is_not_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_come_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
