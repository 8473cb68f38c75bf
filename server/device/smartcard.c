/* SPDX-License-Identifier: MIT */
#include "server/device/smartcard.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/smartcard/server.h"
#include "core/wire/migration.h"
#include "io/clock.h"
#include "io/pump.h"
#include "server/device/device_channel.h"
#include "server/session/internal.h"
#include "server/session/log.h"

enum {
    HEADER_SIZE = 12, /* type, reader, size of the data: u32 each, big-endian at the device */
    DATA_MAX = 65536 - HEADER_SIZE, /* what a message of the channel can carry */
    MAX_READERS = 10,               /* as the reference */
    GENERAL_ERROR = 1,
    CANNOT_ADD_MORE_READERS = 2,
};

/* One reader of the guest. The first in the server's list has the channel and its client. */
struct sm_smartcard {
    struct sm_device_channel base;
    struct sm_list link; /* of the server */
    uint32_t id;         /* on the wire */
    bool is_running;
    bool is_broken;  /* the device broke its protocol: it is not read any more */
    bool has_added;  /* a reader of the client's is in the guest */
    bool is_used;    /* and its device was told so */
    bool is_resumed; /* its client came from another server, which told of the first reader only */

    /* a message of the device, as far as it has come */
    uint8_t message[HEADER_SIZE + DATA_MAX];
    size_t got;
};

static struct sm_smartcard *card_of(struct sm_device_channel *base)
{
    return (struct sm_smartcard *)(void *)base;
}

static struct sm_smartcard *item(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_smartcard, link);
}

/* The one with the client; `card` itself when it is the last to go. */
static struct sm_smartcard *front_of(const struct sm_smartcard *card)
{
    struct sm_list *cards = &card->base.server->smartcards;
    return sm_list_is_empty(cards) ? (struct sm_smartcard *)(uintptr_t)card : item(cards->next);
}

static struct sm_smartcard *find(struct sm_server *server, uint32_t id)
{
    SM_LIST_FOR (link, &server->smartcards)
        if (item(link)->id == id)
            return item(link);
    return NULL;
}

static struct sm_smartcard_server *machine_of(const struct sm_smartcard *front)
{
    return front->base.client->machine;
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
    put_be32(header + 4, card->id);
    put_be32(header + 8, (uint32_t)data.size);
    const struct sm_bytes parts[] = {{.data = header, .size = sizeof(header)}, data};
    return sm_char_device_write(card->base.device, parts, 2, tag);
}

/* An error of our own, in the byte order of the wire. */
static enum sm_status send_error(struct sm_smartcard *card, uint32_t reader_id, uint8_t code)
{
    const uint8_t body[4] = {code};
    struct sm_msg_smartcard_data msg = {.type = SM_SMARTCARD_TYPE_ERROR,
                                        .reader_id = reader_id,
                                        .data = {.data = body, .size = sizeof(body)}};
    return sm_smartcard_server_send(machine_of(card), &msg);
}

/* The first reader's device hears of the client itself; the others when one of its is theirs. */
static void set_added(struct sm_smartcard *card, bool has_added)
{
    card->has_added = has_added;
    bool is_used = has_added && card != front_of(card);
    if (is_used == card->is_used)
        return;
    card->is_used = is_used;
    sm_char_device_set_state(card->base.device, is_used);
}

/* Binds a reader of the client's to `card`, or takes it off, and tells the device. */
static enum sm_status change_reader(struct sm_smartcard *card, bool has_added, uint32_t tag)
{
    uint32_t type = has_added ? SM_SMARTCARD_TYPE_READER_ADD : SM_SMARTCARD_TYPE_READER_REMOVE;
    enum sm_status status = SM_OK;
    sm_device_channel_hold(&card->base);
    if (has_added)
        set_added(card, true);
    if (card->base.device) /* the host may have taken it away */
        status = write_device(card, type, (struct sm_bytes){0}, tag);
    if (!has_added && card->base.device)
        set_added(card, false);
    sm_device_channel_release(&card->base);
    return status;
}

static enum sm_status add_reader(struct sm_smartcard *front)
{
    SM_LIST_FOR (link, &front->base.server->smartcards)
        if (!item(link)->has_added)
            return change_reader(item(link), true, front->base.client->tag);
    return send_error(front, SM_SMARTCARD_UNDEFINED_READER, CANNOT_ADD_MORE_READERS);
}

static enum sm_status remove_reader(struct sm_smartcard *front, uint32_t reader_id)
{
    struct sm_smartcard *card = find(front->base.server, reader_id);
    bool may_be_added = front->is_resumed && card != front; /* its source did not say */
    if (!card || !(card->has_added || may_be_added))
        return send_error(front, reader_id, GENERAL_ERROR);
    card->has_added = false;
    return change_reader(card, false, 0); /* said even if the client goes meanwhile */
}

