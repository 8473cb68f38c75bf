/* SPDX-License-Identifier: MIT */
#include "server/device/agent.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/channel/agent_port.h"
#include "core/channel/main/agent_window.h"
#include "core/wire/agent.h"
#include "server/device/stream_device.h"
#include "server/session/displays.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

enum {
    OWN_MESSAGE_MAX = 64 << 10,
    /* What a source can have had under way: a piece for each token, and words of its own. */
    HANDED_ON_MAX = SM_MAIN_AGENT_TOKENS_MAX * (SM_AGENT_CHUNK_HEADER_SIZE + SM_AGENT_PIECE_MAX) +
                    2 * OWN_MESSAGE_MAX,
};

/* Of buffers that are no client's: their token comes back to us. */
static const uint32_t OWN_MESSAGE_TAG = SM_SESSION_NOBODY;

/* ---- messages of our own ---- */

static void begin_own_message(struct sm_writer *w, uint32_t type)
{
    sm_writer_init(w, OWN_MESSAGE_MAX);
    sm_put_le32(w, SM_AGENT_PORT_SERVER);
    sm_put_le32(w, 0); /* chunk size, filled in later */
    sm_put_le32(w, SM_AGENT_PROTOCOL);
    sm_put_le32(w, type);
    sm_put_le64(w, 0); /* opaque */
    sm_put_le32(w, 0); /* size, filled in later */
}

/* Sends what was put behind begin_own_message(); a message that cannot be made is not sent. */
static void end_own_message(struct sm_agent *agent, struct sm_writer *w, uint32_t tag)
{
    enum { HEADERS = SM_AGENT_CHUNK_HEADER_SIZE + SM_AGENT_HEADER_SIZE };
    if (sm_writer_status(w) == SM_OK) {
        uint32_t size = (uint32_t)sm_writer_bytes(w).size;
        sm_patch_le32(w, 4, size - SM_AGENT_CHUNK_HEADER_SIZE);
        sm_patch_le32(w, HEADERS - 4, size - HEADERS);
        struct sm_bytes message = sm_writer_bytes(w);
        /* Before writing: the token may come back from inside. */
        if (tag)
            agent->has_message_out = true;
        agent->is_touched = true;
        /* The end of a client must not get ahead of what it said; all else need not wait for a
         * file. */
        enum sm_status status = tag ? sm_char_device_write_soon(agent->device, message, tag)
                                    : sm_char_device_write(agent->device, &message, 1, tag);
        if (status && tag)
            agent->has_message_out = false;
    }
    sm_writer_finish(w);
}

static void send_pointer(struct sm_agent *agent)
{
    struct sm_writer w;
    agent->pointer_waits = false;
    begin_own_message(&w, SM_AGENT_MOUSE_STATE);
    sm_put_le32(&w, agent->pointer.x);
    sm_put_le32(&w, agent->pointer.y);
    sm_put_le32(&w, agent->pointer.buttons);
    sm_put_u8(&w, agent->pointer.display_id);
    end_own_message(agent, &w, OWN_MESSAGE_TAG);
}

static uint32_t put_display_info(struct sm_writer *w, const struct sm_display *display)
{
    const struct sm_display_address *address = sm_display_address(display);
    if (!address)
        return 0;
    size_t text_size = strlen(address->text) + 1;
    for (uint32_t i = 0; i < address->count; i++) {
        sm_put_le32(w, sm_display_id(display));
        sm_put_le32(w, i); /* monitor */
        sm_put_le32(w, address->first_display_id + i);
        sm_put_le32(w, (uint32_t)text_size);
        sm_put_bytes(w,
                     (struct sm_bytes){.data = (const uint8_t *)address->text, .size = text_size});
    }
    return address->count;
}

static void send_device_info(struct sm_agent *agent)
{
    struct sm_writer w;
    uint32_t count = 0;
    agent->device_info_waits = false;
    begin_own_message(&w, SM_AGENT_GRAPHICS_DEVICE_INFO);
    size_t count_at = sm_writer_bytes(&w).size;
    sm_put_le32(&w, 0);
    for (struct sm_display *display = sm_displays_next(agent->server, NULL); display;
         display = sm_displays_next(agent->server, display))
        count += put_display_info(&w, display);
    count += sm_stream_devices_put_info(agent->server, &w);
    sm_patch_le32(&w, count_at, count);
    end_own_message(agent, &w, OWN_MESSAGE_TAG);
}

