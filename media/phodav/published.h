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

#include "media/dav.h"
#include "sumac/status.h"

enum {
    SM_DAV_PUBLISHED_MAX = 2048, /* as long as the server lives */
    SM_DAV_ID_SIZE = 37,         /* with its NUL */
};

struct sm_dav_published;

struct sm_dav_published *sm_dav_published_create(void);

/** NULL does nothing. */
void sm_dav_published_destroy(struct sm_dav_published *published);

/** As find() of struct sm_dav_module. */
enum sm_status sm_dav_published_find(char **real, const char *path);

/**
 * Adds a file or folder; one that is there keeps its place. After a failure it is not there.
 *
 * @param real    a path of sm_dav_published_find(), copied
 * @param id      receives what it lies below
 * @param is_new  receives false if it was there
 * @param place   receives where it lies: /.spice-clipboard/ID/NAME
 * @return SM_OK; SM_ERR_LIMIT if its name does not fit or there are too many; SM_ERR_NOMEM
 */
enum sm_status sm_dav_published_add(struct sm_dav_published *published, const char *real,
                                    char id[SM_DAV_ID_SIZE], bool *is_new,
                                    char place[SM_DAV_PLACE_SIZE]);

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
