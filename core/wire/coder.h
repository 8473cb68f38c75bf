/* SPDX-License-Identifier: MIT */
/*
 * What the generated parse and build functions share: the state of one run over a message body and
 * the few steps that are the same everywhere. Users of messages include the channel's header, not
 * this one.
 */
#ifndef SM_CORE_WIRE_CODER_H
#define SM_CORE_WIRE_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** One run of a parser. */
struct sm_wire_parser {
    struct sm_bytes body;   /* borrowed; pointers on the wire are offsets into it */
    struct sm_arena *arena; /* borrowed; arrays and pointer targets are made in it */
    uint32_t context;       /* what the layout depends on beside the body */
    const char *reason;     /* static; why the body was refused */
};

/** Notes `reason` and returns `status`. */
enum sm_status sm_wire_refuse(struct sm_wire_parser *p, enum sm_status status, const char *reason);

/** The end of a message: refuses it for `reason` if its body did not hold all fields. */
enum sm_status sm_wire_end(struct sm_wire_parser *p, const struct sm_reader *r, const char *reason);

/** The arena gave nothing: says whether the limit or memory is exhausted. */
enum sm_status sm_wire_no_room(struct sm_wire_parser *p);

/** A reader from `offset` of the body to its end; an offset outside gives a failed one. */
struct sm_reader sm_wire_at(const struct sm_wire_parser *p, uint32_t offset);

/** As sm_get_bytes(), for sizes that may not fit size_t. */
struct sm_bytes sm_wire_get_bytes(struct sm_reader *r, uint64_t size);

/** Copies `size` bytes to `to`, or nothing if so many are not left. */
void sm_wire_get_octets(struct sm_reader *r, uint8_t *to, size_t size);

/** True if the last of `bytes` is a NUL. */
bool sm_wire_ends_in_nul(struct sm_bytes bytes);

/** The most pointers a message may hold, those in pointer targets included. */
enum { SM_WIRE_MAX_POINTERS = 16 };

struct sm_wire_builder;

/** Appends what a pointer leads to: `count` items at `target`. */
typedef void sm_wire_put_target(struct sm_wire_builder *b, const void *target, uint32_t count);

/** One run of a builder: targets of pointers wait in a queue until the parts before them stand. */
struct sm_wire_builder {
    struct sm_writer *w;   /* borrowed */
    size_t base;           /* where the body starts in `w` */
    uint32_t context;      /* as in the parser */
    enum sm_status status; /* the first misuse */
    uint32_t first, count; /* targets done, targets known */
    struct {
        size_t at; /* where the offset belongs */
        sm_wire_put_target *put;
        const void *target; /* borrowed from the message */
        uint32_t count;
    } targets[SM_WIRE_MAX_POINTERS];
};

struct sm_wire_builder sm_wire_builder(struct sm_writer *w);

/** The message cannot be put on the wire: remembers the first `status`. */
void sm_wire_reject(struct sm_wire_builder *b, enum sm_status status);

/** Puts a pointer to `count` items at `target`, or 0 if `target` is NULL or `count` 0. */
void sm_wire_put_pointer(struct sm_wire_builder *b, sm_wire_put_target *put, const void *target,
                         uint32_t count);

/** Targets that are bytes (`target` is a struct sm_bytes) or 32-bit numbers. */
void sm_wire_put_bytes_target(struct sm_wire_builder *b, const void *target, uint32_t count);
void sm_wire_put_le32_target(struct sm_wire_builder *b, const void *target, uint32_t count);

/** Puts a count or size of `value` in `width` bytes; one that does not fit is rejected. */
void sm_wire_put_length(struct sm_wire_builder *b, uint64_t value, unsigned width);

/** The same for the count of `array`, which has to be there if `count` is not 0. */
void sm_wire_put_count(struct sm_wire_builder *b, uint64_t count, const void *array,
                       unsigned width);

/**
 * Puts all waiting targets, then `pad` zeros. Takes the body back out of the writer if the message
 * was rejected.
 */
SM_NODISCARD enum sm_status sm_wire_builder_finish(struct sm_wire_builder *b, size_t pad);

#endif
