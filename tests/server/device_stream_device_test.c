/* SPDX-License-Identifier: MIT */
/* A screen that the guest encodes itself, through the exports of the library. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/cursor.h"
#include "core/wire/display.h"
#include "core/wire/main.h"
#include "tests/server/support/visitor.h"

enum { OPENED = 0, CLOSED = 1, HEARD_SIZE = 4096 };

/* The guest's side of the port. */
struct fixture {
    SpiceCharDeviceInstance instance; /* first: interfaces have no context */
    struct sm_test_host host;
    SpiceServer *server;
    const uint8_t *says;
    size_t says_size, piece;
    uint8_t heard[HEARD_SIZE];
    size_t heard_size;
    char states[16];
    bool dies_in_read;
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
    size_t length = strlen(states);
    assert_true(length < sizeof(fixture_of(instance)->states) - 1);
    states[length] = (char)('0' + connected);
}

static int on_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct fixture *f = fixture_of(instance);
    assert_true(f->heard_size + (size_t)size <= HEARD_SIZE);
    memcpy(f->heard + f->heard_size, data, (size_t)size);
    f->heard_size += (size_t)size;
    return size;
}

static int on_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct fixture *f = fixture_of(instance);
    size_t given = f->says_size < (size_t)size ? f->says_size : (size_t)size;
    given = given < f->piece ? given : f->piece;
    if (f->dies_in_read)
        spice_server_remove_interface(&f->instance.base);
    if (given == 0)
        return 0;
    memcpy(to, f->says, given);
    f->says += given;
    f->says_size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface PORT = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = on_state,
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    spice_server_vm_start(f->server);
    f->piece = SIZE_MAX;
    f->instance.base.sif = &PORT.base;
    f->instance.subtype = "port";
    f->instance.portname = "org.spice-space.stream.0";
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
    return 0;
}

static void say(struct fixture *f, const char *hex)
{
    struct sm_bytes bytes = sm_test_hex(hex);
    f->says = bytes.data;
    f->says_size = bytes.size;
    spice_server_char_device_wakeup(&f->instance);
}

/* What the guest has heard since the last time. */
static void check_heard(struct fixture *f, const char *hex)
{
    struct sm_bytes expected = sm_test_hex(hex);
    sm_test_host_run(&f->host, 2);
    sm_check_bytes(((struct sm_bytes){f->heard, f->heard_size}), expected);
    f->heard_size = 0;
}

static void open_port(struct fixture *f)
{
    spice_server_port_event(&f->instance, OPENED);
    check_heard(f, "0100 0100 01000000 00"); /* CAPABILITIES */
}

/* A client of the display, which has said INIT. */
static struct sm_test_visitor watch(struct fixture *f)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&visitor, f->id, SM_CHANNEL_DISPLAY, 0), 0);
    sm_test_visitor_message(&visitor, SM_MSGC_DISPLAY_INIT,
                            sm_test_hex("01 0000100000000000 01 00001000"));
    sm_test_visitor_await(&visitor, SM_MSG_DISPLAY_INVAL_ALL_PALETTES, NULL, 0);
    return visitor;
}

#define FORMAT "0100 0200 0c000000 40010000 f0000000 01 000000" /* 320 x 240, MJPEG */
#define START  "0100 0400 02000000 01 01"                       /* for clients that know MJPEG */
#define STOP   "0100 0400 01000000 00"

