/* SPDX-License-Identifier: MIT */
#include "server/device/smartcard.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/smartcard/server.h"
#include "core/wire/migration.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"

enum {
    HEADER_SIZE = 12, /* type, reader, size of the data: u32 each, big-endian at the device */
    DATA_MAX = 65536 - HEADER_SIZE, /* what a message of the channel can carry */
    QUEUED_MAX_BYTES = 1 << 20,     /* on their way into the device: no more is taken */
    OUR_READER = 0,
    GENERAL_ERROR = 1,
    CANNOT_ADD_MORE_READERS = 2,
    BLOB_MAX = 2 << 20, /* of migration data */
};

static const uint32_t UNLIMITED = UINT32_MAX; /* in migration data: there is no count of tokens */

struct client {
    struct sm_smartcard *card;
    uint32_t tag;                         /* of its buffers; no other client's */
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_smartcard_server *machine;  /* owned */
    struct sm_pump *pump;                 /* owned */
    bool is_pulled;                       /* on the stack */
    bool has_added;                       /* its reader is in the guest */
    bool awaits_data;                     /* from another server; nothing is read until then */
};

/* As with other streams, the host may take the device away from deep inside: spicevmc.c. */
struct sm_smartcard {
    struct sm_server *server; /* borrowed */
    unsigned references;      /* its owner's, and one for each of our functions on the stack */
    struct sm_channel_offer offer;
    struct sm_char_device *device; /* owned; NULL once it is destroyed */
    bool is_broken;                /* the device broke its protocol: it is not read any more */
    bool waits_for_room;           /* reading stopped because the client's line is full */
    uint32_t last_tag;
    struct client *client; /* owned; NULL: none */

    /* a message of the device, as far as it has come */
    uint8_t message[HEADER_SIZE + DATA_MAX];
    size_t got;
};

static void hold(struct sm_smartcard *card)
{
    card->references++;
}

static void release(struct sm_smartcard *card)
{
    if (--card->references == 0)
        free(card);
}

static bool has_client(const struct sm_smartcard *card, uint32_t tag)
{
    return card->client && card->client->tag == tag;
}

static void complain(struct sm_smartcard *card, const char *words)
{
    struct sm_server *server = card->server;
    if (sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "%s", words);
}

