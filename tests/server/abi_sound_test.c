/* SPDX-License-Identifier: MIT */
/* Every function of spice-audio.h, between a host and a client on a socket. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "core/wire/playback.h"
#include "core/wire/record.h"
#include "core/wire/types.h"
#include "tests/server/support/visitor.h"

enum { FRAME = 480, BUFFERS = 3, BEGINS_WITH = 1024 };

static const SpicePlaybackInterface PLAYBACK = {
    .base = {.type = SPICE_INTERFACE_PLAYBACK,
             .major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
             .minor_version = SPICE_INTERFACE_PLAYBACK_MINOR}};
static const SpiceRecordInterface RECORD = {
    .base = {.type = SPICE_INTERFACE_RECORD,
             .major_version = SPICE_INTERFACE_RECORD_MAJOR,
             .minor_version = SPICE_INTERFACE_RECORD_MINOR}};

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    SpicePlaybackInstance playback;
    SpiceRecordInstance record;
    struct sm_test_visitor main;
    uint32_t session;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    f->playback.base.sif = &PLAYBACK.base;
    f->record.base.sif = &RECORD.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->playback.base), 0);
    assert_int_equal(spice_server_add_interface(f->server, &f->record.base), 0);
    f->main = sm_test_visitor(&f->host, f->host.path);
    f->session = sm_test_visitor_open_main(&f->main, "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_null(f->playback.st);
    assert_null(f->record.st);
    sm_test_visitor_close(&f->main);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

static struct sm_test_visitor open_channel(struct fixture *f, uint8_t type)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&visitor, f->session, type, 0), 0);
    return visitor;
}

/* The next message of `type` begins with these bytes. */
static void await(struct sm_test_visitor *visitor, uint16_t type, const char *hex)
{
    uint8_t body[64];
    struct sm_bytes expected = sm_test_hex(hex);
    size_t size = sm_test_visitor_await(visitor, type, body, sizeof(body));
    assert_true(size >= expected.size);
    assert_memory_equal(body, expected.data, expected.size);
}

static void the_best_rate_is_48000_whoever_asks(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(spice_server_get_best_playback_rate(&f->playback), 48000);
    assert_int_equal(spice_server_get_best_playback_rate(NULL), 48000);
    assert_int_equal(spice_server_get_best_record_rate(&f->record), 48000);
    assert_int_equal(spice_server_get_best_record_rate(NULL), 48000);
}

static void volume_and_mute_are_told_both_ways(void **state)
{
    struct fixture *f = *state;
    uint16_t loud[] = {0xffff, 0x1234}, low[] = {1};
    spice_server_playback_set_volume(&f->playback, 2, loud);
    spice_server_playback_set_mute(&f->playback, 1);
    spice_server_record_set_volume(&f->record, 2, loud);
    spice_server_record_set_mute(&f->record, 1);

    struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
    await(&ear, SM_MSG_PLAYBACK_VOLUME, "02 ffff 3412");
    await(&ear, SM_MSG_PLAYBACK_MUTE, "01");
    spice_server_playback_set_volume(&f->playback, 1, low);
    await(&ear, SM_MSG_PLAYBACK_VOLUME, "01 0100");
    await(&ear, SM_MSG_PLAYBACK_MUTE, "01"); /* still */
    spice_server_playback_set_mute(&f->playback, 0);
    await(&ear, SM_MSG_PLAYBACK_MUTE, "00");

    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    await(&mouth, SM_MSG_RECORD_VOLUME, "02 ffff 3412");
    await(&mouth, SM_MSG_RECORD_MUTE, "01");
    spice_server_record_set_volume(&f->record, 1, low);
    await(&mouth, SM_MSG_RECORD_VOLUME, "01 0100");
    await(&mouth, SM_MSG_RECORD_MUTE, "01");
    spice_server_record_set_mute(&f->record, 0);
    await(&mouth, SM_MSG_RECORD_MUTE, "00");
    sm_test_visitor_close(&ear);
    sm_test_visitor_close(&mouth);
}

static void a_guest_that_sets_no_volume_may_mute(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    for (unsigned is_muted = 2; is_muted-- > 0;) {
        spice_server_playback_set_mute(&f->playback, (uint8_t)is_muted);
        spice_server_record_set_mute(&f->record, (uint8_t)is_muted);
        await(&ear, SM_MSG_PLAYBACK_MUTE, is_muted ? "01" : "00");
        await(&mouth, SM_MSG_RECORD_MUTE, is_muted ? "01" : "00");
    }
    sm_test_visitor_close(&ear);
    sm_test_visitor_close(&mouth);
}

