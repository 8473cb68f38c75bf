/* SPDX-License-Identifier: MIT */
/*
 * Which encoding for this image for this client. Here other codecs, caches and lossy bookkeeping
 * plug in; whoever sends a drawing only asks. Source: docs/display.md, "Images".
 */
#ifndef SM_SERVER_DISPLAY_IMAGE_POLICY_H
#define SM_SERVER_DISPLAY_IMAGE_POLICY_H

#include <stdbool.h>

#include "core/wire/display.h"
#include "server/display/worker.h"
#include "sumac/status.h"

/** Holds an encoder and the results of one message. Thread: the worker's. */
struct sm_image_policy;

SM_NODISCARD enum sm_status sm_image_policy_create(struct sm_image_policy **out);

/** NULL does nothing. */
void sm_image_policy_destroy(struct sm_image_policy *policy);

/** What is known about the receiver. */
struct sm_image_receiver {
    enum sm_worker_compression compression; /* its wish, or the server's setting */
    bool is_local;                          /* copying beats compressing */
};

/**
 * Replaces the images of `msg`, a copy of a drawing's message, by what is to be sent. They stay
 * valid until the next call. An image that cannot be encoded goes as it is.
 */
void sm_image_policy_apply(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                           struct sm_display_msg *msg);

#endif
