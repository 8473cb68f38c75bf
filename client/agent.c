/* SPDX-License-Identifier: MIT */
#include "client/agent.h"

#include <string.h>

#include "client/session_private.h"
#include "core/base/arena.h"
#include "core/base/writer.h"
#include "core/channel/main/client.h"

enum {
    SIDE_MAX = 16384,
    COLOUR_DEPTH = 32,
    ARENA_LIMIT = 64 << 10,
    SELECTION_SIZE = 4, /* before bodies of the clipboard's messages */
    MESSAGE_LIMIT = SM_CLIPBOARD_MAX_BYTES * 2 + 4096, /* bytes; every line end may double */
};

/* What we can do, in the words of ANNOUNCE_CAPABILITIES. */
static const uint32_t OUR_CAPS =
    1u << SM_AGENT_CAP_MONITORS_CONFIG | 1u << SM_AGENT_CAP_REPLY |
    1u << SM_AGENT_CAP_MONITORS_CONFIG_POSITION | 1u << SM_AGENT_CAP_CLIPBOARD_BY_DEMAND |
    1u << SM_AGENT_CAP_CLIPBOARD_SELECTION | 1u << SM_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB |
    1u << SM_AGENT_CAP_CLIPBOARD_GRAB_SERIAL | 1u << SM_AGENT_CAP_AUDIO_VOLUME_SYNC |
    1u << SM_AGENT_CAP_FILE_XFER_DETAILED_ERRORS;

static bool can(const struct sm_client_agent *agent, enum sm_agent_cap cap)
{
    return agent->caps >> cap & 1;
}

/* What both sides can do decides the layout of the clipboard's messages. */
static uint32_t context(const struct sm_client_agent *agent)
{
    return (can(agent, SM_AGENT_CAP_CLIPBOARD_SELECTION) ? SM_AGENT_CONTEXT_SELECTION : 0u) |
           (can(agent, SM_AGENT_CAP_CLIPBOARD_GRAB_SERIAL) ? SM_AGENT_CONTEXT_GRAB_SERIAL : 0u);
}

enum sm_status sm_client_agent_send(struct sm_client_channel *main, const struct sm_agent_msg *msg)
{
    struct sm_writer w;
    sm_writer_init(&w, MESSAGE_LIMIT);
    enum sm_status status = sm_agent_msg_build(&w, msg, context(&main->session->agent));
    if (status == SM_OK)
        status = sm_main_client_send_agent(main->self, msg->type,
                                           (struct sm_bytes){.data = w.data, .size = w.size});
    sm_writer_finish(&w);
    atomic_store(&main->session->agent.backlog, sm_main_client_agent_queued(main->self));
    if (status == SM_AGAIN || status == SM_ERR_STATE) {
        sm_log_at(&main->session->log, SM_LOG_WARNING, "%s not sent to the guest's agent",
                  sm_agent_msg_name(msg->type));
        return SM_OK;
    }
    return status;
}

static enum sm_status announce(struct sm_client_channel *main, bool wants_answer)
{
    struct sm_agent_msg msg = {
        .type = SM_AGENT_ANNOUNCE_CAPABILITIES,
        .announce_capabilities = {.request = wants_answer, .num_caps = 1, .caps = &OUR_CAPS},
    };
    return sm_client_agent_send(main, &msg);
}

/* ---- Monitors ---- */

/*
 * Side by side from the left, in the order of their numbers. Agents that know SPARSE get all
 * places, those switched off being zero; others only what is on.
 */
static uint32_t lay_out(const struct sm_client_agent *agent, struct sm_agent_monitor *out)
{
    int32_t x = 0;
    uint32_t count = 0;
    bool is_sparse = can(agent, SM_AGENT_CAP_SPARSE_MONITORS_CONFIG);
    for (uint32_t i = 0; i < SM_AGENT_MONITORS_MAX; i++) {
        const struct sm_monitor_wish *wish = &agent->wishes[i];
        if (wish->width == 0) {
            if (is_sparse)
                out[count++] = (struct sm_agent_monitor){0};
            continue;
        }
        out[count++] = (struct sm_agent_monitor){
            .width = wish->width, .height = wish->height, .depth = COLOUR_DEPTH, .x = x};
        x += (int32_t)wish->width;
    }
    return count;
}

static enum sm_status tell_monitors(struct sm_client_channel *main)
{
    struct sm_client_agent *agent = &main->session->agent;
    struct sm_agent_monitor monitors[SM_AGENT_MONITORS_MAX] = {0};
    pthread_mutex_lock(&main->session->lock);
    uint32_t count = agent->has_wishes ? lay_out(agent, monitors) : 0;
    pthread_mutex_unlock(&main->session->lock);
    if (count == 0 || !agent->is_known || memcmp(monitors, agent->told, sizeof(monitors)) == 0)
        return SM_OK;
    struct sm_agent_msg msg = {
        .type = SM_AGENT_MONITORS_CONFIG,
        .monitors_config = {.num_monitors = count,
                            .flags = SM_AGENT_MONITORS_FLAG_USE_POS,
                            .monitors = monitors},
    };
    sm_log_at(&main->session->log, SM_LOG_DEBUG,
              "asking the guest for %u monitors, the first %ux%u", (unsigned)count,
              (unsigned)monitors[0].width, (unsigned)monitors[0].height);
    enum sm_status status = sm_client_agent_send(main, &msg);
    if (status == SM_OK)
        memcpy(agent->told, monitors, sizeof(monitors));
    return status;
}

