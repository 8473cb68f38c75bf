/* SPDX-License-Identifier: MIT */
#include "server/device/stream_device.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/spicevmc.h"
#include "io/clock.h"
#include "server/device/stream_device_private.h"
#include "server/display/pointer.h"
#include "server/session/log.h"

enum {
    PATIENCE_MS = 30000, /* with a client that holds up the others */
    MARGIN_MS = 50,      /* between sending a frame and showing it */
    STREAMS = 50,        /* ids of streams are below */
    OUR_TAG = 1,         /* of buffers to the guest */
    CAPS = 1 << SM_DISPLAY_CAP_MONITORS_CONFIG | 1 << SM_DISPLAY_CAP_STREAM_REPORT |
           1 << SM_DISPLAY_CAP_PREF_VIDEO_CODEC_TYPE,
};

void sm_stream_device_hold(struct sm_stream_device *device)
{
    device->references++;
}

/* ---- to the guest ---- */

static void tell_guest(struct sm_stream_device *device, uint16_t type, struct sm_bytes body)
{
    struct sm_writer w;
    if (!device->port || !device->is_open)
        return;
    sm_writer_init(&w, 1024);
    sm_put_u8(&w, SM_STREAM_PORT_VERSION);
    sm_put_u8(&w, 0);
    sm_put_le16(&w, type);
    sm_put_le32(&w, (uint32_t)body.size);
    sm_put_bytes(&w, body);
    struct sm_bytes message = sm_writer_bytes(&w);
    if (sm_writer_status(&w) != SM_OK ||
        sm_char_device_write(device->port, &message, 1, OUR_TAG) != SM_OK)
        sm_say(device->server->log, SM_LOG_WARNING, "no memory for a message to the guest");
    sm_writer_finish(&w);
}

/* Which codecs all clients can decode; none if nobody is there, so that the guest stops. */
static void send_start_stop(struct sm_stream_device *device)
{
    uint8_t body[1 + SM_VIDEO_CODEC_H265] = {0};
    for (uint8_t codec = SM_VIDEO_CODEC_MJPEG; codec <= SM_VIDEO_CODEC_H265; codec++)
        if (sm_stream_viewers_can_decode(device, codec))
            body[++body[0]] = codec;
    tell_guest(device, SM_STREAM_PORT_START_STOP,
               (struct sm_bytes){.data = body, .size = 1u + body[0]});
}

void sm_stream_device_release(struct sm_stream_device *device)
{
    while (device->references == 2 && device->owes_start_stop && device->port) {
        device->owes_start_stop = false;
        send_start_stop(device);
    }
    if (--device->references > 0)
        return;
    sm_stream_port_finish(&device->parser);
    free(device);
}

/* ---- from the guest ---- */

static void take_format(struct sm_stream_device *device, const struct sm_stream_port_msg *msg)
{
    uint32_t old_id = device->stream_id;
    device->width = msg->width;
    device->height = msg->height;
    device->codec = msg->codec;
    device->stream_id = (old_id + 1) % STREAMS;
    sm_stream_viewers_begin(device, old_id);
}

static void take_frame(struct sm_stream_device *device, struct sm_bytes data)
{
    struct sm_display_msg frame = {
        .type = SM_MSG_DISPLAY_STREAM_DATA,
        .stream_data = {.id = device->stream_id,
                        .multi_media_time =
                            (uint32_t)(sm_now_us() / 1000) - SM_MM_LATENCY_MS + MARGIN_MS,
                        .data = data}};
    sm_stream_viewers_send(device, &frame);
}

static void take_cursor(struct sm_stream_device *device, const struct sm_stream_port_msg *msg)
{
    struct sm_cursor_command command = {
        .type = SM_CURSOR_SET,
        .is_visible = true,
        .shape = {.type = msg->cursor_type,
                  .width = (uint16_t)msg->width,
                  .height = (uint16_t)msg->height,
                  .hot_spot_x = msg->hot_x,
                  .hot_spot_y = msg->hot_y},
    };
    command.shape_data = malloc(msg->data.size + 1);
    if (!command.shape_data)
        return; /* the old shape stays */
    if (msg->data.size)
        memcpy(command.shape_data, msg->data.data, msg->data.size);
    command.shape.data = (struct sm_bytes){.data = command.shape_data, .size = msg->data.size};
    sm_pointer_command(device->pointer, &command);
}

