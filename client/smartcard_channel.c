/* SPDX-License-Identifier: MIT */
/*
 * The smart card channel. What the reader is like and what the machine has been told are compared
 * after every change, and one message at a time makes them alike: each has to be answered before
 * the next. Commands for the card pass by that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/channel/smartcard/client.h"
#include "io/clock.h"
#include "media/card_module.h"

static const uint32_t NO_READER = UINT32_MAX;

/** What the machine knows, or the card is like. */
struct picture {
    bool has_reader, has_card;
    unsigned insertions; /* a card that was changed quickly is another card */
};

struct card_channel {
    struct sm_smartcard_client *client; /* owned */
    const struct sm_card_module *module;
    bool is_started;     /* the module is ours */
    struct picture here; /* as the module told */
    char reader[SM_CARD_NAME_SIZE];
    uint8_t atr[SM_CARD_ATR_MAX];
    size_t atr_size;
    struct picture told;
    struct picture next; /* what `told` becomes with the answer */
    uint32_t reader_id;
    bool is_waiting; /* for an answer */
    bool is_refused; /* the machine takes no reader */
};

static void show(struct sm_client_channel *channel, const char *reason)
{
    const struct card_channel *card = channel->self;
    struct sm_smartcard *shown = &channel->session->smartcard.shown;
    pthread_mutex_lock(&channel->session->lock);
    shown->has_reader = card->here.has_reader;
    shown->has_card = card->here.has_card;
    shown->is_shared = card->told.has_reader;
    shown->is_card_known = card->told.has_card;
    (void)snprintf(shown->reader, sizeof(shown->reader), "%s", card->reader);
    if (reason)
        (void)snprintf(shown->reason, sizeof(shown->reason), "%s", reason);
    pthread_mutex_unlock(&channel->session->lock);
    sm_session_tell(channel->session, SM_EVENT_SMARTCARD, channel);
}

/* ---- To the machine ---- */

static void send(struct sm_client_channel *channel, uint32_t type, struct sm_bytes data)
{
    struct card_channel *card = channel->self;
    struct sm_msgc_smartcard_data msg = {
        .type = type,
        .reader_id = type == SM_SMARTCARD_TYPE_READER_ADD ? NO_READER : card->reader_id,
        .data = data,
    };
    enum sm_status status = sm_smartcard_client_send(card->client, &msg);
    if (status != SM_OK) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status, "the smart card cannot be told");
        sm_client_channel_fail(channel, &error);
    }
    sm_client_channel_kick(channel);
}

/* The next step from what the machine knows to what is there. */
static void advance(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    const struct picture *here = &card->here, *told = &card->told;
    bool is_other_card = told->has_card && here->insertions != told->insertions;
    struct sm_bytes name = {(const uint8_t *)card->reader, strlen(card->reader)};
    if (card->is_waiting || card->is_refused)
        return;
    card->next = *told;
    card->is_waiting = true;
    if (told->has_card && (!here->has_card || is_other_card || !here->has_reader)) {
        card->next.has_card = false;
        send(channel, SM_SMARTCARD_TYPE_CARD_REMOVE, (struct sm_bytes){0});
    } else if (told->has_reader && !here->has_reader) {
        card->next.has_reader = false;
        send(channel, SM_SMARTCARD_TYPE_READER_REMOVE, (struct sm_bytes){0});
    } else if (!told->has_reader && here->has_reader) {
        card->next.has_reader = true;
        send(channel, SM_SMARTCARD_TYPE_READER_ADD, name);
    } else if (told->has_reader && !told->has_card && here->has_card) {
        card->next.has_card = true;
        card->next.insertions = here->insertions;
        send(channel, SM_SMARTCARD_TYPE_ATR, (struct sm_bytes){card->atr, card->atr_size});
    } else {
        card->is_waiting = false;
    }
}

/* ---- From the machine ---- */

