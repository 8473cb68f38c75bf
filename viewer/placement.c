/* SPDX-License-Identifier: MIT */
#include "viewer/placement.h"

#include <math.h>

static double min(double a, double b)
{
    return a < b ? a : b;
}

/* To a whole pixel of the device. */
static double snap(double value, double device_scale)
{
    return floor(value * device_scale) / device_scale;
}

struct sm_placement sm_placement_fit(int view_width, int view_height, int guest_width,
                                     int guest_height, double device_scale, double zoom, bool fills)
{
    struct sm_placement p = {.scale = 1, .guest_width = guest_width, .guest_height = guest_height};
    if (view_width < 1 || view_height < 1 || guest_width < 1 || guest_height < 1)
        return p;
    double room = min((double)view_width / guest_width, (double)view_height / guest_height);
    p.scale = fills ? room : min(zoom / device_scale, room);
    p.width = guest_width * p.scale;
    p.height = guest_height * p.scale;
    p.x = snap((view_width - p.width) / 2, device_scale);
    p.y = snap((view_height - p.height) / 2, device_scale);
    if (p.x < 0)
        p.x = 0;
    if (p.y < 0)
        p.y = 0;
    return p;
}

bool sm_placement_is_exact(const struct sm_placement *placement, double device_scale)
{
    double pixels = placement->scale * device_scale;
    return fabs(pixels - floor(pixels + 0.5)) < 1e-9 && pixels >= 1;
}

/* The last pixel must be reachable, so positions are spread over all but one pixel of the view. */
static int to_pixel(double at, double size, int count)
{
    double last = size > 1 ? size - 1 : 1;
    double pixel = floor(at * (count - 1) / last + 0.5);
    return pixel < 0 ? 0 : pixel > count - 1 ? count - 1 : (int)pixel;
}

bool sm_placement_to_guest(const struct sm_placement *placement, double x, double y, int *guest_x,
                           int *guest_y)
{
    double in_x = x - placement->x, in_y = y - placement->y;
    if (placement->guest_width < 1 || placement->guest_height < 1)
        return false;
    if (placement->scale == 1) {
        /* No pixel may be skipped or come twice. */
        *guest_x = to_pixel(floor(in_x), placement->guest_width, placement->guest_width);
        *guest_y = to_pixel(floor(in_y), placement->guest_height, placement->guest_height);
    } else {
        *guest_x = to_pixel(in_x, placement->width, placement->guest_width);
        *guest_y = to_pixel(in_y, placement->height, placement->guest_height);
    }
    return in_x >= 0 && in_y >= 0 && in_x < placement->width && in_y < placement->height;
}
