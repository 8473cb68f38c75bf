/* SPDX-License-Identifier: MIT */
/* Which devices there are: a thread that waits in libusb. */
#include <libusb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/usb/physical.h"

enum { PORTS_MAX = 7 /* of hubs between a device and the computer */ };

struct sm_usb_watch {
    libusb_context *context; /* owned */
    pthread_t thread;
    int is_over;  /* set once, with libusb's events interrupted behind it */
    int is_dirty; /* of the thread: something came or went */
    void (*changed)(void *opaque, const struct sm_usb_found *found, size_t count);
    void *opaque;
    struct sm_usb_found found[SM_USB_FOUND_MAX];
};

/* What the kernel has read from the device, which needs no right to open it. */
static void read_text(char *out, size_t size, const char *place, const char *what)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/%s", place, what);
    out[0] = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(out, (int)size, file))
        out[strcspn(out, "\n")] = 0;
    else
        out[0] = 0;
    fclose(file);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

static void read_texts(struct sm_usb_found *found, libusb_device *device)
{
    uint8_t ports[PORTS_MAX];
    int count = libusb_get_port_numbers(device, ports, PORTS_MAX);
    char place[64];
    int size = snprintf(place, sizeof(place), "%u", (unsigned)found->bus);
    for (int i = 0; i < count; i++)
        size += snprintf(place + size, sizeof(place) - (size_t)size, "%c%u", i ? '.' : '-',
                         (unsigned)ports[i]);
    read_text(found->maker, sizeof(found->maker), place, "manufacturer");
    read_text(found->product, sizeof(found->product), place, "product");
}

static void read_interfaces(struct sm_usb_identity *identity, libusb_device *device)
{
    struct libusb_config_descriptor *config;
    if (libusb_get_active_config_descriptor(device, &config) != 0 &&
        libusb_get_config_descriptor(device, 0, &config) != 0)
        return;
    for (int i = 0; i < config->bNumInterfaces && i < SM_USB_INTERFACES_MAX; i++) {
        if (config->interface[i].num_altsetting < 1)
            continue;
        const struct libusb_interface_descriptor *first = &config->interface[i].altsetting[0];
        size_t at = identity->interface_count++;
        identity->interface_class[at] = first->bInterfaceClass;
        identity->interface_subclass[at] = first->bInterfaceSubClass;
        identity->interface_protocol[at] = first->bInterfaceProtocol;
    }
    libusb_free_config_descriptor(config);
}

static bool look_at(struct sm_usb_found *found, libusb_device *device)
{
    struct libusb_device_descriptor descriptor;
    if (libusb_get_device_descriptor(device, &descriptor) != 0 ||
        descriptor.bDeviceClass == LIBUSB_CLASS_HUB)
        return false;
    *found = (struct sm_usb_found){
        .bus = libusb_get_bus_number(device),
        .address = libusb_get_device_address(device),
        .identity = {.device_class = descriptor.bDeviceClass,
                     .vendor = descriptor.idVendor,
                     .product = descriptor.idProduct,
                     .version = descriptor.bcdDevice},
    };
    read_interfaces(&found->identity, device);
    read_texts(found, device);
    return true;
}

static void tell(struct sm_usb_watch *watch)
{
    libusb_device **devices;
    size_t count = 0;
    ssize_t there = libusb_get_device_list(watch->context, &devices);
    for (ssize_t i = 0; i < there && count < SM_USB_FOUND_MAX; i++)
        count += look_at(&watch->found[count], devices[i]);
    if (there >= 0)
        libusb_free_device_list(devices, 1);
    watch->changed(watch->opaque, watch->found, count);
}

static int on_hotplug(libusb_context *context, libusb_device *device, libusb_hotplug_event event,
                      void *opaque)
{
    (void)context;
    (void)device;
    (void)event;
    struct sm_usb_watch *watch = opaque;
    watch->is_dirty = 1; /* descriptors are read outside of this callback */
    return 0;
}

static void *run(void *opaque)
{
    struct sm_usb_watch *watch = opaque;
    while (!__atomic_load_n(&watch->is_over, __ATOMIC_ACQUIRE)) {
        (void)libusb_handle_events_completed(watch->context, &watch->is_over);
        if (watch->is_dirty) {
            watch->is_dirty = 0;
            tell(watch);
        }
    }
    return NULL;
}

static int start_thread(struct sm_usb_watch *watch)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not ours */
    int result = pthread_create(&watch->thread, NULL, run, watch);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

enum sm_status sm_usb_watch_create(struct sm_usb_watch **out,
                                   void (*changed)(void *opaque, const struct sm_usb_found *found,
                                                   size_t count),
                                   void *opaque, struct sm_usb_why *why)
{
    struct sm_usb_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return SM_ERR_NOMEM;
    watch->changed = changed;
    watch->opaque = opaque;
    int failure = libusb_init(&watch->context);
    if (failure) {
        *why = (struct sm_usb_why){.cure = "look whether /dev/bus/usb is there"};
        (void)snprintf(why->reason, sizeof(why->reason), "this system has no USB: %s",
                       libusb_strerror(failure));
        free(watch);
        return SM_ERR_STATE;
    }
    (void)libusb_set_option(watch->context, LIBUSB_OPTION_LOG_LEVEL, LIBUSB_LOG_LEVEL_NONE);
    (void)libusb_hotplug_register_callback(
        watch->context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
        LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug,
        watch, NULL);
    tell(watch);
    if (start_thread(watch) != 0) {
        libusb_exit(watch->context);
        free(watch);
        return SM_ERR_IO;
    }
    *out = watch;
    return SM_OK;
}

void sm_usb_watch_destroy(struct sm_usb_watch *watch)
{
    if (!watch)
        return;
    __atomic_store_n(&watch->is_over, 1, __ATOMIC_RELEASE);
    libusb_interrupt_event_handler(watch->context);
    pthread_join(watch->thread, NULL);
    libusb_exit(watch->context);
    free(watch);
}
