/* SPDX-License-Identifier: MIT */
#include "client/usb/cd_drive.h"

#include <stdlib.h>
#include <string.h>

#include "client/usb/cd_scsi.h"
#include "core/base/reader.h"

enum {
    WAITING_MAX = 64, /* transfers from the drive that were asked for */
    ENDPOINT_IN = 0x81,
    ENDPOINT_OUT = 0x02,
    PACKET_BYTES = 512, /* of both endpoints, as high speed wants it */
    SUBCLASS_SCSI = 6,
    PROTOCOL_BULK_ONLY = 0x50,
    DEVICE_VERSION = 0x0100,
    /* Of the bulk-only transport. */
    COMMAND_SIZE = 31,
    COMMAND_SIGNATURE = 0x43425355,
    STATUS_SIZE = 13,
    STATUS_SIGNATURE = 0x53425355,
    /* Requests of control transfers, by kind and number. */
    GET_STATUS_DEVICE = 0x8000,
    GET_STATUS_INTERFACE = 0x8100,
    GET_STATUS_ENDPOINT = 0x8200,
    CLEAR_FEATURE_DEVICE = 0x0001,
    CLEAR_FEATURE_ENDPOINT = 0x0201,
    SET_FEATURE_DEVICE = 0x0003,
    GET_DESCRIPTOR = 0x8006,
    GET_CONFIGURATION = 0x8008,
    SET_CONFIGURATION = 0x0009,
    GET_INTERFACE = 0x810a,
    SET_INTERFACE = 0x010b,
    GET_MAX_LUN = 0xa1fe,
    RESET_TRANSPORT = 0x21ff,
};

enum result {
    PASSED = 0,
    FAILED = 1,
    PHASE_ERROR = 2,
};

/** What the transport does next. */
enum phase {
    AWAIT_COMMAND,
    DATA_IN,
    DATA_OUT,
    SEND_STATUS,
};

struct waiting {
    uint64_t id;
    struct sm_redir_bulk bulk;
};

struct sm_cd_drive {
    struct sm_cd cd;
    struct sm_cd_image image;
    uint8_t configuration;
    enum phase phase;
    uint32_t tag;
    uint32_t expected;    /* bytes the guest still wants, or will send */
    struct sm_bytes data; /* the rest of an answer; of `cd` */
    uint64_t read_offset; /* or of the image */
    uint64_t read_left;   /* bytes */
    enum result result;
    struct waiting waiting[WAITING_MAX];
    size_t first, count;
    uint64_t read_bytes;
    bool is_ejected;
};

enum sm_status sm_cd_drive_create(struct sm_cd_drive **out, const struct sm_cd_image *image,
                                  uint32_t unit)
{
    struct sm_cd_drive *drive = calloc(1, sizeof(*drive));
    if (!drive)
        return SM_ERR_NOMEM;
    drive->image = *image;
    sm_cd_init(&drive->cd, image->bytes, unit);
    *out = drive;
    return SM_OK;
}

void sm_cd_drive_destroy(struct sm_cd_drive *drive)
{
    if (!drive)
        return;
    sm_cd_finish(&drive->cd);
    free(drive);
}

bool sm_cd_drive_is_ejected(const struct sm_cd_drive *drive)
{
    return drive->is_ejected;
}

uint64_t sm_cd_drive_read_bytes(const struct sm_cd_drive *drive)
{
    return drive->read_bytes;
}

/* ---- Plugging in ---- */

/* One byte for each of the 32 endpoints: 0 to 15 out, then 0 to 15 in. */
static void put_endpoints(struct sm_writer *w, uint8_t control, uint8_t bulk, uint8_t none)
{
    for (int i = 0; i < SM_REDIR_ENDPOINTS; i++)
        sm_put_u8(w, i % 16 == 0 ? control : i == 2 || i == 17 ? bulk : none);
}

