/* SPDX-License-Identifier: MIT */
/*
 * The guest's card reader, for a client that has cards: messages of 12 bytes of header and data
 * between a char device and the smart card channel. One reader a server, one client at a time.
 * Source: docs/devices.md, "Smart cards".
 */
#ifndef SM_SERVER_DEVICE_SMARTCARD_H
#define SM_SERVER_DEVICE_SMARTCARD_H

#include "server/device/char_device.h"

struct sm_server;

/** Thread: main context. Host's functions called by any of these may destroy it. */
struct sm_smartcard;

/**
 * Offers the channel.
 *
 * @param out  receives the reader, untouched on failure; release with sm_smartcard_destroy()
 * @param ops  borrowed, with its context, until it is destroyed
 * @return SM_OK; SM_ERR_STATE if the server has a reader already, or was not started; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_smartcard_create(struct sm_smartcard **out, struct sm_server *server,
                                                const struct sm_char_device_ops *ops, void *context,
                                                bool notifies_writable);

/** Closes the channel of its client; also from inside the host's functions. NULL does nothing. */
void sm_smartcard_destroy(struct sm_smartcard *card);

/** There may be something to read or room to write. */
void sm_smartcard_wakeup(struct sm_smartcard *card);

/** The machine runs, or not; `card` may be NULL. */
void sm_smartcard_set_running(struct sm_smartcard *card, bool is_running);

#endif
