/* SPDX-License-Identifier: MIT */
/*
 * The host of one device. Every host has a context of libusb to itself, whose descriptors are
 * watched by the channel's loop: so one thread does everything, without a lock.
 */
#include <libusb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <usbredirhost.h>

#include "client/usb/physical.h"

enum { WATCHES_MAX = 32 };

struct host_watch {
    int fd; /* -1: free */
    struct sm_watch *watch;
};

struct sm_usb_host {
    libusb_context *context;   /* owned */
    struct usbredirhost *host; /* owned */
    struct sm_loop loop;
    struct host_watch watches[WATCHES_MAX];
    struct sm_usb_host_callbacks callbacks;
    void *opaque;
    struct sm_bytes in; /* what the guest has said and the host has not read */
    bool has_device;
    char last_error[SM_USB_TEXT_SIZE - 32];
};

/* ---- What libusbredirhost asks of us ---- */

static void log_func(void *opaque, int level, const char *text)
{
    struct sm_usb_host *host = opaque;
    if (level == usbredirparser_error)
        (void)snprintf(host->last_error, sizeof(host->last_error), "%s", text);
    host->callbacks.log(host->opaque, level == usbredirparser_error, text);
}

static int read_func(void *opaque, uint8_t *data, int count)
{
    struct sm_usb_host *host = opaque;
    size_t size = (size_t)count < host->in.size ? (size_t)count : host->in.size;
    if (size > 0)
        memcpy(data, host->in.data, size);
    host->in.data += size;
    host->in.size -= size;
    return (int)size;
}

static int write_func(void *opaque, uint8_t *data, int count)
{
    struct sm_usb_host *host = opaque;
    struct sm_bytes packet = {.data = data, .size = (size_t)count};
    return host->callbacks.write(host->opaque, packet) ? count : 0;
}

static uint64_t unsent_func(void *opaque)
{
    struct sm_usb_host *host = opaque;
    return host->callbacks.unsent(host->opaque);
}

/* ---- libusb's descriptors on our loop ---- */

static void on_event(void *opaque, unsigned events)
{
    struct sm_usb_host *host = opaque;
    struct timeval now = {0};
    (void)events;
    (void)libusb_handle_events_timeout_completed(host->context, &now, NULL);
    sm_usb_host_flush(host);
}

static void on_fd_added(int fd, short events, void *opaque)
{
    struct sm_usb_host *host = opaque;
    for (size_t i = 0; i < WATCHES_MAX; i++) {
        if (host->watches[i].fd >= 0)
            continue;
        unsigned wanted = (events & POLLIN ? (unsigned)SM_IO_READ : 0) |
                          (events & POLLOUT ? (unsigned)SM_IO_WRITE : 0);
        host->watches[i].watch = sm_loop_watch_add(host->loop, fd, wanted, on_event, host);
        if (host->watches[i].watch)
            host->watches[i].fd = fd;
        return;
    }
}

static void on_fd_removed(int fd, void *opaque)
{
    struct sm_usb_host *host = opaque;
    for (size_t i = 0; i < WATCHES_MAX; i++)
        if (host->watches[i].fd == fd) {
            sm_loop_watch_remove(host->loop, host->watches[i].watch);
            host->watches[i] = (struct host_watch){.fd = -1};
        }
}

static void watch_all(struct sm_usb_host *host)
{
    const struct libusb_pollfd **fds = libusb_get_pollfds(host->context);
    for (size_t i = 0; fds && fds[i]; i++)
        on_fd_added(fds[i]->fd, fds[i]->events, host);
    libusb_free_pollfds(fds);
    libusb_set_pollfd_notifiers(host->context, on_fd_added, on_fd_removed, host);
}

/* ---- Making ---- */

enum sm_status sm_usb_host_create(struct sm_usb_host **out, struct sm_loop loop,
                                  const struct sm_usb_host_callbacks *callbacks, void *opaque)
{
    struct sm_usb_host *host = calloc(1, sizeof(*host));
    if (!host)
        return SM_ERR_NOMEM;
    host->loop = loop;
    host->callbacks = *callbacks;
    host->opaque = opaque;
    for (size_t i = 0; i < WATCHES_MAX; i++)
        host->watches[i].fd = -1;
    if (libusb_init(&host->context) != 0) {
        free(host);
        return SM_ERR_STATE;
    }
    /* It would print; what fails is told in words of ours. */
    (void)libusb_set_option(host->context, LIBUSB_OPTION_LOG_LEVEL, LIBUSB_LOG_LEVEL_NONE);
    host->host = usbredirhost_open(host->context, NULL, log_func, read_func, write_func, host,
                                   "sumac", usbredirparser_warning, 0);
    if (!host->host) {
        libusb_exit(host->context);
        free(host);
        return SM_ERR_NOMEM;
    }
    usbredirhost_set_buffered_output_size_cb(host->host, unsent_func);
    watch_all(host);
    sm_usb_host_flush(host);
    *out = host;
    return SM_OK;
}

