/* SPDX-License-Identifier: MIT */
/*
 * Any command in any guest memory, written down: nothing is read outside of it, and what is written
 * can be played back and written down again as the same text. The input is that of qxl-command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "fuzz/support/fuzz.h"
#include "server/replay/replay.h"
#include "server/replay/scribe.h"

enum { HEADER_SIZE = 6, TEXT_MAX = 16 << 20, KIND_COUNT = 5 };

static const uint32_t TYPES[KIND_COUNT] = {QXL_CMD_DRAW, QXL_CMD_CURSOR, QXL_CMD_SURFACE,
                                           QXL_CMD_MESSAGE, QXL_CMD_UPDATE};

static void write_body(struct sm_scribe *scribe, uint32_t type, uint64_t address)
{
    if (type == QXL_CMD_DRAW)
        sm_scribe_drawable(scribe, address);
    else if (type == QXL_CMD_CURSOR)
        sm_scribe_cursor(scribe, address);
    else if (type == QXL_CMD_SURFACE)
        sm_scribe_surface(scribe, address);
    else if (type == QXL_CMD_MESSAGE)
        sm_scribe_message(scribe, address);
    else
        sm_scribe_update(scribe, address);
}

/* A recording of one command in `out`; false if it was left out. */
static bool record(struct sm_writer *out, const struct sm_memslots *slots, uint32_t type,
                   uint8_t flags, uint64_t address)
{
    sm_writer_init(out, TEXT_MAX);
    struct sm_scribe scribe = {
        .out = out, .slots = slots, .is_compat = flags & 1, .is_555 = flags & 2};
    sm_scribe_text(&scribe, "SPICE_REPLAY 1\nevent 0 0 %u 1\n", type);
    write_body(&scribe, type, address);
    return !scribe.failed && sm_writer_status(out) == SM_OK;
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_primary(void *context, const struct sm_replay_primary *primary)
{
    (void)context, (void)primary;
}

/* Played back, it is a command that is written down the same way; ids of surfaces are new ones. */
static void check_round_trip(const struct sm_writer *text, uint32_t type)
{
    static const struct sm_replay_device DEVICE = {ignore_primary, ignore, ignore};
    FILE *file = fmemopen(text->data, text->size, "r");
    struct sm_replay *replay;
    FUZZ_CHECK(file && sm_replay_create(&replay, file, 2) == SM_OK);
    struct sm_replay_command *command = sm_replay_next(replay, &DEVICE, NULL);
    FUZZ_CHECK(command && command->ext.cmd.type == type);
    struct sm_qxl_init_info info = {.group_count = 1, .slot_count = 1};
    struct sm_memslots *slots;
    if (sm_memslots_create(&slots, &info, NULL) != SM_OK)
        abort();
    sm_memslots_add(slots, &(struct sm_qxl_memslot){.virt_end = UINTPTR_MAX});
    struct sm_writer again;
    FUZZ_CHECK(record(&again, slots, type, 0, command->ext.cmd.data));
    FUZZ_CHECK(type == QXL_CMD_DRAW || type == QXL_CMD_SURFACE || type == QXL_CMD_UPDATE ||
               (again.size == text->size && memcmp(again.data, text->data, text->size) == 0));
    sm_writer_finish(&again);
    sm_memslots_destroy(slots);
    sm_replay_free_command(replay, command);
    sm_replay_destroy(replay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER_SIZE || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = data, .size = HEADER_SIZE});
    uint32_t type = TYPES[sm_get_u8(&r) % KIND_COUNT];
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
    struct sm_writer text;
    if (record(&text, slots, type, flags, address))
        check_round_trip(&text, type);
    sm_writer_finish(&text);
    sm_memslots_destroy(slots);
    free(memory);
    return 0;
}
