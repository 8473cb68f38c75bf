/* SPDX-License-Identifier: MIT */
#include "core/wire/link.h"

#include "core/base/math.h"
#include "core/base/reader.h"

struct sm_link_header sm_link_header_parse(struct sm_bytes bytes)
{
    struct sm_reader r = sm_reader(bytes);
    struct sm_link_header header = {0};
    header.magic = sm_get_le32(&r);
    header.major = sm_get_le32(&r);
    header.minor = sm_get_le32(&r);
    header.size = sm_get_le32(&r);
    return header;
}

uint32_t sm_link_word_parse(struct sm_bytes bytes)
{
    struct sm_reader r = sm_reader(bytes);
    return sm_get_le32(&r);
}

/*
 * The first word of each kind. Without words the offset is not looked at; with words they must lie
 * between the fixed part and the end of the message.
 */
static enum sm_status get_caps(struct sm_bytes body, size_t fixed_size, uint32_t common_count,
                               uint32_t channel_count, uint32_t offset, uint32_t *common,
                               uint32_t *channel)
{
    if (common_count > SM_LINK_MAX_CAP_WORDS || channel_count > SM_LINK_MAX_CAP_WORDS)
        return SM_ERR_LIMIT;
    size_t words_size = (size_t)SM_LINK_WORD_SIZE * (common_count + channel_count);
    if (words_size &&
        (offset < fixed_size || offset > body.size || words_size > body.size - offset))
        return SM_ERR_PROTOCOL;

    *common = *channel = 0;
    if (common_count)
        *common = sm_link_word_parse((struct sm_bytes){body.data + offset, SM_LINK_WORD_SIZE});
    if (channel_count)
        *channel = sm_link_word_parse((struct sm_bytes){
            body.data + offset + (size_t)SM_LINK_WORD_SIZE * common_count, SM_LINK_WORD_SIZE});
    return SM_OK;
}

enum sm_status sm_link_message_parse(struct sm_link_message *out, struct sm_bytes body)
{
    struct sm_reader r = sm_reader(body);
    struct sm_link_message message = {0};
    message.connection_id = sm_get_le32(&r);
    message.channel_type = sm_get_u8(&r);
    message.channel_id = sm_get_u8(&r);
    uint32_t common_count = sm_get_le32(&r);
    uint32_t channel_count = sm_get_le32(&r);
    uint32_t offset = sm_get_le32(&r);
    if (r.failed)
        return SM_ERR_PROTOCOL;
    enum sm_status status = get_caps(body, SM_LINK_MESSAGE_SIZE, common_count, channel_count,
                                     offset, &message.common_caps, &message.channel_caps);
    if (status == SM_OK)
        *out = message;
    return status;
}

static void put_header(struct sm_writer *w, uint32_t size)
{
    sm_put_le32(w, SM_LINK_MAGIC);
    sm_put_le32(w, SM_LINK_MAJOR);
    sm_put_le32(w, SM_LINK_MINOR);
    sm_put_le32(w, size);
}

static void put_caps(struct sm_writer *w, uint32_t common, uint32_t channel)
{
    if (common)
        sm_put_le32(w, common);
    if (channel)
        sm_put_le32(w, channel);
}

static uint32_t caps_size(uint32_t common, uint32_t channel)
{
    return (uint32_t)SM_LINK_WORD_SIZE * ((common ? 1 : 0) + (channel ? 1 : 0));
}

void sm_link_message_build(struct sm_writer *w, const struct sm_link_message *message)
{
    put_header(w, SM_LINK_MESSAGE_SIZE + caps_size(message->common_caps, message->channel_caps));
    sm_put_le32(w, message->connection_id);
    sm_put_u8(w, message->channel_type);
    sm_put_u8(w, message->channel_id);
    sm_put_le32(w, message->common_caps ? 1 : 0);
    sm_put_le32(w, message->channel_caps ? 1 : 0);
    sm_put_le32(w, SM_LINK_MESSAGE_SIZE);
    put_caps(w, message->common_caps, message->channel_caps);
}

enum sm_status sm_link_reply_parse(struct sm_link_reply *out, struct sm_bytes body)
{
    struct sm_reader r = sm_reader(body);
    struct sm_link_reply reply = {0};
    reply.error = sm_get_le32(&r);
    reply.public_key = sm_get_bytes(&r, SM_LINK_PUBLIC_KEY_SIZE);
    uint32_t common_count = sm_get_le32(&r);
    uint32_t channel_count = sm_get_le32(&r);
    uint32_t offset = sm_get_le32(&r);
    if (r.failed)
        return SM_ERR_PROTOCOL;
    if (!reply.error) {
        enum sm_status status = get_caps(body, SM_LINK_REPLY_SIZE, common_count, channel_count,
                                         offset, &reply.common_caps, &reply.channel_caps);
        if (status != SM_OK)
            return status;
    }
    *out = reply;
    return SM_OK;
}

void sm_link_reply_build(struct sm_writer *w, const struct sm_link_reply *reply)
{
    if (reply->error) {
        put_header(w, SM_LINK_REPLY_SIZE);
        sm_put_le32(w, reply->error);
        sm_put_zeros(w, SM_LINK_REPLY_SIZE - SM_LINK_WORD_SIZE);
        return;
    }
    put_header(w, SM_LINK_REPLY_SIZE + caps_size(reply->common_caps, reply->channel_caps));
    sm_put_le32(w, SM_LINK_ERR_OK);
    size_t key_size = sm_min_size(reply->public_key.size, SM_LINK_PUBLIC_KEY_SIZE);
    sm_put_bytes(w, (struct sm_bytes){reply->public_key.data, key_size});
    sm_put_zeros(w, SM_LINK_PUBLIC_KEY_SIZE - key_size);
    sm_put_le32(w, reply->common_caps ? 1 : 0);
    sm_put_le32(w, reply->channel_caps ? 1 : 0);
    sm_put_le32(w, SM_LINK_REPLY_SIZE);
    put_caps(w, reply->common_caps, reply->channel_caps);
}
