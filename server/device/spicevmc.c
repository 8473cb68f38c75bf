/* SPDX-License-Identifier: MIT */
#include "server/device/spicevmc.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/spicevmc/server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "media/libs.h"
#include "server/device/device_channel.h"
#include "server/session/internal.h"

enum {
    READ_SIZE = 65568, /* at once, as the reference: a message each */
    TOKENS = 128,      /* messages of a client on their way into the device */
    NAME_MAX_SIZE = 1024,
    MAX_ID = 255,
};

struct sm_spicevmc {
    struct sm_device_channel base;
    struct sm_list link; /* of the server's streams */
    const struct sm_char_device_ops *ops;
    void *context;
    char *name;   /* owned; NULL: no port */
    bool is_open; /* the guest's side of the port */
    bool is_running;
    unsigned tokens; /* the client's */
    uint8_t piece[READ_SIZE];
};

static struct sm_spicevmc *vmc_of(struct sm_device_channel *base)
{
    return (struct sm_spicevmc *)(void *)base;
}

static struct sm_spicevmc_server *machine_of(const struct sm_spicevmc *vmc)
{
    return vmc->base.client->machine;
}

/* ---- migration; source: docs/migration.md ---- */

/* What of the client's words the device has not taken goes to the target. */
static enum sm_status hand_on(struct sm_spicevmc *vmc)
{
    struct sm_migration_msg msg = {
        .type = SM_MIGRATION_SPICEVMC,
        .spicevmc = {.magic = SM_MIGRATION_MAGIC_SPICEVMC, .version = SM_MIGRATION_VERSION}};
    return sm_device_channel_hand_on(&vmc->base, &msg, &msg.spicevmc.device);
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
    struct sm_bytes pending = msg.spicevmc.device.write_data;
    if (pending.size > 0)
        vmc->tokens--;
    return sm_device_channel_resume(&vmc->base, pending);
}

/* ---- the client's words ---- */

static enum sm_status take_event(struct sm_spicevmc *vmc,
                                 const struct sm_spicevmc_server_event *event)
{
    switch (event->kind) {
    case SM_SPICEVMC_SERVER_DATA:
        if (event->data.size == 0)
            return SM_OK;
        vmc->tokens--; /* before writing: it may come back from inside */
        return sm_char_device_write(vmc->base.device, &event->data, 1, vmc->base.client->tag);
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

/* ---- what a channel of this kind does ---- */

static enum sm_status open_machine(struct sm_device_channel *self,
                                   const struct sm_channel_setup *setup, void **machine,
                                   struct sm_machine *pumped, struct sm_channel **channel)
{
    struct sm_spicevmc *vmc = vmc_of(self);
    struct sm_spicevmc_server_config config = {
        .setup = *setup,
        .lz4 = &sm_media_lz4,
        .port_name = vmc->name,
        .is_port_open = vmc->is_open,
    };
    struct sm_spicevmc_server *made;
    enum sm_status status = sm_spicevmc_server_create(&made, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    vmc->tokens = TOKENS;
    *machine = made;
    *pumped = sm_spicevmc_server_machine(made);
    *channel = sm_spicevmc_server_channel(made);
    return SM_OK;
}

static void close_machine(void *machine)
{
    sm_spicevmc_server_destroy(machine);
}

static bool may_take(const struct sm_device_channel *self)
{
    const struct sm_spicevmc *vmc = (const void *)self;
    return vmc->tokens > 0 && sm_char_device_queued_size(self->device) < SM_DEVICE_QUEUED_MAX_BYTES;
}

static enum sm_status take(struct sm_device_channel *self)
{
    struct sm_spicevmc_server_event event;
    enum sm_status status = sm_spicevmc_server_next(self->client->machine, &event);
    return status == SM_OK ? take_event(vmc_of(self), &event) : status;
}

/* Without a client nothing is read. */
static bool read_piece(struct sm_device_channel *self)
{
    struct sm_spicevmc *vmc = vmc_of(self);
    if (!self->client)
        return false;
    uint32_t tag = self->client->tag;
    size_t size = sm_char_device_read(self->device, vmc->piece, sizeof(vmc->piece));
    if (!sm_device_channel_has(self, tag))
        return false;
    if (size == 0) {
        sm_device_channel_starved(self);
        return false;
    }
    struct sm_bytes piece = {.data = vmc->piece, .size = size};
    if (sm_spicevmc_server_data(machine_of(vmc), piece) != SM_OK) {
        sm_device_channel_complain(self, "out of memory"); /* a stream with a hole is of no use */
        sm_device_channel_drop(self);
        return false;
    }
    sm_pump_kick(self->client->pump);
    sm_device_channel_sent(self, size);
    return true;
}

static void written(struct sm_device_channel *self)
{
    vmc_of(self)->tokens++;
}

static void free_vmc(struct sm_device_channel *self)
{
    struct sm_spicevmc *vmc = vmc_of(self);
    free(vmc->name);
    free(vmc);
}

static const struct sm_device_channel_ops OPS = {
    .open = open_machine,
    .close = close_machine,
    .may_take = may_take,
    .take = take,
    .read = read_piece,
    .written = written,
    .free = free_vmc,
};

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
    vmc->ops = config->ops;
    vmc->context = config->context;
    vmc->is_running = server->vm_is_running;
    vmc->name = config->port_name ? strdup(config->port_name) : NULL;
    struct sm_device_channel_config base = {
        .ops = &OPS,
        .server = server,
        .type = type,
        .id = (uint8_t)id,
        .caps = 1u << SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4,
        .device_ops = config->ops,
        .context = config->context,
        .notifies_writable = config->notifies_writable,
    };
    enum sm_status status =
        config->port_name && !vmc->name ? SM_ERR_NOMEM : sm_device_channel_init(&vmc->base, &base);
    if (status != SM_OK) {
        free_vmc(&vmc->base);
        return status;
    }
    sm_list_append(&server->streams, &vmc->link);
    sm_device_channel_offer(&vmc->base);
    *out = vmc;
    return SM_OK;
}

void sm_spicevmc_destroy(struct sm_spicevmc *vmc)
{
    if (!vmc)
        return;
    sm_list_remove(&vmc->link);
    sm_device_channel_destroy(&vmc->base);
}

void sm_spicevmc_wakeup(struct sm_spicevmc *vmc)
{
    sm_device_channel_wakeup(&vmc->base);
}

void sm_spicevmc_port_event(struct sm_spicevmc *vmc, uint8_t event)
{
    if (event == SM_PORT_EVENT_OPENED || event == SM_PORT_EVENT_CLOSED)
        vmc->is_open = event == SM_PORT_EVENT_OPENED;
    if (!vmc->base.client)
        return;
    sm_device_channel_hold(&vmc->base);
    if (sm_spicevmc_server_port_event(machine_of(vmc), event) == SM_OK)
        sm_pump_kick(vmc->base.client->pump);
    else
        sm_device_channel_drop(&vmc->base);
    sm_device_channel_release(&vmc->base);
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
        sm_device_channel_hold(&vmc->base);
        sm_char_device_set_running(vmc->base.device, is_running);
        sm_device_channel_release(&vmc->base);
    }
}
