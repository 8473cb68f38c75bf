/* SPDX-License-Identifier: MIT */
/* A server of one session file: gives a session's channels the bytes that were recorded. */
#ifndef SM_CLI_FEEDER_H
#define SM_CLI_FEEDER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/session_file.h"
#include "sumac/session.h"

struct cli_feeder;

/**
 * @param index     borrowed, as is `fd`: the file
 * @param is_paced  at the speed of the recording; else as fast as it is taken
 * @param until_us  of the recording: nothing later is given; UINT64_MAX for all
 * @return NULL without memory
 */
struct cli_feeder *cli_feeder_create(const struct cli_session_index *index, int fd, bool is_paced,
                                     uint64_t until_us);

/** For sm_session_set_connector(): each connection gets a thread. */
int cli_feeder_connect(void *feeder, enum sm_channel_kind kind, uint8_t id, bool is_secure);

/** True when every connection that was made has been given all that is due. Any thread. */
bool cli_feeder_is_done(const struct cli_feeder *feeder);

/** After the session was destroyed: waits for the threads. NULL does nothing. */
void cli_feeder_destroy(struct cli_feeder *feeder);

#endif
