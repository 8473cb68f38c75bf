/* SPDX-License-Identifier: MIT */
/* The client's pointer on its way to the host's mouse or tablet, or to the guest's agent. */
#ifndef SM_SERVER_DEVICE_POINTER_H
#define SM_SERVER_DEVICE_POINTER_H

#include <stdint.h>

struct sm_server;

/** The host's mouse: relative motion. Buttons: 1 left, 2 right, 4 middle, from 0x40 the others. */
struct sm_mouse_ops {
    void (*motion)(void *context, int dx, int dy, int dz, uint32_t buttons);
    void (*buttons)(void *context, uint32_t buttons);
};

/** The host's tablet: absolute positions in pixels of the logical size. */
struct sm_tablet_ops {
    void (*set_logical_size)(void *context, int width, int height);
    void (*position)(void *context, int x, int y, uint32_t buttons);
    void (*wheel)(void *context, int dz, uint32_t buttons);
    void (*buttons)(void *context, uint32_t buttons);
};

/** The host's buttons for those of the wire. */
uint32_t sm_pointer_buttons(uint16_t wire_buttons);

/* What a client did. Whatever has no receiver in the present mouse mode is ignored. */
void sm_pointer_motion(struct sm_server *server, int32_t dx, int32_t dy, uint16_t buttons);
void sm_pointer_position(struct sm_server *server, uint32_t x, uint32_t y, uint16_t buttons,
                         uint8_t display_id);
void sm_pointer_press(struct sm_server *server, uint8_t button, uint16_t buttons);
void sm_pointer_release(struct sm_server *server, uint16_t buttons);

#endif
