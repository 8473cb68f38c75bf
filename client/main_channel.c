/* SPDX-License-Identifier: MIT */
/* The main channel: the facts of the session, and the list of the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/base/text.h"
#include "core/channel/main/client.h"
#include "io/clock.h"

/* A large picture may wait for the line, and what else is said to the agent behind it. Who sends
 * much, waits for room by itself. */
enum { AGENT_QUEUE_MAX = 2 * SM_CLIPBOARD_MAX_BYTES };

static uint32_t caps(const struct sm_session *session)
{
    /* Who records the session gets it in connections that each begin anew. */
    uint32_t seamless = session->capture ? 0 : 1u << SM_MAIN_CAP_SEAMLESS_MIGRATE;
    return 1u << SM_MAIN_CAP_SEMI_SEAMLESS_MIGRATE | 1u << SM_MAIN_CAP_NAME_AND_UUID |
           1u << SM_MAIN_CAP_AGENT_CONNECTED_TOKENS | 1u << SM_MAIN_CAP_PEOPLE | seamless;
}

static enum sm_status open_main(struct sm_client_channel *channel,
                                const struct sm_link_client_event *link, struct sm_machine *machine)
{
    struct sm_main_client *client;
    struct sm_main_client_config config = {
        .setup = sm_client_channel_setup(link),
        .wanted_mouse_mode = channel->session->settings.mouse_mode,
        .has_no_agent = !channel->session->agent.is_used,
        .max_agent_queue_bytes = AGENT_QUEUE_MAX,
        .is_migration_target = channel->session->migration.is_arriving,
    };
    enum sm_status status = sm_main_client_create(&client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    channel->self = client;
    *machine = sm_main_client_machine(client);
    if (config.is_migration_target)
        return sm_main_client_send(client,
                                   &(struct sm_main_msgc){.type = SM_MSGC_MAIN_MIGRATE_END});
    return SM_OK;
}

/* With the lock held. */
static void set_time(struct sm_session *session, uint32_t time_ms)
{
    session->info.has_multi_media_time = true;
    session->multi_media_offset_ms = time_ms - sm_now_us() / 1000;
}

/* With the lock held. Whatever changed the mode or the agent, the machine knows what is so. */
static void take_state(struct sm_session *session, const struct sm_main_client *client)
{
    session->info.session_id = sm_main_client_session_id(client);
    session->info.supported_mouse_modes = sm_main_client_mouse_modes(client);
    session->info.mouse_mode = (enum sm_pointer_mode)sm_main_client_mouse_mode(client);
    session->info.has_agent = sm_main_client_has_agent(client);
}

/* With the lock held. A host whose machine has none tells zeros. */
static void take_uuid(struct sm_session *session, const uint8_t *uuid)
{
    session->info.has_uuid = false;
    for (size_t i = 0; i < sizeof(session->info.uuid); i++)
        session->info.has_uuid = session->info.has_uuid || uuid[i] != 0;
    memcpy(session->info.uuid, uuid, sizeof(session->info.uuid));
}

static void tell_notice(struct sm_client_channel *channel, const struct sm_msg_notify *notify)
{
    char text[SM_NOTICE_SIZE];
    sm_text_line(text, sizeof(text), notify->message, ' ');
    struct sm_event event = {
        .kind = SM_EVENT_NOTICE,
        .channel = channel->kind,
        .severity = notify->severity <= SM_SEVERITY_ERROR ? (enum sm_severity)notify->severity
                                                          : SM_SEVERITY_ERROR,
        .text = text,
    };
    sm_events_put(&channel->session->events, &event);
    sm_log_at(&channel->session->log, SM_LOG_INFO, "the server says: %s", text);
}

static bool is_listed(const struct sm_session *session, struct sm_channel_id id)
{
    for (size_t i = 0; i < session->listed_count; i++)
        if ((unsigned)session->listed[i].kind == id.type && session->listed[i].id == id.id)
            return true;
    return false;
}

/* With the lock held: what the list has that we do not know. */
static enum sm_status add_listed(struct sm_session *session,
                                 const struct sm_msg_main_channels_list *list)
{
    size_t room = session->listed_count + list->num_channels;
    if (room > SM_LISTED_MAX)
        room = SM_LISTED_MAX;
    struct sm_channel_info *listed = realloc(session->listed, (room + 1) * sizeof(*listed));
    if (!listed)
        return SM_ERR_NOMEM;
    session->listed = listed;
    for (uint32_t i = 0; i < list->num_channels && session->listed_count < room; i++) {
        if (list->channels[i].type == SM_CHANNEL_MAIN || is_listed(session, list->channels[i]))
            continue;
        listed[session->listed_count++] = (struct sm_channel_info){
            .kind = (enum sm_channel_kind)list->channels[i].type,
            .id = list->channels[i].id,
        };
    }
    return SM_OK;
}

static enum sm_status open_kind(struct sm_session *session,
                                const struct sm_msg_main_channels_list *list, uint8_t only,
                                uint8_t but_not)
{
    enum sm_status status = SM_OK;
    for (uint32_t i = 0; i < list->num_channels && status == SM_OK; i++) {
        uint8_t type = list->channels[i].type;
        if ((!only || type == only) && type != but_not)
            status =
                sm_session_open_channel(session, (enum sm_channel_kind)type, list->channels[i].id);
    }
    return status;
}

static enum sm_status take_list(struct sm_client_channel *channel,
                                const struct sm_msg_main_channels_list *list)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    enum sm_status status = add_listed(session, list);
    bool is_first = !session->is_listed;
    if (status == SM_OK) {
        session->is_listed = true;
        session->info.is_connected = true;
    }
    pthread_mutex_unlock(&session->lock);
    if (status != SM_OK)
        return status;
    bool is_move = session->migration.is_anew;
    session->migration.is_anew = false;
    if (!is_first || is_move)
        sm_session_tell(session, is_first ? SM_EVENT_MOVED : SM_EVENT_INFO, channel);
    if (is_first && is_move)
        (void)sm_comeback_done(session);
    else if (is_first)
        sm_session_tell(
            session, sm_comeback_done(session) ? SM_EVENT_LINE_BACK : SM_EVENT_CONNECTED, channel);
    sm_silence_begin(channel);
    /* The picture first: it takes longest. */
    status = open_kind(session, list, SM_CHANNEL_DISPLAY, 0);
    if (status == SM_OK)
        status = open_kind(session, list, 0, SM_CHANNEL_DISPLAY);
    return status;
}

