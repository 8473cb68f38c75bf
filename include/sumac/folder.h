/* SPDX-License-Identifier: MIT */
/*
 * A folder of ours shared with the guest: its WebDAV service (spice-webdavd) shows it there, on
 * http://localhost:9843. The machine needs a port org.spice-space.webdav.0 for it.
 */
#ifndef SUMAC_FOLDER_H
#define SUMAC_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Shares a folder in place of the one shared before, whose connections end. Before
 * sm_session_connect() or later; the webdav channel is opened when the first folder is shared.
 * Nothing outside of the folder can be reached, neither by `..` nor by symbolic links.
 *
 * @param path   NULL to share none
 * @param error  receives the reason for people; may be NULL
 * @return SM_OK, also if the machine has no port for it; SM_ERR_IO if it is no folder that can be
 *         read; SM_ERR_STATE if this installation cannot share folders; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_share_folder(struct sm_session *session,
                                                           const char *path, bool is_read_only,
                                                           struct sm_error *error);

/** How sharing stands. */
struct sm_folder_state {
    bool is_shared;          /* there is a folder to share */
    bool can_be_shared;      /* the machine has a port for it; known once connected */
    bool is_listening;       /* the guest's service is there */
    uint32_t connections;    /* of the guest, now */
    uint64_t received, sent; /* bytes, since the session began */
};

/** SM_EVENT_FOLDER says that it has changed, but for the bytes. */
SM_API void sm_session_get_folder_state(struct sm_session *session, struct sm_folder_state *out);

#ifdef __cplusplus
}
#endif

#endif
