/* SPDX-License-Identifier: MIT */
/* Files on their way through the guest agent. On the main channel's thread, but for the public
 * functions. Source: docs/files.md. */
#ifndef SM_CLIENT_FILES_H
#define SM_CLIENT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "client/channel_thread.h"
#include "core/base/list.h"
#include "core/wire/agent.h"
#include "sumac/files.h"

/** Part of a session. Under the session's lock. */
struct sm_client_files {
    struct sm_list list; /* owned struct sm_transfer, as they were given */
    size_t count;
    uint32_t last_id;
    uint64_t told_us; /* when progress was told last */
};

void sm_client_files_init(struct sm_client_files *files);

/** Frees all. */
void sm_client_files_finish(struct sm_client_files *files);

/** Sends what can be sent now; after everything that may have made room. */
enum sm_status sm_client_files_feed(struct sm_client_channel *main);

/** The agent is gone, or the connection: everything under way has failed. */
void sm_client_files_end(struct sm_client_channel *main);

/** The agent's word on a file. */
enum sm_status sm_client_files_status(struct sm_client_channel *main,
                                      const struct sm_agent_file_xfer_status *status);

#endif
