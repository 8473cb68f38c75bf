/* SPDX-License-Identifier: MIT */
/* A machine that moves with the session as it is, between two servers of our own making. */
#include "tests/support/check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "core/codec/encoder.h"
#include "core/wire/frame.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/client/sessions.h"

enum {
    /* Steps of the source: */
    STEP_BEGIN,    /* everything is open: the machine is about to move */
    STEP_ANSWERED, /* the client has said that it is ready */
    STEP_MOVE,     /* the machine has moved */
    /* Of the target: */
    STEP_ARRIVED, /* main has come with its data */
    STEP_KEY,     /* a key has come */
    STEP_GONE,    /* main has closed */
    KEY_A = 0x1e,
    EDGE = 256, /* of images that take longer to decode than to send */
    IMAGES = 24,
};

static uint16_t target_port;
static atomic_uint answer;               /* of the client to the source */
static atomic_bool has_changed_its_mind; /* the source: nobody moves */
static uint16_t target_word;             /* ACK or NACK */
static atomic_bool is_abrupt;            /* the source's display closes with its last word */

/* Scripts run on threads of their own, where a test's assertions are at home no more. */
static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "migration: %s\n", what);
    abort();
}

/* ---- The source ---- */

static void send_main(struct fake_peer *peer, uint16_t type)
{
    fake_send_main(peer, &(struct sm_main_msg){.type = type});
}

static void say_where(struct fake_peer *peer)
{
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS};
    static const char host[] = "127.0.0.1";
    msg.migrate_begin_seamless.dst.port = target_port;
    msg.migrate_begin_seamless.dst.host = (struct sm_bytes){(const uint8_t *)host, sizeof(host)};
    msg.migrate_begin_seamless.src_mig_version = 1;
    fake_send_main(peer, &msg);
}

static void say_who(struct fake_peer *peer)
{
    struct sm_person us = {.number = 1, .flags = SM_PERSON_FLAGS_YOU | SM_PERSON_FLAGS_HOLDER};
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_PEOPLE};
    msg.people.num_people = 1;
    msg.people.people = &us;
    fake_send_main(peer, &msg);
}

/* Hands the channel on: the mark is the client's last word here. */
static void let_go(struct fake_peer *peer)
{
    static const uint8_t flags[] = {3, 0, 0, 0};
    uint8_t state[] = {'s', 't', 'a', 't', 'e', peer->type};
    fake_send(peer, SM_MSG_MIGRATE, (struct sm_bytes){flags, sizeof(flags)});
    uint16_t type = 0;
    uint8_t *body;
    uint32_t size;
    while (type != SM_MSGC_MIGRATE_FLUSH_MARK && fake_read(peer, &type, &body, &size))
        free(body);
    fake_send(peer, SM_MSG_MIGRATE_DATA, (struct sm_bytes){state, sizeof(state)});
    must(!fake_read(peer, &type, &body, &size), "a message behind the mark");
}

static void source_main(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    say_who(peer);
    fake_wait_step(peer, STEP_BEGIN);
    say_where(peer);
    if (!fake_read(peer, &type, &body, &size))
        return;
    free(body);
    atomic_store(&answer, type);
    fake_step(peer, STEP_ANSWERED);
    fake_wait_step(peer, STEP_MOVE);
    if (type == SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS && !atomic_load(&has_changed_its_mind))
        let_go(peer);
    else if (type == SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS)
        send_main(peer, SM_MSG_MAIN_MIGRATE_CANCEL);
    fake_drain(peer);
}

static void encode_plain(struct sm_writer *data)
{
    static const uint32_t pixels[EDGE * EDGE];
    const struct sm_pixels_in in = {
        .format = SM_PIXEL_XRGB32,
        .width = EDGE,
        .height = EDGE,
        .is_top_down = true,
        .stride_bytes = EDGE * 4,
        .data = {(const uint8_t *)pixels, sizeof(pixels)},
    };
    enum sm_image_codec codec = SM_CODEC_QUIC;
    const struct sm_encoder_config config = {0};
    struct sm_encoder *encoder = NULL;
    struct sm_encoded info;
    sm_writer_init(data, 1 << 20);
    must(sm_encoder_create(&encoder, &config) == SM_OK, "no encoder");
    must(sm_image_encode(encoder, &codec, &in, &info, data) == SM_OK, "no image");
    sm_encoder_destroy(encoder);
}

