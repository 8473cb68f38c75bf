/* SPDX-License-Identifier: MIT */
#include "core/channel/link_client.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/channel/link_parts.h"

enum state {
    READ_REPLY_HEADER,
    READ_REPLY,
    WAIT_TICKET,
    READ_LIST, /* of SASL's mechanisms */
    WAIT_START,
    READ_TURN,
    READ_COMPLETE, /* one byte behind a turn */
    WAIT_STEP,
    READ_VERDICT,
    READ_WORDS, /* behind a verdict that is none */
    WAIT_SECURED,
    READ_RESULT,
    READ_LATE_HEADER, /* a second reply where a result was due: the server's other way to refuse */
    READ_LATE_ERROR,
    DONE,
    REFUSED,
    FAILED,
};

struct sm_link_client {
    struct sm_link_client_config config;
    enum state state;
    enum sm_status status; /* what every receive says once FAILED */
    const char *reason;
    uint64_t deadline_us;
    struct sm_link_collector in;
    struct sm_sasl_blob blob; /* in place of `in` while SASL speaks */
    unsigned turns;           /* of the server */
    bool is_complete;         /* the server said so with its last turn */
    struct sm_writer out;
    struct sm_link_reply reply;
    uint8_t public_key[SM_LINK_PUBLIC_KEY_SIZE];
    struct sm_link_client_event event;
    bool has_event;
};

static enum sm_status fail(struct sm_link_client *link, enum sm_status status, const char *reason)
{
    link->state = FAILED;
    link->status = status;
    link->reason = reason;
    return status;
}

static uint32_t common_caps(const struct sm_link_client_config *config)
{
    uint32_t caps = 1u << SM_COMMON_CAP_AUTH_SELECTION;
    if (config->has_sasl)
        caps |= 1u << SM_COMMON_CAP_AUTH_SASL;
    if (!config->no_mini_header)
        caps |= 1u << SM_COMMON_CAP_MINI_HEADER;
    return caps;
}

static bool has_common(const struct sm_link_client *link, unsigned bit)
{
    return link->reply.common_caps >> bit & 1;
}

static void emit(struct sm_link_client *link, struct sm_link_client_event event)
{
    link->event = event;
    link->has_event = true;
}

static void refused(struct sm_link_client *link, uint32_t error, bool after_ticket)
{
    link->state = REFUSED;
    link->reason = "the server refused the link";
    emit(link, (struct sm_link_client_event){
                   .kind = SM_LINK_CLIENT_REFUSED, .error = error, .after_ticket = after_ticket});
}

static void read_next(struct sm_link_client *link, enum state state, size_t size)
{
    link->state = state;
    sm_link_collect(&link->in, size);
}

/* SASL if both can; a ticket if the server takes one; a server that knows no choice takes one. */
static enum sm_status choose_mechanism(struct sm_link_client *link)
{
    bool has_choice = has_common(link, SM_COMMON_CAP_AUTH_SELECTION);
    if (has_choice && link->config.has_sasl && has_common(link, SM_COMMON_CAP_AUTH_SASL)) {
        sm_put_le32(&link->out, SM_COMMON_CAP_AUTH_SASL);
        if (link->out.failed)
            return fail(link, SM_ERR_NOMEM, "out of memory");
        link->state = READ_LIST;
        return SM_OK;
    }
    if (has_choice && !has_common(link, SM_COMMON_CAP_AUTH_SPICE))
        return fail(link, SM_ERR_PROTOCOL, "no way to authenticate that both sides know");
    link->state = WAIT_TICKET;
    emit(link, (struct sm_link_client_event){
                   .kind = SM_LINK_CLIENT_NEED_TICKET,
                   .public_key = {.data = link->public_key, .size = sizeof(link->public_key)}});
    return SM_OK;
}

