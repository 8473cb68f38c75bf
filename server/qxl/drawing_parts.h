/* SPDX-License-Identifier: MIT */
/* Parts of drawing commands. Private to server/qxl. */
#ifndef SM_SERVER_QXL_DRAWING_PARTS_H
#define SM_SERVER_QXL_DRAWING_PARTS_H

#include "core/base/reader.h"
#include "server/qxl/drawing.h"

/** A drawing in the making. */
struct sm_drawing_parser {
    const struct sm_drawing_source *source;
    struct sm_drawing *drawing;
};

/** Says why the command is dropped; gives SM_ERR_PROTOCOL. */
#define sm_drawing_refuse(p, ...)                                                                  \
    (sm_memslots_warn((p)->source->slots, "drawing dropped: " __VA_ARGS__), SM_ERR_PROTOCOL)

/** A zeroed object in the drawing's arena; NULL if memory or the arena's limit is exhausted. */
void *sm_drawing_alloc(struct sm_drawing_parser *p, size_t count, size_t item_size);

/** An empty drawing; NULL if out of memory. */
struct sm_drawing *sm_drawing_new(void);

/** Has the drawing own `data`, malloc; on failure it is freed. */
enum sm_status sm_drawing_own(struct sm_drawing *drawing, void *data, size_t size);
enum sm_status sm_drawing_keep(struct sm_drawing_parser *p, void *data, size_t size);

struct sm_rect sm_qxl_get_rect(struct sm_reader *r);
struct sm_point sm_qxl_get_point(struct sm_reader *r);

/** x1r5g5b5 as 0x00RRGGBB. */
uint32_t sm_qxl_widen_555(uint32_t color);

/** An image at an address other than 0. A mask needs no palette and has one bit a pixel. */
enum sm_status sm_drawing_get_image(struct sm_drawing_parser *p, uint64_t address, bool is_mask,
                                    const struct sm_image **out);

/** `type` and `address` of a clip; the rectangles' bounds are left in `bounds`. */
enum sm_status sm_drawing_get_clip(struct sm_drawing_parser *p, uint32_t type, uint64_t address,
                                   struct sm_rect box, struct sm_clip *out, struct sm_rect *bounds);

enum sm_status sm_drawing_get_path(struct sm_drawing_parser *p, uint64_t address,
                                   const struct sm_path **out);

enum sm_status sm_drawing_get_string(struct sm_drawing_parser *p, uint64_t address,
                                     const struct sm_string **out);

enum sm_status sm_drawing_get_line_attr(struct sm_drawing_parser *p, struct sm_reader *r,
                                        struct sm_line_attr *out);

/** Six words; false if the address does not resolve, which counts as absent. */
bool sm_drawing_get_transform(struct sm_drawing_parser *p, uint64_t address,
                              struct sm_transform *out);

#endif
