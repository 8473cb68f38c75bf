/* SPDX-License-Identifier: MIT */
#include "fuzz/core-wire/round.h"

#include <string.h>

#include "core/base/reader.h"
#include "fuzz/support/fuzz.h"

/* A small input can hold the same image behind several pointers, so it may grow when built. */
enum { ARENA_LIMIT = 1 << 20, WRITER_LIMIT = 1 << 24 };

static void check_refusal(const struct sm_wire_result *result)
{
    FUZZ_CHECK(result->parse == SM_ERR_PROTOCOL || result->parse == SM_ERR_LIMIT);
    FUZZ_CHECK(result->is_untouched);
    FUZZ_CHECK(result->reason && result->reason[0]);
}

int sm_fuzz_round(const struct sm_wire_round *round, const uint8_t *data, size_t size)
{
    struct sm_reader r = sm_reader((struct sm_bytes){data, size});
    uint16_t type = sm_get_le16(&r);
    uint8_t context = sm_get_u8(&r);
    if (r.failed)
        return 0;

    struct sm_arena arena;
    sm_arena_init(&arena, ARENA_LIMIT);
    struct sm_writer first, second;
    sm_writer_init(&first, WRITER_LIMIT);
    sm_writer_init(&second, WRITER_LIMIT);

    struct sm_wire_result result = {0};
    enum sm_status status = round->round(type, context, sm_get_rest(&r), &arena, &first, &result);
    if (result.parse != SM_OK) {
        check_refusal(&result);
    } else {
        FUZZ_CHECK(status == SM_OK);
        struct sm_bytes built = sm_writer_bytes(&first);
        sm_arena_finish(&arena);
        status = round->round(type, context, built, &arena, &second, &result);
        FUZZ_CHECK(status == SM_OK);
        FUZZ_CHECK(second.size == built.size);
        FUZZ_CHECK(built.size == 0 || memcmp(second.data, built.data, built.size) == 0);
    }
    sm_writer_finish(&second);
    sm_writer_finish(&first);
    sm_arena_finish(&arena);
    return 0;
}