static enum sm_status on_reply_header(struct sm_link_client *link, enum state next)
{
    struct sm_link_header header = sm_link_header_parse(sm_link_collected(&link->in));
    if (header.magic != SM_LINK_MAGIC)
        return fail(link, SM_ERR_PROTOCOL, "the peer does not speak this protocol");
    if (header.major != SM_LINK_MAJOR)
        return fail(link, SM_ERR_PROTOCOL, "the server speaks another version of the protocol");
    if (header.size < SM_LINK_REPLY_SIZE)
        return fail(link, SM_ERR_PROTOCOL, "link reply too short");
    if (header.size > SM_LINK_MAX_SIZE)
        return fail(link, SM_ERR_LIMIT, "link reply too long");
    read_next(link, next, header.size);
    return SM_OK;
}

static enum sm_status on_reply(struct sm_link_client *link)
{
    enum sm_status status = sm_link_reply_parse(&link->reply, sm_link_collected(&link->in));
    if (status != SM_OK)
        return fail(link, status, "malformed link reply");
    if (link->reply.error) {
        refused(link, link->reply.error, false);
        return SM_OK;
    }
    memcpy(link->public_key, link->reply.public_key.data, sizeof(link->public_key));
    return choose_mechanism(link);
}

static enum sm_status on_result(struct sm_link_client *link)
{
    uint32_t result = sm_link_word_parse(sm_link_collected(&link->in));
    if (result == SM_LINK_MAGIC) {
        sm_link_collect_more(&link->in, SM_LINK_HEADER_SIZE);
        link->state = READ_LATE_HEADER;
        return SM_OK;
    }
    if (result) {
        refused(link, result, true);
        return SM_OK;
    }
    link->state = DONE;
    emit(link, (struct sm_link_client_event){.kind = SM_LINK_CLIENT_DONE,
                                             .common_caps = link->reply.common_caps,
                                             .channel_caps = link->reply.channel_caps,
                                             .has_mini_header =
                                                 !link->config.no_mini_header &&
                                                 has_common(link, SM_COMMON_CAP_MINI_HEADER)});
    return SM_OK;
}

static enum sm_status on_late_error(struct sm_link_client *link)
{
    uint32_t error = sm_link_word_parse(sm_link_collected(&link->in));
    refused(link, error ? error : SM_LINK_ERR_ERROR, true);
    return SM_OK;
}

/* ---- SASL ---- */

static bool is_reading_blob(const struct sm_link_client *link)
{
    return link->state == READ_LIST || link->state == READ_TURN || link->state == READ_WORDS;
}

static enum sm_status on_blob(struct sm_link_client *link)
{
    if (link->state == READ_WORDS) {
        refused(link, SM_LINK_ERR_PERMISSION_DENIED, true);
        return SM_OK;
    }
    if (link->state == READ_LIST) {
        link->state = WAIT_START;
        emit(link, (struct sm_link_client_event){.kind = SM_LINK_CLIENT_NEED_SASL,
                                                 .mechanisms = sm_writer_bytes(&link->blob.data)});
        return SM_OK;
    }
    if (++link->turns > SM_SASL_TURNS_MAX)
        return fail(link, SM_ERR_LIMIT, "a SASL exchange without end");
    read_next(link, READ_COMPLETE, 1);
    return SM_OK;
}

/* Where a turn is due the server may also refuse, with a whole link reply. */
static enum sm_status blob_failed(struct sm_link_client *link, enum sm_status status)
{
    if (status == SM_ERR_NOMEM)
        return fail(link, status, "out of memory");
    if (link->state != READ_TURN || link->blob.size != SM_LINK_MAGIC)
        return fail(link, status, "more SASL data than is allowed");
    sm_link_collect(&link->in, SM_LINK_WORD_SIZE);
    (void)sm_link_collector_take(&link->in,
                                 (struct sm_bytes){link->blob.word, sizeof(link->blob.word)});
    sm_link_collect_more(&link->in, SM_LINK_HEADER_SIZE);
    link->state = READ_LATE_HEADER;
    return SM_OK;
}

