/* SPDX-License-Identifier: MIT */
#include "tests/server/support/device.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/wire/display.h"
#include "server/display/encode_pool.h"
#include "tests/support/check.h"

/* ---- what the worker calls ---- */

static bool get_from(struct sm_test_device *device, struct sm_test_ring *ring,
                     struct sm_qxl_ring_command *out)
{
    pthread_mutex_lock(&device->lock);
    bool has = ring->consumed != ring->produced;
    if (has)
        *out = ring->commands[ring->consumed++ % TEST_RING_SIZE];
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
    return has;
}

static bool ask(struct sm_test_device *device, struct sm_test_ring *ring)
{
    pthread_mutex_lock(&device->lock);
    bool is_empty = ring->consumed == ring->produced;
    ring->is_asked = is_empty;
    pthread_mutex_unlock(&device->lock);
    return is_empty;
}

static bool get_command(void *context, struct sm_qxl_ring_command *out)
{
    struct sm_test_device *device = context;
    return get_from(device, &device->display, out);
}

static bool req_cmd_notification(void *context)
{
    struct sm_test_device *device = context;
    return ask(device, &device->display);
}

static bool get_cursor_command(void *context, struct sm_qxl_ring_command *out)
{
    struct sm_test_device *device = context;
    return get_from(device, &device->cursor, out);
}

static bool req_cursor_notification(void *context)
{
    struct sm_test_device *device = context;
    return ask(device, &device->cursor);
}

static void release_resource(void *context, struct sm_qxl_release release)
{
    struct sm_test_device *device = context;
    pthread_mutex_lock(&device->lock);
    size_t offset = (size_t)((uint8_t *)release.info - device->guest.memory);
    device->releases[device->release_count++ % TEST_BOOK_SIZE] = sm_test_guest_address(offset);
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
}

static void notify_update(void *context, uint32_t update_id)
{
    struct sm_test_device *device = context;
    pthread_mutex_lock(&device->lock);
    device->updates[device->update_count++ % 64] = update_id;
    pthread_mutex_unlock(&device->lock);
}

static bool flush_resources(void *context)
{
    struct sm_test_device *device = context;
    pthread_mutex_lock(&device->lock);
    device->flush_count++;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
    return false;
}

static void async_complete(void *context, uint64_t cookie)
{
    struct sm_test_device *device = context;
    pthread_mutex_lock(&device->lock);
    device->cookies[device->cookie_count++ % TEST_BOOK_SIZE] = cookie;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
}

static void update_area_complete(void *context, uint32_t surface_id, const struct sm_rect *rects,
                                 uint32_t count)
{
    struct sm_test_device *device = context;
    (void)surface_id;
    pthread_mutex_lock(&device->lock);
    device->updated_calls++;
    device->updated_count = count;
    for (uint32_t i = 0; i < count && i < 64; i++)
        device->updated[i] = rects[i];
    pthread_mutex_unlock(&device->lock);
}

static void set_client_capabilities(void *context, bool has_client,
                                    const uint8_t caps[SM_QXL_CAPABILITY_BYTES])
{
    struct sm_test_device *device = context;
    pthread_mutex_lock(&device->lock);
    device->has_client = has_client;
    memcpy(device->caps, caps, SM_QXL_CAPABILITY_BYTES);
    device->caps_calls++;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
}

const struct sm_qxl_device_ops sm_test_device_ops = {
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .release_resource = release_resource,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
    .async_complete = async_complete,
    .update_area_complete = update_area_complete,
    .set_client_capabilities = set_client_capabilities,
};

/* ---- what the test calls ---- */

void sm_test_device_init(struct sm_test_device *device, size_t memory_size)
{
    struct sm_encode_pool_config config = {.threads = 2, .inline_bytes = 1};
    struct sm_encode_pool *pool;
    sm_check_status(sm_encode_pool_create(&pool, &config), SM_OK);
    sm_test_device_init_as(device, memory_size, 0, pool, NULL, SM_COMPRESSION_AUTO_GLZ);
    sm_encode_pool_unref(pool);
}

