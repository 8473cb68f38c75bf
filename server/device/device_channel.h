/* SPDX-License-Identifier: MIT */
/*
 * A char device with a channel of its own that serves one client at a time: what streams of devices
 * and the card reader have in common. Source: docs/devices.md, "Who is on the stack".
 *
 * The host is called from deep inside and may do anything from there, such as taking the device
 * away: each way in holds the channel, and looks again whether its client is still there.
 */
#ifndef SM_SERVER_DEVICE_DEVICE_CHANNEL_H
#define SM_SERVER_DEVICE_DEVICE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/channel.h"
#include "core/wire/migration.h"
#include "server/device/char_device.h"
#include "server/session/registry.h"

struct sm_channel_handover;
struct sm_device_channel;
struct sm_pump;
struct sm_server;

enum { SM_DEVICE_QUEUED_MAX_BYTES = 1 << 20 }; /* on their way into the device: no more is taken */

/** What one kind of channel does its own way. `self` has its client in all but read() and free().
 */
struct sm_device_channel_ops {
    /** Makes the machine of a new client: it, what the pump drives of it, and its channel. */
    enum sm_status (*open)(struct sm_device_channel *self, const struct sm_channel_setup *setup,
                           void **machine, struct sm_machine *pumped, struct sm_channel **channel);
    void (*close)(void *machine);
    /** Whether the device follows, so that more of the client's words may be taken. */
    bool (*may_take)(const struct sm_device_channel *self);
    /** Deals with a message of the client's. SM_OK; SM_AGAIN if there is none; else it is let go.
     */
    enum sm_status (*take)(struct sm_device_channel *self);
    /** Reads on, with or without a client; true if something came. */
    bool (*read)(struct sm_device_channel *self);
    /** One of the client's buffers was written; optional. */
    void (*written)(struct sm_device_channel *self);
    /**
     * Whose client `self`, whose own channel is not offered, has: several devices of one channel.
     * Optional: its own.
     */
    struct sm_device_channel *(*front)(struct sm_device_channel *self);
    /** The client's line takes more again: wakes all devices of the channel. With front(). */
    void (*wake)(struct sm_device_channel *self);
    /** The client has gone, maybe to another server; optional. */
    void (*gone)(struct sm_device_channel *self, bool was_leaving);
    void (*free)(struct sm_device_channel *self);
};

struct sm_device_client {
    struct sm_device_channel *of;
    uint32_t tag;                         /* of its buffers; no other client's */
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    void *machine;                        /* owned, of the kind's own type */
    struct sm_channel *channel;           /* the machine's */
    struct sm_pump *pump;                 /* owned */
    bool awaits_data; /* it comes from another server: the device is not read until they are here */
    bool is_pulled;   /* on the stack */
    uint64_t sent_bytes; /* of the device's stream */
};

/** First in the object of a kind. Thread: main context. */
struct sm_device_channel {
    const struct sm_device_channel_ops *ops;
    struct sm_server *server; /* borrowed */
    unsigned references;      /* its owner's, and one for each of our functions on the stack */
    struct sm_channel_offer offer;
    struct sm_char_device *device; /* owned; NULL once it is destroyed */
    bool waits_for_room;           /* reading stopped because the client's line is full */
    uint32_t last_tag;
    struct sm_device_client *client; /* owned; NULL: none */
};

/** What a device and its channel are made of. */
struct sm_device_channel_config {
    const struct sm_device_channel_ops *ops;
    struct sm_server *server;
    uint8_t type, id;
    uint32_t caps;
    const struct sm_char_device_ops *device_ops; /* borrowed, with its context */
    void *context;
    bool notifies_writable;
};

/** Makes `self`, which is zeroed, and its device; not offered yet. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_device_channel_init(struct sm_device_channel *self,
                                                   const struct sm_device_channel_config *config);

/** Offers the channel to clients. */
void sm_device_channel_offer(struct sm_device_channel *self);

/** Withdraws it, closes its client, and frees it as soon as nothing of it is on the stack. */
void sm_device_channel_destroy(struct sm_device_channel *self);

void sm_device_channel_hold(struct sm_device_channel *self);
void sm_device_channel_release(struct sm_device_channel *self);

/** There may be something to read or room to write. */
void sm_device_channel_wakeup(struct sm_device_channel *self);

/** Whether the client with this tag is still there. */
bool sm_device_channel_has(const struct sm_device_channel *self, uint32_t tag);

/** Whether its line takes more. */
bool sm_device_channel_has_room(const struct sm_device_channel *self);

/** There is a client, and `size` bytes of the device's stream were sent to it. From 64 KiB on its
 * line is measured, and there is room only for what the line holds: bulk yields to pictures and
 * keys. */
void sm_device_channel_sent(struct sm_device_channel *self, size_t size);

/** There was room, and the device said nothing. */
void sm_device_channel_starved(struct sm_device_channel *self);

/** Lets the client go; the last thing is that the host hears of it. NULL client: nothing. */
void sm_device_channel_drop(struct sm_device_channel *self);

/** A line in the log, with the channel's name. */
void sm_device_channel_complain(struct sm_device_channel *self, const char *words);

/**
 * Hands what the target is to know to the client; the words that the device has not taken are
 * filled in.
 *
 * @param msg     the kind's, with all the rest
 * @param device  the device's part of `msg`
 */
SM_NODISCARD enum sm_status sm_device_channel_hand_on(struct sm_device_channel *self,
                                                      struct sm_migration_msg *msg,
                                                      struct sm_migration_device *device);

/** The data from the other server are here: goes on with what its device had not taken. */
SM_NODISCARD enum sm_status sm_device_channel_resume(struct sm_device_channel *self,
                                                     struct sm_bytes pending);

#endif
