/* SPDX-License-Identifier: MIT */
/* The release of the interface, for hosts that choose features when they are compiled. */
#ifndef SM_SPICE_SERVER_VERSION_H
#define SM_SPICE_SERVER_VERSION_H

#define SPICE_SERVER_VERSION 0x000f01 /* 0.15.1 */

#endif