static void take_info(struct sm_stream_device *device, const struct sm_stream_port_msg *msg)
{
    if (msg->data.size == 0) {
        sm_say(device->server->log, SM_LOG_WARNING, "a stream device without an address ignored");
        return;
    }
    size_t size = msg->data.size;
    memcpy(device->info_address, msg->data.data, size);
    device->info_address[size - 1] = '\0';
    device->info_stream_id = msg->stream_id;
    device->info_display_id = msg->device_display_id;
    device->has_info = true;
    sm_agent_displays_changed(&device->server->agent);
}

static void take(struct sm_stream_device *device, const struct sm_stream_port_msg *msg)
{
    struct sm_cursor_command move = {.type = SM_CURSOR_MOVE};
    switch (msg->type) {
    case SM_STREAM_PORT_FORMAT:
        take_format(device, msg);
        break;
    case SM_STREAM_PORT_DATA:
        take_frame(device, msg->data);
        break;
    case SM_STREAM_PORT_CURSOR_SET:
        take_cursor(device, msg);
        break;
    case SM_STREAM_PORT_CURSOR_MOVE:
        move.position = (struct sm_point16){(int16_t)msg->x, (int16_t)msg->y};
        sm_pointer_command(device->pointer, &move);
        break;
    case SM_STREAM_PORT_DISPLAY_INFO:
        take_info(device, msg);
        break;
    default:
        break;
    }
}

/* Nothing more can be understood until the guest opens its port anew. */
static void give_up(struct sm_stream_device *device)
{
    uint8_t body[128] = {0}; /* code 0, the text, a NUL */
    size_t size = strlen(device->parser.error) + 1;
    device->is_broken = true;
    sm_say(device->server->log, SM_LOG_WARNING, "Stream device received invalid message: %s",
           device->parser.error);
    memcpy(body + 4, device->parser.error, size);
    tell_guest(device, SM_STREAM_PORT_NOTIFY_ERROR,
               (struct sm_bytes){.data = body, .size = 4 + size});
    if (device->port) /* the host may be inside of its write now: it hears of it later */
        sm_loop_timer_start(device->server->loop, device->closed_timer, 0);
}

static void on_closed_timer(void *opaque)
{
    struct sm_stream_device *device = opaque;
    sm_stream_device_hold(device);
    if (device->is_broken && device->port)
        sm_char_device_set_state(device->port, false);
    sm_stream_device_release(device);
}

static bool discard(struct sm_stream_device *device)
{
    uint8_t lost[4096];
    return sm_char_device_read(device->port, lost, sizeof(lost)) > 0;
}

static bool read_some(struct sm_stream_device *device)
{
    size_t room;
    uint8_t *to = sm_stream_port_room(&device->parser, &room);
    if (!to) {
        device->parser.error = "Protocol error"; /* out of memory: the guest may try again */
        give_up(device);
        return false;
    }
    size_t size = sm_char_device_read(device->port, to, room);
    if (size == 0 || !device->port)
        return false;
    struct sm_stream_port_msg msg;
    enum sm_status status = sm_stream_port_got(&device->parser, size, &msg);
    if (status == SM_OK)
        take(device, &msg);
    else if (status != SM_AGAIN)
        give_up(device);
    return device->port != NULL;
}

static bool may_read(struct sm_stream_device *device)
{
    if (!device->is_open || !device->port)
        return false;
    bool was_held = device->is_held;
    device->is_held = !sm_stream_viewers_have_room(device);
    if (device->is_held && !was_held)
        sm_loop_timer_start(device->server->loop, device->slow_timer, PATIENCE_MS);
    return !device->is_held;
}

static bool on_read(void *user)
{
    struct sm_stream_device *device = user;
    bool gets_on = false;
    sm_stream_device_hold(device);
    if (may_read(device))
        gets_on = device->is_broken ? discard(device) : read_some(device);
    sm_stream_device_release(device);
    return gets_on;
}

void sm_stream_device_read_on(struct sm_stream_device *device)
{
    if (device->is_held && device->port && may_read(device)) {
        sm_loop_timer_cancel(device->server->loop, device->slow_timer);
        sm_char_device_wakeup(device->port);
    }
}

