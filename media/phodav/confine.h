/* SPDX-License-Identifier: MIT */
/* Whether what a guest asks for lies inside of the shared folder. */
#ifndef SM_MEDIA_PHODAV_CONFINE_H
#define SM_MEDIA_PHODAV_CONFINE_H

#include <stdbool.h>

/**
 * Whether a path begins with '/' and has no empty, "." or ".." part, so that no other text names
 * the same: two slashes would make what follows an absolute path for who takes the first one off.
 * One slash at its end may be.
 */
bool sm_dav_is_plain(const char *inner);

/**
 * Whether a path of a request is plain and stays inside `root`, whatever symbolic links are on its
 * way. It does not have to exist.
 *
 * @param root   absolute, without symbolic links
 * @param inner  the path of the request, decoded: begins with '/'
 */
bool sm_dav_is_inside(const char *root, const char *inner);

/** Whether a symbolic link lies at the path or anywhere below it; also if it holds too much to say.
 */
bool sm_dav_has_links(const char *root, const char *inner);

#endif
