/* SPDX-License-Identifier: MIT */
/* A wheel, or two fingers, that turn in fractions: the guest's wheel knows whole steps only. */
#ifndef SM_VIEWER_WHEEL_H
#define SM_VIEWER_WHEEL_H

enum { SM_WHEEL_STEPS_MAX = 50 /* in one event */ };

/** Zero-initialised it stands still. */
struct sm_wheel {
    double rest; /* steps not yet told; a fraction */
};

/**
 * Turns it.
 *
 * @param steps  of a wheel, down is positive; fractions add up, and a turn the other way begins
 * anew
 * @return whole steps to tell: at most SM_WHEEL_STEPS_MAX either way
 */
int sm_wheel_turn(struct sm_wheel *wheel, double steps);

#endif
