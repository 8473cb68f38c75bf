/* SPDX-License-Identifier: MIT */
#include "server/session/main_channel_internal.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/reader.h"
#include "core/channel/main/server.h"
#include "core/wire/agent.h"
#include "io/clock.h"
#include "io/pump.h"
#include "server/session/displays.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/people.h"
#include "server/session/session.h"

enum {
    SLOW_LINE_BITS = 10 << 20, /* per second: a line below it is spared */
};

/* ---- sending ---- */

void sm_main_channel_after_send(struct sm_main_channel *main, enum sm_status status)
{
    if (status) {
        /* Said once, and also for a client that comes again and again without reading. */
        if (!main->is_over && sm_log_limit_allows(&main->server->client_complaints, sm_now_us()))
            sm_say(main->server->log, SM_LOG_WARNING, "a message to a client could not be sent: %s",
                   sm_status_name(status));
        main->is_over = true;
        sm_session_end(main->session);
        return;
    }
    if (main->pump)
        sm_pump_kick(main->pump);
}

void sm_main_channel_send(struct sm_main_channel *main, const struct sm_main_msg *msg)
{
    /* INIT, or what the last server said, tells all there is to tell. */
    if (sm_main_server_is_started(main->machine))
        sm_main_channel_after_send(main, sm_main_server_send(main->machine, msg));
}

bool sm_main_channel_can(const struct sm_main_channel *main, enum sm_main_cap cap)
{
    return main->handover->channel_caps >> cap & 1;
}

/* A client is told of what it may have. */
static bool is_listed(const struct sm_main_channel *main, const struct sm_channel_offer *offer)
{
    return sm_people_may_have(main->session, offer->type);
}

static bool is_view_only(const struct sm_main_channel *main)
{
    return sm_session_is_view_only(main->session);
}

static void send_channels_list(struct sm_main_channel *main)
{
    const struct sm_list *offers = &main->server->registry.offers;
    uint32_t count = 0;
    SM_LIST_FOR (link, offers)
        count++;
    struct sm_channel_id *ids = sm_alloc_array(count, sizeof(*ids));
    if (!ids) {
        sm_main_channel_after_send(main, SM_ERR_NOMEM);
        return;
    }
    count = 0;
    SM_LIST_FOR (link, offers) {
        const struct sm_channel_offer *offer = SM_LIST_ITEM(link, struct sm_channel_offer, link);
        if (is_listed(main, offer))
            ids[count++] = (struct sm_channel_id){.type = offer->type, .id = offer->id};
    }
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_CHANNELS_LIST,
                              .channels_list = {.num_channels = count, .channels = ids}};
    main->has_channels_list = true;
    sm_main_channel_send(main, &msg);
    free(ids);
}

void sm_main_channel_announce(struct sm_main_channel *main, const struct sm_channel_offer *offer)
{
    if (!main->has_channels_list || !is_listed(main, offer))
        return;
    struct sm_channel_id id = {.type = offer->type, .id = offer->id};
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_CHANNELS_LIST,
                              .channels_list = {.num_channels = 1, .channels = &id}};
    sm_main_channel_send(main, &msg);
}

static bool has_pending(const struct sm_main_channel *main)
{
    return sm_channel_pending_size(sm_main_server_channel(main->machine)) > 0;
}

void sm_main_channel_people(struct sm_main_channel *main, const struct sm_person *people,
                            uint32_t count)
{
    if (!main->has_channels_list || !sm_main_channel_can(main, SM_MAIN_CAP_PEOPLE))
        return;
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_PEOPLE,
                              .people = {.num_people = count, .people = people}};
    main->owes_people = has_pending(main); /* who does not read is not told every step */
    if (!main->owes_people)
        sm_main_channel_send(main, &msg);
}

void sm_main_channel_mouse_mode(struct sm_main_channel *main, uint16_t supported, uint16_t current)
{
    struct sm_main_msg msg = {
        .type = SM_MSG_MAIN_MOUSE_MODE,
        .mouse_mode = {.supported_modes = supported, .current_mode = current}};
    sm_main_channel_send(main, &msg);
}

void sm_main_channel_tell_time(struct sm_main_channel *main)
{
    const struct sm_main_msg msg = {
        .type = SM_MSG_MAIN_MULTI_MEDIA_TIME,
        .multi_media_time.time = (uint32_t)(sm_now_us() / 1000) - SM_MM_LATENCY_MS,
    };
    sm_main_channel_send(main, &msg);
}

static void tell_time(struct sm_main_channel *main, void *opaque)
{
    (void)opaque;
    sm_main_channel_tell_time(main);
}

void sm_main_channels_take_time(struct sm_server *server)
{
    sm_session_each(server, tell_time, NULL);
}

void sm_main_channel_notify(struct sm_main_channel *main, const char *text)
{
    if (sm_main_server_is_started(main->machine))
        sm_main_channel_after_send(main,
                                   sm_main_server_warn(main->machine, sm_now_us() * 1000, text));
}

