/* SPDX-License-Identifier: MIT */
#include "client/migration.h"

#include <stdlib.h>
#include <string.h>

#include "client/channel_link.h"
#include "client/session_private.h"
#include "core/channel/channel.h"
#include "core/channel/main/client.h"
#include "io/clock.h"

enum {
    TEXT_MAX = 1024,
    LINKS_MS = 8000, /* for main, its question to the target, and all others */
};

/* The server's words as a text; NULL if there are none, or it holds what no such text does. */
static char *copy_text(struct sm_bytes bytes)
{
    while (bytes.size > 0 && bytes.data[bytes.size - 1] == 0)
        bytes.size--;
    if (bytes.size == 0 || bytes.size > TEXT_MAX)
        return NULL;
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f)
            return NULL;
    return strndup((const char *)bytes.data, bytes.size);
}

/* Where a message says, ready to be connected to; NULL with a line in the log if that is nowhere.
 */
static struct sm_target *read_target(struct sm_session *session, const struct sm_dst_info *where)
{
    const char *instead = getenv("SPICE_MIG_HOST");
    char *host = instead && *instead ? strdup(instead) : copy_text(where->host);
    char *subject = copy_text(where->cert_subject);
    struct sm_target *target = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE, .cause = "there is no such place"};
    bool is_possible = host && (where->port || where->sport) && !session->settings.connector;
    if (is_possible &&
        sm_target_create_next(&target, host, where->port, where->sport, subject) == SM_OK &&
        sm_target_make_tls(target, session, &error) != SM_OK) {
        sm_target_destroy(target);
        target = NULL;
    }
    if (!target)
        sm_log_at(&session->log, SM_LOG_WARNING, "the machine moves, and we cannot follow: %s",
                  error.cause);
    free(host);
    free(subject);
    return target;
}

void sm_migration_cancel(struct sm_session *session)
{
    struct sm_client_migration *migration = &session->migration;
    for (size_t i = 0; i < migration->link_count; i++)
        sm_client_channel_stop(migration->links[i]);
    for (size_t i = 0; i < migration->link_count; i++) {
        sm_client_channel_join(migration->links[i]);
        sm_client_channel_destroy(migration->links[i]);
    }
    migration->link_count = 0;
    migration->is_arriving = false;
    pthread_mutex_lock(&session->lock);
    struct sm_target *target = migration->target; /* unless a channel is there already */
    migration->target = NULL;
    for (size_t i = 0; i < session->channel_count; i++)
        sm_ready_link_drop(&session->channels[i]->next);
    pthread_mutex_unlock(&session->lock);
    sm_target_destroy(target);
}

static enum sm_status answer(struct sm_client_channel *main, uint16_t type)
{
    main->session->migration.is_answered = true;
    return sm_main_client_send(main->self, &(struct sm_main_msgc){.type = type});
}

static enum sm_status refuse(struct sm_client_channel *main)
{
    sm_migration_cancel(main->session);
    return answer(main, SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR);
}

static enum sm_status add_link(struct sm_session *session, enum sm_channel_kind kind, uint8_t id)
{
    struct sm_client_migration *migration = &session->migration;
    if (migration->link_count == SM_MIGRATION_LINKS_MAX)
        return SM_ERR_LIMIT;
    enum sm_status status = sm_client_channel_start_link(&migration->links[migration->link_count],
                                                         session, kind, id, migration->target);
    if (status == SM_OK)
        migration->link_count++;
    return status;
}

/* The target knows the session once main is linked: then the others may come. */
static enum sm_status link_others(struct sm_session *session)
{
    enum sm_status status = SM_OK;
    for (size_t i = 1; i < session->channel_count && status == SM_OK; i++)
        if (sm_client_channel_is_open(session->channels[i]))
            status = add_link(session, session->channels[i]->kind, session->channels[i]->id);
    return status;
}

/* What the machine of the channel knows of its host holds at the target, too. */
static bool fits(const struct sm_client_channel *channel, const struct sm_ready_link *link)
{
    bool asks_host =
        channel->kind == SM_CHANNEL_KIND_INPUTS || channel->kind == SM_CHANNEL_KIND_RECORD ||
        channel->kind == SM_CHANNEL_KIND_USBREDIR || channel->kind == SM_CHANNEL_KIND_PORT ||
        channel->kind == SM_CHANNEL_KIND_WEBDAV;
    bool has_mini_header = channel->common_caps >> SM_COMMON_CAP_MINI_HEADER & 1;
    return link->event.has_mini_header && has_mini_header &&
           (!asks_host || (channel->channel_caps & ~link->event.channel_caps) == 0);
}

