/* SPDX-License-Identifier: MIT */
/* Where the bytes of a file for the guest come from: a file, or a folder as an archive. Thread: one
 * at a time. */
#ifndef SM_CLIENT_FILE_SOURCE_H
#define SM_CLIENT_FILE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/status.h"

struct sm_file_source;

/**
 * Opens the file or folder at `path`.
 *
 * @param out  receives the source, untouched on failure; release with sm_file_source_destroy()
 * @return SM_OK; SM_ERR_IO, SM_ERR_LIMIT or SM_ERR_NOMEM with `error` filled
 */
SM_NODISCARD enum sm_status sm_file_source_open(struct sm_file_source **out, const char *path,
                                                struct sm_error *error);

/** NULL does nothing. */
void sm_file_source_destroy(struct sm_file_source *source);

/** What it is to be called in the guest: UTF-8 without folders, at most 255 bytes. */
const char *sm_file_source_name(const struct sm_file_source *source);

/** In bytes. */
uint64_t sm_file_source_size(const struct sm_file_source *source);

/**
 * Reads the next `size` bytes, which must not be more than are left.
 *
 * @return SM_OK; SM_ERR_IO with `error` filled
 */
SM_NODISCARD enum sm_status sm_file_source_read(struct sm_file_source *source, uint8_t *to,
                                                size_t size, struct sm_error *error);

#endif
