/* SPDX-License-Identifier: MIT */
/*
 * Pictures that are copied in one form and pasted in another. What a guest or a program here has
 * made up is decoded on a thread of its own, which can open nothing, and no larger than a screen
 * can be.
 */
#ifndef SM_VIEWER_CLIPBOARD_PICTURE_H
#define SM_VIEWER_CLIPBOARD_PICTURE_H

#include <gio/gio.h>

#include "sumac/clipboard.h"

enum { SM_CLIPBOARD_PICTURE_MAX_PX = 64 << 20 /* as many as 8192 x 8192 have */ };

/**
 * Makes PNG of a picture of the kind `kind`. Takes as long as it takes: for a thread.
 *
 * @param picture  borrowed
 * @return the caller's; NULL with `error` set if it is none, or has too many pixels
 */
GBytes *sm_clipboard_picture_to_png(GBytes *picture, enum sm_clipboard_kind kind, GError **error);

#endif
