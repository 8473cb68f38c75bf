/* SPDX-License-Identifier: MIT */
#include "server/device/spicevmc.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/spicevmc/server.h"
#include "core/wire/migration.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "media/libs.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"

enum {
    READ_SIZE = 65568,          /* at once, as the reference: a message each */
    TOKENS = 128,               /* messages of a client on their way into the device */
    QUEUED_MAX_BYTES = 1 << 20, /* the same in bytes: no more is taken from the client */
    NAME_MAX_SIZE = 1024,
    MAX_ID = 255,
    BLOB_MAX = 17 << 20, /* of migration data */
};

static const uint32_t UNLIMITED = UINT32_MAX; /* in migration data: there is no count of tokens */

struct client {
    struct sm_spicevmc *vmc;
    uint32_t tag;                         /* of its buffers; no other client's */
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_spicevmc_server *machine;   /* owned */
    struct sm_pump *pump;                 /* owned */
    unsigned tokens;
    bool awaits_data; /* it comes from another server: the device is not read until they are here */
    bool is_pulled;   /* on the stack */
};

/*
 * The host is called from deep inside and may do anything from there, such as taking the device
 * away: each way in holds a reference, and looks again whether its client is still there.
 */
struct sm_spicevmc {
    struct sm_server *server; /* borrowed */
    struct sm_list link;      /* of the server's streams */
    unsigned references;      /* its owner's, and one for each of our functions on the stack */
    struct sm_channel_offer offer;
    const struct sm_char_device_ops *ops;
    void *context;
    struct sm_char_device *device; /* owned; NULL once it is destroyed */
    char *name;                    /* owned; NULL: no port */
    bool is_open;                  /* the guest's side of the port */
    bool is_running;
    bool waits_for_room; /* reading stopped because the client's line is full */
    uint32_t last_tag;
    struct client *client; /* owned; NULL: none */
    uint8_t piece[READ_SIZE];
};

static void hold(struct sm_spicevmc *vmc)
{
    vmc->references++;
}

static void release(struct sm_spicevmc *vmc)
{
    if (--vmc->references > 0)
        return;
    free(vmc->name);
    free(vmc);
}

static bool has_client(const struct sm_spicevmc *vmc, uint32_t tag)
{
    return vmc->client && vmc->client->tag == tag;
}

/* ---- the client ---- */

