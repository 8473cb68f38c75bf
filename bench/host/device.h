/* SPDX-License-Identifier: MIT */
/* What every device without a guest answers alike. */
#ifndef SM_BENCH_HOST_DEVICE_H
#define SM_BENCH_HOST_DEVICE_H

#include "spice-server/spice.h"

/**
 * A device with neither memory nor commands, which takes back and completes whatever it is given
 * without a word: a host puts functions of its own in place of some.
 *
 * @param description  static
 */
QXLInterface sm_bench_device_interface(const char *description);

/** All of the process's memory is the guest's: addresses are pointers. For `attached_worker`. */
void sm_bench_device_map_all(QXLInstance *instance);

#endif