/* Words about the card in one of the readers. */
static enum sm_status pass_words(struct sm_smartcard *front,
                                 const struct sm_msgc_smartcard_data *msg)
{
    struct sm_smartcard *card = find(front->base.server, msg->reader_id);
    uint32_t tag = front->base.client->tag;
    enum sm_status status = SM_OK;
    if (!card)
        return sm_channel_fail(front->base.client->channel, SM_ERR_PROTOCOL,
                               "ERROR: received message for non existing reader");
    sm_device_channel_hold(&card->base);
    if (!card->has_added && front->is_resumed)
        set_added(card, true);
    if (card->base.device)
        status = write_device(card, msg->type, msg->data, tag);
    sm_device_channel_release(&card->base);
    return status;
}

/* What the client said; a failure ends its channel. */
static enum sm_status take_words(struct sm_smartcard *front,
                                 const struct sm_msgc_smartcard_data *msg)
{
    switch (msg->type) {
    case SM_SMARTCARD_TYPE_INIT:
        return SM_OK;
    case SM_SMARTCARD_TYPE_READER_ADD:
        return add_reader(front);
    case SM_SMARTCARD_TYPE_READER_REMOVE:
        return remove_reader(front, msg->reader_id);
    case SM_SMARTCARD_TYPE_ERROR:
    case SM_SMARTCARD_TYPE_ATR:
    case SM_SMARTCARD_TYPE_CARD_REMOVE:
    case SM_SMARTCARD_TYPE_APDU:
        return pass_words(front, msg);
    default:
        sm_device_channel_complain(&front->base, "ERROR: unexpected message on smartcard channel");
        return SM_OK;
    }
}

/* ---- migration; source: docs/migration.md ---- */

static enum sm_status hand_on(struct sm_smartcard *card)
{
    struct sm_migration_msg msg = {
        .type = SM_MIGRATION_SMARTCARD,
        .smartcard = {.magic = SM_MIGRATION_MAGIC_SMARTCARD,
                      .version = SM_MIGRATION_VERSION,
                      .reader_added = card->has_added,
                      .read_data = {.data = card->message, .size = card->got}}};
    return sm_device_channel_hand_on(&card->base, &msg, &msg.smartcard.device);
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
    card->has_added = from->reader_added;
    card->is_resumed = true;
    return sm_device_channel_resume(&card->base, from->device.write_data);
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
        return take_words(card, &msg->data);
    }
}

/* ---- from the device ---- */

/* A whole message of the device; without a client its words are lost. */
static void pass_message(struct sm_smartcard *card)
{
    struct sm_device_channel *front = &front_of(card)->base;
    struct sm_msg_smartcard_data msg = {
        .type = get_be32(card->message),
        .reader_id = card->id,
        .data = {.data = card->message + HEADER_SIZE, .size = card->got - HEADER_SIZE},
    };
    card->got = 0;
    if (!front->client || !card->base.device || msg.type == SM_SMARTCARD_TYPE_INIT)
        return;
    if (sm_smartcard_server_send(machine_of(card_of(front)), &msg) == SM_OK) {
        sm_pump_kick(front->client->pump);
        return;
    }
    sm_device_channel_complain(front, "out of memory");
    sm_device_channel_drop(front);
}

/* Reads on; true if something came. */
static bool read_some(struct sm_smartcard *card)
{
    size_t whole = HEADER_SIZE;
    if (card->got >= HEADER_SIZE)
        whole += get_be32(card->message + 8);
    size_t size =
        sm_char_device_read(card->base.device, card->message + card->got, whole - card->got);
    card->got += size;
    if (card->got == HEADER_SIZE) {
        uint32_t announced = get_be32(card->message + 8);
        if (announced > DATA_MAX) {
            sm_device_channel_complain(&card->base,
                                       "the device announces too much; it is not read any more");
            card->is_broken = true;
            sm_device_channel_drop(&front_of(card)->base);
            return false;
        }
        whole = HEADER_SIZE + announced;
    }
    if (size > 0 && card->got == whole)
        pass_message(card);
    return size > 0;
}

/* ---- what a channel of this kind does ---- */

