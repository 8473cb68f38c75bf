/* SPDX-License-Identifier: MIT */
/* The one thing all targets of this area do. */
#ifndef SM_FUZZ_CORE_WIRE_ROUND_H
#define SM_FUZZ_CORE_WIRE_ROUND_H

#include "tests/core/wire/round.h"

/**
 * Takes u16 type, u8 context and a body. Invariants: a refused message is not written to and has a
 * reason; a message that is taken can be built, and what was built comes back as it is.
 */
int sm_fuzz_round(const struct sm_wire_round *round, const uint8_t *data, size_t size);

#endif
