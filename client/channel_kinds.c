/* SPDX-License-Identifier: MIT */
#include "client/channel_kinds.h"

const struct sm_client_channel_ops *sm_client_channel_ops_of(enum sm_channel_kind kind)
{
    switch (kind) {
    case SM_CHANNEL_KIND_MAIN:
        return &sm_main_channel_ops;
    case SM_CHANNEL_KIND_DISPLAY:
        return &sm_display_channel_ops;
    case SM_CHANNEL_KIND_INPUTS:
        return &sm_inputs_channel_ops;
    case SM_CHANNEL_KIND_CURSOR:
        return &sm_cursor_channel_ops;
    case SM_CHANNEL_KIND_SMARTCARD:
        return &sm_smartcard_channel_ops;
    case SM_CHANNEL_KIND_USBREDIR:
        return &sm_usb_channel_ops;
    case SM_CHANNEL_KIND_PORT:
        return &sm_port_channel_ops;
    case SM_CHANNEL_KIND_PLAYBACK:
        return &sm_playback_channel_ops;
    case SM_CHANNEL_KIND_RECORD:
        return &sm_record_channel_ops;
    case SM_CHANNEL_KIND_WEBDAV:
        return &sm_webdav_channel_ops;
    default:
        return NULL;
    }
}

struct sm_channel_setup sm_client_channel_setup(const struct sm_link_client_event *link)
{
    return (struct sm_channel_setup){
        .has_mini_header = link->has_mini_header,
        .common_caps = link->common_caps,
        .channel_caps = link->channel_caps,
    };
}
