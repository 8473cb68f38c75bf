/* SPDX-License-Identifier: MIT */
#include "bench/host/own_reader.h"

#include <stdlib.h>

#include "server/replay/replay.h"

struct sm_bench_reader {
    struct sm_replay *replay;
    QXLInstance *instance;            /* borrowed, during a call */
    struct sm_replay_primary primary; /* its data is NULL without one */
};

static void create_primary(void *context, const struct sm_replay_primary *primary)
{
    struct sm_bench_reader *reader = context;
    QXLDevSurfaceCreate create = {
        .width = primary->width,
        .height = primary->height,
        .stride = primary->stride,
        .format = primary->format,
        .position = primary->position,
        .mouse_mode = primary->mouse_mode,
        .flags = primary->flags,
        .type = primary->type,
        .mem = (uintptr_t)primary->data,
    };
    spice_qxl_create_primary_surface(reader->instance, 0, &create);
    reader->primary = *primary;
}

static void destroy_primary(void *context)
{
    struct sm_bench_reader *reader = context;
    spice_qxl_destroy_primary_surface(reader->instance, 0);
    reader->primary.data = NULL;
}

static void destroy_surfaces(void *context)
{
    struct sm_bench_reader *reader = context;
    spice_qxl_destroy_surfaces(reader->instance);
    reader->primary.data = NULL;
}

static const struct sm_replay_device DEVICE = {create_primary, destroy_primary, destroy_surfaces};

struct sm_bench_reader *sm_bench_reader_create(FILE *file, int surfaces_count)
{
    struct sm_bench_reader *reader = calloc(1, sizeof(*reader));
    if (!reader || sm_replay_create(&reader->replay, file, (uint32_t)surfaces_count) != SM_OK) {
        free(reader);
        return NULL;
    }
    return reader;
}

QXLCommandExt *sm_bench_reader_next(struct sm_bench_reader *reader, QXLInstance *instance)
{
    reader->instance = instance;
    struct sm_replay_command *command = sm_replay_next(reader->replay, &DEVICE, reader);
    return command ? &command->ext : NULL;
}

void sm_bench_reader_free(struct sm_bench_reader *reader, QXLCommandExt *command)
{
    void *whole = command; /* its first member */
    sm_replay_free_command(reader->replay, whole);
}

static void write_row(FILE *file, const uint8_t *row, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++, row += 4) {
        const uint8_t rgb[3] = {row[2], row[1], row[0]};
        fwrite(rgb, 1, 3, file);
    }
}

bool sm_bench_reader_dump(struct sm_bench_reader *reader, QXLInstance *instance, const char *path)
{
    const struct sm_replay_primary *primary = &reader->primary;
    if (!primary->data || (primary->format != SPICE_SURFACE_FMT_32_xRGB &&
                           primary->format != SPICE_SURFACE_FMT_32_ARGB)) {
        fprintf(stderr, "no primary surface of 32 bits\n");
        return false;
    }
    QXLRect all = {.bottom = (int32_t)primary->height, .right = (int32_t)primary->width};
    spice_qxl_update_area(instance, 0, &all, NULL, 0, 0);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return false;
    }
    fprintf(file, "P6\n%u %u\n255\n", primary->width, primary->height);
    ptrdiff_t stride = primary->stride;
    const uint8_t *row = primary->data;
    if (stride < 0)
        row += -stride * (ptrdiff_t)(primary->height - 1);
    for (uint32_t y = 0; y < primary->height; y++, row += stride)
        write_row(file, row, primary->width);
    return fclose(file) == 0;
}