void sm_main_channel_set_agent(struct sm_main_channel *main, bool is_attached)
{
    main->agent_left = 0;
    if (is_view_only(main))
        return; /* to them there is none */
    if (is_attached && sm_main_channel_restore_agent(main))
        return; /* the one it talked to before it came here */
    sm_main_channel_after_send(main, sm_main_server_set_agent(main->machine, is_attached));
}

void sm_main_channel_policy_changed(struct sm_main_channel *main)
{
    sm_main_server_set_policy(main->machine, sm_agent_policy(&main->server->agent));
}

bool sm_main_channel_has_agent_room(const struct sm_main_channel *main)
{
    return sm_main_server_agent_room(main->machine);
}

void sm_main_channel_agent_data(struct sm_main_channel *main, struct sm_bytes data, bool is_first)
{
    if (is_view_only(main))
        return;
    if (is_first)
        sm_main_server_agent_said(main->machine, data);
    sm_main_channel_after_send(main, sm_main_server_agent_send(main->machine, data));
}

void sm_main_channel_agent_tokens(struct sm_main_channel *main, uint32_t count)
{
    sm_main_channel_after_send(main, sm_main_server_agent_taken(main->machine, count));
}

struct sm_channel_net_test sm_main_channel_net_test(const struct sm_main_channel *main)
{
    return sm_channel_net_test(sm_main_server_channel(main->machine));
}

uint64_t sm_main_channel_round_trip_us(const struct sm_main_channel *main)
{
    uint64_t rtt_us = sm_channel_rtt_us(sm_main_server_channel(main->machine));
    return rtt_us == UINT64_MAX ? 0 : rtt_us;
}

bool sm_main_channel_is_low_bandwidth(const struct sm_main_channel *main)
{
    struct sm_channel_net_test test = sm_main_channel_net_test(main);
    return test.is_done && test.bits_per_second && test.bits_per_second < SLOW_LINE_BITS;
}

/* ---- receiving ---- */

static void on_migration_message(struct sm_main_channel *main, const struct sm_main_msgc *msg)
{
    enum sm_status status = msg->type == SM_MSGC_MIGRATE_DATA
                                ? sm_main_channel_resume(main, msg->migrate_data.data)
                                : sm_migration_message(main->session, msg);
    if (status == SM_OK) {
        if (main->pump)
            sm_pump_kick(main->pump);
        return;
    }
    if (sm_log_limit_allows(&main->server->client_complaints, sm_now_us()))
        sm_say(main->server->log, SM_LOG_WARNING,
               "a client sent %s that does not fit: %s, disconnecting",
               sm_main_msgc_name(msg->type), sm_status_name(status));
    main->is_over = true;
    sm_session_end(main->session);
}

static void on_message(struct sm_main_channel *main, const struct sm_main_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MAIN_ATTACH_CHANNELS:
        send_channels_list(main);
        sm_people_changed(main->server);
        break;
    case SM_MSGC_MAIN_PEOPLE_WISH:
        sm_people_wish(main->session, &msg->people_wish);
        break;
    case SM_MSGC_MAIN_MOUSE_MODE_REQUEST:
        if (!is_view_only(main))
            sm_mouse_mode_request(main->server, msg->mouse_mode_request.mode);
        break;
    case SM_MSGC_DISCONNECTING: /* the socket says so, too */
        break;
    case SM_MSGC_MIGRATE_FLUSH_MARK:
        sm_main_channel_after_send(main, sm_main_channel_hand_on(main));
        break;
    default:
        on_migration_message(main, msg);
        break;
    }
}

/*
 * The agent puts pieces together as they come, so one message is finished before another client's
 * begins: one that begins in between is lost. The pieces' framing was checked by the machine.
 */
static bool takes_turn(struct sm_main_channel *main, struct sm_bytes piece)
{
    struct sm_agent *agent = &main->server->agent;
    uint32_t id = sm_session_id(main->session);
    if (main->agent_left == 0) {
        struct sm_reader r = sm_reader(piece);
        sm_skip(&r, SM_AGENT_HEADER_SIZE - 4);
        uint32_t size = sm_get_le32(&r);
        main->agent_left = (uint64_t)SM_AGENT_HEADER_SIZE + size;
        main->is_agent_deaf = agent->speaker != 0 && agent->speaker != id;
    }
    main->agent_left -= piece.size < main->agent_left ? piece.size : main->agent_left;
    if (main->is_agent_deaf)
        return false;
    agent->speaker = main->agent_left ? id : 0;
    return true;
}

void sm_main_channel_take_piece(struct sm_main_channel *main, struct sm_bytes piece)
{
    enum sm_status status = SM_ERR_STATE;
    if (sm_main_channel_holds_piece(main, piece))
        return;
    if (takes_turn(main, piece))
        status = sm_agent_pass(&main->server->agent, piece, sm_session_id(main->session));
    if (status == SM_ERR_STATE) /* no agent: the piece is dealt with */
        status = sm_main_server_agent_taken(main->machine, 1);
    if (status)
        sm_main_channel_after_send(main, status);
}

