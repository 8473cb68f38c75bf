/* SPDX-License-Identifier: MIT */
/*
 * Keyboard and pointer of the guest. Nothing here waits: what is sent is queued in order. Each
 * function gives SM_OK; SM_ERR_STATE before the inputs channel is open or after it closed;
 * SM_ERR_LIMIT if an argument is out of range or too much waits to be sent; SM_ERR_NOMEM.
 */
#ifndef SUMAC_INPUTS_H
#define SUMAC_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/keys.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Numbers of the pointer's buttons on the wire; the wheel is two of them. */
enum sm_button {
    SM_BUTTON_LEFT = 1,
    SM_BUTTON_MIDDLE = 2,
    SM_BUTTON_RIGHT = 3,
    SM_BUTTON_WHEEL_UP = 4,
    SM_BUTTON_WHEEL_DOWN = 5,
    SM_BUTTON_SIDE = 6,
    SM_BUTTON_EXTRA = 7,
};

/** Presses `key` (sumac/keys.h), or lets it go. A second press is a repeat. Releasing a key that is
 * not down sends nothing. */
SM_API SM_NODISCARD enum sm_status sm_session_send_key(struct sm_session *session, uint16_t key,
                                                       bool is_press);

/** Presses the keys of `chord` in order and lets them go in reverse order, in one message if the
 * server can. */
SM_API SM_NODISCARD enum sm_status sm_session_send_chord(struct sm_session *session,
                                                         const struct sm_key_chord *chord);

/** Lets go of every key and button that is down, as when a window loses the focus. */
SM_API SM_NODISCARD enum sm_status sm_session_release_all(struct sm_session *session);

/** Sets the guest's lock keys: Scroll 1, Num 2, Caps 4. */
SM_API SM_NODISCARD enum sm_status sm_session_send_leds(struct sm_session *session, uint32_t leds);

/** Moves the pointer to (x, y) of monitor `monitor_number`, in its pixels. Mouse mode client only
 * (SM_ERR_STATE otherwise). */
SM_API SM_NODISCARD enum sm_status sm_session_send_position(struct sm_session *session,
                                                            uint32_t monitor_number, uint32_t x,
                                                            uint32_t y);

/** Moves the pointer by (dx, dy). Mouse mode server only (SM_ERR_STATE otherwise). */
SM_API SM_NODISCARD enum sm_status sm_session_send_motion(struct sm_session *session, int32_t dx,
                                                          int32_t dy);

/** Presses `button` or lets it go, where the pointer is. */
SM_API SM_NODISCARD enum sm_status sm_session_send_button(struct sm_session *session,
                                                          enum sm_button button, bool is_press);

#ifdef __cplusplus
}
#endif

#endif