void sm_cd_drive_connect(const struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                         struct sm_writer *w)
{
    (void)drive;
    bool has_sizes = sm_redir_has(reader, SM_REDIR_CAP_EP_INFO_MAX_PACKET_SIZE);
    bool has_streams = sm_redir_has(reader, SM_REDIR_CAP_BULK_STREAMS);
    bool has_version = sm_redir_has(reader, SM_REDIR_CAP_CONNECT_DEVICE_VERSION);

    sm_redir_put_header(w, reader, SM_REDIR_INTERFACE_INFO, 4 + 4 * 32, 0);
    sm_put_le32(w, 1);
    sm_put_zeros(w, 32); /* number 0 */
    static const uint8_t classes[] = {SM_CD_CLASS, SUBCLASS_SCSI, PROTOCOL_BULK_ONLY};
    for (size_t i = 0; i < sizeof(classes); i++) {
        sm_put_u8(w, classes[i]);
        sm_put_zeros(w, 31);
    }

    uint32_t size = 3 * 32 + (has_sizes ? 2 * 32 : 0) + (has_streams ? 4 * 32 : 0);
    sm_redir_put_header(w, reader, SM_REDIR_EP_INFO, size, 0);
    put_endpoints(w, SM_REDIR_TYPE_CONTROL, SM_REDIR_TYPE_BULK, SM_REDIR_TYPE_INVALID);
    sm_put_zeros(w, 2 * 32); /* intervals, interfaces */
    for (int i = 0; has_sizes && i < SM_REDIR_ENDPOINTS; i++)
        sm_put_le16(w, i % 16 == 0 ? 64 : i == 2 || i == 17 ? PACKET_BYTES : 0);
    if (has_streams)
        sm_put_zeros(w, 4 * 32);

    sm_redir_put_header(w, reader, SM_REDIR_DEVICE_CONNECT, has_version ? 10 : 8, 0);
    sm_put_u8(w, SM_REDIR_SPEED_HIGH);
    sm_put_zeros(w, 3); /* the class is the interface's */
    sm_put_le16(w, SM_CD_VENDOR);
    sm_put_le16(w, SM_CD_PRODUCT);
    if (has_version)
        sm_put_le16(w, DEVICE_VERSION);
}

/* ---- Control transfers ---- */

static const uint8_t DEVICE_DESCRIPTOR[] = {
    18,
    1,
    0x00,
    0x02,
    0,
    0,
    0,
    64,
    SM_CD_VENDOR & 255,
    SM_CD_VENDOR >> 8,
    SM_CD_PRODUCT & 255,
    SM_CD_PRODUCT >> 8,
    DEVICE_VERSION & 255,
    DEVICE_VERSION >> 8,
    1,
    2,
    3,
    1,
};

static const uint8_t QUALIFIER_DESCRIPTOR[] = {10, 6, 0x00, 0x02, 0, 0, 0, 64, 1, 0};

static const uint8_t CONFIGURATION_DESCRIPTOR[] = {
    /* one interface, powered by itself */
    9,
    2,
    32,
    0,
    1,
    1,
    0,
    0xc0,
    0,
    /* of two endpoints */
    9,
    4,
    0,
    0,
    2,
    SM_CD_CLASS,
    SUBCLASS_SCSI,
    PROTOCOL_BULK_ONLY,
    0,
    7,
    5,
    ENDPOINT_IN,
    SM_REDIR_TYPE_BULK,
    PACKET_BYTES & 255,
    PACKET_BYTES >> 8,
    0,
    7,
    5,
    ENDPOINT_OUT,
    SM_REDIR_TYPE_BULK,
    PACKET_BYTES & 255,
    PACKET_BYTES >> 8,
    0,
};

enum { STRING_MAX = 2 + 2 * 16 };

/* A string's descriptor; its size, 0 if there is none. */
static size_t describe_string(const struct sm_cd_drive *drive, uint8_t index,
                              uint8_t out[STRING_MAX])
{
    const char *const texts[] = {NULL, "Sumac", "Shared CD", drive->cd.serial};
    if (index >= sizeof(texts) / sizeof(texts[0]))
        return 0;
    out[1] = 3;
    if (index == 0) { /* the languages: English */
        out[0] = 4;
        out[2] = 0x09;
        out[3] = 0x04;
        return 4;
    }
    size_t length = strlen(texts[index]);
    out[0] = (uint8_t)(2 + 2 * length);
    for (size_t i = 0; i < length; i++) {
        out[2 + 2 * i] = (uint8_t)texts[index][i];
        out[3 + 2 * i] = 0;
    }
    return out[0];
}

static struct sm_bytes find_descriptor(const struct sm_cd_drive *drive, uint16_t value,
                                       uint8_t scratch[STRING_MAX])
{
    switch (value >> 8) {
    case 1:
        return (struct sm_bytes){DEVICE_DESCRIPTOR, sizeof(DEVICE_DESCRIPTOR)};
    case 2:
        return (struct sm_bytes){CONFIGURATION_DESCRIPTOR, sizeof(CONFIGURATION_DESCRIPTOR)};
    case 3:
        return (struct sm_bytes){scratch, describe_string(drive, (uint8_t)(value & 255), scratch)};
    case 6:
        return (struct sm_bytes){QUALIFIER_DESCRIPTOR, sizeof(QUALIFIER_DESCRIPTOR)};
    default:
        return (struct sm_bytes){0};
    }
}

