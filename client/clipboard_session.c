/* SPDX-License-Identifier: MIT */
/* What programs ask of the clipboard. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "client/session_private.h"
#include "io/clock.h"

const char *sm_clipboard_kind_name(enum sm_clipboard_kind kind)
{
    static const char *const names[] = {"nothing", "text", "png", "bmp", "tiff", "jpeg", "files"};
    return (unsigned)kind <= SM_CLIPBOARD_FILES ? names[kind] : names[0];
}

static struct sm_client_selection *selection_of(struct sm_session *session,
                                                enum sm_selection selection)
{
    return &session->clipboard.selections[selection];
}

static bool is_selection(enum sm_selection selection)
{
    return (unsigned)selection < SM_SELECTION_COUNT;
}

static enum sm_status post(struct sm_session *session,
                           void (*call)(struct sm_client_channel *channel, const void *argument),
                           enum sm_selection selection)
{
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (!main || !session->agent.is_used)
        return SM_ERR_STATE;
    return sm_client_channel_post(main, call, &selection, sizeof(selection));
}

/* With the lock held: what came and was not taken. */
static void forget_data(struct sm_client_selection *s)
{
    free(s->data);
    s->data = NULL;
    s->data_size = 0;
    s->data_kind = SM_CLIPBOARD_NOTHING;
}

void sm_session_set_clipboard_directions(struct sm_session *session, unsigned directions)
{
    bool offers[SM_SELECTION_COUNT], answers[SM_SELECTION_COUNT];
    unsigned closed = ~directions & (SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST);
    pthread_mutex_lock(&session->lock);
    unsigned changed = session->clipboard.closed ^ closed;
    session->clipboard.closed = closed;
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        struct sm_client_selection *s = &session->clipboard.selections[i];
        offers[i] = changed & SM_CLIPBOARD_FROM_GUEST && s->guests;
        answers[i] = closed & SM_CLIPBOARD_FROM_GUEST && s->asked;
        if (answers[i])
            s->asked = 0;
        if (closed & SM_CLIPBOARD_FROM_GUEST)
            forget_data(s);
    }
    pthread_mutex_unlock(&session->lock);
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        if (answers[i])
            sm_clipboard_tell(session, SM_EVENT_CLIPBOARD_DATA, (enum sm_selection)i);
        if (offers[i])
            sm_clipboard_tell(session, SM_EVENT_CLIPBOARD_OFFER, (enum sm_selection)i);
    }
    if (changed & SM_CLIPBOARD_TO_GUEST) /* without a connection nothing is to be taken back */
        (void)!post(session, sm_clipboard_directions_call, SM_SELECTION_CLIPBOARD);
}

enum sm_status sm_session_offer_clipboard(struct sm_session *session, enum sm_selection selection,
                                          uint32_t kinds)
{
    if (kinds & ~(uint32_t)SM_CLIPBOARD_KINDS_ALL || !is_selection(selection))
        return SM_ERR_LIMIT;
    pthread_mutex_lock(&session->lock);
    selection_of(session, selection)->ours = kinds;
    pthread_mutex_unlock(&session->lock);
    return post(session, sm_clipboard_offer_call, selection);
}

uint32_t sm_session_clipboard_told(struct sm_session *session, enum sm_selection selection)
{
    if (!is_selection(selection))
        return 0;
    pthread_mutex_lock(&session->lock);
    uint32_t told = selection_of(session, selection)->told;
    pthread_mutex_unlock(&session->lock);
    return told;
}

enum sm_clipboard_kind sm_session_clipboard_wanted(struct sm_session *session,
                                                   enum sm_selection selection)
{
    if (!is_selection(selection))
        return SM_CLIPBOARD_NOTHING;
    pthread_mutex_lock(&session->lock);
    const struct sm_client_selection *s = selection_of(session, selection);
    uint32_t wanted = s->wanted_count > 0 ? s->wanted[0] : 0;
    pthread_mutex_unlock(&session->lock);
    return (enum sm_clipboard_kind)wanted;
}

/* With the lock held: the oldest request is answered. */
static void drop_wanted(struct sm_client_selection *s)
{
    s->wanted_count--;
    memmove(s->wanted, s->wanted + 1, s->wanted_count * sizeof(s->wanted[0]));
}

/* With the lock held. */
static void append(struct sm_client_clipboard *clipboard, struct sm_clipboard_parcel *parcel)
{
    struct sm_clipboard_parcel **end = &clipboard->parcels;
    while (*end)
        end = &(*end)->next;
    *end = parcel;
    atomic_fetch_add(&clipboard->parcels_size, parcel->size);
}