/* All links are up: each channel gets its own. */
static bool hand_out(struct sm_session *session)
{
    struct sm_client_migration *migration = &session->migration;
    bool do_fit = true;
    for (size_t i = 0; i < migration->link_count; i++)
        sm_client_channel_join(migration->links[i]);
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < migration->link_count; i++) {
        struct sm_client_channel *link = migration->links[i];
        for (size_t k = 0; k < session->channel_count; k++) {
            struct sm_client_channel *channel = session->channels[k];
            if (channel->kind != link->kind || channel->id != link->id ||
                channel->state != SM_CLIENT_CHANNEL_OPEN)
                continue;
            do_fit = do_fit && fits(channel, &link->ready);
            channel->next = link->ready;
            link->ready = (struct sm_ready_link){.transport = NULL};
        }
    }
    pthread_mutex_unlock(&session->lock);
    for (size_t i = 0; i < migration->link_count; i++)
        sm_client_channel_destroy(migration->links[i]);
    migration->link_count = 0;
    return do_fit;
}

static enum sm_status answer_up(struct sm_client_channel *main)
{
    struct sm_session *session = main->session;
    if (!session->migration.links[0]->ready.takes_state)
        return answer(main, SM_MSGC_MAIN_MIGRATE_CONNECTED);
    /* The target expects the session as it is, and takes it no other way any more. */
    return hand_out(session) ? answer(main, SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS) : refuse(main);
}

/* A link is up, or will not be. */
static void linked_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    struct sm_session *session = main->session;
    struct sm_client_migration *migration = &session->migration;
    if (migration->link_count == 0 || migration->is_answered)
        return;
    size_t up = 0, failed = 0;
    for (size_t i = 0; i < migration->link_count; i++) {
        int state = atomic_load(&migration->links[i]->link_state);
        up += state == SM_CLIENT_LINK_UP;
        failed += state == SM_CLIENT_LINK_FAILED;
    }
    bool is_main_alone = up == 1 && migration->link_count == 1;
    enum sm_status status = SM_OK;
    if (failed > 0 || (is_main_alone && link_others(session) != SM_OK))
        status = refuse(main);
    else if (up == migration->link_count) /* also if main is all there is */
        status = answer_up(main);
    if (status < 0)
        sm_log_at(&session->log, SM_LOG_WARNING, "the answer to the migration was not sent");
}

void sm_migration_linked(struct sm_session *session)
{
    /* If main is gone nobody waits for it. */
    (void)!sm_client_channel_post(session->channels[0], linked_call, NULL, 0);
}

bool sm_migration_may_ask(const struct sm_client_channel *link)
{
    const struct sm_link_client_event *event = &link->ready.event;
    return link->kind == SM_CHANNEL_KIND_MAIN && link->session->migration.is_seamless &&
           event->has_mini_header && event->channel_caps >> SM_MAIN_CAP_SEAMLESS_MIGRATE & 1;
}

enum sm_status sm_migration_begin(struct sm_client_channel *main, const struct sm_dst_info *where,
                                  bool is_seamless, uint32_t version)
{
    struct sm_session *session = main->session;
    struct sm_client_migration *migration = &session->migration;
    sm_migration_cancel(session);
    migration->is_answered = false;
    migration->links_until_us = sm_now_us() + LINKS_MS * 1000;
    migration->is_seamless = is_seamless;
    migration->version = version;
    migration->target = read_target(session, where);
    if (!migration->target || add_link(session, SM_CHANNEL_KIND_MAIN, 0) != SM_OK)
        return refuse(main);
    sm_log_at(&session->log, SM_LOG_INFO, "the machine is about to move to %s",
              migration->target->host);
    return SM_OK;
}

/* With the lock held. From now on the session's place is the target. */
static void adopt_target(struct sm_session *session)
{
    struct sm_client_migration *migration = &session->migration;
    if (!migration->target)
        return;
    migration->target->former = session->target;
    session->target = migration->target;
    migration->target = NULL;
}

static void leave(struct sm_client_channel *main)
{
    main->session->comeback.is_switching = true;
    sm_client_channel_fail(main, &(struct sm_error){.kind = SM_ERROR_NONE});
}

