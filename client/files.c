/* SPDX-License-Identifier: MIT */
#include "client/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "client/file_source.h"
#include "client/file_words.h"
#include "client/session_private.h"
#include "core/base/writer.h"
#include "core/channel/main/client.h"
#include "io/clock.h"

enum {
    BLOCK_BYTES = 32 * 2048,   /* whole pieces of AGENT_DATA, and little enough to let others by */
    QUEUE_BYTES = BLOCK_BYTES, /* what waits for tokens at which we send no more */
    AT_ONCE = 4,               /* files under way; agents take 128 */
    TELL_EVERY_US = 50000,
    START_MAX = 4096,
};

enum step {
    STEP_WAITING,  /* for its turn */
    STEP_STARTED,  /* the agent was told */
    STEP_SENDING,  /* and wants it */
    STEP_ALL_SENT, /* the agent's last word is awaited */
    STEP_ENDED,
};

struct sm_transfer {
    struct sm_list link;
    struct sm_file_progress progress;
    enum step step;
    uint32_t number, total;        /* of those given together, from 1 */
    struct sm_file_source *source; /* owned; the main channel's thread reads */
    bool is_cancelled;             /* somebody wants it to end */
};

static struct sm_transfer *transfer_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_transfer, link);
}

void sm_client_files_init(struct sm_client_files *files)
{
    sm_list_init(&files->list);
}

static void destroy(struct sm_transfer *transfer)
{
    sm_file_source_destroy(transfer->source);
    free(transfer);
}

void sm_client_files_finish(struct sm_client_files *files)
{
    SM_LIST_FOR (link, &files->list) {
        sm_list_remove(link);
        destroy(transfer_of(link));
    }
    files->count = 0;
}

/* ---- To the agent ---- */

static enum sm_status send_status(struct sm_client_channel *main, uint32_t id, uint32_t result)
{
    struct sm_agent_msg msg = {.type = SM_AGENT_FILE_XFER_STATUS,
                               .file_xfer_status = {.id = id, .result = result}};
    return sm_client_agent_send(main, &msg);
}

static enum sm_status send_start(struct sm_client_channel *main, const struct sm_transfer *transfer)
{
    char text[START_MAX];
    size_t size = sm_file_words(text, sizeof(text), transfer->progress.name,
                                transfer->progress.size, transfer->number, transfer->total);
    struct sm_agent_msg msg = {
        .type = SM_AGENT_FILE_XFER_START,
        .file_xfer_start = {.id = transfer->progress.id,
                            .text = {.data = (const uint8_t *)text, .size = size}},
    };
    return sm_client_agent_send(main, &msg);
}

static enum sm_status send_block(struct sm_client_channel *main, uint32_t id, const uint8_t *data,
                                 size_t size)
{
    struct sm_agent_msg msg = {
        .type = SM_AGENT_FILE_XFER_DATA,
        .file_xfer_data = {.id = id, .data = {.data = data, .size = size}},
    };
    return sm_client_agent_send(main, &msg);
}

static void tell(struct sm_client_channel *main, bool is_important)
{
    struct sm_client_files *files = &main->session->files;
    uint64_t now_us = sm_now_us();
    pthread_mutex_lock(&main->session->lock);
    bool is_due = is_important || now_us - files->told_us >= TELL_EVERY_US;
    if (is_due)
        files->told_us = now_us;
    pthread_mutex_unlock(&main->session->lock);
    if (is_due)
        sm_session_tell(main->session, SM_EVENT_FILES, main);
}

/* ---- How it goes on; all with the session's lock held ---- */

static void end_with(struct sm_transfer *transfer, enum sm_file_state state,
                     const struct sm_error *error)
{
    transfer->progress.state = state;
    if (error)
        transfer->progress.error = *error;
    transfer->step = STEP_ENDED;
    sm_file_source_destroy(transfer->source);
    transfer->source = NULL;
}

static bool is_under_way(const struct sm_transfer *transfer)
{
    return transfer->step != STEP_WAITING && transfer->step != STEP_ENDED;
}

