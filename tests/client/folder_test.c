/* SPDX-License-Identifier: MIT */
/* A folder shared by a session, the guest's connections being a few lines of ours. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/channel/spicevmc/dav_mux.h"
#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_agent.h"
#include "tests/client/fake_server.h"

enum {
    PATIENCE_MS = SM_TEST_PATIENCE_S * 1000,
    LARGE = 3 << 20, /* bytes of the file: more than sockets hold */
    STREAM_MAX = 256 << 10,
    GUESTS = 3,
};

static const char NAME[] = "org.spice-space.webdav.0";
static char folder[64];

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 5 + i / 253);
}

static int make_folder(void **state)
{
    (void)state;
    char path[96];
    (void)snprintf(folder, sizeof(folder), "/tmp/sumac-folder-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/large", folder);
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    for (size_t i = 0; i < LARGE; i++)
        (void)fputc(byte_at(i), file);
    return fclose(file);
}

static int remove_folder(void **state)
{
    (void)state;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/large", folder);
    return unlink(path) || rmdir(folder);
}

/* ---- The guest's side ---- */

/** What a connection of the guest has got. */
struct guest {
    size_t size, body; /* bytes got; of them the head, once it has come */
    char head[1024];
    bool has_ended, has_left; /* by the session's word, by its own */
};

static void send_frame(struct fake_peer *peer, int64_t number, const char *text)
{
    uint8_t frame[SM_DAV_HEADER_SIZE + 1024];
    size_t size = strlen(text);
    assert_true(size <= 1024);
    sm_dav_mux_header(frame, number, size);
    memcpy(frame + SM_DAV_HEADER_SIZE, text, size);
    /* Cut in the middle of its header, too. */
    for (size_t at = 0, part = 4; at < SM_DAV_HEADER_SIZE + size; at += part, part = 100) {
        if (part > SM_DAV_HEADER_SIZE + size - at)
            part = SM_DAV_HEADER_SIZE + size - at;
        fake_send_spicevmc(peer, &(struct sm_spicevmc_msg){.type = SM_MSG_SPICEVMC_DATA,
                                                           .data = {.data = {frame + at, part}}});
    }
}

static void take(struct guest *guest, struct sm_bytes data)
{
    for (size_t i = 0; i < data.size; i++, guest->size++) {
        if (!guest->body) {
            assert_true(guest->size < sizeof(guest->head) - 1);
            guest->head[guest->size] = (char)data.data[i];
            if (strstr(guest->head, "\r\n\r\n"))
                guest->body = guest->size + 1;
        } else if (guest->size - guest->body < LARGE) {
            assert_int_equal(data.data[i], byte_at(guest->size - guest->body));
        }
    }
}

/* Reads frames until all `count` guests have `wanted` bytes of a body, or have ended. */
static void read_guests(struct fake_peer *peer, struct guest *guests, unsigned count, size_t wanted)
{
    struct sm_dav_mux mux = {.left = 0};
    for (;;) {
        unsigned done = 0;
        for (unsigned i = 0; i < count; i++)
            done += guests[i].has_ended || guests[i].has_left ||
                    (guests[i].body && guests[i].size - guests[i].body >= wanted);
        uint16_t type;
        uint8_t *body;
        uint32_t size;
        if (done == count || !fake_read(peer, &type, &body, &size))
            return;
        struct sm_bytes in = {body, type == SM_MSGC_SPICEVMC_DATA ? size : 0};
        struct sm_dav_piece piece;
        while (sm_dav_mux_next(&mux, &in, &piece)) {
            assert_in_range(piece.connection, 0, (int64_t)count - 1);
            struct guest *guest = &guests[piece.connection];
            if (guest->has_left)
                continue; /* the ends crossed */
            assert_false(guest->has_ended);
            guest->has_ended = piece.data.size == 0;
            take(guest, piece.data);
        }
        free(body);
    }
}

static void send_init(struct fake_peer *peer)
{
    fake_send_spicevmc(
        peer, &(struct sm_spicevmc_msg){
                  .type = SM_MSG_SPICEVMC_PORT_INIT,
                  .port_init = {.name = {(const uint8_t *)NAME, sizeof(NAME)}, .opened = true}});
}

