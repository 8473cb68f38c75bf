/* SPDX-License-Identifier: MIT */
/*
 * Dots in a ring: something is being waited for. The toolkit's spinner turns sixty times a second,
 * which takes more of a processor that draws by itself than the machine it waits for.
 */
#ifndef SM_VIEWER_ACTIVITY_H
#define SM_VIEWER_ACTIVITY_H

#include <gtk/gtk.h>

#define SM_TYPE_ACTIVITY (sm_activity_get_type())
G_DECLARE_FINAL_TYPE(SmActivity, sm_activity, SM, ACTIVITY, GtkWidget)

/** Turns whenever it is seen, unless the desktop wants nothing to move. */
GtkWidget *sm_activity_new(void);

#endif
