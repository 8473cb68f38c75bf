/* SPDX-License-Identifier: MIT */
#include "server/device/pointer.h"

#include "server/session/displays.h"
#include "server/session/internal.h"

/* Source: docs/wire, "Inputs channel": buttons by number and, in masks, by bit. */
enum {
    BUTTON_WHEEL_UP = 4,
    BUTTON_WHEEL_DOWN = 5,

    MASK_LEFT = 1,
    MASK_MIDDLE = 2,
    MASK_RIGHT = 4,
    MASK_FIRST_SIDE = 32,
};

uint32_t sm_pointer_buttons(uint16_t wire_buttons)
{
    uint32_t buttons = wire_buttons & MASK_LEFT;
    buttons |= (wire_buttons & MASK_MIDDLE) ? 4 : 0;
    buttons |= (wire_buttons & MASK_RIGHT) ? 2 : 0;
    /* The wheel's two bits have no state of their own; the rest is one bit further up. */
    buttons |= ((uint32_t)wire_buttons & ~(uint32_t)(MASK_FIRST_SIDE - 1)) << 1;
    return buttons;
}

static bool agent_has_pointer(const struct sm_server *server)
{
    return server->agent.mouse_is_enabled && sm_agent_is_attached(&server->agent);
}

/* Dropped as nobody's: all further buttons only ever mean what the receiver makes of them. */
static bool is_client_mode(const struct sm_server *server)
{
    return server->mouse_mode.current == SM_MOUSE_MODE_CLIENT;
}

void sm_pointer_motion(struct sm_server *server, int32_t dx, int32_t dy, uint16_t buttons)
{
    const struct sm_inputs *inputs = &server->inputs;
    if (!is_client_mode(server) && inputs->mouse)
        inputs->mouse->motion(inputs->mouse_context, dx, dy, 0, sm_pointer_buttons(buttons));
}

void sm_pointer_position(struct sm_server *server, uint32_t x, uint32_t y, uint16_t buttons,
                         uint8_t display_id)
{
    const struct sm_inputs *inputs = &server->inputs;
    if (!is_client_mode(server))
        return;
    sm_displays_note_pointer(server, display_id, x, y);
    if (agent_has_pointer(server))
        sm_agent_pointer(&server->agent, x, y, (uint32_t)buttons << 1, display_id);
    else if (inputs->tablet)
        inputs->tablet->position(inputs->tablet_context, (int)x, (int)y,
                                 sm_pointer_buttons(buttons));
}

void sm_pointer_press(struct sm_server *server, uint8_t button, uint16_t buttons)
{
    const struct sm_inputs *inputs = &server->inputs;
    int dz = button == BUTTON_WHEEL_UP ? -1 : button == BUTTON_WHEEL_DOWN ? 1 : 0;
    if (!is_client_mode(server)) {
        if (inputs->mouse)
            inputs->mouse->motion(inputs->mouse_context, 0, 0, dz, sm_pointer_buttons(buttons));
    } else if (agent_has_pointer(server)) {
        uint32_t wheel = dz < 0 ? SM_AGENT_BUTTON_UP : dz > 0 ? SM_AGENT_BUTTON_DOWN : 0;
        sm_agent_buttons(&server->agent, (uint32_t)buttons << 1 | wheel);
    } else if (inputs->tablet) {
        inputs->tablet->wheel(inputs->tablet_context, dz, sm_pointer_buttons(buttons));
    }
}

void sm_pointer_release(struct sm_server *server, uint16_t buttons)
{
    const struct sm_inputs *inputs = &server->inputs;
    if (!is_client_mode(server)) {
        if (inputs->mouse)
            inputs->mouse->buttons(inputs->mouse_context, sm_pointer_buttons(buttons));
    } else if (agent_has_pointer(server)) {
        sm_agent_buttons(&server->agent, (uint32_t)buttons << 1);
    } else if (inputs->tablet) {
        inputs->tablet->buttons(inputs->tablet_context, sm_pointer_buttons(buttons));
    }
}
