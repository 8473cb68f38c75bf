/* SPDX-License-Identifier: MIT */
#include "core/channel/link_server.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/channel/link_parts.h"

enum state {
    READ_MAGIC, /* by itself: a peer of another protocol may never send more than this */
    READ_HEADER,
    READ_MESSAGE,
    WAIT_ANSWER, /* to HELLO */
    READ_MECHANISM,
    READ_TICKET,
    WAIT_OFFER, /* of SASL's mechanisms */
    READ_NAME,  /* of the one the client chose */
    READ_START,
    READ_STEP,
    WAIT_REPLY,
    WAIT_END,
    WAIT_RESULT, /* of a ticket or of SASL */
    DONE,
    FAILED,
};

struct sm_link_server {
    struct sm_link_server_config config;
    enum state state;
    enum sm_status status; /* what every receive says once FAILED */
    const char *reason;
    uint64_t deadline_us;
    struct sm_link_collector in;
    struct sm_sasl_blob blob;    /* in place of `in` while SASL speaks */
    struct sm_writer mechanisms; /* that were offered */
    char mechanism[SM_SASL_NAME_MAX + 1];
    unsigned turns; /* of the client */
    struct sm_writer out;
    struct sm_link_message message; /* the client's, from HELLO on */
    struct sm_link_server_event event;
    bool has_event;
};

static enum sm_status fail(struct sm_link_server *link, enum sm_status status, const char *reason)
{
    link->state = FAILED;
    link->status = status;
    link->reason = reason;
    return status;
}

/* Fails with a whole link reply, also where the client expects a bare word: it has no other form.
 */
static enum sm_status fail_with_reply(struct sm_link_server *link, enum sm_link_err error,
                                      const char *reason)
{
    sm_link_reply_build(&link->out, &(struct sm_link_reply){.error = error});
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    return fail(link, SM_ERR_PROTOCOL, reason);
}

static bool has_common(const struct sm_link_server *link, unsigned bit)
{
    return link->message.common_caps >> bit & 1;
}

static void emit(struct sm_link_server *link, struct sm_link_server_event event)
{
    link->event = event;
    link->has_event = true;
}

static void read_next(struct sm_link_server *link, enum state state, size_t size)
{
    link->state = state;
    sm_link_collect(&link->in, size);
}

static enum sm_status on_magic(struct sm_link_server *link)
{
    if (sm_link_word_parse(sm_link_collected(&link->in)) != SM_LINK_MAGIC)
        return fail_with_reply(link, SM_LINK_ERR_INVALID_MAGIC,
                               "the peer does not speak this protocol");
    link->state = READ_HEADER;
    sm_link_collect_more(&link->in, SM_LINK_HEADER_SIZE);
    return SM_OK;
}

static enum sm_status on_header(struct sm_link_server *link)
{
    struct sm_link_header header = sm_link_header_parse(sm_link_collected(&link->in));
    if (header.major == 0) /* the reference server leaves this one without an answer */
        return fail(link, SM_ERR_PROTOCOL, "the client speaks a version without a number");
    if (header.major != SM_LINK_MAJOR)
        return fail_with_reply(link, SM_LINK_ERR_VERSION_MISMATCH,
                               "the client speaks another version of the protocol");
    if (header.size < SM_LINK_MESSAGE_SIZE || header.size > SM_LINK_MAX_SIZE)
        return fail_with_reply(link, SM_LINK_ERR_INVALID_DATA, "link message of an absurd size");
    read_next(link, READ_MESSAGE, header.size);
    return SM_OK;
}

static enum sm_status on_message(struct sm_link_server *link)
{
    enum sm_status status = sm_link_message_parse(&link->message, sm_link_collected(&link->in));
    if (status != SM_OK)
        return fail_with_reply(link, SM_LINK_ERR_INVALID_DATA, "malformed link message");
    link->state = WAIT_ANSWER;
    emit(link, (struct sm_link_server_event){.kind = SM_LINK_SERVER_HELLO,
                                             .connection_id = link->message.connection_id,
                                             .channel_type = link->message.channel_type,
                                             .channel_id = link->message.channel_id,
                                             .common_caps = link->message.common_caps,
                                             .channel_caps = link->message.channel_caps});
    return SM_OK;
}

