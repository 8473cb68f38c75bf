/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a record channel: what the client records comes in frames.
 * Source: docs/sound.md.
 */
#ifndef SM_CORE_CHANNEL_RECORD_SERVER_H
#define SM_CORE_CHANNEL_RECORD_SERVER_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/wire/record.h"

/** Thread: one at a time. */
struct sm_record_server;

struct sm_record_server_config {
    struct sm_channel_setup setup;
};

/**
 * @param out  receives the machine, untouched on failure; release with sm_record_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_record_server_create(struct sm_record_server **out,
                                                    const struct sm_record_server_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_record_server_destroy(struct sm_record_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_record_server_machine(struct sm_record_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_record_server_channel(struct sm_record_server *server);

/**
 * Pulls the next message: MODE, START_MARK, DATA, or one of the base channel's.
 *
 * @param msg  receives the message, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_record_server_next(struct sm_record_server *server,
                                                  const struct sm_record_msgc **msg);

/** The guest wants two channels of signed 16-bit samples. SM_OK; SM_ERR_NOMEM; likewise below. */
SM_NODISCARD enum sm_status sm_record_server_start(struct sm_record_server *server,
                                                   uint32_t rate_hz);
SM_NODISCARD enum sm_status sm_record_server_stop(struct sm_record_server *server);

/** As sm_playback_server_volume(). */
SM_NODISCARD enum sm_status sm_record_server_volume(struct sm_record_server *server,
                                                    const uint16_t *volume, uint8_t count,
                                                    bool is_muted);

#endif
