/* SPDX-License-Identifier: MIT */
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const uint32_t BAD = UINT32_MAX;

/* The first character of at least one byte; BAD, of one byte, if they are not UTF-8. */
static size_t next(struct sm_bytes text, uint32_t *character)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.data[0];
    *character = lead < 0x80 ? lead : BAD;
    size_t count = lead >= 0xf8 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (count == 0 || count > text.size)
        return 1;
    uint32_t value = lead & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (text.data[i] & 0x3f);
    }
    if (value < lowest[count] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 1;
    *character = value;
    return count;
}

/* Joiners (U+200C, U+200D) stay: words of some languages and many emoji are made with them. */
static bool is_shown(uint32_t c)
{
    static const uint32_t hidden[][2] = {
        {0x00, 0x1f},       {0x7f, 0x9f},     /* control characters */
        {0x61c, 0x61c},     {0x200e, 0x200f}, /* marks of direction */
        {0x2028, 0x202e},   {0x2066, 0x206f}, /* ends of lines, overrides and isolates */
        {0x200b, 0x200b},   {0x2060, 0x2064}, /* of no width */
        {0xfeff, 0xfeff},   {0xfff9, 0xfffb}, /* likewise; annotations */
        {0xe0000, 0xe0fff}, {0xfffe, 0xffff}, /* tags; no characters */
    };
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        if (c >= hidden[i][0] && c <= hidden[i][1])
            return false;
    return c != BAD;
}

size_t sm_text_line(char *out, size_t size, struct sm_bytes text, char instead)
{
    size_t length = 0;
    while (text.size > 0 && text.data[0]) {
        uint32_t character;
        size_t taken = next(text, &character);
        bool is_kept = is_shown(character);
        size_t put = is_kept ? taken : 1;
        if (put > size - 1 - length)
            break;
        if (is_kept)
            memcpy(out + length, text.data, taken);
        else
            out[length] = instead;
        length += put;
        text.data += taken;
        text.size -= taken;
    }
    out[length] = 0;
    return length;
}
