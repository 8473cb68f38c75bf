/* SPDX-License-Identifier: MIT */
/* Ports of a session, the machine being a few lines of ours. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"

enum {
    PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, /* for what must happen */
    PORT_ID = 3,
    FLOOD_BYTES = 8 << 20,
    FLOOD_PIECE = 64 << 10,
    HELD_BACK_MAX = 2 << 20, /* what a session keeps for a reader that does not read */
    BRAKED_MAX = 448 << 10,  /* what a session takes and sends before it hears that any arrived */
    RECEIPTS_STEP = 0,
};

static const char NAME[] = "org.example.\tport"; /* what a terminal would not like is replaced */

static struct sm_session *connect_to(const struct fake_server *server)
{
    struct sm_address *address;
    struct sm_session *session;
    struct sm_error error;
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), &error), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    sm_check_status(sm_session_set_channels(session, 1u << SM_CHANNEL_KIND_PORT), SM_OK);
    sm_check_status(sm_session_connect(session, &error), SM_OK);
    return session;
}

static void end(struct sm_session *session, struct fake_server *server)
{
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* Waits until the port is as `is_right` wants it. */
static struct sm_port await_port(struct sm_session *session,
                                 bool (*is_right)(const struct sm_port *port))
{
    struct sm_port port = {0};
    struct sm_event event;
    uint64_t end_us = sm_now_us() + (uint64_t)PATIENCE_MS * 1000;
    while (!sm_session_find_port(session, "org.example.?port", &port) || !is_right(&port)) {
        assert_true(sm_now_us() < end_us);
        (void)sm_session_wait_event(session, 100, &event);
    }
    return port;
}

static bool is_open(const struct sm_port *port)
{
    return port->is_open;
}

static bool is_closed(const struct sm_port *port)
{
    return !port->is_open;
}

static bool has_five(const struct sm_port *port)
{
    return port->readable == 5;
}

static bool has_any(const struct sm_port *port)
{
    return port->readable > 0 || port->is_gone;
}

static bool had_break(const struct sm_port *port)
{
    return port->breaks == 1;
}

static bool is_all_sent(const struct sm_port *port)
{
    return port->unsent == 0;
}

static void send_init(struct fake_peer *peer, bool is_port_open)
{
    fake_send_spicevmc(peer, &(struct sm_spicevmc_msg){
                                 .type = SM_MSG_SPICEVMC_PORT_INIT,
                                 .port_init = {.name = {(const uint8_t *)NAME, sizeof(NAME)},
                                               .opened = is_port_open},
                             });
}

static void send_event(struct fake_peer *peer, uint8_t event)
{
    fake_send_spicevmc(peer, &(struct sm_spicevmc_msg){.type = SM_MSG_SPICEVMC_PORT_EVENT,
                                                       .port_event = {.event = event}});
}

static void send_data(struct fake_peer *peer, const void *data, size_t size)
{
    fake_send_spicevmc(peer, &(struct sm_spicevmc_msg){.type = SM_MSG_SPICEVMC_DATA,
                                                       .data = {.data = {data, size}}});
}

/* Gives back what comes, with a break where one comes, closes at a Q. */
static void play_echo(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    send_init(peer, false);
    send_event(peer, SM_PORT_EVENT_OPENED);
    while (fake_read(peer, &type, &body, &size)) {
        if (type == SM_MSGC_SPICEVMC_DATA && size > 0 && body[0] == 'Q')
            send_event(peer, SM_PORT_EVENT_CLOSED);
        else if (type == SM_MSGC_SPICEVMC_DATA)
            send_data(peer, body, size);
        else if (type == SM_MSGC_SPICEVMC_PORT_EVENT)
            send_event(peer, body[0]);
        free(body);
    }
}

static struct fake_server *start(void (*play)(struct fake_peer *peer))
{
    return fake_server_start(&(struct fake_script){
        .channels = {{.type = SM_CHANNEL_PORT, .id = PORT_ID}},
        .channel_count = 1,
        .device = play,
    });
}

static void bytes_and_breaks_travel_both_ways(void **state)
{
    (void)state;
    struct fake_server *server = start(play_echo);
    struct sm_session *session = connect_to(server);
    struct sm_port port = await_port(session, is_open);
    assert_int_equal(port.id, PORT_ID);
    assert_true(port.writable > 0);
    size_t taken;
    sm_check_status(sm_session_write_port(session, PORT_ID, "hello", 5, &taken), SM_OK);
    assert_int_equal(taken, 5);
    (void)await_port(session, has_five);
    char text[8] = "";
    assert_int_equal(sm_session_read_port(session, PORT_ID, text, 3), 3);
    assert_int_equal(sm_session_read_port(session, PORT_ID, text + 3, 5), 2);
    assert_string_equal(text, "hello");
    assert_int_equal(sm_session_read_port(session, PORT_ID, text, 5), 0);
    sm_check_status(sm_session_send_port_event(session, PORT_ID, SM_PORT_BREAK), SM_OK);
    (void)await_port(session, had_break);
    (void)await_port(session, is_all_sent);
    end(session, server);
}

static void what_would_be_lost_is_refused(void **state)
{
    (void)state;
    struct fake_server *server = start(play_echo);
    struct sm_session *session = connect_to(server);
    (void)await_port(session, is_open);
    size_t taken;
    sm_check_status(sm_session_write_port(session, PORT_ID, "Q", 1, &taken), SM_OK);
    (void)await_port(session, is_closed);
    sm_check_status(sm_session_write_port(session, PORT_ID, "lost", 4, &taken), SM_ERR_STATE);
    assert_int_equal(taken, 0);
    sm_check_status(sm_session_write_port(session, PORT_ID + 1, "lost", 4, &taken), SM_ERR_STATE);
    sm_check_status(sm_session_send_port_event(session, PORT_ID + 1, SM_PORT_BREAK), SM_ERR_STATE);
    sm_check_status(sm_session_send_port_event(session, PORT_ID, 1), SM_ERR_LIMIT);
    assert_int_equal(sm_session_read_port(session, PORT_ID + 1, &taken, sizeof(taken)), 0);
    end(session, server);
}

static uint8_t flood_byte(size_t at)
{
    return (uint8_t)(at * 7 + (at >> 9));
}

static void play_flood(struct fake_peer *peer)
{
    uint8_t *piece = malloc(FLOOD_PIECE);
    assert_non_null(piece);
    send_init(peer, true);
    for (size_t at = 0; at < FLOOD_BYTES; at += FLOOD_PIECE) {
        for (size_t i = 0; i < FLOOD_PIECE; i++)
            piece[i] = flood_byte(at + i);
        send_data(peer, piece, FLOOD_PIECE);
    }
    free(piece);
    fake_drain(peer);
}

static void a_reader_that_does_not_read_holds_the_machine_back(void **state)
{
    (void)state;
    struct fake_server *server = start(play_flood);
    struct sm_session *session = connect_to(server);
    struct sm_port port = await_port(session, has_any);
    /* The flood is 8 MiB, sockets hold a few hundred KiB: it cannot end before we read. */
    for (int i = 0; i < 20; i++) {
        struct sm_event event;
        (void)sm_session_wait_event(session, 10, &event);
    }
    assert_true(sm_session_find_port(session, "org.example.?port", &port));
    assert_true(port.readable <= HELD_BACK_MAX);
    size_t at = 0;
    static uint8_t piece[5000];
    while (at < FLOOD_BYTES) {
        size_t got = sm_session_read_port(session, PORT_ID, piece, sizeof(piece));
        for (size_t i = 0; i < got; i++)
            assert_int_equal(piece[i], flood_byte(at + i));
        at += got;
        if (got == 0) {
            port = await_port(session, has_any);
            assert_false(port.is_gone);
        }
    }
    end(session, server);
}

static void play_slow_sink(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    send_init(peer, true);
    size_t at = 0;
    while (at < FLOOD_BYTES && fake_read(peer, &type, &body, &size)) {
        if (type == SM_MSGC_SPICEVMC_DATA)
            for (size_t i = 0; i < size; i++, at++)
                assert_int_equal(body[i], flood_byte(at));
        free(body);
    }
    send_data(peer, "done!", 5);
    fake_drain(peer);
}

static void a_writer_that_is_faster_than_the_line_loses_nothing(void **state)
{
    (void)state;
    struct fake_server *server = start(play_slow_sink);
    struct sm_session *session = connect_to(server);
    (void)await_port(session, is_open);
    static uint8_t piece[100000];
    size_t at = 0;
    while (at < FLOOD_BYTES) {
        size_t want = FLOOD_BYTES - at < sizeof(piece) ? FLOOD_BYTES - at : sizeof(piece), taken;
        for (size_t i = 0; i < want; i++)
            piece[i] = flood_byte(at + i);
        sm_check_status(sm_session_write_port(session, PORT_ID, piece, want, &taken), SM_OK);
        at += taken;
        struct sm_event event;
        if (taken < want)
            (void)sm_session_wait_event(session, 100, &event);
    }
    (void)await_port(session, has_five);
    end(session, server);
}

static void send_receipt(struct fake_peer *peer, uint64_t received)
{
    uint8_t body[20] = {1, 0, 0, 0x80}; /* no time: the clocks are one */
    for (unsigned i = 0; i < 8; i++)
        body[4 + i] = (uint8_t)(received >> 8 * i);
    fake_send(peer, SM_MSG_PING, (struct sm_bytes){body, 12});
}

/* Tells what has come, but for a while does not. */
static void play_receipts(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    send_receipt(peer, 0); /* first: then it is known when the port is there */
    send_init(peer, true);
    fake_wait_step(peer, RECEIPTS_STEP);
    uint64_t received = 0, told = 0;
    size_t at = 0;
    while (at < FLOOD_BYTES && fake_read(peer, &type, &body, &size)) {
        received += 6 + size;
        if (type == SM_MSGC_SPICEVMC_DATA)
            for (size_t i = 0; i < size; i++, at++)
                assert_int_equal(body[i], flood_byte(at));
        free(body);
        if (received / 4096 > told / 4096)
            send_receipt(peer, told = received);
    }
    send_data(peer, "done!", 5);
    fake_drain(peer);
}

static size_t write_some(struct sm_session *session, size_t at)
{
    static uint8_t piece[100000];
    size_t want = FLOOD_BYTES - at < sizeof(piece) ? FLOOD_BYTES - at : sizeof(piece), taken;
    for (size_t i = 0; i < want; i++)
        piece[i] = flood_byte(at + i);
    sm_check_status(sm_session_write_port(session, PORT_ID, piece, want, &taken), SM_OK);
    struct sm_event event;
    if (taken < want)
        (void)sm_session_wait_event(session, 20, &event);
    return taken;
}

/* What is sent beyond what the line holds, keys on the same line stand behind. */
static void bulk_waits_until_what_was_sent_has_arrived(void **state)
{
    (void)state;
    struct fake_server *server = start(play_receipts);
    struct sm_session *session = connect_to(server);
    (void)await_port(session, is_open);
    size_t at = 0;
    for (int i = 0; i < 30; i++)
        at += write_some(session, at);
    assert_in_range(at, 64 << 10, BRAKED_MAX);
    fake_server_step(server, RECEIPTS_STEP);
    while (at < FLOOD_BYTES)
        at += write_some(session, at);
    (void)await_port(session, has_five);
    end(session, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_breaks_travel_both_ways),
        cmocka_unit_test(what_would_be_lost_is_refused),
        cmocka_unit_test(a_reader_that_does_not_read_holds_the_machine_back),
        cmocka_unit_test(a_writer_that_is_faster_than_the_line_loses_nothing),
        cmocka_unit_test(bulk_waits_until_what_was_sent_has_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
