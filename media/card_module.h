/* SPDX-License-Identifier: MIT */
/*
 * The module of smart cards: a shared object of its own around libcacard, which brings NSS and GLib
 * along. It exports one symbol, a struct sm_card_module named SM_CARD_MODULE_SYMBOL.
 */
#ifndef SM_MEDIA_CARD_MODULE_H
#define SM_MEDIA_CARD_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

#define SM_CARD_MODULE_FILE   "libsumac-card.so"
#define SM_CARD_MODULE_SYMBOL "sm_card_module"

enum {
    SM_CARD_MODULE_VERSION = 1,
    SM_CARD_ATR_MAX = 40,
    SM_CARD_APDU_MAX = 270, /* bytes of an answer */
    SM_CARD_NAME_SIZE = 128,
};

enum sm_card_event_kind {
    SM_CARD_READER_ADDED,
    SM_CARD_READER_REMOVED,
    SM_CARD_INSERTED,
    SM_CARD_REMOVED,
};

struct sm_card_event {
    enum sm_card_event_kind kind;
    char reader[SM_CARD_NAME_SIZE];
    uint8_t atr[SM_CARD_ATR_MAX]; /* with INSERTED */
    size_t atr_size;
};

struct sm_card_options {
    const char *database; /* of NSS, a folder; NULL: the system's */
    const char
        *certificates[3]; /* nicknames: a card of software; all NULL: readers that are there */
};

/** Only the first reader that comes is looked at. The library below is one for the process. */
struct sm_card_module {
    uint32_t version;
    /**
     * Starts a thread that tells what happens to the reader, what is there already included.
     *
     * @return SM_OK; SM_ERR_STATE if it was started and not stopped; SM_ERR_IO if the database or
     *         the card cannot be used; SM_ERR_NOMEM
     */
    enum sm_status (*start)(const struct sm_card_options *options,
                            void (*event)(void *opaque, const struct sm_card_event *event),
                            void *opaque);
    /** Ends the thread: no event is told after this. */
    void (*stop)(void);
    /**
     * Gives the card a command. Any thread, one at a time.
     *
     * @param answer       receives at most SM_CARD_APDU_MAX bytes
     * @param answer_size  receives how many
     * @return SM_OK; SM_ERR_STATE without a card
     */
    enum sm_status (*transmit)(struct sm_bytes command, uint8_t *answer, size_t *answer_size);
    /** Puts the card of software into the reader, or takes it out. */
    void (*insert)(bool is_inserted);
};

/** The module, loaded when first asked for; NULL if there is none. */
const struct sm_card_module *sm_card_module_load(void);

#endif
