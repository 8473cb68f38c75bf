/* SPDX-License-Identifier: MIT */
/* A display's client on its way from one server to the next. Source: docs/migration.md. */
#include <string.h>

#include "core/base/arena.h"
#include "core/base/writer.h"
#include "core/channel/channel.h"
#include "core/gfx/region.h"
#include "io/pump.h"
#include "server/display/display_peer_private.h"

/* The dictionary as the client has it; behind a migration only the first display goes on with it.
 */
static void describe_glz(struct sm_display_peer *client, struct sm_peer_state *state)
{
    state->glz_id = client->init.glz_dictionary_id;
    state->glz_window_px = client->init.glz_dictionary_px;
    state->glz_next_id = client->glz ? sm_glz_share_next_id(client->glz) : client->glz_first_id;
}

/* A reference target looks at its own settings alone, which are those of the source. */
static bool has_lossy_layout(const struct sm_display_peer *client)
{
    const struct sm_channel_handover *handover = client->handover;
    return !sm_lossy_is_empty(&client->lossy) || handover->jpeg == SM_WAN_ALWAYS ||
           (handover->jpeg == SM_WAN_AUTO && handover->is_low_bandwidth);
}

static struct sm_rect lossy_bounds(const struct sm_display_peer *client, uint32_t surface_id)
{
    const struct sm_region *region = sm_lossy_region(&client->lossy, surface_id);
    return region ? sm_region_bounds(region) : (struct sm_rect){0};
}

static enum sm_status hand_on(struct sm_display_peer *client)
{
    struct sm_peer_surface surfaces[SM_SURFACES_MAX];
    struct sm_channel *channel = sm_display_server_channel(client->server);
    struct sm_peer_state state = {
        .serial = sm_channel_sent_serial(channel) + 1, /* this message counts */
        .is_low_bandwidth = client->handover->is_low_bandwidth,
        .cache_id = client->init.pixmap_cache_id,
        .cache_px = client->init.pixmap_cache_px,
        .empties_cache = client->handover->channel_id == 0,
        .surfaces = surfaces,
    };
    describe_glz(client, &state);
    if (client->images)
        sm_pixmap_cache_serials(client->images, state.cache_serials, SM_PEER_MAX_SHARERS);
    for (uint32_t id = 0; id < SM_SURFACES_MAX; id++)
        if (sm_display_peer_knows(client, id))
            surfaces[state.surface_count++] =
                (struct sm_peer_surface){.id = id, .lossy = lossy_bounds(client, id)};
    struct sm_writer blob;
    sm_writer_init(&blob, 64 << 10);
    enum sm_status status = sm_peer_state_build(&blob, &state, has_lossy_layout(client));
    if (status == SM_OK)
        status = sm_channel_migrate_data(channel, sm_writer_bytes(&blob));
    sm_writer_finish(&blob);
    return status;
}

static enum sm_status resume(struct sm_display_peer *client, const struct sm_peer_state *state)
{
    enum sm_status status = sm_display_server_resume(client->server, state->serial);
    if (status != SM_OK)
        return status;
    client->init = (struct sm_display_server_init){
        .pixmap_cache_id = state->cache_id,
        .pixmap_cache_px = state->cache_px,
        .glz_dictionary_id = state->glz_id,
        .glz_dictionary_px = state->glz_window_px,
    };
    client->glz_first_id = state->glz_next_id;
    client->empties_cache = state->empties_cache;
    memcpy(client->cache_serials, state->cache_serials, sizeof(client->cache_serials));
    for (uint32_t i = 0; i < state->surface_count; i++)
        sm_display_peer_set_knows(client, state->surfaces[i].id, true);
    if (client->handover->channel_id == 0)
        client->glz_window_px = state->glz_window_px;
    sm_display_peer_prepare_glz(client);
    for (uint32_t i = 0; i < state->surface_count; i++)
        if (!sm_rect_is_empty(state->surfaces[i].lossy))
            sm_display_peer_watch_lossy(client, sm_lossy_add(&client->lossy, state->surfaces[i].id,
                                                             state->surfaces[i].lossy));
    sm_channel_handover_resumed(client->handover);
    client->config.callbacks->on_resumed(client->config.opaque, client);
    return SM_OK;
}

