/* SPDX-License-Identifier: MIT */
/*
 * The USB devices of a session: which there are, and which channel has which. Public functions and
 * channels meet here. Source: docs/usb.md.
 */
#ifndef SM_CLIENT_USB_MANAGER_H
#define SM_CLIENT_USB_MANAGER_H

#include <pthread.h>

#include "client/channel_thread.h"
#include "client/usb/filter.h"
#include "client/usb/physical.h"
#include "sumac/usb.h"

enum {
    SM_USB_ENTRIES_MAX = 96, /* devices and CDs */
    SM_USB_CHANNELS_MAX = 32,
};

/** A device or CD. */
struct sm_usb_entry {
    struct sm_usb_device shown;
    struct sm_usb_identity identity;
    int fd;          /* CD: owned; else -1 */
    uint64_t bytes;  /* CD: of the image */
    bool is_wanted;  /* it goes to the machine as soon as a channel is free */
    bool is_new;     /* the rules for connecting have not looked at it */
    bool is_removed; /* unplugged or taken out: it leaves the list when its channel is done */
};

struct sm_usb_slot {
    struct sm_client_channel *channel; /* borrowed: ready for a device */
    uint32_t device;                   /* which it has; 0: none */
};

/** Part of a session; a leaf among the locks: nothing else is locked below it. */
struct sm_client_usb {
    pthread_mutex_t lock;
    struct sm_session *session; /* borrowed */
    /* Under the lock: */
    struct sm_usb_entry entries[SM_USB_ENTRIES_MAX];
    size_t count;
    uint32_t last_id;
    struct sm_usb_slot slots[SM_USB_CHANNELS_MAX];
    struct sm_usb_filter on_connect, on_plug;
    bool is_auto, was_connected;
    struct sm_usb_watch *watch; /* owned; set once */
    struct sm_usb_why no_watch; /* why there is none */
};

enum sm_status sm_client_usb_init(struct sm_client_usb *usb, struct sm_session *session);
/** Before the channels' memory is freed; their threads have ended. */
void sm_client_usb_finish(struct sm_client_usb *usb);

/* ---- For channels, on their threads ---- */

/** What a channel needs of a device that it is to take. */
struct sm_usb_grant {
    bool is_cd;
    int fd; /* CD: a descriptor of the channel's own */
    uint64_t bytes;
    uint8_t bus, address;
    struct sm_usb_identity identity;
};

/** The guest has said hello: the channel can take a device. */
void sm_client_usb_ready(struct sm_client_usb *usb, struct sm_client_channel *channel);

/** The channel is gone, and the device it may have had is free. */
void sm_client_usb_gone(struct sm_client_usb *usb, struct sm_client_channel *channel);

/** What device `id` is; false if it has left meanwhile, or is not meant for this channel any more.
 */
bool sm_client_usb_grant(struct sm_client_usb *usb, const struct sm_client_channel *channel,
                         uint32_t id, struct sm_usb_grant *grant);

/** The device has been told to the guest. */
void sm_client_usb_taken(struct sm_client_usb *usb, uint32_t id);

/** The channel has no device any more; `why` says what went wrong, NULL for nothing. */
void sm_client_usb_returned(struct sm_client_usb *usb, struct sm_client_channel *channel,
                            const struct sm_usb_why *why);

/* ---- What is posted to channels; the argument is a uint32_t, the device's number ---- */

void sm_usb_channel_attach(struct sm_client_channel *channel, const void *argument);
void sm_usb_channel_detach(struct sm_client_channel *channel, const void *argument);

#endif
