/* SPDX-License-Identifier: MIT */
/* The inputs channel: what clients do with keyboard and pointer. */
#ifndef SM_SERVER_DEVICE_INPUTS_H
#define SM_SERVER_DEVICE_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "io/loop.h"
#include "server/device/keyboard.h"
#include "server/device/pointer.h"
#include "server/session/registry.h"
#include "sumac/status.h"

struct sm_server;

/** Thread: main context. */
struct sm_inputs {
    struct sm_server *server; /* borrowed */
    struct sm_keyboard keyboard;
    const struct sm_mouse_ops *mouse; /* borrowed; NULL: none */
    void *mouse_context;
    const struct sm_tablet_ops *tablet; /* likewise */
    void *tablet_context;
    struct sm_timer *lock_timer; /* runs from a lock key to telling the clients of the lamps */
    struct sm_channel_offer offer;
    struct sm_list clients;
};

void sm_inputs_init(struct sm_inputs *inputs, struct sm_server *server);

/** Offers the channel, once the server has a loop. */
SM_NODISCARD enum sm_status sm_inputs_start(struct sm_inputs *inputs);

/** Ends all clients and the channel; harmless if it was not started. */
void sm_inputs_finish(struct sm_inputs *inputs);

/** The guest's lamps as it says itself: told to the clients at once. */
void sm_inputs_leds(struct sm_inputs *inputs, uint8_t leds);

#endif
