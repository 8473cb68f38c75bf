/* SPDX-License-Identifier: MIT */
/*
 * The images of one message on their way: decided on the worker's thread in the order of sending,
 * then encoded on any thread, then sent. Here an image gets its form, so here caches answer, too.
 * Source: docs/display.md, "Images".
 */
#ifndef SM_SERVER_DISPLAY_IMAGE_TASK_H
#define SM_SERVER_DISPLAY_IMAGE_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/writer.h"
#include "core/codec/codec.h"
#include "core/wire/display.h"
#include "server/display/image_policy.h"
#include "server/display/pixmap_cache.h"

struct sm_encoder;

enum {
    SM_IMAGE_TASK_MAX = SM_PIXMAP_USE_MAX
}; /* of one message: source, brush, mask; or two brushes */

/** One image. */
struct sm_image_slot {
    const struct sm_image *from; /* borrowed from the drawing */
    enum sm_image_codec codec;   /* what was decided; BITMAP: it goes as `to` is */
    struct sm_image to;          /* what the message points to instead */
    struct sm_writer data;       /* encoded bytes */

    bool is_lossy; /* it is shown, or may be, with losses */

    /* Its palette as it is sent: the flags that say so, and the palette or, if kept, its id. */
    uint8_t palette_flags;
    uint64_t palette_id;
    const struct sm_palette *palette;

    struct sm_codec_estimate expected; /* of `codec`, if `is_expected` */
    bool is_expected;
    uint64_t encoded_us; /* how long it took; 0 before */
};

/** Stays where it is from init to finish. Thread: one at a time. */
struct sm_image_task {
    struct sm_display_msg msg; /* to be sent, once encoded */
    struct sm_image_slot slots[SM_IMAGE_TASK_MAX];
    unsigned count;
    size_t raw_bytes;         /* that have to be encoded; 0: it can be sent at once */
    bool uses_glz;            /* later images may refer to it: it has to be sent, and in order */
    struct sm_glz_share *glz; /* held; NULL for none */
    struct sm_pixmap_use use; /* of the client's images */
    bool is_owed;             /* what is sent later relies on it: it cannot be left out */
    /* To be sent around the message, pointing into the task; they are owed as well. */
    struct sm_display_msg before[2], after[SM_IMAGE_TASK_MAX];
    unsigned before_count, after_count;
};

/**
 * Decides about the images of `msg`, a drawing's message, which with all it points to is borrowed
 * until finish. Thread: the worker's.
 */
void sm_image_task_init(struct sm_image_task *task, const struct sm_display_msg *msg,
                        const struct sm_image_receiver *receiver);

/**
 * Encodes what was decided; an image that cannot be, or does not shrink, goes as it is. Tasks with
 * `uses_glz` of one client are encoded in the order of sending. Thread: any.
 */
void sm_image_task_encode(struct sm_image_task *task, struct sm_encoder *encoder);

/** The message has been given to the connection, with this serial. Thread: the worker's. */
void sm_image_task_sent(struct sm_image_task *task, uint64_t serial);

/**
 * Whether the image will be asked for, or put into, the client's cache. Such an image has to be
 * sent in one piece.
 */
bool sm_image_task_caches(const struct sm_image_receiver *receiver, const struct sm_image *image);

struct sm_image_costs;

/** Tells what came of it, once it is encoded. Thread: the worker's. */
void sm_image_task_learn(const struct sm_image_task *task, struct sm_image_costs *costs);

/** Bytes of one image's pixels as they will be sent. */
size_t sm_image_slot_bytes(const struct sm_image_slot *slot);

/** Whether an image of it is not exactly what it was. */
bool sm_image_task_is_lossy(const struct sm_image_task *task);

void sm_image_task_finish(struct sm_image_task *task);

#endif