/* SM_AGAIN if more bytes are needed. */
static enum sm_status take_blob(struct sm_link_client *link, struct sm_bytes in, size_t *taken)
{
    uint32_t limit = link->state == READ_LIST   ? SM_SASL_LIST_MAX
                     : link->state == READ_TURN ? SM_SASL_DATA_MAX
                                                : SM_SASL_WORDS_MAX;
    enum sm_status status = sm_sasl_blob_take(&link->blob, limit, in, taken);
    if (status < 0)
        return blob_failed(link, status);
    return status == SM_OK ? on_blob(link) : status;
}

static enum sm_status on_complete(struct sm_link_client *link)
{
    link->is_complete = sm_link_collected(&link->in).data[0] != 0;
    link->state = WAIT_STEP;
    emit(link, (struct sm_link_client_event){.kind = SM_LINK_CLIENT_SASL_STEP,
                                             .turn = sm_sasl_blob_turn(&link->blob),
                                             .is_complete = link->is_complete});
    return SM_OK;
}

static enum sm_status on_verdict(struct sm_link_client *link)
{
    if (sm_link_word_parse(sm_link_collected(&link->in)) != SM_LINK_ERR_OK) {
        sm_sasl_blob_restart(&link->blob);
        link->state = READ_WORDS;
        return SM_OK;
    }
    link->state = WAIT_SECURED;
    emit(link, (struct sm_link_client_event){.kind = SM_LINK_CLIENT_SASL_ACCEPTED});
    return SM_OK;
}

/* ---- the machine ---- */

static enum sm_status step(struct sm_link_client *link)
{
    switch (link->state) {
    case READ_REPLY_HEADER:
        return on_reply_header(link, READ_REPLY);
    case READ_REPLY:
        return on_reply(link);
    case READ_RESULT:
        return on_result(link);
    case READ_LATE_HEADER:
        return on_reply_header(link, READ_LATE_ERROR);
    case READ_LATE_ERROR:
        return on_late_error(link);
    case READ_COMPLETE:
        return on_complete(link);
    case READ_VERDICT:
        return on_verdict(link);
    default:
        break;
    }
    return fail(link, SM_ERR_STATE, "bytes in a state that reads none");
}

static bool is_reading(const struct sm_link_client *link)
{
    switch (link->state) {
    case READ_REPLY_HEADER:
    case READ_REPLY:
    case READ_RESULT:
    case READ_LATE_HEADER:
    case READ_LATE_ERROR:
    case READ_COMPLETE:
    case READ_VERDICT:
        return true;
    default:
        return is_reading_blob(link);
    }
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_link_client *link = self;
    (void)now_us;
    *taken = 0;
    if (link->state == FAILED)
        return link->status;
    if (link->state == REFUSED)
        return SM_ERR_PROTOCOL;
    while (is_reading(link)) {
        if (is_reading_blob(link)) {
            size_t size;
            enum sm_status status = take_blob(link, sm_bytes_behind(in, *taken), &size);
            *taken += size;
            if (status == SM_AGAIN)
                break;
            if (status != SM_OK)
                return status;
            continue;
        }
        *taken += sm_link_collector_take(&link->in, sm_bytes_behind(in, *taken));
        if (!sm_link_collector_is_full(&link->in))
            break;
        enum sm_status status = step(link);
        if (status != SM_OK)
            return status;
    }
    return SM_OK;
}

static struct sm_bytes pending(const void *self)
{
    return sm_writer_bytes(&((const struct sm_link_client *)self)->out);
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    (void)now_us;
    sm_link_consume(&((struct sm_link_client *)self)->out, size);
}

static uint64_t deadline(const void *self)
{
    const struct sm_link_client *link = self;
    bool is_over = link->state == DONE || link->state == REFUSED || link->state == FAILED;
    return is_over ? UINT64_MAX : link->deadline_us;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_link_client *link = self;
    if (link->state == FAILED)
        return link->status;
    if (now_us < deadline(link))
        return SM_OK;
    return fail(link, SM_ERR_LIMIT, "the link phase took too long");
}

static const char *reason(const void *self)
{
    return ((const struct sm_link_client *)self)->reason;
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = reason,
};

