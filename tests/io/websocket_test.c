/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket.h"
#include "io/websocket.h"

struct pair {
    struct sm_transport *client, *server;
};

static void make_sockets(struct pair *pair, int buffer_bytes)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2 && buffer_bytes; i++)
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
    sm_check_status(sm_socket_transport(&pair->client, fds[0]), SM_OK);
    sm_check_status(sm_socket_transport(&pair->server, fds[1]), SM_OK);
}

static void finish(struct pair *pair)
{
    sm_transport_destroy(pair->client);
    sm_transport_destroy(pair->server);
}

/* Sends `size` patterned bytes one way while the other end reads; both may dribble. */
static void check_stream(struct sm_transport *from, struct sm_transport *to, size_t size)
{
    uint8_t *sent = malloc(size), *received = calloc(size, 1);
    assert_true(sent && received);
    for (size_t i = 0; i < size; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    size_t out = 0, in = 0;
    while (in < size) {
        size_t count = 0;
        struct sm_bytes parts[2] = {{sent + out, (size - out) / 3},
                                    {sent + out + (size - out) / 3, size - out - (size - out) / 3}};
        if (out < size) {
            enum sm_status status = sm_transport_writev(from, parts, 2, &count);
            assert_true(status >= 0);
            out += status == SM_OK ? count : 0;
        }
        assert_true(sm_transport_flush(from) >= 0);
        enum sm_status status = sm_transport_read(to, received + in, size - in, &count);
        assert_true(status >= 0);
        in += status == SM_OK ? count : 0;
        uint8_t nothing; /* the writer also listens: its handshake may be waiting for an answer */
        sm_check_status(sm_transport_read(from, &nothing, 1, &count), SM_AGAIN);
    }
    assert_memory_equal(sent, received, size);
    free(sent);
    free(received);
}

static void websocket_carries_a_stream_both_ways(void **state)
{
    (void)state;
    static const int BUFFERS[] = {0, 1};
    for (size_t i = 0; i < 2; i++) { /* also through a line that takes little at a time */
        struct pair sockets, pair;
        make_sockets(&sockets, BUFFERS[i]);
        sm_check_status(sm_websocket_transport_server(&pair.server, sockets.server), SM_OK);
        sm_check_status(sm_websocket_transport_client(&pair.client, sockets.client, "h:1", "/"),
                        SM_OK);
        check_stream(pair.client, pair.server, 300000);
        assert_true(sm_websocket_transport_is_upgraded(pair.server));
        assert_true(sm_websocket_transport_is_upgraded(pair.client));
        check_stream(pair.server, pair.client, 300000);
        finish(&pair);
    }
}

static void websocket_lets_everything_else_pass(void **state)
{
    (void)state;
    struct pair sockets, pair;
    make_sockets(&sockets, 0);
    pair.client = sockets.client;
    sm_check_status(sm_websocket_transport_server(&pair.server, sockets.server), SM_OK);
    check_stream(pair.client, pair.server, 100000);
    check_stream(pair.server, pair.client, 100000);
    assert_false(sm_websocket_transport_is_upgraded(pair.server));
    sm_check_status(sm_transport_send_fd(pair.server, '@', -1), SM_OK);
    finish(&pair);
}

static void put(struct sm_transport *t, const char *text, size_t size)
{
    size_t count;
    sm_check_status(sm_transport_write(t, (struct sm_bytes){(const uint8_t *)text, size}, &count),
                    SM_OK);
    assert_int_equal(count, size);
}

static const char UPGRADE[] = "GET /x HTTP/1.1\r\nSec-WebSocket-Key: a\r\n\r\n";

static void websocket_passes_a_refused_request_on(void **state)
{
    (void)state;
    struct pair sockets, pair;
    make_sockets(&sockets, 0);
    pair.client = sockets.client;
    sm_check_status(sm_websocket_transport_server(&pair.server, sockets.server), SM_OK);
    static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    put(pair.client, REQUEST, strlen(REQUEST));
    uint8_t buffer[100];
    size_t count;
    sm_check_status(sm_transport_read(pair.server, buffer, 4, &count), SM_OK);
    assert_memory_equal(buffer, "GET ", 4);
    assert_true(sm_transport_has_buffered(pair.server));
    sm_check_status(sm_transport_read(pair.server, buffer, sizeof(buffer), &count), SM_OK);
    assert_int_equal(count, strlen(REQUEST) - 4);
    finish(&pair);
}

static void websocket_answers_pings_and_closes(void **state)
{
    (void)state;
    struct pair sockets, pair;
    make_sockets(&sockets, 0);
    pair.client = sockets.client;
    sm_check_status(sm_websocket_transport_server(&pair.server, sockets.server), SM_OK);
    put(pair.client, UPGRADE, strlen(UPGRADE));
    uint8_t buffer[300];
    size_t count;
    sm_check_status(sm_transport_read(pair.server, buffer, sizeof(buffer), &count), SM_AGAIN);
    sm_check_status(sm_transport_read(pair.client, buffer, sizeof(buffer), &count), SM_OK);
    assert_memory_equal(buffer, "HTTP/1.1 101 ", 13);

    put(pair.client, "\x82\x01x\x89\x02hi", 7);
    sm_check_status(sm_transport_read(pair.server, buffer, sizeof(buffer), &count), SM_OK);
    assert_int_equal(count, 1);
    sm_check_status(sm_transport_read(pair.server, buffer, sizeof(buffer), &count), SM_AGAIN);
    sm_check_status(sm_transport_read(pair.client, buffer, sizeof(buffer), &count), SM_OK);
    sm_check_bytes(((struct sm_bytes){buffer, count}),
                   ((struct sm_bytes){(const uint8_t *)"\x8a\x02hi", 4}));

    put(pair.client, "\x88\x00", 2);
    sm_check_status(sm_transport_read(pair.server, buffer, sizeof(buffer), &count), SM_ERR_IO);
    assert_true(pair.server->has_ended);
    sm_check_status(sm_transport_read(pair.client, buffer, sizeof(buffer), &count), SM_OK);
    sm_check_bytes(((struct sm_bytes){buffer, count}),
                   ((struct sm_bytes){(const uint8_t *)"\x88\x00", 2}));
    finish(&pair);
}

/* A peer that upgrades and then sends frames without payload for ever. */
struct endless {
    struct sm_transport base;
    const char *frame;
    size_t frame_size, reads;
};

static enum sm_status endless_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: binary\r\n\r\n";
    struct endless *peer = (struct endless *)(void *)t;
    if (peer->reads++ == 0) {
        *got = sizeof(request) - 1;
        memcpy(to, request, *got);
        return SM_OK;
    }
    for (*got = 0; *got + peer->frame_size <= size; *got += peer->frame_size)
        memcpy(to + *got, peer->frame, peer->frame_size);
    return peer->reads > 1000 ? SM_AGAIN : SM_OK; /* so that the test ends in any case */
}

