/* SPDX-License-Identifier: MIT */
/* What the machine shows: its displays, their monitors and their pixels. */
#ifndef SUMAC_DISPLAY_H
#define SUMAC_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/geometry.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_MONITORS_MAX = 16 /* per display channel */ };

/** One screen of the guest: a part of a display's surface. */
struct sm_monitor {
    uint32_t number;     /* as users count: from 0 over all displays; docs/client.md, "Displays" */
    uint32_t id;         /* within its display */
    struct sm_rect area; /* within the surface, and clipped to it; empty: switched off */
};

/** One display channel, which is one graphics card of the guest. */
struct sm_display_info {
    uint8_t channel_id;
    bool has_surface;       /* there is something to show */
    bool is_ready;          /* and the server says that it is complete enough to be shown */
    uint32_t width, height; /* of the surface, in pixels; 0 without one */
    size_t monitor_count;
    struct sm_monitor monitors[SM_MONITORS_MAX];
    uint64_t drawings;        /* drawing messages handled so far */
    uint64_t failed_drawings; /* of these, could not be drawn: the picture may be wrong there */
    uint64_t quiet_us;        /* since the last change of pixels, size or readiness */
    const char *codec;        /* what the last image or video came as, such as "GLZ"; "" none yet.
                                 Static */
    bool is_on_card;          /* `codec` is a video's, and this computer's graphics card decodes */
};

/**
 * The displays, ordered by channel.
 *
 * @param out   receives at most `room` of them; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_displays(struct sm_session *session, struct sm_display_info *out,
                                      size_t room);

/** An area that is all of one colour. */
struct sm_display_fill {
    struct sm_rect area; /* within the surface, and not empty */
    uint32_t pixel;      /* 32 bits as in sm_display_view.pixels, read as a little-endian number */
};

/** Pixels of a display, in place. */
struct sm_display_view {
    const uint8_t *pixels; /* 32 bits each: bytes blue, green, red, and one of no meaning */
    size_t stride_bytes;   /* from one row to the next, top row first */
    uint32_t width, height;
    size_t monitor_count;
    struct sm_monitor monitors[SM_MONITORS_MAX];
    const struct sm_display_fill *fills; /* see sm_display_lock_sparse(); else there are none */
    size_t fill_count;
};

/**
 * Holds the display of channel `channel_id` still and shows its pixels. The channel waits
 * meanwhile, so look, copy what is needed, and call sm_display_unlock() soon, from the same thread.
 * One display at a time.
 *
 * @param view  receives the pixels, borrowed until sm_display_unlock(); untouched on failure
 * @return SM_OK; SM_ERR_STATE if there is no such display or it has no surface (nothing is locked);
 *         SM_ERR_NOMEM if a surface of 16 bits could not be converted
 */
SM_API SM_NODISCARD enum sm_status sm_display_lock(struct sm_session *session, uint8_t channel_id,
                                                   struct sm_display_view *view);

/**
 * The same, for who copies the pixels and knows what to do with areas of one colour: those that
 * nobody has looked at yet are not painted for this, but told in `fills`, which do not overlap. The
 * pixels there are old; everywhere else they are what sm_display_lock() shows. A guest that clears
 * and draws anew, page by page, may so never pay for the clearing.
 */
SM_API SM_NODISCARD enum sm_status sm_display_lock_sparse(struct sm_session *session,
                                                          uint8_t channel_id,
                                                          struct sm_display_view *view);

SM_API void sm_display_unlock(struct sm_session *session, uint8_t channel_id);

#ifdef __cplusplus
}
#endif

#endif
