/* SPDX-License-Identifier: MIT */
#include "io/pixel_buffer.h"

#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/math.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

enum { CHUNK_BYTES = 256 << 10, MAX_STRIDE_BYTES = 1 << 20 };

struct sm_pixel_buffer {
    struct sm_pixel_layout layout;
    uint32_t pixel_bytes;
    int fd; /* borrowed */
    /* A dma-buf: it keeps its size for life, so it may be mapped. Anything else is read, because
     * touching a mapped page behind the end of a file that shrank ends the process. */
    const uint8_t *map;
    size_t map_bytes;
    uint8_t *chunk; /* owned: rows on their way; graphics memory wants to be read in long runs */
};

bool sm_pixel_layout_is_sane(const struct sm_pixel_layout *layout)
{
    return layout->width > 0 && layout->height > 0 && layout->width <= SM_PIXEL_BUFFER_MAX_SIDE &&
           layout->height <= SM_PIXEL_BUFFER_MAX_SIDE &&
           (uint64_t)layout->width * layout->height * 4 <= SM_PIXEL_BUFFER_MAX_BYTES;
}

bool sm_pixel_buffer_is_dmabuf(int fd)
{
    struct statfs system;
    return fstatfs(fd, &system) == 0 && (uint32_t)system.f_type == DMA_BUF_MAGIC;
}

static enum sm_status fail(enum sm_status status, const char **reason, const char *words)
{
    if (reason)
        *reason = words;
    return status;
}

static uint64_t end_of(const struct sm_pixel_buffer *buffer)
{
    const struct sm_pixel_layout *layout = &buffer->layout;
    return (uint64_t)layout->stride_bytes * (layout->height - 1) +
           (uint64_t)layout->width * buffer->pixel_bytes;
}

static enum sm_status open_dmabuf(struct sm_pixel_buffer *buffer, const char **reason)
{
    off_t size = lseek(buffer->fd, 0, SEEK_END);
    if (size < 0 || (uint64_t)size < end_of(buffer))
        return fail(SM_ERR_LIMIT, reason, "its memory is smaller than the picture");
    void *map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, buffer->fd, 0);
    if (map == MAP_FAILED)
        return fail(SM_ERR_IO, reason, "the driver does not let the processor read its memory");
    buffer->map = map;
    buffer->map_bytes = (size_t)size;
    return SM_OK;
}

static enum sm_status open_memory(struct sm_pixel_buffer *buffer, const char **reason)
{
    if (sm_pixel_buffer_is_dmabuf(buffer->fd))
        return open_dmabuf(buffer, reason);
    struct stat info;
    if (fstat(buffer->fd, &info) < 0 || !S_ISREG(info.st_mode))
        return fail(SM_ERR_IO, reason, "its descriptor holds no memory"); /* and may block */
    if (info.st_size < 0 || (uint64_t)info.st_size < end_of(buffer))
        return fail(SM_ERR_LIMIT, reason, "its memory is smaller than the picture");
    return SM_OK;
}

enum sm_status sm_pixel_buffer_open(struct sm_pixel_buffer **out, int fd,
                                    const struct sm_pixel_layout *layout, const char **reason)
{
    uint32_t pixel_bytes = sm_fourcc_pixel_bytes(layout->fourcc);
    if (!sm_pixel_layout_is_sane(layout))
        return fail(SM_ERR_LIMIT, reason, "its size is absurd");
    if (pixel_bytes == 0)
        return fail(SM_ERR_LIMIT, reason, "its pixel format is unknown");
    if (layout->stride_bytes > MAX_STRIDE_BYTES ||
        layout->stride_bytes < (uint64_t)layout->width * pixel_bytes)
        return fail(SM_ERR_LIMIT, reason, "its rows are shorter than it is wide, or absurdly long");
    struct sm_pixel_buffer *buffer = calloc(1, sizeof(*buffer));
    if (!buffer)
        return fail(SM_ERR_NOMEM, reason, "out of memory");
    *buffer = (struct sm_pixel_buffer){.layout = *layout, .pixel_bytes = pixel_bytes, .fd = fd};
    enum sm_status status = open_memory(buffer, reason);
    if (!status) {
        buffer->chunk = malloc(CHUNK_BYTES);
        if (!buffer->chunk)
            status = fail(SM_ERR_NOMEM, reason, "out of memory");
    }
    if (status) {
        sm_pixel_buffer_close(buffer);
        return status;
    }
    *out = buffer;
    return SM_OK;
}

void sm_pixel_buffer_close(struct sm_pixel_buffer *buffer)
{
    if (!buffer)
        return;
    if (buffer->map)
        (void)munmap((void *)buffer->map, buffer->map_bytes);
    free(buffer->chunk);
    free(buffer);
}

/* Fills the chunk with `size` bytes of the memory. */
static enum sm_status fetch(struct sm_pixel_buffer *buffer, uint64_t offset, size_t size)
{
    if (buffer->map) {
        memcpy(buffer->chunk, buffer->map + offset, size);
        return SM_OK;
    }
    size_t got = 0;
    while (got < size) {
        ssize_t result = pread(buffer->fd, buffer->chunk + got, size - got, (off_t)(offset + got));
        if (result < 0 && errno == EINTR)
            continue;
        if (result <= 0)
            return SM_ERR_IO;
        got += (size_t)result;
    }
    return SM_OK;
}

/* Tells the driver that the processor reads, or has read; what it answers does not matter. */
static void sync_dmabuf(const struct sm_pixel_buffer *buffer, uint64_t phase)
{
    struct dma_buf_sync sync = {.flags = DMA_BUF_SYNC_READ | phase};
    while (buffer->map && ioctl(buffer->fd, DMA_BUF_IOCTL_SYNC, &sync) < 0 && errno == EINTR) {
    }
}

enum sm_status sm_pixel_buffer_read(struct sm_pixel_buffer *buffer, struct sm_rect area,
                                    const struct sm_pixels *to)
{
    const struct sm_pixel_layout *layout = &buffer->layout;
    uint32_t height = (uint32_t)sm_rect_height(area), width = (uint32_t)sm_rect_width(area);
    size_t left_bytes = (size_t)area.left * buffer->pixel_bytes;
    size_t row_bytes = (size_t)width * buffer->pixel_bytes;
    size_t stride_bytes = layout->stride_bytes;
    /* Neighbouring rows at once, unless too much lies between their pixels. */
    uint32_t at_once = 1;
    if (row_bytes > stride_bytes / 2 && CHUNK_BYTES > row_bytes)
        at_once += (uint32_t)((CHUNK_BYTES - row_bytes) / stride_bytes);
    /* The rows as they lie in memory. */
    uint32_t first =
        layout->is_y0_top ? (uint32_t)area.top : layout->height - (uint32_t)area.bottom;
    enum sm_status status = SM_OK;
    sync_dmabuf(buffer, DMA_BUF_SYNC_START);
    for (uint32_t done = 0; done < height && !status; done += at_once) {
        at_once = sm_min_u32(at_once, height - done);
        status = fetch(buffer, (uint64_t)(first + done) * stride_bytes + left_bytes,
                       (at_once - 1) * stride_bytes + row_bytes);
        for (uint32_t i = 0; i < at_once && !status; i++) {
            uint32_t y = layout->is_y0_top ? done + i : height - 1 - done - i;
            sm_fourcc_row_to_xrgb(layout->fourcc, sm_pixels_row(to, y),
                                  buffer->chunk + i * stride_bytes, width);
        }
    }
    sync_dmabuf(buffer, DMA_BUF_SYNC_END);
    return status;
}
