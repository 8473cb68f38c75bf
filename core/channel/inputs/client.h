/* SPDX-License-Identifier: MIT */
/*
 * The client's end of an inputs channel: keys that never stay down, motion that never floods the
 * line. Source: docs/channel.md, "Inputs".
 */
#ifndef SM_CORE_CHANNEL_INPUTS_CLIENT_H
#define SM_CORE_CHANNEL_INPUTS_CLIENT_H

#include "core/channel/channel.h"
#include "core/wire/inputs.h"

enum {
    SM_INPUTS_ACK_BUNCH = 4,   /* motion messages per acknowledgement */
    SM_INPUTS_MAX_UNACKED = 8, /* more are added up instead of sent */
    SM_INPUTS_KEY_COUNT = 512, /* key codes are below: 0x01..0x7f, and 0x100 | code behind e0 */
    /** Pause: two messages each way, e1 1d and 45. */
    SM_INPUTS_KEY_PAUSE = 0x200,
};

/** Thread: one at a time. */
struct sm_inputs_client;

struct sm_inputs_client_config {
    struct sm_channel_setup setup;
};

/** Borrowed until the next sm_inputs_client_next(). */
struct sm_inputs_client_event {
    uint64_t serial;
    const struct sm_inputs_msg *msg; /* INIT, KEY_MODIFIERS; MOUSE_MOTION_ACK is dealt with */
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_inputs_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_inputs_client_create(struct sm_inputs_client **out,
                                                    const struct sm_inputs_client_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_inputs_client_destroy(struct sm_inputs_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_inputs_client_machine(struct sm_inputs_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_inputs_client_channel(struct sm_inputs_client *client);

/** Pulls the next message. SM_OK; SM_AGAIN if there is none; else the channel has failed. */
SM_NODISCARD enum sm_status sm_inputs_client_next(struct sm_inputs_client *client,
                                                  struct sm_inputs_client_event *event);

/**
 * A key goes down (again: repetition) or up. A release of a key that is not down is not sent.
 *
 * @param key  0x01..0x7f, 0x100 | 0x01..0x7f behind e0, or SM_INPUTS_KEY_PAUSE
 * @return SM_OK; SM_ERR_STATE for no such key; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_inputs_client_key(struct sm_inputs_client *client, uint32_t key,
                                                 bool is_down);

/**
 * Press and release in one message if the server can, else in two. A key that is down stays down.
 */
SM_NODISCARD enum sm_status sm_inputs_client_tap(struct sm_inputs_client *client, uint32_t key);

/** Releases every key that is down. */
SM_NODISCARD enum sm_status sm_inputs_client_release_keys(struct sm_inputs_client *client);

/** On a new connection: what is down is what was down on the `former` one. */
void sm_inputs_client_inherit(struct sm_inputs_client *client,
                              const struct sm_inputs_client *former);

bool sm_inputs_client_is_down(const struct sm_inputs_client *client, uint32_t key);

/** Tells the lock state we want: bits of enum sm_keyboard_modifier. */
SM_NODISCARD enum sm_status sm_inputs_client_modifiers(struct sm_inputs_client *client,
                                                       uint16_t modifiers);

/** Relative motion, for mouse mode SERVER; summed up while too much is unacknowledged. */
SM_NODISCARD enum sm_status sm_inputs_client_motion(struct sm_inputs_client *client, int32_t dx,
                                                    int32_t dy);

/** Absolute position, for mouse mode CLIENT; the latest wins while too much is unacknowledged. */
SM_NODISCARD enum sm_status sm_inputs_client_position(struct sm_inputs_client *client, uint32_t x,
                                                      uint32_t y, uint8_t display_id);

/**
 * A button goes down or up; motion that waits is sent before. UP and DOWN are the wheel: each notch
 * is a press and a release.
 *
 * @param button  of enum sm_mouse_button
 */
SM_NODISCARD enum sm_status sm_inputs_client_button(struct sm_inputs_client *client, uint8_t button,
                                                    bool is_down);

/** Forgets motion that waits: the mouse mode has changed. */
void sm_inputs_client_reset_motion(struct sm_inputs_client *client);

/** Acknowledgements that have come. */
uint32_t sm_inputs_client_acks(const struct sm_inputs_client *client);

/** True if the server has as much motion as it acknowledges at once, and has not. */
bool sm_inputs_client_awaits_ack(const struct sm_inputs_client *client);

/** Buttons that are down: bits of enum sm_mouse_button_mask. */
uint16_t sm_inputs_client_buttons(const struct sm_inputs_client *client);

#endif
