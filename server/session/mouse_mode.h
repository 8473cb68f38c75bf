/* SPDX-License-Identifier: MIT */
/* Who moves the pointer: the guest by relative motion, or the client by position. */
#ifndef SM_SERVER_SESSION_MOUSE_MODE_H
#define SM_SERVER_SESSION_MOUSE_MODE_H

#include <stdbool.h>
#include <stdint.h>

struct sm_server;

/** Thread: main context. */
struct sm_mouse_mode_state {
    uint16_t current; /* enum sm_mouse_mode */
    bool client_is_allowed;
};

/** Looks again whether the client may place the pointer, and tells whoever has to know. */
void sm_mouse_mode_update(struct sm_server *server);

/** A client asks for a mode; nothing happens if it cannot be. */
void sm_mouse_mode_request(struct sm_server *server, uint16_t mode);

/** The set of modes that are possible now. */
uint16_t sm_mouse_mode_supported(const struct sm_server *server);

#endif
