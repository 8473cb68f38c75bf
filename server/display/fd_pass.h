/* SPDX-License-Identifier: MIT */
/* Passing a descriptor over a local socket. Source: docs/wire/display.md, "GL_SCANOUT_UNIX". */
#ifndef SM_SERVER_DISPLAY_FD_PASS_H
#define SM_SERVER_DISPLAY_FD_PASS_H

#include "sumac/status.h"

/**
 * Writes one byte, '@', with `fd` attached, to a non-blocking unix socket. Both stay the caller's.
 *
 * @return SM_OK; SM_AGAIN if the socket has no room; SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_fd_pass(int socket, int fd);

#endif
