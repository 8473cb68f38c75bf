/* SPDX-License-Identifier: MIT */
#include "client/usb/redir.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"

enum {
    NARROW_HEADER = 12, /* with ids of 32 bits, as until both hellos are known */
    WIDE_HEADER = 16,
    VERSION_SIZE = 64,
    BULK_SIZE = 8, /* of the fixed part; 10 with lengths of 32 bits */
};

static const char VERSION[VERSION_SIZE] = "sumac";

void sm_redir_reader_finish(struct sm_redir_reader *reader)
{
    free(reader->body);
    *reader = (struct sm_redir_reader){0};
}

static uint32_t header_size(const struct sm_redir_reader *reader)
{
    return sm_redir_has(reader, SM_REDIR_CAP_64BITS_IDS) ? WIDE_HEADER : NARROW_HEADER;
}

static void parse_header(struct sm_redir_reader *reader)
{
    struct sm_reader r = sm_reader((struct sm_bytes){reader->header, reader->header_size});
    reader->type = sm_get_le32(&r);
    reader->length = sm_get_le32(&r);
    reader->id = reader->header_size == WIDE_HEADER ? sm_get_le64(&r) : sm_get_le32(&r);
    reader->left = reader->length;
    reader->body_size = 0;
    reader->is_in_body = true;
}

static enum sm_status make_room(struct sm_redir_reader *reader)
{
    if (reader->length <= reader->body_capacity || reader->length > SM_REDIR_BODY_MAX)
        return SM_OK;
    uint8_t *body = realloc(reader->body, reader->length);
    if (!body)
        return SM_ERR_NOMEM;
    reader->body = body;
    reader->body_capacity = reader->length;
    return SM_OK;
}

/* The version is for people; the capabilities are the first word behind it, if there is one. */
static enum sm_status take_hello(struct sm_redir_reader *reader)
{
    if (reader->has_hello || reader->body_size < VERSION_SIZE)
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){reader->body, reader->body_size});
    sm_skip(&r, VERSION_SIZE);
    reader->caps = sm_get_le32(&r);
    reader->has_hello = true;
    return SM_OK;
}

static enum sm_status finish_packet(struct sm_redir_reader *reader, struct sm_redir_packet *packet)
{
    *packet = (struct sm_redir_packet){
        .type = reader->type,
        .id = reader->id,
        .body = {.data = reader->body, .size = reader->body_size},
        .is_cut = reader->length > SM_REDIR_BODY_MAX,
    };
    reader->is_in_body = false;
    reader->header_size = 0;
    return reader->type == SM_REDIR_HELLO ? take_hello(reader) : SM_OK;
}

enum sm_status sm_redir_next(struct sm_redir_reader *reader, struct sm_bytes *in,
                             struct sm_redir_packet *packet)
{
    while (!reader->is_in_body) {
        if (in->size == 0)
            return SM_AGAIN;
        uint32_t whole = header_size(reader);
        size_t part = whole - reader->header_size;
        part = part < in->size ? part : in->size;
        memcpy(reader->header + reader->header_size, in->data, part);
        reader->header_size += (uint32_t)part;
        *in = sm_bytes_behind(*in, part);
        if (reader->header_size == whole)
            parse_header(reader);
    }
    if (make_room(reader) != SM_OK)
        return SM_ERR_NOMEM;
    size_t part = reader->left < in->size ? reader->left : in->size;
    if (part > 0 && reader->length <= SM_REDIR_BODY_MAX) {
        memcpy(reader->body + reader->body_size, in->data, part);
        reader->body_size += (uint32_t)part;
    }
    reader->left -= (uint32_t)part;
    *in = sm_bytes_behind(*in, part);
    return reader->left == 0 ? finish_packet(reader, packet) : SM_AGAIN;
}

void sm_redir_put_header(struct sm_writer *w, const struct sm_redir_reader *reader, uint32_t type,
                         uint32_t length, uint64_t id)
{
    sm_put_le32(w, type);
    sm_put_le32(w, length);
    if (header_size(reader) == WIDE_HEADER)
        sm_put_le64(w, id);
    else
        sm_put_le32(w, (uint32_t)id);
}

void sm_redir_put_hello(struct sm_writer *w, struct sm_redir_reader *reader, uint32_t caps)
{
    reader->our_caps = 0; /* the hello itself has the narrow header */
    sm_redir_put_header(w, reader, SM_REDIR_HELLO, VERSION_SIZE + 4, 0);
    sm_put_bytes(w, (struct sm_bytes){(const uint8_t *)VERSION, VERSION_SIZE});
    sm_put_le32(w, caps);
    reader->our_caps = caps;
}

enum sm_status sm_redir_control_parse(struct sm_redir_control *out, struct sm_bytes *body)
{
    struct sm_reader r = sm_reader(*body);
    struct sm_redir_control control;
    control.endpoint = sm_get_u8(&r);
    control.request = sm_get_u8(&r);
    control.request_type = sm_get_u8(&r);
    control.status = sm_get_u8(&r);
    control.value = sm_get_le16(&r);
    control.index = sm_get_le16(&r);
    control.length = sm_get_le16(&r);
    if (r.failed)
        return SM_ERR_PROTOCOL;
    *out = control;
    *body = sm_get_rest(&r);
    return SM_OK;
}

void sm_redir_put_control(struct sm_writer *w, const struct sm_redir_reader *reader, uint64_t id,
                          const struct sm_redir_control *control, struct sm_bytes data)
{
    sm_redir_put_header(w, reader, SM_REDIR_CONTROL_PACKET,
                        SM_REDIR_CONTROL_SIZE + (uint32_t)data.size, id);
    sm_put_u8(w, control->endpoint);
    sm_put_u8(w, control->request);
    sm_put_u8(w, control->request_type);
    sm_put_u8(w, control->status);
    sm_put_le16(w, control->value);
    sm_put_le16(w, control->index);
    sm_put_le16(w, control->length);
    sm_put_bytes(w, data);
}

enum sm_status sm_redir_bulk_parse(struct sm_redir_bulk *out, const struct sm_redir_reader *reader,
                                   struct sm_bytes *body)
{
    struct sm_reader r = sm_reader(*body);
    struct sm_redir_bulk bulk;
    bulk.endpoint = sm_get_u8(&r);
    bulk.status = sm_get_u8(&r);
    bulk.length = sm_get_le16(&r);
    bulk.stream_id = sm_get_le32(&r);
    if (sm_redir_has(reader, SM_REDIR_CAP_32BITS_BULK_LENGTH))
        bulk.length |= (uint32_t)sm_get_le16(&r) << 16;
    if (r.failed)
        return SM_ERR_PROTOCOL;
    *out = bulk;
    *body = sm_get_rest(&r);
    return SM_OK;
}

void sm_redir_put_bulk(struct sm_writer *w, const struct sm_redir_reader *reader, uint64_t id,
                       const struct sm_redir_bulk *bulk, uint32_t data_size)
{
    bool is_wide = sm_redir_has(reader, SM_REDIR_CAP_32BITS_BULK_LENGTH);
    uint32_t fixed = is_wide ? BULK_SIZE + 2 : BULK_SIZE;
    sm_redir_put_header(w, reader, SM_REDIR_BULK_PACKET, fixed + data_size, id);
    sm_put_u8(w, bulk->endpoint);
    sm_put_u8(w, bulk->status);
    sm_put_le16(w, (uint16_t)bulk->length);
    sm_put_le32(w, bulk->stream_id);
    if (is_wide)
        sm_put_le16(w, (uint16_t)(bulk->length >> 16));
}