static void reset(struct sm_cd_drive *drive)
{
    drive->phase = AWAIT_COMMAND;
    drive->data = (struct sm_bytes){0};
    drive->read_left = 0;
}

static void do_control(struct sm_cd_drive *drive, const struct sm_redir_reader *reader, uint64_t id,
                       struct sm_redir_control control, struct sm_writer *w)
{
    uint8_t scratch[STRING_MAX] = {0};
    struct sm_bytes data = {.data = scratch};
    control.status = SM_REDIR_SUCCESS;
    switch (control.request_type << 8 | control.request) {
    case GET_DESCRIPTOR:
        data = find_descriptor(drive, control.value, scratch);
        if (data.size == 0)
            control.status = SM_REDIR_STALL;
        break;
    case GET_STATUS_DEVICE:
        scratch[0] = 1; /* powered by itself */
        data.size = 2;
        break;
    case GET_STATUS_INTERFACE:
    case GET_STATUS_ENDPOINT:
        data.size = 2;
        break;
    case GET_CONFIGURATION:
        scratch[0] = drive->configuration;
        data.size = 1;
        break;
    case GET_INTERFACE:
    case GET_MAX_LUN: /* there is one: the last is 0 */
        data.size = 1;
        break;
    case SET_CONFIGURATION:
        drive->configuration = (uint8_t)control.value;
        break;
    case RESET_TRANSPORT:
        reset(drive);
        break;
    case CLEAR_FEATURE_DEVICE:
    case CLEAR_FEATURE_ENDPOINT: /* a stall of ours lasts for one transfer */
    case SET_FEATURE_DEVICE:
    case SET_INTERFACE:
        break;
    default:
        control.status = SM_REDIR_STALL;
        break;
    }
    if (!(control.request_type & 0x80))
        data.size = 0; /* `length` says how much we have taken */
    else
        control.length = data.size = data.size < control.length ? data.size : control.length;
    sm_redir_put_control(w, reader, id, &control, data);
}

static enum sm_status take_control(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                                   const struct sm_redir_packet *packet, struct sm_writer *w)
{
    struct sm_redir_control control;
    struct sm_bytes rest = packet->body;
    if (packet->is_cut || sm_redir_control_parse(&control, &rest) != SM_OK)
        return SM_ERR_PROTOCOL;
    do_control(drive, reader, packet->id, control, w);
    return SM_OK;
}

/* ---- The bulk-only transport ---- */

