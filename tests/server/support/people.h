/* SPDX-License-Identifier: MIT */
/* A server that several people may come to, its devices, and the people. */
#ifndef SM_TESTS_SERVER_SUPPORT_PEOPLE_H
#define SM_TESTS_SERVER_SUPPORT_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "tests/server/support/visitor.h"

/* A host's char device that notes what clients say to the guest, and says what the guest does. */
struct sm_test_device {
    SpiceCharDeviceInstance instance;
    uint8_t written[65536];
    size_t size;
    int state;
    struct sm_bytes says; /* borrowed; what is left of it */
};

struct sm_test_people {
    struct sm_test_host host;
    SpiceServer *server;
    struct sm_test_device usb, agent;
    SpicePlaybackInstance sound;
};

/** For cmocka: the state is a `struct sm_test_people`, with room for three. */
int sm_test_people_setup(void **state);
int sm_test_people_teardown(void **state);

struct sm_test_person {
    struct sm_test_visitor main;
    uint32_t id;
};

struct sm_test_person sm_test_come(struct sm_test_people *f, const char *password);
void sm_test_go(struct sm_test_person *person);

/** The result of a further main link, or of its ticket. */
int sm_test_try_to_come(struct sm_test_people *f, const char *password);

/** The link result for another channel; it is left open in `out` if that is given. */
int sm_test_open_channel(struct sm_test_people *f, uint32_t id, uint8_t type, const char *password,
                         struct sm_test_visitor *out);

/** A mask of the channel types in the next list. */
uint32_t sm_test_listed(struct sm_test_person *person);
/** Asks for the list, then the same. */
uint32_t sm_test_ask_list(struct sm_test_person *person);

void sm_test_start_agent(struct sm_test_person *person);
/**
 * The first piece of a message to the agent: its header and `here` zeros of its `size` bytes; valid
 * until sm_test_free_copies().
 */
struct sm_bytes sm_test_agent_message(uint32_t type, uint32_t size, size_t here);

#endif
