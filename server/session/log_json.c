/* SPDX-License-Identifier: MIT */
#include "server/session/log_json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TAIL = 8 }; /* bytes kept for what ends the line */

/* The bytes of the character at `text`; 0 if it is none of UTF-8. */
static size_t character_size(const char *text)
{
    const uint8_t *c = (const uint8_t *)text;
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = c[0] < 0x80             ? 1
                  : (c[0] & 0xe0) == 0xc0 ? 2
                  : (c[0] & 0xf0) == 0xe0 ? 3
                  : (c[0] & 0xf8) == 0xf0 ? 4
                                          : 0;
    uint32_t code = size == 1 ? c[0] : c[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((c[i] & 0xc0) != 0x80) /* the end of the text is none either */
            return 0;
        code = code << 6 | (c[i] & 0x3f);
    }
    bool is_good =
        size > 0 && code >= LEAST[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return is_good ? size : 0;
}

/* One character as it stands in a string of JSON; returns its size in the text. */
static size_t escape(char piece[8], const char *text)
{
    size_t size = character_size(text);
    if (size == 0) {
        memcpy(piece, "\\ufffd", 7);
        return 1;
    }
    if (*text == '"' || *text == '\\')
        (void)snprintf(piece, 8, "\\%c", *text);
    else if ((unsigned char)*text < 0x20 || *text == 0x7f)
        (void)snprintf(piece, 8, "\\u%04x", (unsigned)(unsigned char)*text);
    else
        (void)snprintf(piece, 8, "%.*s", (int)size, text);
    return size;
}

static size_t put_string(char *out, size_t at, const char *text, const char *end)
{
    char piece[8];
    while (text < end) {
        text += escape(piece, text);
        size_t size = strlen(piece);
        if (at + size + TAIL > SM_LOG_JSON_MAX)
            break;
        memcpy(out + at, piece, size);
        at += size;
    }
    return at;
}

size_t sm_log_json(char out[SM_LOG_JSON_MAX], enum sm_log_level level, const char *text, int pid,
                   const struct timespec *now)
{
    static const char *const LEVELS[] = {"debug", "info", "warning", "error"};
    struct tm utc;
    gmtime_r(&now->tv_sec, &utc);
    size_t at = (size_t)snprintf(
        out, SM_LOG_JSON_MAX,
        "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"pid\":%d,\"level\":\"%s\"",
        utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
        now->tv_nsec / 1000000, pid, LEVELS[level]);
    /* Our own lines begin with their place, which has no blank. */
    const char *words = strstr(text, ": ");
    if (words && (size_t)(words - text) + 1 == strcspn(text, " ")) {
        memcpy(out + at, ",\"place\":\"", 10);
        at = put_string(out, at + 10, text, words);
        out[at++] = '"';
        text = words + 2;
    }
    if (at + 9 + TAIL <= SM_LOG_JSON_MAX) {
        memcpy(out + at, ",\"text\":\"", 9);
        at = put_string(out, at + 9, text, text + strlen(text));
        out[at++] = '"';
    }
    memcpy(out + at, "}\n", 2);
    return at + 2;
}