/* Who is to send next: of those that may, the one after the last that did, so all get on. */
static struct sm_transfer *choose(struct sm_client_files *files)
{
    struct sm_transfer *fresh = NULL;
    unsigned under_way = 0;
    SM_LIST_FOR (link, &files->list) {
        struct sm_transfer *transfer = transfer_of(link);
        under_way += is_under_way(transfer);
        if (transfer->step == STEP_WAITING && !fresh)
            fresh = transfer;
    }
    if (fresh && under_way < AT_ONCE)
        return fresh;
    struct sm_transfer *least = NULL;
    SM_LIST_FOR (link, &files->list) {
        struct sm_transfer *transfer = transfer_of(link);
        if (transfer->step == STEP_SENDING &&
            (!least || transfer->progress.sent < least->progress.sent))
            least = transfer;
    }
    return least;
}

/* ---- Sending ---- */

/* The lock is not held: reading a file may take its time. Only this thread destroys a source. */
static enum sm_status send_next_block(struct sm_client_channel *main, struct sm_transfer *transfer)
{
    uint8_t block[BLOCK_BYTES];
    struct sm_session *session = main->session;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    uint64_t left = transfer->progress.size - transfer->progress.sent;
    size_t size = left < sizeof(block) ? (size_t)left : sizeof(block);
    uint32_t id = transfer->progress.id;
    enum sm_status status = sm_file_source_read(transfer->source, block, size, &error);
    if (status != SM_OK) {
        pthread_mutex_lock(&session->lock);
        end_with(transfer, SM_FILE_FAILED, &error);
        pthread_mutex_unlock(&session->lock); /* from here on it may be forgotten */
        tell(main, true);
        return send_status(main, id, SM_FILE_XFER_RESULT_ERROR);
    }
    pthread_mutex_lock(&session->lock);
    transfer->progress.sent += size;
    if (transfer->progress.sent == transfer->progress.size)
        transfer->step = STEP_ALL_SENT;
    pthread_mutex_unlock(&session->lock);
    return send_block(main, id, block, size);
}

/* One step of one file; false if there is nothing to do. */
static bool take_step(struct sm_client_channel *main, enum sm_status *status)
{
    struct sm_session *session = main->session;
    pthread_mutex_lock(&session->lock);
    struct sm_transfer *transfer = choose(&session->files);
    bool is_fresh = transfer && transfer->step == STEP_WAITING;
    if (is_fresh)
        transfer->step = STEP_STARTED;
    pthread_mutex_unlock(&session->lock);
    if (!transfer)
        return false;
    *status = is_fresh ? send_start(main, transfer) : send_next_block(main, transfer);
    tell(main, false);
    return *status == SM_OK;
}

/* All that have not ended have failed. */
static void fail_all(struct sm_client_channel *main, const struct sm_error *error)
{
    struct sm_session *session = main->session;
    bool has_changed = false;
    pthread_mutex_lock(&session->lock);
    SM_LIST_FOR (link, &session->files.list) {
        if (transfer_of(link)->step == STEP_ENDED)
            continue;
        end_with(transfer_of(link), SM_FILE_FAILED, error);
        has_changed = true;
    }
    pthread_mutex_unlock(&session->lock);
    if (has_changed)
        tell(main, true);
}

void sm_client_files_end(struct sm_client_channel *main)
{
    struct sm_error error;
    if (main->session->agent.is_present)
        sm_error_set(&error, SM_ERROR_CLOSED, "connect again, then send it again",
                     "the connection ended before the file had arrived");
    else
        sm_error_set(&error, SM_ERROR_NO_AGENT, "send it again when the guest's agent is back",
                     "the guest's agent went away while the file was sent");
    fail_all(main, &error);
}

enum sm_status sm_client_files_feed(struct sm_client_channel *main)
{
    enum sm_status status = SM_OK;
    if (!main->session->agent.is_present)
        sm_client_files_end(main); /* of those given while it left */
    if (!main->session->agent.is_known)
        return SM_OK;
    if (main->session->agent.caps >> SM_AGENT_CAP_FILE_XFER_DISABLED & 1) {
        struct sm_error error;
        sm_file_words_error(&error, SM_FILE_XFER_RESULT_DISABLED, (struct sm_bytes){0}, NULL);
        fail_all(main, &error); /* the server would drop them, and nobody would answer */
    }
    while (sm_main_client_agent_queued(main->self) <= QUEUE_BYTES && take_step(main, &status))
        continue;
    return status;
}

static void feed_call(struct sm_client_channel *main, const void *argument)
{
    (void)argument;
    if (sm_client_files_feed(main) != SM_OK)
        sm_log_at(&main->session->log, SM_LOG_WARNING, "files cannot be sent");
    sm_client_channel_kick(main);
}

/* ---- The agent's word ---- */

