/* SPDX-License-Identifier: MIT */
/* Byte streams of the guest: the agent's port, redirected USB devices, named ports, card readers.
 */
#ifndef SM_SPICE_SERVER_CHAR_H
#define SM_SPICE_SERVER_CHAR_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

#define SPICE_INTERFACE_CHAR_DEVICE       "char_device"
#define SPICE_INTERFACE_CHAR_DEVICE_MAJOR 1
#define SPICE_INTERFACE_CHAR_DEVICE_MINOR 3

typedef struct SpiceCharDeviceInterface SpiceCharDeviceInterface;
typedef struct SpiceCharDeviceInstance SpiceCharDeviceInstance;
typedef struct SpiceCharDeviceState SpiceCharDeviceState;

typedef enum {
    /* The host calls spice_server_char_device_wakeup() when a short write can go on. */
    SPICE_CHAR_DEVICE_NOTIFY_WRITABLE = 1 << 0,
} spice_char_device_flags;

struct SpiceCharDeviceInterface {
    SpiceBaseInterface base;

    void (*state)(SpiceCharDeviceInstance *sin, int connected); /* optional */
    /* Neither waits; both return the bytes done, 0 to `len`, or a negative number on an error. */
    int (*write)(SpiceCharDeviceInstance *sin, const uint8_t *buf, int len);
    int (*read)(SpiceCharDeviceInstance *sin, uint8_t *buf, int len);
    void (*event)(SpiceCharDeviceInstance *sin, uint8_t event); /* optional, since 1.2 */
    spice_char_device_flags flags;                              /* since 1.3 */
};

struct SpiceCharDeviceInstance {
    SpiceBaseInstance base;
    const char *subtype;      /* one of the recognized subtypes, or "port" */
    SpiceCharDeviceState *st; /* the library's; NULL if it did not take the device */
    const char *portname;     /* of a "port" */
};

/** There is something to read, or room to write. */
void spice_server_char_device_wakeup(SpiceCharDeviceInstance *sin);
/** The guest opened (0) or closed (1) a port, or sent a break (2). */
void spice_server_port_event(SpiceCharDeviceInstance *sin, uint8_t event);
/** The subtypes, the last one followed by NULL; static. */
const char **spice_server_char_device_recognized_subtypes(void);

SPICE_END_DECLS

#endif
