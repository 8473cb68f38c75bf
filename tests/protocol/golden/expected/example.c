/* SPDX-License-Identifier: MIT */
/* Made from protocol/example.wire; change that. */
#include "core/wire/example.h"

#include "core/wire/coder.h"
#include "core/wire/parts.h"

static void get_cell(struct sm_reader *r, struct sm_cell *out, uint32_t bits)
{
    out->width = sm_get_u8(r);
    out->pixels = sm_wire_get_bytes(r, ((uint64_t)out->width * bits + 7) / 8);
}

static void put_cell(struct sm_wire_builder *b, const struct sm_cell *in, uint32_t bits)
{
    sm_put_u8(b->w, in->width);
    if (in->pixels.size != ((uint64_t)in->width * bits + 7) / 8)
        sm_wire_reject(b, SM_ERR_STATE);
    sm_put_bytes(b->w, in->pixels);
}

static enum sm_status parse_msg_draw(struct sm_wire_parser *p, struct sm_reader *r,
                                     struct sm_msg_example_draw *out)
{
    enum sm_status status;
    status = sm_wire_follow_shape(p, sm_get_le32(r), &out->shape);
    if (status != SM_OK)
        return status;
    if (!out->shape)
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "draw: shape is missing");
    status = sm_wire_follow_shape(p, sm_get_le32(r), &out->under);
    if (status != SM_OK)
        return status;
    sm_wire_get_corner(r, &out->at);
    out->serial = sm_get_le64(r);
    sm_wire_get_octets(r, out->secret, sizeof(out->secret));
    for (uint32_t i = 0; i < 3; i++)
        out->marks[i] = (int16_t)sm_get_le16(r);
    return sm_wire_end(p, r, "draw: body ends early");
}

static void put_msg_draw(struct sm_wire_builder *b, const struct sm_msg_example_draw *in)
{
    if (!in->shape)
        sm_wire_reject(b, SM_ERR_STATE);
    sm_wire_put_pointer(b, sm_wire_put_shape_target, in->shape, 1);
    sm_wire_put_pointer(b, sm_wire_put_shape_target, in->under, 1);
    sm_wire_put_corner(b, &in->at);
    sm_put_le64(b->w, in->serial);
    sm_put_bytes(b->w, (struct sm_bytes){.data = in->secret, .size = sizeof(in->secret)});
    for (uint32_t i = 0; i < 3; i++)
        sm_put_le16(b->w, (uint16_t)in->marks[i]);
}

static enum sm_status parse_msg_cells(struct sm_wire_parser *p, struct sm_reader *r,
                                      struct sm_msg_example_cells *out)
{
    out->depth = sm_get_u8(r);
    out->num_cells = sm_get_le16(r);
    if (out->num_cells > sm_left(r))
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "cells: cells are more than the body holds");
    struct sm_cell *cells = sm_arena_alloc(p->arena, out->num_cells, sizeof(*cells));
    if (!cells)
        return sm_wire_no_room(p);
    for (uint32_t i = 0; i < out->num_cells; i++)
        get_cell(r, &cells[i], out->depth == 1 ? 1 : 8);
    out->cells = cells;
    out->rest = sm_get_rest(r);
    return sm_wire_end(p, r, "cells: body ends early");
}

static void put_msg_cells(struct sm_wire_builder *b, const struct sm_msg_example_cells *in)
{
    sm_put_u8(b->w, in->depth);
    sm_wire_put_count(b, in->num_cells, in->cells, 2);
    for (uint32_t i = 0; i < in->num_cells && b->status == SM_OK; i++)
        put_cell(b, &in->cells[i], in->depth == 1 ? 1 : 8);
    sm_put_bytes(b->w, in->rest);
}

static enum sm_status parse_msgc_cells(struct sm_wire_parser *p, struct sm_reader *r,
                                       struct sm_msgc_example_cells *out)
{
    out->depth = sm_get_u8(r);
    out->num_cells = sm_get_le16(r);
    if (out->num_cells > sm_left(r))
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "cells: cells are more than the body holds");
    struct sm_cell *cells = sm_arena_alloc(p->arena, out->num_cells, sizeof(*cells));
    if (!cells)
        return sm_wire_no_room(p);
    for (uint32_t i = 0; i < out->num_cells; i++)
        get_cell(r, &cells[i], out->depth == 1 ? 1 : 8);
    out->cells = cells;
    out->rest = sm_get_rest(r);
    return sm_wire_end(p, r, "cells: body ends early");
}

static void put_msgc_cells(struct sm_wire_builder *b, const struct sm_msgc_example_cells *in)
{
    sm_put_u8(b->w, in->depth);
    sm_wire_put_count(b, in->num_cells, in->cells, 2);
    for (uint32_t i = 0; i < in->num_cells && b->status == SM_OK; i++)
        put_cell(b, &in->cells[i], in->depth == 1 ? 1 : 8);
    sm_put_bytes(b->w, in->rest);
}

static enum sm_status parse_msgc_pick(struct sm_wire_parser *p, struct sm_reader *r,
                                      struct sm_msgc_example_pick *out)
{
    out->num_choices = sm_get_u8(r);
    uint32_t choices_at = sm_get_le32(r);
    if (out->num_choices > 0) {
        struct sm_reader choices_r = sm_wire_at(p, choices_at);
        if (choices_at == 0 || out->num_choices > sm_left(&choices_r) / 4)
            return sm_wire_refuse(p, SM_ERR_PROTOCOL, "pick: choices is not inside the body");
        uint32_t *choices = sm_arena_alloc(p->arena, out->num_choices, sizeof(*choices));
        if (!choices)
            return sm_wire_no_room(p);
        for (uint32_t i = 0; i < out->num_choices; i++)
            choices[i] = sm_get_le32(&choices_r);
        out->choices = choices;
    }
    return sm_wire_end(p, r, "pick: body ends early");
}