static uint32_t get_be32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void put_be32(uint8_t *to, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* ---- to the device ---- */

static enum sm_status write_device(struct sm_smartcard *card, uint32_t type, struct sm_bytes data,
                                   uint32_t tag)
{
    uint8_t header[HEADER_SIZE];
    put_be32(header, type);
    put_be32(header + 4, OUR_READER);
    put_be32(header + 8, (uint32_t)data.size);
    const struct sm_bytes parts[] = {{.data = header, .size = sizeof(header)}, data};
    return sm_char_device_write(card->device, parts, 2, tag);
}

static void free_client(struct client *client)
{
    sm_pump_destroy(client->pump);
    sm_smartcard_server_destroy(client->machine);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

/* Lets the client go, and its reader with it; the last thing is that the host hears of it. */
static void drop_client(struct sm_smartcard *card)
{
    struct client *client = card->client;
    if (!client)
        return;
    /* One that went to another server took its reader along, in the machine. */
    bool has_added =
        client->has_added && !sm_channel_is_leaving(sm_smartcard_server_channel(client->machine));
    card->client = NULL;
    card->waits_for_room = false;
    sm_char_device_drop(card->device, client->tag);
    free_client(client);
    sm_char_device_set_state(card->device, false);
    if (has_added && card->device &&
        write_device(card, SM_SMARTCARD_TYPE_READER_REMOVE, (struct sm_bytes){0}, 0) != SM_OK)
        complain(card, "out of memory: the guest keeps a reader that is gone");
}

/* An error of our own, in the byte order of the wire. */
static enum sm_status send_error(struct sm_smartcard *card, uint32_t reader_id, uint8_t code)
{
    const uint8_t body[4] = {code};
    struct sm_msg_smartcard_data msg = {.type = SM_SMARTCARD_TYPE_ERROR,
                                        .reader_id = reader_id,
                                        .data = {.data = body, .size = sizeof(body)}};
    return sm_smartcard_server_send(card->client->machine, &msg);
}

static enum sm_status add_reader(struct sm_smartcard *card)
{
    if (card->client->has_added)
        return send_error(card, SM_SMARTCARD_UNDEFINED_READER, CANNOT_ADD_MORE_READERS);
    card->client->has_added = true;
    return write_device(card, SM_SMARTCARD_TYPE_READER_ADD, (struct sm_bytes){0},
                        card->client->tag);
}

static enum sm_status remove_reader(struct sm_smartcard *card, uint32_t reader_id)
{
    if (reader_id != OUR_READER || !card->client->has_added)
        return send_error(card, reader_id, GENERAL_ERROR);
    card->client->has_added = false;
    return write_device(card, SM_SMARTCARD_TYPE_READER_REMOVE, (struct sm_bytes){0},
                        card->client->tag);
}

/* What the client said; a failure ends its channel. */
static enum sm_status take(struct sm_smartcard *card, const struct sm_msgc_smartcard_data *msg)
{
    switch (msg->type) {
    case SM_SMARTCARD_TYPE_INIT:
        return SM_OK;
    case SM_SMARTCARD_TYPE_READER_ADD:
        return add_reader(card);
    case SM_SMARTCARD_TYPE_READER_REMOVE:
        return remove_reader(card, msg->reader_id);
    case SM_SMARTCARD_TYPE_ERROR:
    case SM_SMARTCARD_TYPE_ATR:
    case SM_SMARTCARD_TYPE_CARD_REMOVE:
    case SM_SMARTCARD_TYPE_APDU:
        if (msg->reader_id == OUR_READER)
            return write_device(card, msg->type, msg->data, card->client->tag);
        complain(card, "ERROR: received message for non existing reader");
        return SM_ERR_PROTOCOL;
    default:
        complain(card, "ERROR: unexpected message on smartcard channel");
        return SM_OK;
    }
}

/* ---- migration; source: docs/migration.md ---- */

static enum sm_status hand_on(struct sm_smartcard *card)
{
    struct sm_writer pending, blob;
    struct sm_migration_msg msg = {
        .type = SM_MIGRATION_SMARTCARD,
        .smartcard = {.magic = SM_MIGRATION_MAGIC_SMARTCARD,
                      .version = SM_MIGRATION_VERSION,
                      .device = {.version = SM_MIGRATION_VERSION,
                                 .connected = 1,
                                 .num_client_tokens = UNLIMITED,
                                 .num_send_tokens = UNLIMITED},
                      .reader_added = card->client->has_added,
                      .read_data = {.data = card->message, .size = card->got}}};
    sm_writer_init(&pending, BLOB_MAX);
    sm_writer_init(&blob, BLOB_MAX);
    sm_char_device_save(card->device, &pending);
    msg.smartcard.device.write_data = sm_writer_bytes(&pending);
    enum sm_status status = sm_writer_status(&pending);
    if (status == SM_OK)
        status = sm_migration_msg_build(&blob, &msg, 0);
    if (status == SM_OK)
        status = sm_channel_migrate_data(sm_smartcard_server_channel(card->client->machine),
                                         sm_writer_bytes(&blob));
    sm_writer_finish(&pending);
    sm_writer_finish(&blob);
    if (status == SM_OK)
        sm_pump_kick(card->client->pump);
    return status;
}

/* Whether it is the beginning of a message of the device, and not all of it. */
static bool is_cut_message(struct sm_bytes data)
{
    if (data.size < HEADER_SIZE)
        return true;
    uint32_t announced = get_be32(data.data + 8);
    return announced <= DATA_MAX && data.size < HEADER_SIZE + (size_t)announced;
}

static enum sm_status restore(struct sm_smartcard *card, const struct sm_migration_smartcard *from)
{
    if (card->got > 0 || !is_cut_message(from->read_data))
        return SM_ERR_PROTOCOL;
    if (from->read_data.size > 0)
        memcpy(card->message, from->read_data.data, from->read_data.size);
    card->got = from->read_data.size;
    card->client->has_added = from->reader_added;
    card->client->awaits_data = false;
    sm_channel_handover_resumed(card->client->handover);
    if (from->device.write_data.size > 0)
        return sm_char_device_write_first(card->device, from->device.write_data, card->client->tag);
    sm_char_device_wakeup(card->device);
    return SM_OK;
}

static enum sm_status resume(struct sm_smartcard *card, struct sm_bytes data)
{
    struct sm_arena arena;
    struct sm_migration_msg msg;
    sm_arena_init(&arena, 0);
    enum sm_status status =
        sm_migration_msg_parse(&msg, SM_MIGRATION_SMARTCARD, data, 0, &arena, NULL);
    if (status == SM_OK)
        status = restore(card, &msg.smartcard);
    sm_arena_finish(&arena);
    return status;
}

static enum sm_status on_message(struct sm_smartcard *card, const struct sm_smartcard_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MIGRATE_FLUSH_MARK:
        return hand_on(card);
    case SM_MSGC_MIGRATE_DATA:
        return resume(card, msg->migrate_data.data);
    default:
        return take(card, &msg->data);
    }
}

/* Takes what the client said, as long as the device follows; the rest waits in the machine. */
static void pull(struct sm_smartcard *card)
{
    struct client *client = card->client;
    if (!client || client->is_pulled)
        return;
    uint32_t tag = client->tag;
    client->is_pulled = true;
    while (has_client(card, tag) && sm_char_device_queued_size(card->device) < QUEUED_MAX_BYTES &&
           !sm_channel_is_full(sm_smartcard_server_channel(client->machine))) {
        const struct sm_smartcard_msgc *msg;
        enum sm_status status = sm_smartcard_server_next(client->machine, &msg);
        if (status == SM_AGAIN)
            break;
        if (status < 0)
            complain(card, sm_channel_reason(sm_smartcard_server_channel(client->machine)));
        else
            status = on_message(card, msg);
        if (status < 0 && has_client(card, tag))
            drop_client(card);
    }
    if (has_client(card, tag))
        client->is_pulled = false;
}

/* ---- the client ---- */

static bool has_room(const struct sm_smartcard *card)
{
    return card->client && !sm_channel_is_full(sm_smartcard_server_channel(card->client->machine));
}

static void on_activity(void *opaque)
{
    struct sm_smartcard *card = ((struct client *)opaque)->card;
    hold(card);
    pull(card);
    if (card->waits_for_room && has_room(card)) {
        card->waits_for_room = false;
        sm_char_device_wakeup(card->device);
    }
    release(card);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_smartcard *card = ((struct client *)opaque)->card;
    hold(card);
    if (status != SM_ERR_IO)
        complain(card, reason);
    drop_client(card);
    release(card);
}

static enum sm_status set_up(struct sm_smartcard *card, struct client *client)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_handover *handover = client->handover;
    struct sm_smartcard_server_config config = {.setup = sm_channel_handover_setup(handover)};
    enum sm_status status = sm_smartcard_server_create(&client->machine, &config, sm_now_us());
    if (status == SM_OK)
        status = sm_pump_create(
            &client->pump, card->server->loop, handover->transport,
            sm_smartcard_server_machine(client->machine),
            (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
            &callbacks, client);
    if (status == SM_OK)
        handover->transport = NULL;
    return status;
}

static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_smartcard *card = opaque;
    struct client *client = card->client ? NULL : calloc(1, sizeof(*client));
    if (!client) {
        complain(card, "smartcard:0: a client is connected already; a further one is refused");
        sm_channel_handover_destroy(handover);
        return;
    }
    if (++card->last_tag == 0)
        card->last_tag = 1;
    *client = (struct client){.card = card,
                              .handover = handover,
                              .tag = card->last_tag,
                              .awaits_data = handover->is_migrated};
    sm_socket_set_interactive(handover->transport->fd);
    if (set_up(card, client) != SM_OK) {
        free_client(client);
        return;
    }
    card->client = client;
    hold(card);
    sm_char_device_set_state(card->device, true);
    if (card->device)
        sm_char_device_wakeup(card->device);
    release(card);
}

