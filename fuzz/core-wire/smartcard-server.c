/* SPDX-License-Identifier: MIT */
/* Messages of the smartcard channel from the server; the invariants stand in round.h. */
#include "fuzz/core-wire/round.h"
#include "fuzz/support/fuzz.h"
#include "wire_rounds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return sm_fuzz_round(&sm_wire_round_smartcard_server, data, size);
}
