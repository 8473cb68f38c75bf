/* SPDX-License-Identifier: MIT */
/* The host's event loop as ours: struct sm_loop over SpiceCoreInterface. */
#ifndef SM_SERVER_ABI_CORE_INTERFACE_H
#define SM_SERVER_ABI_CORE_INTERFACE_H

#include "io/loop.h"
#include "spice-server/spice-core.h"

/**
 * @param core  borrowed as long as the loop, its watches and its timers are used; what its
 *              functions return is never looked into, and may even be NULL
 */
struct sm_loop sm_core_interface_loop(SpiceCoreInterface *core);

#endif
