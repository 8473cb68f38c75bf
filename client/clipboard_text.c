/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "client/clipboard.h"

size_t sm_clipboard_to_lf(uint8_t *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\r' || i + 1 == size || text[i + 1] != '\n')
            text[used++] = text[i];
    return used;
}

uint8_t *sm_clipboard_to_crlf(const uint8_t *text, size_t size, size_t *out_size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' && (i == 0 || text[i - 1] != '\r');
    uint8_t *out = malloc(size + lines + 1);
    if (!out)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            out[used++] = '\r';
        out[used++] = text[i];
    }
    *out_size = used;
    return out;
}
