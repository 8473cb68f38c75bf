/* SPDX-License-Identifier: MIT */
/*
 * The guest's agent: a byte stream of chunks on a char device, passed on between it and the
 * clients, with the few messages that the server makes and intercepts itself.
 */
#ifndef SM_SERVER_DEVICE_AGENT_H
#define SM_SERVER_DEVICE_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/main/agent_filter.h"
#include "core/wire/main.h"
#include "core/wire/migration.h"
#include "server/device/char_device.h"

struct sm_server;

enum {
    SM_AGENT_CHUNK_HEADER_SIZE = 8, /* port u32, size u32 */
    SM_AGENT_BUTTON_UP = 1 << 4,
    SM_AGENT_BUTTON_DOWN = 1 << 5,
};

/** Reading from the agent: a chunk header, then the chunk in pieces. */
struct sm_agent_reader {
    uint8_t header[SM_AGENT_CHUNK_HEADER_SIZE];
    uint32_t header_size; /* bytes got of it */
    uint32_t port;
    uint32_t left; /* bytes of the chunk not yet in `piece` */
    uint8_t piece[SM_AGENT_DATA_MAX];
    uint32_t piece_size; /* bytes got */
};

/** A pointer state on its way to the agent. */
struct sm_agent_pointer {
    uint32_t x, y, buttons;
    uint8_t display_id;
};

/** Thread: main context. */
struct sm_agent {
    struct sm_server *server;      /* borrowed */
    struct sm_char_device *device; /* owned; NULL: no agent */
    const void *context;           /* of its host, to know it by */
    uint32_t speaker;              /* id of the session whose message is under way; 0: none */
    bool is_broken;                /* it broke its protocol just now */
    bool mouse_is_enabled, copypaste_is_enabled, file_transfer_is_enabled;
    struct sm_agent_reader reader;
    struct sm_agent_filter filter;  /* of what it says; each client's main channel has its own */
    bool intercepts_monitors;       /* the graphics devices take the clients' wishes */
    bool can_take_device_info;      /* it said so */
    unsigned count;                 /* of the agents that have come so far */
    uint32_t rest_tag, rest_pieces; /* whose pieces another server handed on, and how many */
    bool is_touched;                /* this one was read from or written to */
    unsigned holds;                 /* clients on their way here: it is not touched until then */

    /* Messages of our own: one at a time, the newest state of each kind waits. */
    bool has_message_out, pointer_waits, device_info_waits;
    struct sm_agent_pointer pointer;
};

void sm_agent_init(struct sm_agent *agent, struct sm_server *server);

/**
 * Binds the char device of the agent.
 *
 * @param ops  borrowed, with its context, until sm_agent_detach()
 * @return SM_OK; SM_ERR_STATE if there is an agent already, or before the server was started;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_agent_attach(struct sm_agent *agent,
                                            const struct sm_char_device_ops *ops, void *context,
                                            bool notifies_writable);

/** The agent of this context is gone. Harmless if it was broken off before. */
void sm_agent_detach(struct sm_agent *agent, const void *context);

/** Whether there is an agent that clients can talk to. */
bool sm_agent_is_attached(const struct sm_agent *agent);

/** The device of this context has something to read, or room. */
void sm_agent_wakeup(struct sm_agent *agent, const void *context);
void sm_agent_set_running(struct sm_agent *agent, bool is_running);

/** Asks the graphics devices again whether they take the clients' wishes for monitors. */
void sm_agent_ask_displays(struct sm_agent *agent);

/** What may pass now. */
struct sm_agent_policy sm_agent_policy(const struct sm_agent *agent);

/* ---- from clients ---- */

/** A client has come: what the agent says is no longer lost. */
void sm_agent_client_connected(struct sm_agent *agent);

/** A client begins to talk to the agent. */
void sm_agent_client_started(struct sm_agent *agent);

/**
 * A client leaves: what it sent and the agent has not begun to take is dropped.
 *
 * @param connection_id  of its session
 */
void sm_agent_client_gone(struct sm_agent *agent, uint32_t connection_id);
/** The last client left. */
void sm_agent_clients_gone(struct sm_agent *agent);

/** A client can take more: go on reading. */
void sm_agent_read_on(struct sm_agent *agent);

/** A piece of a client's message that is to go to the agent; copied. */
SM_NODISCARD enum sm_status sm_agent_pass(struct sm_agent *agent, struct sm_bytes piece,
                                          uint32_t connection_id);

/** The client's pointer, for an agent that moves the guest's. */
void sm_agent_pointer(struct sm_agent *agent, uint32_t x, uint32_t y, uint32_t buttons,
                      uint8_t display_id);
/** The same with its last position. */
void sm_agent_buttons(struct sm_agent *agent, uint32_t buttons);

/* ---- migration; source: docs/migration.md ---- */

/** Source, while the machine stands: passes on what can be of a piece read in part. */
void sm_agent_flush(struct sm_agent *agent);

/**
 * Source: the device's state; the bytes it has not taken go to `pending`, and stay there. The agent
 * has to be attached.
 */
void sm_agent_save(const struct sm_agent *agent, struct sm_migration_main *out,
                   struct sm_writer *pending);

/** Target: leaves the agent alone, for a client whose state is still to come. */
void sm_agent_hold(struct sm_agent *agent);
void sm_agent_release(struct sm_agent *agent);

/**
 * Target: goes on where the source was. The agent has to be attached and untouched.
 *
 * @param connection_id  of the client whose words are among those not written yet
 * @return SM_OK; SM_ERR_PROTOCOL for a state that cannot be; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_agent_restore(struct sm_agent *agent,
                                             const struct sm_migration_main *from,
                                             uint32_t connection_id);

/** The displays' addresses have changed. */
void sm_agent_displays_changed(struct sm_agent *agent);

#endif
