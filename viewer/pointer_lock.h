/* SPDX-License-Identifier: MIT */
/*
 * The pointer held in its place while its motion is told, as Wayland has it: protocols
 * "pointer-constraints" and "relative-pointer". Where the desktop has neither (X11, some
 * compositors), sm_pointer_warp() has to do.
 */
#ifndef SM_VIEWER_POINTER_LOCK_H
#define SM_VIEWER_POINTER_LOCK_H

#include <gtk/gtk.h>

/** Thread: the main one. */
struct sm_pointer_lock;

/**
 * Holds the pointer, which must be over `widget`, until the lock is destroyed.
 *
 * @param moved  gets whole steps, as the mouse made them: before the desktop's acceleration, which
 *               the guest has one of its own for; it may destroy the lock
 * @return the lock, released with sm_pointer_lock_destroy(); NULL if this desktop has none
 */
struct sm_pointer_lock *sm_pointer_lock_create(GtkWidget *widget,
                                               void (*moved)(void *opaque, int dx, int dy),
                                               void *opaque);

/** Lets the pointer go. NULL does nothing. */
void sm_pointer_lock_destroy(struct sm_pointer_lock *lock);

#endif
