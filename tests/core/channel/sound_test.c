/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include "core/channel/playback/client.h"
#include "core/channel/playback/server.h"
#include "core/channel/record/client.h"
#include "core/channel/record/server.h"
#include "tests/support/failmalloc.h"

static const uint16_t LEVELS[2] = {65535, 1000};

static struct sm_playback_server *new_playback_server(uint32_t client_caps)
{
    struct sm_playback_server_config config = {
        .setup = {.has_mini_header = true, .channel_caps = client_caps, .is_local = true},
        .mode = SM_AUDIO_MODE_OPUS,
        .time_ms = 7};
    struct sm_playback_server *server = NULL;
    sm_check_status(sm_playback_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_playback_client *new_playback_client(void)
{
    struct sm_playback_client_config config = {.setup = {.has_mini_header = true}};
    struct sm_playback_client *client = NULL;
    sm_check_status(sm_playback_client_create(&client, &config, 0), SM_OK);
    return client;
}

/* Source: docs/wire/playback.md, the fields of each message. */
static void playback_says_everything_in_the_bytes_of_the_wire(void **state)
{
    (void)state;
    struct sm_playback_server *server = new_playback_server(1u << SM_PLAYBACK_CAP_VOLUME);
    struct sm_machine machine = sm_playback_server_machine(server);
    sm_check_pending(machine, "6600 06000000 07000000 0300");
    sm_check_status(sm_playback_server_start(server, 48000, 9), SM_OK);
    sm_check_pending(machine, "6700 0e000000 02000000 0100 80bb0000 09000000");
    sm_check_status(sm_playback_server_volume(server, LEVELS, 2, true), SM_OK);
    sm_check_pending(machine, "6900 05000000 02 ffff e803 6a00 01000000 01");
    struct sm_bytes frame = {(const uint8_t *)"abcd", 4};
    sm_check_status(sm_playback_server_frame(server, frame, 10), SM_OK);
    sm_check_pending(machine, "6500 08000000 0a000000 61626364");
    sm_check_status(sm_playback_server_stop(server), SM_OK);
    sm_check_pending(machine, "6800 00000000");
    sm_playback_server_destroy(server);
    sm_test_free_copies();
}

static void playback_spares_clients_that_know_no_volume(void **state)
{
    (void)state;
    struct sm_playback_server *server = new_playback_server(0);
    sm_test_take_pending(sm_playback_server_machine(server), 0);
    sm_check_status(sm_playback_server_volume(server, LEVELS, 2, false), SM_OK);
    sm_check_pending(sm_playback_server_machine(server), "");
    sm_playback_server_destroy(server);
    sm_test_free_copies();
}

static void playback_reaches_the_client_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 40; cut += 3) {
        struct sm_playback_server *server = new_playback_server(0);
        struct sm_playback_client *client = new_playback_client();
        struct sm_bytes frame = {(const uint8_t *)"abcd", 4};
        /* A frame before START is nobody's. */
        sm_check_status(sm_playback_server_frame(server, frame, 1), SM_OK);
        sm_check_status(sm_playback_server_start(server, 24000, 2), SM_OK);
        sm_check_status(sm_playback_server_frame(server, frame, 3), SM_OK);
        sm_check_status(sm_playback_server_stop(server), SM_OK);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_playback_server_machine(server),
                          sm_playback_client_machine(client), cut, cut);
        while (sm_test_wire_step(&wire))
            ;
        static const uint16_t EXPECTED[] = {SM_MSG_PLAYBACK_MODE, SM_MSG_PLAYBACK_START,
                                            SM_MSG_PLAYBACK_DATA, SM_MSG_PLAYBACK_STOP};
        const struct sm_playback_msg *msg;
        for (size_t i = 0; i < 4; i++) {
            sm_check_status(sm_playback_client_next(client, &msg), SM_OK);
            assert_int_equal(msg->type, EXPECTED[i]);
            struct sm_playback_view view = sm_playback_client_view(client);
            assert_int_equal(view.is_playing, i == 1 || i == 2);
            assert_int_equal(view.mode, SM_AUDIO_MODE_OPUS);
            if (i == 2) {
                assert_int_equal(view.rate_hz, 24000);
                assert_int_equal(msg->data.time, 3);
                sm_check_bytes(msg->data.data, frame);
            }
        }
        sm_check_status(sm_playback_client_next(client, &msg), SM_AGAIN);
        sm_test_wire_finish(&wire);
        sm_playback_client_destroy(client);
        sm_playback_server_destroy(server);
    }
}

