/* SPDX-License-Identifier: MIT */
#include "server/display/peer_palettes.h"

#include "core/wire/types.h"

static uint64_t digest(const struct sm_palette *palette)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, a colour at a time */
    for (uint32_t i = 0; i < palette->num_ents; i++)
        hash = (hash ^ palette->ents[i]) * 0x100000001b3;
    return hash;
}

/* The one with this id; else a free one, else the one not used for longest. */
static struct sm_peer_palette *place(struct sm_peer_palettes *palettes, uint64_t unique)
{
    struct sm_peer_palette *best = &palettes->items[0];
    for (unsigned i = 0; i < SM_PEER_PALETTES_MAX; i++) {
        struct sm_peer_palette *item = &palettes->items[i];
        if (item->unique == unique)
            return item;
        if (item->used < best->used)
            best = item;
    }
    return best;
}

enum sm_peer_palette_answer sm_peer_palettes_use(struct sm_peer_palettes *palettes,
                                                 const struct sm_palette *palette,
                                                 uint64_t *evicted)
{
    *evicted = 0;
    if (palette->unique == 0)
        return SM_PEER_PALETTE_INLINE;
    struct sm_peer_palette *item = place(palettes, palette->unique);
    uint64_t colours = digest(palette);
    if (item->unique == palette->unique) {
        if (item->count != palette->num_ents || item->digest != colours)
            return SM_PEER_PALETTE_INLINE;
        item->used = ++palettes->uses;
        return SM_PEER_PALETTE_THERE;
    }
    *evicted = item->unique;
    *item = (struct sm_peer_palette){.unique = palette->unique,
                                     .digest = colours,
                                     .count = palette->num_ents,
                                     .used = ++palettes->uses};
    return SM_PEER_PALETTE_ADD;
}

void sm_peer_palettes_clear(struct sm_peer_palettes *palettes)
{
    *palettes = (struct sm_peer_palettes){0};
}