static void the_channels_appear_when_the_guest_opens_its_port(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(f->states, "1");
    say(f, FORMAT);
    assert_true(f->says_size > 0); /* nothing is read before */
    f->says_size = 0;
    sm_test_visitor_message(&f->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    sm_test_visitor_await(&f->main, SM_MSG_MAIN_CHANNELS_LIST, NULL, 0);
    open_port(f);
    uint8_t list[6];
    sm_test_visitor_await(&f->main, SM_MSG_MAIN_CHANNELS_LIST, list, sizeof(list));
    assert_int_equal(list[0], 1);
    assert_int_equal(list[4], SM_CHANNEL_DISPLAY);
    sm_test_visitor_await(&f->main, SM_MSG_MAIN_CHANNELS_LIST, list, sizeof(list));
    assert_int_equal(list[4], SM_CHANNEL_CURSOR);
}

static void frames_reach_a_client_in_a_stream_of_the_guests_format(void **state)
{
    struct fixture *f = *state;
    open_port(f);
    f->piece = 3;
    struct sm_test_visitor display = watch(f);
    check_heard(f, START);
    say(f, FORMAT "0100 0300 04000000 deadbeef");
    uint8_t body[64];
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_SURFACE_CREATE, body, 20);
    sm_check_bytes(((struct sm_bytes){body, 16}),
                   sm_test_hex("00000000 40010000 f0000000 20000000"));
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_MARK, NULL, 0);
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_STREAM_CREATE, body, sizeof(body));
    assert_int_equal(body[4], 1); /* the stream's id */
    assert_int_equal(body[9], SM_VIDEO_CODEC_MJPEG);
    size_t size = sm_test_visitor_await(&display, SM_MSG_DISPLAY_STREAM_DATA, body, sizeof(body));
    assert_int_equal(size, 16);
    sm_check_bytes(((struct sm_bytes){body + 8, 8}), sm_test_hex("04000000 deadbeef"));
    /* The same size again: the surface stays. */
    say(f, FORMAT);
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_STREAM_DESTROY, body, 4);
    assert_int_equal(body[0], 1);
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_STREAM_CREATE, body, sizeof(body));
    assert_int_equal(body[4], 2);
    say(f, "0100 0200 0c000000 80020000 f0000000 01 000000");
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_SURFACE_DESTROY, NULL, 0);
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_SURFACE_CREATE, NULL, 0);
    sm_test_visitor_close(&display);
    check_heard(f, STOP);
}

static void the_guest_hears_who_is_there(void **state)
{
    struct fixture *f = *state;
    open_port(f);
    struct sm_test_visitor display = watch(f);
    check_heard(f, START);
    spice_server_port_event(&f->instance, CLOSED);
    check_heard(f, "");
    spice_server_port_event(&f->instance, OPENED);
    check_heard(f, "0100 0100 01000000 00" START);
    sm_test_visitor_close(&display);
    check_heard(f, STOP);
}

static void shapes_and_moves_go_to_the_cursor_channel(void **state)
{
    struct fixture *f = *state;
    open_port(f);
    struct sm_test_visitor cursor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&cursor, f->id, SM_CHANNEL_CURSOR, 0), 0);
    sm_test_visitor_await(&cursor, SM_MSG_CURSOR_INIT, NULL, 0);
    say(f, "0100 0600 10000000 0100 0100 0000 0000 00 000000 11223344"
           "0100 0700 08000000 05000000 06000000");
    uint8_t body[64];
    size_t size = sm_test_visitor_await(&cursor, SM_MSG_CURSOR_SET, body, sizeof(body));
    assert_memory_equal(body + size - 4, sm_test_hex("11223344").data, 4);
    sm_test_visitor_await(&cursor, SM_MSG_CURSOR_MOVE, body, sizeof(body));
    assert_int_equal(body[0], 5);
    assert_int_equal(body[2], 6);
    sm_test_visitor_close(&cursor);
}

static void
nonsense_is_answered_and_then_not_listened_to_until_the_port_is_opened_anew(void **state)
{
    struct fixture *f = *state;
    open_port(f);
    say(f, "0100 0200 01000000" FORMAT FORMAT);
    check_heard(f, "0100 0500 23000000 00000000"
                   "57726f6e672073697a6520666f722053747265616d4d7367466f726d617400");
    assert_int_equal(f->says_size, 0);     /* the rest is read and lost */
    assert_string_equal(f->states, "110"); /* born, opened, and, later, closed */
    struct sm_test_visitor display = watch(f);
    say(f, FORMAT);
    sm_test_host_run(&f->host, 2);
    spice_server_port_event(&f->instance, CLOSED);
    f->heard_size = 0;
    spice_server_port_event(&f->instance, OPENED);
    say(f, FORMAT);
    sm_test_visitor_await(&display, SM_MSG_DISPLAY_STREAM_CREATE, NULL, 0);
    sm_test_visitor_close(&display);
}

static void a_device_may_go_inside_of_its_own_functions(void **state)
{
    struct fixture *f = *state;
    open_port(f);
    struct sm_test_visitor display = watch(f);
    f->dies_in_read = true;
    say(f, FORMAT);
    sm_test_host_run(&f->host, 2);
    assert_null(f->instance.st);
    sm_test_visitor_close(&display);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_channels_appear_when_the_guest_opens_its_port),
        T(frames_reach_a_client_in_a_stream_of_the_guests_format),
        T(the_guest_hears_who_is_there),
        T(shapes_and_moves_go_to_the_cursor_channel),
        T(nonsense_is_answered_and_then_not_listened_to_until_the_port_is_opened_anew),
        T(a_device_may_go_inside_of_its_own_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
