/* SPDX-License-Identifier: MIT */
#include "client/clipboard.h"

#include <stdlib.h>
#include <string.h>

#include "client/session_private.h"
#include "core/channel/main/client.h"

enum {
    KINDS = 1 << SM_CLIPBOARD_TEXT | 1 << SM_CLIPBOARD_PNG | 1 << SM_CLIPBOARD_BMP |
            1 << SM_CLIPBOARD_TIFF | 1 << SM_CLIPBOARD_JPEG,
};

_Static_assert((int)SM_CLIPBOARD_TEXT == (int)SM_CLIPBOARD_TYPE_UTF8_TEXT &&
                   (int)SM_CLIPBOARD_JPEG == (int)SM_CLIPBOARD_TYPE_JPG,
               "the public kinds are the wire's numbers");

static struct sm_client_clipboard *clipboard_of(struct sm_client_channel *main)
{
    return &main->session->clipboard;
}

static void tell(struct sm_client_channel *main, enum sm_event_kind kind)
{
    sm_session_tell(main->session, kind, main);
}

static bool has_crlf(const struct sm_client_channel *main)
{
    return main->session->agent.caps >> SM_AGENT_CAP_GUEST_LINEEND_CRLF & 1;
}

/* The other selections of X11 are the guest's own affair. */
static bool is_ours(uint8_t selection)
{
    return selection == SM_CLIPBOARD_SELECTION_CLIPBOARD;
}

static bool can_share(const struct sm_client_channel *main)
{
    const struct sm_client_agent *agent = &main->session->agent;
    return agent->is_known && agent->caps >> SM_AGENT_CAP_CLIPBOARD_BY_DEMAND & 1;
}

/* ---- Line ends ---- */

size_t sm_clipboard_to_lf(uint8_t *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\r' || i + 1 == size || text[i + 1] != '\n')
            text[used++] = text[i];
    return used;
}

uint8_t *sm_clipboard_to_crlf(const uint8_t *text, size_t size, size_t *out_size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' && (i == 0 || text[i - 1] != '\r');
    uint8_t *out = malloc(size + lines + 1);
    if (!out)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            out[used++] = '\r';
        out[used++] = text[i];
    }
    *out_size = used;
    return out;
}

/* ---- To the agent ---- */

static enum sm_status send_offer(struct sm_client_channel *main)
{
    struct sm_client_clipboard *clipboard = clipboard_of(main);
    uint32_t types[8], count = 0;
    pthread_mutex_lock(&main->session->lock);
    for (uint32_t kind = SM_CLIPBOARD_TEXT; kind <= SM_CLIPBOARD_JPEG; kind++)
        if (clipboard->ours >> kind & 1)
            types[count++] = kind;
    bool is_release = count == 0 && clipboard->is_told;
    struct sm_agent_msg msg = {.type = SM_AGENT_CLIPBOARD_RELEASE};
    if (count > 0)
        msg = (struct sm_agent_msg){
            .type = SM_AGENT_CLIPBOARD_GRAB,
            .clipboard_grab = {.serial = clipboard->serial++, .num_types = count, .types = types}};
    clipboard->is_told = count > 0;
    pthread_mutex_unlock(&main->session->lock);
    return count > 0 || is_release ? sm_client_agent_send(main, &msg) : SM_OK;
}

enum sm_status sm_client_clipboard_begin(struct sm_client_channel *main)
{
    pthread_mutex_lock(&main->session->lock);
    clipboard_of(main)->serial = 0;
    clipboard_of(main)->is_told = false;
    pthread_mutex_unlock(&main->session->lock);
    return can_share(main) ? send_offer(main) : SM_OK;
}

static void offer_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    if (can_share(main) && send_offer(main) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard could not be offered");
    sm_client_channel_kick(main);
}

