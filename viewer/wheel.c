/* SPDX-License-Identifier: MIT */
#include "viewer/wheel.h"

#include <math.h>

/* Fractions as devices give them (1/3, 1/15, 0.1) add up to a little less than a step. */
static const double NEARLY = 1e-6;

int sm_wheel_turn(struct sm_wheel *wheel, double steps)
{
    if (!isfinite(steps) || steps == 0)
        return 0;
    if (steps * wheel->rest < 0)
        wheel->rest = 0;
    double turned = wheel->rest + steps;
    double whole = trunc(turned + (turned > 0 ? NEARLY : -NEARLY));
    wheel->rest = turned - whole;
    if (fabs(wheel->rest) < NEARLY)
        wheel->rest = 0;
    return (int)fmax(-SM_WHEEL_STEPS_MAX, fmin(SM_WHEEL_STEPS_MAX, whole));
}
