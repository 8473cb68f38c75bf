/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/channel/cursor/client.h"
#include "core/channel/cursor/server.h"
#include "core/channel/cursor/shape.h"
#include "tests/support/failmalloc.h"

/* Decodes a shape of `width` × `height` from hex; its pixels must be `expected`. */
static void check_shape(uint8_t type, uint16_t width, uint16_t height, const char *hex,
                        const uint32_t *expected, bool has_inverted)
{
    struct sm_bytes data = sm_test_hex(hex);
    struct sm_cursor cursor = {
        .type = type, .width = width, .height = height, .data = sm_test_copy(data.data, data.size)};
    assert_int_equal(data.size, sm_cursor_shape_bytes(type, width, height));
    struct sm_cursor_shape *shape = NULL;
    sm_check_status(sm_cursor_shape_create(&shape, &cursor), SM_OK);
    for (uint32_t i = 0; i < (uint32_t)width * height; i++) {
        if (shape->pixels[i] != expected[i])
            fail_msg("pixel %u is %08x, expected %08x", i, shape->pixels[i], expected[i]);
    }
    assert_int_equal(shape->has_inverted, has_inverted);
    sm_cursor_shape_unref(shape);
    for (size_t size = 0; size < data.size; size++) {
        struct sm_cursor_shape *none = NULL;
        cursor.data = sm_test_copy(data.data, size);
        sm_check_status(sm_cursor_shape_create(&none, &cursor), SM_ERR_PROTOCOL);
        assert_null(none);
    }
    sm_test_free_copies();
}

static void alpha_shapes_are_premultiplied(void **state)
{
    (void)state;
    static const uint32_t EXPECTED[] = {0xff332211, 0x80402000, 0x00000000, 0x01010101};
    check_shape(SM_CURSOR_TYPE_ALPHA, 2, 2, "112233ff 00408080 ffffff00 ffffff01", EXPECTED, false);
}

static void mono_shapes_know_black_white_clear_and_inverted(void **state)
{
    (void)state;
    /* black, white, clear, clear, clear, inverted: the inverted one is edged with white */
    static const uint32_t EXPECTED[] = {0xff000000, 0xffffffff, 0, 0, 0xffffffff, 0xff000000};
    check_shape(SM_CURSOR_TYPE_MONO, 6, 1, "3c 44", EXPECTED, true);
    static const uint32_t PLAIN[] = {0xff000000, 0xffffffff, 0, 0};
    check_shape(SM_CURSOR_TYPE_MONO, 2, 2, "00 c0 40 00", PLAIN, false);
}

static void mono_rows_begin_on_bytes(void **state)
{
    (void)state;
    uint32_t expected[2 * 9];
    for (int i = 0; i < 9; i++) {
        expected[i] = 0xffffffff;
        expected[9 + i] = i == 8 ? 0xff000000 : 0;
    }
    check_shape(SM_CURSOR_TYPE_MONO, 9, 2, "0000 ff00 ff80 0000", expected, false);
}

static void color_shapes_are_opaque_clear_or_inverted(void **state)
{
    (void)state;
    /* mask bits 0, 1 with black, 1 with white, 0 */
    static const uint32_t EXPECTED[] = {0xff332211, 0, 0xc0303030, 0xffffffff};
    check_shape(SM_CURSOR_TYPE_COLOR32, 4, 1, "11223344 00000099 ffffff00 ffffffff 60", EXPECTED,
                true);
    check_shape(SM_CURSOR_TYPE_COLOR24, 4, 1, "112233 000000 ffffff ffffff 60", EXPECTED, true);
    static const uint32_t EXPECTED16[] = {0xff0842ff, 0, 0x30303030, 0xffffffff};
    check_shape(SM_CURSOR_TYPE_COLOR16, 2, 2, "1f05 0080 ff7f ff7f 40 80", EXPECTED16, true);
}