static void free_client(struct client *client)
{
    sm_pump_destroy(client->pump);
    sm_spicevmc_server_destroy(client->machine);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

/* Lets the client go; the last thing is that the host hears of it. */
static void drop_client(struct sm_spicevmc *vmc)
{
    struct client *client = vmc->client;
    if (!client)
        return;
    vmc->client = NULL;
    vmc->waits_for_room = false;
    sm_char_device_drop(vmc->device, client->tag);
    free_client(client);
    sm_char_device_set_state(vmc->device, false);
}

static void complain(struct sm_spicevmc *vmc, const char *words)
{
    struct sm_server *server = vmc->server;
    if (sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "%s:%u: %s",
               vmc->offer.type == SM_CHANNEL_USBREDIR ? "usbredir"
               : vmc->offer.type == SM_CHANNEL_WEBDAV ? "webdav"
                                                      : "port",
               vmc->offer.id, words);
}

static bool may_take(const struct sm_spicevmc *vmc)
{
    return vmc->client->tokens > 0 && sm_char_device_queued_size(vmc->device) < QUEUED_MAX_BYTES;
}

/* ---- migration; source: docs/migration.md ---- */

/* What of the client's words the device has not taken goes to the target. */
static enum sm_status hand_on(struct sm_spicevmc *vmc)
{
    struct sm_writer pending, blob;
    struct sm_migration_msg msg = {.type = SM_MIGRATION_SPICEVMC,
                                   .spicevmc = {.magic = SM_MIGRATION_MAGIC_SPICEVMC,
                                                .version = SM_MIGRATION_VERSION,
                                                .device = {.version = SM_MIGRATION_VERSION,
                                                           .connected = 1,
                                                           .num_client_tokens = UNLIMITED,
                                                           .num_send_tokens = UNLIMITED}}};
    sm_writer_init(&pending, BLOB_MAX);
    sm_writer_init(&blob, BLOB_MAX);
    sm_char_device_save(vmc->device, &pending);
    msg.spicevmc.device.write_data = sm_writer_bytes(&pending);
    enum sm_status status = sm_writer_status(&pending);
    if (status == SM_OK)
        status = sm_migration_msg_build(&blob, &msg, 0);
    if (status == SM_OK)
        status = sm_channel_migrate_data(sm_spicevmc_server_channel(vmc->client->machine),
                                         sm_writer_bytes(&blob));
    sm_writer_finish(&pending);
    sm_writer_finish(&blob);
    if (status == SM_OK)
        sm_pump_kick(vmc->client->pump);
    return status;
}

static enum sm_status resume(struct sm_spicevmc *vmc, struct sm_bytes data)
{
    struct sm_arena arena;
    struct sm_migration_msg msg;
    sm_arena_init(&arena, 0);
    enum sm_status status =
        sm_migration_msg_parse(&msg, SM_MIGRATION_SPICEVMC, data, 0, &arena, NULL);
    sm_arena_finish(&arena);
    if (status != SM_OK)
        return status;
    vmc->client->awaits_data = false;
    sm_channel_handover_resumed(vmc->client->handover);
    struct sm_bytes pending = msg.spicevmc.device.write_data;
    if (pending.size > 0) {
        vmc->client->tokens--;
        return sm_char_device_write_first(vmc->device, pending, vmc->client->tag);
    }
    sm_char_device_wakeup(vmc->device); /* it was not read until now */
    return SM_OK;
}

static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_spicevmc *vmc = opaque;
    if (!vmc->client || vmc->client->handover->connection_id != connection_id)
        return;
    hold(vmc);
    if (sm_channel_migrate(sm_spicevmc_server_channel(vmc->client->machine),
                           SM_MIGRATE_FLAG_NEED_FLUSH | SM_MIGRATE_FLAG_NEED_DATA_TRANSFER) !=
        SM_OK)
        drop_client(vmc);
    else
        sm_pump_kick(vmc->client->pump);
    release(vmc);
}

/* ---- the client's words ---- */

static enum sm_status take(struct sm_spicevmc *vmc, const struct sm_spicevmc_server_event *event)
{
    switch (event->kind) {
    case SM_SPICEVMC_SERVER_DATA:
        if (event->data.size == 0)
            return SM_OK;
        vmc->client->tokens--; /* before writing: it may come back from inside */
        return sm_char_device_write(vmc->device, &event->data, 1, vmc->client->tag);
    case SM_SPICEVMC_SERVER_PORT_EVENT:
        if (vmc->ops->event)
            vmc->ops->event(vmc->context, event->port_event);
        return SM_OK;
    case SM_SPICEVMC_SERVER_FLUSH_MARK:
        return hand_on(vmc);
    case SM_SPICEVMC_SERVER_MIGRATE_DATA:
        return resume(vmc, event->data);
    }
    return SM_OK;
}

/* Takes what the client said, as long as the device follows; the rest waits in the machine. */
static void pull(struct sm_spicevmc *vmc)
{
    struct client *client = vmc->client;
    if (!client || client->is_pulled)
        return;
    uint32_t tag = client->tag;
    client->is_pulled = true;
    while (has_client(vmc, tag) && may_take(vmc)) {
        struct sm_spicevmc_server_event event;
        enum sm_status status = sm_spicevmc_server_next(client->machine, &event);
        if (status == SM_AGAIN)
            break;
        if (status < 0) {
            complain(vmc, sm_channel_reason(sm_spicevmc_server_channel(client->machine)));
            drop_client(vmc);
        } else {
            status = take(vmc, &event);
            if (status != SM_OK && has_client(vmc, tag)) {
                complain(vmc, sm_status_name(status));
                drop_client(vmc);
            }
        }
    }
    if (has_client(vmc, tag))
        client->is_pulled = false;
}

static bool has_room(const struct sm_spicevmc *vmc)
{
    return vmc->client && !sm_channel_is_full(sm_spicevmc_server_channel(vmc->client->machine));
}

