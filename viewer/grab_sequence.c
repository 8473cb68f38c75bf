/* SPDX-License-Identifier: MIT */
#include "viewer/grab_sequence.h"

#include "sumac/keys.h"

enum { ALL = 3 };

static unsigned bit_of(uint16_t key)
{
    return key == SM_KEY_LEFT_CTRL ? 1 : key == SM_KEY_LEFT_ALT ? 2 : 0;
}

bool sm_grab_sequence_key(struct sm_grab_sequence *sequence, uint16_t key, bool is_press)
{
    unsigned bit = bit_of(key);
    if (!bit) {
        /* Ctrl+Alt+F2 is the guest's. */
        sequence->is_spoilt |= is_press && sequence->down;
        return false;
    }
    if (is_press) {
        if (!sequence->down)
            *sequence = (struct sm_grab_sequence){0};
        sequence->down |= bit;
        sequence->is_armed |= sequence->down == ALL && !sequence->is_spoilt;
        return false;
    }
    sequence->down &= ~bit;
    if (sequence->down)
        return false;
    bool is_complete = sequence->is_armed && !sequence->is_spoilt;
    *sequence = (struct sm_grab_sequence){0};
    return is_complete;
}
