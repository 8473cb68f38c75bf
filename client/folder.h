/* SPDX-License-Identifier: MIT */
/* The folder a session shares. Source: docs/folders.md. */
#ifndef SM_CLIENT_FOLDER_H
#define SM_CLIENT_FOLDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/dav.h"
#include "sumac/folder.h"

/** Part of a session; zero-initialised. Under the session's lock but for the atomic parts. */
struct sm_client_folder {
    const struct sm_dav_module *module; /* once loaded */
    struct sm_dav_server *server;       /* owned; or NULL: nothing is shared */
    atomic_bool is_shared;
    bool is_listening;
    uint32_t connections;
    atomic_ullong received, sent; /* bytes */
};

void sm_client_folder_finish(struct sm_client_folder *folder);

/** A new connection to the server, with the session's lock held: a descriptor, the caller's; -1. */
int sm_client_folder_connect(struct sm_client_folder *folder);

#endif
