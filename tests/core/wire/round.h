/* SPDX-License-Identifier: MIT */
/* A round trip: bytes to message to bytes. Shared by tests and fuzz targets. */
#ifndef SM_TESTS_CORE_WIRE_ROUND_H
#define SM_TESTS_CORE_WIRE_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** What a message is filled with before it is parsed. */
enum { SM_WIRE_UNTOUCHED = 0xa5 };

struct sm_wire_result {
    enum sm_status parse;
    const char *reason; /* static; set if `parse` failed */
    bool is_untouched;  /* the parser has not written to the message */
};

/** One pair of parse and build. */
struct sm_wire_round {
    const char *name; /* such as "display server" */
    /** Parses `body` and builds what came out into `w`; the status of the first that fails. */
    enum sm_status (*round)(uint32_t type, uint32_t context, struct sm_bytes body,
                            struct sm_arena *arena, struct sm_writer *w,
                            struct sm_wire_result *result);
    const char *(*message_name)(uint32_t type);
    uint32_t (*max_size)(uint32_t type);
};

/** A count or size (`value` is its width in bytes), or a pointer (`value` 1: it is required). */
struct sm_wire_place {
    uint32_t at, value;
};

/** A valid body. */
struct sm_wire_sample {
    const struct sm_wire_round *round;
    const char *name;
    uint32_t type, context;
    struct sm_bytes body;
    bool takes_rest; /* its last field reaches to the end of the body */
    uint32_t pad;    /* bytes at the end that a parser does not ask for */
    const struct sm_wire_place *counts, *pointers;
    uint32_t num_counts, num_pointers;
};

extern const struct sm_wire_sample sm_wire_samples[];
extern const size_t sm_wire_samples_count;

static inline bool sm_wire_is_untouched(const void *message, size_t size)
{
    const uint8_t *bytes = message;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != SM_WIRE_UNTOUCHED)
            return false;
    return true;
}

#endif