static uint32_t smaller(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void begin_command(struct sm_cd_drive *drive, struct sm_bytes cdb, bool is_in)
{
    struct sm_cd_result result = sm_cd_command(&drive->cd, cdb);
    drive->result = result.is_good ? PASSED : FAILED;
    drive->data = result.data;
    drive->read_offset = result.read_offset;
    drive->read_left = result.read_bytes;
    bool has_data = drive->data.size > 0 || drive->read_left > 0;
    if (drive->expected == 0) {
        drive->phase = SEND_STATUS;
    } else if (is_in) {
        drive->phase = DATA_IN;
    } else {
        drive->phase = DATA_OUT;
        if (has_data)
            drive->result = PHASE_ERROR; /* it would be sent the wrong way */
    }
}

/* False if it is no command. */
static bool take_command(struct sm_cd_drive *drive, struct sm_bytes bytes)
{
    struct sm_reader r = sm_reader(bytes);
    if (bytes.size != COMMAND_SIZE || sm_get_le32(&r) != COMMAND_SIGNATURE)
        return false;
    uint32_t tag = sm_get_le32(&r);
    uint32_t expected = sm_get_le32(&r);
    bool is_in = sm_get_u8(&r) & 0x80;
    uint8_t unit = sm_get_u8(&r) & 15;
    uint8_t size = sm_get_u8(&r) & 31;
    if (unit != 0 || size < 1 || size > 16)
        return false;
    drive->tag = tag;
    drive->expected = expected;
    begin_command(drive, sm_get_bytes(&r, size), is_in);
    return true;
}

static uint8_t take_out(struct sm_cd_drive *drive, struct sm_bytes data)
{
    if (drive->phase == DATA_OUT) {
        drive->expected -= smaller(drive->expected, data.size);
        if (drive->expected == 0 || data.size % PACKET_BYTES)
            drive->phase = SEND_STATUS;
        return SM_REDIR_SUCCESS;
    }
    /* One that comes too early replaces the former: the guest has given that up. */
    return take_command(drive, data) ? SM_REDIR_SUCCESS : SM_REDIR_STALL;
}

static void answer_bulk(const struct sm_redir_reader *reader, uint64_t id,
                        struct sm_redir_bulk bulk, uint8_t status, uint32_t length,
                        struct sm_writer *w)
{
    bulk.status = status;
    bulk.length = length;
    sm_redir_put_bulk(w, reader, id, &bulk, 0);
}

static enum sm_status take_bulk(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                                const struct sm_redir_packet *packet, struct sm_writer *w)
{
    struct sm_redir_bulk bulk;
    struct sm_bytes data = packet->body;
    if (packet->is_cut || sm_redir_bulk_parse(&bulk, reader, &data) != SM_OK)
        return SM_ERR_PROTOCOL;
    if (bulk.endpoint == ENDPOINT_OUT) {
        answer_bulk(reader, packet->id, bulk, take_out(drive, data), (uint32_t)data.size, w);
    } else if (bulk.endpoint != ENDPOINT_IN || bulk.length > SM_CD_REQUEST_MAX ||
               drive->count == WAITING_MAX) {
        answer_bulk(reader, packet->id, bulk, SM_REDIR_INVAL, 0, w);
    } else {
        size_t last = (drive->first + drive->count++) % WAITING_MAX;
        drive->waiting[last] = (struct waiting){.id = packet->id, .bulk = bulk};
    }
    return SM_OK;
}

/* `out` has room for `size` bytes from where the command is. */
static bool copy_data(struct sm_cd_drive *drive, uint8_t *out, uint32_t size)
{
    if (drive->data.size > 0) {
        memcpy(out, drive->data.data, size);
        drive->data = sm_bytes_behind(drive->data, size);
        return true;
    }
    uint64_t left =
        drive->read_offset < drive->image.bytes ? drive->image.bytes - drive->read_offset : 0;
    uint32_t part = smaller(left, size);
    if (part > 0 && !drive->image.read(drive->image.opaque, drive->read_offset, out, part))
        return false;
    memset(out + part, 0, size - part);
    drive->read_offset += size;
    drive->read_left -= size;
    drive->read_bytes += size;
    return true;
}

/* The next of an answer; its end, where that is not plain from the size, is a stall. */
static void send_data(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                      const struct waiting *waiting, struct sm_writer *w)
{
    uint64_t there = drive->data.size > 0 ? drive->data.size : drive->read_left;
    uint32_t size = smaller(smaller(there, waiting->bulk.length), drive->expected);
    struct sm_redir_bulk bulk = waiting->bulk;
    if (there == 0) {
        drive->phase = SEND_STATUS;
        answer_bulk(reader, waiting->id, bulk, SM_REDIR_STALL, 0, w);
        return;
    }
    size_t before = w->size;
    bulk.status = SM_REDIR_SUCCESS;
    bulk.length = size;
    sm_redir_put_bulk(w, reader, waiting->id, &bulk, size);
    uint8_t *room = size > 0 ? sm_put_room(w, size) : NULL;
    if (room && !copy_data(drive, room, size)) {
        w->size = before;
        sm_cd_read_failed(&drive->cd);
        drive->result = FAILED;
        drive->phase = SEND_STATUS;
        answer_bulk(reader, waiting->id, bulk, SM_REDIR_STALL, 0, w);
        return;
    }
    drive->expected -= size;
    if (drive->expected == 0 || size < waiting->bulk.length)
        drive->phase = SEND_STATUS;
}

static void send_status(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                        const struct waiting *waiting, struct sm_writer *w)
{
    struct sm_redir_bulk bulk = waiting->bulk;
    if (bulk.length < STATUS_SIZE) {
        answer_bulk(reader, waiting->id, bulk, SM_REDIR_INVAL, 0, w);
        return;
    }
    bulk.status = SM_REDIR_SUCCESS;
    bulk.length = STATUS_SIZE;
    sm_redir_put_bulk(w, reader, waiting->id, &bulk, STATUS_SIZE);
    sm_put_le32(w, STATUS_SIGNATURE);
    sm_put_le32(w, drive->tag);
    sm_put_le32(w, drive->expected);
    sm_put_u8(w, (uint8_t)drive->result);
    drive->phase = AWAIT_COMMAND;
    drive->is_ejected = drive->cd.is_ejected;
}

bool sm_cd_drive_run(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                     struct sm_writer *w)
{
    if (drive->count == 0 || (drive->phase != DATA_IN && drive->phase != SEND_STATUS))
        return false;
    struct waiting waiting = drive->waiting[drive->first];
    drive->first = (drive->first + 1) % WAITING_MAX;
    drive->count--;
    if (drive->phase == DATA_IN)
        send_data(drive, reader, &waiting, w);
    else
        send_status(drive, reader, &waiting, w);
    return true;
}

/* ---- Everything else ---- */

/* A transfer that was answered already cannot be taken back; its answer is on the way. */
static void cancel(struct sm_cd_drive *drive, const struct sm_redir_reader *reader, uint64_t id,
                   struct sm_writer *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < drive->count; i++) {
        struct waiting waiting = drive->waiting[(drive->first + i) % WAITING_MAX];
        if (waiting.id == id)
            answer_bulk(reader, id, waiting.bulk, SM_REDIR_CANCELLED, 0, w);
        else
            drive->waiting[(drive->first + kept++) % WAITING_MAX] = waiting;
    }
    drive->count = kept;
}

