/* SPDX-License-Identifier: MIT */
#include "server/display/drawable.h"

#include <stdlib.h>

struct sm_drawable *sm_drawable_create(struct sm_drawing *drawing,
                                       struct sm_drawable_budget *budget,
                                       const struct sm_footprint_source *surfaces)
{
    struct sm_drawable *drawable = calloc(1, sizeof(*drawable));
    if (!drawable)
        return NULL;
    drawable->drawing = drawing;
    drawable->budget = budget;
    drawable->refs = 1;
    sm_footprint_init(&drawable->footprint, drawing, surfaces);
    sm_list_init(&drawable->surface_link);
    sm_list_init(&drawable->all_link);
    budget->used_bytes += drawing->size_bytes;
    budget->count++;
    return drawable;
}

struct sm_drawable *sm_drawable_ref(struct sm_drawable *drawable)
{
    drawable->refs++;
    return drawable;
}

void sm_drawable_unref(struct sm_drawable *drawable)
{
    if (!drawable || --drawable->refs > 0)
        return;
    drawable->budget->used_bytes -= drawable->drawing->size_bytes;
    drawable->budget->count--;
    sm_drawing_destroy((struct sm_drawing *)drawable->drawing);
    sm_footprint_finish(&drawable->footprint);
    sm_region_finish(&drawable->visible);
    free(drawable);
}