static void on_activity(void *opaque)
{
    struct sm_spicevmc *vmc = ((struct client *)opaque)->vmc;
    hold(vmc);
    pull(vmc);
    if (vmc->waits_for_room && has_room(vmc)) {
        vmc->waits_for_room = false;
        sm_char_device_wakeup(vmc->device);
    }
    release(vmc);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_spicevmc *vmc = ((struct client *)opaque)->vmc;
    hold(vmc);
    if (status != SM_ERR_IO)
        complain(vmc, reason);
    drop_client(vmc);
    release(vmc);
}

static enum sm_status set_up(struct sm_spicevmc *vmc, struct client *client)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_handover *handover = client->handover;
    struct sm_spicevmc_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .lz4 = &sm_media_lz4,
        .port_name = vmc->name,
        .is_port_open = vmc->is_open,
    };
    enum sm_status status = sm_spicevmc_server_create(&client->machine, &config, sm_now_us());
    if (status == SM_OK)
        status = sm_pump_create(
            &client->pump, vmc->server->loop, handover->transport,
            sm_spicevmc_server_machine(client->machine),
            (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
            &callbacks, client);
    if (status == SM_OK)
        handover->transport = NULL;
    return status;
}

static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_spicevmc *vmc = opaque;
    if (vmc->client) {
        complain(vmc, "a client is connected already; a further one is refused");
        sm_channel_handover_destroy(handover);
        return;
    }
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    if (++vmc->last_tag == 0)
        vmc->last_tag = 1;
    *client =
        (struct client){.vmc = vmc, .handover = handover, .tag = vmc->last_tag, .tokens = TOKENS};
    client->awaits_data = handover->is_migrated;
    sm_socket_set_interactive(handover->transport->fd);
    if (set_up(vmc, client) != SM_OK) {
        free_client(client);
        return;
    }
    vmc->client = client;
    hold(vmc);
    sm_char_device_set_state(vmc->device, true);
    if (vmc->device)
        sm_char_device_wakeup(vmc->device);
    release(vmc);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_spicevmc *vmc = opaque;
    hold(vmc);
    if (vmc->client && vmc->client->handover->connection_id == connection_id)
        drop_client(vmc);
    release(vmc);
}

/* ---- the device ---- */

/* Between two servers: what is read now would be lost. */
static bool is_on_the_way(const struct client *client)
{
    return client->awaits_data ||
           sm_channel_is_leaving(sm_spicevmc_server_channel(client->machine));
}

static bool pass_piece(struct sm_spicevmc *vmc)
{
    if (!vmc->client || is_on_the_way(vmc->client))
        return false;
    uint32_t tag = vmc->client->tag;
    if (!has_room(vmc)) {
        vmc->waits_for_room = true;
        return false;
    }
    size_t size = sm_char_device_read(vmc->device, vmc->piece, sizeof(vmc->piece));
    if (size == 0 || !has_client(vmc, tag))
        return false;
    struct sm_bytes piece = {.data = vmc->piece, .size = size};
    if (sm_spicevmc_server_data(vmc->client->machine, piece) != SM_OK) {
        complain(vmc, "out of memory"); /* a stream with a hole is of no use */
        drop_client(vmc);
        return false;
    }
    sm_pump_kick(vmc->client->pump);
    return true;
}

static bool on_read(void *user)
{
    struct sm_spicevmc *vmc = user;
    hold(vmc);
    bool gets_on = pass_piece(vmc);
    release(vmc);
    return gets_on;
}

static void on_written(void *user, uint32_t tag)
{
    struct sm_spicevmc *vmc = user;
    if (!vmc->client)
        return;
    hold(vmc);
    if (has_client(vmc, tag)) /* else its client has left, and there is room for the next one's */
        vmc->client->tokens++;
    if (!vmc->client->is_pulled) {
        pull(vmc);
        if (vmc->client)
            sm_pump_kick(vmc->client->pump); /* its machine may take more from the line */
    }
    release(vmc);
}

/* ---- life ---- */

static uint8_t type_of(const char *port_name)
{
    if (!port_name)
        return SM_CHANNEL_USBREDIR;
    return strcmp(port_name, "org.spice-space.webdav.0") == 0 ? SM_CHANNEL_WEBDAV : SM_CHANNEL_PORT;
}

