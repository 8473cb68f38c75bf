/* SPDX-License-Identifier: MIT */
/* Characters out of UTF-8. */
#ifndef SM_CLI_UTF8_H
#define SM_CLI_UTF8_H

#include <stddef.h>
#include <stdint.h>

static const uint32_t CLI_UTF8_BAD = UINT32_MAX;

/**
 * The first character of `size` (at least 1) bytes.
 *
 * @param character  receives it, or CLI_UTF8_BAD if the bytes are not UTF-8
 * @return how many bytes it takes; 1 for a bad one
 */
size_t cli_utf8_next(const char *text, size_t size, uint32_t *character);

/** Makes a question mark of each control character of `text`, and of each byte that is not UTF-8:
 * what is left moves no terminal's cursor. */
void cli_utf8_tame(char *text);

#endif
