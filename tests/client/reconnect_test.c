/* SPDX-License-Identifier: MIT */
/* Lines that are lost and come back, against a server of our own making. */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/socket.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/client/sessions.h"

enum { KEY_A = 0x1e, KEY_B = 0x30 };

static struct sm_session *connect_again(const struct fake_server *server)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_reconnect(session, 600), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    return session;
}

/* How often a channel has been opened: each script is one server's life. */
static atomic_int main_count, display_count, inputs_count;

static void reset_counts(void)
{
    atomic_store(&main_count, 0);
    atomic_store(&display_count, 0);
    atomic_store(&inputs_count, 0);
}

/* The first connection ends when a test wants it to: step 0. */
static void end_first_main(struct fake_peer *peer)
{
    if (atomic_fetch_add(&main_count, 1) > 0)
        return;
    fake_wait_step(peer, 0);
    (void)shutdown(peer->fd, SHUT_RDWR);
}

/* Blue, and on the next connection green: first the surface alone, with step 1 the rest. */
static void blue_then_green(struct fake_peer *peer)
{
    if (atomic_fetch_add(&display_count, 1) == 0) {
        show_blue(peer);
        return;
    }
    send_surface(peer, SM_SURFACE_FORMAT_32_XRGB);
    send_fill(peer, GREEN);
    fake_wait_step(peer, 1);
    send_type(peer, SM_MSG_DISPLAY_MARK);
    fake_drain(peer);
}

static void the_last_picture_stays_until_there_is_a_new_one(void **state)
{
    (void)state;
    reset_counts();
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 1,
                                 .display = blue_then_green,
                                 .main_too = end_first_main};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_again(server);
    await_pixel(session, 0, BLUE);
    fake_server_step(server, 0);
    struct sm_event event = await_event(session, SM_EVENT_LINE_LOST);
    assert_int_equal(event.error->kind, SM_ERROR_CLOSED);
    assert_int_equal(pixel(session, 0, 1, 1), BLUE);
    await_event(session, SM_EVENT_LINE_BACK);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(pixel(session, 0, 1, 1), BLUE);
    struct sm_display_info info;
    assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
    assert_true(info.is_ready);
    fake_server_step(server, 1);
    await_pixel(session, 0, GREEN);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* What the second connection is told of the keys that were down on the first. */
static atomic_uint released_codes, pressed_count;

static void watch_keys(struct fake_peer *peer)
{
    bool is_first = atomic_fetch_add(&inputs_count, 1) == 0;
    struct sm_inputs_msg init = {.type = SM_MSG_INPUTS_INIT};
    fake_send_inputs(peer, &init);
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size)) {
        if (is_first && type == SM_MSGC_INPUTS_KEY_DOWN && body[0] == KEY_B)
            fake_step(peer, 0); /* both are down: the line may go */
        if (!is_first && type == SM_MSGC_INPUTS_KEY_DOWN)
            atomic_fetch_add(&pressed_count, 1);
        if (!is_first && type == SM_MSGC_INPUTS_KEY_UP && (body[0] & 0x7f) == KEY_A)
            atomic_fetch_or(&released_codes, 1);
        if (!is_first && type == SM_MSGC_INPUTS_KEY_UP && (body[0] & 0x7f) == KEY_B) {
            atomic_fetch_or(&released_codes, 2);
            fake_step(peer, 2);
        }
        free(body);
    }
}

