/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copy {
    struct copy *next;
    uint8_t *bytes;
};

static _Thread_local struct copy *copies;

static uint8_t *new_copy(size_t size)
{
    struct copy *copy = malloc(sizeof(*copy));
    uint8_t *bytes = malloc(size ? size : 1);
    if (!copy || !bytes)
        abort();
    *copy = (struct copy){.next = copies, .bytes = bytes};
    copies = copy;
    return bytes;
}

struct sm_bytes sm_test_copy(const void *data, size_t size)
{
    uint8_t *bytes = new_copy(size);
    if (size)
        memcpy(bytes, data, size);
    return (struct sm_bytes){.data = bytes, .size = size};
}

void sm_test_free_copies(void)
{
    while (copies) {
        struct copy *copy = copies;
        copies = copy->next;
        free(copy->bytes);
        free(copy);
    }
}

struct sm_bytes sm_test_hex(const char *text)
{
    uint8_t *bytes = new_copy(strlen(text) / 2 + 1);
    size_t size = 0;
    while (*text) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        unsigned value = 0;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            sscanf(text, "%2x", &value) != 1)
            fail_msg("not hexadecimal: '%.8s'", text);
        bytes[size++] = (uint8_t)value;
        text += 2;
    }
    return sm_test_copy(bytes, size);
}

void sm_check_status_at(enum sm_status actual, enum sm_status expected, const char *what,
                        const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is '%s', expected '%s'\n", what, sm_status_name(actual),
                sm_status_name(expected));
    _fail(file, line);
}

static void print_around(const char *label, struct sm_bytes bytes, size_t at)
{
    size_t from = at < 16 ? 0 : at - 16;
    size_t to = bytes.size - from < 48 ? bytes.size : from + 48;
    print_error("  %s (%zu bytes) from %zu:", label, bytes.size, from);
    for (size_t i = from; i < to; i++)
        print_error("%s%02x", i == at ? " >" : " ", bytes.data[i]);
    print_error("\n");
}

void sm_check_bytes_at(struct sm_bytes actual, struct sm_bytes expected, const char *what,
                       const char *file, int line)
{
    size_t common = actual.size < expected.size ? actual.size : expected.size;
    size_t at = 0;
    while (at < common && actual.data[at] == expected.data[at])
        at++;
    if (at == actual.size && at == expected.size)
        return;
    print_error("%s differs at byte %zu\n", what, at);
    print_around("actual  ", actual, at);
    print_around("expected", expected, at);
    _fail(file, line);
}

uint32_t sm_test_random_next(struct sm_test_random *random)
{
    uint64_t x = random->state ? random->state : 0x9e3779b97f4a7c15u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    random->state = x;
    return (uint32_t)(x >> 32);
}
