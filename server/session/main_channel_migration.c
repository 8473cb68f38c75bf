/* SPDX-License-Identifier: MIT */
/* A main channel on its way from one server to the next. Source: docs/migration.md. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/math.h"
#include "io/pump.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/main_channel_internal.h"
#include "server/session/session.h"

enum {
    BLOB_MAX = 2 << 20, /* bytes: what all of a client's tokens can have sent, and more */
    ARENA_LIMIT = 4 << 10,
};

/* ---- source ---- */

void sm_main_channel_set_moving(struct sm_main_channel *main, bool is_moving)
{
    sm_main_server_set_moving(main->machine, is_moving);
}

void sm_main_channel_migrate(struct sm_main_channel *main)
{
    sm_agent_flush(&main->server->agent);
    sm_main_channel_after_send(main, sm_main_server_migrate(main->machine));
}

/* What is said of an agent that is there; all zero if there is none. */
static void describe_agent(const struct sm_main_channel *main, struct sm_migration_main *out,
                           struct sm_writer *pending)
{
    struct sm_main_server_agent agent = sm_main_server_agent(main->machine);
    if (!sm_agent_is_attached(&main->server->agent) || sm_session_is_view_only(main->session))
        return;
    sm_agent_save(&main->server->agent, out, pending);
    out->device.num_client_tokens = agent.client_tokens;
    out->device.write_num_client_tokens = agent.owed;
    out->device.num_send_tokens = (uint32_t)sm_min_u64(agent.tokens, UINT32_MAX);
    out->client_agent_started = agent.is_started;
    out->from_client_remaining = agent.left;
    out->from_client_filter = (uint8_t)agent.verdict;
}

enum sm_status sm_main_channel_hand_on(struct sm_main_channel *main)
{
    struct sm_writer pending, blob;
    struct sm_migration_msg msg = {.type = SM_MIGRATION_MAIN};
    msg.main.magic = SM_MIGRATION_MAGIC_MAIN;
    msg.main.version = msg.main.device.version = SM_MIGRATION_VERSION;
    sm_writer_init(&pending, BLOB_MAX);
    sm_writer_init(&blob, BLOB_MAX);
    describe_agent(main, &msg.main, &pending);
    enum sm_status status = sm_writer_status(&pending);
    if (status == SM_OK)
        status = sm_migration_msg_build(&blob, &msg, 0);
    if (status == SM_OK)
        status =
            sm_channel_migrate_data(sm_main_server_channel(main->machine), sm_writer_bytes(&blob));
    sm_writer_finish(&pending);
    sm_writer_finish(&blob);
    return status;
}

/* ---- target ---- */

enum sm_status sm_main_channel_answer_seamless(struct sm_main_channel *main, bool accepts)
{
    const struct sm_agent *agent = &main->server->agent;
    enum sm_status status = sm_main_server_answer_seamless(main->machine, accepts);
    if (status != SM_OK || !accepts)
        return status;
    main->agents_before = agent->count - (sm_agent_is_attached(agent) ? 1 : 0);
    main->holds_agent = true;
    sm_agent_hold(&main->server->agent);
    return SM_OK;
}

void sm_main_channel_forget_agent(struct sm_main_channel *main)
{
    free(main->waiting_agent);
    main->waiting_agent = NULL;
    sm_writer_finish(&main->held);
    if (!main->holds_agent)
        return;
    main->holds_agent = false;
    sm_agent_release(&main->server->agent);
}

/*
 * A message under way cannot be judged any more, and the client may have made it up. Where
 * everything is allowed that does not matter.
 */
static bool bypasses_policy(const struct sm_main_channel *main,
                            const struct sm_migration_main *from)
{
    struct sm_agent_policy policy = sm_agent_policy(&main->server->agent);
    bool is_under_way =
        from->device.write_data.size > 0 ||
        (from->from_client_remaining > 0 && from->from_client_filter == SM_MIGRATION_FILTER_OK);
    return is_under_way && !(policy.has_copy_paste && policy.has_file_transfer);
}

/* The agent is not the one the client knows: it has to begin anew. */
static enum sm_status start_agent_over(struct sm_main_channel *main)
{
    enum sm_status status = sm_main_server_set_agent(main->machine, false);
    if (status == SM_OK && sm_agent_is_attached(&main->server->agent))
        status = sm_main_server_set_agent(main->machine, true);
    return status;
}

static enum sm_status restore(struct sm_main_channel *main, const struct sm_migration_main *from)
{
    const struct sm_agent *agent = &main->server->agent;
    bool is_known = agent->count - main->agents_before == 1 && !agent->is_touched;
    if (!is_known || bypasses_policy(main, from))
        return start_agent_over(main);
    if (from->from_client_filter == SM_MIGRATION_FILTER_OK)
        main->agent_left = from->from_client_remaining; /* it is amid a message */
    return sm_agent_restore(&main->server->agent, from, sm_session_id(main->session));
}

