/* SPDX-License-Identifier: MIT */
/*
 * The messages of the link phase, which has no data headers yet: link header, link message, link
 * reply. All little-endian and packed. Source: docs/wire/link.md.
 */
#ifndef SM_CORE_WIRE_LINK_H
#define SM_CORE_WIRE_LINK_H

#include <stdint.h>

#include "core/base/writer.h"
#include "core/wire/types.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_LINK_MAGIC = 0x51444552, /* the bytes "REDQ" */
    SM_LINK_MAJOR = 2,
    SM_LINK_MINOR = 2,
    SM_LINK_HEADER_SIZE = 16,
    SM_LINK_WORD_SIZE = 4,        /* the mechanism, the result, a capability word */
    SM_LINK_MESSAGE_SIZE = 18,    /* without capability words */
    SM_LINK_REPLY_SIZE = 178,     /* without capability words */
    SM_LINK_MAX_SIZE = 4096,      /* of what follows a link header, either way */
    SM_LINK_MAX_CAP_WORDS = 1024, /* of each kind */
    SM_LINK_PUBLIC_KEY_SIZE = 162,
    SM_LINK_TICKET_SIZE = 128,
};

/** What every side says first; `size` bytes follow. */
struct sm_link_header {
    uint32_t magic, major, minor, size;
};

/** Client to server. Of the capabilities the first words: no later bit has a meaning. */
struct sm_link_message {
    uint32_t connection_id; /* 0 on the first main channel */
    uint8_t channel_type, channel_id;
    uint32_t common_caps, channel_caps;
};

/** Server to client. */
struct sm_link_reply {
    uint32_t error;
    struct sm_bytes public_key; /* SM_LINK_PUBLIC_KEY_SIZE bytes, borrowed from the input */
    uint32_t common_caps, channel_caps;
};

/** Reads the first SM_LINK_HEADER_SIZE of `bytes`; nothing is checked, what is missing is zero. */
struct sm_link_header sm_link_header_parse(struct sm_bytes bytes);

/** The first word of `bytes`, 0 if there is none. */
uint32_t sm_link_word_parse(struct sm_bytes bytes);

/**
 * Reads what follows the header of a link message.
 *
 * @return SM_OK; SM_ERR_LIMIT for too many capability words; SM_ERR_PROTOCOL if the message is too
 *         short or its words lie outside
 */
SM_NODISCARD enum sm_status sm_link_message_parse(struct sm_link_message *out,
                                                  struct sm_bytes body);

/** Puts a whole link message, header included; a word of zero is left out. */
void sm_link_message_build(struct sm_writer *w, const struct sm_link_message *message);

/**
 * Reads what follows the header of a link reply. With `error` other than 0 the rest means nothing
 * and is not looked at. Failures as with sm_link_message_parse().
 */
SM_NODISCARD enum sm_status sm_link_reply_parse(struct sm_link_reply *out, struct sm_bytes body);

/** Puts a whole link reply, header included. With an error all else is zero, words are left out. */
void sm_link_reply_build(struct sm_writer *w, const struct sm_link_reply *reply);

#endif