static uint32_t code_of(struct sm_bytes data)
{
    uint32_t code = UINT32_MAX;
    if (data.size == sizeof(code))
        memcpy(&code, data.data, sizeof(code)); /* of either byte order: 0 is 0 */
    return code;
}

static void take_answer(struct sm_client_channel *channel, const struct sm_msg_smartcard_data *msg)
{
    struct card_channel *card = channel->self;
    if (!card->is_waiting)
        return;
    card->is_waiting = false;
    if (code_of(msg->data) != 0) {
        /* A reader that is refused has no cards; anything else may be tried again with the next. */
        card->is_refused = !card->told.has_reader;
        card->told = card->is_refused ? card->told : card->next;
        show(channel, card->is_refused ? "the machine has no smart card reader free" : NULL);
        return;
    }
    if (!card->told.has_reader && card->next.has_reader)
        card->reader_id = msg->reader_id;
    card->told = card->next;
    show(channel, NULL);
    advance(channel);
}

static void take_command(struct sm_client_channel *channel, struct sm_bytes command)
{
    struct card_channel *card = channel->self;
    uint8_t answer[SM_CARD_APDU_MAX];
    size_t size = 0;
    if (!card->is_started || card->module->transmit(command, answer, &size) != SM_OK) {
        static const uint8_t no_answer[] = {0x6f, 0x00}; /* ISO 7816: no precise diagnosis */
        memcpy(answer, no_answer, sizeof(no_answer));
        size = sizeof(no_answer);
    }
    send(channel, SM_SMARTCARD_TYPE_APDU, (struct sm_bytes){answer, size});
    pthread_mutex_lock(&channel->session->lock);
    channel->session->smartcard.shown.commands++;
    pthread_mutex_unlock(&channel->session->lock);
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    const struct sm_msg_smartcard_data *msg;
    enum sm_status status;
    while ((status = sm_smartcard_client_next(card->client, &msg)) == SM_OK) {
        if (msg->type == SM_SMARTCARD_TYPE_ERROR)
            take_answer(channel, msg);
        else if (msg->type == SM_SMARTCARD_TYPE_APDU)
            take_command(channel, msg->data);
        else if (msg->type == SM_SMARTCARD_TYPE_FLUSH)
            send(channel, SM_SMARTCARD_TYPE_FLUSH_COMPLETE, (struct sm_bytes){0});
        sm_client_channel_handled(
            channel, sm_channel_handled_serial(sm_smartcard_client_channel(card->client)));
    }
    return status;
}

/* ---- From the reader ---- */

static void event_call(struct sm_client_channel *channel, const void *argument)
{
    struct card_channel *card = channel->self;
    const struct sm_card_event *event = argument;
    switch (event->kind) {
    case SM_CARD_READER_ADDED:
        card->here.has_reader = true;
        memcpy(card->reader, event->reader, sizeof(card->reader));
        break;
    case SM_CARD_READER_REMOVED:
        card->here.has_reader = card->here.has_card = false;
        break;
    case SM_CARD_INSERTED:
        card->here.has_card = true;
        card->here.insertions++;
        memcpy(card->atr, event->atr, sizeof(card->atr));
        card->atr_size = event->atr_size;
        break;
    case SM_CARD_REMOVED:
        card->here.has_card = false;
        break;
    }
    show(channel, NULL);
    advance(channel);
}

/* The module's thread. A channel that takes no calls is going, and its card with it. */
static void on_event(void *opaque, const struct sm_card_event *event)
{
    struct sm_client_channel *channel = opaque;
    (void)!sm_client_channel_post(channel, event_call, event, sizeof(*event));
}

