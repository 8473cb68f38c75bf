/* SPDX-License-Identifier: MIT */
#include "client/clipboard.h"

#include <stdlib.h>
#include <string.h>

#include "client/session_private.h"
#include "core/base/writer.h"
#include "core/channel/main/client.h"
#include "io/clock.h"

enum {
    LOOK_MS = 100,          /* between looks at what is under way */
    RELEASE_US = 500000,    /* agents of old take an offer back before each new one */
    ANSWER_US = 30000000,   /* without a byte of the answer */
    TELL_EVERY_US = 100000, /* progress */
    QUICKLY_US = 500000,    /* no person copies here so soon after copying there */
    CROSSINGS_MAX = 3,      /* so often in a row it was a program */
    HEAD_MAX = 8,           /* before data: selection and kind */
};

_Static_assert((int)SM_CLIPBOARD_TEXT == (int)SM_CLIPBOARD_TYPE_UTF8_TEXT &&
                   (int)SM_CLIPBOARD_JPEG == (int)SM_CLIPBOARD_TYPE_JPG &&
                   (int)SM_CLIPBOARD_FILES == (int)SM_CLIPBOARD_TYPE_FILE_LIST &&
                   (int)SM_SELECTION_SECONDARY == (int)SM_CLIPBOARD_SELECTION_SECONDARY,
               "the public numbers are the wire's");

static struct sm_client_selection *selection_of(struct sm_client_channel *main, unsigned selection)
{
    return &main->session->clipboard.selections[selection];
}

static void lock(struct sm_client_channel *main)
{
    pthread_mutex_lock(&main->session->lock);
}

static void unlock(struct sm_client_channel *main)
{
    pthread_mutex_unlock(&main->session->lock);
}

void sm_clipboard_tell(struct sm_session *session, enum sm_event_kind kind,
                       enum sm_selection selection)
{
    struct sm_event event = {
        .kind = kind, .channel = SM_CHANNEL_KIND_MAIN, .channel_id = (uint8_t)selection};
    sm_events_put(&session->events, &event);
}

static void tell(struct sm_client_channel *main, enum sm_event_kind kind, unsigned selection)
{
    sm_clipboard_tell(main->session, kind, (enum sm_selection)selection);
}

static bool can(const struct sm_client_channel *main, enum sm_agent_cap cap)
{
    return main->session->agent.caps >> cap & 1;
}

static bool can_share(const struct sm_client_channel *main, unsigned selection)
{
    return main->session->agent.is_known && can(main, SM_AGENT_CAP_CLIPBOARD_BY_DEMAND) &&
           (selection == SM_SELECTION_CLIPBOARD || can(main, SM_AGENT_CAP_CLIPBOARD_SELECTION));
}

/* With the lock held. */
static bool is_open(const struct sm_client_channel *main, enum sm_clipboard_direction direction)
{
    return !(main->session->clipboard.closed & direction);
}

/* ---- Time ---- */

static void on_timer(void *opaque);

/* Looks again soon. Without memory for a timer nothing is ever overdue. */
static void look_later(struct sm_client_channel *main)
{
    struct sm_client_clipboard *clipboard = &main->session->clipboard;
    struct sm_loop loop = sm_epoll_loop_base(main->loop);
    if (!clipboard->timer)
        clipboard->timer = sm_loop_timer_add(loop, on_timer, main);
    if (clipboard->timer)
        sm_loop_timer_start(loop, clipboard->timer, LOOK_MS);
}

void sm_client_clipboard_detach(struct sm_client_channel *main)
{
    struct sm_client_clipboard *clipboard = &main->session->clipboard;
    if (clipboard->timer)
        sm_loop_timer_remove(sm_epoll_loop_base(main->loop), clipboard->timer);
    clipboard->timer = NULL;
}

/* ---- What we offer ---- */

/* With the lock held: whether the machine has a port for the folder that files lie in. */
static bool has_folder(const struct sm_session *session)
{
    for (size_t i = 0; i < session->listed_count; i++)
        if (session->listed[i].kind == SM_CHANNEL_KIND_WEBDAV)
            return true;
    return false;
}

/* Files are read from a server of ours. */
static void prepare_files(struct sm_client_channel *main, unsigned selection)
{
    lock(main);
    bool are_offered =
        selection_of(main, selection)->ours >> SM_CLIPBOARD_FILES & 1 && has_folder(main->session);
    unlock(main);
    if (are_offered && !sm_client_folder_prepare(main))
        sm_log_at(&main->session->log, SM_LOG_WARNING,
                  "files that are copied cannot be offered: libsumac-dav.so is not there");
}

