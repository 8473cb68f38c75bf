/* SPDX-License-Identifier: MIT */
/* Made from protocol/: a round trip through every pair of parse and build. */
#ifndef SM_TESTS_CORE_WIRE_ROUNDS_H
#define SM_TESTS_CORE_WIRE_ROUNDS_H

#include "tests/core/wire/round.h"

extern const struct sm_wire_round sm_wire_round_example_server;
extern const struct sm_wire_round sm_wire_round_example_client;

/** All of them; NULL at the end. */
extern const struct sm_wire_round *const sm_wire_rounds[];

#endif
