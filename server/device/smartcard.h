/* SPDX-License-Identifier: MIT */
/*
 * The guest's card reader, for a client that has cards: messages of 12 bytes of header and data
 * between char devices and the smart card channel, which all readers share. One client at a time.
 * Source: docs/devices.md, "Smart cards".
 */
#ifndef SM_SERVER_DEVICE_SMARTCARD_H
#define SM_SERVER_DEVICE_SMARTCARD_H

#include "server/device/char_device.h"

struct sm_server;

/** Thread: main context. Host's functions called by any of these may destroy it. */
struct sm_smartcard;

/**
 * Adds a reader; with the first one the channel is offered.
 *
 * @param out  receives the reader, untouched on failure; release with sm_smartcard_destroy()
 * @param ops  borrowed, with its context, until it is destroyed
 * @return SM_OK; SM_ERR_STATE if the server was not started; SM_ERR_LIMIT beyond ten; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_smartcard_create(struct sm_smartcard **out, struct sm_server *server,
                                                const struct sm_char_device_ops *ops, void *context,
                                                bool notifies_writable);

/** Of the first reader: closes the channel; the next one's client may come at once. Also from
 * inside the host's functions. NULL does nothing. */
void sm_smartcard_destroy(struct sm_smartcard *card);

/** There may be something to read or room to write. */
void sm_smartcard_wakeup(struct sm_smartcard *card);

/** The machine runs, or not. */
void sm_smartcard_set_all_running(struct sm_server *server, bool is_running);

#endif
