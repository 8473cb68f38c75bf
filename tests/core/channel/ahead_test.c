/* SPDX-License-Identifier: MIT */
/* Looking at messages before their turn. */
#include "tests/core/channel/channel_support.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/writer.h"
#include "core/channel/display/client.h"
#include "core/wire/frame.h"

/* MARK, INVAL_PALETTE, MARK: three messages of different types. */
#define MARK    "6600 00000000"
#define PALETTE "6b00 08000000 0700000000000000"

static void check_ahead(const struct sm_channel *channel, uint16_t type, uint64_t serial,
                        bool is_first)
{
    struct sm_channel_ahead ahead;
    assert_true(sm_channel_look_ahead(channel, &ahead));
    assert_int_equal(ahead.message.type, type);
    assert_int_equal(ahead.message.serial, serial);
    assert_int_equal(ahead.is_first, is_first);
}

static void messages_are_shown_in_order_and_pulled_all_the_same(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 3; piece++) {
        struct sm_channel *channel = new_client();
        struct sm_channel_ahead ahead;
        assert_false(sm_channel_look_ahead(channel, &ahead));
        sm_check_status(feed(channel, MARK PALETTE MARK, piece), SM_OK);
        check_ahead(channel, SM_MSG_DISPLAY_MARK, 1, true);
        check_ahead(channel, SM_MSG_DISPLAY_MARK, 1, true); /* until it is passed */
        sm_channel_pass(channel, false);
        check_ahead(channel, SM_MSG_DISPLAY_INVAL_PALETTE, 2, false);
        check_next(channel, SM_MSG_DISPLAY_MARK, 1, false, "");
        check_ahead(channel, SM_MSG_DISPLAY_INVAL_PALETTE, 2, true);
        check_next(channel, SM_MSG_DISPLAY_INVAL_PALETTE, 2, false, "0700000000000000");
        check_ahead(channel, SM_MSG_DISPLAY_MARK, 3, true); /* the former was pulled, not passed */
        sm_channel_pass(channel, true);
        assert_false(sm_channel_look_ahead(channel, &ahead));
        check_next(channel, SM_MSG_DISPLAY_MARK, 3, false, "");
        check_no_more(channel);
        sm_check_status(feed(channel, PALETTE, piece), SM_OK);
        check_ahead(channel, SM_MSG_DISPLAY_INVAL_PALETTE, 4, true);
        sm_channel_destroy(channel);
    }
    sm_test_free_copies();
}

/* Twice MARK, with full headers, both with the serial 7. */
static void turns_tell_messages_apart_whatever_their_serials(void **state)
{
    (void)state;
    struct sm_channel *channel = new_channel(SM_CHANNEL_CLIENT, false);
    static const char mark[] = "0700000000000000 6600 00000000 00000000";
    sm_check_status(feed(channel, mark, 0), SM_OK);
    sm_check_status(feed(channel, mark, 0), SM_OK);
    for (uint64_t turn = 0; turn < 2; turn++) {
        struct sm_channel_ahead ahead;
        struct sm_channel_message next;
        assert_true(sm_channel_look_ahead(channel, &ahead));
        assert_int_equal(ahead.message.serial, 7);
        assert_int_equal(ahead.message.turn, turn);
        sm_check_status(sm_channel_next(channel, &next), SM_OK);
        assert_int_equal(next.serial, 7);
        assert_int_equal(next.turn, turn);
    }
    sm_channel_destroy(channel);
    sm_test_free_copies();
}

static void what_follows_is_known_as_far_as_it_is_announced(void **state)
{
    (void)state;
    struct sm_channel *channel = new_client();
    struct sm_channel_ahead ahead;
    sm_check_status(feed(channel, PALETTE, 0), SM_OK);
    assert_true(sm_channel_look_ahead(channel, &ahead));
    assert_int_equal(ahead.behind, 0);
    sm_check_status(feed(channel, "6b00", 0), SM_OK);
    assert_true(sm_channel_look_ahead(channel, &ahead));
    assert_int_equal(ahead.behind, 2); /* the beginning of a header */
    sm_check_status(feed(channel, "08000000 07", 0), SM_OK);
    assert_true(sm_channel_look_ahead(channel, &ahead));
    assert_int_equal(ahead.behind, 8);
    sm_channel_destroy(channel);
    sm_test_free_copies();
}

