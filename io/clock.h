/* SPDX-License-Identifier: MIT */
/* The monotonic clock that everything above core/ shares. */
#ifndef SM_IO_CLOCK_H
#define SM_IO_CLOCK_H

#include <stdint.h>

/** Microseconds of the monotonic clock, never 0. */
uint64_t sm_now_us(void);

#endif
