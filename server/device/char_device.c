/* SPDX-License-Identifier: MIT */
#include "server/device/char_device.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"

enum {
    RETRY_MS = 100, /* for hosts that do not say when a device is writable again */
};

/* Bytes to be written whole, one behind the other. */
struct buffer {
    struct sm_list link;
    uint32_t tag;
    size_t size, done;
    bool is_rest; /* what is before it was written by another server */
    uint8_t data[];
};

struct sm_char_device {
    struct sm_char_device_config config;
    struct sm_list buffers;
    struct sm_timer *retry;
    size_t queued_size;
    unsigned references; /* its owner's, and one for each of our functions on the stack */
    bool is_busy;        /* a turn is on the stack */
    bool is_reading;     /* likewise, and is inside the user's read() */
    bool is_woken;       /* the turn shall go on for another round */
    bool is_dead;
};

static void unref(struct sm_char_device *device)
{
    if (--device->references == 0)
        free(device);
}

static struct buffer *first_buffer(struct sm_char_device *device)
{
    if (sm_list_is_empty(&device->buffers))
        return NULL;
    return SM_LIST_ITEM(device->buffers.next, struct buffer, link);
}

static bool is_active(const struct sm_char_device *device)
{
    return device->config.is_running && !device->is_dead;
}

/* Writes from the first buffer; true if that got on. */
static bool write_some(struct sm_char_device *device)
{
    struct buffer *buffer = first_buffer(device);
    if (!buffer || !is_active(device))
        return false;
    size_t left = buffer->size - buffer->done;
    int size = left > INT32_MAX ? INT32_MAX : (int)left;
    int done = device->config.ops->write(device->config.context, buffer->data + buffer->done, size);
    if (done <= 0 || device->is_dead) /* a dead device has no buffers any more */
        return false;
    size_t put = done > size ? (size_t)size : (size_t)done;
    buffer->done += put;
    device->queued_size -= put;
    if (buffer->done == buffer->size) {
        uint32_t tag = buffer->tag;
        sm_list_remove(&buffer->link);
        free(buffer);
        if (device->config.user->written)
            device->config.user->written(device->config.user_context, tag);
    }
    return true;
}

/* Reads until nothing comes; true if something did. */
static bool read_all(struct sm_char_device *device)
{
    bool gets_on = false;
    device->is_reading = true;
    while (is_active(device) && device->config.user->read(device->config.user_context))
        gets_on = true;
    device->is_reading = false;
    return gets_on;
}

/*
 * The host wakes us from inside its own functions: that asks for one more round. What it has to say
 * inside of write() may be there only until we return, so that is read at once.
 */
static void wake_busy(struct sm_char_device *device)
{
    device->is_woken = true;
    if (device->is_reading)
        return;
    device->references++;
    (void)read_all(device);
    unref(device);
}

/* Writes and reads until neither gets on. */
static void turn(struct sm_char_device *device)
{
    if (device->is_busy) {
        wake_busy(device);
        return;
    }
    device->is_busy = true;
    device->references++;
    bool gets_on;
    do {
        device->is_woken = false;
        gets_on = false;
        while (write_some(device))
            gets_on = true;
        if (read_all(device))
            gets_on = true;
    } while ((gets_on || device->is_woken) && is_active(device));
    device->is_busy = false;
    if (is_active(device) && !sm_list_is_empty(&device->buffers) &&
        !device->config.notifies_writable)
        sm_loop_timer_start(device->config.loop, device->retry, RETRY_MS);
    unref(device);
}

static void on_retry(void *opaque)
{
    turn(opaque);
}

enum sm_status sm_char_device_create(struct sm_char_device **out,
                                     const struct sm_char_device_config *config)
{
    struct sm_char_device *device = calloc(1, sizeof(*device));
    if (!device)
        return SM_ERR_NOMEM;
    device->config = *config;
    device->references = 1;
    sm_list_init(&device->buffers);
    device->retry = sm_loop_timer_add(config->loop, on_retry, device);
    if (!device->retry) {
        free(device);
        return SM_ERR_NOMEM;
    }
    *out = device;
    return SM_OK;
}

static void drop_all(struct sm_char_device *device)
{
    struct buffer *buffer;
    while ((buffer = first_buffer(device))) {
        sm_list_remove(&buffer->link);
        free(buffer);
    }
    device->queued_size = 0;
}