/* With the lock held; returns what the agent is to be told, CAN_SEND_DATA for nothing. */
static uint32_t take_word(struct sm_transfer *transfer,
                          const struct sm_agent_file_xfer_status *word)
{
    struct sm_error error;
    if (word->result == SM_FILE_XFER_RESULT_CAN_SEND_DATA && transfer->step == STEP_STARTED) {
        transfer->step = STEP_SENDING;
        transfer->progress.state = SM_FILE_SENDING;
        return SM_FILE_XFER_RESULT_CAN_SEND_DATA;
    }
    if (word->result == SM_FILE_XFER_RESULT_SUCCESS && transfer->step == STEP_ALL_SENT) {
        end_with(transfer, SM_FILE_DONE, NULL);
        return SM_FILE_XFER_RESULT_CAN_SEND_DATA;
    }
    sm_file_words_error(&error, word->result, word->detail, &transfer->progress);
    end_with(transfer, SM_FILE_FAILED, &error);
    /* Of words that do not fit, the agent has to hear. */
    bool does_not_fit = word->result == SM_FILE_XFER_RESULT_CAN_SEND_DATA ||
                        word->result == SM_FILE_XFER_RESULT_SUCCESS;
    return does_not_fit ? SM_FILE_XFER_RESULT_ERROR : SM_FILE_XFER_RESULT_CAN_SEND_DATA;
}

enum sm_status sm_client_files_status(struct sm_client_channel *main,
                                      const struct sm_agent_file_xfer_status *word)
{
    struct sm_session *session = main->session;
    uint32_t answer = SM_FILE_XFER_RESULT_CAN_SEND_DATA;
    bool is_known = false;
    pthread_mutex_lock(&session->lock);
    SM_LIST_FOR (link, &session->files.list) {
        struct sm_transfer *transfer = transfer_of(link);
        if (transfer->progress.id != word->id || !is_under_way(transfer))
            continue;
        is_known = true;
        answer = take_word(transfer, word);
    }
    pthread_mutex_unlock(&session->lock);
    if (!is_known)
        return SM_OK;
    tell(main, true);
    enum sm_status status =
        answer == SM_FILE_XFER_RESULT_CAN_SEND_DATA ? SM_OK : send_status(main, word->id, answer);
    return status == SM_OK ? sm_client_files_feed(main) : status;
}

/* ---- Public ---- */

static void cancel_call(struct sm_client_channel *main, const void *argument)
{
    struct sm_session *session = main->session;
    uint32_t id;
    bool was_under_way = false, has_changed = false;
    memcpy(&id, argument, sizeof(id));
    pthread_mutex_lock(&session->lock);
    SM_LIST_FOR (link, &session->files.list) {
        struct sm_transfer *transfer = transfer_of(link);
        if (transfer->progress.id != id || transfer->step == STEP_ENDED)
            continue;
        was_under_way = is_under_way(transfer);
        has_changed = true;
        end_with(transfer, SM_FILE_CANCELLED, NULL);
    }
    pthread_mutex_unlock(&session->lock);
    if (was_under_way && send_status(main, id, SM_FILE_XFER_RESULT_CANCELLED) != SM_OK)
        sm_log_at(&session->log, SM_LOG_WARNING, "the guest could not be told of an end");
    if (has_changed)
        tell(main, true);
    feed_call(main, NULL); /* others may have their turn now */
}

void sm_session_cancel_file(struct sm_session *session, uint32_t id)
{
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    /* A channel that is not open has ended all files, or will at once. */
    if (main)
        (void)!sm_client_channel_post(main, cancel_call, &id, sizeof(id));
}

static struct sm_transfer *make(const char *path, struct sm_error *error)
{
    struct sm_transfer *transfer = calloc(1, sizeof(*transfer));
    if (!transfer) {
        (void)sm_error_nomem(error);
        return NULL;
    }
    if (sm_file_source_open(&transfer->source, path, error) != SM_OK) {
        free(transfer);
        return NULL;
    }
    sm_list_init(&transfer->link);
    (void)snprintf(transfer->progress.name, sizeof(transfer->progress.name), "%s",
                   sm_file_source_name(transfer->source));
    transfer->progress.size = sm_file_source_size(transfer->source);
    return transfer;
}

static enum sm_status fail_closed(struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_CLOSED, "connect first", "there is no connection to send by");
    return SM_ERR_STATE;
}

