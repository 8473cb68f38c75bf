/* SPDX-License-Identifier: MIT */
/*
 * The guest agent's port: a stream of chunks, each with a port number and a size. For the server.
 * Source: docs/channel.md, "Agent port".
 */
#ifndef SM_CORE_CHANNEL_AGENT_PORT_H
#define SM_CORE_CHANNEL_AGENT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "core/wire/agent.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum { SM_AGENT_PIECE_MAX = 2048 };

/** Reads the stream of the agent. Zero-initialised it is ready. Thread: one at a time. */
struct sm_agent_port_reader {
    uint8_t header[8];
    size_t header_filled;
    uint32_t port, left; /* of the current chunk: bytes not yet in a piece */
    uint8_t piece[SM_AGENT_PIECE_MAX];
    size_t filled, wanted; /* of the piece; wanted 0 between pieces */
};

/** One piece of a chunk. */
struct sm_agent_port_piece {
    uint32_t port; /* of enum sm_agent_port */
    uint8_t *data; /* may be changed; borrowed until the reader changes */
    size_t size;   /* 1 to SM_AGENT_PIECE_MAX */
};

/** Forgets all, as after a detach. */
void sm_agent_port_reset(struct sm_agent_port_reader *reader);

/** How many bytes to read from the device next at most; 0 while a piece is to be taken. */
size_t sm_agent_port_wanted(const struct sm_agent_port_reader *reader);

/**
 * Takes bytes up to the end of a piece.
 *
 * @param taken  receives how many; fewer than there are while a piece is to be taken
 * @return SM_OK; SM_ERR_PROTOCOL for a port that does not exist (the reader must be reset)
 */
SM_NODISCARD enum sm_status sm_agent_port_feed(struct sm_agent_port_reader *reader,
                                               struct sm_bytes in, size_t *taken);

/** Takes the piece that is complete; false if there is none. */
bool sm_agent_port_next(struct sm_agent_port_reader *reader, struct sm_agent_port_piece *piece);

/** Puts one chunk for the agent. */
void sm_agent_port_put(struct sm_writer *w, enum sm_agent_port port, struct sm_bytes data);

/** Puts one chunk with a whole message of the server to the agent. */
void sm_agent_port_put_message(struct sm_writer *w, uint32_t type, struct sm_bytes body);

#endif