void sm_migration_end(struct sm_client_channel *main)
{
    struct sm_client_migration *migration = &main->session->migration;
    pthread_mutex_lock(&main->session->lock);
    bool is_begun = migration->target != NULL;
    adopt_target(main->session);
    pthread_mutex_unlock(&main->session->lock);
    if (!is_begun)
        return; /* or it went wrong: SWITCH_HOST will come */
    bool is_whole = migration->link_count > 0;
    for (size_t i = 0; i < migration->link_count; i++)
        is_whole = is_whole && atomic_load(&migration->links[i]->link_state) == SM_CLIENT_LINK_UP;
    migration->is_arriving = is_whole;
    migration->is_anew = !is_whole;
    if (!is_whole)
        sm_migration_cancel(main->session);
    leave(main);
}

enum sm_status sm_migration_switch(struct sm_client_channel *main, const struct sm_dst_info *where)
{
    struct sm_session *session = main->session;
    sm_migration_cancel(session);
    session->migration.target = read_target(session, where);
    if (!session->migration.target)
        return SM_OK; /* the source will close */
    pthread_mutex_lock(&session->lock);
    adopt_target(session);
    pthread_mutex_unlock(&session->lock);
    session->migration.is_anew = true;
    leave(main);
    return SM_OK;
}

/* Joins the link's thread, which has ended or is about to. */
static void take_link(struct sm_client_channel *to, struct sm_client_channel *link)
{
    sm_client_channel_join(link);
    to->ready = link->ready;
    link->ready = (struct sm_ready_link){.transport = NULL};
}

void sm_migration_hand_over(struct sm_client_channel *main)
{
    struct sm_client_migration *migration = &main->session->migration;
    if (migration->is_arriving && migration->link_count > 0)
        take_link(main, migration->links[0]);
}

enum sm_status sm_migration_arrived(struct sm_client_channel *main)
{
    struct sm_session *session = main->session;
    struct sm_client_migration *migration = &session->migration;
    enum sm_status status = SM_OK;
    migration->is_arriving = false;
    for (size_t i = 1; i < migration->link_count && status == SM_OK; i++) {
        struct sm_client_channel *link = migration->links[i];
        struct sm_client_channel *channel = sm_session_find(session, link->kind, link->id);
        if (!channel || channel->is_started)
            continue;
        take_link(channel, link);
        status = sm_client_channel_restart(channel);
    }
    sm_migration_cancel(session);
    (void)sm_comeback_done(session);
    pthread_mutex_lock(&session->lock);
    session->info.is_connected = true;
    pthread_mutex_unlock(&session->lock);
    sm_session_tell(session, SM_EVENT_MOVED, main);
    return status;
}

/* ---- Seamless ---- */

bool sm_migration_take(struct sm_client_channel *channel, struct sm_ready_link *ready)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    *ready = channel->next;
    channel->next = (struct sm_ready_link){.transport = NULL};
    if (ready->transport)
        adopt_target(session);
    pthread_mutex_unlock(&session->lock);
    return ready->transport != NULL;
}

bool sm_migration_is_early(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    bool is_early = false;
    if (channel->kind != SM_CHANNEL_KIND_MAIN)
        return false;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 1; i < session->channel_count; i++)
        is_early = is_early || session->channels[i]->next.transport;
    pthread_mutex_unlock(&session->lock);
    return is_early;
}

static void went_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    if (sm_channel_has_left(main->ops->base(main)) && !sm_migration_is_early(main))
        sm_client_channel_move(main);
}

void sm_migration_went(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    if (channel->kind != SM_CHANNEL_KIND_MAIN) {
        /* If there is no room for the call the source ends main, which goes then. */
        (void)!sm_client_channel_post(session->channels[0], went_call, NULL, 0);
        return;
    }
    if (!(channel->channel_caps >> SM_MAIN_CAP_PEOPLE & 1) && sm_session_knows_people(session)) {
        sm_client_people_forget(channel); /* they were the source's */
        sm_session_tell(session, SM_EVENT_PEOPLE, channel);
    }
    (void)sm_comeback_done(session);
    sm_session_tell(session, SM_EVENT_MOVED, channel);
}

void sm_migration_stays(struct sm_client_channel *channel)
{
    struct sm_ready_link unused;
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    unused = channel->next;
    channel->next = (struct sm_ready_link){.transport = NULL};
    pthread_mutex_unlock(&session->lock);
    if (!unused.transport)
        return;
    sm_ready_link_drop(&unused);
    (void)!sm_client_channel_post(session->channels[0], went_call, NULL, 0);
}
