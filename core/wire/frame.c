/* SPDX-License-Identifier: MIT */
#include "core/wire/frame.h"

#include "core/base/math.h"
#include "core/base/reader.h"

struct sm_frame sm_frame_parse(struct sm_bytes bytes, bool is_mini)
{
    struct sm_reader r = sm_reader(bytes);
    struct sm_frame frame = {0};
    if (!is_mini)
        frame.serial = sm_get_le64(&r);
    frame.type = sm_get_le16(&r);
    frame.size = sm_get_le32(&r);
    if (!is_mini)
        frame.sub_list = sm_get_le32(&r);
    return frame;
}

void sm_frame_build(struct sm_writer *w, const struct sm_frame *frame, bool is_mini)
{
    if (!is_mini)
        sm_put_le64(w, frame->serial);
    sm_put_le16(w, frame->type);
    sm_put_le32(w, frame->size);
    if (!is_mini)
        sm_put_le32(w, frame->sub_list);
}

static struct sm_reader at(struct sm_bytes body, size_t offset)
{
    struct sm_reader r = sm_reader(body);
    sm_skip(&r, offset);
    return r;
}

/* The place where item `index` of the list stands. */
static uint32_t item_offset(struct sm_bytes body, uint32_t list, uint32_t index)
{
    struct sm_reader r = at(body, (size_t)list + 2 + 4 * (size_t)index);
    return sm_get_le32(&r);
}

enum sm_status sm_frame_sub_count(struct sm_bytes body, uint32_t offset, uint32_t *count)
{
    struct sm_reader r = at(body, offset);
    uint32_t items = sm_get_le16(&r);
    if (r.failed || items == 0 || sm_left(&r) / 4 < items)
        return SM_ERR_PROTOCOL;
    if (items > SM_FRAME_MAX_SUBS)
        return SM_ERR_LIMIT;
    for (uint32_t i = 0; i < items; i++) {
        struct sm_reader item = at(body, item_offset(body, offset, i));
        if (sm_left(&item) < SM_FRAME_SUB_SIZE)
            return SM_ERR_PROTOCOL;
    }
    *count = items;
    return SM_OK;
}

struct sm_bytes sm_frame_sub(struct sm_bytes body, uint32_t offset, uint32_t index, uint16_t *type)
{
    struct sm_reader r = at(body, item_offset(body, offset, index));
    *type = sm_get_le16(&r);
    uint32_t size = sm_get_le32(&r);
    return sm_get_bytes(&r, sm_min_size(size, sm_left(&r)));
}