void sm_char_device_destroy(struct sm_char_device *device)
{
    if (!device)
        return;
    device->is_dead = true;
    sm_loop_timer_remove(device->config.loop, device->retry);
    drop_all(device);
    unref(device);
}

void sm_char_device_wakeup(struct sm_char_device *device)
{
    turn(device);
}

void sm_char_device_set_running(struct sm_char_device *device, bool is_running)
{
    device->config.is_running = is_running;
    if (is_running)
        turn(device);
    else
        sm_loop_timer_cancel(device->config.loop, device->retry);
}

void sm_char_device_set_state(struct sm_char_device *device, bool is_connected)
{
    if (device->config.ops->state)
        device->config.ops->state(device->config.context, is_connected);
}

/* A buffer of the parts, not yet queued; NULL if out of memory. */
static struct buffer *make_buffer(const struct sm_bytes *parts, size_t count, uint32_t tag)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    struct buffer *buffer = malloc(sizeof(*buffer) + size);
    if (!buffer)
        return NULL;
    buffer->tag = tag;
    buffer->size = size;
    buffer->done = 0;
    buffer->is_rest = false;
    uint8_t *to = buffer->data;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size)
            memcpy(to, parts[i].data, parts[i].size);
        to += parts[i].size;
    }
    return buffer;
}

enum sm_status sm_char_device_write(struct sm_char_device *device, const struct sm_bytes *parts,
                                    size_t count, uint32_t tag)
{
    struct buffer *buffer = make_buffer(parts, count, tag);
    if (!buffer)
        return SM_ERR_NOMEM;
    sm_list_append(&device->buffers, &buffer->link);
    device->queued_size += buffer->size;
    turn(device);
    return SM_OK;
}

enum sm_status sm_char_device_write_soon(struct sm_char_device *device, struct sm_bytes data,
                                         uint32_t tag)
{
    struct buffer *buffer = make_buffer(&data, 1, tag);
    if (!buffer)
        return SM_ERR_NOMEM;
    struct buffer *first = first_buffer(device);
    /* The first may be in the host's hands right now, from where we were called. */
    bool is_begun = first && (first->done > 0 || first->is_rest || device->is_busy);
    sm_list_insert(is_begun ? &first->link : &device->buffers, &buffer->link);
    device->queued_size += buffer->size;
    turn(device);
    return SM_OK;
}

enum sm_status sm_char_device_write_first(struct sm_char_device *device, struct sm_bytes data,
                                          uint32_t tag)
{
    struct buffer *buffer = make_buffer(&data, 1, tag);
    if (!buffer)
        return SM_ERR_NOMEM;
    buffer->is_rest = true;
    sm_list_insert(&device->buffers, &buffer->link);
    device->queued_size += buffer->size;
    turn(device);
    return SM_OK;
}

void sm_char_device_save(const struct sm_char_device *device, struct sm_writer *to)
{
    for (const struct sm_list *link = device->buffers.next; link != &device->buffers;
         link = link->next) {
        const struct buffer *buffer = SM_LIST_ITEM(link, const struct buffer, link);
        sm_put_bytes(to, (struct sm_bytes){.data = buffer->data + buffer->done,
                                           .size = buffer->size - buffer->done});
    }
}

void sm_char_device_drop(struct sm_char_device *device, uint32_t tag)
{
    SM_LIST_FOR (link, &device->buffers) {
        struct buffer *buffer = SM_LIST_ITEM(link, struct buffer, link);
        if (buffer->tag != tag)
            continue;
        buffer->tag = 0;
        /* The first may be in the host's hands right now, from where we were called. */
        if (buffer->done > 0 || (device->is_busy && buffer == first_buffer(device)))
            continue;
        device->queued_size -= buffer->size;
        sm_list_remove(&buffer->link);
        free(buffer);
    }
}

size_t sm_char_device_read(struct sm_char_device *device, uint8_t *to, size_t size)
{
    int asked = size > INT32_MAX ? INT32_MAX : (int)size;
    if (!is_active(device))
        return 0;
    int got = device->config.ops->read(device->config.context, to, asked);
    if (got <= 0 || device->is_dead)
        return 0;
    return got > asked ? (size_t)asked : (size_t)got;
}

size_t sm_char_device_queued_size(const struct sm_char_device *device)
{
    return device->queued_size;
}
