/* SPDX-License-Identifier: MIT */
/* Unpredictable numbers from the kernel. */
#ifndef SM_IO_RANDOM_H
#define SM_IO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

/** Fills `out` with `size` bytes fit for keys and session ids; SM_ERR_IO if the kernel has none. */
SM_NODISCARD enum sm_status sm_random_bytes(void *out, size_t size);

/** A random number that is not 0. */
SM_NODISCARD enum sm_status sm_random_u32(uint32_t *out);

#endif
