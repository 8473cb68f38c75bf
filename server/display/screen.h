/* SPDX-License-Identifier: MIT */
/*
 * A QXL device's screen, on the worker's thread: commands come from its rings, drawings go to
 * surfaces and clients. Everything here runs on that one thread; the thread itself, and the
 * requests other threads make, are worker.c's.
 */
#ifndef SM_SERVER_DISPLAY_SCREEN_H
#define SM_SERVER_DISPLAY_SCREEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"
#include "server/display/display_peer.h"
#include "server/display/drawable.h"
#include "server/display/focus.h"
#include "server/display/gl_scanout.h"
#include "server/display/image_costs.h"
#include "server/display/pointer.h"
#include "server/display/surfaces.h"
#include "server/display/worker.h"
#include "server/qxl/commands.h"
#include "server/qxl/memslots.h"

struct sm_encode_inbox;
struct sm_encoder;
struct sm_renderer;
struct sm_streams;

/** How far the reading of a command ring is. */
struct sm_ring_state {
    unsigned empty_looks; /* times it was found empty in a row; 2: a wake-up was asked for */
};

struct sm_screen {
    struct sm_worker_config config;
    struct sm_loop loop;
    /* The worker's, both with `opaque`: `primary` has changed; let connections have a turn. */
    void (*primary_changed)(void *opaque);
    void (*wait)(void *opaque, int timeout_ms);
    void *opaque;

    struct sm_client_shares *shares; /* held */
    struct sm_memslots *slots;       /* owned */
    struct sm_renderer *renderer;    /* owned */
    struct sm_pointer *pointer;      /* owned */
    struct sm_encoder *encoder;  /* owned: for all clients, what is not given to other threads */
    struct sm_image_costs costs; /* of what is encoded for all clients */
    struct sm_encode_inbox
        *inbox; /* owned: what other threads have encoded; NULL: there are none */
    struct sm_surfaces surfaces;
    struct sm_drawable_budget budget;
    struct sm_log_limit complaints; /* warnings that clients can cause */
    struct sm_list clients;         /* struct sm_display_peer */
    struct sm_gl_scanout *gl;       /* owned */
    /* What those clients have for a primary that cannot show the GL buffer; borrowed of `gl`; NULL:
     * there is no buffer, the guest's primary is newer, or there are no such clients. */
    struct sm_display_surface *gl_picture;
    struct sm_streams *streams; /* owned */

    struct sm_timer *tidy_timer; /* owned: runs after a large picture */

    bool is_running;
    bool has_closed_clients; /* some wait to be destroyed */
    struct sm_ring_state display_ring, cursor_ring;
    bool has_cursor_command;
    struct sm_qxl_release cursor_command; /* the last SET: the host may need its memory */

    struct sm_focus focus; /* written by any thread */
    struct sm_monitors monitors;
    bool guest_manages_monitors;   /* its driver arranges monitors, so the primary says nothing */
    _Atomic uint32_t max_monitors; /* written by any thread */

    struct sm_worker_primary primary;
    uint32_t next_image; /* of the images made here */
    enum sm_worker_compression compression;
};

/** Ready to use, stopped and without clients. On failure sm_screen_finish() is still needed. */
SM_NODISCARD enum sm_status sm_screen_init(struct sm_screen *screen,
                                           const struct sm_worker_config *config,
                                           struct sm_loop loop);

/** Disconnects all, gives back what is held of the guest, frees the parts. */
void sm_screen_finish(struct sm_screen *screen);

/** A large picture is on its way to a client: when it is over, memory goes back to the system. */
void sm_screen_tidy_later(struct sm_screen *screen);

/* ---- screen_rings.c ---- */

/**
 * Takes commands from both rings until they are empty, a client is too far behind, or the slice is
 * used up.
 *
 * @return milliseconds after which to come back even if nothing happens; −1: when something does
 */
int sm_screen_process_rings(struct sm_screen *screen);

/** Empties both rings, however far behind clients are. Nothing while stopped. */
void sm_screen_drain_rings(struct sm_screen *screen);

/** The guest ran out of device memory: takes what is in the display ring, publishes releases. */
void sm_screen_free_memory(struct sm_screen *screen);

/** New commands may be there. */
void sm_screen_wake(struct sm_screen *screen);

/** Executes a recorded command: surfaces keep their data, clients hear of them later. */
void sm_screen_load_command(struct sm_screen *screen, const struct sm_qxl_ring_command *command);

/** Gives back the command of the last pointer shape. */
void sm_screen_release_cursor(struct sm_screen *screen);

void sm_screen_release(struct sm_screen *screen, const struct sm_qxl_release *release);

/* ---- screen_surfaces.c ---- */