static void playback_refuses_sound_of_a_kind_nobody_has(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "6700 0e000000 09000000 0100 80bb0000 00000000", /* nine channels */
        "6700 0e000000 02000000 0200 80bb0000 00000000", /* an unknown format */
        "6700 0e000000 02000000 0100 ffffffff 00000000", /* an absurd rate */
        "6700 0e000000 02000000 0100 00000000 00000000", /* none at all */
        "6700 0d000000 02000000 0100 80bb0000 000000",   /* cut */
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        struct sm_playback_client *client = new_playback_client();
        sm_test_feed_hex(sm_playback_client_machine(client), WRONG[i]);
        const struct sm_playback_msg *msg;
        assert_true(sm_playback_client_next(client, &msg) < 0);
        assert_false(sm_playback_client_view(client).is_playing);
        sm_playback_client_destroy(client);
    }
    sm_test_free_copies();
}

static void playback_is_behind_when_the_line_takes_nothing(void **state)
{
    (void)state;
    struct sm_playback_server *server = new_playback_server(0);
    static const uint8_t FRAME[1920];
    for (int i = 0; i < 3; i++) {
        assert_false(sm_playback_server_is_behind(server));
        sm_check_status(sm_playback_server_frame(server, SM_TEST_BYTES(FRAME), 1), SM_OK);
    }
    assert_true(sm_playback_server_is_behind(server));
    sm_test_take_pending(sm_playback_server_machine(server), 0);
    assert_false(sm_playback_server_is_behind(server));
    sm_playback_server_destroy(server);
    sm_test_free_copies();
}

static struct sm_record_client *new_record_client(uint32_t server_caps)
{
    struct sm_record_client_config config = {
        .setup = {.has_mini_header = true, .channel_caps = server_caps}, .can_opus = true};
    struct sm_record_client *client = NULL;
    sm_check_status(sm_record_client_create(&client, &config, 0), SM_OK);
    return client;
}

static struct sm_record_server *new_record_server(void)
{
    struct sm_record_server_config config = {
        .setup = {.has_mini_header = true, .channel_caps = 2, .is_local = true}};
    struct sm_record_server *server = NULL;
    sm_check_status(sm_record_server_create(&server, &config, 0), SM_OK);
    return server;
}

static uint16_t mode_at(uint32_t caps, uint32_t rate)
{
    struct sm_record_client *client = new_record_client(caps);
    struct sm_record_server *server = new_record_server();
    sm_check_status(sm_record_server_start(server, rate), SM_OK);
    struct sm_test_wire wire;
    sm_test_wire_init(&wire, sm_record_server_machine(server), sm_record_client_machine(client), 5,
                      rate);
    while (sm_test_wire_step(&wire))
        ;
    const struct sm_record_msg *from_server;
    sm_check_status(sm_record_client_next(client, 77, &from_server), SM_OK);
    struct sm_bytes frame = {(const uint8_t *)"abcd", 4};
    sm_check_status(sm_record_client_frame(client, frame, 78), SM_OK);
    while (sm_test_wire_step(&wire))
        ;
    const struct sm_record_msgc *msg;
    sm_check_status(sm_record_server_next(server, &msg), SM_OK);
    assert_int_equal(msg->type, SM_MSGC_RECORD_MODE);
    uint16_t mode = msg->mode.mode;
    assert_int_equal(mode, sm_record_client_view(client).mode);
    sm_check_status(sm_record_server_next(server, &msg), SM_OK);
    assert_int_equal(msg->type, SM_MSGC_RECORD_START_MARK);
    assert_int_equal(msg->start_mark.time, 77);
    sm_check_status(sm_record_server_next(server, &msg), SM_OK);
    assert_int_equal(msg->type, SM_MSGC_RECORD_DATA);
    sm_check_bytes(msg->data.data, frame);
    sm_test_wire_finish(&wire);
    sm_record_client_destroy(client);
    sm_record_server_destroy(server);
    return mode;
}

