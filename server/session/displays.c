/* SPDX-License-Identifier: MIT */
#include "server/session/displays.h"

#include <stdlib.h>
#include <string.h>

#include "server/display/worker.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/session.h"

enum {
    /*
     * MONITORS_CONFIG, STREAM_REPORT, PREF_COMPRESSION, PREF_VIDEO_CODEC_TYPE. Source: docs/wire,
     * "Capabilities by channel".
     */
    DISPLAY_CAPS = 1 << 1 | 1 << 4 | 1 << 6 | 1 << 12,
    CURSOR_CAPS = 0,
};

struct sm_display {
    struct sm_server *server;
    struct sm_list link;
    struct sm_display_config config;
    struct sm_worker *worker; /* owned */
    struct sm_channel_offer display_offer, cursor_offer;
    struct sm_display_address address;
    bool has_address;
    uint32_t scanout_width, scanout_height; /* pixels; 0: no GL scan-out */
};

static struct sm_display *display_of(const struct sm_list *link)
{
    return SM_LIST_ITEM((struct sm_list *)(uintptr_t)link, struct sm_display, link);
}

static void connect_display(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_display *display = opaque;
    sm_worker_connect_display(display->worker, handover);
}

static void connect_cursor(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_display *display = opaque;
    sm_worker_connect_cursor(display->worker, handover);
}

static void disconnect(void *opaque, uint32_t connection_id)
{
    struct sm_display *display = opaque;
    sm_worker_disconnect(display->worker, connection_id);
}

static void migrate_display(void *opaque, uint32_t connection_id)
{
    struct sm_display *display = opaque;
    sm_worker_migrate_display(display->worker, connection_id);
}

static void migrate_cursor(void *opaque, uint32_t connection_id)
{
    struct sm_display *display = opaque;
    sm_worker_migrate_cursor(display->worker, connection_id);
}

static void on_primary_changed(void *opaque)
{
    struct sm_display *display = opaque;
    sm_mouse_mode_update(display->server);
}

static enum sm_status start_worker(struct sm_display *display)
{
    const struct sm_server *server = display->server;
    struct sm_worker_config config = {
        .device = display->config.device,
        .device_context = display->config.device_context,
        .info = display->config.info,
        .channel_id = display->config.id,
        .log = server->log,
        .pool = server->pool,
        .input_us = &server->input_us,
        .shares = server->shares,
        .main_queue = server->queue,
        .primary_changed = on_primary_changed,
        .opaque = display,
        .compression = (enum sm_worker_compression)server->image_compression,
        .streaming = (enum sm_worker_streaming)server->streaming,
        .mouse_mode = (enum sm_worker_mouse_mode)server->mouse_mode.current,
        .codecs = server->video_codecs,
        .recorder = server->recorder,
    };
    return sm_worker_create(&display->worker, &config);
}

static void offer_channels(struct sm_display *display)
{
    struct sm_server *server = display->server;
    display->display_offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_DISPLAY,
        .id = display->config.id,
        .caps = DISPLAY_CAPS,
        .connect = connect_display,
        .disconnect = disconnect,
        .migrate = migrate_display,
        .migrates_with_data = true,
        .opaque = display,
    };
    display->cursor_offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_CURSOR,
        .id = display->config.id,
        .caps = CURSOR_CAPS,
        .connect = connect_cursor,
        .disconnect = disconnect,
        .migrate = migrate_cursor,
        .opaque = display,
    };
    sm_server_offer(server, &display->display_offer);
    sm_server_offer(server, &display->cursor_offer);
}

enum sm_status sm_display_create(struct sm_display **out, struct sm_server *server,
                                 const struct sm_display_config *config)
{
    if (!server->is_started || sm_registry_find(&server->registry, SM_CHANNEL_DISPLAY, config->id))
        return SM_ERR_STATE;
    struct sm_display *display = calloc(1, sizeof(*display));
    if (!display)
        return SM_ERR_NOMEM;
    display->server = server;
    display->config = *config;
    enum sm_status status = start_worker(display);
    if (status) {
        free(display);
        return status;
    }
    sm_list_insert(&server->displays, &display->link);
    offer_channels(display);
    sm_mouse_mode_update(server);
    *out = display;
    return SM_OK;
}

void sm_display_destroy(struct sm_display *display)
{
    if (!display)
        return;
    struct sm_server *server = display->server;
    sm_registry_remove(&display->display_offer);
    sm_registry_remove(&display->cursor_offer);
    sm_list_remove(&display->link);
    sm_worker_destroy(display->worker);
    free(display);
    sm_mouse_mode_update(server);
}

struct sm_worker *sm_display_worker(struct sm_display *display)
{
    return display->worker;
}

uint8_t sm_display_id(const struct sm_display *display)
{
    return display->config.id;
}

