/* SPDX-License-Identifier: MIT */
/* A build without libusb or libusbredirhost. */
#include <stdio.h>

#include "client/usb/physical.h"

static enum sm_status refuse(struct sm_usb_why *why)
{
    *why = (struct sm_usb_why){.reason = "this build of Sumac knows no USB devices"};
    (void)snprintf(why->cure, sizeof(why->cure),
                   "build it with libusb-1.0-0-dev and libusbredirhost-dev installed");
    return SM_ERR_STATE;
}

enum sm_status sm_usb_watch_create(struct sm_usb_watch **out,
                                   void (*changed)(void *opaque, const struct sm_usb_found *found,
                                                   size_t count),
                                   void *opaque, struct sm_usb_why *why)
{
    (void)out;
    (void)changed;
    (void)opaque;
    return refuse(why);
}

void sm_usb_watch_destroy(struct sm_usb_watch *watch)
{
    (void)watch;
}

enum sm_status sm_usb_host_create(struct sm_usb_host **out, struct sm_loop loop,
                                  const struct sm_usb_host_callbacks *callbacks, void *opaque)
{
    (void)out;
    (void)loop;
    (void)callbacks;
    (void)opaque;
    return SM_ERR_STATE;
}

void sm_usb_host_destroy(struct sm_usb_host *host)
{
    (void)host;
}

void sm_usb_host_receive(struct sm_usb_host *host, struct sm_bytes bytes)
{
    (void)host;
    (void)bytes;
}

void sm_usb_host_flush(struct sm_usb_host *host)
{
    (void)host;
}

enum sm_status sm_usb_host_attach(struct sm_usb_host *host, uint8_t bus, uint8_t address,
                                  struct sm_usb_why *why)
{
    (void)host;
    (void)bus;
    (void)address;
    return refuse(why);
}

void sm_usb_host_detach(struct sm_usb_host *host)
{
    (void)host;
}
