/* SPDX-License-Identifier: MIT */
/* Sessions against a server of our own making, which does what real ones rarely do. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/client/sessions.h"
#include "tests/support/failmalloc.h"

/* ---- Connecting ---- */

static void a_session_tells_what_the_server_told(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_PLAYBACK, 0}},
                                 .channel_count = 2,
                                 .display = show_blue};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_event(session, SM_EVENT_CONNECTED);
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    assert_true(info.is_connected);
    assert_int_equal(info.session_id, FAKE_SESSION_ID);
    assert_string_equal(info.name, "a fake? machine"); /* nothing that moves a terminal's cursor */
    assert_true(info.has_multi_media_time);

    struct sm_channel_info channels[8];
    assert_int_equal(sm_session_get_channels(session, channels, 8), 3);
    assert_int_equal(channels[0].kind, SM_CHANNEL_KIND_MAIN);
    assert_true(channels[0].is_open);
    assert_int_equal(channels[1].kind, SM_CHANNEL_KIND_DISPLAY);
    assert_true(channels[1].is_wanted);
    assert_int_equal(channels[2].kind, SM_CHANNEL_KIND_PLAYBACK);
    assert_false(channels[2].is_wanted);
    assert_int_equal(sm_session_get_channels(session, NULL, 0), 3);

    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_DISPLAY);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_get_info(session, &info);
    assert_false(info.is_connected);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void check_password(const struct fake_server *server, const char *password,
                           enum sm_error_kind expected)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_password(session, password), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    sm_check_status(sm_session_set_password(session, "late"), SM_ERR_STATE);
    sm_check_status(sm_session_connect(session, NULL), SM_ERR_STATE);
    if (expected == SM_ERROR_NONE)
        await_event(session, SM_EVENT_CONNECTED);
    else
        check_closed(session, expected);
    sm_session_destroy(session);
}

static void passwords_are_right_wrong_or_missing(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.password = "secret"});
    check_password(server, "secret", SM_ERROR_NONE);
    check_password(server, "Secret", SM_ERROR_PASSWORD_WRONG);
    check_password(server, "", SM_ERROR_PASSWORD_NEEDED);
    check_password(server, NULL, SM_ERROR_PASSWORD_NEEDED);
    fake_server_stop(server);
}

static void a_password_that_is_too_long_is_refused_at_once(void **state)
{
    (void)state;
    struct sm_session *session = create("spice+unix:///nowhere");
    char password[62];
    memset(password, 'x', 61);
    password[61] = 0;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    sm_check_status(sm_session_set_password(session, password), SM_OK);
    sm_check_status(sm_session_connect(session, &error), SM_ERR_LIMIT);
    assert_int_equal(error.kind, SM_ERROR_PASSWORD_WRONG);
    sm_session_destroy(session);
}

static void a_refusal_is_told_by_its_kind(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        enum sm_error_kind kind;
    } cases[] = {
        {SM_LINK_ERR_NEED_SECURED, SM_ERROR_TLS_NEEDED},
        {SM_LINK_ERR_NEED_UNSECURED, SM_ERROR_TLS_REFUSED},
        {SM_LINK_ERR_VERSION_MISMATCH, SM_ERROR_VERSION},
        {SM_LINK_ERR_INVALID_DATA, SM_ERROR_PROTOCOL},
        {SM_LINK_ERR_CHANNEL_NOT_AVAILABLE, SM_ERROR_NO_CHANNEL},
        {0x7fffffff, SM_ERROR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_server *server =
            fake_server_start(&(struct fake_script){.link_error = cases[i].code});
        struct sm_session *session = connect_to(server);
        check_closed(session, cases[i].kind);
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

static void a_silent_server_is_given_up_or_left_at_once(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.never_replies = true});
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_timeout(session, 100), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    check_closed(session, SM_ERROR_NOT_SPICE);
    sm_session_destroy(session);

    /* Its own patience is far longer than the test's. */
    session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_timeout(session, 24 * 3600 * 1000), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void a_session_that_was_not_connected_can_be_closed(void **state)
{
    (void)state;
    struct sm_session *session = create("spice://host:1");
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    sm_session_destroy(NULL);
}

/* The threads of a session count their own allocations; here it is the caller's turn. */
static void connect_without_memory(void *context)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    if (sm_address_parse(&address, context, NULL) != SM_OK)
        return;
    if (sm_session_create(&session, address) == SM_OK) {
        struct sm_error error = {.kind = SM_ERROR_NONE};
        enum sm_status status = sm_session_set_password(session, "secret");
        if (status == SM_OK)
            status = sm_session_connect(session, &error);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
        if (status != SM_OK && error.kind != SM_ERROR_NONE)
            assert_int_equal(error.kind, SM_ERROR_NOMEM);
        sm_session_destroy(session);
    }
    sm_address_destroy(address);
}