/* Sends what waits for the one message of ours that may be on its way. */
static void send_waiting(struct sm_agent *agent)
{
    if (!sm_agent_is_attached(agent) || agent->has_message_out || agent->holds > 0)
        return;
    if (agent->device_info_waits)
        send_device_info(agent);
    else if (agent->pointer_waits)
        send_pointer(agent);
}

void sm_agent_pointer(struct sm_agent *agent, uint32_t x, uint32_t y, uint32_t buttons,
                      uint8_t display_id)
{
    agent->pointer =
        (struct sm_agent_pointer){.x = x, .y = y, .buttons = buttons, .display_id = display_id};
    agent->pointer_waits = true;
    send_waiting(agent);
}

void sm_agent_buttons(struct sm_agent *agent, uint32_t buttons)
{
    agent->pointer.buttons = buttons;
    agent->pointer_waits = true;
    send_waiting(agent);
}

void sm_agent_displays_changed(struct sm_agent *agent)
{
    agent->device_info_waits = agent->can_take_device_info;
    send_waiting(agent);
}

/* ---- from the agent ---- */

struct agent_words {
    struct sm_bytes piece;
    bool is_first; /* of a message */
};

static void send_to_client(struct sm_main_channel *main, void *opaque)
{
    const struct agent_words *words = opaque;
    sm_main_channel_agent_data(main, words->piece, words->is_first);
}

/* Deals with a piece from the agent that is complete. */
static void pass_to_clients(struct sm_agent *agent)
{
    struct sm_agent_reader *reader = &agent->reader;
    struct sm_bytes piece = {.data = reader->piece, .size = reader->piece_size};
    bool is_first = false;
    const char *reason;
    agent->filter.policy = sm_agent_policy(agent);
    switch (sm_agent_filter_piece(&agent->filter, piece, &is_first, &reason)) {
    case SM_AGENT_VERDICT_OK:
        break;
    case SM_AGENT_VERDICT_PROTOCOL_ERROR:
        /* Nothing more can be understood of this agent. */
        sm_say(agent->server->log, SM_LOG_WARNING, "%s", reason);
        agent->is_broken = true;
        return;
    case SM_AGENT_VERDICT_DISCARD:
    case SM_AGENT_VERDICT_MONITORS_CONFIG:
        return;
    }
    if (is_first && sm_agent_filter_rewrite(&agent->filter, reader->piece, piece.size)) {
        agent->can_take_device_info = true;
        agent->device_info_waits = true;
    }
    struct agent_words words = {.piece = piece, .is_first = is_first};
    sm_session_each(agent->server, send_to_client, &words);
}

static void check_wants(struct sm_main_channel *main, void *opaque)
{
    bool *somebody_wants = opaque;
    *somebody_wants |= sm_main_channel_has_agent_room(main);
}

/* Without clients the agent's words are read and lost; with them they wait for one that listens. */
static bool may_read(struct sm_agent *agent)
{
    bool somebody_wants = !sm_session_first(agent->server, false);
    sm_session_each(agent->server, check_wants, &somebody_wants);
    return somebody_wants;
}

static bool read_header(struct sm_agent *agent)
{
    struct sm_agent_reader *reader = &agent->reader;
    size_t got = sm_char_device_read(agent->device, reader->header + reader->header_size,
                                     sizeof(reader->header) - reader->header_size);
    reader->header_size += (uint32_t)got;
    agent->is_touched = agent->is_touched || got > 0;
    if (got == 0 || reader->header_size < sizeof(reader->header))
        return got > 0;
    struct sm_reader r =
        sm_reader((struct sm_bytes){.data = reader->header, .size = sizeof(reader->header)});
    reader->port = sm_get_le32(&r);
    reader->left = sm_get_le32(&r);
    reader->piece_size = 0;
    if (reader->port != SM_AGENT_PORT_CLIENT && reader->port != SM_AGENT_PORT_SERVER) {
        sm_say(agent->server->log, SM_LOG_WARNING, "invalid port %u in the agent's stream",
               reader->port);
        agent->is_broken = true;
    }
    if (reader->left == 0)
        reader->header_size = 0;
    return true;
}