static void put_copy(struct sm_writer *w, const struct sm_image *image)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = WHOLE;
    msg.draw_copy.src_bitmap = image;
    msg.draw_copy.src_area = (struct sm_rect){0, 0, EDGE, EDGE};
    msg.draw_copy.ropd = SM_ROPD_OP_PUT;
    struct sm_writer body;
    sm_writer_init(&body, 1 << 20);
    must(sm_display_msg_build(&body, &msg) == SM_OK, "no message");
    sm_frame_build(w, &(struct sm_frame){.type = msg.type, .size = (uint32_t)body.size}, true);
    sm_put_bytes(w, sm_writer_bytes(&body));
    sm_writer_finish(&body);
}

/* Hands the display on behind images that are still being decoded when it has closed: it asks for
 * no mark, so it waits for nothing. All in one piece, so that there is something to look ahead to.
 */
static void go_abruptly(struct fake_peer *peer)
{
    struct sm_writer data, w;
    encode_plain(&data);
    const struct sm_image image = {
        .type = SM_IMAGE_TYPE_QUIC, .width = EDGE, .height = EDGE, .data = sm_writer_bytes(&data)};
    sm_writer_init(&w, 1 << 20);
    for (unsigned i = 0; i < IMAGES; i++)
        put_copy(&w, &image);
    sm_frame_build(&w, &(struct sm_frame){.type = SM_MSG_MIGRATE, .size = 4}, true);
    sm_put_le32(&w, 0);
    must(send(peer->fd, w.data, w.size, MSG_NOSIGNAL) == (ssize_t)w.size, "not in one piece");
    sm_writer_finish(&w);
    sm_writer_finish(&data);
    (void)shutdown(peer->fd, SHUT_RDWR);
}

static void source_display(struct fake_peer *peer)
{
    begin_display(peer);
    fake_wait_step(peer, STEP_MOVE);
    if (atomic_load(&is_abrupt)) {
        go_abruptly(peer);
        return;
    }
    if (!atomic_load(&has_changed_its_mind))
        let_go(peer);
    else
        send_fill(peer, RED);
    fake_drain(peer);
}

static void source_inputs(struct fake_peer *peer)
{
    fake_send_inputs(peer, &(struct sm_inputs_msg){.type = SM_MSG_INPUTS_INIT});
    fake_wait_step(peer, STEP_MOVE);
    if (!atomic_load(&has_changed_its_mind))
        let_go(peer);
    fake_drain(peer);
}

/* ---- The target ---- */

static bool take_state(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    if (!fake_read(peer, &type, &body, &size))
        return false; /* it went back */
    must(peer->session_id == FAKE_SESSION_ID, "another session");
    must(type == SM_MSGC_MIGRATE_DATA && size == 6, "no data at first");
    must(memcmp(body, "state", 5) == 0 && body[5] == peer->type, "the data of somebody else");
    free(body);
    return true;
}

static void target_main(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    if (!fake_read(peer, &type, &body, &size))
        return;
    must(type == SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS && size == 4 && body[0] == 1, "no question");
    free(body);
    fake_send(peer, target_word, (struct sm_bytes){0});
    if (take_state(peer))
        fake_step(peer, STEP_ARRIVED);
    fake_drain(peer);
    fake_step(peer, STEP_GONE);
}

/* The surface is the source's: it is not made again. */
static void target_display(struct fake_peer *peer)
{
    if (atomic_load(&is_abrupt) || take_state(peer))
        send_fill(peer, GREEN);
    fake_drain(peer);
}

static void target_inputs(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    if (!take_state(peer))
        return;
    while (fake_read(peer, &type, &body, &size)) {
        if (type == SM_MSGC_INPUTS_KEY_DOWN && body[0] == KEY_A)
            fake_step(peer, STEP_KEY);
        free(body);
    }
}

/* ---- Both ---- */

struct move {
    struct fake_server *source, *target;
    struct sm_session *session;
};