static enum sm_status endless_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                     size_t count, size_t *put)
{
    (void)t;
    *put = 0;
    for (size_t i = 0; i < count; i++)
        *put += parts[i].size;
    return SM_OK;
}

static void endless_destroy(struct sm_transport *t)
{
    (void)t;
}

static void websocket_gives_the_loop_back_however_much_nothing_comes(void **state)
{
    (void)state;
    static const struct sm_transport_ops ops = {
        .read = endless_read, .writev = endless_writev, .destroy = endless_destroy};
    static const char ping[] = "\x89\x80\0\0\0\0", empty[] = "\x82\x80\0\0\0\0";
    const char *const frames[] = {ping, empty};
    for (size_t i = 0; i < 2; i++) {
        struct endless peer = {
            .base = {.ops = &ops, .fd = -1}, .frame = frames[i], .frame_size = 6};
        struct sm_transport *server;
        sm_check_status(sm_websocket_transport_server(&server, &peer.base), SM_OK);
        uint8_t byte;
        size_t got;
        sm_check_status(sm_transport_read(server, &byte, 1, &got), SM_AGAIN);
        assert_true(sm_websocket_transport_is_upgraded(server));
        assert_in_range(peer.reads, 2, 20);
        sm_transport_destroy(server);
    }
}

static void websocket_client_says_what_the_server_said(void **state)
{
    (void)state;
    static const char *const ANSWERS[] = {
        "HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-x\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\r\n"};
    static const char *const REASONS[] = {"refused", "does not speak", "another"};
    for (size_t i = 0; i < 3; i++) {
        struct pair sockets, pair;
        make_sockets(&sockets, 0);
        pair.server = sockets.server;
        sm_check_status(sm_websocket_transport_client(&pair.client, sockets.client, "h", "/"),
                        SM_OK);
        uint8_t byte;
        size_t count;
        sm_check_status(sm_transport_read(pair.client, &byte, 1, &count), SM_AGAIN);
        put(pair.server, ANSWERS[i], strlen(ANSWERS[i]));
        sm_check_status(sm_transport_read(pair.client, &byte, 1, &count), SM_ERR_IO);
        assert_non_null(strstr(sm_transport_reason(pair.client), REASONS[i]));
        finish(&pair);
    }
    struct pair sockets;
    make_sockets(&sockets, 0);
    struct sm_transport *client;
    sm_check_status(sm_websocket_transport_client(&client, sockets.client, "h\r\nEvil: yes", "/"),
                    SM_ERR_LIMIT);
    finish(&sockets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(websocket_carries_a_stream_both_ways),
        cmocka_unit_test(websocket_lets_everything_else_pass),
        cmocka_unit_test(websocket_passes_a_refused_request_on),
        cmocka_unit_test(websocket_answers_pings_and_closes),
        cmocka_unit_test(websocket_gives_the_loop_back_however_much_nothing_comes),
        cmocka_unit_test(websocket_client_says_what_the_server_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