static bool read_piece(struct sm_agent *agent)
{
    struct sm_agent_reader *reader = &agent->reader;
    size_t room = sizeof(reader->piece) - reader->piece_size;
    size_t asked = reader->left < room ? reader->left : room;
    size_t got = sm_char_device_read(agent->device, reader->piece + reader->piece_size, asked);
    if (got == 0)
        return false;
    reader->left -= (uint32_t)got;
    reader->piece_size += (uint32_t)got;
    if (reader->left > 0 && reader->piece_size < sizeof(reader->piece))
        return true;
    if (reader->port == SM_AGENT_PORT_CLIENT)
        pass_to_clients(agent);
    reader->piece_size = 0;
    if (reader->left == 0)
        reader->header_size = 0; /* the chunk is done */
    return true;
}

/* Forgets half-read and half-decided messages; filters let nothing through until restarted. */
static void reset(struct sm_agent *agent)
{
    memset(&agent->reader, 0, sizeof(agent->reader));
    sm_agent_filter_reset(&agent->filter, sm_agent_policy(agent), true);
    agent->can_take_device_info = false;
    agent->speaker = 0;
    agent->has_message_out = agent->pointer_waits = agent->device_info_waits = false;
}

static void tell_disconnected(struct sm_main_channel *main, void *opaque)
{
    (void)opaque;
    sm_main_channel_set_agent(main, false);
}

/* The agent is there no more, as everybody but its host sees it. */
static void forget(struct sm_agent *agent)
{
    struct sm_char_device *device = agent->device;
    agent->device = NULL;
    reset(agent);
    sm_char_device_set_state(device, false);
    sm_char_device_destroy(device);
    sm_mouse_mode_update(agent->server);
    sm_session_each(agent->server, tell_disconnected, NULL);
}

/* ---- migration ---- */

void sm_agent_flush(struct sm_agent *agent)
{
    struct sm_agent_reader *reader = &agent->reader;
    bool is_judged = agent->filter.left > 0 || reader->piece_size >= SM_AGENT_HEADER_SIZE;
    if (!agent->device || reader->piece_size == 0)
        return;
    if (reader->port == SM_AGENT_PORT_CLIENT) {
        if (!is_judged)
            return; /* the target judges it when it has come whole */
        pass_to_clients(agent);
    }
    reader->piece_size = 0;
    if (agent->is_broken)
        forget(agent);
}

void sm_agent_save(const struct sm_agent *agent, struct sm_migration_main *out,
                   struct sm_writer *pending)
{
    const struct sm_agent_reader *reader = &agent->reader;
    struct sm_reader header =
        sm_reader((struct sm_bytes){.data = reader->header, .size = sizeof(reader->header)});
    sm_char_device_save(agent->device, pending);
    out->device.connected = 1;
    out->device.write_data = sm_writer_bytes(pending);
    out->to_client_chunk_header_size = reader->header_size;
    /* Of a header that has come in part, its bytes where they belong. */
    out->to_client_chunk_port = sm_get_le32(&header);
    out->to_client_chunk_size = sm_get_le32(&header);
    if (reader->header_size == sizeof(reader->header))
        out->to_client_chunk_size = reader->left;
    out->to_client_header_done = agent->filter.left > 0;
    if (agent->filter.left > 0) {
        out->to_client_remaining = agent->filter.left;
        out->to_client_filter = (uint8_t)agent->filter.verdict;
    } else {
        out->to_client_partial =
            (struct sm_bytes){.data = reader->piece, .size = reader->piece_size};
    }
}

void sm_agent_hold(struct sm_agent *agent)
{
    agent->holds++;
}

void sm_agent_release(struct sm_agent *agent)
{
    if (agent->holds == 0 || --agent->holds > 0)
        return;
    send_waiting(agent);
    sm_agent_read_on(agent);
}

