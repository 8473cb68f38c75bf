/* SPDX-License-Identifier: MIT */
#include "server/device/device_channel.h"

#include <stdlib.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"

enum {
    BULK_BYTES = 64 << 10, /* who has sent so much is bulk */
    BLOB_MAX = 17 << 20    /* of migration data: a message of the largest size and what is queued */
};

static const uint32_t UNLIMITED = UINT32_MAX; /* in migration data: there is no count of tokens */

void sm_device_channel_hold(struct sm_device_channel *self)
{
    self->references++;
}

void sm_device_channel_release(struct sm_device_channel *self)
{
    if (--self->references == 0)
        self->ops->free(self);
}

bool sm_device_channel_has(const struct sm_device_channel *self, uint32_t tag)
{
    return self->client && self->client->tag == tag;
}

/* No more than the line holds: what stands in its queues, keys and pictures stand behind. */
static bool line_has_room(const struct sm_device_client *client)
{
    const struct sm_line *line = sm_channel_line(client->channel);
    return !line || sm_line_room(line, sm_now_us()) > 0;
}

bool sm_device_channel_has_room(const struct sm_device_channel *self)
{
    return self->client && !sm_channel_is_full(self->client->channel) &&
           line_has_room(self->client);
}

/* Who says little is not measured: marks would be most of what it sends. */
void sm_device_channel_sent(struct sm_device_channel *self, size_t size)
{
    struct sm_device_client *client = self->client;
    client->sent_bytes += size;
    if (client->sent_bytes < BULK_BYTES || client->handover->is_unix ||
        sm_channel_line(client->channel))
        return;
    if (sm_channel_measure_line(client->channel, client->handover->line_rtt_us,
                                client->handover->line_bytes_per_second) != SM_OK) {
        sm_device_channel_complain(self, "out of memory");
        sm_device_channel_drop(self);
        return;
    }
    /* The first mark stands behind all that made it bulk, so it would tell of a longer line. */
    if (client->handover->line_rtt_us > 0)
        sm_line_saw_rtt(sm_channel_line(client->channel), client->handover->line_rtt_us,
                        sm_now_us());
}

void sm_device_channel_starved(struct sm_device_channel *self)
{
    struct sm_line *line = self->client ? sm_channel_line(self->client->channel) : NULL;
    if (line)
        sm_line_starved(line);
}

static struct sm_device_channel *front_of(struct sm_device_channel *self)
{
    return self->ops->front ? self->ops->front(self) : self;
}

static const char *name_of(uint8_t type)
{
    switch (type) {
    case SM_CHANNEL_USBREDIR:
        return "usbredir";
    case SM_CHANNEL_WEBDAV:
        return "webdav";
    case SM_CHANNEL_SMARTCARD:
        return "smartcard";
    default:
        return "port";
    }
}

void sm_device_channel_complain(struct sm_device_channel *self, const char *words)
{
    struct sm_server *server = self->server;
    if (sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "%s:%u: %s", name_of(self->offer.type), self->offer.id,
               words);
}

/* ---- the client ---- */

