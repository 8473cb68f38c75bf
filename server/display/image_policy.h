/* SPDX-License-Identifier: MIT */
/*
 * Which encoding for this image for this client. Here other codecs, caches and lossy bookkeeping
 * plug in; whoever sends a drawing only asks. Source: docs/display.md, "Images".
 */
#ifndef SM_SERVER_DISPLAY_IMAGE_POLICY_H
#define SM_SERVER_DISPLAY_IMAGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/wire/display.h"
#include "server/display/worker.h"
#include "sumac/status.h"

/** One client's encoder, dictionary and the results of one message. Thread: the worker's. */
struct sm_image_policy;

SM_NODISCARD enum sm_status sm_image_policy_create(struct sm_image_policy **out);

/** NULL does nothing. */
void sm_image_policy_destroy(struct sm_image_policy *policy);

/**
 * From now on GLZ may be used: the client keeps a window of `window_px` pixels, which nobody else
 * fills. Without it, GLZ means LZ.
 *
 * @return SM_OK; SM_ERR_LIMIT for a window nobody has; SM_ERR_NOMEM; GLZ stays off then
 */
SM_NODISCARD enum sm_status sm_image_policy_enable_glz(struct sm_image_policy *policy,
                                                       uint32_t window_px);

/** What is known about the receiver. */
struct sm_image_receiver {
    enum sm_worker_compression compression; /* its wish, or the server's setting */
    bool is_local;                          /* copying beats compressing */
    bool has_lz4;
};

/**
 * Replaces the images of `msg`, a copy of a drawing's message, by what is to be sent. They stay
 * valid until the next call. An image that cannot be encoded goes as it is. What was encoded with
 * GLZ has to be sent: later images refer to it.
 */
void sm_image_policy_apply(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                           struct sm_display_msg *msg);

/** Whether an image of the last message was encoded with GLZ. */
bool sm_image_policy_used_glz(const struct sm_image_policy *policy);

#endif
