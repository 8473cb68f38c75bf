/* SPDX-License-Identifier: MIT */
/* Both sound channels of a session, with a server of a few lines and a sound server of a few more,
 * whose device is a thread. */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/session_private.h"
#include "core/base/writer.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"

enum {
    PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, /* for what must happen */
    RATE = 48000,
    PERIOD = 96,
    PERIOD_US = 2000,
    LEVEL = 8000, /* of what is played */
};

/* ---- A sound server ---- */

/** What the test sees of it; reset by connect_to(). */
static struct desk {
    atomic_int opened, closed, lost; /* streams */
    atomic_int last;                 /* sample that was played */
    atomic_bool refuses, breaks;     /* opens none; ends the ones there are */
    atomic_uint rate_hz;
    atomic_int given; /* sample that the microphone hears */
} desk;

struct sm_sound_stream {
    struct sm_sound_stream_config config;
    pthread_t thread;
    atomic_bool is_over, is_active;
};

static void *run_device(void *opaque)
{
    struct sm_sound_stream *stream = opaque;
    int16_t samples[PERIOD * 8];
    while (!atomic_load(&stream->is_over)) {
        (void)usleep(PERIOD_US);
        if (atomic_exchange(&desk.breaks, false)) {
            atomic_fetch_add(&desk.lost, 1);
            stream->config.lost(stream->config.opaque);
            return NULL;
        }
        if (!atomic_load(&stream->is_active))
            continue;
        for (uint32_t i = 0; i < PERIOD * stream->config.channels; i++)
            samples[i] = (int16_t)atomic_load(&desk.given);
        stream->config.run(stream->config.opaque, samples, PERIOD, 5000);
        if (!stream->config.is_input)
            atomic_store(&desk.last, samples[0]);
    }
    return NULL;
}

static enum sm_status open_device(struct sm_sound_stream **out,
                                  const struct sm_sound_stream_config *config, char *why,
                                  size_t why_size)
{
    if (atomic_load(&desk.refuses)) {
        (void)snprintf(why, why_size, "it does not want to");
        return SM_ERR_IO;
    }
    struct sm_sound_stream *stream = calloc(1, sizeof(*stream));
    assert_non_null(stream);
    stream->config = *config;
    atomic_store(&desk.rate_hz, config->rate_hz);
    assert_int_equal(pthread_create(&stream->thread, NULL, run_device, stream), 0);
    atomic_fetch_add(&desk.opened, 1);
    *out = stream;
    return SM_OK;
}

static void set_device(struct sm_sound_stream *stream, bool is_active)
{
    atomic_store(&stream->is_active, is_active);
}

static void close_device(struct sm_sound_stream *stream)
{
    atomic_store(&stream->is_over, true);
    pthread_join(stream->thread, NULL);
    free(stream);
    atomic_fetch_add(&desk.closed, 1);
}

static const struct sm_sound_ops DEVICE = {
    .name = "a thread", .open = open_device, .set_active = set_device, .destroy = close_device};

/* ---- The client ---- */

static struct sm_session *connect_to(const struct fake_server *server, enum sm_sound_use use)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), NULL), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    memset(&desk, 0, sizeof(desk));
    session->sound.ops = &DEVICE;
    sm_check_status(sm_session_use_sound(session, use, use), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    sm_check_status(sm_session_use_sound(session, use, use), SM_ERR_STATE);
    return session;
}

/* Waits until `expression` holds; it is looked at again and again. */
#define AWAIT(expression)                                                                          \
    do {                                                                                           \
        int await_ms = 0;                                                                          \
        for (; !(expression) && await_ms < PATIENCE_MS; await_ms++)                                \
            (void)usleep(1000);                                                                    \
        if (await_ms >= PATIENCE_MS)                                                               \
            fail_msg("in vain: %s", #expression);                                                  \
    } while (0)

static struct sm_sound_info playback_of(struct sm_session *session)
{
    struct sm_sound_info info;
    sm_session_get_playback(session, &info);
    return info;
}

static struct sm_sound_info recording_of(struct sm_session *session)
{
    struct sm_sound_info info;
    sm_session_get_recording(session, &info);
    return info;
}

/* ---- What the server says ---- */

static void send_mode(struct fake_peer *peer, uint16_t mode)
{
    fake_send_playback(
        peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_MODE, .mode = {.mode = mode}});
}