static struct sm_clipboard_parcel *
make_parcel(enum sm_selection selection, enum sm_clipboard_kind kind, const void *data, size_t size)
{
    struct sm_clipboard_parcel *parcel = calloc(1, sizeof(*parcel));
    if (!parcel)
        return NULL;
    parcel->selection = selection;
    parcel->kind = kind;
    parcel->size = size;
    parcel->data = size ? malloc(size) : NULL;
    if (size && !parcel->data) {
        free(parcel);
        return NULL;
    }
    if (size)
        memcpy(parcel->data, data, size);
    return parcel;
}

enum sm_status sm_session_send_clipboard(struct sm_session *session, enum sm_selection selection,
                                         enum sm_clipboard_kind kind, const void *data, size_t size)
{
    if ((unsigned)kind > SM_CLIPBOARD_FILES || !is_selection(selection))
        return SM_ERR_LIMIT;
    bool is_too_large = size > SM_CLIPBOARD_MAX_BYTES;
    if (is_too_large || kind == SM_CLIPBOARD_NOTHING) {
        kind = SM_CLIPBOARD_NOTHING;
        size = 0;
    }
    struct sm_clipboard_parcel *parcel = make_parcel(selection, kind, data, size);
    if (!parcel)
        return SM_ERR_NOMEM;
    struct sm_client_selection *s = selection_of(session, selection);
    pthread_mutex_lock(&session->lock);
    bool is_wanted = s->wanted_count > 0 && (kind == SM_CLIPBOARD_NOTHING || kind == s->wanted[0]);
    bool are_more = is_wanted && s->wanted_count > 1;
    if (is_wanted) {
        drop_wanted(s);
        append(&session->clipboard, parcel);
    }
    pthread_mutex_unlock(&session->lock);
    if (!is_wanted) {
        sm_clipboard_free_parcels(parcel);
        return SM_ERR_STATE;
    }
    if (are_more)
        sm_clipboard_tell(session, SM_EVENT_CLIPBOARD_WANTED, selection);
    /* A parcel whose call is refused goes with the connection. */
    enum sm_status status = post(session, sm_clipboard_parcels_call, selection);
    return is_too_large && status == SM_OK ? SM_ERR_LIMIT : status;
}

uint32_t sm_session_clipboard_offer(struct sm_session *session, enum sm_selection selection)
{
    if (!is_selection(selection))
        return 0;
    pthread_mutex_lock(&session->lock);
    uint32_t kinds = session->clipboard.closed & SM_CLIPBOARD_FROM_GUEST
                         ? 0
                         : selection_of(session, selection)->guests;
    pthread_mutex_unlock(&session->lock);
    return kinds;
}

enum sm_status sm_session_ask_clipboard(struct sm_session *session, enum sm_selection selection,
                                        enum sm_clipboard_kind kind)
{
    if (!is_selection(selection))
        return SM_ERR_STATE;
    enum sm_status status = SM_OK;
    struct sm_client_selection *s = selection_of(session, selection);
    pthread_mutex_lock(&session->lock);
    if (s->asked)
        status = SM_AGAIN;
    else if ((unsigned)kind > SM_CLIPBOARD_FILES || !(s->guests >> kind & 1) ||
             session->clipboard.closed & SM_CLIPBOARD_FROM_GUEST)
        status = SM_ERR_STATE;
    else
        s->asked = kind;
    if (status == SM_OK) {
        s->asked_us = sm_now_us();
        forget_data(s); /* an answer of before is none to this */
    }
    pthread_mutex_unlock(&session->lock);
    if (status != SM_OK)
        return status;
    status = post(session, sm_clipboard_ask_call, selection);
    if (status != SM_OK)
        sm_session_cancel_clipboard(session, selection);
    return status;
}

void sm_session_cancel_clipboard(struct sm_session *session, enum sm_selection selection)
{
    if (!is_selection(selection))
        return;
    pthread_mutex_lock(&session->lock);
    struct sm_client_selection *s = selection_of(session, selection);
    s->asked = 0;
    forget_data(s);
    pthread_mutex_unlock(&session->lock);
}

void *sm_session_take_clipboard(struct sm_session *session, enum sm_selection selection,
                                size_t *size, enum sm_clipboard_kind *kind)
{
    *size = 0;
    if (kind)
        *kind = SM_CLIPBOARD_NOTHING;
    if (!is_selection(selection))
        return NULL;
    pthread_mutex_lock(&session->lock);
    struct sm_client_selection *s = selection_of(session, selection);
    void *data = s->data;
    if (data) {
        *size = s->data_size;
        if (kind)
            *kind = (enum sm_clipboard_kind)s->data_kind;
    }
    s->data = NULL;
    pthread_mutex_unlock(&session->lock);
    return data;
}

bool sm_session_clipboard_progress(struct sm_session *session, struct sm_clipboard_progress *out)
{
    pthread_mutex_lock(&session->lock);
    bool is_moving = session->clipboard.is_moving;
    *out = session->clipboard.progress;
    pthread_mutex_unlock(&session->lock);
    return is_moving;
}
