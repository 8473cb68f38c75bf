/* SPDX-License-Identifier: MIT */
/* Made from protocol/types.wire; change that. */
#include "core/wire/types.h"

#include "core/wire/coder.h"
#include "core/wire/parts.h"

void sm_wire_get_corner(struct sm_reader *r, struct sm_corner *out)
{
    out->x = (int16_t)sm_get_le16(r);
    out->y = (int16_t)sm_get_le16(r);
}

void sm_wire_put_corner(struct sm_wire_builder *b, const struct sm_corner *in)
{
    sm_put_le16(b->w, (uint16_t)in->x);
    sm_put_le16(b->w, (uint16_t)in->y);
}

enum sm_status sm_wire_parse_shape(struct sm_wire_parser *p, struct sm_reader *r,
                                   struct sm_shape *out)
{
    out->colour = sm_get_u8(r);
    if (out->colour != SM_COLOUR_RED && out->colour != SM_COLOUR_GREEN &&
        out->colour != SM_COLOUR_BLUE)
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: unknown colour");
    out->num_corners = sm_get_u8(r);
    if (out->num_corners > SM_MAX_CORNERS)
        return sm_wire_refuse(p, SM_ERR_LIMIT, "shape: too many corners");
    if (out->num_corners > sm_left(r) / 4)
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: corners are more than the body holds");
    struct sm_corner *corners = sm_arena_alloc(p->arena, out->num_corners, sizeof(*corners));
    if (!corners)
        return sm_wire_no_room(p);
    for (uint32_t i = 0; i < out->num_corners; i++)
        sm_wire_get_corner(r, &corners[i]);
    out->corners = corners;
    out->style = sm_get_le16(r);
    if (out->style & SM_STYLE_DASHED) {
        out->gap = sm_get_le32(r);
        if (out->gap == 0 || out->gap >= 100)
            return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: gap of no use");
    } else {
        uint32_t label_size = sm_get_le32(r);
        uint32_t label_at = sm_get_le32(r);
        if (label_size > 0) {
            struct sm_reader label_r = sm_wire_at(p, label_at);
            if (label_at == 0 || label_size > sm_left(&label_r))
                return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: label is not inside the body");
            out->label = sm_get_bytes(&label_r, label_size);
            if (!sm_wire_ends_in_nul(out->label))
                return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: label is not NUL-terminated");
        }
    }
    return SM_OK;
}

enum sm_status sm_wire_follow_shape(struct sm_wire_parser *p, uint32_t offset,
                                    const struct sm_shape **out)
{
    *out = NULL;
    if (offset == 0)
        return SM_OK;
    struct sm_reader r = sm_wire_at(p, offset);
    if (sm_left(&r) < 8)
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: not inside the body");

    struct sm_shape *target = sm_arena_alloc(p->arena, 1, sizeof(*target));
    if (!target)
        return sm_wire_no_room(p);
    enum sm_status status = sm_wire_parse_shape(p, &r, target);
    if (status != SM_OK)
        return status;
    if (r.failed)
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "shape: ends behind the body");
    *out = target;
    return SM_OK;
}

void sm_wire_put_shape(struct sm_wire_builder *b, const struct sm_shape *in)
{
    sm_put_u8(b->w, in->colour);
    if (in->colour != SM_COLOUR_RED && in->colour != SM_COLOUR_GREEN &&
        in->colour != SM_COLOUR_BLUE)
        sm_wire_reject(b, SM_ERR_STATE);
    sm_wire_put_count(b, in->num_corners, in->corners, 1);
    if (in->num_corners > SM_MAX_CORNERS)
        sm_wire_reject(b, SM_ERR_LIMIT);
    for (uint32_t i = 0; i < in->num_corners && b->status == SM_OK; i++)
        sm_wire_put_corner(b, &in->corners[i]);
    sm_put_le16(b->w, in->style);
    if (in->style & SM_STYLE_DASHED) {
        sm_put_le32(b->w, in->gap);
        if (in->gap == 0 || in->gap >= 100)
            sm_wire_reject(b, SM_ERR_STATE);
    } else {
        sm_wire_put_length(b, in->label.size, 4);
        if (in->label.size > 0 && !sm_wire_ends_in_nul(in->label))
            sm_wire_reject(b, SM_ERR_STATE);
        sm_wire_put_pointer(b, sm_wire_put_bytes_target, &in->label, in->label.size > 0);
    }
}

void sm_wire_put_shape_target(struct sm_wire_builder *b, const void *target, uint32_t count)
{
    (void)count;
    sm_wire_put_shape(b, target);
}