static void send_start(struct fake_peer *peer, uint32_t channels, uint32_t rate_hz)
{
    fake_send_playback(peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_START,
                                                       .start = {.channels = channels,
                                                                 .format = SM_AUDIO_FORMAT_S16,
                                                                 .frequency = rate_hz}});
}

static void send_data(struct fake_peer *peer, const void *data, size_t size)
{
    fake_send_playback(peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_DATA,
                                                       .data = {.data = {data, size}}});
}

static void send_stop(struct fake_peer *peer)
{
    fake_send_playback(peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_STOP});
}

/* A level that does not change, a hundredth of a second of it. */
static void send_a_level(struct fake_peer *peer)
{
    int16_t samples[2 * RATE / 100];
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        samples[i] = LEVEL;
    send_data(peer, samples, sizeof(samples));
    (void)usleep(10000);
}

/* Until the test, which looks at it, has seen enough. */
static void send_level_until(struct fake_peer *peer, int step)
{
    while (!fake_is_step_reached(peer, step))
        send_a_level(peer);
}

static struct fake_script script_of(void (*sound)(struct fake_peer *peer))
{
    return (struct fake_script){
        .channels = {{SM_CHANNEL_PLAYBACK, 0}, {SM_CHANNEL_RECORD, 0}},
        .channel_count = 2,
        .sound = sound,
    };
}

/* ---- Playing ---- */

static void play_three_samples(struct fake_peer *peer)
{
    static const int16_t FIRST[] = {1, -1, 2, -2}, SECOND[] = {30, 31, 32};
    if (peer->type == SM_CHANNEL_PLAYBACK) {
        send_start(peer, 2, 44100);
        send_data(peer, FIRST, sizeof(FIRST));
        fake_wait_step(peer, 0);
        send_stop(peer);
        send_start(peer, 1, 8000);
        send_data(peer, SECOND, sizeof(SECOND));
    }
    fake_drain(peer);
}

static uint32_t take(struct sm_session *session, struct sm_sound_format *format, int16_t *samples,
                     uint32_t room)
{
    uint32_t count = 0;
    AWAIT((count = sm_session_take_sound(session, format, samples, room)) > 0);
    return count;
}

static void a_program_takes_the_very_samples(void **state)
{
    (void)state;
    struct fake_script script = script_of(play_three_samples);
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server, SM_SOUND_PROGRAM);
    struct sm_event event;
    do
        assert_true(sm_session_wait_event(session, PATIENCE_MS, &event));
    while (event.kind != SM_EVENT_SOUND_DATA);
    assert_int_equal(event.channel, SM_CHANNEL_KIND_PLAYBACK);
    struct sm_sound_format format;
    int16_t samples[8 * SM_SOUND_LEVELS_MAX];
    assert_int_equal(take(session, &format, samples, 1), 1);
    assert_int_equal(format.rate_hz, 44100);
    assert_int_equal(format.channels, 2);
    assert_int_equal(samples[0], 1);
    assert_int_equal(samples[1], -1);
    assert_int_equal(take(session, &format, samples, 8), 1);
    assert_int_equal(samples[1], -2);
    struct sm_sound_info info = playback_of(session);
    assert_true(info.is_open && info.is_running && !info.is_opus);
    struct fake_peer any = {.server = server};
    fake_step(&any, 0);
    assert_int_equal(take(session, &format, samples, 8), 3);
    assert_int_equal(format.rate_hz, 8000);
    assert_int_equal(format.channels, 1);
    assert_int_equal(samples[2], 32);
    assert_int_equal(atomic_load(&desk.opened), 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void play_until_told(struct fake_peer *peer)
{
    static const uint16_t LEVELS[] = {SM_SOUND_LEVEL_FULL / 2, SM_SOUND_LEVEL_FULL / 2};
    if (peer->type == SM_CHANNEL_PLAYBACK) {
        send_start(peer, 2, RATE);
        send_level_until(peer, 0);
        fake_send_playback(
            peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_VOLUME,
                                            .volume = {.num_volume = 2, .volume = LEVELS}});
        send_level_until(peer, 1);
        fake_send_playback(
            peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_MUTE, .mute = {.mute = 1}});
        send_level_until(peer, 2);
        fake_send_playback(
            peer, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_MUTE, .mute = {.mute = 0}});
        send_level_until(peer, 3);
        send_stop(peer);
    }
    fake_drain(peer);
}

