/* SPDX-License-Identifier: MIT */
/* The graphics devices: their workers, their channels, and what is decided over all of them. */
#ifndef SM_SERVER_SESSION_DISPLAYS_H
#define SM_SERVER_SESSION_DISPLAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/qxl/device.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_display;
struct sm_server;
struct sm_worker;

enum {
    SM_DISPLAY_ADDRESS_MAX = 255, /* bytes without the NUL */
    SM_DISPLAY_MONITORS_MAX = 16,
};

/** What the main context asks of a device; called with its context. */
struct sm_display_host_ops {
    /** Optional. 1: the guest's QUIC images should stay as they are. */
    void (*set_compression_level)(void *device, int level);
    /**
     * Optional. The arrangement of monitors a client wishes: the body of the agent's message, or
     * no bytes (data NULL) to ask whether the device takes any; true if so.
     */
    bool (*client_monitors_config)(void *device, struct sm_bytes config);
};

struct sm_display_config {
    uint8_t id; /* of the display and cursor channels */
    const struct sm_qxl_device_ops *device;
    const struct sm_display_host_ops *host;
    void *device_context; /* of both tables; all borrowed until the display is destroyed */
    struct sm_qxl_init_info info;
};

/** Where the guest finds the device; told to its agent. */
struct sm_display_address {
    char text[SM_DISPLAY_ADDRESS_MAX + 1]; /* empty: unknown */
    uint32_t first_display_id;
    uint32_t count; /* monitors */
};

/**
 * Starts a worker for a device and offers its two channels.
 *
 * @return SM_OK; SM_ERR_STATE before the server was started or if the id is taken; what
 *         sm_worker_create() says
 */
SM_NODISCARD enum sm_status sm_display_create(struct sm_display **out, struct sm_server *server,
                                              const struct sm_display_config *config);

/** Ends its clients, its worker and its channels. NULL does nothing. */
void sm_display_destroy(struct sm_display *display);

struct sm_worker *sm_display_worker(struct sm_display *display);

/** Calls set_compression_level() with what the server's settings say. */
void sm_display_tell_compression_level(struct sm_display *display);

/** `address` is cut off if it is too long. */
void sm_display_set_address(struct sm_display *display, const char *address,
                            uint32_t first_display_id, uint32_t count);
/** NULL if the host never said. */
const struct sm_display_address *sm_display_address(const struct sm_display *display);

/** A GL scan-out of this size is shown; 0 × 0: none. */
void sm_display_set_scanout(struct sm_display *display, uint32_t width, uint32_t height);

/* ---- over all displays of a server ---- */

unsigned sm_displays_count(const struct sm_server *server);
void sm_displays_destroy_all(struct sm_server *server);
void sm_displays_start(struct sm_server *server);
void sm_displays_stop(struct sm_server *server);
void sm_displays_set_mouse_mode(struct sm_server *server, uint16_t mode);
/** The server's compression or streaming setting has changed. */
void sm_displays_settings_changed(struct sm_server *server);
/** The list of codecs for streams has changed. */
void sm_displays_video_codecs_changed(struct sm_server *server);

/** Memory of the newest device in bytes, 0 without: a hint for clients. */
uint32_t sm_displays_ram_size(const struct sm_server *server);

/** Whether a client may place the pointer, as far as the displays are concerned, and where. */
struct sm_pointer_area {
    bool is_allowed;
    uint32_t width, height; /* pixels; 0 if unknown */
};
struct sm_pointer_area sm_displays_pointer_area(const struct sm_server *server);

/**
 * A client points there: on the device with this id, or on the only one, which may have several
 * monitors.
 */
void sm_displays_note_pointer(const struct sm_server *server, uint8_t id, uint32_t x, uint32_t y);

/** Whether every device takes the client's wishes for monitors itself. */
bool sm_displays_take_monitors_config(const struct sm_server *server);
void sm_displays_monitors_config(const struct sm_server *server, struct sm_bytes config);

/** Visits the devices: NULL gives the first one, and is given behind the last. */
struct sm_display *sm_displays_next(const struct sm_server *server, struct sm_display *display);
uint8_t sm_display_id(const struct sm_display *display);

#endif