/* No more than the client has tokens for. Tokens come back when the agent has taken the pieces. */
bool sm_main_channel_holds_piece(struct sm_main_channel *main, struct sm_bytes piece)
{
    if (!main->waiting_agent)
        return false;
    sm_put_le32(&main->held, (uint32_t)piece.size);
    sm_put_bytes(&main->held, piece);
    sm_main_channel_after_send(main, sm_writer_status(&main->held));
    return true;
}

static void pass_held(struct sm_main_channel *main, struct sm_bytes held)
{
    struct sm_reader r = sm_reader(held);
    while (sm_left(&r) > 0 && !main->is_over) {
        uint32_t size = sm_get_le32(&r);
        sm_main_channel_take_piece(main, sm_get_bytes(&r, size));
    }
}

bool sm_main_channel_restore_agent(struct sm_main_channel *main)
{
    struct sm_migration_msg msg;
    struct sm_arena arena;
    if (!main->waiting_agent)
        return false;
    sm_arena_init(&arena, ARENA_LIMIT);
    struct sm_bytes data = {.data = main->waiting_agent, .size = main->waiting_agent_size};
    enum sm_status status = sm_migration_msg_parse(&msg, SM_MIGRATION_MAIN, data, 0, &arena, NULL);
    if (status == SM_OK)
        status = restore(main, &msg.main);
    sm_arena_finish(&arena);
    struct sm_writer held = main->held;
    sm_writer_init(&main->held, 0);
    sm_main_channel_forget_agent(main);
    sm_main_channel_after_send(main, status);
    if (status == SM_OK && sm_main_server_agent(main->machine).is_started)
        pass_held(main, sm_writer_bytes(&held)); /* else there is another agent now */
    sm_writer_finish(&held);
    return true;
}

/* The agent as the source knew it, and as it is here by now. */
static enum sm_status take_agent(struct sm_main_channel *main, const struct sm_migration_main *from,
                                 struct sm_bytes data)
{
    const struct sm_agent *agent = &main->server->agent;
    if (sm_session_is_view_only(main->session))
        return SM_OK; /* to them there is none */
    if (!from->device.connected)
        return sm_main_server_set_agent(main->machine, sm_agent_is_attached(agent));
    if (sm_agent_is_attached(agent))
        return restore(main, from);
    if (agent->count != main->agents_before)
        return start_agent_over(main); /* it came and went */
    sm_writer_init(&main->held, BLOB_MAX);
    main->waiting_agent = sm_memdup(data.data, data.size);
    main->waiting_agent_size = data.size;
    return main->waiting_agent ? SM_OK : SM_ERR_NOMEM;
}

static enum sm_status take(struct sm_main_channel *main, const struct sm_migration_main *from,
                           struct sm_bytes data)
{
    struct sm_main_server_agent agent = {
        .has_agent = from->device.connected && !sm_session_is_view_only(main->session),
        .is_started = from->client_agent_started,
        .client_tokens = from->device.num_client_tokens,
        .owed = from->device.write_num_client_tokens,
        .tokens = from->device.num_send_tokens,
        .left = from->from_client_remaining,
        .verdict = (enum sm_agent_verdict)from->from_client_filter,
    };
    if (agent.verdict == SM_AGENT_VERDICT_PROTOCOL_ERROR)
        return SM_ERR_PROTOCOL;
    sm_main_channel_policy_changed(main);
    enum sm_status status = sm_main_server_resume(main->machine, &agent);
    if (status == SM_OK)
        status = take_agent(main, from, data);
    return status;
}

enum sm_status sm_main_channel_resume(struct sm_main_channel *main, struct sm_bytes data)
{
    struct sm_migration_msg msg;
    struct sm_arena arena;
    if (data.size > BLOB_MAX)
        return SM_ERR_LIMIT;
    sm_arena_init(&arena, ARENA_LIMIT);
    enum sm_status status = sm_migration_msg_parse(&msg, SM_MIGRATION_MAIN, data, 0, &arena, NULL);
    if (status == SM_OK)
        status = take(main, &msg.main, data);
    sm_arena_finish(&arena);
    if (status != SM_OK)
        return status;
    main->has_channels_list = true; /* the source gave one */
    if (!main->waiting_agent)
        sm_main_channel_forget_agent(main);
    sm_main_channel_tell_time(main);
    sm_main_channel_mouse_mode(main, sm_mouse_mode_supported(main->server),
                               main->server->mouse_mode.current);
    sm_channel_handover_resumed(main->handover);
    return SM_OK;
}
