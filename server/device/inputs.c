/* SPDX-License-Identifier: MIT */
#include "server/device/inputs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/channel/inputs/server.h"
#include "core/wire/migration.h"
#include "io/clock.h"
#include "io/pump.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

enum {
    LOCK_DELAY_MS = 2000, /* a guest needs a moment to switch its lamps */
    INPUTS_CAPS = 1 << SM_INPUTS_CAP_KEY_SCANCODE,
};

struct inputs_client {
    struct sm_inputs *inputs;
    struct sm_list link;
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_inputs_server *machine;     /* owned */
    struct sm_pump *pump;                 /* owned */
};

static struct inputs_client *client_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct inputs_client, link);
}

static void destroy_client(struct inputs_client *client)
{
    sm_list_remove(&client->link);
    /* What it held down would stay down for ever. */
    if (client->pump)
        sm_keyboard_release_all(&client->inputs->keyboard);
    sm_pump_destroy(client->pump);
    sm_inputs_server_destroy(client->machine);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

/* ---- lamps ---- */

static void tell_lamps(struct sm_inputs *inputs)
{
    SM_LIST_FOR (link, &inputs->clients) {
        struct inputs_client *client = client_of(link);
        /* Without memory this client misses the change; the next one says it all. */
        if (!sm_inputs_server_modifiers(client->machine, inputs->keyboard.locks))
            sm_pump_kick(client->pump);
    }
}

static void on_lock_timer(void *opaque)
{
    tell_lamps(opaque);
}

static void tell_lamps_later(struct sm_inputs *inputs)
{
    sm_loop_timer_start(inputs->server->loop, inputs->lock_timer, LOCK_DELAY_MS);
}

void sm_inputs_leds(struct sm_inputs *inputs, uint8_t leds)
{
    inputs->keyboard.locks = leds & 7;
    tell_lamps(inputs);
}

/* ---- messages ---- */

/* True if a lock key was pressed. */
static bool on_key_message(struct sm_keyboard *keyboard, const struct sm_inputs_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_INPUTS_KEY_DOWN:
        return sm_keyboard_code(keyboard, msg->key_down.code);
    case SM_MSGC_INPUTS_KEY_UP:
        return sm_keyboard_code(keyboard, msg->key_up.code);
    case SM_MSGC_INPUTS_KEY_MODIFIERS:
        return sm_keyboard_set_locks(keyboard, (uint8_t)msg->key_modifiers.modifiers);
    case SM_MSGC_INPUTS_KEY_SCANCODE:
        return sm_keyboard_scancodes(keyboard, msg->key_scancode.scancodes);
    default:
        return false;
    }
}

static void on_pointer_message(struct sm_server *server, const struct sm_inputs_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_INPUTS_MOUSE_MOTION:
        sm_pointer_motion(server, msg->mouse_motion.dx, msg->mouse_motion.dy,
                          msg->mouse_motion.buttons_state);
        break;
    case SM_MSGC_INPUTS_MOUSE_POSITION:
        sm_pointer_position(server, msg->mouse_position.x, msg->mouse_position.y,
                            msg->mouse_position.buttons_state, msg->mouse_position.display_id);
        break;
    case SM_MSGC_INPUTS_MOUSE_PRESS:
        sm_pointer_press(server, msg->mouse_press.button, msg->mouse_press.buttons_state);
        break;
    case SM_MSGC_INPUTS_MOUSE_RELEASE:
        sm_pointer_release(server, msg->mouse_release.buttons_state);
        break;
    default:
        break;
    }
}

/* ---- migration; source: docs/migration.md ---- */

static enum sm_status hand_on(struct inputs_client *client)
{
    struct sm_writer blob;
    struct sm_migration_msg msg = {
        .type = SM_MIGRATION_INPUTS,
        .inputs = {.magic = SM_MIGRATION_MAGIC_INPUTS,
                   .version = SM_MIGRATION_VERSION,
                   .motion_count = (uint16_t)sm_inputs_server_motion_count(client->machine)}};
    sm_writer_init(&blob, 64);
    enum sm_status status = sm_migration_msg_build(&blob, &msg, 0);
    if (status == SM_OK)
        status = sm_channel_migrate_data(sm_inputs_server_channel(client->machine),
                                         sm_writer_bytes(&blob));
    sm_writer_finish(&blob);
    return status;
}

