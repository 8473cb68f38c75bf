/* SPDX-License-Identifier: MIT */
#include "cli/utf8.h"

#include <stdbool.h>
#include <string.h>

size_t cli_utf8_next(const char *text, size_t size, uint32_t *character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = bytes[0];
    if (lead < 0x80) {
        *character = lead;
        return 1;
    }
    size_t count = lead >= 0xf0 && lead < 0xf8 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    *character = CLI_UTF8_BAD;
    if (count == 0 || lead >= 0xf8 || count > size)
        return 1;
    uint32_t value = lead & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < lowest[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 1;
    *character = value;
    return count;
}

void cli_utf8_tame(char *text)
{
    size_t left = strlen(text);
    char *out = text;
    while (left > 0) {
        uint32_t character;
        size_t size = cli_utf8_next(text, left, &character);
        bool is_good = character != CLI_UTF8_BAD && character >= 0x20 &&
                       (character < 0x7f || character > 0x9f);
        if (is_good)
            memmove(out, text, size);
        else
            *out = '?';
        out += is_good ? size : 1;
        text += size;
        left -= size;
    }
    *out = 0;
}