/* Whoever takes nothing holds up everybody. */
static void on_slow_timer(void *opaque)
{
    struct sm_stream_device *device = opaque;
    sm_stream_device_hold(device);
    sm_stream_viewers_drop_slow(device);
    sm_stream_device_read_on(device);
    sm_stream_device_release(device);
}

/* ---- the pointer ---- */

static void connect_cursor(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_stream_device *device = opaque;
    sm_pointer_connect(device->pointer, handover);
    sm_pointer_settle(device->pointer);
    sm_pointer_reap(device->pointer);
}

static void disconnect_cursor(void *opaque, uint32_t connection_id)
{
    struct sm_stream_device *device = opaque;
    sm_pointer_disconnect(device->pointer, connection_id);
}

static void migrate_cursor(void *opaque, uint32_t connection_id)
{
    struct sm_stream_device *device = opaque;
    sm_pointer_migrate(device->pointer, connection_id);
}

/* ---- life ---- */

/* The lowest id that no display has; −1 if all are taken. */
static int free_id(const struct sm_server *server)
{
    for (int id = 0; id <= UINT8_MAX; id++)
        if (!sm_registry_find(&server->registry, SM_CHANNEL_DISPLAY, (uint8_t)id) &&
            !sm_registry_find(&server->registry, SM_CHANNEL_CURSOR, (uint8_t)id))
            return id;
    return -1;
}

static void offer_channels(struct sm_stream_device *device)
{
    int id = free_id(device->server);
    if (device->is_offered || id < 0)
        return;
    device->display_offer = (struct sm_channel_offer){.type = SM_CHANNEL_DISPLAY,
                                                      .id = (uint8_t)id,
                                                      .caps = CAPS,
                                                      .connect = sm_stream_viewers_connect,
                                                      .disconnect = sm_stream_viewers_disconnect,
                                                      .migrate = sm_stream_viewers_migrate,
                                                      .opaque = device};
    device->cursor_offer = (struct sm_channel_offer){.type = SM_CHANNEL_CURSOR,
                                                     .id = (uint8_t)id,
                                                     .connect = connect_cursor,
                                                     .disconnect = disconnect_cursor,
                                                     .migrate = migrate_cursor,
                                                     .opaque = device};
    device->is_offered = true;
    sm_server_offer(device->server, &device->display_offer);
    sm_server_offer(device->server, &device->cursor_offer);
    sm_mouse_mode_update(device->server);
}

/* The guest begins anew, or has gone. */
static void reset(struct sm_stream_device *device)
{
    uint32_t old_id = device->stream_id;
    sm_stream_port_finish(&device->parser);
    device->is_broken = device->is_held = false;
    sm_loop_timer_cancel(device->server->loop, device->closed_timer);
    sm_loop_timer_cancel(device->server->loop, device->slow_timer);
    sm_char_device_drop(device->port, OUR_TAG);
    sm_stream_viewers_end(device, old_id);
    device->width = device->height = 0;
    sm_char_device_set_state(device->port, true);
}

void sm_stream_device_port_event(struct sm_stream_device *device, uint8_t event)
{
    static const uint8_t no_capabilities[] = {0};
    if (event != SM_PORT_EVENT_OPENED && event != SM_PORT_EVENT_CLOSED)
        return;
    sm_stream_device_hold(device);
    device->is_open = event == SM_PORT_EVENT_OPENED;
    reset(device);
    if (device->is_open && device->port) {
        offer_channels(device);
        tell_guest(device, SM_STREAM_PORT_CAPABILITIES,
                   (struct sm_bytes){.data = no_capabilities, .size = sizeof(no_capabilities)});
        device->owes_start_stop = !sm_list_is_empty(&device->viewers);
        if (device->port)
            sm_char_device_wakeup(device->port);
    }
    sm_stream_device_release(device);
}

static enum sm_status make_parts(struct sm_stream_device *device,
                                 const struct sm_char_device_ops *ops, void *context,
                                 bool notifies_writable)
{
    static const struct sm_char_device_user user = {.read = on_read};
    struct sm_server *server = device->server;
    struct sm_char_device_config config = {
        .ops = ops,
        .context = context,
        .notifies_writable = notifies_writable,
        .user = &user,
        .user_context = device,
        .loop = server->loop,
        .is_running = device->is_running,
    };
    device->slow_timer = sm_loop_timer_add(server->loop, on_slow_timer, device);
    device->closed_timer = sm_loop_timer_add(server->loop, on_closed_timer, device);
    if (!device->slow_timer || !device->closed_timer)
        return SM_ERR_NOMEM;
    enum sm_status status =
        sm_pointer_create(&device->pointer, server->loop, server->log, SM_WORKER_MOUSE_SERVER);
    return status ? status : sm_char_device_create(&device->port, &config);
}

