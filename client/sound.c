/* SPDX-License-Identifier: MIT */
#include "sumac/sound.h"

#include <stdio.h>
#include <string.h>

#include "client/agent.h"
#include "client/session_private.h"
#include "client/sound_channels.h"

/* ---- What both channels need ---- */

float sm_sound_gain(uint16_t level)
{
    float part = (float)level / SM_SOUND_LEVEL_FULL;
    return part * part * part;
}

void sm_sound_take_levels(struct sm_sound_info *info, const uint16_t *levels, uint32_t count)
{
    info->level_count = count < SM_SOUND_LEVELS_MAX ? count : SM_SOUND_LEVELS_MAX;
    for (uint32_t i = 0; i < info->level_count; i++)
        info->levels[i] = levels[i];
}

static bool try_all(struct sm_desk_stream *desk, const struct sm_sound_ops *const *backends,
                    size_t count, const struct sm_sound_stream_config *config, char *why,
                    size_t why_size)
{
    size_t used = 0;
    why[0] = 0;
    for (size_t i = 0; i < count; i++) {
        char reason[64] = "out of memory";
        if (backends[i]->open(&desk->stream, config, reason, sizeof(reason)) == SM_OK) {
            desk->ops = backends[i];
            why[0] = 0;
            return true;
        }
        int size = snprintf(why + used, why_size - used, "%s%s: %s", used ? "; " : "",
                            backends[i]->name, reason);
        used += size > 0 && (size_t)size < why_size - used ? (size_t)size : 0;
    }
    if (count == 0)
        (void)snprintf(why, why_size, "no module for PipeWire or PulseAudio is installed");
    return false;
}

bool sm_desk_stream_open(struct sm_desk_stream *desk, struct sm_client_channel *channel,
                         const struct sm_sound_stream_config *config, char *why, size_t why_size)
{
    struct sm_session *session = channel->session;
    if (desk->ops && !atomic_load(&desk->is_lost) && desk->format.rate_hz == config->rate_hz &&
        desk->format.channels == config->channels)
        return true;
    sm_desk_stream_close(desk);
    const struct sm_sound_ops *backends[SM_SOUND_BACKENDS_MAX] = {session->sound.ops};
    size_t count = backends[0] ? 1 : sm_sound_backends(backends);
    if (!try_all(desk, backends, count, config, why, why_size)) {
        if (!desk->has_complained)
            sm_log_at(&session->log, SM_LOG_WARNING, "%s is not possible: %s",
                      config->is_input ? "recording" : "sound", why);
        desk->has_complained = true;
        return false;
    }
    desk->has_complained = false;
    desk->format =
        (struct sm_sound_format){.rate_hz = config->rate_hz, .channels = config->channels};
    sm_log_at(&session->log, SM_LOG_INFO, "%s with %s, %u Hz, %u channels",
              config->is_input ? "recording" : "playing", desk->ops->name,
              (unsigned)config->rate_hz, (unsigned)config->channels);
    return true;
}

void sm_desk_stream_set_active(struct sm_desk_stream *desk, bool is_active)
{
    if (!desk->ops || desk->is_active == is_active)
        return;
    desk->is_active = is_active;
    desk->ops->set_active(desk->stream, is_active);
}

void sm_desk_stream_close(struct sm_desk_stream *desk)
{
    if (desk->ops)
        desk->ops->destroy(desk->stream);
    desk->ops = NULL;
    desk->stream = NULL;
    desk->is_active = false;
    atomic_store(&desk->is_lost, false);
}

/* ---- Public ---- */

enum sm_status sm_session_use_sound(struct sm_session *session, enum sm_sound_use playback,
                                    enum sm_sound_use recording)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->sound.playback = playback;
    session->sound.recording = recording;
    return SM_OK;
}

/* The channel, if it is or was open: it lives as long as the session. */
static struct sm_client_channel *find(struct sm_session *session, enum sm_channel_kind kind)
{
    struct sm_client_channel *channel = sm_session_find(session, kind, 0);
    return channel && sm_client_channel_is_open(channel) ? channel : NULL;
}

void sm_session_get_playback(struct sm_session *session, struct sm_sound_info *info)
{
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_PLAYBACK);
    *info = (struct sm_sound_info){.is_open = channel != NULL};
    if (channel)
        sm_playback_channel_info(channel, info);
    info->is_muted = atomic_load(&session->sound.is_playback_muted);
}

void sm_session_get_recording(struct sm_session *session, struct sm_sound_info *info)
{
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_RECORD);
    *info = (struct sm_sound_info){.is_open = channel != NULL};
    if (channel)
        sm_record_channel_info(channel, info);
    info->is_muted = atomic_load(&session->sound.is_recording_muted);
}

static void adjust_playback(struct sm_session *session)
{
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_PLAYBACK);
    if (channel)
        sm_playback_channel_adjust(channel);
}

void sm_session_mute_playback(struct sm_session *session, bool is_muted)
{
    atomic_store(&session->sound.is_playback_muted, is_muted);
    adjust_playback(session);
}

void sm_session_set_playback_level(struct sm_session *session, uint16_t level)
{
    atomic_store(&session->sound.playback_level, level);
    adjust_playback(session);
}

void sm_session_mute_recording(struct sm_session *session, bool is_muted)
{
    atomic_store(&session->sound.is_recording_muted, is_muted);
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_RECORD);
    if (channel)
        sm_record_channel_adjust(channel);
}

uint32_t sm_session_take_sound(struct sm_session *session, struct sm_sound_format *format,
                               int16_t *samples, uint32_t room)
{
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_PLAYBACK);
    return channel ? sm_playback_channel_take(channel, format, samples, room) : 0;
}

enum sm_status sm_session_give_sound(struct sm_session *session,
                                     const struct sm_sound_format *format, const int16_t *samples,
                                     uint32_t frames)
{
    struct sm_client_channel *channel = find(session, SM_CHANNEL_KIND_RECORD);
    return channel ? sm_record_channel_give(channel, format, samples, frames) : SM_ERR_STATE;
}

/* ---- The guest's own volume ---- */

struct volume_call {
    uint16_t levels[SM_SOUND_LEVELS_MAX];
    uint32_t count;
    bool is_playback, is_muted;
};

static void volume_call(struct sm_client_channel *main, const void *argument)
{
    const struct volume_call *call = argument;
    const struct sm_client_agent *agent = &main->session->agent;
    struct sm_agent_msg msg = {
        .type = SM_AGENT_AUDIO_VOLUME_SYNC,
        .audio_volume_sync = {.is_playback = call->is_playback,
                              .mute = call->is_muted,
                              .num_volume = call->count,
                              .volume = call->levels},
    };
    if (!agent->is_known || !(agent->caps >> SM_AGENT_CAP_AUDIO_VOLUME_SYNC & 1))
        sm_log_at(&main->session->log, SM_LOG_INFO, "no agent in the guest that sets its volume");
    else if (sm_client_agent_send(main, &msg) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the guest's volume could not be set");
    sm_client_channel_kick(main);
}

enum sm_status sm_session_set_guest_volume(struct sm_session *session, bool is_playback,
                                           const uint16_t *levels, uint32_t count, bool is_muted)
{
    struct volume_call call = {.count = count, .is_playback = is_playback, .is_muted = is_muted};
    if (count < 1 || count > SM_SOUND_LEVELS_MAX)
        return SM_ERR_LIMIT;
    memcpy(call.levels, levels, count * sizeof(*levels));
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (!main || !session->agent.is_used)
        return SM_ERR_STATE;
    return sm_client_channel_post(main, volume_call, &call, sizeof(call));
}
