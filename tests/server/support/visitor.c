/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "tests/server/support/visitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/wire/main.h"
#include "io/ticket.h"

/* How long the server may think. Its other threads may be late, and its host's loop is ours. */
enum { PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, QUIET_MS = 400 };

struct sm_test_visitor sm_test_visitor(struct sm_test_host *host, const char *path)
{
    struct sm_test_visitor visitor = {.host = host, .fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(visitor.fd >= 0);
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    assert_int_equal(connect(visitor.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return visitor;
}

void sm_test_visitor_close(struct sm_test_visitor *visitor)
{
    if (visitor->fd >= 0)
        close(visitor->fd);
    visitor->fd = -1;
    sm_test_host_run(visitor->host, 5);
}

void sm_test_visitor_send(struct sm_test_visitor *visitor, const void *data, size_t size)
{
    const uint8_t *from = data;
    while (size > 0) {
        ssize_t put = send(visitor->fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno != EAGAIN)
            return; /* the server has closed: what comes back will show it */
        if (put > 0) {
            from += put;
            size -= (size_t)put;
        }
        sm_epoll_loop_run_once(visitor->host->loop, 0);
    }
}

static size_t receive(struct sm_test_visitor *visitor, void *to, size_t size, int patience_ms)
{
    size_t received = 0;
    for (int waited_ms = 0; received < size && waited_ms < patience_ms;) {
        ssize_t got = recv(visitor->fd, (uint8_t *)to + received, size - received, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        if (got > 0) {
            received += (size_t)got;
            waited_ms = 0;
            continue;
        }
        if (sm_epoll_loop_run_once(visitor->host->loop, 2) == 0)
            waited_ms += 2;
    }
    return received;
}

size_t sm_test_visitor_receive(struct sm_test_visitor *visitor, void *to, size_t size)
{
    return receive(visitor, to, size, PATIENCE_MS);
}

size_t sm_test_visitor_receive_rest(struct sm_test_visitor *visitor, void *to, size_t size)
{
    return receive(visitor, to, size, QUIET_MS);
}

bool sm_test_visitor_is_closed(struct sm_test_visitor *visitor)
{
    char byte;
    sm_test_host_run(visitor->host, 5);
    ssize_t got = recv(visitor->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

int sm_test_visitor_hello(struct sm_test_visitor *visitor, uint32_t connection_id, uint8_t type,
                          uint8_t id, uint8_t key[SM_TEST_KEY_SIZE])
{
    struct sm_writer w;
    sm_writer_init(&w, 256);
    sm_put_bytes(&w, (struct sm_bytes){.data = (const uint8_t *)"REDQ", .size = 4});
    sm_put_le32(&w, 2);
    sm_put_le32(&w, 2);
    sm_put_le32(&w, 26);
    sm_put_le32(&w, connection_id);
    sm_put_u8(&w, type);
    sm_put_u8(&w, id);
    sm_put_le32(&w, 1);
    sm_put_le32(&w, 1);
    sm_put_le32(&w, 18);
    sm_put_le32(&w, 0x0d); /* mechanism selection, SASL, mini header: as the reference client */
    sm_put_le32(&w, 0x0f | visitor->more_caps);
    sm_test_visitor_send(visitor, sm_writer_bytes(&w).data, sm_writer_bytes(&w).size);
    sm_writer_finish(&w);

    uint8_t reply[16 + 4096];
    if (sm_test_visitor_receive(visitor, reply, 16) != 16)
        return SM_TEST_SILENCE;
    assert_memory_equal(reply, "REDQ", 4);
    struct sm_reader r = sm_reader((struct sm_bytes){.data = reply + 12, .size = 4});
    size_t size = sm_get_le32(&r);
    assert_in_range(size, 178, 4096);
    assert_int_equal(sm_test_visitor_receive(visitor, reply + 16, size), size);
    r = sm_reader((struct sm_bytes){.data = reply + 16, .size = size});
    int error = (int)sm_get_le32(&r);
    if (key)
        memcpy(key, reply + 20, SM_TEST_KEY_SIZE);
    return error;
}

void sm_test_visitor_send_ticket(struct sm_test_visitor *visitor,
                                 const uint8_t key[SM_TEST_KEY_SIZE], const char *password)
{
    uint8_t bytes[4 + SM_TICKET_SIZE] = {1}; /* the mechanism: a ticket */
    sm_check_status(sm_ticket_encrypt(key, password, bytes + 4), SM_OK);
    sm_test_visitor_send(visitor, bytes, sizeof(bytes));
}

int sm_test_visitor_result(struct sm_test_visitor *visitor)
{
    uint8_t result[4];
    if (sm_test_visitor_receive(visitor, result, 4) != 4)
        return SM_TEST_SILENCE;
    struct sm_reader r = sm_reader(SM_TEST_BYTES(result));
    return (int)sm_get_le32(&r);
}

int sm_test_visitor_ticket(struct sm_test_visitor *visitor, const uint8_t key[SM_TEST_KEY_SIZE],
                           const char *password)
{
    sm_test_visitor_send_ticket(visitor, key, password);
    return sm_test_visitor_result(visitor);
}

uint32_t sm_test_visitor_open_main(struct sm_test_visitor *visitor, const char *password)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    uint8_t init[4];
    assert_int_equal(sm_test_visitor_hello(visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(visitor, key, password), 0);
    assert_int_equal(sm_test_visitor_await(visitor, SM_MSG_MAIN_INIT, init, sizeof(init)), 32);
    struct sm_reader r = sm_reader(SM_TEST_BYTES(init));
    return sm_get_le32(&r);
}

int sm_test_visitor_open(struct sm_test_visitor *visitor, uint32_t connection_id, uint8_t type,
                         uint8_t id)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    assert_int_equal(sm_test_visitor_hello(visitor, connection_id, type, id, key), 0);
    return sm_test_visitor_ticket(visitor, key, "");
}

void sm_test_visitor_message(struct sm_test_visitor *visitor, uint16_t type, struct sm_bytes body)
{
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_put_le16(&w, type);
    sm_put_le32(&w, (uint32_t)body.size);
    sm_put_bytes(&w, body);
    sm_test_visitor_send(visitor, sm_writer_bytes(&w).data, sm_writer_bytes(&w).size);
    sm_writer_finish(&w);
    sm_test_host_run(visitor->host, 2);
}

size_t sm_test_visitor_await(struct sm_test_visitor *visitor, uint16_t type, void *body,
                             size_t size)
{
    for (;;) {
        uint8_t header[6];
        if (sm_test_visitor_receive(visitor, header, 6) != 6)
            fail_msg("no message %u came", type);
        struct sm_reader r = sm_reader(SM_TEST_BYTES(header));
        uint16_t got = sm_get_le16(&r);
        size_t body_size = sm_get_le32(&r);
        for (size_t i = 0; i < body_size; i++) {
            uint8_t byte;
            assert_int_equal(sm_test_visitor_receive(visitor, &byte, 1), 1);
            if (got == type && i < size)
                ((uint8_t *)body)[i] = byte;
        }
        if (got == type)
            return body_size;
    }
}