static void every_failing_allocation_of_the_caller_is_survived(void **state)
{
    (void)state;
    char missing[] = "spice+unix:///does/not/exist?";
    sm_failmalloc_each(connect_without_memory, missing);
}

static void a_wake_ends_a_wait_without_an_event(void **state)
{
    (void)state;
    struct sm_session *session = create("spice://host:1");
    struct sm_event event;
    sm_session_wake(session);
    assert_false(sm_session_wait_event(session, -1, &event)); /* or it would wait for ever */
    assert_false(sm_session_wait_event(session, 10, &event)); /* one wake, one end */
    sm_session_destroy(session);
}

/* ---- Channels that end ---- */

/* After the client's first message: one that could not be written would end the channel, too. */
static void end_display(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body = NULL;
    uint32_t size;
    begin_display(peer);
    (void)fake_read(peer, &type, &body, &size);
    free(body);
}

static void a_channel_may_end_without_the_session(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_INPUTS, 0}},
                                 .channel_count = 2,
                                 .display = end_display,
                                 .inputs = fake_drain};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_event event =
        await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(event.error->kind, SM_ERROR_CLOSED);
    assert_int_equal(pixel(session, 0, 1, 1), BLUE); /* the last picture stays */
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    assert_true(info.is_connected);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void end_main(struct fake_peer *peer)
{
    fake_wait_step(peer, 0);
    (void)shutdown(peer->fd, 2);
}

static void show_then_end_main(struct fake_peer *peer)
{
    begin_display(peer);
    fake_step(peer, 0);
    fake_drain(peer);
}

static void list_again(struct fake_peer *peer)
{
    static const char text[] = "listed again";
    struct sm_channel_id channels[] = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_INPUTS, 0}};
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_CHANNELS_LIST};
    msg.channels_list.num_channels = 2;
    msg.channels_list.channels = channels;
    fake_wait_step(peer, 0);
    fake_send_main(peer, &msg);
    msg = (struct sm_main_msg){.type = SM_MSG_NOTIFY};
    msg.notify.message = (struct sm_bytes){(const uint8_t *)text, sizeof(text) - 1};
    fake_send_main(peer, &msg);
    fake_drain(peer);
}

static void what_is_open_stays_open_when_it_is_listed_again(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_INPUTS, 0}},
                                 .channel_count = 2,
                                 .display = show_blue,
                                 .main_too = list_again};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    await_pixel(session, 0, BLUE);
    fake_server_step(server, 0);
    struct sm_event event;
    do {
        assert_true(sm_session_wait_event(session, PATIENCE_MS, &event));
        assert_int_not_equal(event.kind, SM_EVENT_CHANNEL_CLOSED);
    } while (event.kind != SM_EVENT_NOTICE);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void the_end_of_main_ends_everything(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 1,
                                 .display = show_then_end_main,
                                 .main_too = end_main};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    check_closed(session, SM_ERROR_CLOSED);
    struct sm_channel_info channels[4];
    size_t count = sm_session_get_channels(session, channels, 4);
    for (size_t i = 0; i < count; i++)
        assert_false(channels[i].is_open);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void send_rubbish(struct fake_peer *peer)
{
    begin_display(peer);
    /* A fill whose body is cut: a known type that cannot be parsed. */
    static const uint8_t rubbish[] = {0x2e, 0x01, 3, 0, 0, 0, 1, 2, 3};
    (void)!write(peer->fd, rubbish, sizeof(rubbish));
    fake_drain(peer);
}

