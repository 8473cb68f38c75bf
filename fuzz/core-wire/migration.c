/* SPDX-License-Identifier: MIT */
/* What one server hands to the next by way of the client; the invariants stand in round.h. */
#include "fuzz/core-wire/round.h"
#include "fuzz/support/fuzz.h"
#include "wire_rounds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return sm_fuzz_round(&sm_wire_round_migration, data, size);
}