static void ask_call(struct sm_client_channel *main, const void *argument)
{
    struct sm_agent_msg msg = {.type = SM_AGENT_CLIPBOARD_REQUEST};
    memcpy(&msg.clipboard_request.type, argument, sizeof(msg.clipboard_request.type));
    if (sm_client_agent_send(main, &msg) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard could not be asked for");
    sm_client_channel_kick(main);
}

/* Data on their way to the agent; owned by the call that carries the pointer. */
struct parcel {
    uint32_t kind;
    size_t size;
    uint8_t data[];
};

static enum sm_status send_data(struct sm_client_channel *main, const struct parcel *parcel)
{
    struct sm_bytes data = {.data = parcel->data, .size = parcel->size};
    uint8_t *converted = NULL;
    if (parcel->kind == SM_CLIPBOARD_TEXT && has_crlf(main)) {
        converted = sm_clipboard_to_crlf(parcel->data, parcel->size, &data.size);
        if (!converted)
            return SM_ERR_NOMEM;
        data.data = converted;
    }
    struct sm_agent_msg msg = {.type = SM_AGENT_CLIPBOARD,
                               .clipboard = {.type = parcel->kind, .data = data}};
    enum sm_status status = sm_client_agent_send(main, &msg);
    free(converted);
    return status;
}

static void data_call(struct sm_client_channel *main, const void *argument)
{
    struct parcel *parcel;
    memcpy(&parcel, argument, sizeof(parcel));
    if (can_share(main) && send_data(main, parcel) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "the clipboard's data could not be sent");
    free(parcel);
    sm_client_channel_kick(main);
}

/* ---- From the agent ---- */

/* With the lock held: whoever waits for data hears that there are none. */
static bool give_up_asking(struct sm_client_clipboard *clipboard)
{
    bool was_asked = clipboard->asked != 0;
    clipboard->asked = 0;
    return was_asked;
}

static void set_guests_offer(struct sm_client_channel *main, uint32_t kinds)
{
    struct sm_client_clipboard *clipboard = clipboard_of(main);
    pthread_mutex_lock(&main->session->lock);
    bool has_changed = kinds != 0 || clipboard->guests != 0;
    bool was_asked = give_up_asking(clipboard);
    clipboard->guests = kinds;
    if (kinds) {
        clipboard->ours = 0; /* one owner at a time */
        clipboard->is_told = false;
        clipboard->wanted = 0;
    }
    pthread_mutex_unlock(&main->session->lock);
    if (was_asked)
        tell(main, SM_EVENT_CLIPBOARD_DATA);
    if (has_changed)
        tell(main, SM_EVENT_CLIPBOARD_OFFER);
}

void sm_client_clipboard_end(struct sm_client_channel *main)
{
    pthread_mutex_lock(&main->session->lock);
    clipboard_of(main)->wanted = 0;
    clipboard_of(main)->is_told = false;
    pthread_mutex_unlock(&main->session->lock);
    set_guests_offer(main, 0);
}

/* With serials, a grab that crossed ours on the way has lost. */
static void take_grab(struct sm_client_channel *main, const struct sm_agent_clipboard_grab *grab)
{
    struct sm_client_clipboard *clipboard = clipboard_of(main);
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < grab->num_types; i++)
        if (grab->types[i] <= SM_CLIPBOARD_JPEG)
            kinds |= 1u << grab->types[i] & KINDS;
    if (main->session->agent.caps >> SM_AGENT_CAP_CLIPBOARD_GRAB_SERIAL & 1) {
        pthread_mutex_lock(&main->session->lock);
        bool has_lost = grab->serial != clipboard->serial;
        if (!has_lost)
            clipboard->serial++;
        pthread_mutex_unlock(&main->session->lock);
        if (has_lost)
            return;
    }
    set_guests_offer(main, kinds);
}

static enum sm_status take_request(struct sm_client_channel *main, uint32_t kind)
{
    struct sm_client_clipboard *clipboard = clipboard_of(main);
    pthread_mutex_lock(&main->session->lock);
    bool is_offered = kind <= SM_CLIPBOARD_JPEG && clipboard->ours >> kind & 1;
    if (is_offered)
        clipboard->wanted = kind;
    pthread_mutex_unlock(&main->session->lock);
    if (is_offered) {
        tell(main, SM_EVENT_CLIPBOARD_WANTED);
        return SM_OK;
    }
    return sm_client_agent_send(main, &(struct sm_agent_msg){.type = SM_AGENT_CLIPBOARD});
}

static enum sm_status take_data(struct sm_client_channel *main,
                                const struct sm_agent_clipboard *message)
{
    size_t size = message->data.size;
    uint8_t *data = NULL;
    if (message->type != SM_CLIPBOARD_NOTHING) {
        data = malloc(size + 1);
        if (!data)
            return SM_ERR_NOMEM;
        if (size)
            memcpy(data, message->data.data, size);
        if (message->type == SM_CLIPBOARD_TEXT) {
            if (size > 0 && data[size - 1] == 0)
                size--;
            if (has_crlf(main))
                size = sm_clipboard_to_lf(data, size);
        }
        data[size] = 0;
    }
    struct sm_client_clipboard *clipboard = clipboard_of(main);
    pthread_mutex_lock(&main->session->lock);
    bool is_awaited = clipboard->asked != 0 && (!data || message->type == clipboard->asked);
    if (is_awaited) {
        free(clipboard->data);
        clipboard->data = data;
        clipboard->data_size = size;
        clipboard->data_kind = message->type;
        clipboard->asked = 0;
    }
    pthread_mutex_unlock(&main->session->lock);
    if (is_awaited)
        tell(main, SM_EVENT_CLIPBOARD_DATA);
    else
        free(data);
    return SM_OK;
}

