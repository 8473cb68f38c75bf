/* SPDX-License-Identifier: MIT */
/* Made from protocol/: the functions generated sources call in each other. */
#ifndef SM_CORE_WIRE_PARTS_H
#define SM_CORE_WIRE_PARTS_H

#include "core/wire/coder.h"
#include "core/wire/types.h"

void sm_wire_get_corner(struct sm_reader *r, struct sm_corner *out);
void sm_wire_put_corner(struct sm_wire_builder *b, const struct sm_corner *in);
enum sm_status sm_wire_parse_shape(struct sm_wire_parser *p, struct sm_reader *r,
                                   struct sm_shape *out);
enum sm_status sm_wire_follow_shape(struct sm_wire_parser *p, uint32_t offset,
                                    const struct sm_shape **out);
void sm_wire_put_shape(struct sm_wire_builder *b, const struct sm_shape *in);
sm_wire_put_target sm_wire_put_shape_target;

#endif