/* It may be a piece of a file, which a client of ours does not send faster than the line takes it:
 * see sm_channel_give_receipts(). */
static void on_agent_data(struct sm_main_channel *main, struct sm_bytes piece)
{
    if (!main->gives_receipts && !main->handover->is_unix) {
        main->gives_receipts = true;
        sm_main_channel_after_send(main,
                                   sm_channel_give_receipts(sm_main_server_channel(main->machine)));
    }
    sm_main_channel_take_piece(main, piece);
}

/* That a socket was closed is no news; that the client broke a rule or fell silent is. */
static void end_session(struct sm_main_channel *main)
{
    const char *fault = sm_channel_reason(sm_main_server_channel(main->machine));
    if (*fault && !main->is_over &&
        sm_log_limit_allows(&main->server->client_complaints, sm_now_us()))
        sm_say(main->server->log, SM_LOG_WARNING, "main:0 (%p): %s, disconnecting", (void *)main,
               fault);
    main->is_over = true;
    /* A client that is sent over may leave channel by channel. */
    if (sm_channel_is_leaving(sm_main_server_channel(main->machine)) && main->pump)
        sm_session_left(main->session);
    else
        sm_session_end(main->session);
}

static void on_activity(void *opaque)
{
    struct sm_main_channel *main = opaque;
    struct sm_agent *agent = &main->server->agent;
    struct sm_main_server_event event;
    enum sm_status status = SM_OK;
    if (main->is_over)
        return; /* the session's end is on its way: nothing more is served */
    while (!main->is_over && !(status = sm_main_server_next(main->machine, &event))) {
        switch (event.kind) {
        case SM_MAIN_SERVER_MESSAGE:
            on_message(main, event.msg);
            break;
        case SM_MAIN_SERVER_AGENT_START:
            sm_agent_client_started(agent);
            sm_main_channel_policy_changed(main);
            break;
        case SM_MAIN_SERVER_AGENT_DATA:
            on_agent_data(main, event.data);
            break;
        case SM_MAIN_SERVER_AGENT_MONITORS:
            if (!is_view_only(main))
                sm_displays_monitors_config(main->server, event.data);
            break;
        case SM_MAIN_SERVER_AGENT_ROOM:
            sm_agent_read_on(agent);
            break;
        }
    }
    if (status < 0)
        end_session(main);
    else if (main->owes_people && !main->is_over && !has_pending(main))
        sm_people_tell(main->session);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    (void)status;
    (void)reason;
    end_session(opaque);
}

/* ---- life ---- */

enum sm_status sm_main_channel_start(struct sm_main_channel *main)
{
    struct sm_server *server = main->server;
    main->has_channels_list =
        main->handover && main->handover->is_migrated; /* of the other server */
    sm_agent_ask_displays(&server->agent);
    sm_main_channel_policy_changed(main);
    struct sm_main_server_start start = {
        .session_id = sm_session_id(main->session),
        .display_channels_hint = sm_displays_count(server),
        .supported_mouse_modes = sm_mouse_mode_supported(server),
        .current_mouse_mode = server->mouse_mode.current,
        .has_agent = sm_agent_is_attached(&server->agent) && !is_view_only(main),
        .multi_media_time = (uint32_t)(sm_now_us() / 1000) - SM_MM_LATENCY_MS,
        .ram_hint = sm_displays_ram_size(server),
        .name = server->name,
        .uuid = server->has_uuid ? server->uuid : NULL,
    };
    return sm_main_server_start(main->machine, &start);
}

enum sm_status sm_main_channel_create(struct sm_main_channel **out, struct sm_server *server,
                                      struct sm_session *session,
                                      struct sm_channel_handover *handover)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_main_channel *main = calloc(1, sizeof(*main));
    if (!main)
        return SM_ERR_NOMEM;
    main->server = server;
    main->session = session;
    struct sm_main_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .policy = sm_agent_policy(&server->agent),
    };
    enum sm_status status = sm_main_server_create(&main->machine, &config, sm_now_us());
    if (!status && !handover->is_migrated)
        status = sm_main_channel_start(main);
    if (!status)
        status = sm_channel_handover_pump(handover, &main->pump, server->loop,
                                          sm_main_server_machine(main->machine), &callbacks, main);
    if (status) {
        sm_main_channel_destroy(main);
        return status;
    }
    main->handover = handover;
    sm_agent_client_connected(&server->agent);
    *out = main;
    return SM_OK;
}

void sm_main_channel_destroy(struct sm_main_channel *main)
{
    if (!main)
        return;
    sm_main_channel_forget_agent(main);
    sm_pump_destroy(main->pump);
    sm_main_server_destroy(main->machine);
    sm_channel_handover_destroy(main->handover);
    free(main);
}