static void play_three_readers(struct fake_peer *peer)
{
    struct guest guests[GUESTS] = {0};
    send_init(peer);
    fake_wait_step(peer, 0); /* something is shared */
    for (int i = 0; i < GUESTS; i++)
        send_frame(peer, i, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    read_guests(peer, guests, GUESTS, LARGE);
    for (int i = 0; i < GUESTS; i++) {
        assert_memory_equal(guests[i].head, "HTTP/1.1 200", 12);
        assert_int_equal(guests[i].size - guests[i].body, LARGE);
    }
    fake_step(peer, 1);
    send_frame(peer, 1, ""); /* one goes by itself, the others when nothing is shared any more */
    fake_wait_step(peer, 2);
    guests[1].has_left = true;
    read_guests(peer, guests, GUESTS, SIZE_MAX);
    assert_true(guests[0].has_ended && guests[2].has_ended);
    fake_step(peer, 3);
    /* Whoever comes now is sent away. */
    struct guest late[GUESTS] = {{.has_left = true}, {.has_left = true}};
    send_frame(peer, 2, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    read_guests(peer, late, GUESTS, SIZE_MAX);
    assert_true(late[2].has_ended);
    assert_int_equal(late[2].size, 0);
    fake_step(peer, 4);
    fake_drain(peer);
}

/* ---- The person's side ---- */

static struct sm_session *connect_to(const struct fake_server *server)
{
    struct sm_address *address;
    struct sm_session *session;
    struct sm_error error;
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), &error), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    sm_check_status(sm_session_set_channels(session, 0), SM_OK);
    sm_check_status(sm_session_connect(session, &error), SM_OK);
    return session;
}

static struct sm_folder_state await(struct sm_session *session,
                                    bool (*is_right)(const struct sm_folder_state *state))
{
    struct sm_folder_state state;
    struct sm_event event;
    uint64_t end_us = sm_now_us() + (uint64_t)PATIENCE_MS * 1000;
    for (;;) {
        sm_session_get_folder_state(session, &state);
        if (is_right(&state))
            return state;
        assert_true(sm_now_us() < end_us);
        (void)sm_session_wait_event(session, 100, &event);
    }
}

static bool can_be_shared(const struct sm_folder_state *state)
{
    return state->can_be_shared;
}

static bool is_listening(const struct sm_folder_state *state)
{
    return state->is_listening;
}

static bool is_all_sent(const struct sm_folder_state *state)
{
    return state->sent >= (uint64_t)GUESTS * LARGE;
}

static bool has_none(const struct sm_folder_state *state)
{
    return state->connections == 0;
}

static void a_folder_is_shared_with_several_and_taken_back(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){
        .channels = {{.type = SM_CHANNEL_WEBDAV, .id = 0}},
        .channel_count = 1,
        .device = play_three_readers,
    });
    struct fake_peer peer = {.server = server};
    struct sm_session *session = connect_to(server);
    struct sm_folder_state folder_state = await(session, can_be_shared);
    assert_false(folder_state.is_shared);
    assert_false(folder_state.is_listening); /* the channel is opened for the first folder */
    sm_check_status(sm_session_share_folder(session, folder, true, NULL), SM_OK);
    (void)await(session, is_listening);
    fake_step(&peer, 0);
    fake_wait_step(&peer, 1);
    folder_state = await(session, is_all_sent); /* what was sent is counted behind it */
    assert_true(folder_state.is_shared);
    sm_check_status(sm_session_share_folder(session, NULL, false, NULL), SM_OK);
    fake_step(&peer, 2);
    fake_wait_step(&peer, 3);
    (void)await(session, has_none);
    fake_wait_step(&peer, 4);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Files that are copied ---- */

static char place[512]; /* what the agent was told of the file */

static void ask_for_files(struct fake_peer *peer)
{
    fake_agent_send(peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD_REQUEST,
                                           .clipboard_request = {.type = SM_CLIPBOARD_FILES}},
                    FAKE_AGENT_ALL);
}

static void play_paster(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come_with(
        peer, 1 << SM_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB, FAKE_AGENT_TOKENS);
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD_GRAB);
    assert_int_equal(msg.clipboard_grab.num_types, 1);
    assert_int_equal(msg.clipboard_grab.types[0], SM_CLIPBOARD_TYPE_FILE_LIST);
    ask_for_files(peer);
    msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD);
    assert_int_equal(msg.clipboard.type, SM_CLIPBOARD_TYPE_NONE); /* one cannot be read */
    ask_for_files(peer);
    msg = fake_agent_expect(agent, SM_AGENT_CLIPBOARD);
    assert_int_equal(msg.clipboard.type, SM_CLIPBOARD_TYPE_FILE_LIST);
    struct sm_bytes list = msg.clipboard.data;
    assert_in_range(list.size, 5 + 18, 5 + sizeof(place));
    assert_memory_equal(list.data, "copy", 5);
    assert_int_equal(list.data[list.size - 1], 0);
    memcpy(place, list.data + 5, list.size - 5);
    assert_int_equal(strlen(place), list.size - 6);
    fake_step(peer, 0);
    fake_agent_go(agent);
}

