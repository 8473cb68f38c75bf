/* SPDX-License-Identifier: MIT */
/* The keys that give keyboard and pointer back: left Ctrl and left Alt, pressed and let go. */
#ifndef SM_VIEWER_GRAB_SEQUENCE_H
#define SM_VIEWER_GRAB_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialised it is ready. */
struct sm_grab_sequence {
    unsigned down;  /* keys of the sequence that are down, a bit each */
    bool is_spoilt; /* another key came in between */
    bool is_armed;  /* all were down together */
};

/**
 * Takes a key of the keyboard, as sumac/keys.h numbers them; repeats may come.
 *
 * @return true if with this release the sequence is complete
 */
bool sm_grab_sequence_key(struct sm_grab_sequence *sequence, uint16_t key, bool is_press);

#endif
