/* SPDX-License-Identifier: MIT */
#include "client/vmc_channel.h"

#include "client/channel_kinds.h"
#include "client/reasons.h"
#include "client/session_private.h"
#include "core/base/math.h"
#include "io/clock.h"
#include "media/libs.h"

enum { PIECE_MIN_BYTES = 4 << 10 }; /* smaller ones are mostly headers */

uint32_t sm_client_vmc_caps(const struct sm_session *session)
{
    (void)session;
    return 1u << SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4;
}

enum sm_status sm_client_vmc_open(struct sm_client_vmc *vmc, const struct sm_client_vmc_ops *ops,
                                  struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link,
                                  struct sm_machine *machine)
{
    struct sm_spicevmc_client_config config = {
        .setup = sm_client_channel_setup(link),
        .lz4 = &sm_media_lz4,
        .is_port = channel->kind != SM_CHANNEL_KIND_USBREDIR,
    };
    config.setup.is_local = channel->target->unix_path != NULL;
    enum sm_status status = sm_spicevmc_client_create(&vmc->client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    vmc->ops = ops;
    channel->self = vmc;
    *machine = sm_spicevmc_client_machine(vmc->client);
    return SM_OK;
}

void sm_client_vmc_finish(struct sm_client_vmc *vmc)
{
    sm_spicevmc_client_destroy(vmc->client);
    vmc->client = NULL;
}

static enum sm_status take(struct sm_client_channel *channel,
                           const struct sm_spicevmc_client_event *event)
{
    struct sm_client_vmc *vmc = channel->self;
    switch (event->kind) {
    case SM_SPICEVMC_CLIENT_DATA:
        return vmc->ops->data(channel, event->data);
    case SM_SPICEVMC_CLIENT_PORT_INIT:
        if (vmc->ops->init)
            vmc->ops->init(channel, event->data, event->is_open);
        return SM_OK;
    case SM_SPICEVMC_CLIENT_PORT_EVENT:
        if (vmc->ops->event)
            vmc->ops->event(channel, event->port_event);
        return SM_OK;
    case SM_SPICEVMC_CLIENT_MESSAGE:
        if (event->msg->type == SM_MSG_WAIT_FOR_CHANNELS) /* nothing here depends on others */
            sm_channel_release(sm_spicevmc_client_channel(vmc->client));
        return SM_OK;
    }
    return SM_OK;
}

enum sm_status sm_client_vmc_activity(struct sm_client_channel *channel)
{
    struct sm_client_vmc *vmc = channel->self;
    struct sm_channel *below = sm_spicevmc_client_channel(vmc->client);
    if (vmc->status != SM_OK)
        return vmc->status;
    if (vmc->ops->room && sm_channel_room(below) > 0)
        vmc->ops->room(channel);
    while (!vmc->is_paused) {
        struct sm_spicevmc_client_event event;
        enum sm_status status = sm_spicevmc_client_next(vmc->client, &event);
        if (status == SM_OK)
            status = take(channel, &event);
        if (status == SM_AGAIN)
            return SM_OK;
        vmc->status = status; /* a piece that made no sense is gone: none may follow it */
        if (status != SM_OK)
            return status;
        sm_client_channel_handled(channel, sm_channel_handled_serial(below));
    }
    return SM_OK;
}

struct sm_channel *sm_client_vmc_base(const struct sm_client_channel *channel)
{
    const struct sm_client_vmc *vmc = channel->self;
    return sm_spicevmc_client_channel(vmc->client);
}

enum sm_status sm_client_vmc_send(struct sm_client_channel *channel, struct sm_bytes data,
                                  bool may_pack)
{
    struct sm_client_vmc *vmc = channel->self;
    return sm_spicevmc_client_data(vmc->client, data, may_pack);
}

bool sm_client_vmc_is_full(const struct sm_client_channel *channel)
{
    const struct sm_client_vmc *vmc = channel->self;
    return sm_channel_room(sm_spicevmc_client_channel(vmc->client)) == 0;
}

size_t sm_client_vmc_piece(const struct sm_client_channel *channel, size_t waiting, size_t most)
{
    const struct sm_client_vmc *vmc = channel->self;
    size_t room = sm_channel_room(sm_spicevmc_client_channel(vmc->client));
    if (room == 0)
        return 0;
    most = sm_min_size(most, room < PIECE_MIN_BYTES ? PIECE_MIN_BYTES : room);
    return sm_min_size(waiting, most);
}

void sm_client_vmc_starved(struct sm_client_channel *channel)
{
    const struct sm_client_vmc *vmc = channel->self;
    if (!sm_client_vmc_is_full(channel))
        sm_channel_starved(sm_spicevmc_client_channel(vmc->client));
}

void sm_client_vmc_pause(struct sm_client_channel *channel, bool is_paused)
{
    struct sm_client_vmc *vmc = channel->self;
    if (vmc->is_paused == is_paused)
        return;
    vmc->is_paused = is_paused;
    if (!channel->pump)
        return;
    sm_pump_set_reading(channel->pump, !is_paused);
    if (is_paused)
        return;
    enum sm_status status = sm_client_vmc_activity(channel);
    if (status == SM_OK) {
        sm_client_channel_kick(channel);
        return;
    }
    struct sm_error error;
    sm_reason_channel(&error, &channel->attempt, status,
                      sm_channel_reason(sm_client_vmc_base(channel)));
    sm_client_channel_fail(channel, &error);
}