static enum sm_status take_migration_data(struct sm_display_peer *client, struct sm_bytes data)
{
    struct sm_arena arena;
    struct sm_peer_state state;
    sm_arena_init(&arena, 128 << 10);
    enum sm_status status = sm_peer_state_parse(&state, data, &arena);
    if (status == SM_OK)
        status = resume(client, &state);
    sm_arena_finish(&arena);
    return status;
}

void sm_display_peer_take_migration(struct sm_display_peer *client,
                                    const struct sm_display_msgc *msg)
{
    enum sm_status status = msg->type == SM_MSGC_MIGRATE_DATA
                                ? take_migration_data(client, msg->migrate_data.data)
                                : hand_on(client);
    if (status != SM_OK)
        sm_display_peer_close(client, msg->type == SM_MSGC_MIGRATE_DATA
                                          ? "migration data that cannot be"
                                          : "migration data could not be sent");
}

bool sm_display_peer_send_migrate(struct sm_display_peer *client)
{
    struct sm_channel *channel = sm_display_server_channel(client->server);
    if (client->is_closed || sm_channel_is_leaving(channel))
        return false;
    if (sm_channel_migrate(channel, SM_MIGRATE_FLAG_NEED_FLUSH |
                                        SM_MIGRATE_FLAG_NEED_DATA_TRANSFER) == SM_OK)
        return true;
    sm_display_peer_close(client, "out of memory");
    return false;
}

void sm_display_peer_migrate(struct sm_display_peer *client)
{
    client->is_leaving = true;
    /* The next server is told how they stand. */
    if (client->images)
        sm_pixmap_cache_freeze(client->images);
    if (client->glz)
        sm_glz_share_break(client->glz);
    if (sm_display_server_is_ready(client->server))
        sm_display_peer_push(client);
    else if (sm_display_peer_send_migrate(client))
        sm_pump_kick(client->pump);
}

bool sm_display_peer_is_arriving(const struct sm_display_peer *client)
{
    return client->is_arriving && !client->is_closed;
}

bool sm_display_peer_is_resumed(const struct sm_display_peer *client)
{
    return sm_display_server_is_ready(client->server);
}

void sm_display_peer_outdate(struct sm_display_peer *client, uint32_t surface_id)
{
    client->outdated[surface_id / 8] |= (uint8_t)(1u << (surface_id % 8));
    sm_peer_queue_forget(&client->queue, surface_id);
}

/* Its images would be mistaken for those of this server, which knows nothing of them. */
static void empty_caches(struct sm_display_peer *client)
{
    struct sm_wait_for_channel waits[SM_PEER_MAX_SHARERS];
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS};
    for (uint8_t id = 0; id < SM_PEER_MAX_SHARERS; id++)
        if (id != client->handover->channel_id && client->cache_serials[id] > 0)
            waits[msg.inval_all_pixmaps.num_waits++] =
                (struct sm_wait_for_channel){.channel_type = SM_CHANNEL_DISPLAY,
                                             .channel_id = id,
                                             .message_serial = client->cache_serials[id]};
    msg.inval_all_pixmaps.waits = waits;
    enum sm_status status = SM_OK;
    if (client->empties_cache)
        status = sm_display_server_send(client->server, &msg);
    /* The others would have to know when that has happened: they do without. */
    if (client->empties_cache && status == SM_OK)
        sm_display_peer_join_images(client);
    if (status == SM_OK)
        status = sm_display_server_send(
            client->server, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES});
    if (status != SM_OK)
        sm_display_peer_close(client, "out of memory");
}

void sm_display_peer_settle(struct sm_display_peer *client)
{
    client->is_arriving = false;
    empty_caches(client);
    for (uint32_t id = 0; id < SM_SURFACES_MAX; id++) {
        if (!sm_display_peer_knows(client, id)) {
            sm_peer_queue_forget(&client->queue, id);
            sm_lossy_forget(&client->lossy, id);
        } else if (client->outdated[id / 8] >> (id % 8) & 1) {
            sm_display_peer_queue_msg(
                client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_DESTROY,
                                                 .surface_destroy = {.surface_id = id}});
            sm_display_peer_set_knows(client, id, false);
        }
    }
}