static void keys_that_were_down_are_released(void **state)
{
    (void)state;
    reset_counts();
    atomic_store(&released_codes, 0);
    atomic_store(&pressed_count, 0);
    struct fake_script script = {.channels = {{SM_CHANNEL_INPUTS, 0}},
                                 .channel_count = 1,
                                 .inputs = watch_keys,
                                 .main_too = end_first_main};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_again(server);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    sm_check_status(sm_session_send_key(session, KEY_A, true), SM_OK);
    sm_check_status(sm_session_send_key(session, KEY_B, true), SM_OK);
    await_event(session, SM_EVENT_LINE_LOST);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    fake_server_wait_step(server, 2);
    assert_int_equal(atomic_load(&released_codes), 3);
    assert_int_equal(atomic_load(&pressed_count), 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void end_every_main(struct fake_peer *peer)
{
    atomic_fetch_add(&main_count, 1);
    (void)shutdown(peer->fd, SHUT_RDWR);
}

static void a_machine_that_others_want_is_left_to_them(void **state)
{
    (void)state;
    reset_counts();
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = end_every_main});
    struct sm_session *session = connect_again(server);
    check_closed(session, SM_ERROR_CLOSED);
    assert_int_equal(atomic_load(&main_count), 4);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static pthread_mutex_t holder_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_peer *holder; /* the main channel that has the machine */

/* As servers do that have one client: who comes takes the place of who is there. */
static void take_over(struct fake_peer *peer)
{
    pthread_mutex_lock(&holder_lock);
    if (holder)
        (void)shutdown(holder->fd, SHUT_RDWR);
    holder = peer;
    pthread_mutex_unlock(&holder_lock);
    fake_drain(peer);
    pthread_mutex_lock(&holder_lock);
    if (holder == peer)
        holder = NULL;
    pthread_mutex_unlock(&holder_lock);
}

static void who_came_last_keeps_the_machine(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = take_over});
    struct sm_session *older = connect_again(server);
    (void)await_event(older, SM_EVENT_CONNECTED);
    struct sm_session *newer = connect_again(server);
    for (int returns = 0; returns < 3; returns++)
        (void)await_event(newer, SM_EVENT_LINE_BACK);
    check_closed(older, SM_ERROR_CLOSED);
    sm_session_destroy(older);
    struct sm_event event;
    while (sm_session_wait_event(newer, 0, &event))
        assert_true(event.kind != SM_EVENT_CLOSED && event.kind != SM_EVENT_LINE_LOST);
    sm_session_destroy(newer);
    fake_server_stop(server);
}

static void a_first_connection_is_not_tried_again(void **state)
{
    (void)state;
    struct sm_session *session = create("spice+unix:///nowhere/at/all");
    sm_check_status(sm_session_set_reconnect(session, 600), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    check_closed(session, SM_ERROR_SOCKET);
    sm_session_destroy(session);
}

/* ---- Connections that the test itself brings ---- */

struct bringer {
    const char *path;
    atomic_int count;
    int allowed; /* then there are none */
};

static int bring(void *opaque, enum sm_channel_kind kind, uint8_t id, bool is_secure)
{
    struct bringer *bringer = opaque;
    assert_false(is_secure);
    assert_true(kind == SM_CHANNEL_KIND_MAIN || kind == SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(id, 0);
    int number = atomic_fetch_add(&bringer->count, 1), fd = -1;
    struct sm_socket_error why;
    if (number >= bringer->allowed || sm_socket_connect_unix(&fd, bringer->path, &why) != SM_OK)
        return -1;
    return fd;
}

static void descriptors_of_the_caller_are_used(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_blue};
    struct fake_server *server = fake_server_start(&script);
    struct bringer bringer = {.path = strchr(fake_server_uri(server), '/') + 2, .allowed = 2};
    struct sm_session *session = NULL;
    sm_check_status(sm_session_create(&session, NULL), SM_OK);
    struct sm_error error = {.kind = SM_ERROR_NONE};
    sm_check_status(sm_session_connect(session, &error), SM_ERR_STATE);
    assert_int_equal(error.kind, SM_ERROR_OPTION);
    sm_check_status(sm_session_set_connector(session, bring, &bringer), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    await_pixel(session, 0, BLUE);
    assert_int_equal(atomic_load(&bringer.count), 2);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void a_caller_without_descriptors_is_told_so(void **state)
{
    (void)state;
    struct bringer bringer = {.path = "/nowhere", .allowed = 0};
    struct sm_session *session = NULL;
    sm_check_status(sm_session_create(&session, NULL), SM_OK);
    sm_check_status(sm_session_set_connector(session, bring, &bringer), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    check_closed(session, SM_ERROR_SOCKET);
    sm_session_destroy(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_picture_stays_until_there_is_a_new_one),
        cmocka_unit_test(keys_that_were_down_are_released),
        cmocka_unit_test(a_machine_that_others_want_is_left_to_them),
        cmocka_unit_test(who_came_last_keeps_the_machine),
        cmocka_unit_test(a_first_connection_is_not_tried_again),
        cmocka_unit_test(descriptors_of_the_caller_are_used),
        cmocka_unit_test(a_caller_without_descriptors_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
