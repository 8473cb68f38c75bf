/* SPDX-License-Identifier: MIT */
/* What a session and a guest's agent say to each other, the agent being a few lines of ours. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "client/clipboard.h"
#include "sumac/client.h"
#include "tests/client/fake_agent.h"

enum { ALL = FAKE_AGENT_ALL };

static void end(struct sm_session *session, struct fake_server *server)
{
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Monitors ---- */

static void play_monitors(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_MONITORS_CONFIG);
    assert_int_equal(msg.type, SM_AGENT_MONITORS_CONFIG);
    assert_int_equal(msg.monitors_config.num_monitors, 16);
    const struct sm_agent_monitor *monitors = msg.monitors_config.monitors;
    assert_int_equal(monitors[0].width, 800);
    assert_int_equal(monitors[0].height, 600);
    assert_int_equal(monitors[1].width, 0);
    assert_int_equal(monitors[2].width, 1024);
    assert_int_equal(monitors[2].x, 800);
    assert_int_equal(monitors[2].y, 0);
    assert_int_equal(monitors[3].width, 0);
    fake_step(peer, 0);
    fake_agent_go(agent);
}

static void wait_played(struct fake_server *server)
{
    struct fake_peer peer = {.server = server};
    fake_wait_step(&peer, 0);
}

static void monitors_are_told_to_an_agent_that_comes_later(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_monitors});
    struct sm_session *session = fake_agent_session(server);
    const struct sm_monitor_wish wishes[] = {{.number = 2, .width = 1024, .height = 768},
                                             {.number = 0, .width = 800, .height = 600}};
    fake_await_event(session, SM_EVENT_CONNECTED);
    sm_check_status(sm_session_set_monitors(session, wishes, 2), SM_OK);
    sm_check_status(sm_session_set_monitors(session, wishes, 2), SM_OK);
    wait_played(server);
    end(session, server);
}

static void monitors_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.password = NULL});
    struct sm_session *session = fake_agent_session(server);
    const struct sm_monitor_wish good = {.number = 0, .width = 800, .height = 600};
    const struct sm_monitor_wish twice[] = {good, good};
    sm_check_status(sm_session_set_monitors(session, twice, 2), SM_ERR_LIMIT);
    sm_check_status(sm_session_set_monitors(session, &good, 0), SM_ERR_LIMIT);
    struct sm_monitor_wish bad = good;
    bad.number = 16;
    sm_check_status(sm_session_set_monitors(session, &bad, 1), SM_ERR_LIMIT);
    bad = good;
    bad.width = 0;
    sm_check_status(sm_session_set_monitors(session, &bad, 1), SM_ERR_LIMIT);
    bad.width = 16385;
    sm_check_status(sm_session_set_monitors(session, &bad, 1), SM_ERR_LIMIT);
    sm_check_status(sm_session_use_agent(session), SM_ERR_STATE);
    end(session, server);
}

/* ---- Clipboard ---- */

static const char LF[] = "one\ntwo\n", CRLF[] = "one\r\ntwo\r\n";

static void play_paste_here(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    const uint32_t types[] = {SM_CLIPBOARD_TYPE_UTF8_TEXT, SM_CLIPBOARD_TYPE_FILE_LIST, 77};
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_GRAB,
                                           .clipboard_grab = {.num_types = 3, .types = types}},
                    ALL);
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD_REQUEST);
    assert_int_equal(msg.clipboard_request.type, SM_CLIPBOARD_TYPE_UTF8_TEXT);
    struct sm_bytes data = {(const uint8_t *)CRLF, sizeof(CRLF)}; /* its NUL, too */
    fake_agent_send(
        peer,
        &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD,
                               .clipboard = {.type = SM_CLIPBOARD_TYPE_UTF8_TEXT, .data = data}},
        ALL);
    fake_wait_step(peer, 0);
    fake_agent_send(peer, &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_RELEASE}, ALL);
    fake_agent_go(agent);
}