/* With the lock held: what the guest may know of our offer. */
static uint32_t to_be_told(const struct sm_client_channel *main, unsigned selection)
{
    uint32_t kinds = main->session->clipboard.selections[selection].ours;
    if (!is_open(main, SM_CLIPBOARD_TO_GUEST) || !can_share(main, selection))
        return 0;
    bool can_have_files = has_folder(main->session) && main->session->folder.server;
    return can_have_files ? kinds : kinds & ~(1u << SM_CLIPBOARD_FILES);
}

/*
 * With the lock held. Programs that keep what is copied, here and in the guest, may take the
 * clipboard from each other for ever; then the guest has it.
 */
static bool is_fight(struct sm_client_selection *s)
{
    bool is_quick = s->grabbed_us && sm_now_us() - s->grabbed_us < QUICKLY_US;
    s->crossings = is_quick ? s->crossings + 1 : 0;
    return s->crossings > CROSSINGS_MAX;
}

static enum sm_status send_grab(struct sm_client_channel *main, unsigned selection, uint32_t kinds)
{
    uint32_t types[SM_CLIPBOARD_FILES], count = 0;
    for (uint32_t kind = SM_CLIPBOARD_TEXT; kind <= SM_CLIPBOARD_FILES; kind++)
        if (kinds >> kind & 1)
            types[count++] = kind;
    struct sm_agent_msg msg = {
        .type = SM_AGENT_CLIPBOARD_GRAB,
        .clipboard_grab = {.selection = (uint8_t)selection,
                           .serial = selection_of(main, selection)->serial++,
                           .num_types = count,
                           .types = types},
    };
    return sm_client_agent_send(main, &msg);
}

/* Tells the agent what we offer; what it knows already only if `is_new`. */
static enum sm_status send_offer(struct sm_client_channel *main, unsigned selection, bool is_new)
{
    struct sm_client_selection *s = selection_of(main, selection);
    prepare_files(main, selection);
    lock(main);
    uint32_t kinds = to_be_told(main, selection), before = s->told;
    if (is_new && kinds && is_fight(s)) {
        unlock(main);
        sm_log_at(&main->session->log, SM_LOG_WARNING,
                  "a program here takes the clipboard from the guest again and again: not offered");
        return SM_OK;
    }
    s->told = kinds;
    if (kinds)
        s->guests = 0;
    unlock(main);
    if (kinds && (is_new || kinds != before))
        return send_grab(main, selection, kinds);
    struct sm_agent_msg msg = {.type = SM_AGENT_CLIPBOARD_RELEASE,
                               .clipboard_release = {.selection = (uint8_t)selection}};
    return before && !kinds && can_share(main, selection) ? sm_client_agent_send(main, &msg)
                                                          : SM_OK;
}