static uint32_t *get(struct fixture *f, uint32_t *count)
{
    uint32_t *words;
    spice_server_playback_get_buffer(&f->playback, &words, count);
    assert_true(words ? *count > 0 : *count == 0);
    return words;
}

static void await_mode(struct sm_test_visitor *ear, uint8_t expected)
{
    uint8_t body[6];
    assert_int_equal(sm_test_visitor_await(ear, SM_MSG_PLAYBACK_MODE, body, sizeof(body)), 6);
    assert_int_equal(body[4], expected);
}

/* 44100 Hz is no rate of Opus: such sound goes raw. */
static void sound_has_the_rate_of_the_host(void **state)
{
    struct fixture *f = *state;
    uint32_t count;
    spice_server_set_playback_rate(&f->playback, 44100);
    spice_server_set_record_rate(&f->record, 44100);
    struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    spice_server_playback_start(&f->playback);
    spice_server_playback_start(&f->playback); /* it plays already */
    await_mode(&ear, SM_AUDIO_MODE_RAW);
    await(&ear, SM_MSG_PLAYBACK_START, "02000000 0100 44ac0000");
    spice_server_record_start(&f->record);
    await(&mouth, SM_MSG_RECORD_START, "02000000 0100 44ac0000");

    uint32_t *words = get(f, &count);
    assert_non_null(words);
    assert_int_equal(count, FRAME);
    for (uint32_t i = 0; i < count; i++)
        words[i] = i;
    spice_server_playback_put_samples(&f->playback, words);
    uint8_t body[16];
    assert_int_equal(sm_test_visitor_await(&ear, SM_MSG_PLAYBACK_DATA, body, sizeof(body)),
                     4 + 4 * FRAME);
    assert_memory_equal(body + 4, "\0\0\0\0\1\0\0\0\2\0\0\0", 12);

    spice_server_playback_stop(&f->playback);
    spice_server_playback_stop(&f->playback);
    await(&ear, SM_MSG_PLAYBACK_STOP, "");
    assert_null(get(f, &count)); /* it does not play */
    sm_test_visitor_close(&ear);
    sm_test_visitor_close(&mouth);
}

/* The host may fill a buffer while its client goes and others come. */
static void buffers_outlive_clients(void **state)
{
    struct fixture *f = *state;
    uint32_t count, *words[BUFFERS];
    spice_server_playback_start(&f->playback);
    assert_null(get(f, &count)); /* nobody listens */
    for (unsigned round = 0; round < 2; round++) {
        struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
        for (unsigned i = 0; i < BUFFERS; i++) {
            words[i] = get(f, &count);
            assert_non_null(words[i]);
            memset(words[i], 0, count * sizeof(*words[i]));
        }
        assert_null(get(f, &count)); /* there is no fourth */
        sm_test_visitor_close(&ear);
        for (unsigned i = 0; i < BUFFERS; i++)
            spice_server_playback_put_samples(&f->playback, words[i]);
        assert_null(get(f, &count));
    }
    spice_server_playback_put_samples(&f->playback, words[0]); /* it has been given back */
}

static size_t play_one(struct fixture *f, struct sm_test_visitor *ear)
{
    uint32_t count, *words = get(f, &count);
    assert_non_null(words);
    for (uint32_t i = 0; i < count; i++)
        words[i] = i * 0x01230567;
    spice_server_playback_put_samples(&f->playback, words);
    return sm_test_visitor_await(ear, SM_MSG_PLAYBACK_DATA, NULL, 0);
}

static void compression_is_switched_while_it_plays(void **state)
{
    struct fixture *f = *state;
    spice_server_set_playback_rate(&f->playback, 48000);
    struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
    spice_server_playback_start(&f->playback);
    await_mode(&ear, SM_AUDIO_MODE_OPUS);
    assert_in_range(play_one(f, &ear), 5, 4 + FRAME);
    for (unsigned i = 0; i < 2; i++) {
        spice_server_set_playback_compression(f->server, 0);
        await_mode(&ear, SM_AUDIO_MODE_RAW);
        assert_int_equal(play_one(f, &ear), 4 + 4 * FRAME);
        spice_server_set_playback_compression(f->server, 1);
        await_mode(&ear, SM_AUDIO_MODE_OPUS);
        assert_in_range(play_one(f, &ear), 5, 4 + FRAME);
    }
    sm_test_visitor_close(&ear);
}

