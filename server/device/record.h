/* SPDX-License-Identifier: MIT */
/* The record channel: what the one client that has the microphone sends to the guest. */
#ifndef SM_SERVER_DEVICE_RECORD_H
#define SM_SERVER_DEVICE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/device/volume.h"
#include "sumac/status.h"

struct sm_server;

/** Thread: main context. */
struct sm_record;

/** As sm_playback_create(). */
SM_NODISCARD enum sm_status sm_record_create(struct sm_record **out, struct sm_server *server);
void sm_record_destroy(struct sm_record *record);

/** Of what the guest wants from the next start on. */
void sm_record_set_rate(struct sm_record *record, uint32_t rate_hz);

/** The guest starts or stops to record; again is harmless. What was recorded before is gone. */
void sm_record_start(struct sm_record *record);
void sm_record_stop(struct sm_record *record);

/**
 * Takes up to `size` stereo frames, oldest first.
 *
 * @return how many; 0 without a client, and until enough has come to play without gaps
 */
uint32_t sm_record_get(struct sm_record *record, uint32_t *frames, uint32_t size);

void sm_record_set_volume(struct sm_record *record, const struct sm_volume *volume);
void sm_record_set_mute(struct sm_record *record, bool is_muted);

#endif