/* Whether a reader can stand where the source says; it has passed through a client. */
static bool can_stand(const struct sm_migration_main *from)
{
    bool has_header = from->to_client_chunk_header_size == SM_AGENT_CHUNK_HEADER_SIZE;
    bool is_port_known = from->to_client_chunk_port == SM_AGENT_PORT_CLIENT ||
                         from->to_client_chunk_port == SM_AGENT_PORT_SERVER;
    if (from->to_client_chunk_header_size > SM_AGENT_CHUNK_HEADER_SIZE ||
        from->to_client_filter == SM_AGENT_VERDICT_PROTOCOL_ERROR)
        return false;
    if (has_header && (!is_port_known || from->to_client_chunk_size == 0))
        return false;
    if (from->to_client_header_done)
        return from->to_client_partial.size == 0;
    return from->to_client_partial.size == 0 ||
           (has_header && from->to_client_partial.size < SM_AGENT_HEADER_SIZE);
}

enum sm_status sm_agent_restore(struct sm_agent *agent, const struct sm_migration_main *from,
                                uint32_t connection_id)
{
    struct sm_agent_reader *reader = &agent->reader;
    if (!can_stand(from) || from->device.write_data.size > HANDED_ON_MAX)
        return SM_ERR_PROTOCOL;
    *reader = (struct sm_agent_reader){
        .header_size = from->to_client_chunk_header_size,
        .port = from->to_client_chunk_port,
        .left = from->to_client_chunk_size,
        .piece_size = (uint32_t)from->to_client_partial.size,
    };
    for (unsigned i = 0; i < 4; i++) {
        reader->header[i] = (uint8_t)(from->to_client_chunk_port >> 8 * i);
        reader->header[4 + i] = (uint8_t)(from->to_client_chunk_size >> 8 * i);
    }
    if (reader->piece_size > 0)
        memcpy(reader->piece, from->to_client_partial.data, reader->piece_size);
    sm_agent_filter_reset(&agent->filter, sm_agent_policy(agent), false);
    if (from->to_client_header_done) {
        agent->filter.left = from->to_client_remaining;
        agent->filter.verdict = (enum sm_agent_verdict)from->to_client_filter;
    }
    if (from->device.write_data.size == 0)
        return SM_OK;
    agent->rest_tag = connection_id;
    agent->rest_pieces = from->device.write_num_client_tokens;
    return sm_char_device_write_first(agent->device, from->device.write_data, connection_id);
}

static bool on_read(void *user)
{
    struct sm_agent *agent = user;
    if (agent->is_broken || agent->holds > 0 || !may_read(agent))
        return false;
    bool gets_on = agent->reader.header_size < SM_AGENT_CHUNK_HEADER_SIZE ? read_header(agent)
                                                                          : read_piece(agent);
    if (agent->is_broken) {
        forget(agent);
        return false;
    }
    if (agent->device)
        send_waiting(agent);
    return gets_on;
}

static void return_tokens(struct sm_server *server, uint32_t connection_id, uint32_t count)
{
    struct sm_session *session = sm_session_find(server, connection_id);
    if (session && sm_session_main(session))
        sm_main_channel_agent_tokens(sm_session_main(session), count);
}

static void on_written(void *user, uint32_t tag)
{
    struct sm_agent *agent = user;
    if (tag != OWN_MESSAGE_TAG) {
        /* What another server handed on is one buffer, whatever it was paid, and the first. */
        uint32_t count = tag == agent->rest_tag && agent->rest_pieces ? agent->rest_pieces : 1;
        if (tag == agent->rest_tag)
            agent->rest_pieces = 0;
        if (tag)
            return_tokens(agent->server, tag, count);
        return;
    }
    agent->has_message_out = false;
    send_waiting(agent);
}

/* ---- life ---- */

void sm_agent_init(struct sm_agent *agent, struct sm_server *server)
{
    *agent = (struct sm_agent){
        .server = server,
        .mouse_is_enabled = true,
        .copypaste_is_enabled = true,
        .file_transfer_is_enabled = true,
    };
    reset(agent);
}

struct sm_agent_policy sm_agent_policy(const struct sm_agent *agent)
{
    return (struct sm_agent_policy){
        .has_copy_paste = agent->copypaste_is_enabled,
        .has_file_transfer = agent->file_transfer_is_enabled,
        .intercepts_monitors = agent->intercepts_monitors,
    };
}

void sm_agent_ask_displays(struct sm_agent *agent)
{
    agent->intercepts_monitors = sm_displays_take_monitors_config(agent->server);
}

