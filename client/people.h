/* SPDX-License-Identifier: MIT */
/* Who is at the machine. Source: docs/people.md. */
#ifndef SM_CLIENT_PEOPLE_H
#define SM_CLIENT_PEOPLE_H

#include "sumac/people.h"

struct sm_client_channel;
struct sm_msg_main_people;

/** Part of a session; zero-initialised. Under the session's lock. */
struct sm_client_people {
    struct sm_participant *list; /* owned; NULL: the server has told nothing */
    size_t count;
};

void sm_client_people_finish(struct sm_client_people *people);

/** The main channel's thread: takes what the server tells. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_client_people_take(struct sm_client_channel *channel,
                                                  const struct sm_msg_main_people *msg);

/** The main channel's thread: the connection is gone, or another server's. */
void sm_client_people_forget(struct sm_client_channel *channel);

#endif
