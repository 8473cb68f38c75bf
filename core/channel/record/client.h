/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a record channel: knows whether the guest listens, and sends it frames.
 * Source: docs/sound.md.
 */
#ifndef SM_CORE_CHANNEL_RECORD_CLIENT_H
#define SM_CORE_CHANNEL_RECORD_CLIENT_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/wire/record.h"

/** Thread: one at a time. */
struct sm_record_client;

struct sm_record_client_config {
    struct sm_channel_setup setup;
    bool can_opus; /* we can encode it; it is used if the server can, too, and the rate allows */
};

/** What the guest wants now. */
struct sm_record_view {
    bool is_recording;
    uint16_t mode; /* enum sm_audio_mode: how frames have to be encoded */
    uint32_t channels, rate_hz;
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_record_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_record_client_create(struct sm_record_client **out,
                                                    const struct sm_record_client_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_record_client_destroy(struct sm_record_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_record_client_machine(struct sm_record_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_record_client_channel(struct sm_record_client *client);

/**
 * Pulls the next message, already applied to the view. START was answered with MODE and START_MARK.
 *
 * @param time_ms  the client's mm time, for these two
 * @param msg      receives the message, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_record_client_next(struct sm_record_client *client, uint32_t time_ms,
                                                  const struct sm_record_msg **msg);

struct sm_record_view sm_record_client_view(const struct sm_record_client *client);

/**
 * Sends one frame, encoded as the view says.
 *
 * @return SM_OK; SM_AGAIN if the line is behind: the frame is best forgotten; SM_ERR_STATE while
 *         the guest does not record; SM_ERR_LIMIT for a frame above 16 KiB; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_record_client_frame(struct sm_record_client *client,
                                                   struct sm_bytes frame, uint32_t time_ms);

#endif
