/* SPDX-License-Identifier: MIT */
#include "bench/host/screen.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/host/device.h"
#include "bench/host/ring.h"

/* One command with everything it points to, as it would lie in guest memory. */
struct drawing {
    QXLDrawable drawable; /* first: the release info is the command's address */
    QXLImage image;
    uint32_t pixels[];
};

struct sm_bench_screen {
    QXLInstance instance; /* first: callbacks get its address */
    uint32_t width, height;
    uint32_t *primary;
    uint64_t next_image_id;
    QXLInterface interface;
    struct sm_bench_rings rings; /* the library's worker pulls and releases */
    bool owes_wake;              /* the library wants to be told of what is queued */
    _Atomic uint64_t held_bytes; /* of pixels queued and not released */
};

static struct sm_bench_screen *screen_of(QXLInstance *instance)
{
    return (struct sm_bench_screen *)instance;
}

static int get_command(QXLInstance *instance, QXLCommandExt *out)
{
    return sm_bench_rings_take(&screen_of(instance)->rings, SM_BENCH_DISPLAY_RING, out);
}

static int req_cmd_notification(QXLInstance *instance)
{
    return sm_bench_rings_ask(&screen_of(instance)->rings, SM_BENCH_DISPLAY_RING);
}

static uint64_t bytes_of(const struct drawing *drawing)
{
    return (uint64_t)drawing->image.bitmap.stride * drawing->image.bitmap.y;
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
    struct drawing *drawing = (void *)info.info; /* it begins with it */
    screen_of(instance)->held_bytes -= bytes_of(drawing);
    free(drawing);
    sm_bench_rings_note_release(&screen_of(instance)->rings);
}

/* Lines of little dark marks on white: compresses the way a page of text does. */
static uint32_t text_pixel(uint32_t x, uint32_t y, uint32_t seed)
{
    if (y % 16 < 4 || x % 8 == 0)
        return 0x00ffffff;
    uint32_t cell = (x / 8 * 2654435761u) ^ (y / 16 * 40503u) ^ seed * 97u;
    return (cell >> (x % 8 + y % 16) % 24) & 1 ? 0x00202020 : 0x00ffffff;
}

struct sm_bench_screen *sm_bench_screen_create(SpiceServer *server, uint32_t width, uint32_t height)
{
    struct sm_bench_screen *screen = calloc(1, sizeof(*screen));
    uint32_t *primary = calloc((size_t)width * height, 4);
    if (!screen || !primary) {
        free(screen);
        free(primary);
        return NULL;
    }
    screen->interface = sm_bench_device_interface("bench screen");
    screen->interface.attached_worker = sm_bench_device_map_all;
    screen->interface.get_command = get_command;
    screen->interface.req_cmd_notification = req_cmd_notification;
    screen->interface.release_resource = release_resource;
    screen->instance.base.sif = &screen->interface.base;
    screen->width = width;
    screen->height = height;
    screen->primary = primary;
    sm_bench_rings_init(&screen->rings, UINT_MAX);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            primary[(size_t)y * width + x] = text_pixel(x, y, 0);

    if (spice_server_add_interface(server, &screen->instance.base) != 0) {
        sm_bench_screen_destroy(screen);
        return NULL;
    }
    QXLDevSurfaceCreate create = {.width = width,
                                  .height = height,
                                  .stride = (int32_t)width * 4,
                                  .format = SPICE_SURFACE_FMT_32_xRGB,
                                  .mouse_mode = 1,
                                  .flags = QXL_SURF_FLAG_KEEP_DATA,
                                  .mem = (uintptr_t)primary};
    spice_qxl_create_primary_surface(&screen->instance, 0, &create);
    return screen;
}

void sm_bench_screen_destroy(struct sm_bench_screen *screen)
{
    if (!screen)
        return;
    QXLCommandExt left;
    while (sm_bench_rings_take(&screen->rings, SM_BENCH_DISPLAY_RING, &left))
        free((void *)(uintptr_t)left.cmd.data);
    free(screen->primary);
    free(screen);
}

static void fill(struct drawing *drawing, uint32_t width, uint32_t height, uint32_t seed)
{
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            drawing->pixels[(size_t)y * width + x] = text_pixel(x, y, seed);
}

/* A command without pixels yet. */
static struct drawing *make_drawing(struct sm_bench_screen *screen, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height)
{
    struct drawing *drawing = calloc(1, sizeof(*drawing) + (size_t)width * height * 4);
    if (!drawing)
        abort(); /* a bench without memory measures nothing */
    drawing->image = (QXLImage){
        .descriptor = {.id = ++screen->next_image_id << 32,
                       .type = SPICE_IMAGE_TYPE_BITMAP,
                       .width = width,
                       .height = height},
        .bitmap = {.format = SPICE_BITMAP_FMT_32BIT,
                   .flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN,
                   .x = width,
                   .y = height,
                   .stride = width * 4,
                   .data = (uintptr_t)drawing->pixels},
    };
    drawing->drawable = (QXLDrawable){
        .effect = QXL_EFFECT_OPAQUE,
        .type = QXL_DRAW_COPY,
        .bbox = {.left = (int32_t)x,
                 .top = (int32_t)y,
                 .right = (int32_t)(x + width),
                 .bottom = (int32_t)(y + height)},
        .clip = {.type = SPICE_CLIP_TYPE_NONE},
        .surfaces_dest = {-1, -1, -1},
        .u.copy = {.src_bitmap = (uintptr_t)&drawing->image,
                   .src_area = {.right = (int32_t)width, .bottom = (int32_t)height},
                   .rop_descriptor = SPICE_ROPD_OP_PUT},
    };
    return drawing;
}

static void enqueue(struct sm_bench_screen *screen, struct drawing *drawing)
{
    screen->held_bytes += bytes_of(drawing);
    const QXLCommandExt command = {.cmd = {.data = (uintptr_t)drawing, .type = QXL_CMD_DRAW}};
    if (sm_bench_rings_put(&screen->rings, &command, true))
        screen->owes_wake = true;
}

void sm_bench_screen_draw(struct sm_bench_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                          uint32_t height, uint32_t seed)
{
    struct drawing *drawing = make_drawing(screen, x, y, width, height);
    fill(drawing, width, height, seed);
    enqueue(screen, drawing);
    sm_bench_screen_wake(screen);
}

void sm_bench_screen_put(struct sm_bench_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height, const uint32_t *pixels, size_t stride_px)
{
    struct drawing *drawing = make_drawing(screen, x, y, width, height);
    for (uint32_t row = 0; row < height; row++)
        memcpy(drawing->pixels + (size_t)row * width, pixels + row * stride_px, (size_t)width * 4);
    enqueue(screen, drawing);
}

void sm_bench_screen_wake(struct sm_bench_screen *screen)
{
    if (screen->owes_wake)
        spice_qxl_wakeup(&screen->instance);
    screen->owes_wake = false;
}

uint64_t sm_bench_screen_released(struct sm_bench_screen *screen)
{
    return sm_bench_rings_released(&screen->rings);
}

uint64_t sm_bench_screen_held_bytes(struct sm_bench_screen *screen)
{
    return screen->held_bytes;
}
