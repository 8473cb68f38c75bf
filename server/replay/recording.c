/* SPDX-License-Identifier: MIT */
#include "server/replay/recording.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { END = -1 };

/* The next byte, which stays; END at the end of the file. */
static int peek(struct sm_recording *r)
{
    if (r->at == r->size) {
        r->at = 0;
        r->size = fread(r->buffer, 1, sizeof(r->buffer), r->file);
        if (r->size == 0)
            return END;
    }
    return r->buffer[r->at];
}

static bool is_blank(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct sm_recording *r)
{
    while (is_blank(peek(r)))
        r->at++;
}

void sm_recording_word(struct sm_recording *r, const char *expected)
{
    if (r->failed)
        return;
    skip_blanks(r);
    while (*expected && peek(r) == (unsigned char)*expected) {
        r->at++;
        expected++;
    }
    int c = peek(r);
    if (*expected || (c != END && !is_blank(c)))
        r->failed = true;
}

/*
 * An optional sign and digits, up to a blank or the end; or, with `has_colon`, up to a colon, which
 * goes with them, because raw bytes follow it at once.
 */
static uint64_t read_digits(struct sm_recording *r, bool *is_negative, bool *has_colon)
{
    skip_blanks(r);
    int c = peek(r);
    *is_negative = c == '-';
    if (c == '-' || c == '+')
        r->at++;
    uint64_t value = 0;
    bool has_digit = false, is_long = false;
    for (; (c = peek(r)) >= '0' && c <= '9'; r->at++) {
        has_digit = true;
        is_long |= __builtin_mul_overflow(value, 10, &value) ||
                   __builtin_add_overflow(value, (uint64_t)(c - '0'), &value);
    }
    *has_colon = c == ':';
    if (*has_colon)
        r->at++;
    if (!has_digit || is_long || (!*has_colon && c != END && !is_blank(c)))
        r->failed = true;
    return value;
}

int64_t sm_recording_int(struct sm_recording *r, const char *name)
{
    if (name)
        sm_recording_word(r, name);
    if (r->failed)
        return 0;
    bool is_negative, has_colon;
    uint64_t value = read_digits(r, &is_negative, &has_colon);
    if (value > (uint64_t)INT64_MAX + is_negative)
        r->failed = true;
    if (r->failed)
        return 0;
    return is_negative ? (int64_t)(0 - value) : (int64_t)value;
}

uint64_t sm_recording_u64(struct sm_recording *r, const char *name)
{
    if (name)
        sm_recording_word(r, name);
    if (r->failed)
        return 0;
    bool is_negative, has_colon;
    uint64_t value = read_digits(r, &is_negative, &has_colon);
    if (has_colon)
        r->failed = true;
    return r->failed ? 0 : is_negative ? 0 - value : value;
}

int64_t sm_recording_range(struct sm_recording *r, const char *name, int64_t min, int64_t max)
{
    int64_t value = sm_recording_int(r, name);
    if (value < min || value > max)
        r->failed = true;
    return r->failed ? 0 : value;
}

/* What is in the buffer, then the rest past it. */
static bool read_bytes(struct sm_recording *r, uint8_t *to, size_t size)
{
    size_t near = size < r->size - r->at ? size : r->size - r->at;
    if (near)
        memcpy(to, r->buffer + r->at, near);
    r->at += near;
    return near == size || fread(to + near, 1, size - near, r->file) == size - near;
}

static bool inflate_item(struct sm_recording *r, uint8_t *to, size_t size, size_t packed_size)
{
    uint8_t *packed = malloc(packed_size ? packed_size : 1);
    uLongf got = size;
    bool is_good = packed && read_bytes(r, packed, packed_size) &&
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
    bool is_good = is_packed ? inflate_item(r, to, size, packed_size) : read_bytes(r, to, size);
    if (!is_good)
        r->failed = true;
}

void *sm_recording_binary(struct sm_recording *r, const char *name, struct sm_arena *arena,
                          size_t head, size_t *size)
{
    bool is_packed;
    size_t packed_size = 0;
    *size = read_item_head(r, name, &is_packed, &packed_size);
    uint8_t *room = r->failed ? NULL : sm_arena_alloc_raw(arena, head + *size);
    if (!room) {
        r->failed = true;
        return NULL;
    }
    if (head)
        memset(room, 0, head);
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
