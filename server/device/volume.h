/* SPDX-License-Identifier: MIT */
/* How loud a sound channel is, as the guest's mixer says. */
#ifndef SM_SERVER_DEVICE_VOLUME_H
#define SM_SERVER_DEVICE_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

enum { SM_VOLUME_MAX_CHANNELS = 8 };

struct sm_volume {
    uint8_t count; /* of channels; 0: the guest has not said */
    uint16_t levels[SM_VOLUME_MAX_CHANNELS];
    bool is_muted;
    bool has_mute; /* the guest has said whether it is muted */
};

#endif
