/* SPDX-License-Identifier: MIT */
/* A client for tests of the server: raw bytes on a socket, while the host's loop runs beside. */
#ifndef SM_TESTS_SERVER_SUPPORT_VISITOR_H
#define SM_TESTS_SERVER_SUPPORT_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "tests/server/support/host.h"

struct sm_test_visitor {
    struct sm_test_host *host;
    int fd;             /* −1: closed */
    uint32_t more_caps; /* of the channel, besides what the reference's client says */
};

/** Connects to the unix socket at `path`. */
struct sm_test_visitor sm_test_visitor(struct sm_test_host *host, const char *path);
void sm_test_visitor_close(struct sm_test_visitor *visitor);

void sm_test_visitor_send(struct sm_test_visitor *visitor, const void *data, size_t size);

/** Reads `size` bytes, which have to come, while the host runs; fewer if the server closes. */
size_t sm_test_visitor_receive(struct sm_test_visitor *visitor, void *to, size_t size);
/** The same for what may be all already: reads until the server, whose thread is ours, is silent.
 */
size_t sm_test_visitor_receive_rest(struct sm_test_visitor *visitor, void *to, size_t size);

/** Whether the server has closed the connection, with no bytes left to read. */
bool sm_test_visitor_is_closed(struct sm_test_visitor *visitor);

enum { SM_TEST_SILENCE = -1, SM_TEST_KEY_SIZE = 162 };

/**
 * Sends the link message for a channel with mini headers.
 *
 * @param key  receives the server's key; may be NULL
 * @return the error in the link reply, or SM_TEST_SILENCE if none came
 */
int sm_test_visitor_hello(struct sm_test_visitor *visitor, uint32_t connection_id, uint8_t type,
                          uint8_t id, uint8_t key[SM_TEST_KEY_SIZE]);

/** Sends the ticket; the link result, or SM_TEST_SILENCE. */
int sm_test_visitor_ticket(struct sm_test_visitor *visitor, const uint8_t key[SM_TEST_KEY_SIZE],
                           const char *password);
/** Its two halves: what is sent, and the link result, or SM_TEST_SILENCE. */
void sm_test_visitor_send_ticket(struct sm_test_visitor *visitor,
                                 const uint8_t key[SM_TEST_KEY_SIZE], const char *password);
int sm_test_visitor_result(struct sm_test_visitor *visitor);

/** Both, for a main channel; returns the session's id, which must come in INIT. */
uint32_t sm_test_visitor_open_main(struct sm_test_visitor *visitor, const char *password);
/** Both, for another channel; returns the link result. */
int sm_test_visitor_open(struct sm_test_visitor *visitor, uint32_t connection_id, uint8_t type,
                         uint8_t id);

void sm_test_visitor_message(struct sm_test_visitor *visitor, uint16_t type, struct sm_bytes body);

/**
 * Receives messages until one of `type` comes; fails the test if none does.
 *
 * @param body  receives the first `size` bytes of its body
 * @return the size of its body
 */
size_t sm_test_visitor_await(struct sm_test_visitor *visitor, uint16_t type, void *body,
                             size_t size);

#endif
