/* SPDX-License-Identifier: MIT */
/* Server: from one server to the next. Source: docs/migration.md, "A channel's way". */
#include "core/channel/channel_private.h"

enum sm_status sm_channel_migrate(struct sm_channel *channel, uint32_t flags)
{
    struct sm_channel_migration *migration = &channel->migration;
    if (channel->config.role != SM_CHANNEL_SERVER || migration->is_leaving)
        return SM_ERR_STATE;
    enum sm_status status = sm_channel_send_base(
        channel, &(struct sm_base_msg){.type = SM_MSG_MIGRATE, .migrate = {.flags = flags}});
    if (status != SM_OK)
        return status;
    migration->is_leaving = true;
    migration->awaits_mark = flags & SM_MIGRATE_FLAG_NEED_FLUSH;
    sm_channel_pause_pings(channel);
    return SM_OK;
}

enum sm_status sm_channel_migrate_data(struct sm_channel *channel, struct sm_bytes data)
{
    if (!channel->migration.has_mark)
        return SM_ERR_STATE;
    channel->migration.has_mark = false;
    return sm_channel_send_base(channel, &(struct sm_base_msg){.type = SM_MSG_MIGRATE_DATA,
                                                               .migrate_data = {.data = data}});
}

bool sm_channel_is_leaving(const struct sm_channel *channel)
{
    return channel->migration.is_leaving;
}

void sm_channel_await_migrate_data(struct sm_channel *channel)
{
    channel->migration.awaits_data = true;
    sm_channel_pause_pings(channel);
}

bool sm_channel_awaits_migrate_data(const struct sm_channel *channel)
{
    return channel->migration.awaits_data;
}

void sm_channel_continue_serial(struct sm_channel *channel, uint64_t serial)
{
    channel->out.serial += serial;
}

enum sm_status sm_channel_migration_check(struct sm_channel *channel, uint16_t type)
{
    struct sm_channel_migration *migration = &channel->migration;
    if (migration->awaits_data) {
        if (type != SM_MSGC_MIGRATE_DATA)
            return sm_channel_fail(channel, SM_ERR_PROTOCOL,
                                   "a message ahead of the migration data");
        migration->awaits_data = false;
        sm_channel_resume_pings(channel);
        return SM_OK;
    }
    if (type == SM_MSGC_MIGRATE_FLUSH_MARK && migration->awaits_mark) {
        migration->awaits_mark = false;
        migration->has_mark = true;
        return SM_OK;
    }
    if (type == SM_MSGC_MIGRATE_DATA || type == SM_MSGC_MIGRATE_FLUSH_MARK)
        return sm_channel_fail(channel, SM_ERR_PROTOCOL, "migration data nobody asked for");
    return SM_OK;
}
