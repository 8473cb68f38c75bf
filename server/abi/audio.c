/* SPDX-License-Identifier: MIT */
/*
 * spice-audio.h: sound of the host. The channels are not offered to clients yet, so to a host it
 * is as if nobody ever listened: no buffers to fill, nothing recorded.
 */
#include <stdlib.h>

#include "server/abi/internal.h"

enum { BEST_RATE_HZ = 48000 };

struct SpicePlaybackState {
    SpiceServer *s;
};

struct SpiceRecordState {
    SpiceServer *s;
};

/* ---- playback ---- */

int sm_abi_add_playback(SpiceServer *s, SpicePlaybackInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_PLAYBACK_MAJOR,
                             SPICE_INTERFACE_PLAYBACK_MINOR))
        return -1;
    instance->st = calloc(1, sizeof(*instance->st));
    if (!instance->st)
        return -1;
    instance->st->s = s;
    sm_say(&s->log, SM_LOG_WARNING, "playback is not supported yet: clients will not hear it");
    return 0;
}

int sm_abi_remove_playback(SpicePlaybackInstance *instance)
{
    free(instance->st);
    instance->st = NULL;
    return 0;
}

void spice_server_playback_start(SpicePlaybackInstance *sin)
{
    (void)sin;
}

void spice_server_playback_stop(SpicePlaybackInstance *sin)
{
    (void)sin;
}

void spice_server_playback_get_buffer(SpicePlaybackInstance *sin, uint32_t **samples,
                                      uint32_t *num_samples)
{
    (void)sin;
    *samples = NULL;
    *num_samples = 0;
}

void spice_server_playback_put_samples(SpicePlaybackInstance *sin, uint32_t *samples)
{
    (void)sin;
    (void)samples; /* we never gave one out */
}

void spice_server_playback_set_volume(SpicePlaybackInstance *sin, uint8_t nchannels,
                                      uint16_t *volume)
{
    (void)sin;
    (void)nchannels;
    (void)volume;
}

void spice_server_playback_set_mute(SpicePlaybackInstance *sin, uint8_t mute)
{
    (void)sin;
    (void)mute;
}

uint32_t spice_server_get_best_playback_rate(SpicePlaybackInstance *sin)
{
    (void)sin;
    return BEST_RATE_HZ;
}

void spice_server_set_playback_rate(SpicePlaybackInstance *sin, uint32_t frequency)
{
    (void)sin;
    (void)frequency;
}

/* ---- record ---- */

int sm_abi_add_record(SpiceServer *s, SpiceRecordInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_RECORD_MAJOR,
                             SPICE_INTERFACE_RECORD_MINOR))
        return -1;
    instance->st = calloc(1, sizeof(*instance->st));
    if (!instance->st)
        return -1;
    instance->st->s = s;
    sm_say(&s->log, SM_LOG_WARNING, "recording sound is not supported yet: the guest hears none");
    return 0;
}

int sm_abi_remove_record(SpiceRecordInstance *instance)
{
    free(instance->st);
    instance->st = NULL;
    return 0;
}

void spice_server_record_start(SpiceRecordInstance *sin)
{
    (void)sin;
}

void spice_server_record_stop(SpiceRecordInstance *sin)
{
    (void)sin;
}

uint32_t spice_server_record_get_samples(SpiceRecordInstance *sin, uint32_t *samples,
                                         uint32_t bufsize)
{
    (void)sin;
    (void)samples;
    (void)bufsize;
    return 0;
}

void spice_server_record_set_volume(SpiceRecordInstance *sin, uint8_t nchannels, uint16_t *volume)
{
    (void)sin;
    (void)nchannels;
    (void)volume;
}

void spice_server_record_set_mute(SpiceRecordInstance *sin, uint8_t mute)
{
    (void)sin;
    (void)mute;
}

uint32_t spice_server_get_best_record_rate(SpiceRecordInstance *sin)
{
    (void)sin;
    return BEST_RATE_HZ;
}

void spice_server_set_record_rate(SpiceRecordInstance *sin, uint32_t frequency)
{
    (void)sin;
    (void)frequency;
}
