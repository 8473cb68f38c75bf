/* SPDX-License-Identifier: MIT */
/*
 * Files and folders from anywhere that the guest may read beside the shared folder: what was copied
 * here and is pasted there. Each lies below a folder of its own, /.spice-clipboard/ID/NAME, the ID
 * being made up. Thread: any; it locks itself.
 */
#ifndef SM_MEDIA_PHODAV_PUBLISHED_H
#define SM_MEDIA_PHODAV_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/status.h"

enum {
    SM_DAV_PUBLISHED_MAX = 2048, /* as long as the server lives */
    SM_DAV_ID_SIZE = 37,         /* with its NUL */
};

struct sm_dav_published;

struct sm_dav_published *sm_dav_published_create(void);

/** NULL does nothing. */
void sm_dav_published_destroy(struct sm_dav_published *published);

/**
 * Adds the file or folder at `path`; one that is there keeps its place.
 *
 * @param real    receives its path without symbolic links, the caller's, released with free()
 * @param id      receives what it lies below
 * @param is_new  receives false if it was there
 * @return SM_OK; SM_ERR_IO if it is neither or cannot be read; SM_ERR_LIMIT if its name is not
 *         UTF-8 or there are too many; SM_ERR_NOMEM
 */
enum sm_status sm_dav_published_add(struct sm_dav_published *published, const char *path,
                                    char **real, char id[SM_DAV_ID_SIZE], bool *is_new);

/** Whether the decoded path of a request leads to where published files lie, or seems to. */
bool sm_dav_published_covers(const char *path);

/**
 * Whether a request that only reads may have what lies at such a path: the folders above files, and
 * what was published, without symbolic links that lead out of it.
 *
 * @param path     plain (sm_dav_is_plain())
 * @param is_deep  it goes through all that is below
 */
bool sm_dav_published_allows(struct sm_dav_published *published, const char *path, bool is_deep);

/** Whether there is anything. */
bool sm_dav_published_has_any(struct sm_dav_published *published);

#endif
