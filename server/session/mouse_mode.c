/* SPDX-License-Identifier: MIT */
#include "server/session/mouse_mode.h"

#include "core/wire/types.h"
#include "io/clock.h"
#include "server/device/stream_device.h"
#include "server/session/displays.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

static bool has_position_receiver(const struct sm_server *server)
{
    if (server->agent.mouse_is_enabled && sm_agent_is_attached(&server->agent))
        return true;
    /* A tablet knows one screen only. */
    return server->inputs.tablet && sm_displays_count(server) == 1 &&
           sm_stream_devices_count(server) == 0 &&
           sm_registry_count(&server->registry, SM_CHANNEL_DISPLAY) == 1;
}

uint16_t sm_mouse_mode_supported(const struct sm_server *server)
{
    return SM_MOUSE_MODE_SERVER | (server->mouse_mode.client_is_allowed ? SM_MOUSE_MODE_CLIENT : 0);
}

static void tell_client(struct sm_main_channel *main, void *opaque)
{
    const struct sm_server *server = opaque;
    sm_main_channel_mouse_mode(main, sm_mouse_mode_supported(server), server->mouse_mode.current);
}

static void set_mode(struct sm_server *server, uint16_t mode)
{
    if (server->mouse_mode.current == mode)
        return;
    server->mouse_mode.current = mode;
    sm_displays_set_mouse_mode(server, mode);
    sm_session_each(server, tell_client, server);
}

void sm_mouse_mode_update(struct sm_server *server)
{
    struct sm_mouse_mode_state *state = &server->mouse_mode;
    if (!server->is_started)
        return;
    struct sm_pointer_area area = sm_displays_pointer_area(server);
    bool is_allowed = area.is_allowed && has_position_receiver(server);

    if (is_allowed && server->inputs.tablet && area.width && area.height)
        server->inputs.tablet->set_logical_size(server->inputs.tablet_context, (int)area.width,
                                                (int)area.height);
    if (is_allowed == state->client_is_allowed)
        return;
    state->client_is_allowed = is_allowed;
    if (!is_allowed && state->current == SM_MOUSE_MODE_CLIENT)
        set_mode(server, SM_MOUSE_MODE_SERVER);
    else
        sm_session_each(server, tell_client, server);
}

void sm_mouse_mode_request(struct sm_server *server, uint16_t mode)
{
    if (mode == SM_MOUSE_MODE_SERVER ||
        (mode == SM_MOUSE_MODE_CLIENT && server->mouse_mode.client_is_allowed))
        set_mode(server, mode);
    else if (mode != SM_MOUSE_MODE_CLIENT &&
             sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "a client asked for the mouse mode %u", mode);
}