void sm_clipboard_offer_call(struct sm_client_channel *main, const void *argument)
{
    enum sm_selection selection;
    memcpy(&selection, argument, sizeof(selection));
    if (send_offer(main, selection, true) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard could not be offered");
    sm_client_channel_kick(main);
}

/* ---- Data for the guest ---- */

static enum sm_status send_nothing(struct sm_client_channel *main, unsigned selection)
{
    struct sm_agent_msg msg = {.type = SM_AGENT_CLIPBOARD,
                               .clipboard = {.selection = (uint8_t)selection}};
    return sm_client_agent_send(main, &msg);
}

void sm_clipboard_free_parcels(struct sm_clipboard_parcel *parcels)
{
    while (parcels) {
        struct sm_clipboard_parcel *next = parcels->next;
        free(parcels->data);
        free(parcels);
        parcels = next;
    }
}

/* Takes the parcel's data. */
static enum sm_status send_parcel(struct sm_client_channel *main,
                                  struct sm_clipboard_parcel *parcel)
{
    uint8_t *data = parcel->data;
    size_t size = parcel->size;
    parcel->data = NULL;
    if (parcel->kind == SM_CLIPBOARD_TEXT && data && can(main, SM_AGENT_CAP_GUEST_LINEEND_CRLF)) {
        uint8_t *converted = sm_clipboard_to_crlf(data, size, &size);
        free(data);
        if (!converted)
            return SM_ERR_NOMEM;
        data = converted;
    }
    struct sm_writer head;
    sm_writer_init(&head, HEAD_MAX);
    if (can(main, SM_AGENT_CAP_CLIPBOARD_SELECTION))
        sm_put_le32(&head, parcel->selection);
    sm_put_le32(&head, parcel->kind);
    enum sm_status status = sm_writer_status(&head);
    if (status == SM_OK)
        status = sm_main_client_give_agent(main->self, SM_AGENT_CLIPBOARD, sm_writer_bytes(&head),
                                           data, size);
    else
        free(data);
    sm_writer_finish(&head);
    return status;
}

void sm_clipboard_parcels_call(struct sm_client_channel *main, const void *argument)
{
    struct sm_client_clipboard *clipboard = &main->session->clipboard;
    (void)argument;
    lock(main);
    struct sm_clipboard_parcel *parcels = clipboard->parcels;
    clipboard->parcels = NULL;
    unlock(main);
    size_t size = 0;
    for (struct sm_clipboard_parcel *parcel = parcels; parcel; parcel = parcel->next) {
        size += parcel->size;
        if (!can_share(main, parcel->selection))
            continue;
        lock(main);
        bool may_leave = is_open(main, SM_CLIPBOARD_TO_GUEST);
        unlock(main);
        enum sm_status status = may_leave ? send_parcel(main, parcel) : SM_ERR_STATE;
        if (status != SM_OK) { /* who waits there is to wait no longer */
            sm_log_at(&main->session->log, SM_LOG_WARNING,
                      "the clipboard's data could not be sent");
            (void)!send_nothing(main, parcel->selection);
        }
    }
    /* In this order nobody finds both empty in between. */
    atomic_store(&main->session->agent.backlog, sm_main_client_agent_queued(main->self));
    atomic_fetch_sub(&clipboard->parcels_size, size);
    sm_clipboard_free_parcels(parcels);
    sm_client_clipboard_look(main);
    sm_client_channel_kick(main);
}

static enum sm_status take_request(struct sm_client_channel *main, unsigned selection,
                                   uint32_t kind)
{
    struct sm_client_selection *s = selection_of(main, selection);
    lock(main);
    bool is_offered = kind > 0 && kind <= SM_CLIPBOARD_FILES && s->told >> kind & 1 &&
                      s->wanted_count < SM_CLIPBOARD_WANTED_MAX;
    if (is_offered)
        s->wanted[s->wanted_count++] = kind;
    unlock(main);
    if (!is_offered)
        return send_nothing(main, selection);
    tell(main, SM_EVENT_CLIPBOARD_WANTED, selection);
    return SM_OK;
}

/* ---- What the guest offers ---- */

static void set_guests_offer(struct sm_client_channel *main, unsigned selection, uint32_t kinds)
{
    struct sm_client_selection *s = selection_of(main, selection);
    lock(main);
    bool has_changed = (kinds != 0 || s->guests != 0) && is_open(main, SM_CLIPBOARD_FROM_GUEST);
    bool was_asked = s->asked != 0;
    s->asked = 0;
    s->guests = kinds;
    s->released_us = 0;
    if (kinds) { /* one owner at a time */
        s->ours = s->told = 0;
        s->wanted_count = 0;
        s->grabbed_us = sm_now_us();
    }
    unlock(main);
    if (was_asked)
        tell(main, SM_EVENT_CLIPBOARD_DATA, selection);
    if (has_changed)
        tell(main, SM_EVENT_CLIPBOARD_OFFER, selection);
}

/* With serials, a grab that crossed ours on the way has lost. */
static void take_grab(struct sm_client_channel *main, const struct sm_agent_clipboard_grab *grab)
{
    struct sm_client_selection *s = selection_of(main, grab->selection);
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < grab->num_types; i++)
        if (grab->types[i] <= SM_CLIPBOARD_FILES)
            kinds |= 1u << grab->types[i] & SM_CLIPBOARD_KINDS_ALL;
    if (can(main, SM_AGENT_CAP_CLIPBOARD_GRAB_SERIAL)) {
        bool has_lost = grab->serial != s->serial;
        s->serial += !has_lost;
        if (has_lost)
            return;
    }
    set_guests_offer(main, grab->selection, kinds);
}

static void take_release(struct sm_client_channel *main, unsigned selection)
{
    struct sm_client_selection *s = selection_of(main, selection);
    if (can(main, SM_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB) || !s->guests) {
        set_guests_offer(main, selection, 0);
        return;
    }
    lock(main);
    s->released_us = sm_now_us();
    unlock(main);
    look_later(main);
}