/* `count` frames of a client that does not pack them, the first with this number. */
static void say(struct sm_test_visitor *mouth, uint32_t first, uint32_t count)
{
    static uint8_t body[4 + 4 * BEGINS_WITH];
    for (uint32_t i = 0; i < 4 * count; i++)
        body[4 + i] = (uint8_t)((first + i / 4) >> 8 * (i % 4));
    sm_test_visitor_message(mouth, SM_MSGC_RECORD_DATA,
                            (struct sm_bytes){.data = body, .size = 4 + 4 * (size_t)count});
}

static void what_the_client_says_is_recorded(void **state)
{
    struct fixture *f = *state;
    static uint32_t words[2 * BEGINS_WITH];
    assert_int_equal(spice_server_record_get_samples(&f->record, words, 1), 0);
    spice_server_record_start(&f->record);
    assert_int_equal(spice_server_record_get_samples(&f->record, words, 1), 0);
    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    await(&mouth, SM_MSG_RECORD_START, "02000000 0100 80bb0000");
    sm_test_visitor_message(&mouth, SM_MSGC_RECORD_MODE, sm_test_hex("00000000 0100"));
    sm_test_visitor_message(&mouth, SM_MSGC_RECORD_START_MARK, sm_test_hex("00000000"));
    say(&mouth, 0, BEGINS_WITH - 1);
    assert_int_equal(spice_server_record_get_samples(&f->record, words, 2 * BEGINS_WITH), 0);
    say(&mouth, BEGINS_WITH - 1, 1);
    assert_int_equal(spice_server_record_get_samples(&f->record, words, 100), 100);
    assert_int_equal(spice_server_record_get_samples(&f->record, words + 100, BEGINS_WITH),
                     BEGINS_WITH - 100);
    for (uint32_t i = 0; i < BEGINS_WITH; i++)
        assert_int_equal(words[i], i);

    spice_server_record_stop(&f->record);
    await(&mouth, SM_MSG_RECORD_STOP, "");
    say(&mouth, 0, BEGINS_WITH); /* it has not heard of that */
    spice_server_record_start(&f->record);
    assert_int_equal(spice_server_record_get_samples(&f->record, words, 1), 0);
    sm_test_visitor_close(&mouth);
}

static void who_records_in_an_unknown_way_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    sm_test_visitor_message(&mouth, SM_MSGC_RECORD_MODE, sm_test_hex("00000000 0200"));
    sm_test_host_run(&f->host, 20);
    assert_true(sm_test_visitor_is_closed(&mouth));
    assert_int_equal(spice_server_get_num_clients(f->server), 1); /* that channel alone */
    sm_test_visitor_close(&mouth);
}

static void devices_go_while_clients_listen(void **state)
{
    struct fixture *f = *state;
    uint32_t count, *words, word;
    uint16_t level = 7;
    struct sm_test_visitor ear = open_channel(f, SM_CHANNEL_PLAYBACK);
    struct sm_test_visitor mouth = open_channel(f, SM_CHANNEL_RECORD);
    spice_server_playback_start(&f->playback);
    words = get(f, &count);
    assert_non_null(words);
    assert_int_equal(spice_server_remove_interface(&f->playback.base), 0);
    assert_int_equal(spice_server_remove_interface(&f->record.base), 0);
    assert_int_equal(spice_server_remove_interface(&f->playback.base), -1);
    assert_int_equal(spice_server_remove_interface(&f->record.base), -1);
    /* Nobody is there any more: all of this does nothing. */
    spice_server_playback_put_samples(&f->playback, words);
    spice_server_playback_start(&f->playback);
    spice_server_playback_stop(&f->playback);
    spice_server_playback_set_volume(&f->playback, 1, &level);
    spice_server_playback_set_mute(&f->playback, 1);
    spice_server_set_playback_rate(&f->playback, 8000);
    assert_null(get(f, &count));
    spice_server_record_start(&f->record);
    spice_server_record_stop(&f->record);
    spice_server_record_set_volume(&f->record, 1, &level);
    spice_server_record_set_mute(&f->record, 1);
    spice_server_set_record_rate(&f->record, 8000);
    assert_int_equal(spice_server_record_get_samples(&f->record, &word, 1), 0);
    sm_test_visitor_close(&ear);
    sm_test_visitor_close(&mouth);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_best_rate_is_48000_whoever_asks),
        T(volume_and_mute_are_told_both_ways),
        T(a_guest_that_sets_no_volume_may_mute),
        T(sound_has_the_rate_of_the_host),
        T(buffers_outlive_clients),
        T(compression_is_switched_while_it_plays),
        T(what_the_client_says_is_recorded),
        T(who_records_in_an_unknown_way_is_dropped),
        T(devices_go_while_clients_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
