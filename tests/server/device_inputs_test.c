/* SPDX-License-Identifier: MIT */
/* The inputs channel: from a client's socket to the host's keyboard, mouse and tablet. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "server/device/pointer.h"
#include "tests/server/support/visitor.h"

/* What the host's devices were told, as text. */
struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    SpiceKbdInstance keyboard;
    SpiceMouseInstance mouse;
    char told[512];
    uint8_t lamps;
    struct sm_test_visitor main, inputs;
};

static struct fixture *current;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    size_t size = strlen(current->told);
    va_list args;
    va_start(args, format);
    vsnprintf(current->told + size, sizeof(current->told) - size, format, args);
    va_end(args);
}

static void push(SpiceKbdInstance *instance, uint8_t byte)
{
    (void)instance;
    tell("%02x ", byte);
}

static uint8_t lamps(SpiceKbdInstance *instance)
{
    (void)instance;
    return current->lamps;
}

static void motion(SpiceMouseInstance *instance, int dx, int dy, int dz, uint32_t buttons)
{
    (void)instance;
    tell("motion %d %d %d %x ", dx, dy, dz, buttons);
}

static void buttons(SpiceMouseInstance *instance, uint32_t state)
{
    (void)instance;
    tell("buttons %x ", state);
}

static const SpiceKbdInterface KEYBOARD = {
    .base = {.type = SPICE_INTERFACE_KEYBOARD, .major_version = 1, .minor_version = 1},
    .push_scan_freg = push,
    .get_leds = lamps,
};

static const SpiceMouseInterface MOUSE = {
    .base = {.type = SPICE_INTERFACE_MOUSE, .major_version = 1, .minor_version = 1},
    .motion = motion,
    .buttons = buttons,
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    current = f;
    f->lamps = SM_KEYBOARD_MODIFIER_NUM_LOCK;
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    f->keyboard.base.sif = &KEYBOARD.base;
    f->mouse.base.sif = &MOUSE.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->keyboard.base), 0);
    assert_int_equal(spice_server_add_interface(f->server, &f->mouse.base), 0);
    f->main = sm_test_visitor(&f->host, f->host.path);
    uint32_t id = sm_test_visitor_open_main(&f->main, "");
    f->inputs = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&f->inputs, id, SM_CHANNEL_INPUTS, 0), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sm_test_visitor_close(&f->inputs);
    sm_test_visitor_close(&f->main);
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

static void send_input(struct fixture *f, uint16_t type, const char *hex)
{
    sm_test_visitor_message(&f->inputs, type, sm_test_hex(hex));
}

static void check_told(struct fixture *f, const char *expected)
{
    assert_string_equal(f->told, expected);
    f->told[0] = '\0';
}

static void a_channel_begins_with_the_lamps_and_warns_of_plain_keys(void **state)
{
    struct fixture *f = *state;
    uint8_t modifiers[2], notice[64] = {0};
    assert_int_equal(sm_test_visitor_await(&f->inputs, SM_MSG_INPUTS_INIT, modifiers, 2), 2);
    assert_int_equal(modifiers[0], SM_KEYBOARD_MODIFIER_NUM_LOCK);
    sm_test_visitor_await(&f->main, SM_MSG_NOTIFY, notice, sizeof(notice));
    assert_string_equal((char *)notice + 24, "keyboard channel is insecure");
}

static void keys_reach_the_guest(void **state)
{
    struct fixture *f = *state;
    send_input(f, SM_MSGC_INPUTS_KEY_DOWN, "1e000000");
    send_input(f, SM_MSGC_INPUTS_KEY_UP, "9e000000");
    send_input(f, SM_MSGC_INPUTS_KEY_DOWN, "e04d0000");
    send_input(f, SM_MSGC_INPUTS_KEY_SCANCODE, "1d2eae9d");
    check_told(f, "1e 9e e0 4d 1d 2e ae 9d ");
    /* What is held, e0 4d, is let go when the client goes. */
    sm_test_visitor_close(&f->inputs);
    check_told(f, "e0 cd ");
}

static void wanted_locks_are_pressed_and_the_guests_word_counts(void **state)
{
    struct fixture *f = *state;
    uint8_t modifiers[2];
    send_input(f, SM_MSGC_INPUTS_KEY_MODIFIERS, "0600"); /* num is on already */
    check_told(f, "3a ba ");
    assert_int_equal(spice_server_kbd_leds(&f->keyboard, SM_KEYBOARD_MODIFIER_CAPS_LOCK), 0);
    sm_test_visitor_await(&f->inputs, SM_MSG_INPUTS_KEY_MODIFIERS, modifiers, 2);
    assert_int_equal(modifiers[0], SM_KEYBOARD_MODIFIER_CAPS_LOCK);
}

static void motion_and_buttons_reach_the_mouse_in_its_numbering(void **state)
{
    struct fixture *f = *state;
    send_input(f, SM_MSGC_INPUTS_MOUSE_MOTION, "05000000 fdffffff 0000");
    check_told(f, "motion 5 -3 0 0 ");
    send_input(f, SM_MSGC_INPUTS_MOUSE_PRESS, "01 0100");
    send_input(f, SM_MSGC_INPUTS_MOUSE_RELEASE, "01 0000");
    check_told(f, "motion 0 0 0 1 buttons 0 ");
    send_input(f, SM_MSGC_INPUTS_MOUSE_PRESS, "04 0800"); /* the wheel, up */
    send_input(f, SM_MSGC_INPUTS_MOUSE_PRESS, "05 1000"); /* and down */
    check_told(f, "motion 0 0 -1 0 motion 0 0 1 0 ");
    send_input(f, SM_MSGC_INPUTS_MOUSE_POSITION, "01000000 02000000 0000 00"); /* wrong mode */
    check_told(f, "");
    assert_int_equal(sm_pointer_buttons(0x01), 0x01);
    assert_int_equal(sm_pointer_buttons(0x02), 0x04);
    assert_int_equal(sm_pointer_buttons(0x04), 0x02);
    assert_int_equal(sm_pointer_buttons(0x18), 0x00);
    assert_int_equal(sm_pointer_buttons(0x20), 0x40);
    assert_int_equal(sm_pointer_buttons(0x40), 0x80);
}

static void every_fourth_motion_is_acknowledged(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++)
        send_input(f, SM_MSGC_INPUTS_MOUSE_MOTION, "01000000 01000000 0000");
    assert_int_equal(sm_test_visitor_await(&f->inputs, SM_MSG_INPUTS_MOUSE_MOTION_ACK, NULL, 0), 0);
}

static void nonsense_ends_only_the_inputs_channel(void **state)
{
    struct fixture *f = *state;
    send_input(f, SM_MSGC_INPUTS_MOUSE_MOTION, "01");
    sm_test_host_run(&f->host, 5);
    uint8_t rest[64];
    sm_test_visitor_receive(&f->inputs, rest, sizeof(rest));
    assert_true(sm_test_visitor_is_closed(&f->inputs));
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_channel_begins_with_the_lamps_and_warns_of_plain_keys),
        T(keys_reach_the_guest),
        T(wanted_locks_are_pressed_and_the_guests_word_counts),
        T(motion_and_buttons_reach_the_mouse_in_its_numbering),
        T(every_fourth_motion_is_acknowledged),
        T(nonsense_ends_only_the_inputs_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
