/* SPDX-License-Identifier: MIT */
/*
 * The whole interface of libspice-server.so.1: what a host program (a hypervisor) includes.
 *
 * Names, values and layouts are fixed by the library this one stands in for; a test compares them
 * with Debian's. The types of guest memory and of the agent come from libspice-protocol-dev.
 *
 * Threads: "main context" below is the host's event loop thread plus every thread that calls in
 * under the same lock, one at a time. Unless said otherwise a function belongs to it.
 */
#ifndef SM_SPICE_SERVER_SPICE_H
#define SM_SPICE_SERVER_SPICE_H

#include "spice-audio.h"
#include "spice-char.h"
#include "spice-core.h"
#include "spice-input.h"
#include "spice-migration.h"
#include "spice-qxl.h"
#include "spice-replay.h"
#include "spice-server.h"
#include "spice-version.h"

#endif
