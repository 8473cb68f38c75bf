/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a cursor channel: keeps the book of the client's cache. Source:
 * docs/channel.md, "Cursor".
 */
#ifndef SM_CORE_CHANNEL_CURSOR_SERVER_H
#define SM_CORE_CHANNEL_CURSOR_SERVER_H

#include "core/channel/channel.h"
#include "core/wire/cursor.h"

enum { SM_CURSOR_MAX_CACHED = 256 /* the client has room for one more */ };

/** Thread: one at a time. */
struct sm_cursor_server;

struct sm_cursor_server_config {
    struct sm_channel_setup setup;
    uint32_t ack_window; /* 20, or 40 on a slow line; 0 for none */
};

/**
 * Creates the channel; SET_ACK is pending at once.
 *
 * @param out  receives the machine, untouched on failure; release with sm_cursor_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_cursor_server_create(struct sm_cursor_server **out,
                                                    const struct sm_cursor_server_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_cursor_server_destroy(struct sm_cursor_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_cursor_server_machine(struct sm_cursor_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_cursor_server_channel(struct sm_cursor_server *server);

/** Pulls the client's messages, of which there are none but DISCONNECTING; status as always. */
SM_NODISCARD enum sm_status sm_cursor_server_next(struct sm_cursor_server *server,
                                                  const struct sm_cursor_msgc **msg);

/**
 * Sends a message. In INIT and SET the flags CACHE_ME and FROM_CACHE are set here: give the whole
 * shape, with `data`, each time (flag NONE for no shape). INVAL_ONE follows for what falls out of
 * the cache. INIT, RESET and INVAL_ALL empty it.
 *
 * @return SM_OK; SM_AGAIN if too much waits to be written; SM_ERR_STATE for a message that cannot
 * be built; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_cursor_server_send(struct sm_cursor_server *server,
                                                  const struct sm_cursor_msg *msg);

#endif