/** Adds the surface a command or the host describes and tells clients; SM_OK or why not. */
SM_NODISCARD enum sm_status sm_screen_add_surface(struct sm_screen *screen, uint32_t id,
                                                  const struct sm_surface_memory *memory,
                                                  bool keep_data, struct sm_display_surface **out);

/** Removes a surface, tells clients, gives its commands back. */
void sm_screen_remove_surface(struct sm_screen *screen, struct sm_display_surface *surface);

void sm_screen_create_primary(struct sm_screen *screen, const struct sm_qxl_primary *primary);
void sm_screen_destroy_primary(struct sm_screen *screen);
void sm_screen_destroy_surfaces(struct sm_screen *screen);
void sm_screen_finish_drawing(struct sm_screen *screen, uint32_t surface_id);

/**
 * Renders what touches `area` of a surface; false if there is none. `area` may be anything.
 */
bool sm_screen_render_area(struct sm_screen *screen, uint32_t surface_id, struct sm_rect area);

/** Takes the guest's arrangement of monitors and tells clients. */
void sm_screen_set_monitors(struct sm_screen *screen, uint64_t address, uint32_t group);

/* ---- screen_clients.c ---- */

/** Adds a drawing to its surface and to the queues of all clients; takes it. */
void sm_screen_add_drawing(struct sm_screen *screen, struct sm_drawing *drawing);

/** What streams ask of a screen; the context is the screen. */
extern const struct sm_stream_host sm_screen_stream_host;

/** Queues `msg` for every client that is ready. */
void sm_screen_tell_all(struct sm_screen *screen, const struct sm_display_msg *msg);

/** Queues SURFACE_CREATE, and with `with_pixels` the whole picture, for every ready client. */
void sm_screen_announce_surface(struct sm_screen *screen, struct sm_display_surface *surface,
                                bool with_pixels);

/** Queues MONITORS_CONFIG for every ready client that knows it. */
void sm_screen_tell_monitors(struct sm_screen *screen);

/** Queues SURFACE_CREATE, and with `with_pixels` the whole picture. */
void sm_screen_queue_surface(struct sm_screen *screen, struct sm_display_peer *client,
                             struct sm_display_surface *surface, bool with_pixels);

/** Queues MONITORS_CONFIG, if the client knows it, without the heads that show nothing. */
void sm_screen_queue_monitors(struct sm_display_peer *client, const struct sm_monitors *monitors);

/** A drawable of the pixels that an area of `surface` has now, in io/pages.h if `in_pages`; NULL:
 * out of memory. */
struct sm_drawable *sm_screen_take_pixels(struct sm_screen *screen,
                                          const struct sm_display_surface *surface,
                                          struct sm_rect area, bool in_pages);

/** Sends what can be sent. */
void sm_screen_push_clients(struct sm_screen *screen);

/** A client has too much waiting: pull no more commands. `while_draining`: the larger limits. */
bool sm_screen_is_blocked(const struct sm_screen *screen, bool while_draining);

/** Closes the clients that are too far behind. */
void sm_screen_close_slow(struct sm_screen *screen);

void sm_screen_connect(struct sm_screen *screen, struct sm_channel_handover *handover);

/** The machine starts: clients that came from another server go on here. */
void sm_screen_settle_clients(struct sm_screen *screen);

/** A surface of this id came or went: those still on their way have another one. */
void sm_screen_outdate(struct sm_screen *screen, uint32_t surface_id);

/** Sends a session's client over to another server. */
void sm_screen_migrate_display(struct sm_screen *screen, uint32_t connection_id);

/** Ends the display and cursor channels of a session. */
void sm_screen_disconnect(struct sm_screen *screen, uint32_t connection_id);

/** Destroys clients whose connections ended. */
void sm_screen_reap(struct sm_screen *screen);

/* ---- screen_gl.c: the picture of the GL buffer instead of the guest's primary ---- */

/** True if the client has this surface by that name: not the primary while it shows the picture. */
bool sm_screen_sees(const struct sm_display_peer *client, uint32_t surface_id);

/** The surface that the client knows by an id; NULL if there is none. */
struct sm_display_surface *sm_screen_surface_of(const struct sm_screen *screen,
                                                const struct sm_display_peer *client, uint32_t id);

/** Gives the client the picture, which exists, for a primary, whatever it had. */
void sm_screen_show_gl_picture(struct sm_screen *screen, struct sm_display_peer *client);

/** Takes the picture away from the client, if it has it; `restore`: it gets the guest's primary. */
void sm_screen_hide_gl_picture(struct sm_screen *screen, struct sm_display_peer *client,
                               bool restore);

/** An area of the picture has changed. */
void sm_screen_draw_gl_picture(struct sm_screen *screen, struct sm_rect area);

/** Tells the device what all clients can do, if the worker runs. */
void sm_screen_report_capabilities(struct sm_screen *screen);

#endif