void sm_test_device_init_as(struct sm_test_device *device, size_t memory_size, uint8_t id,
                            struct sm_encode_pool *pool, struct sm_client_shares *shares,
                            enum sm_worker_compression compression)
{
    memset(device, 0, sizeof(*device));
    pthread_mutex_init(&device->lock, NULL);
    pthread_cond_init(&device->changed, NULL);
    sm_test_guest_init(&device->guest, memory_size);
    sm_test_lines_init(&device->lines);
    device->pool = sm_encode_pool_ref(pool);
    struct sm_worker_config config = {
        .pool = device->pool,
        .device = &sm_test_device_ops,
        .device_context = device,
        .info = sm_test_guest_info,
        .log = &device->lines.log,
        .channel_id = id,
        .shares = shares,
        .compression = compression,
        .streaming = SM_STREAMING_FILTER,
        .mouse_mode = SM_WORKER_MOUSE_SERVER,
    };
    sm_check_status(sm_worker_create(&device->worker, &config), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&device->guest);
    sm_worker_add_memslot(device->worker, &slot);
}

void sm_test_device_finish(struct sm_test_device *device)
{
    sm_worker_destroy(device->worker);
    sm_encode_pool_unref(device->pool);
    sm_test_lines_finish(&device->lines);
    sm_test_guest_finish(&device->guest);
    pthread_cond_destroy(&device->changed);
    pthread_mutex_destroy(&device->lock);
}

void sm_test_device_start(struct sm_test_device *device, uint32_t width, uint32_t height,
                          bool keep_data)
{
    uint64_t pixels = sm_test_guest_put(&device->guest, NULL, (size_t)width * height * 4);
    if (keep_data) {
        uint8_t *bytes = sm_test_guest_at(&device->guest, pixels);
        for (size_t i = 0; i < (size_t)width * height * 4; i++)
            bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    struct sm_qxl_primary primary = {
        .width = width,
        .height = height,
        .stride_bytes = (int32_t)width * 4,
        .format = SM_SURFACE_FORMAT_32_XRGB,
        .mouse_mode = true,
        .keep_data = keep_data,
        .address = pixels,
        .group = TEST_GUEST_GROUP,
    };
    sm_worker_create_primary(device->worker, &primary);
    sm_worker_start(device->worker);
}

static void submit(struct sm_test_device *device, struct sm_test_ring *ring, uint32_t type,
                   uint64_t address)
{
    pthread_mutex_lock(&device->lock);
    assert_true(ring->produced - ring->consumed < TEST_RING_SIZE);
    ring->commands[ring->produced++ % TEST_RING_SIZE] =
        (struct sm_qxl_ring_command){.address = address, .type = type, .group = TEST_GUEST_GROUP};
    bool is_asked = ring->is_asked;
    ring->is_asked = false;
    pthread_mutex_unlock(&device->lock);
    if (is_asked)
        sm_worker_wakeup(device->worker);
}

void sm_test_device_submit(struct sm_test_device *device, uint32_t type, uint64_t address)
{
    submit(device, &device->display, type, address);
}

void sm_test_device_submit_cursor(struct sm_test_device *device, uint64_t address)
{
    submit(device, &device->cursor, SM_QXL_CURSOR, address);
}

uint64_t sm_test_device_draw(struct sm_test_device *device, const QXLDrawable *drawable)
{
    uint64_t address = sm_test_guest_put(&device->guest, drawable, sizeof(*drawable));
    sm_test_device_submit(device, SM_QXL_DRAW, address);
    return address;
}

static uint32_t count_in(struct sm_test_device *device, const uint64_t *book, const uint32_t *used,
                         uint64_t value)
{
    uint32_t count = 0;
    pthread_mutex_lock(&device->lock);
    for (uint32_t i = 0; i < *used && i < TEST_BOOK_SIZE; i++)
        count += book[i] == value;
    pthread_mutex_unlock(&device->lock);
    return count;
}

uint32_t sm_test_device_released(struct sm_test_device *device, uint64_t address)
{
    return count_in(device, device->releases, &device->release_count, address);
}

uint32_t sm_test_device_completed(struct sm_test_device *device, uint64_t cookie)
{
    return count_in(device, device->cookies, &device->cookie_count, cookie);
}

static bool wait_a_bit(struct sm_test_device *device, const struct timespec *end)
{
    return pthread_cond_timedwait(&device->changed, &device->lock, end) == 0;
}

static struct timespec in_seconds(int seconds)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += seconds;
    return end;
}

