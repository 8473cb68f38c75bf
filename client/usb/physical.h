/* SPDX-License-Identifier: MIT */
/*
 * USB devices of this computer, through libusb and libusbredirhost: watching which there are, and
 * being the USB host of one on behalf of a guest. A build without these libraries has the same
 * functions, which say so (physical_absent.c).
 */
#ifndef SM_CLIENT_USB_PHYSICAL_H
#define SM_CLIENT_USB_PHYSICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/usb/filter.h"
#include "io/loop.h"
#include "sumac/bytes.h"
#include "sumac/status.h"
#include "sumac/usb.h"

enum { SM_USB_FOUND_MAX = 64 /* devices that are looked at; a computer has a dozen */ };

/** A device that is plugged in. */
struct sm_usb_found {
    uint8_t bus, address;
    char maker[96], product[96]; /* as it says of itself; may be empty */
    struct sm_usb_identity identity;
};

/** Words about a failure. */
struct sm_usb_why {
    char reason[SM_USB_TEXT_SIZE];
    char cure[2 * SM_USB_TEXT_SIZE];
};

/* ---- Which there are ---- */

struct sm_usb_watch;

/**
 * Starts a thread that calls `changed` with the devices there are: once before this function
 * returns, on its thread, and from its own whenever one comes or goes. Hubs are left out.
 *
 * @return SM_OK; SM_ERR_STATE without USB, with `why` filled; SM_ERR_NOMEM; SM_ERR_IO
 */
SM_NODISCARD enum sm_status
sm_usb_watch_create(struct sm_usb_watch **out,
                    void (*changed)(void *opaque, const struct sm_usb_found *found, size_t count),
                    void *opaque, struct sm_usb_why *why);

/** Ends the thread. NULL does nothing. */
void sm_usb_watch_destroy(struct sm_usb_watch *watch);

/* ---- Being the host of one ---- */

/** Thread: that of the loop, for everything. */
struct sm_usb_host;

struct sm_usb_host_callbacks {
    /** Takes packets for the guest, all or none: false if there is no room now. */
    bool (*write)(void *opaque, struct sm_bytes packet);
    /** Bytes that were taken and have not left. */
    size_t (*unsent)(void *opaque);
    /** The device is gone, or the guest does not want it: the host has let it go. */
    void (*lost)(void *opaque, const char *reason);
    void (*log)(void *opaque, bool is_error, const char *text);
};

/**
 * Creates a host without a device; its hello is written at once.
 *
 * @return SM_OK; SM_ERR_STATE without USB; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_usb_host_create(struct sm_usb_host **out, struct sm_loop loop,
                                               const struct sm_usb_host_callbacks *callbacks,
                                               void *opaque);

/** Lets the device go, telling nobody. NULL does nothing. */
void sm_usb_host_destroy(struct sm_usb_host *host);

/** What the guest says. */
void sm_usb_host_receive(struct sm_usb_host *host, struct sm_bytes bytes);

/** There is room again for what `write` did not take. */
void sm_usb_host_flush(struct sm_usb_host *host);

/** Takes the device from this computer and tells the guest. SM_ERR_STATE with `why` filled. */
SM_NODISCARD enum sm_status sm_usb_host_attach(struct sm_usb_host *host, uint8_t bus,
                                               uint8_t address, struct sm_usb_why *why);

/** Gives the device back and tells the guest. Nothing happens without one. */
void sm_usb_host_detach(struct sm_usb_host *host);

#endif