/* A message that changes what sm_session_get_info() tells. */
static enum sm_status take_fact(struct sm_client_channel *channel, const struct sm_main_msg *msg)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    enum sm_pointer_mode old_mode = session->info.mouse_mode;
    take_state(session, channel->self);
    bool has_new_mode = session->info.mouse_mode != old_mode;
    switch (msg->type) {
    case SM_MSG_MAIN_INIT:
        session->ram_hint = msg->init.ram_hint;
        set_time(session, msg->init.multi_media_time);
        break;
    case SM_MSG_MAIN_MULTI_MEDIA_TIME:
        set_time(session, msg->multi_media_time.time);
        break;
    case SM_MSG_MAIN_NAME:
        sm_text_line(session->info.name, sizeof(session->info.name), msg->name.name, '?');
        break;
    case SM_MSG_MAIN_UUID:
        take_uuid(session, msg->uuid.uuid);
        break;
    default:
        break;
    }
    bool is_connected = session->info.is_connected;
    pthread_mutex_unlock(&session->lock);
    if (has_new_mode)
        sm_session_reset_motion(session);
    enum sm_status status =
        sm_client_agent_changed(channel, sm_main_client_has_agent(channel->self));
    if (is_connected && msg->type != SM_MSG_MAIN_MULTI_MEDIA_TIME)
        sm_session_tell(session, SM_EVENT_INFO, channel);
    if (status == SM_OK && msg->type == SM_MSG_MAIN_INIT && session->migration.is_arriving)
        status = sm_migration_arrived(channel);
    return status;
}

static enum sm_status take_message(struct sm_client_channel *channel, const struct sm_main_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_MAIN_CHANNELS_LIST:
        return take_list(channel, &msg->channels_list);
    case SM_MSG_MAIN_PEOPLE:
        return sm_client_people_take(channel, &msg->people);
    case SM_MSG_NOTIFY:
        tell_notice(channel, &msg->notify);
        return SM_OK;
    case SM_MSG_WAIT_FOR_CHANNELS: /* servers use it on display channels; no reason to wait here */
        sm_channel_release(sm_main_client_channel(channel->self));
        return SM_OK;
    case SM_MSG_MAIN_MIGRATE_SWITCH_HOST:
        return sm_migration_switch(channel, &msg->migrate_switch_host.dst);
    case SM_MSG_MAIN_MIGRATE_BEGIN:
        return sm_migration_begin(channel, &msg->migrate_begin.dst, false, 0);
    case SM_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS:
        return sm_migration_begin(channel, &msg->migrate_begin_seamless.dst, true,
                                  msg->migrate_begin_seamless.src_mig_version);
    case SM_MSG_MAIN_MIGRATE_CANCEL:
        sm_migration_cancel(channel->session);
        return SM_OK;
    case SM_MSG_MAIN_MIGRATE_END:
        sm_migration_end(channel);
        return SM_OK;
    default:
        return take_fact(channel, msg);
    }
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct sm_main_client_event event;
    enum sm_status status;
    while ((status = sm_main_client_next(channel->self, &event)) == SM_OK) {
        if (event.kind == SM_MAIN_CLIENT_MESSAGE)
            status = take_message(channel, event.msg);
        else
            status = sm_client_agent_message(channel, event.agent_type, event.agent_body);
        if (status < 0)
            return status;
        sm_client_channel_handled(channel, event.serial);
    }
    /* Tokens may have come, or what was sent has left. */
    atomic_store(&channel->session->agent.backlog, sm_main_client_agent_queued(channel->self));
    sm_client_clipboard_look(channel);
    return status < 0 ? status : sm_client_files_feed(channel);
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    return sm_main_client_channel(channel->self);
}

static void closed(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    sm_session_end_channels(session);
    sm_silence_end(channel);
    sm_client_files_end(channel);
    sm_client_people_forget(channel);
    if (channel->self)
        (void)!sm_client_agent_changed(channel, false);
    pthread_mutex_lock(&session->lock);
    session->info.is_connected = false;
    pthread_mutex_unlock(&session->lock);
}

static void destroy(struct sm_client_channel *channel)
{
    if (!channel->is_link) /* which has no part in the clipboard of the main channel there is */
        sm_client_clipboard_detach(channel);
    sm_main_client_destroy(channel->self);
}

const struct sm_client_channel_ops sm_main_channel_ops = {
    .caps = caps,
    .open = open_main,
    .activity = activity,
    .base = base,
    .closed = closed,
    .destroy = destroy,
};
