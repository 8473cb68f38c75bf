/* SPDX-License-Identifier: MIT */
/* The small commands: surfaces, updates, messages, pointer, monitors. All copied, then checked. */
#ifndef SM_SERVER_QXL_COMMANDS_H
#define SM_SERVER_QXL_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/wire/cursor.h"
#include "core/wire/display.h"
#include "server/qxl/memslots.h"
#include "sumac/status.h"

enum {
    SM_SURFACE_COMMAND_SIZE = 41,
    SM_UPDATE_COMMAND_SIZE = 32,
    SM_UPDATE_COMPAT_COMMAND_SIZE = 28,
    SM_CURSOR_COMMAND_SIZE = 150,
    SM_MESSAGE_COMMAND_SIZE = 8,
};

/** A surface's pixels in guest memory, as a command or the host describes them. */
struct sm_surface_memory {
    uint32_t format; /* wire surface format */
    uint32_t width, height;
    int32_t stride_bytes; /* negative: rows lie bottom first */
    uint64_t address;
    uint32_t group;
};

/**
 * Checks format, sides and stride, and resolves the memory.
 *
 * @param out  receives the pixels, top row first, in guest memory. Its format is SM_PIXEL_A1 for
 *             a surface of single bits.
 * @return SM_OK; SM_ERR_PROTOCOL, after a warning
 */
SM_NODISCARD enum sm_status sm_surface_memory_resolve(struct sm_pixels *out,
                                                      const struct sm_memslots *slots,
                                                      const struct sm_surface_memory *memory);

/** Sets every byte of a surface's memory to 0, whatever its stride. */
void sm_surface_memory_clear(const struct sm_pixels *pixels);

struct sm_surface_command {
    uint32_t surface_id;
    bool is_create; /* else destroy */
    bool keep_data;
    struct sm_surface_memory memory; /* of a create */
};

SM_NODISCARD enum sm_status sm_surface_command_parse(struct sm_surface_command *out,
                                                     const struct sm_memslots *slots,
                                                     uint32_t group, uint64_t address);

struct sm_update_command {
    struct sm_rect area; /* anything a guest can think of */
    uint32_t update_id, surface_id;
};

/** `flags` are those of the ring command. */
SM_NODISCARD enum sm_status sm_update_command_parse(struct sm_update_command *out,
                                                    const struct sm_memslots *slots, uint32_t group,
                                                    uint32_t flags, uint64_t address);

enum sm_cursor_command_type {
    SM_CURSOR_SET = 0,
    SM_CURSOR_MOVE = 1,
    SM_CURSOR_HIDE = 2,
    SM_CURSOR_TRAIL = 3,
};

struct sm_cursor_command {
    enum sm_cursor_command_type type;
    struct sm_point16 position; /* SET, MOVE */
    bool is_visible;            /* SET */
    struct sm_cursor shape;     /* SET; its data belongs to this command, see _finish() */
    uint8_t *shape_data;        /* owned */
    uint16_t trail_length, trail_frequency;
};

/** On SM_OK release with sm_cursor_command_finish(). */
SM_NODISCARD enum sm_status sm_cursor_command_parse(struct sm_cursor_command *out,
                                                    const struct sm_memslots *slots, uint32_t group,
                                                    uint64_t address);

void sm_cursor_command_finish(struct sm_cursor_command *command);

/** Bytes of pixels and masks a shape has; 0 for an unknown type. */
size_t sm_cursor_shape_size(uint8_t type, uint16_t width, uint16_t height);

/** True if a message ends inside its slot, else a warning; its text is of no use to anybody. */
bool sm_message_command_check(const struct sm_memslots *slots, uint32_t group, uint64_t address);

/** The guest's arrangement of monitors. */
struct sm_monitors {
    uint32_t count; /* heads used, 0: none known */
    uint32_t max_allowed;
    struct sm_head heads[SM_MAX_HEADS];
};

/**
 * Reads an arrangement; heads beyond SM_MAX_HEADS are cut off.
 *
 * @param is_readable  receives whether there was an arrangement at all, good or bad
 */
SM_NODISCARD enum sm_status sm_monitors_parse(struct sm_monitors *out,
                                              const struct sm_memslots *slots, uint32_t group,
                                              uint64_t address, bool *is_readable);

#endif