static struct move begin(uint16_t word, bool moves)
{
    struct move move;
    struct fake_script source = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_INPUTS, 0}},
                                 .channel_count = 2,
                                 .main_caps =
                                     1u << SM_MAIN_CAP_SEAMLESS_MIGRATE | 1u << SM_MAIN_CAP_PEOPLE,
                                 .display = source_display,
                                 .inputs = source_inputs,
                                 .main_too = source_main};
    struct fake_script target = {.is_tcp = true,
                                 .main_caps = 1u << SM_MAIN_CAP_SEAMLESS_MIGRATE,
                                 .arrival = target_main,
                                 .display = target_display,
                                 .inputs = target_inputs};
    atomic_store(&answer, 0);
    atomic_store(&has_changed_its_mind, !moves);
    target_word = word;
    move.target = fake_server_start(&target);
    target_port = fake_server_port(move.target);
    move.source = fake_server_start(&source);
    move.session = connect_to(move.source);
    return move;
}

static void finish(struct move *move)
{
    sm_session_close(move->session);
    check_closed(move->session, SM_ERROR_NONE);
    sm_session_destroy(move->session);
    fake_server_stop(move->source);
    fake_server_stop(move->target);
}

/* The source has its answer. What opens after it has asked has no link to go by. */
static unsigned prepare(struct move *move)
{
    await_channel(move->session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    await_pixel(move->session, 0, BLUE);
    fake_server_step(move->source, STEP_BEGIN);
    fake_server_wait_step(move->source, STEP_ANSWERED);
    return atomic_load(&answer);
}

static void every_channel_goes_on_with_its_state(void **state)
{
    (void)state;
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, true);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS);
    assert_true(sm_session_knows_people(move.session));
    fake_server_step(move.source, STEP_MOVE);
    do /* the target knows none; the source told of them, too */
        await_event(move.session, SM_EVENT_PEOPLE);
    while (sm_session_knows_people(move.session));
    await_pixel(move.session, 0, GREEN);
    fake_server_wait_step(move.target, STEP_ARRIVED);
    sm_check_status(sm_session_send_key(move.session, KEY_A, true), SM_OK);
    fake_server_wait_step(move.target, STEP_KEY);
    finish(&move);
}

static void a_source_that_closes_behind_its_images_is_followed(void **state)
{
    (void)state;
    atomic_store(&is_abrupt, true);
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, true);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS);
    fake_server_step(move.source, STEP_MOVE);
    await_pixel(move.session, 0, GREEN);
    finish(&move);
    atomic_store(&is_abrupt, false);
}

static void a_source_that_changes_its_mind_keeps_us(void **state)
{
    (void)state;
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, false);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS);
    fake_server_step(move.source, STEP_MOVE);
    await_pixel(move.session, 0, RED);
    fake_server_wait_step(move.target, STEP_GONE); /* no link stays behind */
    finish(&move);
}

static void a_target_that_wants_to_begin_anew_is_believed(void **state)
{
    (void)state;
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK, false);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECTED);
    fake_server_step(move.source, STEP_MOVE);
    await_pixel(move.session, 0, RED);
    finish(&move);
}

static void a_target_that_says_something_else_is_none(void **state)
{
    (void)state;
    struct move move = begin(SM_MSG_MAIN_MIGRATE_CANCEL, false);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR);
    fake_server_step(move.source, STEP_MOVE);
    await_pixel(move.session, 0, RED);
    finish(&move);
}

/* A host that takes connections, and then is stopped: the source waits for our answer. */
static void a_target_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, false);
    target_port = ntohs(at.sin_port);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR);
    fake_server_step(move.source, STEP_MOVE);
    await_pixel(move.session, 0, RED); /* the old host goes on with us */
    finish(&move);
    (void)close(fd);
}

static void a_session_that_ends_on_the_way_ends(void **state)
{
    (void)state;
    struct move move = begin(SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, true);
    assert_int_equal(prepare(&move), SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS);
    fake_server_step(move.source, STEP_MOVE);
    sm_session_destroy(move.session); /* wherever its channels are by now */
    fake_server_stop(move.source);
    fake_server_stop(move.target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_channel_goes_on_with_its_state),
        cmocka_unit_test(a_source_that_closes_behind_its_images_is_followed),
        cmocka_unit_test(a_source_that_changes_its_mind_keeps_us),
        cmocka_unit_test(a_target_that_wants_to_begin_anew_is_believed),
        cmocka_unit_test(a_target_that_says_something_else_is_none),
        cmocka_unit_test(a_target_that_says_nothing_is_given_up),
        cmocka_unit_test(a_session_that_ends_on_the_way_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
