/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "client/session_private.h"
#include "io/clock.h"

static const char *const KIND_NAMES[] = {
    [SM_CHANNEL_KIND_MAIN] = "main",           [SM_CHANNEL_KIND_DISPLAY] = "display",
    [SM_CHANNEL_KIND_INPUTS] = "inputs",       [SM_CHANNEL_KIND_CURSOR] = "cursor",
    [SM_CHANNEL_KIND_PLAYBACK] = "playback",   [SM_CHANNEL_KIND_RECORD] = "record",
    [SM_CHANNEL_KIND_SMARTCARD] = "smartcard", [SM_CHANNEL_KIND_USBREDIR] = "usbredir",
    [SM_CHANNEL_KIND_PORT] = "port",           [SM_CHANNEL_KIND_WEBDAV] = "webdav",
};

const char *sm_channel_kind_name(enum sm_channel_kind kind)
{
    if ((unsigned)kind >= sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]) || !KIND_NAMES[kind])
        return "unknown";
    return KIND_NAMES[kind];
}

void sm_session_get_info(struct sm_session *session, struct sm_session_info *info)
{
    pthread_mutex_lock(&session->lock);
    *info = session->info;
    if (info->has_multi_media_time)
        info->multi_media_time_ms = (uint32_t)(sm_now_us() / 1000 + session->multi_media_offset_ms);
    pthread_mutex_unlock(&session->lock);
    info->unanswered_ms = sm_silence_ms(&session->silence, sm_now_us());
}

void sm_session_set_time(struct sm_session *session, uint32_t time_ms)
{
    pthread_mutex_lock(&session->lock);
    session->info.has_multi_media_time = true;
    session->multi_media_offset_ms = time_ms - sm_now_us() / 1000;
    pthread_mutex_unlock(&session->lock);
}

/* Completes what the server listed with what became of it. */
static void fill_state(const struct sm_session *session, struct sm_channel_info *info)
{
    info->is_wanted =
        info->kind == SM_CHANNEL_KIND_MAIN ||
        ((unsigned)info->kind < 32 && (sm_session_wanted_kinds(session) & 1u << info->kind) != 0 &&
         sm_client_channel_ops_of(info->kind) != NULL);
    for (size_t i = 0; i < session->channel_count; i++) {
        struct sm_client_channel *channel = session->channels[i];
        if (channel->kind != info->kind || channel->id != info->id)
            continue;
        info->is_open = channel->state == SM_CLIENT_CHANNEL_OPEN;
        info->is_secure = channel->is_secure;
        info->is_confined = channel->is_confined;
        info->common_caps = channel->common_caps;
        info->channel_caps = channel->channel_caps;
        info->messages = atomic_load(&channel->handled_serial);
        info->received_bytes = atomic_load(&channel->received_bytes);
        info->round_trip_us = info->is_open ? atomic_load(&channel->round_trip_us) : 0;
    }
}

size_t sm_session_get_channels(struct sm_session *session, struct sm_channel_info *out, size_t room)
{
    pthread_mutex_lock(&session->lock);
    /* Main is not in the server's list. */
    size_t count = session->channel_count > 0 ? 1 + session->listed_count : 0;
    for (size_t i = 0; i < count && i < room; i++) {
        if (i == 0)
            out[i] = (struct sm_channel_info){.kind = SM_CHANNEL_KIND_MAIN};
        else
            out[i] = session->listed[i - 1];
        fill_state(session, &out[i]);
    }
    pthread_mutex_unlock(&session->lock);
    return count;
}