static enum sm_status fail_count(size_t count, struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_OPTION, "send a folder as a whole, or fewer files at a time",
                 "%zu files are too many to send at once", count);
    return SM_ERR_LIMIT;
}

/* With the lock held. */
static bool has_room(const struct sm_session *session, size_t count)
{
    return count >= 1 && count <= SM_FILES_MAX - session->files.count;
}

static enum sm_status refuse(struct sm_session *session, size_t count, struct sm_error *error)
{
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    if (!session->agent.is_used || !info.is_connected)
        return fail_closed(error);
    if (!info.has_agent) {
        sm_error_set(error, SM_ERROR_NO_AGENT,
                     "install spice-vdagent in the guest and log in there, or share a folder",
                     "no agent runs in the guest that could take files");
        return SM_ERR_STATE;
    }
    pthread_mutex_lock(&session->lock);
    bool is_too_much = !has_room(session, count);
    bool is_disabled = session->agent.caps >> SM_AGENT_CAP_FILE_XFER_DISABLED & 1;
    pthread_mutex_unlock(&session->lock);
    if (is_disabled) {
        sm_file_words_error(error, SM_FILE_XFER_RESULT_DISABLED, (struct sm_bytes){0}, NULL);
        return SM_ERR_STATE;
    }
    return is_too_much ? fail_count(count, error) : SM_OK;
}

/*
 * The main channel's thread has them from now on, which alone ends transfers: once it is closed it
 * looks no more, so it has to be open while they are put into the list.
 */
static enum sm_status hand_over(struct sm_session *session, struct sm_client_files *made,
                                size_t count, uint32_t *ids, struct sm_error *error)
{
    pthread_mutex_lock(&session->lock);
    bool is_open = session->channels[0]->state == SM_CLIENT_CHANNEL_OPEN;
    bool is_too_much = !has_room(session, count);
    size_t at = 0;
    SM_LIST_FOR (link, &made->list) {
        if (!is_open || is_too_much)
            break;
        struct sm_transfer *transfer = transfer_of(link);
        transfer->progress.id = ++session->files.last_id;
        if (ids)
            ids[at++] = transfer->progress.id;
        sm_list_remove(link);
        sm_list_append(&session->files.list, link);
        session->files.count++;
    }
    pthread_mutex_unlock(&session->lock);
    if (!is_open)
        return fail_closed(error);
    return is_too_much ? fail_count(count, error) : SM_OK;
}

enum sm_status sm_session_send_files(struct sm_session *session, const char *const *paths,
                                     size_t count, uint32_t *ids, struct sm_error *error)
{
    struct sm_error unused;
    struct sm_client_files made;
    error = error ? error : &unused;
    enum sm_status status = refuse(session, count, error);
    if (status != SM_OK)
        return status;
    sm_client_files_init(&made);
    for (size_t i = 0; i < count; i++) {
        struct sm_transfer *transfer = make(paths[i], error);
        if (!transfer) {
            sm_client_files_finish(&made);
            return error->kind == SM_ERROR_NOMEM ? SM_ERR_NOMEM : SM_ERR_IO;
        }
        transfer->number = (uint32_t)i + 1;
        transfer->total = (uint32_t)count;
        sm_list_append(&made.list, &transfer->link);
    }
    status = hand_over(session, &made, count, ids, error);
    if (status != SM_OK) {
        sm_client_files_finish(&made);
        return status;
    }
    /* Without room for the call, the next thing that happens brings them on their way; if the
     * channel has just ended, its thread ends them, too. */
    (void)!sm_client_channel_post(session->channels[0], feed_call, NULL, 0);
    return SM_OK;
}

void sm_session_forget_file(struct sm_session *session, uint32_t id)
{
    pthread_mutex_lock(&session->lock);
    SM_LIST_FOR (link, &session->files.list) {
        struct sm_transfer *transfer = transfer_of(link);
        if (transfer->progress.id != id || transfer->step != STEP_ENDED)
            continue;
        sm_list_remove(link);
        session->files.count--;
        destroy(transfer);
    }
    pthread_mutex_unlock(&session->lock);
}

size_t sm_session_get_files(struct sm_session *session, struct sm_file_progress *out, size_t room)
{
    size_t count = 0;
    pthread_mutex_lock(&session->lock);
    SM_LIST_FOR (link, &session->files.list) {
        if (count < room)
            out[count] = transfer_of(link)->progress;
        count++;
    }
    pthread_mutex_unlock(&session->lock);
    return count;
}
