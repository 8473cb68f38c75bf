/* SPDX-License-Identifier: MIT */
/*
 * What a drawing does to its surface: where it writes, whether what was there before shows through,
 * and what else of the surface it reads. And what follows for older drawings on the same surface:
 * how much of them can still be seen, by anybody, once this one is drawn.
 *
 * Only what is certain counts. A drawing is opaque if nothing about it can fail or depend on the
 * old pixels; the guest's word for it is not asked. Source: docs/display.md, "Covered drawings".
 */
#ifndef SM_SERVER_DISPLAY_FOOTPRINT_H
#define SM_SERVER_DISPLAY_FOOTPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/gfx/region.h"
#include "sumac/status.h"

struct sm_drawing;

/** What a drawing reads of its own surface, beyond the pixel that it writes. */
enum sm_footprint_reads {
    SM_FOOTPRINT_READS_NOTHING,
    SM_FOOTPRINT_READS_SHADOW, /* what it writes, moved by `dx`, `dy` */
    SM_FOOTPRINT_READS_ALL,    /* perhaps any pixel */
};

/** Zeroed it writes nothing. Thread: one at a time for changes, any number of readers. */
struct sm_footprint {
    struct sm_region writes; /* no pixel outside is changed */
    bool is_opaque;          /* every pixel of `writes` is written, whatever it was */
    enum sm_footprint_reads reads;
    int32_t dx, dy;
};

/** A surface as an opaque copy of it must know it; the format is NONE if there is none. */
struct sm_footprint_source {
    struct sm_pixels (*find)(const void *surfaces, uint32_t id);
    const void *surfaces;
};

/**
 * Measures a drawing whose self bitmap, if any, was taken. What cannot be measured, for lack of
 * memory too, is opaque nowhere.
 *
 * @param out  to be released with sm_footprint_finish()
 */
void sm_footprint_init(struct sm_footprint *out, const struct sm_drawing *drawing,
                       const struct sm_footprint_source *source);
void sm_footprint_finish(struct sm_footprint *footprint);

/**
 * A walk from a new drawing to older and older ones of the same surface. Begin with the new one,
 * pass the older ones in order, newest first; stop when it is over. Whoever reads the surface
 * without drawing on it must end the walk.
 */
struct sm_cover {
    struct sm_region area; /* private: where older pixels cannot be seen any more */
};

/** A walk under `footprint`; over at once unless that covers something. */
void sm_cover_begin(struct sm_cover *cover, const struct sm_footprint *footprint);

/** A walk under a surface that goes away as a whole. */
void sm_cover_begin_all(struct sm_cover *cover, uint32_t width, uint32_t height);

static inline bool sm_cover_is_over(const struct sm_cover *cover)
{
    return sm_region_is_empty(&cover->area);
}

/**
 * Passes an older drawing.
 *
 * @param visible  what could be seen of it so far; becomes less
 * @return true if nothing of it can be seen any more: it may be left out
 */
bool sm_cover_pass(struct sm_cover *cover, const struct sm_footprint *footprint,
                   struct sm_region *visible);

void sm_cover_finish(struct sm_cover *cover);

#endif
