/* SPDX-License-Identifier: MIT */
/*
 * Several people at one machine: who is there, and who has what there is one of (microphone, USB
 * devices, card readers, shared folders, ports). Servers of Sumac tell those who may do more than
 * look; others know nothing of it. Nothing here waits; SM_EVENT_PEOPLE says that something has
 * changed. What is handed over comes and goes as channels do.
 */
#ifndef SUMAC_PEOPLE_H
#define SUMAC_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_PARTICIPANT_NAME_SIZE = 33 /* bytes with the NUL */ };

/** One who is connected. */
struct sm_participant {
    uint32_t number; /* in the order of coming, from 1; nobody else's as long as the server runs */
    bool is_self;
    bool is_view_only;
    bool is_holder;                      /* has what there is one of */
    bool is_asking;                      /* for it */
    bool can_be_asked;                   /* its program can show that somebody asks */
    char name[SM_PARTICIPANT_NAME_SIZE]; /* as the server knows it; or empty */
};

/** Whether the server tells who is there, to us. False before SM_EVENT_PEOPLE. */
SM_API bool sm_session_knows_people(struct sm_session *session);

/**
 * Who is connected, in the order of coming.
 *
 * @param out  receives at most `room` of them; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_people(struct sm_session *session, struct sm_participant *out,
                                    size_t room);

/**
 * Asks the holder to hand over, or no longer. The holder decides; if there is none it is ours.
 *
 * @return SM_OK; SM_ERR_STATE if not connected, or the server does not know people; SM_ERR_LIMIT
 *         if too much is asked for at once; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_ask_for_devices(struct sm_session *session,
                                                              bool is_asking);

/**
 * Hands over to participant `number`; does nothing unless we are the holder. Their channels are
 * closed here.
 *
 * @return as sm_session_ask_for_devices()
 */
SM_API SM_NODISCARD enum sm_status sm_session_give_devices(struct sm_session *session,
                                                           uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
