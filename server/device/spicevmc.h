/* SPDX-License-Identifier: MIT */
/*
 * A byte stream of the guest with a channel of its own: usbredir, a port, or webdav. One client at
 * a time; without one the device is not read. Source: docs/devices.md.
 */
#ifndef SM_SERVER_DEVICE_SPICEVMC_H
#define SM_SERVER_DEVICE_SPICEVMC_H

#include <stdbool.h>
#include <stdint.h>

#include "server/device/char_device.h"

struct sm_server;

/** Thread: main context. Host's functions called by any of these may destroy it. */
struct sm_spicevmc;

struct sm_spicevmc_config {
    const struct sm_char_device_ops *ops;
    void *context; /* of ops; both borrowed until it is destroyed */
    bool notifies_writable;
    /** NULL: usbredir; "org.spice-space.webdav.0": webdav; else a port of this name. Copied. */
    const char *port_name;
};

/**
 * Offers the channel, with the lowest id that its type has free.
 *
 * @param out  receives the stream, untouched on failure; release with sm_spicevmc_destroy()
 * @return SM_OK; SM_ERR_STATE before the server was started; SM_ERR_LIMIT if no id is free or the
 *         name is too long; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_spicevmc_create(struct sm_spicevmc **out, struct sm_server *server,
                                               const struct sm_spicevmc_config *config);

/** Closes the channel of its client; also from inside the host's functions. NULL does nothing. */
void sm_spicevmc_destroy(struct sm_spicevmc *vmc);

/** There may be something to read or room to write. */
void sm_spicevmc_wakeup(struct sm_spicevmc *vmc);

/** Something happened to the guest's side of a port: an enum sm_port_event, or another number. */
void sm_spicevmc_port_event(struct sm_spicevmc *vmc, uint8_t event);

/** The machine runs, or not: for all streams of a server. */
void sm_spicevmc_set_all_running(struct sm_server *server, bool is_running);

#endif