static void text_of_the_guest_is_pasted_here(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_paste_here});
    struct sm_session *session = fake_agent_session(server);
    fake_await_event(session, SM_EVENT_CLIPBOARD_OFFER);
    assert_int_equal(sm_session_clipboard_offer(session, SM_SELECTION_CLIPBOARD),
                     1u << SM_CLIPBOARD_TEXT | 1u << SM_CLIPBOARD_FILES);
    sm_check_status(sm_session_ask_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_PNG),
                    SM_ERR_STATE);
    sm_check_status(sm_session_ask_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_TEXT),
                    SM_OK);
    fake_await_event(session, SM_EVENT_CLIPBOARD_DATA);
    size_t size;
    enum sm_clipboard_kind kind;
    char *text = sm_session_take_clipboard(session, SM_SELECTION_CLIPBOARD, &size, &kind);
    assert_non_null(text);
    assert_int_equal(kind, SM_CLIPBOARD_TEXT);
    assert_int_equal(size, strlen(LF));
    assert_string_equal(text, LF);
    free(text);
    assert_null(sm_session_take_clipboard(session, SM_SELECTION_CLIPBOARD, &size, NULL));

    struct fake_peer peer = {.server = server};
    fake_step(&peer, 0);
    fake_await_event(session, SM_EVENT_CLIPBOARD_OFFER);
    assert_int_equal(sm_session_clipboard_offer(session, SM_SELECTION_CLIPBOARD), 0);
    end(session, server);
}

static void play_paste_there(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD_GRAB);
    assert_int_equal(msg.clipboard_grab.num_types, 2);
    assert_int_equal(msg.clipboard_grab.types[0], SM_CLIPBOARD_TYPE_UTF8_TEXT);
    assert_int_equal(msg.clipboard_grab.types[1], SM_CLIPBOARD_TYPE_PNG);
    assert_int_equal(msg.clipboard_grab.serial, 0);
    /* What was not offered is refused with data of no kind. */
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_REQUEST,
                                           .clipboard_request = {.type = SM_CLIPBOARD_TYPE_BMP}},
                    ALL);
    msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD);
    assert_int_equal(msg.clipboard.type, SM_CLIPBOARD_TYPE_NONE);
    fake_agent_send(
        peer,
        &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_REQUEST,
                               .clipboard_request = {.type = SM_CLIPBOARD_TYPE_UTF8_TEXT}},
        ALL);
    msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD);
    assert_int_equal(msg.clipboard.type, SM_CLIPBOARD_TYPE_UTF8_TEXT);
    assert_int_equal(msg.clipboard.data.size, strlen(CRLF));
    assert_memory_equal(msg.clipboard.data.data, CRLF, strlen(CRLF));
    fake_step(peer, 0);
    msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD_RELEASE);
    assert_int_equal(msg.type, SM_AGENT_CLIPBOARD_RELEASE);
    fake_step(peer, 1);
    fake_agent_go(agent);
}

static void text_copied_here_is_pasted_in_the_guest(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_paste_there});
    struct sm_session *session = fake_agent_session(server);
    fake_await_event(session, SM_EVENT_CONNECTED);
    sm_check_status(sm_session_offer_clipboard(session, SM_SELECTION_CLIPBOARD, 1u << 9),
                    SM_ERR_LIMIT);
    sm_check_status(sm_session_send_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_TEXT,
                                              LF, strlen(LF)),
                    SM_ERR_STATE); /* nobody waits */
    sm_check_status(sm_session_offer_clipboard(session, SM_SELECTION_CLIPBOARD,
                                               1u << SM_CLIPBOARD_TEXT | 1u << SM_CLIPBOARD_PNG),
                    SM_OK);
    fake_await_event(session, SM_EVENT_CLIPBOARD_WANTED);
    assert_int_equal(sm_session_clipboard_wanted(session, SM_SELECTION_CLIPBOARD),
                     SM_CLIPBOARD_TEXT);
    sm_check_status(sm_session_send_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_TEXT,
                                              LF, strlen(LF)),
                    SM_OK);
    assert_int_equal(sm_session_clipboard_wanted(session, SM_SELECTION_CLIPBOARD),
                     SM_CLIPBOARD_NOTHING);
    struct fake_peer peer = {.server = server};
    fake_wait_step(&peer, 0);
    sm_check_status(sm_session_offer_clipboard(session, SM_SELECTION_CLIPBOARD, 0), SM_OK);
    fake_wait_step(&peer, 1);
    end(session, server);
}

static void play_crossing(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    (void)fake_agent_expect(agent, SM_AGENT_CLIPBOARD_GRAB);
    /* Sent before ours had come: serial 0 is taken. */
    const uint32_t type = SM_CLIPBOARD_TYPE_UTF8_TEXT;
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_GRAB,
                                           .clipboard_grab = {.num_types = 1, .types = &type}},
                    ALL);
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_REQUEST,
                                           .clipboard_request = {.type = type}},
                    ALL);
    fake_agent_go(agent);
}

