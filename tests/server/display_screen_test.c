/* SPDX-License-Identifier: MIT */
/* A screen without its thread: here every allocation can be made to fail. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spice/qxl_dev.h>

#include "core/wire/types.h"
#include "io/epoll_loop.h"
#include "io/socket.h"
#include "server/display/screen.h"
#include "server/session/handover.h"
#include "tests/server/support/guest.h"
#include "tests/support/failmalloc.h"

enum { WIDTH = 32, HEIGHT = 16, MEMORY_SIZE = 64 << 10, MAX_COMMANDS = 16 };

/* A device whose commands were put before; the same for every run. */
struct device {
    struct sm_test_guest guest;
    struct sm_qxl_ring_command commands[MAX_COMMANDS], cursor;
    uint32_t count, taken;
    bool cursor_taken;
    uint32_t released;
};

static bool get_command(void *context, struct sm_qxl_ring_command *out)
{
    struct device *device = context;
    if (device->taken == device->count)
        return false;
    *out = device->commands[device->taken++];
    return true;
}

static bool get_cursor_command(void *context, struct sm_qxl_ring_command *out)
{
    struct device *device = context;
    if (device->cursor_taken)
        return false;
    device->cursor_taken = true;
    *out = device->cursor;
    return true;
}

static void release_resource(void *context, struct sm_qxl_release release)
{
    struct device *device = context;
    (void)release;
    device->released++;
}

static const struct sm_qxl_device_ops OPS = {
    .get_command = get_command,
    .get_cursor_command = get_cursor_command,
    .release_resource = release_resource,
};

static void add(struct device *device, uint32_t type, const void *command, size_t size)
{
    device->commands[device->count++] = (struct sm_qxl_ring_command){
        .address = sm_test_guest_put(&device->guest, command, size),
        .type = type,
        .group = TEST_GUEST_GROUP,
    };
}

static QXLDrawable drawable(uint8_t type, uint32_t surface_id)
{
    QXLDrawable d = {.surface_id = surface_id,
                     .type = type,
                     .bbox = {.left = 2, .top = 2, .right = 10, .bottom = 10},
                     .surfaces_dest = {-1, -1, -1}};
    return d;
}

/* A surface, a fill with a clip, a copy of a picture, one of the surface, a self bitmap. */
static void put_commands(struct device *device)
{
    struct sm_test_guest *guest = &device->guest;
    QXLSurfaceCmd create = {
        .surface_id = 1,
        .u.surface_create = {.format = 32, .width = 16, .height = 16, .stride = 64}};
    create.u.surface_create.data = sm_test_guest_put(guest, NULL, 1024);
    add(device, QXL_CMD_SURFACE, &create, sizeof(create));

    QXLDrawable d = drawable(QXL_DRAW_FILL, 1);
    const uint32_t rects[] = {1, 2, 2, 8, 8};
    d.clip.type = 1;
    d.clip.data = sm_test_guest_put(guest, rects, 4);
    (void)sm_test_guest_chunk(guest, rects + 1, 16, 0);
    d.u.fill.brush = (QXLBrush){.type = 1, .u.color = 5};
    d.u.fill.rop_descriptor = 8;
    add(device, QXL_CMD_DRAW, &d, sizeof(d));

    d = drawable(QXL_DRAW_COPY, 0);
    QXLImage image = {.bitmap = {.format = 8, .x = 8, .y = 8, .stride = 32}};
    image.bitmap.data = sm_test_guest_chunk(guest, NULL, 256, 0);
    d.u.copy.src_bitmap = sm_test_guest_put(guest, &image, sizeof(image));
    d.u.copy.src_area = (QXLRect){.right = 8, .bottom = 8};
    d.u.copy.rop_descriptor = 8;
    add(device, QXL_CMD_DRAW, &d, sizeof(d));

    d.surfaces_dest[0] = 1;
    image = (QXLImage){.descriptor = {.type = 104}, .surface_image = {.surface_id = 1}};
    d.u.copy.src_bitmap = sm_test_guest_put(guest, &image, 22);
    add(device, QXL_CMD_DRAW, &d, sizeof(d));

    d = drawable(QXL_DRAW_OPAQUE, 0);
    d.self_bitmap = 1;
    d.self_bitmap_area = (QXLRect){.right = 8, .bottom = 8};
    d.u.opaque.src_area = (QXLRect){.right = 8, .bottom = 8};
    d.u.opaque.brush = (QXLBrush){.type = 1, .u.color = 5};
    d.u.opaque.rop_descriptor = 8;
    add(device, QXL_CMD_DRAW, &d, sizeof(d));

    QXLSurfaceCmd destroy = {.surface_id = 1, .type = QXL_SURFACE_CMD_DESTROY};
    add(device, QXL_CMD_SURFACE, &destroy, sizeof(destroy));

    QXLCursorCmd cursor = {.type = QXL_CURSOR_SET};
    QXLCursor shape = {.header = {.unique = 1, .width = 4, .height = 4}, .data_size = 64};
    cursor.u.set.shape = sm_test_guest_put(guest, &shape, 22);
    (void)sm_test_guest_chunk(guest, NULL, 64, 0);
    device->cursor = (struct sm_qxl_ring_command){
        .address = sm_test_guest_put(guest, &cursor, sizeof(cursor)),
        .type = QXL_CMD_CURSOR,
        .group = TEST_GUEST_GROUP,
    };
}

