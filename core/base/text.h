/* SPDX-License-Identifier: MIT */
/* Text that strangers chose and people read: names, notices. */
#ifndef SM_CORE_BASE_TEXT_H
#define SM_CORE_BASE_TEXT_H

#include <stddef.h>

#include "core/base/reader.h"

/**
 * Copies `text` up to its first NUL as one line that shows what it says: each byte that is not
 * UTF-8, and each character that moves a cursor, turns the direction of writing or cannot be seen,
 * becomes `instead`. What does not fit is left out, at the end and by whole characters.
 *
 * @param out   receives valid UTF-8, with a NUL
 * @param size  of `out`, at least 1
 * @return its length
 */
size_t sm_text_line(char *out, size_t size, struct sm_bytes text, char instead);

#endif
