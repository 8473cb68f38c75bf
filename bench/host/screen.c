/* SPDX-License-Identifier: MIT */
#include "bench/host/screen.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"

/* One command with everything it points to, as it would lie in guest memory. */
struct drawing {
    QXLDrawable drawable; /* first: the release info is the command's address */
    QXLImage image;
    struct sm_list link;
    uint32_t pixels[];
};

struct sm_bench_screen {
    QXLInstance instance; /* first: callbacks get its address */
    uint32_t width, height;
    uint32_t *primary;
    uint64_t next_image_id;
    pthread_mutex_t lock; /* guards the rest: the library's worker pulls and releases */
    struct sm_list queue;
    bool is_asked_for; /* the library wants to be told of the next drawing, as of a guest's */
    uint64_t released;
};

static struct sm_bench_screen *screen_of(QXLInstance *instance)
{
    return (struct sm_bench_screen *)instance;
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    (void)instance;
    *info = (QXLDevInitInfo){.num_memslots_groups = 1,
                             .num_memslots = 1,
                             .memslot_gen_bits = 1,
                             .memslot_id_bits = 1,
                             .n_surfaces = 16};
}

static void attached_worker(QXLInstance *instance)
{
    QXLDevMemSlot all_memory = {.virt_end = UINTPTR_MAX}; /* addresses are host pointers */
    spice_qxl_add_memslot(instance, &all_memory);
}

static void set_compression_level(QXLInstance *instance, int level)
{
    (void)instance, (void)level;
}

static int get_command(QXLInstance *instance, QXLCommandExt *out)
{
    struct sm_bench_screen *screen = screen_of(instance);
    struct drawing *drawing = NULL;
    pthread_mutex_lock(&screen->lock);
    if (!sm_list_is_empty(&screen->queue)) {
        drawing = SM_LIST_ITEM(screen->queue.next, struct drawing, link);
        sm_list_remove(&drawing->link);
    }
    pthread_mutex_unlock(&screen->lock);
    if (!drawing)
        return 0;
    *out = (QXLCommandExt){.cmd = {.data = (uintptr_t)drawing, .type = QXL_CMD_DRAW}};
    return 1;
}

static int req_cmd_notification(QXLInstance *instance)
{
    struct sm_bench_screen *screen = screen_of(instance);
    pthread_mutex_lock(&screen->lock);
    bool is_empty = sm_list_is_empty(&screen->queue);
    screen->is_asked_for = is_empty;
    pthread_mutex_unlock(&screen->lock);
    return is_empty;
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
    struct sm_bench_screen *screen = screen_of(instance);
    free(info.info); /* the drawing begins with it */
    pthread_mutex_lock(&screen->lock);
    screen->released++;
    pthread_mutex_unlock(&screen->lock);
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance, (void)out;
    return 0;
}

static int req_cursor_notification(QXLInstance *instance)
{
    (void)instance;
    return 1;
}

static void notify_update(QXLInstance *instance, uint32_t update_id)
{
    (void)instance, (void)update_id;
}

static int flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
    (void)instance, (void)cookie;
}

static const QXLInterface INTERFACE = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .description = "bench screen",
             .major_version = SPICE_INTERFACE_QXL_MAJOR,
             .minor_version = SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached_worker,
    .set_compression_level = set_compression_level,
    .get_init_info = get_init_info,
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .release_resource = release_resource,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
    .async_complete = async_complete,
};

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
    screen->instance.base.sif = &INTERFACE.base;
    screen->width = width;
    screen->height = height;
    screen->primary = primary;
    pthread_mutex_init(&screen->lock, NULL);
    sm_list_init(&screen->queue);
    screen->is_asked_for = true;
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
    SM_LIST_FOR (link, &screen->queue)
        free(SM_LIST_ITEM(link, struct drawing, link));
    pthread_mutex_destroy(&screen->lock);
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
    pthread_mutex_lock(&screen->lock);
    sm_list_append(&screen->queue, &drawing->link);
    pthread_mutex_unlock(&screen->lock);
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
    pthread_mutex_lock(&screen->lock);
    bool is_asked_for = screen->is_asked_for;
    screen->is_asked_for = false;
    pthread_mutex_unlock(&screen->lock);
    if (is_asked_for)
        spice_qxl_wakeup(&screen->instance);
}

uint64_t sm_bench_screen_released(struct sm_bench_screen *screen)
{
    pthread_mutex_lock(&screen->lock);
    uint64_t released = screen->released;
    pthread_mutex_unlock(&screen->lock);
    return released;
}
