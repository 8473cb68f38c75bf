/* SPDX-License-Identifier: MIT */
/* A client's channel on its way from one server to the next. */
#include "tests/core/channel/channel_support.h"

#include <string.h>

#include "core/channel/main/seamless.h"
#include "core/wire/display.h"
#include "tests/support/failmalloc.h"

#define MIGRATE_WITH_DATA "0100 04000000 03000000"
#define MIGRATE_ALONE     "0100 04000000 00000000"
#define DATA              "0200 05000000 1122334455"
#define MARK              "0400 00000000"

static struct sm_channel *new_mover(void)
{
    struct sm_channel *client = new_client();
    sm_channel_allow_move(client);
    return client;
}

static void send(struct sm_channel *client, uint16_t type, const char *hex)
{
    sm_check_status(sm_channel_send(client, type, sm_test_hex(hex)), SM_OK);
}

static void pull_all(struct sm_channel *client)
{
    struct sm_channel_message message;
    enum sm_status status;
    while ((status = sm_channel_next(client, &message)) == SM_OK)
        assert_int_equal(message.type, SM_MSG_DISPLAY_MARK);
    sm_check_status(status, SM_AGAIN);
}

static void data_are_carried_over_ahead_of_what_waited(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 4; piece++) {
        struct sm_channel *client = new_mover();
        send(client, 101, "aa");
        sm_check_status(feed(client, "6600 00000000" MIGRATE_WITH_DATA, piece), SM_OK);
        check_next(client, SM_MSG_DISPLAY_MARK, 1, false, "");
        check_no_more(client);
        send(client, 101, "bb"); /* behind the mark: for the target */
        assert_false(sm_channel_has_left(client));
        sm_check_status(sm_channel_arrive(client), SM_ERR_STATE);
        sm_check_bytes(output(client), sm_test_hex("6500 01000000 aa" MARK));
        sm_check_status(feed(client, DATA, piece), SM_OK);
        check_no_more(client);
        assert_true(sm_channel_has_left(client));
        assert_int_equal(output(client).size, 0); /* not a byte more for the source */
        send(client, 101, "cc");
        sm_check_status(sm_channel_arrive(client), SM_OK);
        sm_check_bytes(output(client), sm_test_hex("0500 05000000 1122334455"
                                                   "6500 01000000 bb 6500 01000000 cc"));
        assert_false(sm_channel_has_left(client));
        /* The target's messages are numbered on: three came from the source. */
        sm_check_status(feed(client, "6600 00000000", piece), SM_OK);
        check_next(client, SM_MSG_DISPLAY_MARK, 4, false, "");
        send(client, 101, "dd");
        sm_check_bytes(output(client), sm_test_hex("6500 01000000 dd"));
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void data_that_come_before_the_mark_has_left_wait_for_it(void **state)
{
    (void)state;
    struct sm_channel *client = new_mover();
    send(client, 101, "aa");
    sm_check_status(feed(client, MIGRATE_WITH_DATA DATA, 0), SM_OK);
    check_no_more(client);
    assert_false(sm_channel_has_left(client));
    struct sm_machine machine = sm_channel_machine(client);
    sm_machine_sent(machine, 7, 0);
    assert_false(sm_channel_has_left(client)); /* the mark is still to be written */
    sm_check_bytes(output(client), sm_test_hex(MARK));
    assert_true(sm_channel_has_left(client));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void much_that_waits_for_the_target_does_not_keep_the_data_away(void **state)
{
    (void)state;
    struct sm_channel_config config = {.role = SM_CHANNEL_CLIENT,
                                       .has_mini_header = true,
                                       .max_pending_bytes = 1,
                                       .max_size = sm_display_msg_max_size};
    struct sm_channel *client;
    static const uint8_t much[70000];
    sm_check_status(sm_channel_create(&client, &config, 0), SM_OK);
    sm_channel_allow_move(client);
    sm_check_status(feed(client, MIGRATE_WITH_DATA, 0), SM_OK);
    check_no_more(client);
    sm_check_bytes(output(client), sm_test_hex(MARK));
    sm_check_status(sm_channel_send_always(client, 101, (struct sm_bytes){much, sizeof(much)}),
                    SM_OK);
    sm_check_status(feed(client, DATA, 1), SM_OK);
    /* One message and no more, however long the owner leaves it. */
    size_t taken;
    struct sm_machine machine = sm_channel_machine(client);
    sm_check_status(sm_test_feed(machine, sm_test_hex("6600 00000000"), 0, &taken), SM_OK);
    assert_int_equal(taken, 0);
    check_no_more(client);
    assert_true(sm_channel_has_left(client));
    sm_check_status(sm_channel_arrive(client), SM_OK);
    assert_int_equal(output(client).size, 6 + 5 + 6 + sizeof(much));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void without_data_the_channel_goes_at_once(void **state)
{
    (void)state;
    struct sm_channel *client = new_mover();
    send(client, 101, "aa");
    sm_machine_sent(sm_channel_machine(client), 3, 0); /* some of it is on its way */
    sm_check_status(feed(client, MIGRATE_ALONE, 0), SM_OK);
    check_no_more(client);
    assert_true(sm_channel_has_left(client));
    assert_int_equal(output(client).size, 0);
    /* What the source had not got is for the target, from the start of a message on. */
    send(client, 101, "bb");
    sm_check_status(sm_channel_arrive(client), SM_OK);
    sm_check_bytes(output(client), sm_test_hex("6500 01000000 bb"));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void what_a_source_says_behind_its_last_word_is_not_heard(void **state)
{
    (void)state;
    struct sm_channel *client = new_mover();
    sm_check_status(feed(client, MIGRATE_WITH_DATA DATA "6600 00000000 6600 0100", 0), SM_OK);
    check_no_more(client);
    check_no_more(client);
    (void)output(client);
    sm_check_status(sm_channel_arrive(client), SM_OK);
    (void)output(client);
    sm_check_status(feed(client, "6600 00000000", 0), SM_OK); /* of the target, from its start */
    check_next(client, SM_MSG_DISPLAY_MARK, 3, false, "");
    check_no_more(client);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void nothing_is_acknowledged_on_the_way(void **state)
{
    (void)state;
    struct sm_channel *client = new_mover();
    sm_check_status(feed(client, "0300 08000000 01000000 01000000", 0), SM_OK); /* window 1 */
    pull_all(client);
    sm_check_bytes(output(client), sm_test_hex("0100 04000000 01000000"));
    sm_check_status(feed(client, MIGRATE_WITH_DATA, 0), SM_OK);
    pull_all(client);
    sm_check_bytes(output(client), sm_test_hex("0200 00000000" MARK));
    sm_check_status(feed(client, "0400 0c000000 07000000 0000000000000000" DATA, 0), SM_OK);
    pull_all(client);
    assert_int_equal(output(client).size, 0);
    sm_check_status(sm_channel_arrive(client), SM_OK);
    sm_check_bytes(output(client), sm_test_hex("0500 05000000 1122334455"));
    sm_check_status(feed(client, "6600 00000000 6600 00000000", 0), SM_OK);
    pull_all(client);
    assert_int_equal(output(client).size, 0); /* until this one asks for it */
    sm_check_status(feed(client, "0300 08000000 01000000 02000000 6600 00000000 6600 00000000", 0),
                    SM_OK);
    pull_all(client);
    sm_check_bytes(output(client), sm_test_hex("0100 04000000 01000000 0200 00000000"));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void a_source_that_breaks_the_order_fails(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *reason;
    } wrong[] = {
        {MIGRATE_WITH_DATA "6600 00000000" DATA, "a message ahead of the migration data"},
        {MIGRATE_WITH_DATA MIGRATE_WITH_DATA, "a message ahead of the migration data"},
        {DATA, "migration data nobody asked for"},
        /* A list that begins two: the data of neither are left behind. */
        {"0800 3c000000 0400 12000000 1c000000 27000000 31000000"
         "0100 04000000 03000000 0200 05000000 1122334455"
         "0100 04000000 03000000 0200 05000000 1122334455",
         "a second migration before the first is over"},
        {"0100 03000000 030000", "MIGRATE: flags: the message ends too early"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_channel *client = new_mover();
        struct sm_channel_message message;
        sm_check_status(feed(client, wrong[i].bytes, 0), SM_OK);
        sm_check_status(sm_channel_next(client, &message), SM_ERR_PROTOCOL);
        if (i < 4)
            assert_string_equal(sm_channel_reason(client), wrong[i].reason);
        assert_false(sm_channel_has_left(client));
        sm_check_status(sm_channel_arrive(client), SM_ERR_STATE);
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void who_does_not_move_is_shown_the_messages(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, MIGRATE_WITH_DATA DATA, 0), SM_OK);
    check_next(client, SM_MSG_MIGRATE, 1, false, "03000000");
    check_next(client, SM_MSG_MIGRATE_DATA, 2, false, "1122334455");
    assert_false(sm_channel_has_left(client));
    assert_int_equal(output(client).size, 0);
    sm_channel_destroy(client);
    struct sm_channel *server = new_server();
    sm_channel_allow_move(server); /* servers do not */
    sm_check_status(sm_channel_send(server, SM_MSG_MIGRATE, sm_test_hex("03000000")), SM_OK);
    assert_int_equal(output(server).size, 10);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void move_once(void *context)
{
    struct sm_channel *client = context;
    size_t taken;
    struct sm_channel_message message;
    static const uint8_t bytes[] = {1, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 2, 0, 0, 0, 7, 8};
    struct sm_channel_config config = {
        .role = SM_CHANNEL_CLIENT, .has_mini_header = true, .max_size = sm_display_msg_max_size};
    if (sm_channel_create(&client, &config, 0) != SM_OK)
        return;
    sm_channel_allow_move(client);
    struct sm_machine machine = sm_channel_machine(client);
    enum sm_status status =
        sm_test_feed(machine, (struct sm_bytes){bytes, sizeof(bytes)}, 0, &taken);
    if (status == SM_OK && sm_channel_next(client, &message) == SM_AGAIN) {
        sm_machine_sent(machine, sm_machine_pending(machine).size, 0);
        (void)!sm_channel_arrive(client);
    }
    sm_channel_destroy(client);
}

static void memory_may_run_out_on_the_way(void **state)
{
    (void)state;
    sm_failmalloc_each(move_once, NULL);
}

/* ---- The question ahead of it ---- */

static enum sm_status ask(struct sm_main_seamless *seamless, const char *answer, size_t piece,
                          size_t *taken)
{
    sm_main_seamless_init(seamless, 1, 5000);
    struct sm_machine machine = sm_main_seamless_machine(seamless);
    sm_check_pending(machine, "6e00 04000000 01000000");
    sm_check_pending(machine, "");
    return sm_test_feed(machine, sm_test_hex(answer), piece, taken);
}

static void the_target_s_answer_is_taken_and_no_byte_more(void **state)
{
    (void)state;
    struct sm_main_seamless seamless;
    size_t taken;
    for (size_t piece = 0; piece < 3; piece++) {
        sm_check_status(ask(&seamless, "7500 00000000 6a00 0400", piece, &taken), SM_OK);
        assert_int_equal(seamless.answer, SM_SEAMLESS_YES);
        assert_int_equal(taken, 6);
        sm_check_status(ask(&seamless, "7600 00000000 00", piece, &taken), SM_OK);
        assert_int_equal(seamless.answer, SM_SEAMLESS_NO);
        assert_int_equal(taken, 6);
        assert_int_equal(sm_machine_deadline(sm_main_seamless_machine(&seamless)), UINT64_MAX);
    }
    sm_test_free_copies();
}

static void other_answers_and_none_are_failures(void **state)
{
    (void)state;
    struct sm_main_seamless seamless;
    size_t taken;
    sm_check_status(ask(&seamless, "7700 00000000", 0, &taken), SM_ERR_PROTOCOL);
    sm_check_status(ask(&seamless, "7500 01000000", 1, &taken), SM_ERR_PROTOCOL);
    assert_int_equal(seamless.answer, SM_SEAMLESS_NONE);
    struct sm_machine machine = sm_main_seamless_machine(&seamless);
    assert_true(sm_machine_reason(machine)[0]);
    sm_check_status(sm_machine_receive(machine, sm_test_hex("75"), 0, &taken), SM_ERR_PROTOCOL);
    for (size_t size = 0; size < 6; size++) {
        sm_main_seamless_init(&seamless, 1, 5000);
        struct sm_bytes answer = sm_test_hex("7500 00000000");
        sm_check_status(sm_test_feed(machine, (struct sm_bytes){answer.data, size}, 0, &taken),
                        SM_OK);
        assert_int_equal(seamless.answer, SM_SEAMLESS_NONE);
    }
    assert_int_equal(sm_machine_deadline(machine), 5000);
    sm_check_status(machine.ops->tick(machine.self, 4999), SM_OK);
    sm_check_status(machine.ops->tick(machine.self, 5000), SM_ERR_PROTOCOL);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_are_carried_over_ahead_of_what_waited),
        cmocka_unit_test(data_that_come_before_the_mark_has_left_wait_for_it),
        cmocka_unit_test(much_that_waits_for_the_target_does_not_keep_the_data_away),
        cmocka_unit_test(without_data_the_channel_goes_at_once),
        cmocka_unit_test(what_a_source_says_behind_its_last_word_is_not_heard),
        cmocka_unit_test(nothing_is_acknowledged_on_the_way),
        cmocka_unit_test(a_source_that_breaks_the_order_fails),
        cmocka_unit_test(who_does_not_move_is_shown_the_messages),
        cmocka_unit_test(memory_may_run_out_on_the_way),
        cmocka_unit_test(the_target_s_answer_is_taken_and_no_byte_more),
        cmocka_unit_test(other_answers_and_none_are_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