static void free_client(struct sm_device_client *client)
{
    sm_pump_destroy(client->pump);
    if (client->machine)
        client->of->ops->close(client->machine);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

void sm_device_channel_drop(struct sm_device_channel *self)
{
    struct sm_device_client *client = self->client;
    if (!client)
        return;
    bool was_leaving = sm_channel_is_leaving(client->channel);
    self->client = NULL;
    self->waits_for_room = false;
    sm_char_device_drop(self->device, client->tag);
    free_client(client);
    sm_char_device_set_state(self->device, false);
    if (self->ops->gone && self->device)
        self->ops->gone(self, was_leaving);
}

/* Takes what the client said, as long as the device follows; the rest waits in the machine. */
static void pull(struct sm_device_channel *self)
{
    struct sm_device_client *client = self->client;
    if (!client || client->is_pulled)
        return;
    uint32_t tag = client->tag;
    client->is_pulled = true;
    while (sm_device_channel_has(self, tag) && self->ops->may_take(self)) {
        enum sm_status status = self->ops->take(self);
        if (status == SM_AGAIN)
            break;
        if (status < 0 && sm_device_channel_has(self, tag)) {
            const char *reason = sm_channel_reason(client->channel);
            sm_device_channel_complain(self, *reason ? reason : sm_status_name(status));
            sm_device_channel_drop(self);
        }
    }
    if (sm_device_channel_has(self, tag))
        client->is_pulled = false;
}

static void on_activity(void *opaque)
{
    struct sm_device_channel *self = ((struct sm_device_client *)opaque)->of;
    sm_device_channel_hold(self);
    pull(self);
    if (self->waits_for_room && sm_device_channel_has_room(self)) {
        self->waits_for_room = false;
        if (self->ops->wake)
            self->ops->wake(self);
        else
            sm_char_device_wakeup(self->device);
    }
    sm_device_channel_release(self);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_device_channel *self = ((struct sm_device_client *)opaque)->of;
    sm_device_channel_hold(self);
    if (status != SM_ERR_IO)
        sm_device_channel_complain(self, reason);
    sm_device_channel_drop(self);
    sm_device_channel_release(self);
}

static enum sm_status set_up(struct sm_device_channel *self, struct sm_device_client *client)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_setup setup = sm_channel_handover_setup(client->handover);
    struct sm_machine pumped;
    enum sm_status status =
        self->ops->open(self, &setup, &client->machine, &pumped, &client->channel);
    if (status != SM_OK)
        return status;
    return sm_channel_handover_pump(client->handover, &client->pump, self->server->loop, pumped,
                                    &callbacks, client);
}

/* So that a client of ours brakes its side as we do ours. Cards say little. */
static enum sm_status give_receipts(struct sm_device_client *client)
{
    if (client->handover->is_unix || client->of->offer.type == SM_CHANNEL_SMARTCARD)
        return SM_OK;
    return sm_channel_give_receipts(client->channel);
}

static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_device_channel *self = opaque;
    if (self->client) {
        sm_device_channel_complain(self, "a client is connected already; a further one is refused");
        sm_channel_handover_destroy(handover);
        return;
    }
    struct sm_device_client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    if (++self->last_tag == 0)
        self->last_tag = 1;
    *client = (struct sm_device_client){.of = self,
                                        .handover = handover,
                                        .tag = self->last_tag,
                                        .awaits_data = handover->is_migrated};
    if (self->offer.type == SM_CHANNEL_SMARTCARD) /* the others may be bulk */
        sm_socket_set_interactive(handover->transport->fd);
    if (set_up(self, client) != SM_OK || (!client->awaits_data && give_receipts(client) != SM_OK)) {
        free_client(client);
        return;
    }
    self->client = client;
    sm_device_channel_hold(self);
    sm_char_device_set_state(self->device, true);
    if (self->device)
        sm_char_device_wakeup(self->device);
    sm_device_channel_release(self);
}

static bool is_of(const struct sm_device_channel *self, uint32_t connection_id)
{
    return self->client && self->client->handover->connection_id == connection_id;
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_device_channel *self = opaque;
    sm_device_channel_hold(self);
    if (is_of(self, connection_id))
        sm_device_channel_drop(self);
    sm_device_channel_release(self);
}

/* ---- migration; source: docs/migration.md ---- */

static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_device_channel *self = opaque;
    if (!is_of(self, connection_id))
        return;
    sm_device_channel_hold(self);
    if (sm_channel_migrate(self->client->channel, SM_MIGRATE_FLAG_NEED_FLUSH |
                                                      SM_MIGRATE_FLAG_NEED_DATA_TRANSFER) != SM_OK)
        sm_device_channel_drop(self);
    else
        sm_pump_kick(self->client->pump);
    sm_device_channel_release(self);
}