static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_smartcard *card = opaque;
    if (!card->client || card->client->handover->connection_id != connection_id)
        return;
    hold(card);
    if (sm_channel_migrate(sm_smartcard_server_channel(card->client->machine),
                           SM_MIGRATE_FLAG_NEED_FLUSH | SM_MIGRATE_FLAG_NEED_DATA_TRANSFER) !=
        SM_OK)
        drop_client(card);
    else
        sm_pump_kick(card->client->pump);
    release(card);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_smartcard *card = opaque;
    hold(card);
    if (card->client && card->client->handover->connection_id == connection_id)
        drop_client(card);
    release(card);
}

/* ---- from the device ---- */

/* A whole message of the device; without a client its words are lost. */
static void pass_message(struct sm_smartcard *card)
{
    struct sm_msg_smartcard_data msg = {
        .type = get_be32(card->message),
        .reader_id = OUR_READER,
        .data = {.data = card->message + HEADER_SIZE, .size = card->got - HEADER_SIZE},
    };
    card->got = 0;
    if (!card->client || msg.type == SM_SMARTCARD_TYPE_INIT)
        return;
    if (sm_smartcard_server_send(card->client->machine, &msg) == SM_OK) {
        sm_pump_kick(card->client->pump);
        return;
    }
    complain(card, "smartcard:0: out of memory");
    drop_client(card);
}

