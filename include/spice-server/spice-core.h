/* SPDX-License-Identifier: MIT */
/* What every interface begins with, and the event loop that the host lends to the library. */
#ifndef SM_SPICE_SERVER_CORE_H
#define SM_SPICE_SERVER_CORE_H

#include <stdint.h>
#include <sys/socket.h>

#include <spice/macros.h>
#include <spice/qxl_dev.h>
#include <spice/vd_agent.h>

SPICE_BEGIN_DECLS

typedef struct RedsState SpiceServer; /* opaque */

typedef struct SpiceBaseInterface SpiceBaseInterface;
typedef struct SpiceBaseInstance SpiceBaseInstance;

/** The head of every table of callbacks. The host owns the table; it is never copied. */
struct SpiceBaseInterface {
    const char *type;        /* one of the SPICE_INTERFACE_ names */
    const char *description; /* for people */
    uint32_t major_version;  /* must equal the library's */
    uint32_t minor_version;  /* members newer than this are not looked at */
};

/** The head of every instance of an interface. The host allocates instances and sets `sif`. */
struct SpiceBaseInstance {
    const SpiceBaseInterface *sif;
};

#define SPICE_INTERFACE_CORE       "core"
#define SPICE_INTERFACE_CORE_MAJOR 1
#define SPICE_INTERFACE_CORE_MINOR 3

#define SPICE_WATCH_EVENT_READ  (1 << 0)
#define SPICE_WATCH_EVENT_WRITE (1 << 1)

#define SPICE_CHANNEL_EVENT_CONNECTED    1 /* accepted; nothing is known but the addresses */
#define SPICE_CHANNEL_EVENT_INITIALIZED  2 /* authenticated; ids and flags are filled in */
#define SPICE_CHANNEL_EVENT_DISCONNECTED 3 /* the last event of a connection */

#define SPICE_CHANNEL_EVENT_FLAG_TLS      (1 << 0)
#define SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT (1 << 1) /* the _ext members are valid: always set */

typedef struct SpiceWatch SpiceWatch; /* the host's own */
typedef void (*SpiceWatchFunc)(int fd, int event, void *opaque);

typedef struct SpiceTimer SpiceTimer; /* the host's own */
typedef void (*SpiceTimerFunc)(void *opaque);

/**
 * One connection, in the events about it: the same object from CONNECTED to DISCONNECTED. It is
 * the library's and is gone when the handler of DISCONNECTED returns.
 */
typedef struct SpiceChannelEventInfo {
    int connection_id; /* of the client's session */
    int type;          /* of the channel */
    int id;
    int flags;
    struct sockaddr laddr; /* cut off for families other than IPv4: use the _ext members */
    struct sockaddr paddr;
    socklen_t llen;
    socklen_t plen;
    struct sockaddr_storage laddr_ext; /* our end */
    struct sockaddr_storage paddr_ext; /* the client's end */
    socklen_t llen_ext;
    socklen_t plen_ext;
} SpiceChannelEventInfo;

typedef struct SpiceCoreInterface SpiceCoreInterface;

/** The host's event loop. All members are called in the main context only. */
struct SpiceCoreInterface {
    SpiceBaseInterface base;

    /* Timers fire once; starting again replaces the deadline; 0 ms is the next turn of the loop. */
    SpiceTimer *(*timer_add)(SpiceTimerFunc func, void *opaque);
    void (*timer_start)(SpiceTimer *timer, uint32_t ms);
    void (*timer_cancel)(SpiceTimer *timer);
    void (*timer_remove)(SpiceTimer *timer); /* also from within its own callback */

    SpiceWatch *(*watch_add)(int fd, int event_mask, SpiceWatchFunc func, void *opaque);
    void (*watch_update_mask)(SpiceWatch *watch, int event_mask); /* 0 keeps it, silent */
    void (*watch_remove)(SpiceWatch *watch); /* also from within its own callback */

    /* Since 1.3, optional. Always on the thread that called spice_server_init(). */
    void (*channel_event)(int event, SpiceChannelEventInfo *info);
};

SPICE_END_DECLS

#endif