enum sm_status sm_device_channel_hand_on(struct sm_device_channel *self,
                                         struct sm_migration_msg *msg,
                                         struct sm_migration_device *device)
{
    struct sm_writer pending, blob;
    *device = (struct sm_migration_device){.version = SM_MIGRATION_VERSION,
                                           .connected = 1,
                                           .num_client_tokens = UNLIMITED,
                                           .num_send_tokens = UNLIMITED};
    sm_writer_init(&pending, BLOB_MAX);
    sm_writer_init(&blob, BLOB_MAX);
    sm_char_device_save(self->device, &pending);
    device->write_data = sm_writer_bytes(&pending);
    enum sm_status status = sm_writer_status(&pending);
    if (status == SM_OK)
        status = sm_migration_msg_build(&blob, msg, 0);
    if (status == SM_OK)
        status = sm_channel_migrate_data(self->client->channel, sm_writer_bytes(&blob));
    sm_writer_finish(&pending);
    sm_writer_finish(&blob);
    if (status == SM_OK)
        sm_pump_kick(self->client->pump);
    return status;
}

enum sm_status sm_device_channel_resume(struct sm_device_channel *self, struct sm_bytes pending)
{
    self->client->awaits_data = false;
    sm_channel_handover_resumed(self->client->handover);
    if (give_receipts(self->client) != SM_OK)
        return SM_ERR_NOMEM;
    if (pending.size > 0)
        return sm_char_device_write_first(self->device, pending, self->client->tag);
    sm_char_device_wakeup(self->device); /* it was not read until now */
    return SM_OK;
}

/* ---- the device ---- */

/* Between two servers what is read would be lost; what the line does not take has to wait. */
static bool may_read(struct sm_device_channel *self)
{
    struct sm_device_client *client = self->client;
    if (!client)
        return true;
    if (client->awaits_data || sm_channel_is_leaving(client->channel))
        return false;
    self->waits_for_room = !sm_device_channel_has_room(self);
    return !self->waits_for_room;
}

static bool on_read(void *user)
{
    struct sm_device_channel *self = user, *front = front_of(self);
    sm_device_channel_hold(self);
    sm_device_channel_hold(front);
    bool gets_on = may_read(front) && self->ops->read(self);
    sm_device_channel_release(front);
    sm_device_channel_release(self);
    return gets_on;
}

/* Also the words of one that has left make room for the next one's. */
static void on_written(void *user, uint32_t tag)
{
    struct sm_device_channel *self = front_of(user);
    if (!self->client)
        return;
    sm_device_channel_hold(self);
    if (self->ops->written && sm_device_channel_has(self, tag))
        self->ops->written(self);
    if (self->client && !self->client->is_pulled) {
        pull(self);
        if (self->client)
            sm_pump_kick(self->client->pump); /* its machine may take more from the line */
    }
    sm_device_channel_release(self);
}

/* ---- life ---- */

enum sm_status sm_device_channel_init(struct sm_device_channel *self,
                                      const struct sm_device_channel_config *config)
{
    static const struct sm_char_device_user user = {.read = on_read, .written = on_written};
    struct sm_char_device_config device = {
        .ops = config->device_ops,
        .context = config->context,
        .notifies_writable = config->notifies_writable,
        .user = &user,
        .user_context = self,
        .loop = config->server->loop,
        .is_running = config->server->vm_is_running,
    };
    self->ops = config->ops;
    self->server = config->server;
    self->references = 1;
    self->offer = (struct sm_channel_offer){
        .type = config->type,
        .id = config->id,
        .caps = config->caps,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
        .migrates_with_data = true,
        .opaque = self,
    };
    sm_list_init(&self->offer.link); /* it may never be offered */
    return sm_char_device_create(&self->device, &device);
}

void sm_device_channel_offer(struct sm_device_channel *self)
{
    sm_server_offer(self->server, &self->offer);
}

void sm_device_channel_destroy(struct sm_device_channel *self)
{
    sm_registry_remove(&self->offer);
    sm_device_channel_drop(self);
    sm_char_device_destroy(self->device);
    self->device = NULL;
    sm_device_channel_release(self);
}

void sm_device_channel_wakeup(struct sm_device_channel *self)
{
    sm_device_channel_hold(self);
    sm_char_device_wakeup(self->device);
    sm_device_channel_release(self);
}