void sm_clipboard_ask_call(struct sm_client_channel *main, const void *argument)
{
    enum sm_selection selection;
    memcpy(&selection, argument, sizeof(selection));
    struct sm_client_selection *s = selection_of(main, selection);
    struct sm_agent_msg msg = {
        .type = SM_AGENT_CLIPBOARD_REQUEST,
        .clipboard_request = {.selection = (uint8_t)selection},
    };
    lock(main);
    msg.clipboard_request.type = s->asked;
    /* One that takes its offer back has nothing to give: what follows tells who asks. */
    bool is_due = s->asked != 0 && !s->released_us;
    s->asked_us = sm_now_us();
    unlock(main);
    if (is_due && sm_client_agent_send(main, &msg) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard could not be asked for");
    look_later(main);
    sm_client_channel_kick(main);
}

/* A copy in the form it has here, with a NUL behind it; NULL without memory. */
static uint8_t *copy_data(struct sm_client_channel *main, const struct sm_agent_clipboard *message,
                          size_t *size)
{
    *size = message->data.size;
    uint8_t *data = malloc(*size + 1);
    if (!data)
        return NULL;
    if (*size)
        memcpy(data, message->data.data, *size);
    if (message->type == SM_CLIPBOARD_TEXT) {
        *size -= *size > 0 && data[*size - 1] == 0;
        if (can(main, SM_AGENT_CAP_GUEST_LINEEND_CRLF))
            *size = sm_clipboard_to_lf(data, *size);
    }
    data[*size] = 0;
    return data;
}

static enum sm_status take_data(struct sm_client_channel *main,
                                const struct sm_agent_clipboard *message)
{
    struct sm_client_selection *s = selection_of(main, message->selection);
    bool is_nothing = message->type == SM_CLIPBOARD_NOTHING;
    lock(main);
    bool is_awaited = s->asked != 0 && (is_nothing || message->type == s->asked);
    unlock(main);
    if (!is_awaited)
        return SM_OK;
    size_t size = 0;
    uint8_t *data = is_nothing ? NULL : copy_data(main, message, &size);
    if (!is_nothing && !data)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "no memory for the clipboard's data");
    lock(main);
    is_awaited = s->asked != 0; /* it may have been cancelled meanwhile */
    if (is_awaited) {
        free(s->data);
        s->data = data;
        s->data_size = size;
        s->data_kind = message->type;
        s->asked = 0;
    }
    unlock(main);
    if (is_awaited)
        tell(main, SM_EVENT_CLIPBOARD_DATA, message->selection);
    else
        free(data);
    return SM_OK;
}

enum sm_status sm_client_clipboard_message(struct sm_client_channel *main,
                                           const struct sm_agent_msg *msg)
{
    switch (msg->type) {
    case SM_AGENT_CLIPBOARD_GRAB:
        if (msg->clipboard_grab.selection < SM_SELECTION_COUNT)
            take_grab(main, &msg->clipboard_grab);
        return SM_OK;
    case SM_AGENT_CLIPBOARD_RELEASE:
        if (msg->clipboard_release.selection < SM_SELECTION_COUNT)
            take_release(main, msg->clipboard_release.selection);
        return SM_OK;
    case SM_AGENT_CLIPBOARD_REQUEST:
        return msg->clipboard_request.selection < SM_SELECTION_COUNT
                   ? take_request(main, msg->clipboard_request.selection,
                                  msg->clipboard_request.type)
                   : SM_OK;
    case SM_AGENT_CLIPBOARD:
        return msg->clipboard.selection < SM_SELECTION_COUNT ? take_data(main, &msg->clipboard)
                                                             : SM_OK;
    default:
        return SM_OK;
    }
}

/* ---- What is under way ---- */

void sm_client_clipboard_look(struct sm_client_channel *main)
{
    struct sm_client_clipboard *clipboard = &main->session->clipboard;
    struct sm_clipboard_progress progress = {.done = 0};
    size_t done, total;
    uint32_t type;
    uint64_t now_us = sm_now_us();
    bool is_sending = sm_main_client_agent_sending(main->self, SM_AGENT_CLIPBOARD, &done, &total);
    bool is_moving = is_sending;
    if (!is_moving)
        is_moving = sm_main_client_agent_receiving(main->self, &type, &done, &total) &&
                    type == SM_AGENT_CLIPBOARD;
    if (is_moving)
        progress =
            (struct sm_clipboard_progress){.is_to_guest = is_sending, .done = done, .total = total};
    lock(main);
    if (is_moving && !is_sending && done != clipboard->received) {
        clipboard->received = done;
        for (unsigned i = 0; i < SM_SELECTION_COUNT; i++)
            clipboard->selections[i].asked_us = now_us;
    }
    bool has_ended = clipboard->is_moving && !is_moving;
    bool is_due = is_moving && now_us - clipboard->told_us >= TELL_EVERY_US &&
                  progress.done != clipboard->progress.done;
    if (is_due || has_ended) {
        clipboard->progress = progress;
        clipboard->is_moving = is_moving;
        clipboard->told_us = now_us;
    }
    unlock(main);
    if (is_due || has_ended)
        tell(main, SM_EVENT_CLIPBOARD_PROGRESS, SM_SELECTION_CLIPBOARD);
}

