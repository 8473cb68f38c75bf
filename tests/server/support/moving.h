/* SPDX-License-Identifier: MIT */
/*
 * A machine that moves, through the exports of the library: a source and a target in one process,
 * each with a device of the guest's, and what a client of raw messages does between them.
 */
#ifndef SM_TESTS_SERVER_SUPPORT_MOVING_H
#define SM_TESTS_SERVER_SUPPORT_MOVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/server/support/visitor.h"

enum { SM_TEST_MOVE_FLAGS = 3 /* of MIGRATE, on a channel that hands on what it has */ };

struct sm_test_move_host {
    SpiceServer *server;
    char path[64];
    SpiceMigrateInstance migration;
    unsigned connects, ends;        /* times the host was told */
    SpiceCharDeviceInstance device; /* the agent, or a card reader */
    uint8_t to_guest[1 << 20];      /* what the device was sent */
    size_t to_size;
    size_t room; /* bytes it takes */
    const uint8_t *says;
    size_t says_size;
};

struct sm_test_move {
    struct sm_test_host loop;
    char folder[32];
    struct sm_test_move_host hosts[2]; /* source, target */
};

/** For cmocka: the state is a `struct sm_test_move`. */
int sm_test_move_setup(void **state);
int sm_test_move_teardown(void **state);

/** The guest's port opens: a char device that notes what it is sent. */
void sm_test_move_add_device(struct sm_test_move_host *host, const char *subtype);
void sm_test_move_add_agent(struct sm_test_move_host *host);

/** Links main; returns the link result. */
int sm_test_move_link(struct sm_test_visitor *visitor, uint32_t id);
/** A client of the source's; returns the session's id. */
uint32_t sm_test_move_begin(struct sm_test_move *f, struct sm_test_visitor *main);
void sm_test_move_say(struct sm_test_visitor *visitor, uint16_t type);
void sm_test_move_start_agent(struct sm_test_visitor *main);

/** Announces the target and links to it; the source has its answer. */
struct sm_test_visitor sm_test_move_go(struct sm_test_move *f, struct sm_test_visitor *main,
                                       uint32_t id, bool is_seamless);
/** What the source hands on about one channel. */
size_t sm_test_move_take_channel(struct sm_test_visitor *channel, uint8_t *data, size_t room);
/** The machine has gone: takes what the source hands on about main. */
size_t sm_test_move_take(struct sm_test_move *f, struct sm_test_visitor *main, uint8_t *data,
                         size_t room);

/** What the device of a host was sent, in hexadecimal digits; it is forgotten then. */
void sm_test_move_check_got(struct sm_test_move *f, unsigned host, const char *hex);

#endif
