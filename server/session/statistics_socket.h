/* SPDX-License-Identifier: MIT */
/* A local socket where administrators read what is counted; nothing can be changed there. */
#ifndef SM_SERVER_SESSION_STATISTICS_SOCKET_H
#define SM_SERVER_SESSION_STATISTICS_SOCKET_H

#include "sumac/status.h"

struct sm_server;
struct sm_statistics_socket;

/**
 * Listens at `path`, which only our user may open. Main context.
 *
 * @return SM_OK; SM_ERR_IO if it cannot be had, which is logged; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_statistics_socket_create(struct sm_statistics_socket **out,
                                                        struct sm_server *server, const char *path);

/** Ends it and removes the path. NULL does nothing. */
void sm_statistics_socket_destroy(struct sm_statistics_socket *socket);

#endif