static void play_reader(struct fake_peer *peer)
{
    struct guest guest = {0};
    char request[600];
    send_init(peer);
    fake_wait_step(peer, 0);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", place);
    send_frame(peer, 0, request);
    read_guests(peer, &guest, 1, LARGE);
    assert_memory_equal(guest.head, "HTTP/1.1 200", 12);
    fake_step(peer, 1);
    fake_drain(peer);
}

static void await_wanted(struct sm_session *session)
{
    while (sm_session_clipboard_wanted(session, SM_SELECTION_CLIPBOARD) != SM_CLIPBOARD_FILES)
        fake_await_event(session, SM_EVENT_CLIPBOARD_WANTED);
}

static void files_that_are_copied_are_read_where_they_are_pasted(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){
        .channels = {{.type = SM_CHANNEL_WEBDAV, .id = 0}},
        .channel_count = 1,
        .main_too = play_paster,
        .device = play_reader,
    });
    struct fake_peer peer = {.server = server};
    struct sm_session *session = fake_agent_session(server);
    char path[96];
    const char *paths[] = {path, "/does/not/exist"};
    struct sm_error error = {.kind = SM_ERROR_NONE};
    (void)snprintf(path, sizeof(path), "%s/large", folder);
    fake_await_event(session, SM_EVENT_CONNECTED);
    sm_check_status(
        sm_session_send_clipboard_files(session, SM_SELECTION_CLIPBOARD, paths, 1, &error),
        SM_ERR_STATE); /* nobody has asked */
    sm_check_status(
        sm_session_offer_clipboard(session, SM_SELECTION_CLIPBOARD, 1u << SM_CLIPBOARD_FILES),
        SM_OK);
    await_wanted(session);
    sm_check_status(
        sm_session_send_clipboard_files(session, SM_SELECTION_CLIPBOARD, paths, 2, &error),
        SM_ERR_IO);
    assert_int_equal(error.kind, SM_ERROR_FILE);
    assert_non_null(strstr(error.cause, "/does/not/exist"));
    await_wanted(session);
    struct sm_copied_files *files = NULL;
    sm_check_status(sm_copied_files_find(&files, paths, 2, &error), SM_ERR_IO);
    sm_check_status(sm_copied_files_find(&files, paths, 0, &error), SM_ERR_LIMIT);
    assert_null(files);
    sm_check_status(sm_copied_files_find(&files, paths, 1, &error), SM_OK);
    sm_check_status(sm_session_send_copied_files(session, SM_SELECTION_CLIPBOARD, files, &error),
                    SM_OK);
    sm_check_status(sm_session_send_copied_files(session, SM_SELECTION_CLIPBOARD, files, &error),
                    SM_ERR_STATE); /* it does not wait any more */
    sm_copied_files_destroy(files);
    fake_wait_step(&peer, 1);
    struct sm_folder_state folder_state;
    sm_session_get_folder_state(session, &folder_state);
    assert_false(folder_state.is_shared); /* no folder is */
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void what_cannot_be_shared_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.password = NULL});
    struct sm_session *session = connect_to(server);
    struct sm_error error = {.kind = SM_ERROR_NONE};
    sm_check_status(sm_session_share_folder(session, "/does/not/exist", false, &error), SM_ERR_IO);
    assert_int_equal(error.kind, SM_ERROR_FILE);
    assert_non_null(strstr(error.cause, "/does/not/exist"));
    assert_int_equal(setenv("SUMAC_DAV_MODULE", "/does/not/exist.so", 1), 0);
    sm_check_status(sm_session_share_folder(session, folder, false, &error), SM_ERR_STATE);
    assert_non_null(strstr(error.cure, "libsumac-dav.so"));
    assert_int_equal(unsetenv("SUMAC_DAV_MODULE"), 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_shared_with_several_and_taken_back),
        cmocka_unit_test(files_that_are_copied_are_read_where_they_are_pasted),
        cmocka_unit_test(what_cannot_be_shared_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
