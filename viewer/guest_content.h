/* SPDX-License-Identifier: MIT */
/* What the guest offers, as content for the desktop's clipboard: fetched when somebody pastes. */
#ifndef SM_VIEWER_GUEST_CONTENT_H
#define SM_VIEWER_GUEST_CONTENT_H

#include <gtk/gtk.h>

#include "sumac/clipboard.h"

#define SM_TYPE_GUEST_CONTENT (sm_guest_content_get_type())
G_DECLARE_FINAL_TYPE(SmGuestContent, sm_guest_content, SM, GUEST_CONTENT, GdkContentProvider)

/** Content of the kinds in the mask `kinds`, of the session's guest; borrowed until it is cut off.
 */
SmGuestContent *sm_guest_content_new(struct sm_session *session, enum sm_selection selection,
                                     uint32_t kinds);

/** The answer has come: whoever pastes gets it. */
void sm_guest_content_take_data(SmGuestContent *content);

/** The session goes: whoever still pastes gets an error. */
void sm_guest_content_cut_off(SmGuestContent *content);

#endif