/* −1 if all are taken. */
static int free_id(const struct sm_server *server, uint8_t type)
{
    int id = 0;
    while (id <= MAX_ID && sm_registry_find(&server->registry, type, (uint8_t)id))
        id++;
    return id <= MAX_ID ? id : -1;
}

static enum sm_status create_device(struct sm_spicevmc *vmc,
                                    const struct sm_spicevmc_config *config)
{
    static const struct sm_char_device_user user = {.read = on_read, .written = on_written};
    struct sm_char_device_config device = {
        .ops = config->ops,
        .context = config->context,
        .notifies_writable = config->notifies_writable,
        .user = &user,
        .user_context = vmc,
        .loop = vmc->server->loop,
        .is_running = vmc->is_running,
    };
    if (config->port_name) {
        vmc->name = strdup(config->port_name);
        if (!vmc->name)
            return SM_ERR_NOMEM;
    }
    return sm_char_device_create(&vmc->device, &device);
}

enum sm_status sm_spicevmc_create(struct sm_spicevmc **out, struct sm_server *server,
                                  const struct sm_spicevmc_config *config)
{
    if (!server->is_started)
        return SM_ERR_STATE; /* no loop to live on */
    uint8_t type = type_of(config->port_name);
    int id = free_id(server, type);
    if (id < 0 || (config->port_name && strlen(config->port_name) >= NAME_MAX_SIZE))
        return SM_ERR_LIMIT;
    struct sm_spicevmc *vmc = calloc(1, sizeof(*vmc));
    if (!vmc)
        return SM_ERR_NOMEM;
    vmc->server = server;
    vmc->references = 1;
    vmc->ops = config->ops;
    vmc->context = config->context;
    vmc->is_running = server->vm_is_running;
    enum sm_status status = create_device(vmc, config);
    if (status != SM_OK) {
        release(vmc);
        return status;
    }
    vmc->offer = (struct sm_channel_offer){
        .type = type,
        .id = (uint8_t)id,
        .caps = 1u << SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
        .migrates_with_data = true,
        .opaque = vmc,
    };
    sm_list_append(&server->streams, &vmc->link);
    sm_server_offer(server, &vmc->offer);
    *out = vmc;
    return SM_OK;
}

void sm_spicevmc_destroy(struct sm_spicevmc *vmc)
{
    if (!vmc)
        return;
    sm_registry_remove(&vmc->offer);
    sm_list_remove(&vmc->link);
    drop_client(vmc);
    sm_char_device_destroy(vmc->device);
    vmc->device = NULL;
    release(vmc);
}

void sm_spicevmc_wakeup(struct sm_spicevmc *vmc)
{
    hold(vmc);
    sm_char_device_wakeup(vmc->device);
    release(vmc);
}

void sm_spicevmc_port_event(struct sm_spicevmc *vmc, uint8_t event)
{
    if (event == SM_PORT_EVENT_OPENED || event == SM_PORT_EVENT_CLOSED)
        vmc->is_open = event == SM_PORT_EVENT_OPENED;
    if (!vmc->client)
        return;
    hold(vmc);
    if (sm_spicevmc_server_port_event(vmc->client->machine, event) == SM_OK)
        sm_pump_kick(vmc->client->pump);
    else
        drop_client(vmc);
    release(vmc);
}

/* The host may add and remove devices while one of them is started. */
static struct sm_spicevmc *find_unlike(struct sm_server *server, bool is_running)
{
    SM_LIST_FOR (link, &server->streams) {
        struct sm_spicevmc *vmc = SM_LIST_ITEM(link, struct sm_spicevmc, link);
        if (vmc->is_running != is_running)
            return vmc;
    }
    return NULL;
}

void sm_spicevmc_set_all_running(struct sm_server *server, bool is_running)
{
    struct sm_spicevmc *vmc;
    while ((vmc = find_unlike(server, is_running))) {
        vmc->is_running = is_running;
        hold(vmc);
        sm_char_device_set_running(vmc->device, is_running);
        release(vmc);
    }
}