static void nothing_is_shown_while_the_channel_is_held_or_has_failed(void **state)
{
    (void)state;
    struct sm_channel *channel = new_client();
    struct sm_channel_ahead ahead;
    sm_check_status(feed(channel, MARK, 0), SM_OK);
    sm_channel_hold(channel);
    assert_false(sm_channel_look_ahead(channel, &ahead));
    sm_channel_pass(channel, true); /* goes past nothing */
    sm_channel_release(channel);
    check_ahead(channel, SM_MSG_DISPLAY_MARK, 1, true);
    (void)sm_channel_fail(channel, SM_ERR_PROTOCOL, "a test");
    assert_false(sm_channel_look_ahead(channel, &ahead));
    sm_channel_destroy(channel);
    sm_test_free_copies();
}

/* As many messages as fit: when they are on loan others may come. */
static size_t feed_until_full(struct sm_channel *channel, struct sm_bytes message)
{
    struct sm_machine machine = sm_channel_machine(channel);
    size_t count = 0;
    for (size_t taken = message.size; taken == message.size && count < 1000; count++)
        sm_check_status(sm_machine_receive(machine, message, 0, &taken), SM_OK);
    return count - 1;
}

static struct sm_bytes large_message(void)
{
    enum { SIZE = 64 << 10 };
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_frame_build(&w, &(struct sm_frame){.type = SM_MSG_DISPLAY_DRAW_COPY, .size = SIZE}, true);
    uint8_t *body = calloc(1, SIZE);
    assert_non_null(body);
    sm_put_bytes(&w, (struct sm_bytes){body, SIZE});
    struct sm_bytes copy = sm_test_copy(sm_writer_bytes(&w).data, w.size);
    sm_writer_finish(&w);
    free(body);
    return copy;
}

static void what_is_on_loan_does_not_count_as_read_ahead(void **state)
{
    (void)state;
    struct sm_channel *channel = new_client();
    struct sm_bytes message = large_message();
    struct sm_channel_message next;
    assert_int_equal(feed_until_full(channel, message), 4);
    sm_channel_pass(channel, true);
    sm_channel_pass(channel, false);
    assert_int_equal(feed_until_full(channel, message), 1);
    sm_check_status(sm_channel_next(channel, &next), SM_OK); /* was not counted any more */
    assert_int_equal(feed_until_full(channel, message), 0);
    sm_check_status(sm_channel_next(channel, &next), SM_OK);
    assert_int_equal(feed_until_full(channel, message), 1);
    assert_int_equal(next.serial, 2);
    sm_channel_destroy(channel);
    sm_test_free_copies();
}

/* ---- A display's ---- */

static struct sm_display_client *new_display(void)
{
    static const struct sm_display_client_config config = {.setup = {.has_mini_header = true}};
    struct sm_display_client *client = NULL;
    sm_check_status(sm_display_client_create(&client, &config, 0), SM_OK);
    return client;
}

static void feed_bytes(struct sm_display_client *client, struct sm_bytes bytes, size_t piece)
{
    size_t taken = 0;
    sm_check_status(sm_test_feed(sm_display_client_machine(client), bytes, piece, &taken), SM_OK);
    assert_int_equal(taken, bytes.size);
}

/* A DRAW_COPY of an image of `size` bytes. */
static struct sm_bytes copy_message(size_t size)
{
    uint8_t *data = calloc(1, size);
    assert_non_null(data);
    const struct sm_image image = {
        .type = SM_IMAGE_TYPE_QUIC, .width = 64, .height = 64, .data = {data, size}};
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.src_bitmap = &image;
    struct sm_writer body, w;
    sm_writer_init(&body, 1 << 20);
    sm_writer_init(&w, 1 << 20);
    sm_check_status(sm_display_msg_build(&body, &msg), SM_OK);
    sm_frame_build(&w, &(struct sm_frame){.type = msg.type, .size = (uint32_t)body.size}, true);
    sm_put_bytes(&w, sm_writer_bytes(&body));
    struct sm_bytes copy = sm_test_copy(sm_writer_bytes(&w).data, w.size);
    sm_writer_finish(&body);
    sm_writer_finish(&w);
    free(data);
    return copy;
}

static void only_copies_of_some_size_are_shown(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 2; piece++) {
        struct sm_display_client *client = new_display();
        struct sm_display_client_ahead ahead;
        feed_bytes(client, copy_message(16), piece);
        feed_bytes(client, sm_test_hex(MARK PALETTE), piece);
        assert_false(sm_display_client_look_ahead(client, &ahead));
        feed_bytes(client, copy_message(500), piece);
        assert_true(sm_display_client_look_ahead(client, &ahead));
        assert_int_equal(ahead.turn, 3);
        assert_int_equal(ahead.msg->draw_copy.src_bitmap->data.size, 500);
        assert_false(ahead.is_alone); /* others are ahead of it */
        sm_display_client_pass(client, true);
        assert_false(sm_display_client_look_ahead(client, &ahead));
        struct sm_display_client_event event;
        for (uint64_t serial = 1; serial <= 4; serial++) {
            sm_check_status(sm_display_client_next(client, &event), SM_OK);
            assert_int_equal(event.serial, serial);
        }
        sm_check_status(sm_display_client_next(client, &event), SM_AGAIN);
        sm_display_client_destroy(client);
    }
    sm_test_free_copies();
}