static void free_parts(struct sm_stream_device *device)
{
    if (device->slow_timer)
        sm_loop_timer_remove(device->server->loop, device->slow_timer);
    if (device->closed_timer)
        sm_loop_timer_remove(device->server->loop, device->closed_timer);
    sm_pointer_destroy(device->pointer);
    sm_stream_device_release(device);
}

enum sm_status sm_stream_device_create(struct sm_stream_device **out, struct sm_server *server,
                                       const struct sm_char_device_ops *ops, void *context,
                                       bool notifies_writable)
{
    if (!server->is_started)
        return SM_ERR_STATE; /* no loop to live on */
    struct sm_stream_device *device = calloc(1, sizeof(*device));
    if (!device)
        return SM_ERR_NOMEM;
    device->server = server;
    device->references = 1;
    device->is_running = server->vm_is_running;
    sm_list_init(&device->viewers);
    sm_stream_port_init(&device->parser);
    enum sm_status status = make_parts(device, ops, context, notifies_writable);
    if (status != SM_OK) {
        free_parts(device);
        return status;
    }
    sm_list_append(&server->stream_devices, &device->link);
    *out = device;
    sm_char_device_set_state(device->port, true);
    return SM_OK;
}

void sm_stream_device_destroy(struct sm_stream_device *device)
{
    if (!device)
        return;
    if (device->is_offered) {
        sm_registry_remove(&device->display_offer);
        sm_registry_remove(&device->cursor_offer);
    }
    sm_stream_device_hold(device);
    sm_list_remove(&device->link);
    struct sm_char_device *port = device->port;
    device->port = NULL;
    sm_stream_viewers_drop_all(device);
    sm_char_device_destroy(port);
    sm_mouse_mode_update(device->server);
    free_parts(device);
    sm_stream_device_release(device);
}

void sm_stream_device_wakeup(struct sm_stream_device *device)
{
    sm_stream_device_hold(device);
    sm_char_device_wakeup(device->port);
    sm_stream_device_release(device);
}

/* ---- all of a server ---- */

static struct sm_stream_device *device_of(const struct sm_list *link)
{
    return SM_LIST_ITEM((struct sm_list *)(uintptr_t)link, struct sm_stream_device, link);
}

/* The host may add and remove devices while one of them is started. */
static struct sm_stream_device *find_unlike(struct sm_server *server, bool is_running)
{
    SM_LIST_FOR (link, &server->stream_devices)
        if (device_of(link)->is_running != is_running)
            return device_of(link);
    return NULL;
}

void sm_stream_devices_set_running(struct sm_server *server, bool is_running)
{
    struct sm_stream_device *device;
    while ((device = find_unlike(server, is_running))) {
        device->is_running = is_running;
        sm_stream_device_hold(device);
        sm_char_device_set_running(device->port, is_running);
        sm_stream_device_release(device);
    }
}

uint32_t sm_stream_devices_put_info(const struct sm_server *server, struct sm_writer *w)
{
    uint32_t count = 0;
    SM_LIST_FOR (link, &server->stream_devices) {
        const struct sm_stream_device *device = device_of(link);
        if (!device->has_info || !device->is_offered)
            continue;
        size_t size = strlen(device->info_address) + 1;
        sm_put_le32(w, device->display_offer.id);
        sm_put_le32(w, device->info_stream_id);
        sm_put_le32(w, device->info_display_id);
        sm_put_le32(w, (uint32_t)size);
        sm_put_bytes(
            w, (struct sm_bytes){.data = (const uint8_t *)device->info_address, .size = size});
        count++;
    }
    return count;
}

unsigned sm_stream_devices_count(const struct sm_server *server)
{
    unsigned count = 0;
    SM_LIST_FOR (link, &server->stream_devices)
        count += device_of(link)->is_offered;
    return count;
}
