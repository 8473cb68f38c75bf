/* SPDX-License-Identifier: MIT */
#include "viewer/wall_plan.h"

#include <limits.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* Puts the monitors of a display to the right of all that is there. */
static void place_display(struct sm_wall_plan *plan, int channel_id)
{
    int left = INT_MAX, top = INT_MAX, start = plan->width;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->monitors[i].channel_id != channel_id)
            continue;
        left = least(left, plan->monitors[i].area.left);
        top = least(top, plan->monitors[i].area.top);
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->monitors[i].channel_id != channel_id)
            continue;
        const struct sm_rect *area = &plan->monitors[i].area;
        plan->places[i] = (struct sm_rect){.left = area->left - left + start,
                                           .top = area->top - top,
                                           .right = area->right - left + start,
                                           .bottom = area->bottom - top};
        plan->width = most(plan->width, plan->places[i].right);
        plan->height = most(plan->height, plan->places[i].bottom);
    }
}

void sm_wall_plan(struct sm_wall_plan *plan)
{
    plan->width = plan->height = 0;
    for (size_t i = 0; i < plan->count; i++)
        plan->places[i] = (struct sm_rect){0};
    for (size_t i = 0; i < plan->count; i++) {
        bool is_first = plan->monitors[i].channel_id >= 0;
        for (size_t j = 0; j < i; j++)
            is_first = is_first && plan->monitors[j].channel_id != plan->monitors[i].channel_id;
        if (is_first)
            place_display(plan, plan->monitors[i].channel_id);
    }
}

bool sm_wall_plan_split(const struct sm_wall_plan *plan, int width, int *widths)
{
    int sum = 0, given = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct sm_rect *place = &plan->places[i];
        if (place->right <= place->left && plan->count > 1)
            return false;
        for (size_t j = 0; j < i; j++)
            if (place->left < plan->places[j].right && plan->places[j].left < place->right)
                return false; /* one is above the other */
        sum += place->right - place->left;
    }
    for (size_t i = 0; i < plan->count; i++) {
        int own = plan->places[i].right - plan->places[i].left;
        bool is_last = i + 1 == plan->count;
        widths[i] = is_last ? width - given : (int)((int64_t)width * own / sum);
        given += widths[i];
        if (widths[i] < SM_WALL_SIDE_MIN && plan->count > 1)
            return false;
    }
    return plan->count > 0;
}
