/* SPDX-License-Identifier: MIT */
/*
 * What the guest's agent does for a session: its monitors take the sizes of our windows. It comes
 * and goes with the guest; SM_EVENT_INFO tells, and sm_session_info.has_agent is how it is.
 */
#ifndef SUMAC_AGENT_H
#define SUMAC_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Talks to the guest's agent in this session; by default it is left alone. Call it before
 * sm_session_connect().
 *
 * @return SM_OK; SM_ERR_STATE once sm_session_connect() was called
 */
SM_API SM_NODISCARD enum sm_status sm_session_use_agent(struct sm_session *session);

/** A monitor as the user would like it. */
struct sm_monitor_wish {
    uint32_t number;        /* as users count: below 16, from 0 over all displays */
    uint32_t width, height; /* in pixels, 1 to 16384 */
};

/**
 * Asks the guest to have these monitors, side by side, and no others. The wish is kept and told
 * again to each agent that comes; the same wish twice is sent once. Thread: any.
 *
 * @param wishes  `count` of them, 1 to 16, each number once; copied
 * @return SM_OK, also if there is no agent yet; SM_ERR_LIMIT if a value is out of range;
 *         SM_ERR_STATE before the session is connected, after its end, or without
 *         sm_session_use_agent(); SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_monitors(struct sm_session *session,
                                                           const struct sm_monitor_wish *wishes,
                                                           size_t count);

/**
 * How many bytes for the agent still wait on our side: of clipboard data, files and all else. 0
 * does not mean that the guest has dealt with all of it, only that the server has it.
 */
SM_API size_t sm_session_agent_backlog(const struct sm_session *session);

#ifdef __cplusplus
}
#endif

#endif