static void tell_connected(struct sm_main_channel *main, void *opaque)
{
    (void)opaque;
    sm_main_channel_set_agent(main, true);
}

enum sm_status sm_agent_attach(struct sm_agent *agent, const struct sm_char_device_ops *ops,
                               void *context, bool notifies_writable)
{
    static const struct sm_char_device_user user = {.read = on_read, .written = on_written};
    if (agent->device || !agent->server->is_started)
        return SM_ERR_STATE;
    struct sm_char_device_config config = {
        .ops = ops,
        .context = context,
        .notifies_writable = notifies_writable,
        .user = &user,
        .user_context = agent,
        .loop = agent->server->loop,
        .is_running = agent->server->vm_is_running,
    };
    enum sm_status status = sm_char_device_create(&agent->device, &config);
    if (status)
        return status;
    agent->context = context;
    agent->is_broken = false;
    agent->count++;
    agent->is_touched = false;
    reset(agent);
    sm_mouse_mode_update(agent->server);
    sm_char_device_set_state(agent->device, true);
    if (!sm_list_is_empty(&agent->server->sessions)) {
        agent->filter.discards_all = false;
        sm_session_each(agent->server, tell_connected, NULL);
    }
    return SM_OK;
}

void sm_agent_detach(struct sm_agent *agent, const void *context)
{
    if (agent->device && agent->context == context)
        forget(agent);
}

bool sm_agent_is_attached(const struct sm_agent *agent)
{
    return agent->device && !agent->is_broken;
}

void sm_agent_wakeup(struct sm_agent *agent, const void *context)
{
    if (agent->device && agent->context == context)
        sm_char_device_wakeup(agent->device);
}

void sm_agent_set_running(struct sm_agent *agent, bool is_running)
{
    if (agent->device)
        sm_char_device_set_running(agent->device, is_running);
}

/* ---- from clients ---- */

void sm_agent_client_connected(struct sm_agent *agent)
{
    agent->filter.discards_all = false;
}

void sm_agent_client_started(struct sm_agent *agent)
{
    sm_agent_ask_displays(agent);
    sm_agent_displays_changed(agent);
    sm_agent_read_on(agent);
}

/* The agent forgets what it has begun with clients. */
static void tell_client_gone(struct sm_agent *agent)
{
    struct sm_writer w;
    begin_own_message(&w, SM_AGENT_CLIENT_DISCONNECTED);
    end_own_message(agent, &w, 0);
}

void sm_agent_client_gone(struct sm_agent *agent, uint32_t connection_id)
{
    bool was_amid = agent->speaker == connection_id;
    if (was_amid)
        agent->speaker = 0;
    if (!agent->device)
        return;
    size_t queued = sm_char_device_queued_size(agent->device);
    sm_char_device_drop(agent->device, connection_id);
    was_amid = was_amid || sm_char_device_queued_size(agent->device) < queued;
    /* The agent would take others' words for the rest of its message. */
    if (was_amid && sm_session_first(agent->server, false) && sm_agent_is_attached(agent))
        tell_client_gone(agent);
}

void sm_agent_clients_gone(struct sm_agent *agent)
{
    /* The agent may be amid a message: the next one must still be found where it begins. */
    agent->filter.verdict = SM_AGENT_VERDICT_DISCARD;
    agent->filter.discards_all = true;
    if (!sm_agent_is_attached(agent))
        return;
    tell_client_gone(agent);
    sm_agent_read_on(agent);
}

void sm_agent_read_on(struct sm_agent *agent)
{
    if (agent->device)
        sm_char_device_wakeup(agent->device);
}

enum sm_status sm_agent_pass(struct sm_agent *agent, struct sm_bytes piece, uint32_t connection_id)
{
    uint8_t header[SM_AGENT_CHUNK_HEADER_SIZE] = {SM_AGENT_PORT_CLIENT};
    for (unsigned i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(piece.size >> 8 * i);
    struct sm_bytes parts[] = {{.data = header, .size = sizeof(header)}, piece};
    if (!sm_agent_is_attached(agent))
        return SM_ERR_STATE;
    agent->is_touched = true;
    return sm_char_device_write(agent->device, parts, 2, connection_id);
}