static void a_channel_that_breaks_the_protocol_is_closed(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = send_rubbish};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_event event =
        await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(event.error->kind, SM_ERROR_PROTOCOL);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Input ---- */

static atomic_uint keys_down, keys_up;

static void count_keys(struct fake_peer *peer)
{
    struct sm_inputs_msg msg = {.type = SM_MSG_INPUTS_INIT};
    msg.init.keyboard_modifiers = 2;
    fake_send_inputs(peer, &msg);
    usleep(20000); /* a slow server: the client must not end before we have read all */
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size)) {
        keys_down += type == SM_MSGC_INPUTS_KEY_DOWN;
        keys_up += type == SM_MSGC_INPUTS_KEY_UP;
        free(body);
    }
}

static void input_is_delivered_before_the_session_ends(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct fake_script script = {
        .channels = {{SM_CHANNEL_INPUTS, 0}}, .channel_count = 1, .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    keys_down = keys_up = 0;
    sm_check_status(sm_session_send_key(session, 0x1e, true), SM_ERR_STATE);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    struct sm_key_chord chord = {.keys = {SM_KEY_LEFT_SHIFT, 0x1e}, .count = 2};
    for (int i = 0; i < COUNT; i++)
        sm_check_status(sm_session_send_chord(session, &chord), SM_OK);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    fake_server_stop(server);
    assert_int_equal(keys_down, 2 * COUNT);
    assert_int_equal(keys_up, 2 * COUNT);
}

static void lock_keys_are_told(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_INPUTS, 0}}, .channel_count = 1, .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_session_info info = {.keyboard_leds = 0};
    while (info.keyboard_leds != 2) {
        await_event(session, SM_EVENT_INFO);
        sm_session_get_info(session, &info);
    }
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void input_out_of_range_is_refused(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_INPUTS, 0}, {SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 2,
                                 .mouse_mode = SM_MOUSE_MODE_CLIENT,
                                 .display = show_blue,
                                 .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, BLUE);
    struct sm_channel_info channels[3] = {{.is_open = false}};
    while (!channels[1].is_open) {
        (void)sm_session_get_channels(session, channels, 3);
        usleep(1000);
    }
    struct sm_key_chord none = {.count = 0}, bad = {.keys = {0}, .count = 1};
    sm_check_status(sm_session_send_key(session, 0, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_key(session, 0x80, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_chord(session, &none), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_chord(session, &bad), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_leds(session, 8), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_button(session, (enum sm_button)0, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_button(session, (enum sm_button)8, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_position(session, 0, SIDE - 1, SIDE - 1), SM_OK);
    sm_check_status(sm_session_send_position(session, 0, SIDE, 0), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_position(session, 5, 0, 0), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_motion(session, 1, 1), SM_ERR_STATE); /* mode client */
    sm_session_destroy(session);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_tells_what_the_server_told),
        cmocka_unit_test(passwords_are_right_wrong_or_missing),
        cmocka_unit_test(a_password_that_is_too_long_is_refused_at_once),
        cmocka_unit_test(a_refusal_is_told_by_its_kind),
        cmocka_unit_test(a_silent_server_is_given_up_or_left_at_once),
        cmocka_unit_test(a_session_that_was_not_connected_can_be_closed),
        cmocka_unit_test(every_failing_allocation_of_the_caller_is_survived),
        cmocka_unit_test(a_wake_ends_a_wait_without_an_event),
        cmocka_unit_test(a_channel_may_end_without_the_session),
        cmocka_unit_test(what_is_open_stays_open_when_it_is_listed_again),
        cmocka_unit_test(the_end_of_main_ends_everything),
        cmocka_unit_test(a_channel_that_breaks_the_protocol_is_closed),
        cmocka_unit_test(input_is_delivered_before_the_session_ends),
        cmocka_unit_test(lock_keys_are_told),
        cmocka_unit_test(input_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
