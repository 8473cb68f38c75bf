/* SPDX-License-Identifier: MIT */
/*
 * Reads the data messages of one channel and direction (mini headers) from a file, parses each and
 * builds it again. Prints one line a message that is refused or comes back different, then the
 * count of those that came back byte for byte.
 *
 * usage: wire-replay "display server" FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/frame.h"
#include "wire_rounds.h"

enum { ARENA_LIMIT = 1 << 26, BODY_LIMIT = 1 << 28 };

static const struct sm_wire_round *find_round(const char *name)
{
    for (size_t i = 0; sm_wire_rounds[i]; i++)
        if (strcmp(sm_wire_rounds[i]->name, name) == 0)
            return sm_wire_rounds[i];
    return NULL;
}

static struct sm_bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return (struct sm_bytes){data, size};
}

/* True if the message comes back as it was. */
static bool replay(const struct sm_wire_round *round, uint16_t type, struct sm_bytes body)
{
    struct sm_arena arena;
    sm_arena_init(&arena, ARENA_LIMIT);
    struct sm_writer w;
    sm_writer_init(&w, BODY_LIMIT);
    struct sm_wire_result result = {0};
    enum sm_status status = round->round(type, 0, body, &arena, &w, &result);
    bool is_equal = status == SM_OK && body.size <= round->max_size(type) && w.size == body.size &&
                    (w.size == 0 || memcmp(w.data, body.data, w.size) == 0);
    if (!is_equal)
        printf("%s of %zu bytes: %s\n", round->message_name(type), body.size,
               status == SM_OK ? "different or too large" : result.reason);
    sm_writer_finish(&w);
    sm_arena_finish(&arena);
    return is_equal;
}

int main(int argc, char **argv)
{
    const struct sm_wire_round *round = argc == 3 ? find_round(argv[1]) : NULL;
    if (!round) {
        fprintf(stderr, "usage: wire-replay \"CHANNEL server|client\" FILE\n");
        return 2;
    }
    struct sm_bytes all = read_file(argv[2]);
    size_t equal = 0, at = 0;
    while (all.size - at >= SM_FRAME_MINI_SIZE) {
        struct sm_bytes rest = {all.data + at, all.size - at};
        struct sm_frame frame = sm_frame_parse(rest, true);
        if (frame.size > rest.size - SM_FRAME_MINI_SIZE)
            break; /* the capture ended within it */
        at += SM_FRAME_MINI_SIZE;
        equal += replay(round, frame.type, (struct sm_bytes){all.data + at, frame.size});
        at += frame.size;
    }
    printf("%zu equal\n", equal);
    free((void *)(uintptr_t)all.data);
    return 0;
}