enum sm_status sm_client_clipboard_message(struct sm_client_channel *main,
                                           const struct sm_agent_msg *msg)
{
    switch (msg->type) {
    case SM_AGENT_CLIPBOARD_GRAB:
        if (is_ours(msg->clipboard_grab.selection))
            take_grab(main, &msg->clipboard_grab);
        return SM_OK;
    case SM_AGENT_CLIPBOARD_RELEASE:
        if (is_ours(msg->clipboard_release.selection))
            set_guests_offer(main, 0);
        return SM_OK;
    case SM_AGENT_CLIPBOARD_REQUEST:
        return is_ours(msg->clipboard_request.selection)
                   ? take_request(main, msg->clipboard_request.type)
                   : SM_OK;
    case SM_AGENT_CLIPBOARD:
        return is_ours(msg->clipboard.selection) ? take_data(main, &msg->clipboard) : SM_OK;
    default:
        return SM_OK;
    }
}

void sm_client_clipboard_finish(struct sm_client_clipboard *clipboard)
{
    free(clipboard->data);
    clipboard->data = NULL;
}

/* ---- Public ---- */

const char *sm_clipboard_kind_name(enum sm_clipboard_kind kind)
{
    static const char *const names[] = {"nothing", "text", "png", "bmp", "tiff", "jpeg"};
    return (unsigned)kind <= SM_CLIPBOARD_JPEG ? names[kind] : names[0];
}

static enum sm_status post(struct sm_session *session,
                           void (*call)(struct sm_client_channel *channel, const void *argument),
                           const void *argument, size_t size)
{
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (!main || !session->agent.is_used)
        return SM_ERR_STATE;
    return sm_client_channel_post(main, call, argument, size);
}

enum sm_status sm_session_offer_clipboard(struct sm_session *session, uint32_t kinds)
{
    if (kinds & ~(uint32_t)KINDS)
        return SM_ERR_LIMIT;
    pthread_mutex_lock(&session->lock);
    session->clipboard.ours = kinds;
    if (kinds)
        session->clipboard.guests = 0;
    pthread_mutex_unlock(&session->lock);
    return post(session, offer_call, NULL, 0);
}

enum sm_clipboard_kind sm_session_clipboard_wanted(struct sm_session *session)
{
    pthread_mutex_lock(&session->lock);
    uint32_t wanted = session->clipboard.wanted;
    pthread_mutex_unlock(&session->lock);
    return (enum sm_clipboard_kind)wanted;
}

enum sm_status sm_session_send_clipboard(struct sm_session *session, enum sm_clipboard_kind kind,
                                         const void *data, size_t size)
{
    if (size > SM_CLIPBOARD_MAX_BYTES || (unsigned)kind > SM_CLIPBOARD_JPEG)
        return SM_ERR_LIMIT;
    struct parcel *parcel = malloc(sizeof(*parcel) + size);
    if (!parcel)
        return SM_ERR_NOMEM;
    parcel->kind = kind;
    parcel->size = size;
    if (size)
        memcpy(parcel->data, data, size);
    pthread_mutex_lock(&session->lock);
    bool is_wanted = session->clipboard.wanted != 0;
    session->clipboard.wanted = 0;
    pthread_mutex_unlock(&session->lock);
    enum sm_status status =
        is_wanted ? post(session, data_call, &parcel, sizeof(struct parcel *)) : SM_ERR_STATE;
    if (status != SM_OK)
        free(parcel);
    return status;
}

uint32_t sm_session_clipboard_offer(struct sm_session *session)
{
    pthread_mutex_lock(&session->lock);
    uint32_t kinds = session->clipboard.guests;
    pthread_mutex_unlock(&session->lock);
    return kinds;
}

enum sm_status sm_session_ask_clipboard(struct sm_session *session, enum sm_clipboard_kind kind)
{
    uint32_t asked = kind;
    enum sm_status status = SM_OK;
    pthread_mutex_lock(&session->lock);
    struct sm_client_clipboard *clipboard = &session->clipboard;
    if (clipboard->asked)
        status = SM_AGAIN;
    else if ((unsigned)kind > SM_CLIPBOARD_JPEG || !(clipboard->guests >> kind & 1))
        status = SM_ERR_STATE;
    else
        clipboard->asked = asked;
    pthread_mutex_unlock(&session->lock);
    if (status != SM_OK)
        return status;
    status = post(session, ask_call, &asked, sizeof(asked));
    if (status != SM_OK) {
        pthread_mutex_lock(&session->lock);
        clipboard->asked = 0;
        pthread_mutex_unlock(&session->lock);
    }
    return status;
}

void *sm_session_take_clipboard(struct sm_session *session, size_t *size,
                                enum sm_clipboard_kind *kind)
{
    pthread_mutex_lock(&session->lock);
    struct sm_client_clipboard *clipboard = &session->clipboard;
    void *data = clipboard->data;
    *size = data ? clipboard->data_size : 0;
    if (kind)
        *kind = data ? (enum sm_clipboard_kind)clipboard->data_kind : SM_CLIPBOARD_NOTHING;
    clipboard->data = NULL;
    pthread_mutex_unlock(&session->lock);
    return data;
}