static void put_msgc_pick(struct sm_wire_builder *b, const struct sm_msgc_example_pick *in)
{
    sm_wire_put_count(b, in->num_choices, in->choices, 1);
    sm_wire_put_pointer(b, sm_wire_put_le32_target, in->choices, in->num_choices);
}

static enum sm_status parse_any_msg(struct sm_wire_parser *p, struct sm_reader *r,
                                    struct sm_example_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_EXAMPLE_CLEAR:
        return SM_OK; /* no body */
    case SM_MSG_EXAMPLE_DRAW:
        return parse_msg_draw(p, r, &msg->draw);
    case SM_MSG_EXAMPLE_CELLS:
        return parse_msg_cells(p, r, &msg->cells);
    default:
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "unknown message");
    }
}

enum sm_status sm_example_msg_parse(struct sm_example_msg *out, uint16_t type, struct sm_bytes body,
                                    struct sm_arena *arena, const char **reason)
{
    struct sm_wire_parser p = {.body = body, .arena = arena};
    struct sm_reader r = sm_reader(body);
    struct sm_example_msg msg = {.type = type};
    enum sm_status status = parse_any_msg(&p, &r, &msg);
    if (status != SM_OK) {
        if (reason)
            *reason = p.reason;
        return status;
    }
    *out = msg;
    return SM_OK;
}

static void put_any_msg(struct sm_wire_builder *b, const struct sm_example_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_EXAMPLE_CLEAR:
        break; /* no body */
    case SM_MSG_EXAMPLE_DRAW:
        put_msg_draw(b, &msg->draw);
        break;
    case SM_MSG_EXAMPLE_CELLS:
        put_msg_cells(b, &msg->cells);
        break;
    default:
        sm_wire_reject(b, SM_ERR_STATE);
    }
}

enum sm_status sm_example_msg_build(struct sm_writer *w, const struct sm_example_msg *msg)
{
    struct sm_wire_builder b = sm_wire_builder(w);
    put_any_msg(&b, msg);
    return sm_wire_builder_finish(&b, msg->type == SM_MSG_EXAMPLE_DRAW ? 2 : 0);
}

const char *sm_example_msg_name(uint16_t type)
{
    switch (type) {
    case SM_MSG_EXAMPLE_DRAW:
        return "draw";
    case SM_MSG_EXAMPLE_CLEAR:
        return "clear";
    case SM_MSG_EXAMPLE_CELLS:
        return "cells";
    default:
        return "unknown";
    }
}

uint32_t sm_example_msg_max_size(uint16_t type)
{
    switch (type) {
    case SM_MSG_EXAMPLE_CLEAR:
        return 1024;
    case SM_MSG_EXAMPLE_DRAW:
        return 4096;
    case SM_MSG_EXAMPLE_CELLS:
        return 65536;
    default:
        return 0;
    }
}

static enum sm_status parse_any_msgc(struct sm_wire_parser *p, struct sm_reader *r,
                                     struct sm_example_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_EXAMPLE_CELLS:
        return parse_msgc_cells(p, r, &msg->cells);
    case SM_MSGC_EXAMPLE_PICK:
        return parse_msgc_pick(p, r, &msg->pick);
    default:
        return sm_wire_refuse(p, SM_ERR_PROTOCOL, "unknown message");
    }
}

enum sm_status sm_example_msgc_parse(struct sm_example_msgc *out, uint16_t type,
                                     struct sm_bytes body, struct sm_arena *arena,
                                     const char **reason)
{
    struct sm_wire_parser p = {.body = body, .arena = arena};
    struct sm_reader r = sm_reader(body);
    struct sm_example_msgc msg = {.type = type};
    enum sm_status status = parse_any_msgc(&p, &r, &msg);
    if (status != SM_OK) {
        if (reason)
            *reason = p.reason;
        return status;
    }
    *out = msg;
    return SM_OK;
}

static void put_any_msgc(struct sm_wire_builder *b, const struct sm_example_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_EXAMPLE_CELLS:
        put_msgc_cells(b, &msg->cells);
        break;
    case SM_MSGC_EXAMPLE_PICK:
        put_msgc_pick(b, &msg->pick);
        break;
    default:
        sm_wire_reject(b, SM_ERR_STATE);
    }
}

enum sm_status sm_example_msgc_build(struct sm_writer *w, const struct sm_example_msgc *msg)
{
    struct sm_wire_builder b = sm_wire_builder(w);
    put_any_msgc(&b, msg);
    return sm_wire_builder_finish(&b, 0);
}

const char *sm_example_msgc_name(uint16_t type)
{
    switch (type) {
    case SM_MSGC_EXAMPLE_CELLS:
        return "cells";
    case SM_MSGC_EXAMPLE_PICK:
        return "pick";
    default:
        return "unknown";
    }
}

uint32_t sm_example_msgc_max_size(uint16_t type)
{
    switch (type) {
    case SM_MSGC_EXAMPLE_PICK:
        return 256;
    case SM_MSGC_EXAMPLE_CELLS:
        return 65536;
    default:
        return 0;
    }
}
