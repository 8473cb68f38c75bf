/* SPDX-License-Identifier: MIT */
/*
 * The palettes that one display client keeps: the sender's book. Colours are compared, so a guest
 * that uses an id for two palettes gets both right. Source: docs/display.md, "Caches".
 */
#ifndef SM_SERVER_DISPLAY_PEER_PALETTES_H
#define SM_SERVER_DISPLAY_PEER_PALETTES_H

#include <stdbool.h>
#include <stdint.h>

struct sm_palette;

enum { SM_PEER_PALETTES_MAX = 128 };

struct sm_peer_palette {
    uint64_t unique; /* 0: free */
    uint64_t digest; /* of its colours */
    uint32_t count;
    uint64_t used; /* when, in uses */
};

/** Zeroed it is empty. Thread: one at a time. */
struct sm_peer_palettes {
    struct sm_peer_palette items[SM_PEER_PALETTES_MAX];
    uint64_t uses;
};

enum sm_peer_palette_answer {
    SM_PEER_PALETTE_INLINE, /* it travels with the image, and is not kept */
    SM_PEER_PALETTE_ADD,    /* it travels, and is kept: PAL_CACHE_ME */
    SM_PEER_PALETTE_THERE,  /* PAL_FROM_CACHE */
};

/**
 * How a palette is to be sent with the next message, in the order of sending.
 *
 * @param evicted  receives the id of the palette that the client is to forget behind the message,
 *                 0 for none
 */
enum sm_peer_palette_answer sm_peer_palettes_use(struct sm_peer_palettes *palettes,
                                                 const struct sm_palette *palette,
                                                 uint64_t *evicted);

/** The client has been told to forget all. */
void sm_peer_palettes_clear(struct sm_peer_palettes *palettes);

#endif