static void palette_shapes_take_their_colors_from_the_table(void **state)
{
    (void)state;
    static const uint32_t EXPECTED[] = {0xff000001, 0xff00000f, 0xff000000,
                                        0,          0xff000002, 0xff000003};
    check_shape(SM_CURSOR_TYPE_COLOR4, 3, 2,
                "1f 0f 02 30" /* the low nibble at a row's end is padding */
                "00000000 01000000 02000000 03000000 04000000 05000000 06000000 07000000"
                "08000000 09000000 0a000000 0b000000 0c000000 0d000000 0e000000 0f000000"
                "00 80",
                EXPECTED, false);
    char table[1024 * 2 + 64] = "05 ff";
    for (int i = 0; i < 256; i++)
        sprintf(table + strlen(table), "%02x000000", i);
    strcat(table, "00");
    static const uint32_t EXPECTED8[] = {0xff000005, 0xff0000ff};
    check_shape(SM_CURSOR_TYPE_COLOR8, 2, 1, table, EXPECTED8, false);
}

static void shapes_have_bounds(void **state)
{
    (void)state;
    struct sm_cursor_shape *shape = NULL;
    struct sm_cursor cursor = {.type = SM_CURSOR_TYPE_MONO, .width = 65535, .height = 65535};
    sm_check_status(sm_cursor_shape_create(&shape, &cursor), SM_ERR_LIMIT);
    cursor = (struct sm_cursor){.type = 7, .width = 1, .height = 1};
    sm_check_status(sm_cursor_shape_create(&shape, &cursor), SM_ERR_PROTOCOL);
    assert_null(shape);
    cursor = (struct sm_cursor){.type = SM_CURSOR_TYPE_ALPHA,
                                .width = 1,
                                .height = 1,
                                .hot_spot_x = 2,
                                .hot_spot_y = 65535,
                                .data = sm_test_hex("00000000")};
    sm_check_status(sm_cursor_shape_create(&shape, &cursor), SM_OK);
    assert_int_equal(shape->hot_x, 1);
    assert_int_equal(shape->hot_y, 1);
    sm_cursor_shape_unref(shape);
    for (uint8_t type = 0; type <= SM_CURSOR_TYPE_COLOR32; type++) { /* nothing at all */
        static const uint8_t TABLE[1024];
        cursor = (struct sm_cursor){.type = type, .data = {TABLE, sizeof(TABLE)}};
        sm_check_status(sm_cursor_shape_create(&shape, &cursor), SM_OK);
        sm_cursor_shape_unref(sm_cursor_shape_ref(shape));
        sm_cursor_shape_unref(shape);
    }
    sm_cursor_shape_unref(NULL);
    sm_test_free_copies();
}

static struct sm_cursor_client *new_client(void)
{
    struct sm_cursor_client_config config = {.setup = {.has_mini_header = true}};
    struct sm_cursor_client *client = NULL;
    sm_check_status(sm_cursor_client_create(&client, &config, 0), SM_OK);
    return client;
}