static enum sm_status open_machine(struct sm_device_channel *self,
                                   const struct sm_channel_setup *setup, void **machine,
                                   struct sm_machine *pumped, struct sm_channel **channel)
{
    struct sm_smartcard_server_config config = {.setup = *setup};
    struct sm_smartcard_server *made;
    enum sm_status status = sm_smartcard_server_create(&made, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    card_of(self)->has_added = card_of(self)->is_resumed = false;
    *machine = made;
    *pumped = sm_smartcard_server_machine(made);
    *channel = sm_smartcard_server_channel(made);
    return SM_OK;
}

static void close_machine(void *machine)
{
    sm_smartcard_server_destroy(machine);
}

static bool may_take(const struct sm_device_channel *self)
{
    SM_LIST_FOR (link, &self->server->smartcards)
        if (sm_char_device_queued_size(item(link)->base.device) >= SM_DEVICE_QUEUED_MAX_BYTES)
            return false;
    return sm_device_channel_has_room(self);
}

static enum sm_status take(struct sm_device_channel *self)
{
    const struct sm_smartcard_msgc *msg;
    enum sm_status status = sm_smartcard_server_next(self->client->machine, &msg);
    return status == SM_OK ? on_message(card_of(self), msg) : status;
}

static bool read_on(struct sm_device_channel *self)
{
    return !card_of(self)->is_broken && read_some(card_of(self));
}

static struct sm_device_channel *front(struct sm_device_channel *self)
{
    return &front_of(card_of(self))->base;
}

/* The host may take devices away meanwhile: those that follow are looked for by their ids. */
static void wake(struct sm_device_channel *self)
{
    struct sm_server *server = self->server;
    for (uint32_t id = 0; id < MAX_READERS; id++) {
        struct sm_smartcard *card = find(server, id);
        if (card)
            sm_device_channel_wakeup(&card->base);
    }
}

/* A reader of a client that went goes with it; those of one that went to another server it took
 * along, in the machine. */
static void lose_reader(struct sm_smartcard *card, bool was_leaving, uint32_t tag)
{
    if (card->is_used)
        sm_char_device_drop(card->base.device, tag);
    card->has_added = false; /* what is called below may bring us here again */
    sm_device_channel_hold(&card->base);
    if (was_leaving)
        set_added(card, false);
    else if (change_reader(card, false, 0) != SM_OK)
        sm_device_channel_complain(&card->base,
                                   "out of memory: the guest keeps a reader that is gone");
    sm_device_channel_release(&card->base);
}

static void gone(struct sm_device_channel *self, bool was_leaving)
{
    struct sm_server *server = self->server;
    uint32_t tag = self->last_tag;
    for (uint32_t id = 0; id < MAX_READERS; id++) {
        struct sm_smartcard *card = find(server, id);
        if (card && card->has_added)
            lose_reader(card, was_leaving, tag);
    }
}

static void free_card(struct sm_device_channel *self)
{
    free(card_of(self));
}

static const struct sm_device_channel_ops OPS = {
    .open = open_machine,
    .close = close_machine,
    .may_take = may_take,
    .take = take,
    .read = read_on,
    .front = front,
    .wake = wake,
    .gone = gone,
    .free = free_card,
};

/* ---- life ---- */

static bool find_id(struct sm_server *server, uint32_t *id)
{
    for (*id = 0; *id < MAX_READERS; ++*id)
        if (!find(server, *id))
            return true;
    return false;
}

enum sm_status sm_smartcard_create(struct sm_smartcard **out, struct sm_server *server,
                                   const struct sm_char_device_ops *ops, void *context,
                                   bool notifies_writable)
{
    uint32_t id;
    if (!server->is_started) /* there is no loop to live on */
        return SM_ERR_STATE;
    if (!find_id(server, &id))
        return SM_ERR_LIMIT;
    struct sm_smartcard *card = calloc(1, sizeof(*card));
    if (!card)
        return SM_ERR_NOMEM;
    card->id = id;
    card->is_running = server->vm_is_running;
    struct sm_device_channel_config config = {
        .ops = &OPS,
        .server = server,
        .type = SM_CHANNEL_SMARTCARD,
        .device_ops = ops,
        .context = context,
        .notifies_writable = notifies_writable,
    };
    enum sm_status status = sm_device_channel_init(&card->base, &config);
    if (status != SM_OK) {
        free(card);
        return status;
    }
    bool is_first = sm_list_is_empty(&server->smartcards);
    sm_list_append(&server->smartcards, &card->link);
    *out = card;
    if (is_first)
        sm_device_channel_offer(&card->base);
    return SM_OK;
}

void sm_smartcard_destroy(struct sm_smartcard *card)
{
    if (!card)
        return;
    struct sm_server *server = card->base.server;
    bool was_front = front_of(card) == card;
    card->has_added = false; /* no words into a device that goes */
    sm_list_remove(&card->link);
    sm_device_channel_destroy(&card->base);
    struct sm_smartcard *next =
        sm_list_is_empty(&server->smartcards) ? NULL : item(server->smartcards.next);
    /* Whoever is called while the client goes may have done it. */
    if (was_front && next && !sm_registry_find(&server->registry, SM_CHANNEL_SMARTCARD, 0))
        sm_device_channel_offer(&next->base);
}

void sm_smartcard_wakeup(struct sm_smartcard *card)
{
    sm_device_channel_wakeup(&card->base);
}

void sm_smartcard_set_all_running(struct sm_server *server, bool is_running)
{
    for (uint32_t id = 0; id < MAX_READERS; id++) {
        struct sm_smartcard *card = find(server, id);
        if (!card || card->is_running == is_running)
            continue;
        card->is_running = is_running;
        sm_device_channel_hold(&card->base);
        sm_char_device_set_running(card->base.device, is_running);
        sm_device_channel_release(&card->base);
    }
}