static void the_desktop_plays_as_loud_as_guest_and_user_want(void **state)
{
    (void)state;
    struct fake_script script = script_of(play_until_told);
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server, SM_SOUND_DESKTOP);
    struct fake_peer any = {.server = server};
    AWAIT(atomic_load(&desk.last) == LEVEL);
    assert_int_equal(atomic_load(&desk.rate_hz), RATE);
    assert_string_equal(playback_of(session).server, "a thread");
    assert_in_range(playback_of(session).delay_us, 5000, UINT32_MAX);
    fake_step(&any, 0);
    AWAIT(atomic_load(&desk.last) == LEVEL / 8); /* the cube of a half */
    assert_int_equal(playback_of(session).level_count, 2);
    fake_step(&any, 1);
    AWAIT(atomic_load(&desk.last) == 0);
    AWAIT(playback_of(session).is_guest_muted);
    fake_step(&any, 2);
    AWAIT(atomic_load(&desk.last) == LEVEL / 8);
    sm_session_mute_playback(session, true);
    AWAIT(atomic_load(&desk.last) == 0);
    assert_true(playback_of(session).is_muted);
    sm_session_mute_playback(session, false);
    AWAIT(atomic_load(&desk.last) == LEVEL / 8);
    sm_session_set_playback_level(session, 0);
    AWAIT(atomic_load(&desk.last) == 0);
    fake_step(&any, 3);
    AWAIT(!playback_of(session).is_running);
    sm_session_destroy(session);
    assert_int_equal(atomic_load(&desk.opened), atomic_load(&desk.closed));
    fake_server_stop(server);
}

static void play_on(struct fake_peer *peer)
{
    if (peer->type == SM_CHANNEL_PLAYBACK) {
        send_start(peer, 2, RATE);
        send_level_until(peer, 0);
    }
    fake_drain(peer);
}

static void a_sound_server_that_goes_away_is_found_again(void **state)
{
    (void)state;
    struct fake_script script = script_of(play_on);
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server, SM_SOUND_DESKTOP);
    AWAIT(atomic_load(&desk.last) == LEVEL);
    atomic_store(&desk.breaks, true);
    AWAIT(atomic_load(&desk.lost) == 1);
    AWAIT(atomic_load(&desk.closed) == 1);
    atomic_store(&desk.last, 0);
    AWAIT(atomic_load(&desk.last) == LEVEL);
    assert_int_equal(atomic_load(&desk.opened), 2);
    sm_session_destroy(session); /* in the middle of it */
    assert_int_equal(atomic_load(&desk.closed), 2);
    fake_server_stop(server);
}

static atomic_int warnings;

static void count_warnings(void *opaque, enum sm_session_log_level level, const char *text)
{
    (void)opaque;
    if (level == SM_SESSION_LOG_WARNING && strstr(text, "it does not want to"))
        atomic_fetch_add(&warnings, 1);
}

static void start_twice(struct fake_peer *peer)
{
    if (peer->type == SM_CHANNEL_PLAYBACK)
        for (int i = 0; i < 2; i++) {
            send_start(peer, 2, RATE);
            for (int part = 0; part < 3; part++)
                send_a_level(peer);
            send_stop(peer);
        }
    fake_step(peer, 3);
    fake_drain(peer);
}