static void on_closed(void *opaque)
{
    ++*(unsigned *)opaque;
}

/* A client whose INIT lies in the socket already; the other end, or −1 without memory. */
static int connect_client(struct sm_screen *screen, uint8_t type, unsigned *closed)
{
    int pair[2];
    struct sm_channel_handover *handover = calloc(1, sizeof(*handover));
    if (!handover)
        return -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *handover = (struct sm_channel_handover){.connection_id = 1,
                                             .channel_type = type,
                                             .channel_caps = 0x0f,
                                             .has_mini_header = true,
                                             .closed = on_closed,
                                             .opaque = closed};
    if (sm_socket_transport(&handover->transport, pair[0]) != SM_OK) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        handover->closed = NULL;
        sm_channel_handover_destroy(handover);
        return -1;
    }
    const uint8_t init[6 + 14] = {101, 0, 14};
    if (type == SM_CHANNEL_DISPLAY) {
        assert_int_equal(write(pair[1], init, sizeof(init)), sizeof(init));
        sm_screen_connect(screen, handover);
    } else {
        sm_pointer_connect(screen->pointer, handover);
    }
    return pair[1];
}

static void run_loop(struct sm_screen *screen, struct sm_epoll_loop *loop)
{
    for (unsigned i = 0; i < 20 && sm_epoll_loop_run_once(loop, 0) > 0; i++) {
    }
    sm_screen_reap(screen);
}

static void live(struct sm_screen *screen, struct sm_epoll_loop *loop, struct device *device)
{
    unsigned closed = 0;
    struct sm_qxl_memslot slot = sm_test_guest_slot(&device->guest);
    sm_memslots_add(screen->slots, &slot);
    struct sm_qxl_primary primary = {.width = WIDTH,
                                     .height = HEIGHT,
                                     .stride_bytes = WIDTH * 4,
                                     .format = SM_SURFACE_FORMAT_32_XRGB,
                                     .address = sm_test_guest_address(0),
                                     .group = TEST_GUEST_GROUP};
    sm_screen_create_primary(screen, &primary);
    int display = connect_client(screen, SM_CHANNEL_DISPLAY, &closed);
    int cursor = connect_client(screen, SM_CHANNEL_CURSOR, &closed);
    run_loop(screen, loop);
    screen->is_running = true;
    while (sm_screen_process_rings(screen) == 0) {
        /* The slice was used up: the machine is busy. */
    }
    run_loop(screen, loop);
    sm_surfaces_render_all(&screen->surfaces);
    sm_screen_disconnect(screen, 1);
    assert_int_equal(closed, (display >= 0) + (cursor >= 0)); /* each session hears of its end */
    if (display >= 0)
        (void)close(display);
    if (cursor >= 0)
        (void)close(cursor);
}

static void run(void *context)
{
    struct device *device = context;
    device->taken = device->released = 0;
    device->cursor_taken = false;
    struct sm_epoll_loop *loop;
    if (sm_epoll_loop_create(&loop) != SM_OK)
        return;
    struct sm_worker_config config = {
        .device = &OPS,
        .device_context = device,
        .info = sm_test_guest_info,
        .compression = SM_COMPRESSION_AUTO_LZ,
        .mouse_mode = SM_WORKER_MOUSE_SERVER,
    };
    struct sm_screen screen = {0};
    bool is_complete = sm_screen_init(&screen, &config, sm_epoll_loop_base(loop)) == SM_OK;
    if (is_complete)
        live(&screen, loop, device);
    sm_screen_finish(&screen);
    sm_epoll_loop_destroy(loop);
    if (is_complete)
        assert_int_equal(device->released, device->taken + device->cursor_taken);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    struct device device = {0};
    sm_test_guest_init(&device.guest, MEMORY_SIZE);
    (void)sm_test_guest_put(&device.guest, NULL, (size_t)WIDTH * HEIGHT * 4);
    put_commands(&device);
    run(&device);
    assert_int_equal(device.released, 7);
    sm_failmalloc_each(run, &device);
    assert_int_equal(device.released, 7); /* the last round had all memory */
    sm_test_guest_finish(&device.guest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
