/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include "core/channel/inputs/client.h"
#include "core/channel/inputs/server.h"
#include "tests/support/failmalloc.h"

static struct sm_inputs_client *new_client(bool has_scancodes)
{
    struct sm_inputs_client_config config = {
        .setup = {.has_mini_header = true,
                  .channel_caps = has_scancodes ? 1u << SM_INPUTS_CAP_KEY_SCANCODE : 0}};
    struct sm_inputs_client *client = NULL;
    sm_check_status(sm_inputs_client_create(&client, &config, 0), SM_OK);
    return client;
}

static struct sm_inputs_server *new_server(void)
{
    struct sm_inputs_server_config config = {.setup = {.has_mini_header = true}, .modifiers = 2};
    struct sm_inputs_server *server = NULL;
    sm_check_status(sm_inputs_server_create(&server, &config, 0), SM_OK);
    return server;
}

static void keys_and_clicks_are_the_bytes_of_the_examples(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(false);
    struct sm_machine machine = sm_inputs_client_machine(client);
    sm_check_status(sm_inputs_client_key(client, 0x1e, true), SM_OK);
    sm_check_pending(machine, "6500 04000000 1e000000");
    sm_check_status(sm_inputs_client_key(client, 0x1e, false), SM_OK);
    sm_check_pending(machine, "6600 04000000 9e000000");
    sm_check_status(sm_inputs_client_key(client, 0x14d, true), SM_OK);
    sm_check_pending(machine, "6500 04000000 e04d0000");
    sm_check_status(sm_inputs_client_key(client, 0x14d, false), SM_OK);
    sm_check_pending(machine, "6600 04000000 e0cd0000");
    sm_check_status(sm_inputs_client_key(client, SM_INPUTS_KEY_PAUSE, true), SM_OK);
    sm_check_pending(machine, "6500 04000000 e11d0000 6500 04000000 45000000");
    sm_check_status(sm_inputs_client_key(client, SM_INPUTS_KEY_PAUSE, false), SM_OK);
    sm_check_pending(machine, "6600 04000000 e19d0000 6600 04000000 c5000000");
    sm_check_status(sm_inputs_client_position(client, 320, 240, 0), SM_OK);
    sm_check_pending(machine, "7000 0b000000 40010000 f0000000 0000 00");
    sm_check_status(sm_inputs_client_button(client, SM_MOUSE_BUTTON_LEFT, true), SM_OK);
    sm_check_pending(machine, "7100 03000000 01 0100");
    sm_check_status(sm_inputs_client_button(client, SM_MOUSE_BUTTON_LEFT, false), SM_OK);
    sm_check_pending(machine, "7200 03000000 01 0000");
    sm_check_status(sm_inputs_client_modifiers(client, 6), SM_OK);
    sm_check_pending(machine, "6700 02000000 0600");
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void a_tap_is_one_message_where_the_server_can(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(true);
    sm_check_status(sm_inputs_client_tap(client, 0x1e), SM_OK);
    sm_check_pending(sm_inputs_client_machine(client), "6800 02000000 1e9e");
    sm_check_status(sm_inputs_client_tap(client, 0x11d), SM_OK);
    sm_check_pending(sm_inputs_client_machine(client), "6800 04000000 e01d e09d");
    sm_check_status(sm_inputs_client_tap(client, SM_INPUTS_KEY_PAUSE), SM_OK);
    sm_check_pending(sm_inputs_client_machine(client), "6800 06000000 e11d45 e19dc5");
    assert_false(sm_inputs_client_is_down(client, 0x1e));
    sm_inputs_client_destroy(client);
    client = new_client(false);
    sm_check_status(sm_inputs_client_tap(client, 0x1e), SM_OK);
    sm_check_pending(sm_inputs_client_machine(client),
                     "6500 04000000 1e000000 6600 04000000 9e000000");
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void no_key_stays_down(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(false);
    struct sm_machine machine = sm_inputs_client_machine(client);
    sm_check_status(sm_inputs_client_key(client, 0x2a, true), SM_OK);
    sm_check_status(sm_inputs_client_key(client, 0x2a, true), SM_OK); /* repetition */
    sm_check_status(sm_inputs_client_key(client, 0x11d, true), SM_OK);
    sm_check_pending(machine, "6500 04000000 2a000000 6500 04000000 2a000000"
                              "6500 04000000 e01d0000");
    sm_check_status(sm_inputs_client_key(client, 0x1e, false), SM_OK); /* was never down */
    sm_check_pending(machine, "");
    assert_true(sm_inputs_client_is_down(client, 0x11d));
    sm_check_status(sm_inputs_client_release_keys(client), SM_OK);
    sm_check_pending(machine, "6600 04000000 aa000000 6600 04000000 e09d0000");
    sm_check_status(sm_inputs_client_release_keys(client), SM_OK);
    sm_check_pending(machine, "");
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void keys_and_buttons_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(true);
    static const uint32_t BAD[] = {0, 0x80, 0x100, 0x180, 0x201, 0x21e, 0x1001e, UINT32_MAX};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        sm_check_status(sm_inputs_client_key(client, BAD[i], true), SM_ERR_STATE);
        sm_check_status(sm_inputs_client_tap(client, BAD[i]), SM_ERR_STATE);
        assert_false(sm_inputs_client_is_down(client, BAD[i]));
    }
    sm_check_status(sm_inputs_client_button(client, 0, true), SM_ERR_STATE);
    sm_check_status(sm_inputs_client_button(client, 8, true), SM_ERR_STATE);
    sm_check_pending(sm_inputs_client_machine(client), "");
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void motion_is_summed_up_while_eight_are_on_the_way(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(false);
    struct sm_machine machine = sm_inputs_client_machine(client);
    struct sm_inputs_client_event event;
    for (int i = 0; i < 8; i++)
        sm_check_status(sm_inputs_client_motion(client, 1, -1), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 8 * 16);
    sm_check_status(sm_inputs_client_motion(client, 3, 4), SM_OK);
    sm_check_status(sm_inputs_client_motion(client, -10, 1), SM_OK);
    sm_check_status(sm_inputs_client_motion(client, 0, 0), SM_OK);
    sm_check_pending(machine, "");
    sm_test_feed_hex(machine, "6f00 00000000");
    sm_check_status(sm_inputs_client_next(client, &event), SM_AGAIN);
    sm_check_pending(machine, "6f00 0a000000 f9ffffff 05000000 0000");
    for (int i = 0; i < 3; i++)
        sm_check_status(sm_inputs_client_motion(client, 1, 1), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 3 * 16);
    sm_check_status(sm_inputs_client_motion(client, INT32_MAX, INT32_MIN), SM_OK);
    sm_check_status(sm_inputs_client_motion(client, INT32_MAX, INT32_MIN), SM_OK);
    sm_check_pending(machine, "");
    /* a click takes along what waits, whatever is on the way */
    sm_check_status(sm_inputs_client_button(client, SM_MOUSE_BUTTON_RIGHT, true), SM_OK);
    sm_check_pending(machine, "6f00 0a000000 ffffff7f 00000080 0000 7100 03000000 03 0400");
    assert_int_equal(sm_inputs_client_buttons(client), SM_MOUSE_BUTTON_MASK_RIGHT);
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void of_positions_the_latest_wins(void **state)
{
    (void)state;
    struct sm_inputs_client *client = new_client(false);
    struct sm_machine machine = sm_inputs_client_machine(client);
    struct sm_inputs_client_event event;
    for (uint32_t i = 0; i < 20; i++)
        sm_check_status(sm_inputs_client_position(client, i, 2 * i, 1), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 8 * 17);
    sm_test_feed_hex(machine, "6f00 00000000 6f00 00000000 6f00 00000000"); /* one too many */
    sm_check_status(sm_inputs_client_next(client, &event), SM_AGAIN);
    sm_check_pending(machine, "7000 0b000000 13000000 26000000 0000 01");
    sm_check_status(sm_inputs_client_position(client, 1, 1, 0), SM_OK);
    sm_check_pending(machine, "7000 0b000000 01000000 01000000 0000 00");
    for (int i = 0; i < 20; i++)
        sm_check_status(sm_inputs_client_position(client, 1, 1, 0), SM_OK);
    sm_inputs_client_reset_motion(client);
    (void)sm_test_take_pending(machine, 0);
    sm_check_status(sm_inputs_client_button(client, SM_MOUSE_BUTTON_UP, true), SM_OK);
    sm_check_status(sm_inputs_client_button(client, SM_MOUSE_BUTTON_UP, false), SM_OK);
    sm_check_pending(machine, "7100 03000000 04 0800 7200 03000000 04 0000");
    sm_inputs_client_destroy(client);
    sm_test_free_copies();
}

static void server_acknowledges_every_fourth_motion(void **state)
{
    (void)state;
    struct sm_inputs_server *server = new_server();
    struct sm_machine machine = sm_inputs_server_machine(server);
    const struct sm_inputs_msgc *msg;
    sm_check_pending(machine, "6500 02000000 0200"); /* INIT */
    for (int i = 0; i < 3; i++)
        sm_test_feed_hex(machine, "6f00 0a000000 01000000 ffffffff 0000");
    while (sm_inputs_server_next(server, &msg) == SM_OK) {
        assert_int_equal(msg->type, SM_MSGC_INPUTS_MOUSE_MOTION);
        assert_int_equal(msg->mouse_motion.dy, -1);
    }
    sm_check_pending(machine, "");
    sm_test_feed_hex(machine, "6500 04000000 1e000000");
    sm_check_status(sm_inputs_server_next(server, &msg), SM_OK);
    sm_check_pending(machine, "");
    sm_test_feed_hex(machine, "7000 0b000000 40010000 f0000000 0000 00");
    sm_check_status(sm_inputs_server_next(server, &msg), SM_OK);
    assert_int_equal(msg->mouse_position.x, 320);
    sm_check_pending(machine, "6f00 00000000");
    sm_test_feed_hex(machine, "7000 0b000000 40010000 f0000000 0000 00");
    sm_check_status(sm_inputs_server_next(server, &msg), SM_OK);
    sm_check_pending(machine, "");
    sm_check_status(sm_inputs_server_modifiers(server, 5), SM_OK);
    sm_check_pending(machine, "6600 02000000 0500");
    sm_inputs_server_destroy(server);
    sm_test_free_copies();
}

static void server_refuses_what_no_client_may_send(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "0400 00000000",          /* MIGRATE_FLUSH_MARK out of the blue */
        "0500 04000000 01020304", /* MIGRATE_DATA likewise */
        "6500 03000000 1e0000",   /* KEY_DOWN cut short */
        "6900 00000000",          /* an id without a meaning */
        "6800 01080000 00",       /* scan codes beyond the limit */
        "6f00 09000000 0100000001000000 00",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct sm_inputs_server *server = new_server();
        const struct sm_inputs_msgc *msg;
        enum sm_status status =
            sm_test_feed(sm_inputs_server_machine(server), sm_test_hex(BAD[i]), 1, NULL);
        if (status == SM_OK)
            status = sm_inputs_server_next(server, &msg);
        assert_true(status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT);
        assert_true(sm_channel_reason(sm_inputs_server_channel(server))[0] != 0);
        sm_inputs_server_destroy(server);
    }
    sm_test_free_copies();
}

static void both_ends_agree_however_bytes_are_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct sm_inputs_client *client = new_client(true);
        struct sm_inputs_server *server = new_server();
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_inputs_client_machine(client), sm_inputs_server_machine(server),
                          seed, seed);
        int64_t moved = 0, arrived = 0;
        int steps = 0;
        bool has_init = false;
        for (;;) {
            if (steps < 300) {
                sm_check_status(sm_inputs_client_motion(client, steps, -1), SM_OK);
                moved += steps++;
            }
            bool has_moved = sm_test_wire_step(&wire);
            const struct sm_inputs_msgc *msg;
            while (sm_inputs_server_next(server, &msg) == SM_OK)
                arrived += msg->mouse_motion.dx;
            struct sm_inputs_client_event event;
            while (sm_inputs_client_next(client, &event) == SM_OK) {
                assert_int_equal(event.msg->type, SM_MSG_INPUTS_INIT);
                assert_int_equal(event.msg->init.keyboard_modifiers, 2);
                has_init = true;
            }
            if (!has_moved && steps == 300)
                break;
        }
        assert_true(has_init);
        assert_int_equal(moved, arrived); /* summed up on the way, but all of it */
        sm_test_wire_finish(&wire);
        sm_inputs_client_destroy(client);
        sm_inputs_server_destroy(server);
    }
}

