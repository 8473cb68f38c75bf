/* SPDX-License-Identifier: MIT */
/*
 * A folder served as WebDAV, on connections that exist inside this process only. The server lives
 * in a module of its own (libphodav, libsoup), loaded when the first folder is shared.
 */
#ifndef SM_MEDIA_DAV_H
#define SM_MEDIA_DAV_H

#include <stdbool.h>

#include "sumac/status.h"

enum { SM_DAV_PLACE_SIZE = 320 }; /* with its NUL: a name has at most 255 bytes */

/** A server, with a thread of its own. */
struct sm_dav_server;

/** What the module offers, under the name "sm_dav_module". Thread: any, one at a time a server. */
struct sm_dav_module {
    /**
     * Serves what is below `folder`, and nothing outside of it: neither by `..` nor by symbolic
     * links.
     *
     * @param folder  NULL: only what is published
     * @return SM_OK; SM_ERR_IO if the folder is none; SM_ERR_STATE if the library is not one
     *         that can be kept inside; SM_ERR_NOMEM
     */
    enum sm_status (*create)(struct sm_dav_server **out, const char *folder, bool is_read_only);
    /**
     * Looks for a file or folder that publish() could be given. It takes as long as the file system
     * does, which on a network's may be for ever.
     *
     * @param real  receives its path without symbolic links, the caller's, released with free()
     * @return SM_OK; SM_ERR_IO if it is neither or cannot be read; SM_ERR_LIMIT if its name is not
     *         UTF-8
     */
    enum sm_status (*find)(char **real, const char *path);
    /**
     * Lets the guest read a file or folder, too, until the server ends. Does not look at it, so it
     * never takes long.
     *
     * @param real   a path of find()
     * @param place  receives where, as a path of the server: /.spice-clipboard/ID/NAME
     * @return SM_OK; SM_ERR_LIMIT if its name does not fit, or there are too many; SM_ERR_NOMEM
     */
    enum sm_status (*publish)(struct sm_dav_server *server, const char *real,
                              char place[SM_DAV_PLACE_SIZE]);
    /** A new connection: a descriptor to speak HTTP on, non-blocking, the caller's; -1 if none. */
    int (*connect)(struct sm_dav_server *server);
    /** Ends all connections. NULL does nothing. */
    void (*destroy)(struct sm_dav_server *server);
};

/** Loads the module, for good; NULL if it is not installed. Thread: any. */
const struct sm_dav_module *sm_dav_load(void);

#endif
