/* SPDX-License-Identifier: MIT */
/*
 * A screen that the guest encodes itself: a port on which its agent sends video, offered to clients
 * as a display and a cursor channel of their own. Source: docs/devices.md, "Streams of the guest's
 * own".
 */
#ifndef SM_SERVER_DEVICE_STREAM_DEVICE_H
#define SM_SERVER_DEVICE_STREAM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "server/device/char_device.h"

struct sm_server;

/** Thread: main context. Host's functions called by any of these may destroy it. */
struct sm_stream_device;

/**
 * @param ops  borrowed, with `context`, until it is destroyed
 * @return SM_OK; SM_ERR_STATE before the server was started; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_stream_device_create(struct sm_stream_device **out,
                                                    struct sm_server *server,
                                                    const struct sm_char_device_ops *ops,
                                                    void *context, bool notifies_writable);

/** Ends its clients and channels; also from inside the host's functions. NULL does nothing. */
void sm_stream_device_destroy(struct sm_stream_device *device);

/** There may be something to read or room to write. */
void sm_stream_device_wakeup(struct sm_stream_device *device);

/** Something happened to the guest's side of the port: an enum sm_port_event, or another number. */
void sm_stream_device_port_event(struct sm_stream_device *device, uint8_t event);

/** The machine runs, or not: for all of a server. */
void sm_stream_devices_set_running(struct sm_server *server, bool is_running);

/** Puts what the agent is told of each: 16 bytes and an address. Returns their count. */
uint32_t sm_stream_devices_put_info(const struct sm_server *server, struct sm_writer *w);

/** How many have channels. */
unsigned sm_stream_devices_count(const struct sm_server *server);

#endif