static void a_grab_that_crossed_ours_has_lost(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_crossing});
    struct sm_session *session = fake_agent_session(server);
    fake_await_event(session, SM_EVENT_CONNECTED);
    sm_check_status(
        sm_session_offer_clipboard(session, SM_SELECTION_CLIPBOARD, 1u << SM_CLIPBOARD_TEXT),
        SM_OK);
    fake_await_event(session, SM_EVENT_CLIPBOARD_WANTED); /* so ours is still there */
    assert_int_equal(sm_session_clipboard_offer(session, SM_SELECTION_CLIPBOARD), 0);
    end(session, server);
}

static void play_vanishing(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    const uint32_t type = SM_CLIPBOARD_TYPE_PNG;
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_GRAB,
                                           .clipboard_grab = {.num_types = 1, .types = &type}},
                    ALL);
    (void)fake_agent_expect(agent, SM_AGENT_CLIPBOARD_REQUEST);
    fake_wait_step(peer, FAKE_STEPS - 1);
    fake_send_main(peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DISCONNECTED});
    fake_agent_go(agent);
}

static void who_pastes_hears_that_the_agent_is_gone(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_vanishing});
    struct sm_session *session = fake_agent_session(server);
    fake_await_event(session, SM_EVENT_CLIPBOARD_OFFER);
    sm_check_status(sm_session_ask_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_PNG),
                    SM_OK);
    sm_check_status(sm_session_ask_clipboard(session, SM_SELECTION_CLIPBOARD, SM_CLIPBOARD_PNG),
                    SM_AGAIN);
    fake_server_step(server, FAKE_STEPS - 1);
    fake_await_event(session, SM_EVENT_CLIPBOARD_DATA);
    size_t size;
    assert_null(sm_session_take_clipboard(session, SM_SELECTION_CLIPBOARD, &size, NULL));
    assert_int_equal(sm_session_clipboard_offer(session, SM_SELECTION_CLIPBOARD), 0);
    end(session, server);
}

static void play_nonsense(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    static const uint8_t short_grab[] = {1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0,
                                         0, 0, 0, 0, 0, 1, 0, 0, 0, 9};
    fake_send_main(peer,
                   &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DATA,
                                         .agent_data = {.data = {short_grab, sizeof(short_grab)}}});
    const uint32_t type = SM_CLIPBOARD_TYPE_PNG;
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_GRAB,
                                           .clipboard_grab = {.num_types = 1, .types = &type}},
                    ALL);
    fake_agent_go(agent);
}

static void nonsense_of_the_agent_is_left_and_the_session_goes_on(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_nonsense});
    struct sm_session *session = fake_agent_session(server);
    fake_await_event(session, SM_EVENT_CLIPBOARD_OFFER);
    assert_int_equal(sm_session_clipboard_offer(session, SM_SELECTION_CLIPBOARD),
                     1u << SM_CLIPBOARD_PNG);
    end(session, server);
}

static void line_ends_are_converted_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *lf, *crlf;
    } texts[] = {{"", ""}, {"a", "a"}, {"\n", "\r\n"}, {"a\n\nb", "a\r\n\r\nb"}, {"a\rb", "a\rb"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t size;
        uint8_t *crlf =
            sm_clipboard_to_crlf((const uint8_t *)texts[i].lf, strlen(texts[i].lf), &size);
        assert_int_equal(size, strlen(texts[i].crlf));
        assert_memory_equal(crlf, texts[i].crlf, size);
        size = sm_clipboard_to_lf(crlf, size);
        assert_int_equal(size, strlen(texts[i].lf));
        assert_memory_equal(crlf, texts[i].lf, size);
        free(crlf);
    }
    /* What has CRLF already does not get another CR. */
    size_t size;
    uint8_t *same = sm_clipboard_to_crlf((const uint8_t *)"a\r\nb", 4, &size);
    assert_int_equal(size, 4);
    free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitors_are_told_to_an_agent_that_comes_later),
        cmocka_unit_test(monitors_that_make_no_sense_are_refused),
        cmocka_unit_test(text_of_the_guest_is_pasted_here),
        cmocka_unit_test(text_copied_here_is_pasted_in_the_guest),
        cmocka_unit_test(a_grab_that_crossed_ours_has_lost),
        cmocka_unit_test(who_pastes_hears_that_the_agent_is_gone),
        cmocka_unit_test(nonsense_of_the_agent_is_left_and_the_session_goes_on),
        cmocka_unit_test(line_ends_are_converted_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
