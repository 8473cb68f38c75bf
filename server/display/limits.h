/* SPDX-License-Identifier: MIT */
/* Numbers that several parts of the worker share. */
#ifndef SM_SERVER_DISPLAY_LIMITS_H
#define SM_SERVER_DISPLAY_LIMITS_H

enum {
    /**
     * A client with more things waiting holds the command rings. Drawings collapse long before
     * (peer_queue.c), so only messages about surfaces and the like can get there.
     */
    SM_DISPLAY_MAX_QUEUE = 1000,
    /** A client whose waiting drawings hold more bytes does so too. */
    SM_DISPLAY_MAX_QUEUE_BYTES = 64 << 20,
    /**
     * A surface off the screen with more bytes is not sent as one picture when a client first needs
     * it: a command may need four, and they would all be copied at once.
     */
    SM_DISPLAY_MAX_PICTURE_BYTES = 16 << 20,
    /**
     * What the host is told to do brings messages, too, and no ring can be held against those: with
     * so many waiting a client is disconnected.
     */
    SM_DISPLAY_MAX_MESSAGES = 8000,
    SM_POINTER_MAX_MESSAGES = 2000,
    SM_POINTER_MAX_BYTES = 64 << 20, /* of shapes; twice the same one counts twice */
    /**
     * When the host insists that rings are emptied, a client may get this far behind before it is
     * waited for, and after SM_DISPLAY_DRAIN_TIMEOUT_US is disconnected.
     */
    SM_DISPLAY_MAX_DRAIN_QUEUE = 2000,
    SM_DISPLAY_MAX_DRAIN_BYTES = 128 << 20,
    SM_DISPLAY_DRAIN_TIMEOUT_US = 30 * 1000 * 1000,
    /** Commands taken when rings are emptied for the host; a guest could go on for ever. */
    SM_DISPLAY_MAX_DRAIN_COMMANDS = 10000,
    /** Warnings that clients can cause, of a device's displays and pointers each. */
    SM_DISPLAY_COMPLAINTS = 20,
    SM_DISPLAY_COMPLAINTS_US = 10 * 1000 * 1000,
    /** A turn of the display ring, then clients and requests have theirs. */
    SM_DISPLAY_SLICE_US = 10 * 1000,
    SM_DISPLAY_POLL_MS = 10,
    SM_DISPLAY_RING_POLL_MS = 1, /* an empty ring is looked at again, then the guest is asked */
};

#endif
