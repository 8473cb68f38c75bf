/* SPDX-License-Identifier: MIT */
/*
 * Several people at one machine: who may be there, who only looks, and who holds what there is one
 * of. Source: docs/people.md. Main context.
 */
#ifndef SM_SERVER_SESSION_PEOPLE_H
#define SM_SERVER_SESSION_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/ticket.h"
#include "sumac/status.h"

struct sm_msgc_main_people_wish;
struct sm_server;
struct sm_session;

enum { SM_PEOPLE_UNLIMITED = 0 };

/** What a password opens. */
enum sm_welcome {
    SM_WELCOME_NOT,
    SM_WELCOME_CONTROL, /* everything */
    SM_WELCOME_VIEW,    /* to see and hear */
};

/** Reads the environment: SPICE_DEBUG_ALLOW_MC, SUMAC_CLIENTS, SUMAC_VIEW_PASSWORD_FILE,
 * SUMAC_VIEW_USERS_FILE. */
void sm_people_init(struct sm_server *server);

/**
 * What a client with this password may do, as far as it is known without the file.
 *
 * @param refusal    receives why it may not come in at all, for the log; static
 * @param asks_file  receives whether that may change: if the password is the one of the file for
 *                   looking (view_password.h), it is SM_WELCOME_VIEW
 */
enum sm_welcome sm_people_welcome(struct sm_server *server,
                                  const char given[SM_TICKET_PASSWORD_MAX + 1],
                                  const char **refusal, bool *asks_file);

/** What somebody who has logged in with SASL may do. */
enum sm_people_view {
    SM_PEOPLE_CONTROLS,
    SM_PEOPLE_VIEWS,      /* the name is in the file */
    SM_PEOPLE_UNREADABLE, /* rather too little than too much: only looks */
};

/** Reads the file of those who only look; NULL: there is none. Any thread; may wait for a disk. */
enum sm_people_view sm_people_look_up(const char *view_users_file, const char *user);

/** Whether there is room for one more person; one at a time there is, since the last one goes. */
bool sm_people_has_room(const struct sm_server *server);

/** Whether a session may have channels of this type now: whoever may not is not told of them. */
bool sm_people_may_have(const struct sm_session *session, uint8_t channel_type);

/** Tells those who want to know, soon and once, that who is there or what they want has changed. */
void sm_people_changed(struct sm_server *server);

/** Tells one session who is there now, if it wants to know and may. */
void sm_people_tell(struct sm_session *session);

/** What a client wants done with what there is one of; what cannot be is not done. */
void sm_people_wish(struct sm_session *session, const struct sm_msgc_main_people_wish *wish);

/** Keeps of `name` what shows on a line (sm_text_line()), cuts between two characters and fills up
 * with zeroes. */
void sm_people_cut_name(uint8_t *out, size_t size, const char *name);

/** A session has begun, or has left the server's list. */
void sm_people_came(struct sm_session *session);
void sm_people_left(struct sm_server *server, uint32_t connection_id);

/**
 * Gives microphone, USB devices and the other things there is one of to another session; its
 * former holder loses the channels.
 *
 * @return SM_OK; SM_ERR_STATE if there is no such session, or it may only look
 */
SM_NODISCARD enum sm_status sm_people_hand_over(struct sm_server *server, uint32_t connection_id);

#endif