void sm_test_device_wait_released(struct sm_test_device *device, uint32_t count)
{
    struct timespec end = in_seconds(SM_TEST_PATIENCE_S);
    pthread_mutex_lock(&device->lock);
    while (device->release_count < count && wait_a_bit(device, &end)) {
    }
    uint32_t released = device->release_count;
    pthread_mutex_unlock(&device->lock);
    if (released < count)
        fail_msg("%u commands given back instead of %u; logged was:\n%s", released, count,
                 device->lines.text);
}

void sm_test_device_wait_completed(struct sm_test_device *device, uint64_t cookie)
{
    struct timespec end = in_seconds(SM_TEST_PATIENCE_S);
    bool in_time = true;
    while (in_time && sm_test_device_completed(device, cookie) == 0) {
        pthread_mutex_lock(&device->lock);
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        in_time = soon.tv_sec < end.tv_sec;
        soon.tv_nsec += 10 * 1000 * 1000;
        if (soon.tv_nsec >= 1000 * 1000 * 1000) {
            soon.tv_nsec -= 1000 * 1000 * 1000;
            soon.tv_sec++;
        }
        (void)wait_a_bit(device, &soon);
        pthread_mutex_unlock(&device->lock);
    }
    assert_int_equal(sm_test_device_completed(device, cookie), 1);
}

/* ---- commands ---- */

QXLDrawable sm_test_drawable(uint8_t type, uint32_t surface_id, QXLRect box)
{
    QXLDrawable drawable = {
        .surface_id = surface_id, .effect = QXL_EFFECT_OPAQUE, .type = type, .bbox = box};
    for (unsigned i = 0; i < 3; i++)
        drawable.surfaces_dest[i] = -1;
    return drawable;
}

uint64_t sm_test_device_fill(struct sm_test_device *device, uint32_t surface_id, QXLRect box,
                             uint32_t color)
{
    QXLDrawable drawable = sm_test_drawable(QXL_DRAW_FILL, surface_id, box);
    drawable.u.fill.brush = (QXLBrush){.type = 1, .u.color = color};
    drawable.u.fill.rop_descriptor = 8;
    return sm_test_device_draw(device, &drawable);
}

uint64_t sm_test_device_image(struct sm_test_device *device, uint32_t width, uint32_t height,
                              uint32_t seed)
{
    uint32_t size = width * height * 4;
    struct sm_test_random random = {.state = seed + 1};
    uint64_t chunk = sm_test_guest_chunk(&device->guest, NULL, size, 0);
    uint8_t *pixels = (uint8_t *)sm_test_guest_at(&device->guest, chunk) + sizeof(QXLDataChunk);
    for (uint32_t i = 0; i < size / 4; i++) {
        uint32_t pixel = sm_test_random_next(&random) & 0xffffff;
        memcpy(pixels + 4 * i, &pixel, 4);
    }
    QXLImage image = {
        .descriptor = {.id = seed, .type = 0, .flags = 1, .width = width, .height = height},
        .bitmap = {.format = 8,
                   .flags = QXL_BITMAP_TOP_DOWN,
                   .x = width,
                   .y = height,
                   .stride = width * 4,
                   .data = chunk}};
    return sm_test_guest_put(&device->guest, &image, sizeof(image));
}

uint64_t sm_test_device_create_surface(struct sm_test_device *device, uint32_t id, uint32_t width,
                                       uint32_t height, uint32_t format, uint32_t flags)
{
    uint64_t pixels = sm_test_guest_put(&device->guest, NULL, (size_t)width * height * 4);
    QXLSurfaceCmd command = {.surface_id = id,
                             .type = QXL_SURFACE_CMD_CREATE,
                             .flags = flags,
                             .u.surface_create = {.format = format,
                                                  .width = width,
                                                  .height = height,
                                                  .stride = (int32_t)width * 4,
                                                  .data = pixels}};
    uint64_t address = sm_test_guest_put(&device->guest, &command, sizeof(command));
    sm_test_device_submit(device, SM_QXL_SURFACE, address);
    return address;
}

uint64_t sm_test_device_destroy_surface(struct sm_test_device *device, uint32_t id)
{
    QXLSurfaceCmd command = {.surface_id = id, .type = QXL_SURFACE_CMD_DESTROY};
    uint64_t address = sm_test_guest_put(&device->guest, &command, sizeof(command));
    sm_test_device_submit(device, SM_QXL_SURFACE, address);
    return address;
}