static void monitors_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    if (tell_monitors(main) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the guest's monitors could not be set");
    sm_client_channel_kick(main);
}

/* ---- Its coming and going ---- */

static void set_caps(struct sm_client_channel *main, uint32_t caps)
{
    pthread_mutex_lock(&main->session->lock);
    main->session->agent.caps = caps;
    pthread_mutex_unlock(&main->session->lock);
}

enum sm_status sm_client_agent_changed(struct sm_client_channel *main, bool is_present)
{
    struct sm_client_agent *agent = &main->session->agent;
    if (!agent->is_used || is_present == agent->is_present)
        return SM_OK;
    agent->is_present = is_present;
    agent->is_known = false;
    set_caps(main, 0);
    memset(agent->told, 0, sizeof(agent->told));
    if (!is_present) {
        sm_client_clipboard_end(main);
        sm_client_files_end(main);
    }
    return is_present ? announce(main, true) : SM_OK;
}

static enum sm_status take_caps(struct sm_client_channel *main,
                                const struct sm_agent_announce_capabilities *told)
{
    struct sm_client_agent *agent = &main->session->agent;
    set_caps(main, told->num_caps > 0 ? told->caps[0] : 0);
    agent->is_known = true;
    sm_log_at(&main->session->log, SM_LOG_DEBUG, "the guest's agent can do 0x%08x",
              (unsigned)agent->caps);
    enum sm_status status = told->request ? announce(main, false) : SM_OK;
    if (status == SM_OK)
        status = tell_monitors(main);
    if (status == SM_OK)
        status = sm_client_clipboard_begin(main);
    return status == SM_OK ? sm_client_files_feed(main) : status;
}

enum sm_status sm_client_agent_message(struct sm_client_channel *main, uint32_t type,
                                       struct sm_bytes body)
{
    struct sm_arena arena;
    sm_arena_init(&arena, ARENA_LIMIT);
    struct sm_agent_msg msg;
    const char *reason = "";
    uint8_t whole[SELECTION_SIZE] = {0};
    if (type == SM_AGENT_CLIPBOARD_RELEASE && body.size == 1 &&
        context(&main->session->agent) & SM_AGENT_CONTEXT_SELECTION) {
        whole[0] = body.data[0]; /* agents of old leave the rest away */
        body = (struct sm_bytes){.data = whole, .size = sizeof(whole)};
    }
    enum sm_status status =
        sm_agent_msg_parse(&msg, type, body, context(&main->session->agent), &arena, &reason);
    if (status == SM_OK && type == SM_AGENT_ANNOUNCE_CAPABILITIES)
        status = take_caps(main, &msg.announce_capabilities);
    else if (status == SM_OK && type == SM_AGENT_REPLY && msg.reply.error != SM_AGENT_ERROR_SUCCESS)
        sm_log_at(&main->session->log, SM_LOG_INFO, "the guest's agent could not: %s",
                  sm_agent_msg_name(msg.reply.type));
    else if (status == SM_OK && type == SM_AGENT_FILE_XFER_STATUS)
        status = sm_client_files_status(main, &msg.file_xfer_status);
    else if (status == SM_OK)
        status = sm_client_clipboard_message(main, &msg);
    else if (status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT) {
        sm_log_at(&main->session->log, SM_LOG_WARNING, "a message of the guest's agent ignored: %s",
                  reason);
        status = SM_OK; /* the guest's mistake is no reason to lose its picture */
    }
    sm_arena_finish(&arena);
    return status;
}

/* ---- Public ---- */

enum sm_status sm_session_use_agent(struct sm_session *session)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->agent.is_used = true;
    return SM_OK;
}

size_t sm_session_agent_backlog(const struct sm_session *session)
{
    /* The parcels first: they become the other. */
    size_t parcels = atomic_load(&session->clipboard.parcels_size);
    return parcels + atomic_load(&session->agent.backlog);
}

static bool are_possible(const struct sm_monitor_wish *wishes, size_t count)
{
    uint32_t seen = 0;
    if (count < 1 || count > SM_AGENT_MONITORS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct sm_monitor_wish *wish = &wishes[i];
        if (wish->number >= SM_AGENT_MONITORS_MAX || seen >> wish->number & 1 || wish->width < 1 ||
            wish->width > SIDE_MAX || wish->height < 1 || wish->height > SIDE_MAX)
            return false;
        seen |= 1u << wish->number;
    }
    return true;
}

enum sm_status sm_session_set_monitors(struct sm_session *session,
                                       const struct sm_monitor_wish *wishes, size_t count)
{
    if (!are_possible(wishes, count))
        return SM_ERR_LIMIT;
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (!main || !session->agent.is_used)
        return SM_ERR_STATE;
    pthread_mutex_lock(&session->lock);
    memset(session->agent.wishes, 0, sizeof(session->agent.wishes));
    for (size_t i = 0; i < count; i++)
        session->agent.wishes[wishes[i].number] = wishes[i];
    session->agent.has_wishes = true;
    pthread_mutex_unlock(&session->lock);
    return sm_client_channel_post(main, monitors_call, NULL, 0);
}
