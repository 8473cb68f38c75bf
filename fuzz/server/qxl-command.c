/* SPDX-License-Identifier: MIT */
/*
 * Any command in any guest memory: nothing is read outside of it, and what the parsers accept, the
 * wire's builder does too. The input is the kind of command, the ring's flags, its address (four
 * bytes, little-endian) and the guest's memory.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "fuzz/support/fuzz.h"
#include "server/qxl/commands.h"
#include "server/qxl/drawing.h"

enum { HEADER_SIZE = 6, KIND_COUNT = 6 };

static bool find_surface(const void *surfaces, uint32_t id, struct sm_surface_shape *out)
{
    static const uint32_t formats[] = {SM_SURFACE_FORMAT_32_XRGB, SM_SURFACE_FORMAT_32_ARGB,
                                       SM_SURFACE_FORMAT_8_A, SM_SURFACE_FORMAT_16_555};
    (void)surfaces;
    if (id >= 4)
        return false;
    *out = (struct sm_surface_shape){.width = 640, .height = 480, .format = formats[id]};
    return true;
}

static void draw(const struct sm_memslots *slots, uint32_t flags, uint64_t address)
{
    struct sm_drawing_source source = {
        .slots = slots, .flags = flags, .find_surface = find_surface};
    struct sm_drawing *drawing;
    if (sm_drawing_parse(&drawing, &source, address) != SM_OK)
        return;
    struct sm_rect box = drawing->msg.draw_fill.base.box;
    FUZZ_CHECK(!sm_rect_is_empty(drawing->bounds));
    FUZZ_CHECK(sm_rect_contains(box, drawing->bounds));
    if (!drawing->has_self_bitmap) {
        struct sm_writer w;
        sm_writer_init(&w, 64 << 20);
        enum sm_status status = sm_display_msg_build(&w, &drawing->msg);
        FUZZ_CHECK(status == SM_OK || status == SM_ERR_LIMIT);
        sm_writer_finish(&w);
    }
    sm_drawing_destroy(drawing);
}

static void point(const struct sm_memslots *slots, uint64_t address)
{
    struct sm_cursor_command command;
    if (sm_cursor_command_parse(&command, slots, 0, address) != SM_OK)
        return;
    if (command.type == SM_CURSOR_SET) {
        struct sm_cursor_msg msg = {.type = SM_MSG_CURSOR_SET, .set = {.cursor = command.shape}};
        struct sm_writer w;
        sm_writer_init(&w, 16 << 20);
        FUZZ_CHECK(sm_cursor_msg_build(&w, &msg) == SM_OK);
        sm_writer_finish(&w);
    }
    sm_cursor_command_finish(&command);
}

static void change_surface(const struct sm_memslots *slots, uint64_t address)
{
    struct sm_surface_command command;
    struct sm_pixels pixels;
    if (sm_surface_command_parse(&command, slots, 0, address) != SM_OK || !command.is_create ||
        sm_surface_memory_resolve(&pixels, slots, &command.memory) != SM_OK)
        return;
    sm_surface_memory_clear(&pixels);
    sm_pixels_row(&pixels, 0)[0] = 1;
    sm_pixels_row(&pixels, pixels.height - 1)[0] = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER_SIZE || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = data, .size = HEADER_SIZE});
    uint8_t kind = sm_get_u8(&r);
    uint8_t flags = sm_get_u8(&r);
    uint64_t address = sm_get_le32(&r);
    size_t memory_size = size - HEADER_SIZE;
    uint8_t *memory = malloc(memory_size ? memory_size : 1); /* exact, for ASan */
    memcpy(memory, data + HEADER_SIZE, memory_size);

    struct sm_qxl_init_info info = {.group_count = 1, .slot_count = 1};
    struct sm_qxl_memslot slot = {.virt_start = (uintptr_t)memory,
                                  .virt_end = (uintptr_t)memory + memory_size,
                                  .addr_delta = (uintptr_t)memory};
    struct sm_memslots *slots;
    if (sm_memslots_create(&slots, &info, NULL) != SM_OK)
        abort();
    sm_memslots_add(slots, &slot);

    struct sm_update_command update;
    struct sm_monitors monitors;
    bool is_readable;
    switch (kind % KIND_COUNT) {
    case 0:
        draw(slots, flags, address);
        break;
    case 1:
        point(slots, address);
        break;
    case 2:
        change_surface(slots, address);
        break;
    case 3:
        (void)sm_message_command_check(slots, 0, address);
        break;
    case 4:
        (void)!sm_update_command_parse(&update, slots, 0, flags, address);
        break;
    default:
        if (sm_monitors_parse(&monitors, slots, 0, address, &is_readable) == SM_OK)
            FUZZ_CHECK(monitors.count > 0 && monitors.count <= SM_MAX_HEADS);
        break;
    }
    sm_memslots_destroy(slots);
    free(memory);
    return 0;
}