static enum sm_status resume(struct inputs_client *client, struct sm_bytes data)
{
    struct sm_arena arena;
    struct sm_migration_msg msg;
    sm_arena_init(&arena, 0);
    enum sm_status status =
        sm_migration_msg_parse(&msg, SM_MIGRATION_INPUTS, data, 0, &arena, NULL);
    sm_arena_finish(&arena);
    if (status == SM_OK)
        status = sm_inputs_server_add_motion(client->machine, msg.inputs.motion_count);
    if (status == SM_OK)
        status = sm_inputs_server_modifiers(client->machine, client->inputs->keyboard.locks);
    if (status == SM_OK)
        sm_channel_handover_resumed(client->handover);
    return status;
}

/* Before the host hears of it: what it draws in answer is to find it here. */
static void note_press(struct sm_server *server, uint16_t type)
{
    if (type != SM_MSGC_INPUTS_MOUSE_MOTION && type != SM_MSGC_INPUTS_MOUSE_POSITION)
        atomic_store(&server->input_us, sm_now_us());
}

static enum sm_status on_message(struct inputs_client *client, const struct sm_inputs_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MIGRATE_FLUSH_MARK:
        return hand_on(client);
    case SM_MSGC_MIGRATE_DATA:
        return resume(client, msg->migrate_data.data);
    default:
        note_press(client->inputs->server, msg->type);
        if (on_key_message(&client->inputs->keyboard, msg))
            tell_lamps_later(client->inputs);
        on_pointer_message(client->inputs->server, msg);
        return SM_OK;
    }
}

static void on_activity(void *opaque)
{
    struct inputs_client *client = opaque;
    const struct sm_inputs_msgc *msg;
    enum sm_status status;
    while (!(status = sm_inputs_server_next(client->machine, &msg))) {
        status = on_message(client, msg);
        if (status)
            break;
    }
    if (status < 0)
        destroy_client(client);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct inputs_client *client = opaque;
    struct sm_server *server = client->inputs->server;
    if (status != SM_ERR_IO && sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "inputs:0: %s, disconnecting", reason);
    destroy_client(client);
}

/* ---- clients ---- */

static void warn_about_plain_keys(struct sm_server *server, uint32_t connection_id)
{
    struct sm_session *session = sm_session_find(server, connection_id);
    if (session && sm_session_main(session))
        sm_main_channel_notify(sm_session_main(session), "keyboard channel is insecure");
}

static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_inputs *inputs = opaque;
    struct inputs_client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    client->inputs = inputs;
    client->handover = handover;
    sm_list_append(&inputs->clients, &client->link);
    struct sm_inputs_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .modifiers = inputs->keyboard.locks,
    };
    enum sm_status status = sm_inputs_server_create(&client->machine, &config, sm_now_us());
    if (!status)
        status =
            sm_channel_handover_pump(handover, &client->pump, inputs->server->loop,
                                     sm_inputs_server_machine(client->machine), &callbacks, client);
    if (status) {
        destroy_client(client);
        return;
    }
    if (!handover->is_secure && !handover->is_migrated)
        warn_about_plain_keys(inputs->server, handover->connection_id);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_inputs *inputs = opaque;
    SM_LIST_FOR (link, &inputs->clients)
        if (client_of(link)->handover->connection_id == connection_id)
            destroy_client(client_of(link));
}

static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_inputs *inputs = opaque;
    SM_LIST_FOR (link, &inputs->clients) {
        struct inputs_client *client = client_of(link);
        if (client->handover->connection_id != connection_id)
            continue;
        if (sm_channel_migrate(sm_inputs_server_channel(client->machine),
                               SM_MIGRATE_FLAG_NEED_FLUSH | SM_MIGRATE_FLAG_NEED_DATA_TRANSFER))
            destroy_client(client);
        else
            sm_pump_kick(client->pump);
    }
}

/* ---- life ---- */

void sm_inputs_init(struct sm_inputs *inputs, struct sm_server *server)
{
    *inputs = (struct sm_inputs){.server = server};
    sm_list_init(&inputs->clients);
    sm_keyboard_init(&inputs->keyboard, NULL, NULL);
}

enum sm_status sm_inputs_start(struct sm_inputs *inputs)
{
    inputs->lock_timer = sm_loop_timer_add(inputs->server->loop, on_lock_timer, inputs);
    if (!inputs->lock_timer)
        return SM_ERR_NOMEM;
    inputs->offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_INPUTS,
        .caps = INPUTS_CAPS,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
        .migrates_with_data = true,
        .opaque = inputs,
    };
    sm_server_offer(inputs->server, &inputs->offer);
    return SM_OK;
}

void sm_inputs_finish(struct sm_inputs *inputs)
{
    if (!inputs->lock_timer)
        return;
    while (!sm_list_is_empty(&inputs->clients))
        destroy_client(client_of(inputs->clients.next));
    sm_registry_remove(&inputs->offer);
    sm_loop_timer_remove(inputs->server->loop, inputs->lock_timer);
    inputs->lock_timer = NULL;
}
