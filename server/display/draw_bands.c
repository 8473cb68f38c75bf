/* SPDX-License-Identifier: MIT */
#include "server/display/draw_bands.h"

#include "core/base/geometry.h"
#include "core/wire/types.h"

static bool is_plain(const struct sm_display_msg *msg)
{
    if (msg->type != SM_MSG_DISPLAY_DRAW_COPY || !msg->draw_copy.src_bitmap)
        return false;
    const struct sm_rect box = msg->draw_copy.base.box, from = msg->draw_copy.src_area;
    const struct sm_image *image = msg->draw_copy.src_bitmap;
    if (image->type != SM_IMAGE_TYPE_BITMAP || msg->draw_copy.mask.bitmap || from.left < 0 ||
        from.top < 0 || from.bottom > (int64_t)image->bitmap.y ||
        from.right > (int64_t)image->bitmap.x)
        return false;
    return !sm_rect_is_empty(box) && sm_rect_width(box) == sm_rect_width(from) &&
           sm_rect_height(box) == sm_rect_height(from) &&
           image->bitmap.data.size >= (uint64_t)image->bitmap.stride * image->bitmap.y;
}

uint32_t sm_draw_bands_plan(struct sm_band bands[SM_BANDS_MAX], const struct sm_display_msg *msg)
{
    if (!is_plain(msg))
        return 1;
    /* The width is the image's: whole rows are encoded, whatever part of them is copied. */
    return sm_bands_plan(bands, msg->draw_copy.src_bitmap->bitmap.x,
                         (uint32_t)sm_rect_height(msg->draw_copy.base.box), SM_BANDS_MAX);
}

void sm_draw_bands_cut(const struct sm_display_msg *msg, struct sm_band band,
                       struct sm_display_msg *out, struct sm_image *image)
{
    int32_t top = (int32_t)band.top, height = (int32_t)band.height;
    *out = *msg;
    *image = *msg->draw_copy.src_bitmap;
    image->flags &= (uint8_t)~SM_IMAGE_FLAG_CACHE_ME; /* the id is that of the whole */
    out->draw_copy.src_bitmap = image;
    out->draw_copy.base.box.top += top;
    out->draw_copy.base.box.bottom = out->draw_copy.base.box.top + height;
    out->draw_copy.src_area.top = 0;
    out->draw_copy.src_area.bottom = height;

    struct sm_bitmap *bitmap = &image->bitmap;
    uint64_t first = (uint64_t)(msg->draw_copy.src_area.top + top); /* visible row */
    if (!(bitmap->flags & SM_BITMAP_FLAG_TOP_DOWN))
        first = bitmap->y - first - band.height;
    bitmap->data.data += first * bitmap->stride;
    bitmap->data.size = (size_t)bitmap->stride * band.height;
    bitmap->y = band.height;
    image->height = band.height;
}
