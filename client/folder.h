/* SPDX-License-Identifier: MIT */
/* The folder a session shares. Source: docs/folders.md. */
#ifndef SM_CLIENT_FOLDER_H
#define SM_CLIENT_FOLDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/dav.h"
#include "sumac/folder.h"

struct sm_client_channel;

/** Part of a session; zero-initialised. Under the session's lock but for the atomic parts. */
struct sm_client_folder {
    const struct sm_dav_module *module; /* once loaded */
    struct sm_dav_server *server;       /* owned; or NULL: nothing is shared, nothing was copied */
    atomic_bool is_shared;              /* a folder */
    atomic_bool is_wanted;              /* there is a server */
    bool is_listening;
    uint32_t connections;
    atomic_ullong received, sent; /* bytes */
};

void sm_client_folder_finish(struct sm_client_folder *folder);

/**
 * Makes a server for files that are copied, unless there is one, and opens the channel. On the main
 * channel's thread.
 *
 * @return false if this installation has none
 */
bool sm_client_folder_prepare(struct sm_client_channel *main);

/** The reason why there is no module: SM_ERR_STATE. */
enum sm_status sm_client_folder_say_absent(struct sm_error *error);

/** Lets the guest read what was found through the server there is: sm_dav_module.publish(). Any
 * thread, no lock held. SM_ERR_STATE without a server. */
enum sm_status sm_client_folder_publish(struct sm_session *session, const char *real,
                                        char place[SM_DAV_PLACE_SIZE]);

/** A new connection to the server, with the session's lock held: a descriptor, the caller's; -1. */
int sm_client_folder_connect(struct sm_client_folder *folder);

#endif
