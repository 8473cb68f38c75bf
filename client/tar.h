/* SPDX-License-Identifier: MIT */
/*
 * A folder as a tar archive whose size is known before its first byte is made: POSIX.1-2001, so
 * that long names fit. Holds files, folders and symbolic links; devices, sockets and pipes are left
 * out. Thread: one at a time.
 */
#ifndef SM_CLIENT_TAR_H
#define SM_CLIENT_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/status.h"

enum {
    SM_TAR_ENTRIES_MAX = 100000,
    SM_TAR_DEPTH_MAX = 64,
};

struct sm_tar;

/**
 * Looks through the folder.
 *
 * @param out   receives the archive, untouched on failure; release with sm_tar_destroy()
 * @param name  what the folder is called inside
 * @return SM_OK; SM_ERR_IO, SM_ERR_LIMIT or SM_ERR_NOMEM with `error` filled
 */
SM_NODISCARD enum sm_status sm_tar_open(struct sm_tar **out, const char *path, const char *name,
                                        struct sm_error *error);

/** NULL does nothing. */
void sm_tar_destroy(struct sm_tar *tar);

/** Bytes of the whole archive. */
uint64_t sm_tar_size(const struct sm_tar *tar);

/**
 * Makes the next `size` bytes, which must not be more than are left.
 *
 * @return SM_OK; SM_ERR_IO with `error` filled if a file cannot be read or became shorter
 */
SM_NODISCARD enum sm_status sm_tar_read(struct sm_tar *tar, uint8_t *to, size_t size,
                                        struct sm_error *error);

#endif