static struct sm_cursor_server *new_server(void)
{
    struct sm_cursor_server_config config = {.setup = {.has_mini_header = true}, .ack_window = 20};
    struct sm_cursor_server *server = NULL;
    sm_check_status(sm_cursor_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_cursor_client_event next(struct sm_cursor_client *client)
{
    struct sm_cursor_client_event event = {0};
    sm_check_status(sm_cursor_client_next(client, &event), SM_OK);
    return event;
}

static const char CAPTURED_INIT[] = "6500 24000000 1400 1500 0000 0000 01 0200 01efcdab00000000"
                                    "01 0800 0400 0100 0200 fffefcf8 01020408";

static void client_shows_the_captured_pointer(void **state)
{
    (void)state;
    struct sm_cursor_client *client = new_client();
    struct sm_machine machine = sm_cursor_client_machine(client);
    assert_false(sm_cursor_client_view(client).is_known);
    sm_test_feed_hex(machine, "6500 0b000000 0000 0000 0000 0000 01 0100"); /* no shape */
    (void)next(client);
    struct sm_cursor_view view = sm_cursor_client_view(client);
    assert_true(view.is_known);
    assert_false(view.is_visible);
    assert_null(view.shape);
    sm_test_feed_hex(machine, CAPTURED_INIT);
    struct sm_cursor_client_event event = next(client);
    assert_true(event.has_moved && event.has_new_shape && !event.has_new_visibility);
    view = sm_cursor_client_view(client);
    assert_true(view.is_visible);
    assert_int_equal(view.x, 20);
    assert_int_equal(view.y, 21);
    assert_int_equal(view.shape->width, 8);
    assert_int_equal(view.shape->height, 4);
    assert_int_equal(view.shape->hot_x, 1);
    assert_int_equal(view.shape->hot_y, 2);
    assert_int_equal(view.shape->unique, 0xabcdef01);
    assert_true(view.shape->has_inverted);
    sm_test_feed_hex(machine, "6800 04000000 1400 1600 6900 00000000 6800 04000000 ffff feff");
    event = next(client);
    assert_true(event.has_moved && !event.has_new_visibility);
    assert_int_equal(sm_cursor_client_view(client).y, 22);
    event = next(client); /* HIDE */
    assert_true(event.has_new_visibility);
    assert_false(sm_cursor_client_view(client).is_visible);
    event = next(client); /* MOVE shows it again */
    assert_true(event.has_new_visibility && event.has_moved);
    assert_true(sm_cursor_client_view(client).is_visible);
    assert_int_equal(sm_cursor_client_view(client).y, -2);
    sm_cursor_client_destroy(client);
    sm_test_free_copies();
}

static void shapes_come_out_of_the_cache_and_leave_it(void **state)
{
    (void)state;
    static const char FROM_CACHE[] = "6700 18000000 0000 0000 01 0400 01efcdab00000000"
                                     "01 0800 0400 0100 0200";
    struct sm_cursor_client *client = new_client();
    struct sm_machine machine = sm_cursor_client_machine(client);
    sm_test_feed_hex(machine, CAPTURED_INIT);
    (void)next(client);
    sm_test_feed_hex(machine, "6700 07000000 0000 0000 01 0100"); /* SET to nothing */
    (void)next(client);
    assert_null(sm_cursor_client_view(client).shape);
    sm_test_feed_hex(machine, FROM_CACHE);
    assert_false(next(client).is_bad_shape);
    assert_int_equal(sm_cursor_client_view(client).shape->width, 8);
    sm_test_feed_hex(machine, "6b00 08000000 01efcdab00000000"); /* INVAL_ONE */
    (void)next(client);
    assert_non_null(sm_cursor_client_view(client).shape); /* what is shown stays */
    sm_test_feed_hex(machine, FROM_CACHE);
    assert_true(next(client).is_bad_shape);
    assert_false(sm_cursor_client_view(client).is_visible);
    sm_test_feed_hex(machine, CAPTURED_INIT);
    (void)next(client);
    static const char *const EMPTYING[] = {"6c00 00000000", "6600 00000000"};
    for (int i = 0; i < 2; i++) {
        sm_test_feed_hex(machine, CAPTURED_INIT);
        sm_test_feed_hex(machine, EMPTYING[i]);
        sm_test_feed_hex(machine, FROM_CACHE);
        (void)next(client);
        (void)next(client);
        assert_true(next(client).is_bad_shape);
    }
    sm_cursor_client_destroy(client);
    sm_test_free_copies();
}

static void servers_that_never_evict_are_stopped(void **state)
{
    (void)state;
    struct sm_cursor_client *client = new_client();
    struct sm_machine machine = sm_cursor_client_machine(client);
    uint8_t set[] = {0x67, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0, 0, 0,
                     0,    0, 0,  0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4};
    enum sm_status status = SM_OK;
    int count = 0;
    for (; count < 5000 && status == SM_OK; count++) {
        set[13] = (uint8_t)count;
        set[14] = (uint8_t)(count >> 8);
        set[20] = 1;
        size_t taken;
        status = sm_test_feed(machine, (struct sm_bytes){set, sizeof(set)}, 0, &taken);
        struct sm_cursor_client_event event;
        if (status == SM_OK)
            status = sm_cursor_client_next(client, &event);
    }
    sm_check_status(status, SM_ERR_LIMIT);
    assert_true(count > 257 && count < 2000);
    sm_cursor_client_destroy(client);
}

static struct sm_cursor_msg set_msg(uint64_t unique, struct sm_bytes data)
{
    return (struct sm_cursor_msg){.type = SM_MSG_CURSOR_SET,
                                  .set = {.visible = 1,
                                          .cursor = {.unique = unique,
                                                     .type = SM_CURSOR_TYPE_ALPHA,
                                                     .width = 1,
                                                     .height = 1,
                                                     .data = data}}};
}

static void server_sends_each_shape_once(void **state)
{
    (void)state;
    struct sm_cursor_server *server = new_server();
    struct sm_machine machine = sm_cursor_server_machine(server);
    sm_check_pending(machine, "0300 08000000 01000000 14000000"); /* SET_ACK */
    struct sm_cursor_msg set = set_msg(7, sm_test_hex("01020304"));
    sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
    sm_check_pending(machine, "6700 1c000000 0000 0000 01 0200 0700000000000000 00 0100 0100"
                              "0000 0000 01020304");
    sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
    sm_check_pending(machine, "6700 18000000 0000 0000 01 0400 0700000000000000 00 0100 0100"
                              "0000 0000");
    /* one without a name is sent whole each time */
    set = set_msg(0, sm_test_hex("01020304"));
    for (int i = 0; i < 2; i++) {
        sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
        sm_check_pending(machine, "6700 1c000000 0000 0000 01 0000 0000000000000000 00 0100 0100"
                                  "0000 0000 01020304");
    }
    struct sm_cursor_msg reset = {.type = SM_MSG_CURSOR_RESET};
    sm_check_status(sm_cursor_server_send(server, &reset), SM_OK);
    set = set_msg(7, sm_test_hex("01020304"));
    sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 6 + 6 + 28);
    sm_cursor_server_destroy(server);
    sm_test_free_copies();
}

static void server_tells_what_falls_out_of_the_cache(void **state)
{
    (void)state;
    struct sm_cursor_server *server = new_server();
    struct sm_machine machine = sm_cursor_server_machine(server);
    for (uint64_t unique = 1; unique <= SM_CURSOR_MAX_CACHED; unique++) {
        struct sm_cursor_msg set = set_msg(unique, sm_test_hex("01020304"));
        sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
    }
    (void)sm_test_take_pending(machine, 0);
    struct sm_cursor_msg set = set_msg(0x101, sm_test_hex("01020304"));
    sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
    sm_check_pending(machine, "6700 1c000000 0000 0000 01 0200 0101000000000000 00 0100 0100"
                              "0000 0000 01020304 6b00 08000000 0100000000000000");
    sm_cursor_server_destroy(server);
    sm_test_free_copies();
}

static void server_takes_nothing_but_the_base_messages(void **state)
{
    (void)state;
    static const char *const BAD[] = {"6500 00000000", "0400 00000000", "0500 00000000"};
    for (int i = 0; i < 3; i++) {
        struct sm_cursor_server *server = new_server();
        const struct sm_cursor_msgc *msg;
        enum sm_status status =
            sm_test_feed(sm_cursor_server_machine(server), sm_test_hex(BAD[i]), 1, NULL);
        if (status == SM_OK)
            status = sm_cursor_server_next(server, &msg);
        sm_check_status(status, SM_ERR_PROTOCOL);
        sm_cursor_server_destroy(server);
    }
    struct sm_cursor_server *server = new_server();
    const struct sm_cursor_msgc *msg;
    sm_test_feed_hex(
        sm_cursor_server_machine(server),
        "0100 04000000 01000000 0200 00000000 0600 0c000000 0000000000000000 00000000");
    sm_check_status(sm_cursor_server_next(server, &msg), SM_OK);
    assert_int_equal(msg->type, SM_MSGC_DISCONNECTING);
    sm_check_status(sm_cursor_server_next(server, &msg), SM_AGAIN);
    sm_cursor_server_destroy(server);
    sm_test_free_copies();
}

/* Many shapes in random order: the client always shows what the server meant. */
static void both_books_of_the_cache_agree(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct sm_cursor_client *client = new_client();
        struct sm_cursor_server *server = new_server();
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_cursor_server_machine(server), sm_cursor_client_machine(client),
                          seed * 40, seed);
        struct sm_test_random random = {seed + 3};
        for (int i = 0; i < 2000; i++) {
            uint32_t id = 1 + sm_test_random_next(&random) % 400;
            uint8_t pixel[4] = {(uint8_t)id, (uint8_t)(id >> 8), 0, 255};
            struct sm_cursor_msg set = set_msg(id, (struct sm_bytes){pixel, 4});
            sm_check_status(sm_cursor_server_send(server, &set), SM_OK);
            while (sm_test_wire_step(&wire))
                ;
            struct sm_cursor_client_event event;
            while (sm_cursor_client_next(client, &event) == SM_OK)
                assert_false(event.is_bad_shape);
            const struct sm_cursor_shape *shape = sm_cursor_client_view(client).shape;
            assert_non_null(shape);
            assert_int_equal(shape->pixels[0], 0xff000000 | id);
        }
        assert_true(sm_channel_unacked(sm_cursor_server_channel(server)) < 20);
        sm_test_wire_finish(&wire);
        sm_cursor_client_destroy(client);
        sm_cursor_server_destroy(server);
    }
}

