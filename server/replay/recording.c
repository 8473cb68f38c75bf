/* SPDX-License-Identifier: MIT */
#include "server/replay/recording.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { WORD_MAX = 64 };

/* Reads one word of at most WORD_MAX - 1 bytes; it ends before a blank or behind a colon. */
static bool read_word(struct sm_recording *r, char out[WORD_MAX])
{
    int c;
    do {
        c = getc_unlocked(r->file);
    } while (c != EOF && isspace(c));
    size_t size = 0;
    while (c != EOF && !isspace(c) && size < WORD_MAX - 1) {
        out[size++] = (char)c;
        if (c == ':') { /* raw bytes follow at once */
            c = 0;
            break;
        }
        c = getc_unlocked(r->file);
    }
    out[size] = '\0';
    if (c != 0 && c != EOF)
        ungetc(c, r->file);
    return size > 0;
}

void sm_recording_word(struct sm_recording *r, const char *expected)
{
    char word[WORD_MAX];
    if (!r->failed && (!read_word(r, word) || strcmp(word, expected) != 0))
        r->failed = true;
}

int64_t sm_recording_int(struct sm_recording *r, const char *name)
{
    if (name)
        sm_recording_word(r, name);
    char word[WORD_MAX], *end;
    if (r->failed || !read_word(r, word)) {
        r->failed = true;
        return 0;
    }
    errno = 0;
    long long value = strtoll(word, &end, 10);
    if (errno || end == word || (*end && strcmp(end, ":") != 0))
        r->failed = true;
    return r->failed ? 0 : value;
}

uint64_t sm_recording_u64(struct sm_recording *r, const char *name)
{
    if (name)
        sm_recording_word(r, name);
    char word[WORD_MAX], *end;
    if (r->failed || !read_word(r, word)) {
        r->failed = true;
        return 0;
    }
    errno = 0;
    unsigned long long value = strtoull(word, &end, 10);
    if (errno || end == word || *end)
        r->failed = true;
    return r->failed ? 0 : value;
}

int64_t sm_recording_range(struct sm_recording *r, const char *name, int64_t min, int64_t max)
{
    int64_t value = sm_recording_int(r, name);
    if (value < min || value > max)
        r->failed = true;
    return r->failed ? 0 : value;
}

static bool inflate_item(struct sm_recording *r, uint8_t *to, size_t size, size_t packed_size)
{
    uint8_t *packed = malloc(packed_size ? packed_size : 1);
    uLongf got = size;
    bool is_good = packed && fread(packed, 1, packed_size, r->file) == packed_size &&
                   uncompress(to, &got, packed, packed_size) == Z_OK && got == size;
    free(packed);
    return is_good;
}

/* "binary Z NAME SIZE:" or, packed, "binary 1 NAME SIZE:PACKED:". */
static size_t read_item_head(struct sm_recording *r, const char *name, bool *is_packed,
                             size_t *packed_size)
{
    *is_packed = sm_recording_range(r, "binary", 0, 1);
    size_t size = (size_t)sm_recording_range(r, name, 0, SM_RECORDING_ITEM_MAX);
    if (*is_packed)
        *packed_size = (size_t)sm_recording_range(r, NULL, 0, SM_RECORDING_ITEM_MAX);
    return size;
}

static void read_item(struct sm_recording *r, uint8_t *to, size_t size, bool is_packed,
                      size_t packed_size)
{
    bool is_good =
        is_packed ? inflate_item(r, to, size, packed_size) : fread(to, 1, size, r->file) == size;
    if (!is_good)
        r->failed = true;
}

void *sm_recording_binary(struct sm_recording *r, const char *name, struct sm_arena *arena,
                          size_t head, size_t *size)
{
    bool is_packed;
    size_t packed_size = 0;
    *size = read_item_head(r, name, &is_packed, &packed_size);
    uint8_t *room = r->failed ? NULL : sm_arena_alloc(arena, head + *size, 1);
    if (!room) {
        r->failed = true;
        return NULL;
    }
    read_item(r, room + head, *size, is_packed, packed_size);
    return r->failed ? NULL : room;
}

void sm_recording_binary_into(struct sm_recording *r, const char *name, void *to, size_t size)
{
    bool is_packed;
    size_t packed_size = 0;
    if (read_item_head(r, name, &is_packed, &packed_size) != size)
        r->failed = true;
    if (!r->failed)
        read_item(r, to, size, is_packed, packed_size);
}
