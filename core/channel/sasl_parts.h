/* SPDX-License-Identifier: MIT */
/*
 * What both ends of a SASL exchange inside the link phase need: bytes behind their length, gathered
 * until they are whole. Source: docs/wire/link.md, "SASL".
 */
#ifndef SM_CORE_CHANNEL_SASL_PARTS_H
#define SM_CORE_CHANNEL_SASL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_SASL_LIST_MAX = 300,     /* bytes of a list of mechanisms, commas included */
    SM_SASL_NAME_MAX = 100,     /* bytes of the name of one */
    SM_SASL_DATA_MAX = 1 << 20, /* bytes of one side's turn, the NUL behind it included */
    SM_SASL_WORDS_MAX = 4096,   /* bytes of the words behind a refusal */
    SM_SASL_TURNS_MAX = 64,     /* of each side; mechanisms need a handful */
};

/** A length word and as many bytes, however they arrive. Memory grows with what has arrived. */
struct sm_sasl_blob {
    uint8_t word[4];
    size_t word_filled;
    uint32_t size;         /* as announced; valid once the word is whole */
    struct sm_writer data; /* owned */
};

void sm_sasl_blob_init(struct sm_sasl_blob *blob);
void sm_sasl_blob_finish(struct sm_sasl_blob *blob);

/** Forgets what was gathered; the next byte belongs to a length word. */
void sm_sasl_blob_restart(struct sm_sasl_blob *blob);

/**
 * Takes what it needs from `in`.
 *
 * @param limit  the longest length that is allowed
 * @param taken  receives how many bytes were taken, with any status
 * @return SM_OK when the bytes are whole; SM_AGAIN; SM_ERR_LIMIT as soon as the length is known to
 *         be above `limit`; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_sasl_blob_take(struct sm_sasl_blob *blob, uint32_t limit,
                                              struct sm_bytes in, size_t *taken);

/** One turn of an exchange: nothing at all differs from something that is empty. */
struct sm_sasl_turn {
    bool has_data;
    struct sm_bytes data; /* without the NUL that stands behind it on the wire; borrowed */
};

/** The turn in a blob that is whole: its last byte is no part of the data, whatever it is. */
struct sm_sasl_turn sm_sasl_blob_turn(const struct sm_sasl_blob *blob);

/** Puts a turn: its length, NUL included, the data and a NUL; or a length of 0. */
void sm_sasl_turn_put(struct sm_writer *w, struct sm_sasl_turn turn);

/** Whether `name` stands whole in `list`, which has a comma before and behind each name. */
bool sm_sasl_list_has(struct sm_bytes list, struct sm_bytes name);

#endif