static void on_timer(void *opaque)
{
    struct sm_client_channel *main = opaque;
    bool is_pending = false;
    if (main->is_over || !main->self)
        return;
    sm_client_clipboard_look(main);
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        struct sm_client_selection *s = selection_of(main, i);
        lock(main);
        uint64_t now_us = sm_now_us(); /* not before: what was asked meanwhile is not overdue */
        uint64_t own_us = main->session->clipboard.answer_us;
        uint64_t patience_us = own_us ? own_us : ANSWER_US;
        bool is_released = s->released_us && now_us - s->released_us >= RELEASE_US;
        bool is_overdue = s->asked && now_us - s->asked_us >= patience_us;
        if (is_overdue)
            s->asked = 0;
        is_pending = is_pending || s->asked || (s->released_us && !is_released);
        unlock(main);
        if (is_overdue) {
            sm_log_at(&main->session->log, SM_LOG_WARNING,
                      "the guest does not give what was copied there");
            tell(main, SM_EVENT_CLIPBOARD_DATA, i);
        }
        if (is_released)
            set_guests_offer(main, i, 0);
    }
    if (is_pending)
        look_later(main);
}

/* ---- The ways ---- */

void sm_clipboard_directions_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        struct sm_client_selection *s = selection_of(main, i);
        lock(main);
        size_t unanswered = is_open(main, SM_CLIPBOARD_TO_GUEST) ? 0 : s->wanted_count;
        s->wanted_count -= unanswered;
        unlock(main);
        enum sm_status status = SM_OK;
        for (; unanswered > 0 && status == SM_OK; unanswered--)
            status = send_nothing(main, i);
        if (status != SM_OK || send_offer(main, i, false) != SM_OK)
            sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard could not be offered");
    }
    sm_client_channel_kick(main);
}

/* ---- Coming and going ---- */

static enum sm_status tell_max(struct sm_client_channel *main)
{
    if (main->session->clipboard.is_max_told || !can(main, SM_AGENT_CAP_MAX_CLIPBOARD))
        return SM_OK;
    main->session->clipboard.is_max_told = true;
    struct sm_agent_msg msg = {.type = SM_AGENT_MAX_CLIPBOARD,
                               .max_clipboard = {.max = SM_CLIPBOARD_MAX_BYTES}};
    return sm_client_agent_send(main, &msg);
}

enum sm_status sm_client_clipboard_begin(struct sm_client_channel *main)
{
    enum sm_status status = tell_max(main);
    for (unsigned i = 0; i < SM_SELECTION_COUNT && status == SM_OK; i++)
        status = send_offer(main, i, false);
    return status;
}

void sm_client_clipboard_end(struct sm_client_channel *main)
{
    struct sm_client_clipboard *clipboard = &main->session->clipboard;
    clipboard->is_max_told = false;
    if (clipboard->timer)
        sm_loop_timer_cancel(sm_epoll_loop_base(main->loop), clipboard->timer);
    lock(main);
    struct sm_clipboard_parcel *parcels = clipboard->parcels;
    bool was_moving = clipboard->is_moving;
    clipboard->is_moving = false;
    clipboard->parcels = NULL;
    atomic_store(&clipboard->parcels_size, 0);
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        struct sm_client_selection *s = &clipboard->selections[i];
        s->wanted_count = 0;
        s->told = s->serial = s->crossings = 0;
        s->grabbed_us = 0;
    }
    unlock(main);
    sm_clipboard_free_parcels(parcels);
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++)
        set_guests_offer(main, i, 0);
    if (was_moving)
        tell(main, SM_EVENT_CLIPBOARD_PROGRESS, SM_SELECTION_CLIPBOARD);
}

void sm_client_clipboard_finish(struct sm_client_clipboard *clipboard)
{
    sm_clipboard_free_parcels(clipboard->parcels);
    clipboard->parcels = NULL;
    for (unsigned i = 0; i < SM_SELECTION_COUNT; i++) {
        free(clipboard->selections[i].data);
        clipboard->selections[i].data = NULL;
    }
}
