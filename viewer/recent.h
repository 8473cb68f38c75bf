/* SPDX-License-Identifier: MIT */
/* The machines that were looked at, newest first, in a file of the user's. Addresses only. */
#ifndef SM_VIEWER_RECENT_H
#define SM_VIEWER_RECENT_H

#include <stddef.h>

#include <glib.h>

enum { SM_RECENT_MAX = 12 };

/** One machine. */
struct sm_recent {
    char *address; /* owned; canonical, never with a password */
    char *name;    /* owned; "" if the machine did not tell one */
};

/**
 * Reads the list.
 *
 * @param out  receives at most SM_RECENT_MAX; the caller frees it with sm_recent_clear()
 * @return how many; 0 if there is no list or it cannot be read
 */
size_t sm_recent_load(const char *path, struct sm_recent out[SM_RECENT_MAX]);

/**
 * What may be kept of an address in a file: the query of a WebSocket's, where gateways have their
 * tickets, is left out.
 *
 * @param address  canonical
 * @return the caller's
 */
char *sm_recent_address(const char *address);

/** Frees what is in a list. */
void sm_recent_clear(struct sm_recent *list, size_t count);

/** Puts a machine first, as sm_recent_address(); it is in the list once. False, and `error`, if it
 * cannot be written. */
gboolean sm_recent_add(const char *path, const char *address, const char *name, GError **error);

/** Takes a machine out. */
gboolean sm_recent_remove(const char *path, const char *address, GError **error);

/** The file of this user, the caller's. */
char *sm_recent_path(void);

#endif