/* Reads on; true if something came. */
static bool read_some(struct sm_smartcard *card)
{
    size_t whole = HEADER_SIZE;
    if (card->got >= HEADER_SIZE)
        whole += get_be32(card->message + 8);
    size_t size = sm_char_device_read(card->device, card->message + card->got, whole - card->got);
    card->got += size;
    if (card->got == HEADER_SIZE) {
        uint32_t announced = get_be32(card->message + 8);
        if (announced > DATA_MAX) {
            complain(card, "smartcard:0: the device announces too much; it is not read any more");
            card->is_broken = true;
            drop_client(card);
            return false;
        }
        whole = HEADER_SIZE + announced;
    }
    if (size > 0 && card->got == whole)
        pass_message(card);
    return size > 0;
}

/* Between two servers: what is read now would be lost. */
static bool is_on_the_way(const struct client *client)
{
    return client->awaits_data ||
           sm_channel_is_leaving(sm_smartcard_server_channel(client->machine));
}

static bool on_read(void *user)
{
    struct sm_smartcard *card = user;
    if (card->is_broken || (card->client && is_on_the_way(card->client)))
        return false;
    if (card->client && !has_room(card)) {
        card->waits_for_room = true;
        return false;
    }
    hold(card);
    bool gets_on = read_some(card);
    release(card);
    return gets_on;
}

/* Also the words of one that has left make room for the next one's. */
static void on_written(void *user, uint32_t tag)
{
    struct sm_smartcard *card = user;
    (void)tag;
    if (!card->client || card->client->is_pulled)
        return;
    hold(card);
    pull(card);
    if (card->client)
        sm_pump_kick(card->client->pump); /* its machine may take more from the line */
    release(card);
}

/* ---- life ---- */

enum sm_status sm_smartcard_create(struct sm_smartcard **out, struct sm_server *server,
                                   const struct sm_char_device_ops *ops, void *context,
                                   bool notifies_writable)
{
    static const struct sm_char_device_user user = {.read = on_read, .written = on_written};
    if (!server->is_started || server->smartcard) /* without a start there is no loop to live on */
        return SM_ERR_STATE;
    struct sm_smartcard *card = calloc(1, sizeof(*card));
    if (!card)
        return SM_ERR_NOMEM;
    card->server = server;
    card->references = 1;
    struct sm_char_device_config config = {
        .ops = ops,
        .context = context,
        .notifies_writable = notifies_writable,
        .user = &user,
        .user_context = card,
        .loop = server->loop,
        .is_running = server->vm_is_running,
    };
    enum sm_status status = sm_char_device_create(&card->device, &config);
    if (status != SM_OK) {
        free(card);
        return status;
    }
    card->offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_SMARTCARD,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
        .migrates_with_data = true,
        .opaque = card,
    };
    server->smartcard = card;
    sm_server_offer(server, &card->offer);
    *out = card;
    return SM_OK;
}

void sm_smartcard_destroy(struct sm_smartcard *card)
{
    if (!card)
        return;
    card->server->smartcard = NULL;
    sm_registry_remove(&card->offer);
    if (card->client)
        card->client->has_added = false; /* no words into a device that goes */
    drop_client(card);
    sm_char_device_destroy(card->device);
    card->device = NULL;
    release(card);
}

void sm_smartcard_wakeup(struct sm_smartcard *card)
{
    hold(card);
    sm_char_device_wakeup(card->device);
    release(card);
}

void sm_smartcard_set_running(struct sm_smartcard *card, bool is_running)
{
    if (!card)
        return;
    hold(card);
    sm_char_device_set_running(card->device, is_running);
    release(card);
}