static void without_a_sound_server_the_session_goes_on_and_says_so_once(void **state)
{
    (void)state;
    struct fake_script script = script_of(start_twice);
    struct fake_server *server = fake_server_start(&script);
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct fake_peer any = {.server = server};
    memset(&desk, 0, sizeof(desk));
    atomic_store(&desk.refuses, true);
    atomic_store(&warnings, 0);
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), NULL), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    session->sound.ops = &DEVICE;
    sm_check_status(sm_session_use_sound(session, SM_SOUND_DESKTOP, SM_SOUND_OFF), SM_OK);
    sm_check_status(sm_session_set_log(session, count_warnings, NULL, SM_SESSION_LOG_DEBUG), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    fake_wait_step(&any, 3);
    AWAIT(playback_of(session).frames == 6 * RATE / 100);
    AWAIT(!playback_of(session).is_running);
    assert_int_equal(atomic_load(&warnings), 1);
    assert_string_equal(playback_of(session).problem, "a thread: it does not want to");
    assert_null(playback_of(session).server);
    assert_true(playback_of(session).is_open);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- A server that means harm ---- */

static uint32_t hostile_channels, hostile_rate;
static uint16_t hostile_format;

/* By hand: what builds messages refuses to build such ones. */
static void start_absurdly(struct fake_peer *peer)
{
    bool is_playback = peer->type == SM_CHANNEL_PLAYBACK;
    struct sm_writer w;
    sm_writer_init(&w, 64);
    sm_put_le32(&w, hostile_channels);
    sm_put_le16(&w, hostile_format);
    sm_put_le32(&w, hostile_rate);
    if (is_playback)
        sm_put_le32(&w, 0);
    fake_send(peer, is_playback ? SM_MSG_PLAYBACK_START : SM_MSG_RECORD_START, sm_writer_bytes(&w));
    sm_writer_finish(&w);
    fake_drain(peer);
}

static void absurd_sound_ends_its_channel_and_nothing_else(void **state)
{
    (void)state;
    static const uint32_t BAD[][3] = {{0, 1, RATE},       {9, 1, RATE}, {UINT32_MAX, 1, RATE},
                                      {2, 1, UINT32_MAX}, {2, 1, 0},    {2, 7, RATE}};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        hostile_channels = BAD[i][0];
        hostile_format = (uint16_t)BAD[i][1];
        hostile_rate = BAD[i][2];
        struct fake_script script = script_of(start_absurdly);
        struct fake_server *server = fake_server_start(&script);
        struct sm_session *session = connect_to(server, SM_SOUND_DESKTOP);
        struct sm_event event;
        for (int closed = 0; closed < 2;) {
            assert_true(sm_session_wait_event(session, PATIENCE_MS, &event));
            assert_int_not_equal(event.kind, SM_EVENT_CLOSED);
            if (event.kind == SM_EVENT_CHANNEL_CLOSED) {
                assert_true(event.error->cause[0]);
                closed++;
            }
        }
        struct sm_session_info info;
        sm_session_get_info(session, &info);
        assert_true(info.is_connected);
        assert_int_equal(atomic_load(&desk.opened), 0);
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

static void play_nonsense(struct fake_peer *peer)
{
    static const uint8_t NOISE[] = {0xff, 0xfe, 1, 2, 3};
    if (peer->type == SM_CHANNEL_PLAYBACK) {
        send_mode(peer, 2); /* obsolete */
        send_start(peer, 2, RATE);
        send_data(peer, NOISE, sizeof(NOISE));
        send_stop(peer);
        send_mode(peer, SM_AUDIO_MODE_OPUS);
        send_start(peer, 2, 44100); /* which Opus does not have */
        send_data(peer, NOISE, sizeof(NOISE));
        send_stop(peer);
        send_start(peer, 2, RATE);
        send_data(peer, NOISE, sizeof(NOISE));
        send_data(peer, NOISE, 0);
        send_stop(peer);
        send_mode(peer, SM_AUDIO_MODE_RAW);
        send_start(peer, 2, RATE);
        send_data(peer, NOISE, sizeof(NOISE)); /* one frame and a quarter */
        send_level_until(peer, 0);
    }
    fake_drain(peer);
}

static void what_cannot_be_decoded_is_silence(void **state)
{
    (void)state;
    struct fake_script script = script_of(play_nonsense);
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server, SM_SOUND_DESKTOP);
    AWAIT(atomic_load(&desk.last) == LEVEL);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Recording ---- */

/** What the server was sent by the record channel. */
static struct {
    atomic_uint modes, marks, frames, loud_frames;
    atomic_int last;
} heard;

static void hear(struct fake_peer *peer, unsigned frames)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    for (unsigned count = 0; count < frames && fake_read(peer, &type, &body, &size); free(body)) {
        if (type == SM_MSGC_RECORD_MODE)
            atomic_fetch_add(&heard.modes, 1);
        if (type == SM_MSGC_RECORD_START_MARK)
            atomic_fetch_add(&heard.marks, 1);
        if (type != SM_MSGC_RECORD_DATA)
            continue;
        assert_int_equal(size, 4 + 480 * 2 * 2);
        int16_t sample = (int16_t)(body[4] | body[5] << 8);
        atomic_store(&heard.last, sample);
        atomic_fetch_add(&heard.frames, 1);
        atomic_fetch_add(&heard.loud_frames, sample != 0);
        count++;
    }
}

static void send_record_start(struct fake_peer *peer)
{
    fake_send_record(
        peer, &(struct sm_record_msg){
                  .type = SM_MSG_RECORD_START,
                  .start = {.channels = 2, .format = SM_AUDIO_FORMAT_S16, .frequency = RATE}});
}

static void record_twice(struct fake_peer *peer)
{
    static const uint16_t LEVELS[] = {SM_SOUND_LEVEL_FULL, SM_SOUND_LEVEL_FULL / 2};
    if (peer->type == SM_CHANNEL_RECORD) {
        fake_wait_step(peer, 0);
        send_record_start(peer);
        hear(peer, 20);
        fake_send_record(peer, &(struct sm_record_msg){.type = SM_MSG_RECORD_STOP});
        fake_wait_step(peer, 1);
        fake_send_record(peer,
                         &(struct sm_record_msg){.type = SM_MSG_RECORD_VOLUME,
                                                 .volume = {.num_volume = 2, .volume = LEVELS}});
        send_record_start(peer);
        hear(peer, UINT32_MAX);
    }
    fake_drain(peer);
}

static void the_microphone_is_open_while_guest_and_user_want(void **state)
{
    (void)state;
    struct fake_script script = script_of(record_twice);
    struct fake_server *server = fake_server_start(&script);
    memset(&heard, 0, sizeof(heard));
    struct sm_session *session = connect_to(server, SM_SOUND_DESKTOP);
    struct fake_peer any = {.server = server};
    atomic_store(&desk.given, 77);
    AWAIT(recording_of(session).is_open);
    assert_int_equal(atomic_load(&desk.opened), 0);
    fake_step(&any, 0);
    AWAIT(recording_of(session).is_capturing);
    AWAIT(atomic_load(&heard.last) == 77);
    AWAIT(atomic_load(&desk.closed) == 1); /* the guest has stopped */
    AWAIT(!recording_of(session).is_capturing);
    assert_int_equal(atomic_load(&heard.modes), 1);
    assert_int_equal(atomic_load(&heard.marks), 1);
    sm_session_mute_recording(session, true);
    fake_step(&any, 1);
    AWAIT(recording_of(session).is_running);
    unsigned frames = atomic_load(&heard.frames);
    AWAIT(atomic_load(&heard.frames) > frames + 10); /* silence, in time */
    assert_int_equal(atomic_load(&heard.last), 0);
    assert_int_equal(atomic_load(&desk.opened), 1);
    sm_session_mute_recording(session, false);
    AWAIT(atomic_load(&heard.last) == 77);
    sm_session_mute_recording(session, true);
    AWAIT(atomic_load(&desk.closed) == 2);
    AWAIT(atomic_load(&heard.last) == 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void a_program_gives_what_is_recorded(void **state)
{
    (void)state;
    struct fake_script script = script_of(record_twice);
    struct fake_server *server = fake_server_start(&script);
    memset(&heard, 0, sizeof(heard));
    struct sm_session *session = connect_to(server, SM_SOUND_PROGRAM);
    struct fake_peer any = {.server = server};
    struct sm_sound_format format = {.rate_hz = RATE, .channels = 2};
    int16_t samples[2 * 100];
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        samples[i] = 1234;
    sm_check_status(sm_session_give_sound(session, &format, samples, 100), SM_ERR_STATE);
    AWAIT(recording_of(session).is_open);
    sm_check_status(sm_session_give_sound(session, &format, samples, 100), SM_ERR_STATE);
    fake_step(&any, 0);
    AWAIT(recording_of(session).is_running);
    assert_int_equal(recording_of(session).format.rate_hz, RATE);
    assert_int_equal(recording_of(session).format.channels, 2);
    /* Frames of half the size would be read beyond their end. */
    format.channels = 1;
    sm_check_status(sm_session_give_sound(session, &format, samples, 100), SM_ERR_STATE);
    format.channels = 2;
    while (atomic_load(&heard.loud_frames) < 4) {
        /* The guest may have stopped in between: silence counts, too. */
        (void)!sm_session_give_sound(session, &format, samples, 100);
        (void)usleep(1000);
    }
    assert_int_equal(atomic_load(&heard.last) == 1234 || atomic_load(&heard.last) == 0, true);
    assert_int_equal(atomic_load(&desk.opened), 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_takes_the_very_samples),
        cmocka_unit_test(the_desktop_plays_as_loud_as_guest_and_user_want),
        cmocka_unit_test(a_sound_server_that_goes_away_is_found_again),
        cmocka_unit_test(without_a_sound_server_the_session_goes_on_and_says_so_once),
        cmocka_unit_test(absurd_sound_ends_its_channel_and_nothing_else),
        cmocka_unit_test(what_cannot_be_decoded_is_silence),
        cmocka_unit_test(the_microphone_is_open_while_guest_and_user_want),
        cmocka_unit_test(a_program_gives_what_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
