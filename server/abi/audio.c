/* SPDX-License-Identifier: MIT */
/* spice-audio.h: sound of the host. */
#include <stdlib.h>

#include "server/abi/internal.h"
#include "server/device/playback.h"
#include "server/device/record.h"

enum { BEST_RATE_HZ = 48000 };

struct SpicePlaybackState {
    SpiceServer *s;
    SpicePlaybackInstance *instance;
    struct sm_playback *playback; /* owned */
};

struct SpiceRecordState {
    SpiceServer *s;
    SpiceRecordInstance *instance;
    struct sm_record *record; /* owned */
};

/* More channels than anybody has are left out. */
static struct sm_volume volume_of(uint8_t count, const uint16_t *levels)
{
    struct sm_volume volume = {.count =
                                   count < SM_VOLUME_MAX_CHANNELS ? count : SM_VOLUME_MAX_CHANNELS};
    for (unsigned i = 0; i < volume.count; i++)
        volume.levels[i] = levels[i];
    return volume;
}

/* ---- playback ---- */

int sm_abi_add_playback(SpiceServer *s, SpicePlaybackInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_PLAYBACK_MAJOR,
                             SPICE_INTERFACE_PLAYBACK_MINOR))
        return -1;
    struct SpicePlaybackState *state = calloc(1, sizeof(*state));
    if (!state || sm_playback_create(&state->playback, s->server, s->playback_compression)) {
        sm_say(&s->log, SM_LOG_WARNING, "a playback channel exists already, or memory is short");
        free(state);
        return -1;
    }
    state->s = s;
    state->instance = instance;
    instance->st = state;
    s->playback = state;
    return 0;
}

int sm_abi_remove_playback(SpicePlaybackInstance *instance)
{
    struct SpicePlaybackState *state = instance->st;
    if (!state)
        return -1;
    state->s->playback = NULL;
    sm_playback_destroy(state->playback);
    free(state);
    instance->st = NULL;
    return 0;
}

void sm_abi_playback_compression_changed(SpiceServer *s)
{
    if (s->playback)
        sm_playback_set_compression(s->playback->playback, s->playback_compression);
}

void spice_server_playback_start(SpicePlaybackInstance *sin)
{
    if (sin->st)
        sm_playback_start(sin->st->playback);
}

void spice_server_playback_stop(SpicePlaybackInstance *sin)
{
    if (sin->st)
        sm_playback_stop(sin->st->playback);
}

void spice_server_playback_get_buffer(SpicePlaybackInstance *sin, uint32_t **samples,
                                      uint32_t *num_samples)
{
    *samples = NULL;
    *num_samples = 0;
    if (sin->st)
        *samples = sm_playback_get(sin->st->playback, num_samples);
}

void spice_server_playback_put_samples(SpicePlaybackInstance *sin, uint32_t *samples)
{
    if (sin->st)
        sm_playback_put(sin->st->playback, samples);
}

void spice_server_playback_set_volume(SpicePlaybackInstance *sin, uint8_t nchannels,
                                      uint16_t *volume)
{
    struct sm_volume levels = volume_of(nchannels, volume);
    if (sin->st)
        sm_playback_set_volume(sin->st->playback, &levels);
}

void spice_server_playback_set_mute(SpicePlaybackInstance *sin, uint8_t mute)
{
    if (sin->st)
        sm_playback_set_mute(sin->st->playback, mute != 0);
}

uint32_t spice_server_get_best_playback_rate(SpicePlaybackInstance *sin)
{
    (void)sin;
    return BEST_RATE_HZ;
}

void spice_server_set_playback_rate(SpicePlaybackInstance *sin, uint32_t frequency)
{
    if (sin->st)
        sm_playback_set_rate(sin->st->playback, frequency);
}

/* ---- record ---- */

int sm_abi_add_record(SpiceServer *s, SpiceRecordInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_RECORD_MAJOR,
                             SPICE_INTERFACE_RECORD_MINOR))
        return -1;
    struct SpiceRecordState *state = calloc(1, sizeof(*state));
    if (!state || sm_record_create(&state->record, s->server)) {
        sm_say(&s->log, SM_LOG_WARNING, "a record channel exists already, or memory is short");
        free(state);
        return -1;
    }
    state->s = s;
    state->instance = instance;
    instance->st = state;
    s->record = state;
    return 0;
}

int sm_abi_remove_record(SpiceRecordInstance *instance)
{
    struct SpiceRecordState *state = instance->st;
    if (!state)
        return -1;
    state->s->record = NULL;
    sm_record_destroy(state->record);
    free(state);
    instance->st = NULL;
    return 0;
}

void spice_server_record_start(SpiceRecordInstance *sin)
{
    if (sin->st)
        sm_record_start(sin->st->record);
}

void spice_server_record_stop(SpiceRecordInstance *sin)
{
    if (sin->st)
        sm_record_stop(sin->st->record);
}

uint32_t spice_server_record_get_samples(SpiceRecordInstance *sin, uint32_t *samples,
                                         uint32_t bufsize)
{
    return sin->st ? sm_record_get(sin->st->record, samples, bufsize) : 0;
}

void spice_server_record_set_volume(SpiceRecordInstance *sin, uint8_t nchannels, uint16_t *volume)
{
    struct sm_volume levels = volume_of(nchannels, volume);
    if (sin->st)
        sm_record_set_volume(sin->st->record, &levels);
}

void spice_server_record_set_mute(SpiceRecordInstance *sin, uint8_t mute)
{
    if (sin->st)
        sm_record_set_mute(sin->st->record, mute != 0);
}

uint32_t spice_server_get_best_record_rate(SpiceRecordInstance *sin)
{
    (void)sin;
    return BEST_RATE_HZ;
}

void spice_server_set_record_rate(SpiceRecordInstance *sin, uint32_t frequency)
{
    if (sin->st)
        sm_record_set_rate(sin->st->record, frequency);
}

void sm_abi_forget_sound(SpiceServer *s)
{
    if (s->playback)
        (void)sm_abi_remove_playback(s->playback->instance);
    if (s->record)
        (void)sm_abi_remove_record(s->record->instance);
}