static enum sm_status on_mechanism(struct sm_link_server *link)
{
    uint32_t mechanism = sm_link_word_parse(sm_link_collected(&link->in));
    if (mechanism == SM_COMMON_CAP_AUTH_SPICE && !link->config.has_sasl) {
        read_next(link, READ_TICKET, SM_LINK_TICKET_SIZE);
        return SM_OK;
    }
    if (mechanism == SM_COMMON_CAP_AUTH_SASL && link->config.has_sasl) {
        link->state = WAIT_OFFER;
        emit(link, (struct sm_link_server_event){.kind = SM_LINK_SERVER_SASL});
        return SM_OK;
    }
    return fail_with_reply(link, SM_LINK_ERR_INVALID_DATA,
                           "the client chose a way to authenticate that was not offered");
}

static enum sm_status on_ticket(struct sm_link_server *link)
{
    link->state = WAIT_RESULT;
    emit(link, (struct sm_link_server_event){.kind = SM_LINK_SERVER_TICKET,
                                             .ticket = sm_link_collected(&link->in)});
    return SM_OK;
}

/* ---- SASL ---- */

static enum sm_status on_name(struct sm_link_server *link)
{
    struct sm_bytes name = sm_writer_bytes(&link->blob.data);
    if (name.size == 0) /* like a name that is too long, this gets no answer */
        return fail(link, SM_ERR_PROTOCOL, "a SASL mechanism without a name");
    if (!sm_sasl_list_has(sm_writer_bytes(&link->mechanisms), name))
        return fail_with_reply(link, SM_LINK_ERR_INVALID_DATA,
                               "the client chose a SASL mechanism that was not offered");
    memcpy(link->mechanism, name.data, name.size);
    sm_sasl_blob_restart(&link->blob);
    link->state = READ_START;
    return SM_OK;
}

static enum sm_status on_turn(struct sm_link_server *link)
{
    if (++link->turns > SM_SASL_TURNS_MAX)
        return fail(link, SM_ERR_LIMIT, "a SASL exchange without end");
    enum sm_link_server_event_kind kind =
        link->state == READ_START ? SM_LINK_SERVER_SASL_START : SM_LINK_SERVER_SASL_STEP;
    link->state = WAIT_REPLY;
    emit(link, (struct sm_link_server_event){.kind = kind,
                                             .mechanism = link->mechanism,
                                             .turn = sm_sasl_blob_turn(&link->blob)});
    return SM_OK;
}

/* Only the first turn that is too long gets an answer: so do the reference's. */
static enum sm_status blob_failed(struct sm_link_server *link, enum sm_status status)
{
    if (status == SM_ERR_NOMEM)
        return fail(link, status, "out of memory");
    if (link->state == READ_START)
        return fail_with_reply(link, SM_LINK_ERR_INVALID_DATA, "more SASL data than is allowed");
    return fail(link, status,
                link->state == READ_NAME ? "a SASL mechanism with a name that is too long"
                                         : "more SASL data than is allowed");
}

static bool is_reading_sasl(const struct sm_link_server *link)
{
    return link->state == READ_NAME || link->state == READ_START || link->state == READ_STEP;
}

/* SM_AGAIN if more bytes are needed. */
static enum sm_status take_sasl(struct sm_link_server *link, struct sm_bytes in, size_t *taken)
{
    uint32_t limit = link->state == READ_NAME ? SM_SASL_NAME_MAX : SM_SASL_DATA_MAX;
    enum sm_status status = sm_sasl_blob_take(&link->blob, limit, in, taken);
    if (status < 0)
        return blob_failed(link, status);
    if (status != SM_OK)
        return status;
    return link->state == READ_NAME ? on_name(link) : on_turn(link);
}

/* ---- the machine ---- */

