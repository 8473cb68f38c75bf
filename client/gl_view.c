/* SPDX-License-Identifier: MIT */
#include "client/gl_view.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/math.h"
#include "io/pixel_buffer.h"

enum { PIXEL_BYTES = 4 };

static void let_go(struct sm_gl_view *view)
{
    if (!view->memory)
        return;
    sm_pixel_buffer_close(view->memory);
    (void)close(view->fd);
    view->memory = NULL;
}

void sm_gl_view_finish(struct sm_gl_view *view)
{
    let_go(view);
    free(view->pixels.data);
    *view = (struct sm_gl_view){.is_shown = false};
}

static enum sm_status make_picture(struct sm_gl_view *view, uint32_t width, uint32_t height)
{
    if (view->pixels.data && view->pixels.width == width && view->pixels.height == height)
        return SM_OK;
    uint8_t *data = calloc(height, (size_t)width * PIXEL_BYTES);
    if (!data)
        return SM_ERR_NOMEM;
    free(view->pixels.data);
    view->pixels = (struct sm_pixels){.data = data,
                                      .stride_bytes = (ptrdiff_t)width * PIXEL_BYTES,
                                      .width = width,
                                      .height = height,
                                      .format = SM_PIXEL_XRGB32};
    return SM_OK;
}

static enum sm_status read_area(struct sm_gl_view *view, struct sm_rect area)
{
    struct sm_pixels part =
        sm_pixels_part(&view->pixels, (uint32_t)area.left, (uint32_t)area.top,
                       (uint32_t)sm_rect_width(area), (uint32_t)sm_rect_height(area));
    return sm_pixel_buffer_read(view->memory, area, &part);
}

static struct sm_rect whole(const struct sm_gl_view *view)
{
    return (struct sm_rect){0, 0, (int32_t)view->pixels.width, (int32_t)view->pixels.height};
}

static enum sm_status show(struct sm_gl_view *view, const struct sm_pixel_layout *layout, int fd,
                           const char **reason)
{
    *reason = "its size is absurd";
    if (!sm_pixel_layout_is_sane(layout))
        return SM_ERR_LIMIT;
    enum sm_status status = make_picture(view, layout->width, layout->height);
    *reason = "out of memory";
    if (status)
        return status;
    view->is_shown = true;
    *reason = "its descriptor did not come";
    if (fd < 0)
        return SM_ERR_IO;
    status = sm_pixel_buffer_open(&view->memory, fd, layout, reason);
    if (status)
        return status;
    view->fd = fd;
    *reason = "its memory went away";
    return read_area(view, whole(view));
}

enum sm_status sm_gl_view_take(struct sm_gl_view *view,
                               const struct sm_msg_display_gl_scanout_unix *msg, int fd,
                               const char **reason)
{
    const struct sm_pixel_layout layout = {
        .width = msg->width,
        .height = msg->height,
        .stride_bytes = msg->stride,
        .fourcc = msg->drm_fourcc_format,
        .is_y0_top = msg->flags & SM_GL_SCANOUT_FLAG_Y0TOP,
    };
    let_go(view);
    enum sm_status status = SM_OK;
    if (layout.fourcc == 0)
        sm_gl_view_finish(view);
    else
        status = show(view, &layout, fd, reason);
    if (!view->memory && fd >= 0)
        (void)close(fd);
    return status;
}

enum sm_status sm_gl_view_draw(struct sm_gl_view *view, const struct sm_msg_display_gl_draw *msg,
                               struct sm_rect *damage)
{
    *damage = (struct sm_rect){0, 0, 0, 0};
    if (!view->memory)
        return SM_OK;
    uint32_t width = view->pixels.width, height = view->pixels.height;
    struct sm_rect area = {
        .left = (int32_t)sm_min_u32(msg->x, width),
        .top = (int32_t)sm_min_u32(msg->y, height),
        .right = (int32_t)sm_min_u64((uint64_t)msg->x + msg->w, width),
        .bottom = (int32_t)sm_min_u64((uint64_t)msg->y + msg->h, height),
    };
    if (sm_rect_is_empty(area))
        return SM_OK;
    enum sm_status status = read_area(view, area);
    if (!status)
        *damage = area;
    return status;
}