static void type_once(void *context)
{
    (void)context;
    struct sm_inputs_client_config config = {.setup = {.has_mini_header = true}};
    struct sm_inputs_server_config server_config = {.setup = {.has_mini_header = true}};
    struct sm_inputs_client *client = NULL;
    struct sm_inputs_server *server = NULL;
    if (sm_inputs_client_create(&client, &config, 0) == SM_OK &&
        sm_inputs_server_create(&server, &server_config, 0) == SM_OK) {
        enum sm_status status = sm_inputs_client_key(client, 0x1e, true);
        assert_int_equal(sm_inputs_client_is_down(client, 0x1e), status == SM_OK);
        (void)!sm_inputs_client_motion(client, 1, 2);
        size_t taken;
        status =
            sm_machine_receive(sm_inputs_server_machine(server),
                               sm_machine_pending(sm_inputs_client_machine(client)), 0, &taken);
        const struct sm_inputs_msgc *msg;
        while (status == SM_OK)
            status = sm_inputs_server_next(server, &msg);
    }
    sm_inputs_client_destroy(client);
    sm_inputs_server_destroy(server);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(type_once, NULL);
    sm_inputs_client_destroy(NULL);
    sm_inputs_server_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_clicks_are_the_bytes_of_the_examples),
        cmocka_unit_test(a_tap_is_one_message_where_the_server_can),
        cmocka_unit_test(no_key_stays_down),
        cmocka_unit_test(keys_and_buttons_that_do_not_exist_are_refused),
        cmocka_unit_test(motion_is_summed_up_while_eight_are_on_the_way),
        cmocka_unit_test(of_positions_the_latest_wins),
        cmocka_unit_test(server_acknowledges_every_fourth_motion),
        cmocka_unit_test(server_refuses_what_no_client_may_send),
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