void sm_usb_host_destroy(struct sm_usb_host *host)
{
    if (!host)
        return;
    usbredirhost_close(host->host);
    libusb_set_pollfd_notifiers(host->context, NULL, NULL, NULL);
    for (size_t i = 0; i < WATCHES_MAX; i++)
        sm_loop_watch_remove(host->loop, host->watches[i].watch);
    libusb_exit(host->context);
    free(host);
}

/* ---- The stream ---- */

void sm_usb_host_flush(struct sm_usb_host *host)
{
    if (usbredirhost_has_data_to_write(host->host) > 0)
        (void)usbredirhost_write_guest_data(host->host);
}

static void lose(struct sm_usb_host *host, const char *reason)
{
    bool had_device = host->has_device;
    host->has_device = false;
    if (had_device)
        host->callbacks.lost(host->opaque, reason);
}

void sm_usb_host_receive(struct sm_usb_host *host, struct sm_bytes bytes)
{
    host->in = bytes;
    for (;;) {
        size_t before = host->in.size;
        int result = usbredirhost_read_guest_data(host->host);
        if (result == usbredirhost_read_device_rejected) {
            (void)usbredirhost_set_device(host->host, NULL);
            lose(host, "the machine does not take this device");
        } else if (result == usbredirhost_read_device_lost) {
            lose(host, "the device was unplugged");
        }
        /* After a packet that makes no sense the next one is read. */
        if (host->in.size == 0 || (host->in.size == before && result == 0))
            break;
    }
    host->in = (struct sm_bytes){0};
    sm_usb_host_flush(host);
}

/* ---- The device ---- */

static void explain_open(struct sm_usb_why *why, int failure, libusb_device *device)
{
    struct libusb_device_descriptor id = {0};
    (void)libusb_get_device_descriptor(device, &id);
    *why = (struct sm_usb_why){.cure = ""};
    if (failure == LIBUSB_ERROR_ACCESS) {
        (void)snprintf(why->reason, sizeof(why->reason),
                       "you may not open this device (/dev/bus/usb/%03u/%03u)",
                       (unsigned)libusb_get_bus_number(device),
                       (unsigned)libusb_get_device_address(device));
        (void)snprintf(why->cure, sizeof(why->cure),
                       "put this line into /etc/udev/rules.d/70-sumac.rules and plug the device "
                       "in again: SUBSYSTEM==\"usb\", ATTR{idVendor}==\"%04x\", "
                       "ATTR{idProduct}==\"%04x\", TAG+=\"uaccess\"",
                       (unsigned)id.idVendor, (unsigned)id.idProduct);
    } else {
        (void)snprintf(why->reason, sizeof(why->reason), "the device cannot be opened: %s",
                       libusb_strerror(failure));
    }
}

static libusb_device_handle *open_device(struct sm_usb_host *host, uint8_t bus, uint8_t address,
                                         struct sm_usb_why *why)
{
    libusb_device **devices;
    libusb_device_handle *handle = NULL;
    ssize_t count = libusb_get_device_list(host->context, &devices);
    *why = (struct sm_usb_why){.reason = "the device was unplugged"};
    for (ssize_t i = 0; i < count; i++) {
        if (libusb_get_bus_number(devices[i]) != bus ||
            libusb_get_device_address(devices[i]) != address)
            continue;
        int failure = libusb_open(devices[i], &handle);
        if (failure) {
            handle = NULL;
            explain_open(why, failure, devices[i]);
        }
    }
    if (count >= 0)
        libusb_free_device_list(devices, 1);
    return handle;
}

enum sm_status sm_usb_host_attach(struct sm_usb_host *host, uint8_t bus, uint8_t address,
                                  struct sm_usb_why *why)
{
    libusb_device_handle *handle = open_device(host, bus, address, why);
    if (!handle)
        return SM_ERR_STATE;
    host->last_error[0] = 0;
    /* Takes the handle in any case. */
    if (usbredirhost_set_device(host->host, handle) != usb_redir_success) {
        *why = (struct sm_usb_why){
            .cure = "close the programs that use it, and unmount it if it is a disk"};
        (void)snprintf(why->reason, sizeof(why->reason), "the device is in use: %s",
                       host->last_error);
        return SM_ERR_STATE;
    }
    host->has_device = true;
    sm_usb_host_flush(host);
    return SM_OK;
}

void sm_usb_host_detach(struct sm_usb_host *host)
{
    host->has_device = false;
    (void)usbredirhost_set_device(host->host, NULL);
    sm_usb_host_flush(host);
}
