/* SPDX-License-Identifier: MIT */
/* The tables of the kinds of channel we know, and what they share. */
#ifndef SM_CLIENT_CHANNEL_KINDS_H
#define SM_CLIENT_CHANNEL_KINDS_H

#include "client/channel_thread.h"
#include "core/channel/channel.h"

extern const struct sm_client_channel_ops sm_main_channel_ops;
extern const struct sm_client_channel_ops sm_display_channel_ops;
extern const struct sm_client_channel_ops sm_inputs_channel_ops;
extern const struct sm_client_channel_ops sm_cursor_channel_ops;
extern const struct sm_client_channel_ops sm_port_channel_ops;
extern const struct sm_client_channel_ops sm_playback_channel_ops;
extern const struct sm_client_channel_ops sm_record_channel_ops;
extern const struct sm_client_channel_ops sm_usb_channel_ops;
extern const struct sm_client_channel_ops sm_webdav_channel_ops;
extern const struct sm_client_channel_ops sm_smartcard_channel_ops;

/** What the link phase found, as the machines want it. */
struct sm_channel_setup sm_client_channel_setup(const struct sm_link_client_event *link);

/** Any thread: the mouse mode has changed, pending motion means nothing any more. */
void sm_session_reset_motion(struct sm_session *session);

#endif
