/* SPDX-License-Identifier: MIT */
/*
 * Connection files (.vv, application/x-virt-viewer): how management software hands a machine's
 * address, short-lived password and settings to a viewer. Source: docs/client.md, "Connection
 * files".
 */
#ifndef SUMAC_CONNECTION_FILE_H
#define SUMAC_CONNECTION_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/address.h"
#include "sumac/error.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_CONNECTION_FILE_MAX_BYTES = 256 * 1024 };

/** A file that was understood. Immutable: any thread may read it. */
struct sm_connection_file;

/**
 * Understands the text of a file: group [virt-viewer] with key `type`. Unknown keys and other
 * groups are kept out of the way; of a key that comes twice the last value counts.
 *
 * @param out    receives the file; the caller owns it and releases it with
 *               sm_connection_file_destroy(); untouched on failure
 * @param text   `size` bytes of UTF-8, need not end in NUL
 * @param error  receives the reason for people (kind SM_ERROR_ADDRESS) on failure; may be NULL
 * @return SM_OK; SM_ERR_PROTOCOL if it is no such file; SM_ERR_LIMIT if it is longer than
 *         SM_CONNECTION_FILE_MAX_BYTES; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_connection_file_parse(struct sm_connection_file **out,
                                                            const char *text, size_t size,
                                                            struct sm_error *error);

/** Releases `file` and wipes what is in it. NULL does nothing. */
SM_API void sm_connection_file_destroy(struct sm_connection_file *file);

/** The value of `key` with its escapes resolved; NULL if it is absent. Borrowed from `file`. */
SM_API const char *sm_connection_file_get(const struct sm_connection_file *file, const char *key);

/** The decimal number of `key`; `fallback` if it is absent or no number. */
SM_API int32_t sm_connection_file_number(const struct sm_connection_file *file, const char *key,
                                         int32_t fallback);

/**
 * Item number `index` of the list of `key`, whose items end with ';'.
 *
 * @param item  receives the item, cut to `size` bytes with its NUL
 * @return false behind the last item
 */
SM_API bool sm_connection_file_item(const struct sm_connection_file *file, const char *key,
                                    size_t index, char *item, size_t size);

/**
 * Where the machine is: `unix-path`, else `host` with `port` and `tls-port`.
 *
 * @param out    receives the address, without the password; the caller owns it
 * @param error  receives the reason for people on failure; may be NULL
 * @return SM_OK; SM_ERR_PROTOCOL if the type is not spice or host or port are missing or make no
 *         sense; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_connection_file_address(const struct sm_connection_file *file,
                                                              struct sm_address **out,
                                                              struct sm_error *error);

/**
 * Gives a session what the file says about connecting: user, password, authorities, expected
 * subject, ciphers, proxy, channels that must be secure and those to leave out.
 *
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_STATE once sm_session_connect() was called
 */
SM_API SM_NODISCARD enum sm_status sm_connection_file_apply(const struct sm_connection_file *file,
                                                            struct sm_session *session);

/**
 * Whether the file asks for a newer program than `version` (its key `version`). Dotted numbers are
 * compared from left to right; a part that is no number makes them equal.
 */
SM_API bool sm_connection_file_needs_newer(const struct sm_connection_file *file,
                                           const char *version);

#ifdef __cplusplus
}
#endif

#endif
