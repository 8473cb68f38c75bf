/* SPDX-License-Identifier: MIT */
/* What is counted of a display client: see server/session/figures.h. Worker's thread. */
#ifndef SM_SERVER_DISPLAY_PEER_FIGURES_H
#define SM_SERVER_DISPLAY_PEER_FIGURES_H

#include "core/wire/display.h"
#include "server/display/image_task.h"
#include "server/session/figures.h"

enum { SM_PEER_FIGURE_STREAMS = 64 };

struct sm_peer_figures {
    struct sm_figures *figures;              /* borrowed; NULL: nobody counts */
    uint8_t streams[SM_PEER_FIGURE_STREAMS]; /* codec of each, as announced */
};

/** A message was given to the connection. */
void sm_peer_figures_message(struct sm_peer_figures *peer, const struct sm_display_msg *msg);

/**
 * A drawing, or a band of it, was given to the connection.
 *
 * @param age_us     since it was queued
 * @param encode_us  that it took to encode; 0 if nothing was
 */
void sm_peer_figures_drawing(struct sm_peer_figures *peer, const struct sm_image_task *task,
                             uint64_t age_us, uint64_t encode_us);

/** A frame of a stream, which its message has counted already. */
void sm_peer_figures_frame(struct sm_peer_figures *peer, uint64_t age_us, uint64_t encode_us);

#endif
