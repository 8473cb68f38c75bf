/* SPDX-License-Identifier: MIT */
/* libcacard as the module of smart cards. The library is one for the process, and so is this. */
#include <libcacard.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/card_module.h"

enum { OPTIONS_SIZE = 2048, ANSWER_SIZE = 512 };

static struct {
    pthread_mutex_t lock; /* over `reader`, `is_started` */
    bool is_started;
    VReader *reader; /* owned: the first */
    pthread_t thread;
    void (*event)(void *opaque, const struct sm_card_event *event);
    void *opaque;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Names are in quotes, and the library knows no escape. */
static bool is_quotable(const char *text)
{
    return !strpbrk(text, "\",()");
}

static enum sm_status write_options(char out[OPTIONS_SIZE], const struct sm_card_options *o)
{
    const char *const *names = o->certificates;
    int size = 0;
    if (o->database) {
        if (!is_quotable(o->database))
            return SM_ERR_IO;
        size = snprintf(out, OPTIONS_SIZE, "db=\"%s\" ", o->database);
    }
    if (size >= 0 && size < OPTIONS_SIZE && names[0]) {
        if (!is_quotable(names[0]) || !is_quotable(names[1]) || !is_quotable(names[2]))
            return SM_ERR_IO;
        size += snprintf(out + size, (size_t)(OPTIONS_SIZE - size),
                         "use_hw=no soft=(,Sumac,CAC,,%s,%s,%s)", names[0], names[1], names[2]);
    } else if (size >= 0 && size < OPTIONS_SIZE) {
        size += snprintf(out + size, (size_t)(OPTIONS_SIZE - size), "use_hw=yes");
    }
    return size > 0 && size < OPTIONS_SIZE ? SM_OK : SM_ERR_IO;
}

/* The first reader is kept; others are no affair of ours. */
static bool is_ours(VReader *reader)
{
    pthread_mutex_lock(&state.lock);
    if (!state.reader)
        state.reader = vreader_reference(reader);
    bool is_first = state.reader == reader;
    pthread_mutex_unlock(&state.lock);
    return is_first;
}

static void forget_reader(void)
{
    pthread_mutex_lock(&state.lock);
    VReader *reader = state.reader;
    state.reader = NULL;
    pthread_mutex_unlock(&state.lock);
    vreader_free(reader);
}

static void tell(VEventType type, VReader *reader)
{
    struct sm_card_event event = {.kind = SM_CARD_READER_ADDED};
    const char *name = vreader_get_name(reader);
    (void)snprintf(event.reader, sizeof(event.reader), "%s", name ? name : "");
    if (type == VEVENT_READER_REMOVE) {
        event.kind = SM_CARD_READER_REMOVED;
    } else if (type == VEVENT_CARD_REMOVE) {
        event.kind = SM_CARD_REMOVED;
    } else if (type == VEVENT_CARD_INSERT) {
        int size = SM_CARD_ATR_MAX;
        event.kind = SM_CARD_INSERTED;
        if (vreader_power_on(reader, event.atr, &size) != VREADER_OK)
            return; /* it was taken out again */
        event.atr_size = (size_t)size;
    }
    state.event(state.opaque, &event);
}

static void *run(void *opaque)
{
    (void)opaque;
    for (;;) {
        VEvent *event = vevent_wait_next_vevent();
        if (!event)
            continue;
        VEventType type = event->type;
        if (type != VEVENT_LAST && event->reader && is_ours(event->reader)) {
            tell(type, event->reader);
            if (type == VEVENT_READER_REMOVE)
                forget_reader();
        }
        vevent_delete(event);
        if (type == VEVENT_LAST)
            return NULL;
    }
}

static int start_thread(void)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not ours */
    int result = pthread_create(&state.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

static enum sm_status begin(const struct sm_card_options *options)
{
    char text[OPTIONS_SIZE];
    enum sm_status status = write_options(text, options);
    if (status != SM_OK)
        return status;
    VCardEmulOptions *parsed = vcard_emul_options(text);
    VCardEmulError error = vcard_emul_init(parsed);
    if (error == VCARD_EMUL_INIT_ALREADY_INITED) /* an earlier session's readers are still there */
        vcard_emul_replay_insertion_events();
    else if (error != VCARD_EMUL_OK)
        return SM_ERR_IO;
    return start_thread() == 0 ? SM_OK : SM_ERR_NOMEM;
}

static enum sm_status start(const struct sm_card_options *options,
                            void (*event)(void *opaque, const struct sm_card_event *event),
                            void *opaque)
{
    pthread_mutex_lock(&state.lock);
    bool was_started = state.is_started;
    state.is_started = true;
    pthread_mutex_unlock(&state.lock);
    if (was_started)
        return SM_ERR_STATE;
    state.event = event;
    state.opaque = opaque;
    enum sm_status status = begin(options);
    if (status != SM_OK) {
        pthread_mutex_lock(&state.lock);
        state.is_started = false;
        pthread_mutex_unlock(&state.lock);
    }
    return status;
}

static void stop(void)
{
    vevent_queue_vevent(vevent_new(VEVENT_LAST, NULL, NULL));
    pthread_join(state.thread, NULL);
    forget_reader();
    pthread_mutex_lock(&state.lock);
    state.is_started = false;
    pthread_mutex_unlock(&state.lock);
}

static VReader *hold_reader(void)
{
    pthread_mutex_lock(&state.lock);
    VReader *reader = state.reader ? vreader_reference(state.reader) : NULL;
    pthread_mutex_unlock(&state.lock);
    return reader;
}

static enum sm_status transmit(struct sm_bytes command, uint8_t *answer, size_t *answer_size)
{
    uint8_t copy[ANSWER_SIZE], out[ANSWER_SIZE];
    int size = sizeof(out);
    VReader *reader = hold_reader();
    enum sm_status status = SM_ERR_STATE;
    if (reader && command.size > 0 && command.size <= sizeof(copy)) {
        memcpy(copy, command.data, command.size); /* the library wants to be able to write it */
        if (vreader_xfr_bytes(reader, copy, (int)command.size, out, &size) == VREADER_OK &&
            size >= 0 && size <= SM_CARD_APDU_MAX) {
            memcpy(answer, out, (size_t)size);
            *answer_size = (size_t)size;
            status = SM_OK;
        }
    }
    vreader_free(reader);
    return status;
}

static void insert(bool is_inserted)
{
    VReader *reader = hold_reader();
    if (reader && is_inserted)
        (void)vcard_emul_force_card_insert(reader);
    else if (reader)
        (void)vcard_emul_force_card_remove(reader);
    vreader_free(reader);
}

__attribute__((visibility("default"))) extern const struct sm_card_module sm_card_module;
const struct sm_card_module sm_card_module = {
    .version = SM_CARD_MODULE_VERSION,
    .start = start,
    .stop = stop,
    .transmit = transmit,
    .insert = insert,
};