/* Behind the opening, when calls can be posted. */
static void start_call(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    struct sm_session *session = channel->session;
    const struct sm_client_smartcard *settings = &session->smartcard;
    struct sm_card_options options = {.database = settings->database};
    for (size_t i = 0; i < 3; i++)
        options.certificates[i] = settings->certificates[i];
    card->module = sm_card_module_load();
    enum sm_status status = SM_ERR_NOMEM;
    if (card->module)
        status = card->module->start(&options, on_event, channel);
    card->is_started = status == SM_OK;
    const char *reason = !card->module ? "this build of Sumac has no module for smart cards"
                         : status == SM_ERR_STATE ? "another session of this program has the cards"
                                                  : "the certificates or readers cannot be used";
    if (status != SM_OK)
        show(channel, reason);
}

/* ---- The table ---- */

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    return 0;
}

static enum sm_status open_card(struct sm_client_channel *channel,
                                const struct sm_link_client_event *link, struct sm_machine *machine)
{
    struct card_channel *card = calloc(1, sizeof(*card));
    if (!card)
        return SM_ERR_NOMEM;
    struct sm_smartcard_client_config config = {.setup = sm_client_channel_setup(link)};
    enum sm_status status = sm_smartcard_client_create(&card->client, &config, sm_now_us());
    if (status != SM_OK) {
        free(card);
        return status;
    }
    card->reader_id = NO_READER;
    channel->self = card;
    *machine = sm_smartcard_client_machine(card->client);
    return SM_OK;
}

static enum sm_status first_activity(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    if (!card->module && !card->is_refused) {
        start_call(channel);
        card->is_refused = !card->is_started;
    }
    return activity(channel);
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct card_channel *card = channel->self;
    return sm_smartcard_client_channel(card->client);
}

static void closed(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    if (!card)
        return;
    if (card->is_started)
        card->module->stop();
    card->is_started = false;
    card->told = (struct picture){0};
    show(channel, NULL);
}

static void destroy(struct sm_client_channel *channel)
{
    struct card_channel *card = channel->self;
    if (card)
        sm_smartcard_client_destroy(card->client);
    free(card);
}

const struct sm_client_channel_ops sm_smartcard_channel_ops = {
    .caps = caps,
    .open = open_card,
    .activity = first_activity,
    .base = base,
    .closed = closed,
    .destroy = destroy,
};

/* ---- Public ---- */

bool sm_smartcard_is_available(void)
{
    return sm_card_module_load() != NULL;
}

void sm_client_smartcard_finish(struct sm_client_smartcard *card)
{
    free(card->database);
    for (size_t i = 0; i < 3; i++)
        free(card->certificates[i]);
}

enum sm_status sm_session_set_smartcard(struct sm_session *session, const char *database,
                                        const char *const certificates[3])
{
    if (session->is_started)
        return SM_ERR_STATE;
    struct sm_client_smartcard copy = {.database = database ? strdup(database) : NULL};
    bool is_good = copy.database || !database;
    for (size_t i = 0; certificates && i < 3; i++) {
        copy.certificates[i] = strdup(certificates[i]);
        is_good = is_good && copy.certificates[i];
    }
    if (!is_good) {
        sm_client_smartcard_finish(&copy);
        return SM_ERR_NOMEM;
    }
    sm_client_smartcard_finish(&session->smartcard);
    session->smartcard = copy;
    return SM_OK;
}

void sm_session_get_smartcard(struct sm_session *session, struct sm_smartcard *out)
{
    pthread_mutex_lock(&session->lock);
    *out = session->smartcard.shown;
    pthread_mutex_unlock(&session->lock);
}

static void insert_call(struct sm_client_channel *channel, const void *argument)
{
    const struct card_channel *card = channel->self;
    bool is_inserted;
    memcpy(&is_inserted, argument, sizeof(is_inserted));
    if (card->is_started)
        card->module->insert(is_inserted);
}

enum sm_status sm_session_insert_smartcard(struct sm_session *session, bool is_inserted)
{
    struct sm_client_channel *channel = sm_session_find(session, SM_CHANNEL_KIND_SMARTCARD, 0);
    if (!channel)
        return SM_ERR_STATE;
    return sm_client_channel_post(channel, insert_call, &is_inserted, sizeof(is_inserted));
}
