/* SPDX-License-Identifier: MIT */
/* Video streams of a display: each frame is shown when it arrives. Motion JPEG always, other codecs
 * if their module is installed (media/video_module.h). */
#ifndef SM_CLIENT_STREAMS_H
#define SM_CLIENT_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/canvas/canvas.h"
#include "core/codec/decoder.h"
#include "core/gfx/region.h"
#include "core/wire/display.h"
#include "media/video_module.h"

enum { SM_STREAMS_MAX = 64 /* ids are below, by the protocol */ };

struct sm_stream {
    bool is_live;
    bool is_top_down;
    uint32_t surface_id;
    struct sm_rect dest;
    bool has_clip;
    struct sm_clip clip;                    /* `rects` are owned */
    const struct sm_video_decoder_ops *ops; /* NULL: Motion JPEG */
    void *decoder;                          /* owned, of `ops` */
    unsigned failures;                      /* frames in a row that could not be decoded */
};

/** Zeroed memory has no streams. Thread: one at a time. */
struct sm_streams {
    struct sm_stream streams[SM_STREAMS_MAX];
    struct sm_decoder *decoder; /* owned; made for the first frame */
    uint8_t *frame;             /* owned: room for a decoded one */
    size_t frame_size;
    const struct sm_video_module *module; /* NULL: not looked for, or not there */
    void *card;      /* of `module`, borrowed: for streams made from now on; NULL: none */
    bool is_on_card; /* the last frame was decoded by it */
};

/** True for the messages that sm_streams_take() takes. */
bool sm_streams_is_theirs(uint16_t type);

/**
 * Executes a STREAM_* message.
 *
 * @param damage   receives what was painted
 * @param refused  receives the id of a stream that cannot be shown, if that is the result
 * @return SM_OK; SM_ERR_STATE if the stream is unknown or cannot be shown: tell the server to do
 *         without; SM_ERR_PROTOCOL; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_streams_take(struct sm_streams *streams, struct sm_canvas *canvas,
                                            const struct sm_display_msg *msg,
                                            struct sm_region *damage, uint32_t *refused);

/** Ends all streams and frees everything; the memory may be used again. */
void sm_streams_finish(struct sm_streams *streams);

#endif