static void record_chooses_opus_where_both_and_the_rate_allow(void **state)
{
    (void)state;
    uint32_t opus = 1u << SM_RECORD_CAP_OPUS;
    assert_int_equal(mode_at(opus, 48000), SM_AUDIO_MODE_OPUS);
    assert_int_equal(mode_at(opus, 44100), SM_AUDIO_MODE_RAW);
    assert_int_equal(mode_at(0, 48000), SM_AUDIO_MODE_RAW);
}

static void record_sends_nothing_nobody_asked_for(void **state)
{
    (void)state;
    struct sm_record_client *client = new_record_client(0);
    struct sm_bytes frame = {(const uint8_t *)"abcd", 4};
    sm_check_status(sm_record_client_frame(client, frame, 1), SM_ERR_STATE);
    sm_test_feed_hex(sm_record_client_machine(client), "6500 0a000000 02000000 0100 80bb0000");
    const struct sm_record_msg *msg;
    sm_check_status(sm_record_client_next(client, 1, &msg), SM_OK);
    static const uint8_t HUGE_FRAME[17 << 10], LARGE_FRAME[9 << 10];
    sm_check_status(sm_record_client_frame(client, SM_TEST_BYTES(HUGE_FRAME), 1), SM_ERR_LIMIT);
    sm_check_status(sm_record_client_frame(client, SM_TEST_BYTES(LARGE_FRAME), 1), SM_OK);
    sm_check_status(sm_record_client_frame(client, frame, 1), SM_AGAIN); /* the line is behind */
    sm_test_feed_hex(sm_record_client_machine(client), "6600 00000000");
    sm_check_status(sm_record_client_next(client, 1, &msg), SM_OK);
    sm_check_status(sm_record_client_frame(client, frame, 1), SM_ERR_STATE);
    sm_record_client_destroy(client);
    sm_test_free_copies();
}

static void make_all(void *context)
{
    (void)context;
    struct sm_playback_server_config playback = {.mode = SM_AUDIO_MODE_RAW};
    struct sm_playback_server *playback_server = NULL;
    enum sm_status status = sm_playback_server_create(&playback_server, &playback, 0);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    if (status == SM_OK) {
        status = sm_playback_server_start(playback_server, 48000, 0);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    }
    sm_playback_server_destroy(playback_server);
    struct sm_record_client_config record = {.can_opus = true};
    struct sm_record_client *record_client = NULL;
    status = sm_record_client_create(&record_client, &record, 0);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    sm_record_client_destroy(record_client);
}

static void sound_channels_survive_every_failed_allocation(void **state)
{
    (void)state;
    sm_failmalloc_each(make_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(playback_says_everything_in_the_bytes_of_the_wire),
        cmocka_unit_test(playback_spares_clients_that_know_no_volume),
        cmocka_unit_test(playback_reaches_the_client_however_it_is_cut),
        cmocka_unit_test(playback_refuses_sound_of_a_kind_nobody_has),
        cmocka_unit_test(playback_is_behind_when_the_line_takes_nothing),
        cmocka_unit_test(record_chooses_opus_where_both_and_the_rate_allow),
        cmocka_unit_test(record_sends_nothing_nobody_asked_for),
        cmocka_unit_test(sound_channels_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