static enum sm_status step(struct sm_link_server *link)
{
    switch (link->state) {
    case READ_MAGIC:
        return on_magic(link);
    case READ_HEADER:
        return on_header(link);
    case READ_MESSAGE:
        return on_message(link);
    case READ_MECHANISM:
        return on_mechanism(link);
    case READ_TICKET:
        return on_ticket(link);
    default:
        break;
    }
    return fail(link, SM_ERR_STATE, "bytes in a state that reads none");
}

static bool is_reading(const struct sm_link_server *link)
{
    switch (link->state) {
    case READ_MAGIC:
    case READ_HEADER:
    case READ_MESSAGE:
    case READ_MECHANISM:
    case READ_TICKET:
        return true;
    default:
        return is_reading_sasl(link);
    }
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_link_server *link = self;
    (void)now_us;
    *taken = 0;
    if (link->state == FAILED)
        return link->status;
    while (is_reading(link)) {
        if (is_reading_sasl(link)) {
            size_t size;
            enum sm_status status = take_sasl(link, sm_bytes_behind(in, *taken), &size);
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
    return sm_writer_bytes(&((const struct sm_link_server *)self)->out);
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    (void)now_us;
    sm_link_consume(&((struct sm_link_server *)self)->out, size);
}

static uint64_t deadline(const void *self)
{
    const struct sm_link_server *link = self;
    return link->state == DONE ? UINT64_MAX : link->deadline_us; /* an unread refusal ends too */
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_link_server *link = self;
    if (now_us < deadline(link))
        return SM_OK;
    if (link->state == FAILED)
        return link->status;
    return fail(link, SM_ERR_LIMIT, "the link phase took too long");
}

static const char *reason(const void *self)
{
    return ((const struct sm_link_server *)self)->reason;
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = reason,
};

enum sm_status sm_link_server_create(struct sm_link_server **out,
                                     const struct sm_link_server_config *config, uint64_t now_us)
{
    struct sm_link_server *link = calloc(1, sizeof(*link));
    if (!link)
        return SM_ERR_NOMEM;
    link->config = *config;
    link->reason = "";
    link->deadline_us = sm_link_deadline_us(now_us, config->timeout_us);
    sm_sasl_blob_init(&link->blob);
    sm_writer_init(&link->mechanisms, SM_SASL_LIST_MAX);
    sm_writer_init(&link->out, SM_LINK_MAX_SIZE + (config->has_sasl ? 2 * SM_SASL_DATA_MAX : 0));
    read_next(link, READ_MAGIC, SM_LINK_WORD_SIZE);
    *out = link;
    return SM_OK;
}

void sm_link_server_destroy(struct sm_link_server *link)
{
    if (!link)
        return;
    sm_sasl_blob_finish(&link->blob);
    sm_writer_finish(&link->mechanisms);
    sm_writer_finish(&link->out);
    free(link);
}

struct sm_machine sm_link_server_machine(struct sm_link_server *link)
{
    return (struct sm_machine){.ops = &OPS, .self = link};
}

bool sm_link_server_next(struct sm_link_server *link, struct sm_link_server_event *event)
{
    if (!link->has_event)
        return false;
    *event = link->event;
    link->has_event = false;
    return true;
}

enum sm_status sm_link_server_accept(struct sm_link_server *link, struct sm_bytes public_key,
                                     uint32_t channel_caps)
{
    bool has_key = public_key.size == SM_LINK_PUBLIC_KEY_SIZE;
    if (link->state != WAIT_ANSWER || (!has_key && public_key.size))
        return SM_ERR_STATE;

    uint32_t mechanism = link->config.has_sasl ? SM_COMMON_CAP_AUTH_SASL : SM_COMMON_CAP_AUTH_SPICE;
    struct sm_link_reply reply = {
        .public_key = public_key,
        .common_caps =
            1u << SM_COMMON_CAP_AUTH_SELECTION | 1u << SM_COMMON_CAP_MINI_HEADER | 1u << mechanism,
        .channel_caps = channel_caps,
    };
    sm_link_reply_build(&link->out, &reply);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");

    if (has_common(link, SM_COMMON_CAP_AUTH_SELECTION)) {
        read_next(link, READ_MECHANISM, SM_LINK_WORD_SIZE);
    } else if (!link->config.has_sasl || link->config.is_authenticated) {
        read_next(link, READ_TICKET, SM_LINK_TICKET_SIZE);
    } else {
        (void)fail_with_reply(link, SM_LINK_ERR_VERSION_MISMATCH,
                              "the client cannot choose SASL, which is required");
    }
    return SM_OK;
}

enum sm_status sm_link_server_refuse(struct sm_link_server *link, uint32_t error, bool is_silent)
{
    if (link->state != WAIT_ANSWER)
        return SM_ERR_STATE;
    if (is_silent)
        (void)fail(link, SM_ERR_PROTOCOL, "the link was refused without an answer");
    else
        (void)fail_with_reply(link, error ? error : SM_LINK_ERR_ERROR, "the link was refused");
    return link->status == SM_ERR_NOMEM ? SM_ERR_NOMEM : SM_OK;
}

enum sm_status sm_link_server_sasl_offer(struct sm_link_server *link, struct sm_bytes mechanisms)
{
    if (link->state != WAIT_OFFER)
        return SM_ERR_STATE;
    if (mechanisms.size > SM_SASL_LIST_MAX)
        return SM_ERR_LIMIT;
    if (mechanisms.size)
        sm_put_bytes(&link->mechanisms, mechanisms);
    sm_put_le32(&link->out, (uint32_t)mechanisms.size);
    if (mechanisms.size)
        sm_put_bytes(&link->out, mechanisms);
    if (link->mechanisms.failed || link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    link->state = READ_NAME;
    return SM_OK;
}

enum sm_status sm_link_server_sasl_reply(struct sm_link_server *link, struct sm_bytes data,
                                         bool is_complete)
{
    if (link->state != WAIT_REPLY)
        return SM_ERR_STATE;
    if (data.size >= SM_SASL_DATA_MAX)
        return SM_ERR_LIMIT;
    sm_sasl_turn_put(&link->out, (struct sm_sasl_turn){.has_data = data.size, .data = data});
    sm_put_u8(&link->out, is_complete);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    sm_sasl_blob_restart(&link->blob);
    link->state = is_complete ? WAIT_END : READ_STEP;
    return SM_OK;
}

enum sm_status sm_link_server_sasl_end(struct sm_link_server *link, bool is_accepted)
{
    static const char WORDS[] = "Authentication failed"; /* sent with its NUL */
    if (link->state != WAIT_END)
        return SM_ERR_STATE;
    sm_put_le32(&link->out, is_accepted ? SM_LINK_ERR_OK : SM_LINK_ERR_ERROR);
    if (!is_accepted) {
        sm_put_le32(&link->out, sizeof(WORDS));
        sm_put_bytes(&link->out, (struct sm_bytes){(const uint8_t *)WORDS, sizeof(WORDS)});
    }
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    link->state = WAIT_RESULT;
    if (!is_accepted)
        (void)fail(link, SM_ERR_PROTOCOL, "the SASL exchange gave too weak a protection");
    return SM_OK;
}

enum sm_status sm_link_server_result(struct sm_link_server *link, uint32_t error)
{
    if (link->state != WAIT_RESULT)
        return SM_ERR_STATE;
    sm_put_le32(&link->out, error);
    if (link->out.failed)
        return fail(link, SM_ERR_NOMEM, "out of memory");
    link->state = DONE;
    if (error)
        (void)fail(link, SM_ERR_PROTOCOL, "the client was not authenticated");
    return SM_OK;
}

bool sm_link_server_is_done(const struct sm_link_server *link)
{
    return link->state == DONE;
}

bool sm_link_server_is_failed(const struct sm_link_server *link)
{
    return link->state == FAILED;
}

bool sm_link_server_has_mini_header(const struct sm_link_server *link)
{
    return has_common(link, SM_COMMON_CAP_MINI_HEADER);
}