enum sm_status sm_link_client_create(struct sm_link_client **out,
                                     const struct sm_link_client_config *config, uint64_t now_us)
{
    struct sm_link_client *link = calloc(1, sizeof(*link));
    if (!link)
        return SM_ERR_NOMEM;
    link->config = *config;
    link->reason = "";
    link->deadline_us = sm_link_deadline_us(now_us, config->timeout_us);
    read_next(link, READ_REPLY_HEADER, SM_LINK_HEADER_SIZE);
    sm_sasl_blob_init(&link->blob);
    sm_writer_init(&link->out, SM_LINK_MAX_SIZE + (config->has_sasl ? 2 * SM_SASL_DATA_MAX : 0));
    sm_link_message_build(&link->out,
                          &(struct sm_link_message){.connection_id = config->connection_id,
                                                    .channel_type = config->channel_type,
                                                    .channel_id = config->channel_id,
                                                    .common_caps = common_caps(config),
                                                    .channel_caps = config->channel_caps});
    if (link->out.failed) {
        sm_link_client_destroy(link);
        return SM_ERR_NOMEM;
    }
    *out = link;
    return SM_OK;
}

void sm_link_client_destroy(struct sm_link_client *link)
{
    if (!link)
        return;
    sm_sasl_blob_finish(&link->blob);
    sm_writer_finish(&link->out);
    free(link);
}

struct sm_machine sm_link_client_machine(struct sm_link_client *link)
{
    return (struct sm_machine){.ops = &OPS, .self = link};
}

bool sm_link_client_next(struct sm_link_client *link, struct sm_link_client_event *event)
{
    if (!link->has_event)
        return false;
    *event = link->event;
    link->has_event = false;
    return true;
}

enum sm_status sm_link_client_ticket(struct sm_link_client *link, struct sm_bytes ticket)
{
    if (link->state != WAIT_TICKET || ticket.size != SM_LINK_TICKET_SIZE)
        return SM_ERR_STATE;
    if (has_common(link, SM_COMMON_CAP_AUTH_SELECTION))
        sm_put_le32(&link->out, SM_COMMON_CAP_AUTH_SPICE);
    sm_put_bytes(&link->out, ticket);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    read_next(link, READ_RESULT, SM_LINK_WORD_SIZE);
    return SM_OK;
}

enum sm_status sm_link_client_sasl_start(struct sm_link_client *link, const char *mechanism,
                                         struct sm_sasl_turn turn)
{
    size_t size = strlen(mechanism);
    if (link->state != WAIT_START)
        return SM_ERR_STATE;
    if (size == 0 || size > SM_SASL_NAME_MAX || turn.data.size >= SM_SASL_DATA_MAX)
        return SM_ERR_LIMIT;
    sm_put_le32(&link->out, (uint32_t)size);
    sm_put_bytes(&link->out, (struct sm_bytes){(const uint8_t *)mechanism, size});
    sm_sasl_turn_put(&link->out, turn);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    sm_sasl_blob_restart(&link->blob);
    link->state = READ_TURN;
    return SM_OK;
}

enum sm_status sm_link_client_sasl_step(struct sm_link_client *link, struct sm_sasl_turn turn)
{
    if (link->state != WAIT_STEP || link->is_complete)
        return SM_ERR_STATE;
    if (turn.data.size >= SM_SASL_DATA_MAX)
        return SM_ERR_LIMIT;
    sm_sasl_turn_put(&link->out, turn);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    sm_sasl_blob_restart(&link->blob);
    link->state = READ_TURN;
    return SM_OK;
}

enum sm_status sm_link_client_sasl_end(struct sm_link_client *link)
{
    if (link->state != WAIT_STEP || !link->is_complete)
        return SM_ERR_STATE;
    read_next(link, READ_VERDICT, SM_LINK_WORD_SIZE);
    return SM_OK;
}

enum sm_status sm_link_client_sasl_secured(struct sm_link_client *link)
{
    if (link->state != WAIT_SECURED)
        return SM_ERR_STATE;
    read_next(link, READ_RESULT, SM_LINK_WORD_SIZE);
    return SM_OK;
}