static void show_once(void *context)
{
    (void)context;
    static const uint8_t PIXEL[4] = {1, 2, 3, 4};
    struct sm_cursor_client_config client_config = {.setup = {.has_mini_header = true}};
    struct sm_cursor_server_config server_config = {.setup = {.has_mini_header = true}};
    struct sm_cursor_client *client = NULL;
    struct sm_cursor_server *server = NULL;
    if (sm_cursor_client_create(&client, &client_config, 0) == SM_OK &&
        sm_cursor_server_create(&server, &server_config, 0) == SM_OK) {
        for (uint64_t unique = 1; unique < 4; unique++) {
            struct sm_cursor_msg set = set_msg(unique, (struct sm_bytes){PIXEL, 4});
            (void)!sm_cursor_server_send(server, &set);
        }
        struct sm_cursor_client_event event;
        size_t taken;
        enum sm_status status =
            sm_machine_receive(sm_cursor_client_machine(client),
                               sm_machine_pending(sm_cursor_server_machine(server)), 0, &taken);
        while (status == SM_OK)
            status = sm_cursor_client_next(client, &event);
    }
    sm_cursor_client_destroy(client);
    sm_cursor_server_destroy(server);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(show_once, NULL);
    sm_cursor_client_destroy(NULL);
    sm_cursor_server_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_shapes_are_premultiplied),
        cmocka_unit_test(mono_shapes_know_black_white_clear_and_inverted),
        cmocka_unit_test(mono_rows_begin_on_bytes),
        cmocka_unit_test(color_shapes_are_opaque_clear_or_inverted),
        cmocka_unit_test(palette_shapes_take_their_colors_from_the_table),
        cmocka_unit_test(shapes_have_bounds),
        cmocka_unit_test(client_shows_the_captured_pointer),
        cmocka_unit_test(shapes_come_out_of_the_cache_and_leave_it),
        cmocka_unit_test(servers_that_never_evict_are_stopped),
        cmocka_unit_test(server_sends_each_shape_once),
        cmocka_unit_test(server_tells_what_falls_out_of_the_cache),
        cmocka_unit_test(server_takes_nothing_but_the_base_messages),
        cmocka_unit_test(both_books_of_the_cache_agree),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
