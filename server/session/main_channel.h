/* SPDX-License-Identifier: MIT */
/* The main channel of one session: what is said about the server, the pointer and the agent. */
#ifndef SM_SERVER_SESSION_MAIN_CHANNEL_H
#define SM_SERVER_SESSION_MAIN_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/channel.h"
#include "core/wire/main.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_channel_handover;
struct sm_channel_offer;
struct sm_main_channel;
struct sm_server;
struct sm_session;

enum {
    SM_MAIN_CHANNEL_CAPS = 1 << SM_MAIN_CAP_SEMI_SEAMLESS_MIGRATE | 1 << SM_MAIN_CAP_NAME_AND_UUID |
                           1 << SM_MAIN_CAP_AGENT_CONNECTED_TOKENS |
                           1 << SM_MAIN_CAP_SEAMLESS_MIGRATE | 1 << SM_MAIN_CAP_PEOPLE,
};

/**
 * @param handover  taken on SM_OK; INIT is sent at once, unless the client comes from another
 * server
 */
SM_NODISCARD enum sm_status sm_main_channel_create(struct sm_main_channel **out,
                                                   struct sm_server *server,
                                                   struct sm_session *session,
                                                   struct sm_channel_handover *handover);
void sm_main_channel_destroy(struct sm_main_channel *main);

/** What the network test found; zeroes before it is done. */
struct sm_channel_net_test sm_main_channel_net_test(const struct sm_main_channel *main);

/** The machine is about to move, or stays after all: see sm_main_server_set_moving(). */
void sm_main_channel_set_moving(struct sm_main_channel *main, bool is_moving);

/** Sends a message, or drops it if the session has not begun; a failure ends the session. */
void sm_main_channel_send(struct sm_main_channel *main, const struct sm_main_msg *msg);

/** What the client said it can. */
bool sm_main_channel_can(const struct sm_main_channel *main, enum sm_main_cap cap);

/* ---- migration ---- */

/** Sends INIT to a client that came from another server and begins anew here. */
SM_NODISCARD enum sm_status sm_main_channel_start(struct sm_main_channel *main);

/** Tells such a client whether it can go on as it was; then its MIGRATE_DATA has to come. */
SM_NODISCARD enum sm_status sm_main_channel_answer_seamless(struct sm_main_channel *main,
                                                            bool accepts);

/** Sends the client over to the target; what it is to take along follows when it asks. */
void sm_main_channel_migrate(struct sm_main_channel *main);

/** The last round trip of a ping; 0: not known. */
uint64_t sm_main_channel_round_trip_us(const struct sm_main_channel *main);

/** The network test found a slow line. */
bool sm_main_channel_is_low_bandwidth(const struct sm_main_channel *main);

/** Announces a channel that appeared, if the client has asked for the list before. */
void sm_main_channel_announce(struct sm_main_channel *main, const struct sm_channel_offer *offer);

/** What the pointer can, and how it moves; values of the wire. */
void sm_main_channel_mouse_mode(struct sm_main_channel *main, uint16_t supported, uint16_t current);

/** Tells all clients the time that frames are stamped with, now that no sound tells it. */
void sm_main_channels_take_time(struct sm_server *server);

/** Tells who is connected, if the client wants to know and may; while the line is busy it asks for
 * the list again with sm_people_tell() once it is free. */
void sm_main_channel_people(struct sm_main_channel *main, const struct sm_person *people,
                            uint32_t count);

/** Tells the user something important. */
void sm_main_channel_notify(struct sm_main_channel *main, const char *text);

/** The guest's agent came or went. */
void sm_main_channel_set_agent(struct sm_main_channel *main, bool is_attached);
/** The agent's policy has changed. */
void sm_main_channel_policy_changed(struct sm_main_channel *main);

/** Whether the agent may be read for this client now: it asked for it and has tokens. */
bool sm_main_channel_has_agent_room(const struct sm_main_channel *main);
/** At most 2048 bytes from the agent; nothing happens if the client has not asked for it. */
void sm_main_channel_agent_data(struct sm_main_channel *main, struct sm_bytes data, bool is_first);
/** `count` messages of this client have been dealt with. */
void sm_main_channel_agent_tokens(struct sm_main_channel *main, uint32_t count);

#endif