void sm_display_tell_compression_level(struct sm_display *display)
{
    const struct sm_server *server = display->server;
    bool is_kept =
        server->streaming == SM_STREAMING_OFF && server->image_compression == SM_COMPRESSION_QUIC;
    if (display->config.host->set_compression_level)
        display->config.host->set_compression_level(display->config.device_context, is_kept);
}

void sm_display_set_address(struct sm_display *display, const char *address,
                            uint32_t first_display_id, uint32_t count)
{
    struct sm_display_address *to = &display->address;
    size_t size = strnlen(address, SM_DISPLAY_ADDRESS_MAX);
    memset(to->text, 0, sizeof(to->text));
    memcpy(to->text, address, size);
    to->first_display_id = first_display_id;
    to->count = count;
    display->has_address = true;
    sm_worker_set_max_monitors(display->worker, count ? count : 1);
    sm_agent_displays_changed(&display->server->agent);
}

const struct sm_display_address *sm_display_address(const struct sm_display *display)
{
    return display->has_address ? &display->address : NULL;
}

void sm_display_set_scanout(struct sm_display *display, uint32_t width, uint32_t height)
{
    display->scanout_width = width;
    display->scanout_height = height;
    sm_mouse_mode_update(display->server);
}

unsigned sm_displays_count(const struct sm_server *server)
{
    unsigned count = 0;
    SM_LIST_FOR (link, &server->displays)
        count++;
    return count;
}

struct sm_display *sm_displays_next(const struct sm_server *server, struct sm_display *display)
{
    const struct sm_list *link = display ? display->link.next : server->displays.next;
    return link == &server->displays ? NULL : display_of(link);
}

void sm_displays_destroy_all(struct sm_server *server)
{
    while (!sm_list_is_empty(&server->displays))
        sm_display_destroy(display_of(server->displays.next));
}

void sm_displays_start(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays)
        sm_worker_start(display_of(link)->worker);
}

void sm_displays_stop(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays)
        sm_worker_stop(display_of(link)->worker);
}

void sm_displays_set_mouse_mode(struct sm_server *server, uint16_t mode)
{
    SM_LIST_FOR (link, &server->displays)
        sm_worker_set_mouse_mode(display_of(link)->worker, (enum sm_worker_mouse_mode)mode);
}

void sm_displays_video_codecs_changed(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays)
        sm_worker_set_video_codecs(display_of(link)->worker, &server->video_codecs);
}

void sm_displays_settings_changed(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays) {
        struct sm_display *display = display_of(link);
        sm_display_tell_compression_level(display);
        sm_worker_set_compression(display->worker,
                                  (enum sm_worker_compression)server->image_compression);
        sm_worker_set_streaming(display->worker, (enum sm_worker_streaming)server->streaming);
    }
}

uint32_t sm_displays_ram_size(const struct sm_server *server)
{
    if (sm_list_is_empty(&server->displays))
        return 0;
    return display_of(server->displays.next)->config.info.ram_size_bytes;
}

struct sm_pointer_area sm_displays_pointer_area(const struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays) {
        const struct sm_display *display = display_of(link);
        if (display->scanout_width && display->scanout_height)
            return (struct sm_pointer_area){.is_allowed = true,
                                            .width = display->scanout_width,
                                            .height = display->scanout_height};
        struct sm_worker_primary primary = sm_worker_get_primary(display->worker);
        if (primary.exists)
            return (struct sm_pointer_area){
                .is_allowed = primary.mouse_mode, .width = primary.width, .height = primary.height};
    }
    return (struct sm_pointer_area){.is_allowed = !sm_list_is_empty(&server->displays)};
}

void sm_displays_note_pointer(const struct sm_server *server, uint8_t id, uint32_t x, uint32_t y)
{
    bool is_only = sm_displays_count(server) == 1;
    SM_LIST_FOR (link, &server->displays) {
        struct sm_display *display = display_of(link);
        if (is_only || display->config.id == id)
            sm_worker_note_pointer(display->worker, x, y);
    }
}

bool sm_displays_take_monitors_config(const struct sm_server *server)
{
    SM_LIST_FOR (link, &server->displays) {
        const struct sm_display_config *config = &display_of(link)->config;
        if (!config->host->client_monitors_config ||
            !config->host->client_monitors_config(config->device_context, (struct sm_bytes){0}))
            return false;
    }
    return !sm_list_is_empty(&server->displays);
}

void sm_displays_monitors_config(const struct sm_server *server, struct sm_bytes monitors)
{
    SM_LIST_FOR (link, &server->displays) {
        const struct sm_display_config *config = &display_of(link)->config;
        if (config->host->client_monitors_config)
            (void)config->host->client_monitors_config(config->device_context, monitors);
    }
}