/* An answer that is two bytes or three: its status, and what it is about. */
static void put_status(const struct sm_redir_reader *reader, struct sm_writer *w, uint32_t type,
                       uint64_t id, const uint8_t *body, uint32_t size)
{
    sm_redir_put_header(w, reader, type, size, id);
    sm_put_bytes(w, (struct sm_bytes){body, size});
}

static uint8_t first_byte(const struct sm_redir_packet *packet)
{
    return packet->body.size > 0 ? packet->body.data[0] : 0;
}

enum sm_status sm_cd_drive_packet(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                                  const struct sm_redir_packet *packet, struct sm_writer *w)
{
    uint8_t first = first_byte(packet);
    uint32_t type = packet->type;
    switch (type) {
    case SM_REDIR_CONTROL_PACKET:
        return take_control(drive, reader, packet, w);
    case SM_REDIR_BULK_PACKET:
        return take_bulk(drive, reader, packet, w);
    case SM_REDIR_CANCEL_DATA_PACKET:
        cancel(drive, reader, packet->id, w);
        return SM_OK;
    case SM_REDIR_RESET:
        reset(drive);
        return SM_OK;
    case SM_REDIR_SET_CONFIGURATION:
        drive->configuration = first;
        put_status(reader, w, SM_REDIR_CONFIGURATION_STATUS, packet->id,
                   (const uint8_t[]){SM_REDIR_SUCCESS, first}, 2);
        return SM_OK;
    case SM_REDIR_GET_CONFIGURATION:
        put_status(reader, w, SM_REDIR_CONFIGURATION_STATUS, packet->id,
                   (const uint8_t[]){SM_REDIR_SUCCESS, drive->configuration}, 2);
        return SM_OK;
    case SM_REDIR_SET_ALT_SETTING:
    case SM_REDIR_GET_ALT_SETTING:
        put_status(reader, w, SM_REDIR_ALT_SETTING_STATUS, packet->id,
                   (const uint8_t[]){SM_REDIR_SUCCESS, first, 0}, 3);
        return SM_OK;
    case SM_REDIR_START_ISO_STREAM: /* a drive has no such endpoints */
        put_status(reader, w, SM_REDIR_ISO_STREAM_STATUS, packet->id,
                   (const uint8_t[]){SM_REDIR_INVAL, first}, 2);
        return SM_OK;
    case SM_REDIR_START_INTERRUPT_RECEIVING:
        put_status(reader, w, SM_REDIR_INTERRUPT_RECEIVING_STATUS, packet->id,
                   (const uint8_t[]){SM_REDIR_INVAL, first}, 2);
        return SM_OK;
    case SM_REDIR_ALLOC_BULK_STREAMS: {
        static const uint8_t none[9] = {[8] = SM_REDIR_INVAL}; /* endpoints, streams, status */
        put_status(reader, w, SM_REDIR_BULK_STREAMS_STATUS, packet->id, none, sizeof(none));
        return SM_OK;
    }
    case SM_REDIR_START_BULK_RECEIVING: {
        static const uint8_t none[6] = {[4] = ENDPOINT_IN, [5] = SM_REDIR_INVAL};
        put_status(reader, w, SM_REDIR_BULK_RECEIVING_STATUS, packet->id, none, sizeof(none));
        return SM_OK;
    }
    default:
        return SM_OK;
    }
}