static void a_copy_is_alone_if_next_to_nothing_follows(void **state)
{
    (void)state;
    struct sm_display_client *client = new_display();
    struct sm_display_client_ahead ahead;
    feed_bytes(client, copy_message(1000), 0);
    assert_true(sm_display_client_look_ahead(client, &ahead));
    assert_true(ahead.is_alone);
    feed_bytes(client, sm_test_hex(MARK), 0);
    assert_true(sm_display_client_look_ahead(client, &ahead));
    assert_true(ahead.is_alone);
    struct sm_bytes begun = copy_message(1000);
    begun.size = 7;
    feed_bytes(client, begun, 0);
    assert_true(sm_display_client_look_ahead(client, &ahead));
    assert_false(ahead.is_alone);
    sm_display_client_destroy(client);
    sm_test_free_copies();
}

/* Surfaces that come and go, waits, moves: what is behind them is not looked at before they are
 * dealt with. */
static void nothing_is_shown_behind_what_it_hangs_on(void **state)
{
    (void)state;
    static const char *const BARRIERS[] = {
        "3a01 14000000 00000000 10000000 10000000 20000000 01000000", /* SURFACE_CREATE */
        "3b01 04000000 00000000",                                     /* SURFACE_DESTROY */
        "6500 0c000000 10000000 10000000 20000000",                   /* MODE */
        "6700 00000000",                                              /* RESET */
        "0500 0b000000 01 0201 2a00000000000000",                     /* WAIT_FOR_CHANNELS */
        "6a00 01000000 00",                                           /* INVAL_ALL_PIXMAPS */
        "0100 04000000 00000000",                                     /* MIGRATE */
        SM_TEST_LIST,
    };
    for (size_t i = 0; i < sizeof(BARRIERS) / sizeof(BARRIERS[0]); i++) {
        struct sm_display_client *client = new_display();
        struct sm_display_client_ahead ahead;
        struct sm_display_client_event event;
        feed_bytes(client, sm_test_hex(BARRIERS[i]), 0);
        feed_bytes(client, copy_message(500), 0);
        assert_false(sm_display_client_look_ahead(client, &ahead));
        while (sm_display_client_next(client, &event) == SM_OK && event.serial == 1) {
            if (event.is_wait) {
                assert_false(sm_display_client_look_ahead(client, &ahead));
                sm_channel_release(sm_display_client_channel(client));
            } else if (!event.is_sub) { /* being dealt with: those behind it may be looked at */
                assert_true(sm_display_client_look_ahead(client, &ahead));
                assert_int_equal(ahead.turn, 1);
            }
        }
        sm_display_client_destroy(client);
    }
    sm_test_free_copies();
}

static void a_message_that_makes_no_sense_fails_in_its_turn(void **state)
{
    (void)state;
    struct sm_display_client *client = new_display();
    struct sm_display_client_ahead ahead;
    struct sm_display_client_event event;
    struct sm_bytes broken = copy_message(1000);
    uint8_t *bytes = (uint8_t *)(uintptr_t)broken.data;
    memset(bytes + 6, 0xff, 100); /* behind the header: its area, its clip, its image */
    feed_bytes(client, sm_test_hex(MARK), 0);
    feed_bytes(client, broken, 0);
    feed_bytes(client, copy_message(500), 0);
    assert_true(sm_display_client_look_ahead(client, &ahead));
    assert_int_equal(ahead.turn, 2);
    sm_check_status(sm_display_client_next(client, &event), SM_OK);
    assert_true(sm_display_client_next(client, &event) < 0);
    assert_false(sm_display_client_look_ahead(client, &ahead));
    sm_display_client_destroy(client);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_shown_in_order_and_pulled_all_the_same),
        cmocka_unit_test(turns_tell_messages_apart_whatever_their_serials),
        cmocka_unit_test(what_follows_is_known_as_far_as_it_is_announced),
        cmocka_unit_test(nothing_is_shown_while_the_channel_is_held_or_has_failed),
        cmocka_unit_test(what_is_on_loan_does_not_count_as_read_ahead),
        cmocka_unit_test(only_copies_of_some_size_are_shown),
        cmocka_unit_test(a_copy_is_alone_if_next_to_nothing_follows),
        cmocka_unit_test(nothing_is_shown_behind_what_it_hangs_on),
        cmocka_unit_test(a_message_that_makes_no_sense_fails_in_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
