/* SPDX-License-Identifier: MIT */
/* What is said about files: to the agent about a new one, and to people about its refusals.
 * Source: docs/files.md. */
#ifndef SM_CLIENT_FILE_WORDS_H
#define SM_CLIENT_FILE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/files.h"

/**
 * The text of FILE_XFER_START: a key file.
 *
 * @param out   receives it with its NUL; 4 KiB are enough for every name
 * @param name  at most SM_FILE_NAME_SIZE bytes
 * @return its size in bytes, NUL included
 */
size_t sm_file_words(char *out, size_t room, const char *name, uint64_t size_bytes, uint32_t number,
                     uint32_t total);

/**
 * Why a file did not arrive.
 *
 * @param result  of enum sm_file_xfer_result, or unknown
 * @param detail  what the agent adds; looked at only if it has the right size
 * @param file    which one; NULL for files at large
 */
void sm_file_words_error(struct sm_error *error, uint32_t result, struct sm_bytes detail,
                         const struct sm_file_progress *file);

/** "512 bytes", "3.4 MB": a size for people; `out` has room for 32 bytes. */
void sm_file_words_size(char *out, uint64_t bytes);

#endif
