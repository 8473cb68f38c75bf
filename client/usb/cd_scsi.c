/* SPDX-License-Identifier: MIT */
#include "client/usb/cd_scsi.h"

#include <stdio.h>
#include <string.h>

#include "core/base/reader.h"

enum command {
    TEST_UNIT_READY = 0x00,
    REQUEST_SENSE = 0x03,
    READ_6 = 0x08,
    INQUIRY = 0x12,
    MODE_SELECT_6 = 0x15,
    START_STOP = 0x1b,
    PREVENT_ALLOW = 0x1e,
    READ_CAPACITY_10 = 0x25,
    READ_10 = 0x28,
    READ_TOC = 0x43,
    GET_CONFIGURATION = 0x46,
    GET_EVENT_STATUS = 0x4a,
    READ_DISC_INFO = 0x51,
    READ_TRACK_INFO = 0x52,
    MODE_SELECT_10 = 0x55,
    MODE_SENSE_10 = 0x5a,
    READ_16 = 0x88,
    SERVICE_ACTION_IN_16 = 0x9e,
    REPORT_LUNS = 0xa0,
    SEND_EVENT = 0xa2,
    READ_12 = 0xa8,
    GET_PERFORMANCE = 0xac,
    MECHANISM_STATUS = 0xbd,
};

enum sense {
    NO_SENSE = 0,
    NOT_READY = 2,
    MEDIUM_ERROR = 3,
    ILLEGAL_REQUEST = 5,
};

enum {
    CDB_MAX = 16,
    LEADOUT = 0xaa,
    FRAMES_PER_SECOND = 75,
    MSF_OFFSET = 150, /* frames before block 0 */
    PROFILE_CD_ROM = 0x0008,
    PROFILE_DVD_ROM = 0x0010,
    CD_BLOCKS = 450000, /* what is larger is a DVD */
    SPEED_KB = 11080,   /* what a fast DVD drive says of itself; nobody holds us to it */
};

void sm_cd_init(struct sm_cd *cd, uint64_t image_bytes, uint32_t unit)
{
    *cd = (struct sm_cd){.image_bytes = image_bytes, .is_new = true};
    (void)snprintf(cd->serial, sizeof(cd->serial), "SUMAC%07u", (unsigned)(unit % 10000000));
    sm_writer_init(&cd->answer, SM_CD_ANSWER_MAX);
}

void sm_cd_finish(struct sm_cd *cd)
{
    sm_writer_finish(&cd->answer);
}

static struct sm_cd_result fail(struct sm_cd *cd, enum sense key, uint8_t code, uint8_t qualifier)
{
    cd->sense_key = (uint8_t)key;
    cd->sense_code = code;
    cd->sense_qualifier = qualifier;
    return (struct sm_cd_result){.is_good = false};
}

static struct sm_cd_result invalid_field(struct sm_cd *cd)
{
    return fail(cd, ILLEGAL_REQUEST, 0x24, 0);
}

static struct sm_cd_result no_disc(struct sm_cd *cd)
{
    return fail(cd, NOT_READY, 0x3a, 0); /* medium not present */
}

static struct sm_cd_result good(void)
{
    return (struct sm_cd_result){.is_good = true};
}

/* The answer as written, at most what the guest has room for. */
static struct sm_cd_result answer(struct sm_cd *cd, size_t room)
{
    if (cd->answer.failed)
        return fail(cd, NOT_READY, 0x04, 0); /* for want of memory */
    struct sm_bytes data = sm_writer_bytes(&cd->answer);
    data.size = data.size < room ? data.size : room;
    return (struct sm_cd_result){.is_good = true, .data = data};
}

static bool has_disc(const struct sm_cd *cd)
{
    return cd->image_bytes > 0 && !cd->is_ejected;
}

static uint32_t block_count(const struct sm_cd *cd)
{
    uint64_t blocks = (cd->image_bytes + SM_CD_BLOCK - 1) / SM_CD_BLOCK;
    return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

static uint16_t be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)be16(bytes) << 16 | be16(bytes + 2);
}

static void put_text(struct sm_writer *w, const char *text, size_t width)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < width; i++)
        sm_put_u8(w, i < size ? (uint8_t)text[i] : ' ');
}

/* ---- Who we are ---- */

static struct sm_cd_result vital_data(struct sm_cd *cd, uint8_t page, size_t room)
{
    struct sm_writer *w = &cd->answer;
    sm_put_u8(w, 5); /* a CD device */
    sm_put_u8(w, page);
    switch (page) {
    case 0x00: /* the pages there are */
        sm_put_be16(w, 3);
        sm_put_u8(w, 0x00);
        sm_put_u8(w, 0x80);
        sm_put_u8(w, 0x83);
        break;
    case 0x80: /* serial number */
        sm_put_be16(w, sizeof(cd->serial) - 1);
        put_text(w, cd->serial, sizeof(cd->serial) - 1);
        break;
    case 0x83: /* identification: vendor and serial, in ASCII */
        sm_put_be16(w, 4 + 8 + sizeof(cd->serial) - 1);
        sm_put_u8(w, 2);
        sm_put_u8(w, 1);
        sm_put_u8(w, 0);
        sm_put_u8(w, 8 + sizeof(cd->serial) - 1);
        put_text(w, "Sumac", 8);
        put_text(w, cd->serial, sizeof(cd->serial) - 1);
        break;
    default:
        return invalid_field(cd);
    }
    return answer(cd, room);
}

static struct sm_cd_result inquiry(struct sm_cd *cd, const uint8_t *cdb)
{
    size_t room = be16(cdb + 3);
    struct sm_writer *w = &cd->answer;
    if (cdb[1] & 1)
        return vital_data(cd, cdb[2], room);
    if (cdb[2])
        return invalid_field(cd);
    sm_put_u8(w, 5);    /* a CD device */
    sm_put_u8(w, 0x80); /* whose medium can be removed */
    sm_put_u8(w, 5);    /* SPC-3 */
    sm_put_u8(w, 2);
    sm_put_u8(w, 31); /* bytes that follow */
    sm_put_zeros(w, 3);
    put_text(w, "Sumac", 8);
    put_text(w, "Shared CD", 16);
    put_text(w, "1.0", 4);
    return answer(cd, room);
}

static struct sm_cd_result request_sense(struct sm_cd *cd, const uint8_t *cdb)
{
    struct sm_writer *w = &cd->answer;
    sm_put_u8(w, 0x70); /* the current error, fixed format */
    sm_put_u8(w, 0);
    sm_put_u8(w, cd->sense_key);
    sm_put_zeros(w, 4);
    sm_put_u8(w, 10); /* bytes that follow */
    sm_put_zeros(w, 4);
    sm_put_u8(w, cd->sense_code);
    sm_put_u8(w, cd->sense_qualifier);
    sm_put_zeros(w, 4);
    cd->sense_key = cd->sense_code = cd->sense_qualifier = 0;
    return answer(cd, cdb[4]);
}

static struct sm_cd_result report_luns(struct sm_cd *cd, const uint8_t *cdb)
{
    sm_put_be32(&cd->answer, 8);
    sm_put_be32(&cd->answer, 0);
    sm_put_be64(&cd->answer, 0);
    return answer(cd, be32(cdb + 6));
}

/* ---- The disc ---- */

static struct sm_cd_result read_blocks(struct sm_cd *cd, uint64_t block, uint32_t count)
{
    if (!has_disc(cd))
        return no_disc(cd);
    if (block > block_count(cd) || count > block_count(cd) - block)
        return fail(cd, ILLEGAL_REQUEST, 0x21, 0); /* address out of range */
    return (struct sm_cd_result){
        .is_good = true,
        .read_offset = block * SM_CD_BLOCK,
        .read_bytes = (uint64_t)count * SM_CD_BLOCK,
    };
}

static struct sm_cd_result read_6(struct sm_cd *cd, const uint8_t *cdb)
{
    uint32_t block = be32(cdb) & 0x1fffff;
    return read_blocks(cd, block, cdb[4] ? cdb[4] : 256);
}

static struct sm_cd_result read_16(struct sm_cd *cd, const uint8_t *cdb)
{
    uint64_t block = (uint64_t)be32(cdb + 2) << 32 | be32(cdb + 6);
    return read_blocks(cd, block, be32(cdb + 10));
}

static struct sm_cd_result read_capacity(struct sm_cd *cd, bool is_long, size_t room)
{
    if (!has_disc(cd))
        return no_disc(cd);
    uint32_t last = block_count(cd) - 1;
    if (is_long)
        sm_put_be64(&cd->answer, last);
    else
        sm_put_be32(&cd->answer, last);
    sm_put_be32(&cd->answer, SM_CD_BLOCK);
    if (is_long)
        sm_put_zeros(&cd->answer, 20);
    return answer(cd, room);
}

/* An address as the guest wants it: a block, or minutes, seconds and frames. */
static void put_address(struct sm_writer *w, uint32_t block, bool is_msf)
{
    if (!is_msf) {
        sm_put_be32(w, block);
        return;
    }
    uint64_t frames = (uint64_t)block + MSF_OFFSET;
    uint64_t minutes = frames / FRAMES_PER_SECOND / 60;
    sm_put_u8(w, 0);
    sm_put_u8(w, minutes < 255 ? (uint8_t)minutes : 255);
    sm_put_u8(w, (uint8_t)(frames / FRAMES_PER_SECOND % 60));
    sm_put_u8(w, (uint8_t)(frames % FRAMES_PER_SECOND));
}

static void put_track(struct sm_writer *w, uint8_t number, uint32_t block, bool is_msf)
{
    sm_put_u8(w, 0);
    sm_put_u8(w, 0x14); /* a data track */
    sm_put_u8(w, number);
    sm_put_u8(w, 0);
    put_address(w, block, is_msf);
}

static struct sm_cd_result read_toc(struct sm_cd *cd, const uint8_t *cdb)
{
    bool is_msf = cdb[1] & 2;
    uint8_t format = cdb[2] & 15, first = cdb[6];
    /* Old drivers put the format elsewhere. */
    if (format == 0)
        format = cdb[9] >> 6;
    if (!has_disc(cd))
        return no_disc(cd);
    if (format > 1 || (format == 0 && first > 1 && first != LEADOUT))
        return invalid_field(cd);
    struct sm_writer *w = &cd->answer;
    bool has_track = format == 1 || first <= 1, has_end = format == 0;
    sm_put_be16(w, (uint16_t)(2 + 8 * (has_track + has_end)));
    sm_put_u8(w, 1); /* the first track, or session, and the last */
    sm_put_u8(w, 1);
    if (has_track)
        put_track(w, 1, 0, is_msf);
    if (has_end)
        put_track(w, LEADOUT, block_count(cd), is_msf);
    return answer(cd, be16(cdb + 7));
}

static struct sm_cd_result read_disc_info(struct sm_cd *cd, const uint8_t *cdb)
{
    if (!has_disc(cd))
        return no_disc(cd);
    if (cdb[1] & 7)
        return invalid_field(cd);
    struct sm_writer *w = &cd->answer;
    sm_put_be16(w, 32);
    sm_put_u8(w, 0x0e); /* a finished disc, its last session complete */
    sm_put_u8(w, 1);    /* first track */
    sm_put_u8(w, 1);    /* sessions */
    sm_put_u8(w, 1);    /* first and last track of the last session */
    sm_put_u8(w, 1);
    sm_put_zeros(w, 27);
    return answer(cd, be16(cdb + 7));
}

static struct sm_cd_result read_track_info(struct sm_cd *cd, const uint8_t *cdb)
{
    if (!has_disc(cd))
        return no_disc(cd);
    uint32_t which = be32(cdb + 2);
    uint8_t kind = cdb[1] & 3; /* by block, track or session */
    if ((kind == 0 && which >= block_count(cd)) || (kind != 0 && which != 1))
        return invalid_field(cd);
    struct sm_writer *w = &cd->answer;
    sm_put_be16(w, 34);
    sm_put_u8(w, 1); /* track */
    sm_put_u8(w, 1); /* session */
    sm_put_u8(w, 0);
    sm_put_u8(w, 4); /* a data track */
    sm_put_u8(w, 1); /* of data in blocks of 2048 bytes */
    sm_put_u8(w, 0);
    sm_put_be32(w, 0); /* it starts at block 0 */
    sm_put_zeros(w, 12);
    sm_put_be32(w, block_count(cd));
    sm_put_zeros(w, 8);
    return answer(cd, be16(cdb + 7));
}

/* ---- The drive ---- */

static uint16_t profile(const struct sm_cd *cd)
{
    if (!has_disc(cd))
        return 0;
    return block_count(cd) > CD_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static void put_profile(struct sm_writer *w, uint16_t number, uint16_t current)
{
    sm_put_be16(w, number);
    sm_put_u8(w, number == current);
    sm_put_u8(w, 0);
}

/* The head of a feature; its data, of `size` bytes, follow. */
static void put_feature(struct sm_writer *w, uint16_t code, uint8_t flags, uint8_t size)
{
    sm_put_be16(w, code);
    sm_put_u8(w, flags); /* version, persistent, current */
    sm_put_u8(w, size);
}

static void put_one_feature(struct sm_cd *cd, uint16_t code)
{
    struct sm_writer *w = &cd->answer;
    uint16_t current = profile(cd);
    switch (code) {
    case 0x0000: /* profiles */
        put_feature(w, code, 0x03, 8);
        put_profile(w, PROFILE_DVD_ROM, current);
        put_profile(w, PROFILE_CD_ROM, current);
        break;
    case 0x0001: /* core: by USB mass storage */
        put_feature(w, code, 0x0b, 8);
        sm_put_be32(w, 8);
        sm_put_u8(w, 1);
        sm_put_zeros(w, 3);
        break;
    case 0x0002: /* morphing: events are polled */
        put_feature(w, code, 0x07, 4);
        sm_put_be32(w, 0);
        break;
    case 0x0003: /* removable medium: a tray that ejects and locks */
        put_feature(w, code, 0x03, 4);
        sm_put_u8(w, 0x29);
        sm_put_zeros(w, 3);
        break;
    case 0x0010: /* random readable */
        put_feature(w, code, current != 0, 8);
        sm_put_be32(w, SM_CD_BLOCK);
        sm_put_be16(w, 1);
        sm_put_be16(w, 0);
        break;
    case 0x001e: /* CD read */
        put_feature(w, code, 0x08 | (current == PROFILE_CD_ROM), 4);
        sm_put_be32(w, 0);
        break;
    case 0x001f: /* DVD read */
        put_feature(w, code, 0x04 | (current == PROFILE_DVD_ROM), 4);
        sm_put_be32(w, 0);
        break;
    case 0x0100: /* power management */
        put_feature(w, code, 0x03, 0);
        break;
    case 0x0105: /* timeout */
        put_feature(w, code, 0x07, 4);
        sm_put_be32(w, 0);
        break;
    default:
        break;
    }
}

static struct sm_cd_result get_configuration(struct sm_cd *cd, const uint8_t *cdb)
{
    static const uint16_t features[] = {0x0000, 0x0001, 0x0002, 0x0003, 0x0010,
                                        0x001e, 0x001f, 0x0100, 0x0105};
    uint16_t from = be16(cdb + 2);
    uint8_t which = cdb[1] & 3; /* all, all current, one */
    struct sm_writer *w = &cd->answer;
    if (which == 3)
        return invalid_field(cd);
    sm_put_zeros(w, 6); /* the first four bytes say how many follow */
    sm_put_be16(w, profile(cd));
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (which == 2 ? features[i] == from : features[i] >= from)
            put_one_feature(cd, features[i]);
    if (!w->failed) {
        size_t size = w->size - 4;
        w->data[2] = (uint8_t)(size >> 8);
        w->data[3] = (uint8_t)size;
    }
    return answer(cd, be16(cdb + 7));
}

static struct sm_cd_result get_event_status(struct sm_cd *cd, const uint8_t *cdb)
{
    enum { MEDIA_CLASS = 4 };
    struct sm_writer *w = &cd->answer;
    if (!(cdb[1] & 1)) /* we have nothing that could wait for an event */
        return invalid_field(cd);
    bool is_asked = cdb[4] & 1 << MEDIA_CLASS;
    sm_put_be16(w, is_asked ? 6 : 2);
    sm_put_u8(w, is_asked ? MEDIA_CLASS : 0x80);
    sm_put_u8(w, 1 << MEDIA_CLASS); /* the classes there are */
    if (is_asked) {
        sm_put_u8(w, cd->is_new && has_disc(cd) ? 2 : 0); /* a new disc */
        sm_put_u8(w, has_disc(cd) ? 2 : 1);               /* there is one, or the tray is open */
        sm_put_be16(w, 0);
        cd->is_new = false;
    }
    return answer(cd, be16(cdb + 7));
}

static struct sm_cd_result start_stop(struct sm_cd *cd, const uint8_t *cdb)
{
    bool is_start = cdb[4] & 1, is_load = cdb[4] & 2;
    if (is_load && !is_start) {
        if (cd->is_locked)
            return fail(cd, ILLEGAL_REQUEST, 0x53, 2); /* removal prevented */
        cd->is_ejected = true;
    } else if (is_start && !has_disc(cd)) {
        return no_disc(cd);
    }
    return good();
}

static void put_capabilities_page(struct sm_cd *cd)
{
    struct sm_writer *w = &cd->answer;
    sm_put_u8(w, 0x2a);
    sm_put_u8(w, 0x12);
    sm_put_u8(w, 0x0b); /* reads CD-R, CD-RW, DVD-ROM */
    sm_put_u8(w, 0);
    sm_put_u8(w, 0x71); /* several sessions, both modes */
    sm_put_u8(w, 0);
    sm_put_u8(w, 0x29 | (cd->is_locked ? 2 : 0)); /* a tray that locks and ejects */
    sm_put_u8(w, 0);
    sm_put_be16(w, SPEED_KB);
    sm_put_be16(w, 0);
    sm_put_be16(w, 512); /* KiB of buffer */
    sm_put_be16(w, SPEED_KB);
    sm_put_zeros(w, 4);
}

static struct sm_cd_result mode_sense(struct sm_cd *cd, const uint8_t *cdb)
{
    uint8_t page = cdb[2] & 0x3f;
    struct sm_writer *w = &cd->answer;
    if (cdb[2] >> 6 == 3) /* saved values: there are none */
        return fail(cd, ILLEGAL_REQUEST, 0x39, 0);
    if (page != 0x01 && page != 0x2a && page != 0x3f)
        return invalid_field(cd);
    sm_put_zeros(w, 8); /* the first two bytes say how many follow */
    if (page == 0x01 || page == 0x3f) {
        sm_put_u8(w, 0x01); /* error recovery: nothing to recover */
        sm_put_u8(w, 0x0a);
        sm_put_zeros(w, 10);
    }
    if (page == 0x2a || page == 0x3f)
        put_capabilities_page(cd);
    if (!w->failed)
        w->data[1] = (uint8_t)(w->size - 2);
    return answer(cd, be16(cdb + 7));
}

static struct sm_cd_result get_performance(struct sm_cd *cd, const uint8_t *cdb)
{
    struct sm_writer *w = &cd->answer;
    if (cdb[10] != 0 || (cdb[1] & 4)) /* how fast we read is all we know */
        return invalid_field(cd);
    sm_put_be32(w, 4 + 16);
    sm_put_be32(w, 0);
    sm_put_be32(w, 0);
    sm_put_be32(w, SPEED_KB);
    sm_put_be32(w, has_disc(cd) ? block_count(cd) - 1 : 0);
    sm_put_be32(w, SPEED_KB);
    return answer(cd, 8 + (size_t)be16(cdb + 8) * 16);
}

static struct sm_cd_result mechanism_status(struct sm_cd *cd, const uint8_t *cdb)
{
    sm_put_u8(&cd->answer, 0);
    sm_put_u8(&cd->answer, has_disc(cd) ? 0 : 0x10); /* the door is open */
    sm_put_zeros(&cd->answer, 6);
    return answer(cd, be16(cdb + 8));
}

static struct sm_cd_result do_command(struct sm_cd *cd, const uint8_t *cdb)
{
    switch (cdb[0]) {
    case TEST_UNIT_READY:
        return has_disc(cd) ? good() : no_disc(cd);
    case REQUEST_SENSE:
        return request_sense(cd, cdb);
    case INQUIRY:
        return inquiry(cd, cdb);
    case REPORT_LUNS:
        return report_luns(cd, cdb);
    case READ_6:
        return read_6(cd, cdb);
    case READ_10:
        return read_blocks(cd, be32(cdb + 2), be16(cdb + 7));
    case READ_12:
        return read_blocks(cd, be32(cdb + 2), be32(cdb + 6));
    case READ_16:
        return read_16(cd, cdb);
    case READ_CAPACITY_10:
        return read_capacity(cd, false, 8);
    case SERVICE_ACTION_IN_16:
        return (cdb[1] & 0x1f) == 0x10 ? read_capacity(cd, true, be32(cdb + 10))
                                       : invalid_field(cd);
    case READ_TOC:
        return read_toc(cd, cdb);
    case READ_DISC_INFO:
        return read_disc_info(cd, cdb);
    case READ_TRACK_INFO:
        return read_track_info(cd, cdb);
    case GET_CONFIGURATION:
        return get_configuration(cd, cdb);
    case GET_EVENT_STATUS:
        return get_event_status(cd, cdb);
    case START_STOP:
        return start_stop(cd, cdb);
    case PREVENT_ALLOW:
        cd->is_locked = cdb[4] & 1;
        return good();
    case MODE_SENSE_10:
        return mode_sense(cd, cdb);
    case GET_PERFORMANCE:
        return get_performance(cd, cdb);
    case MECHANISM_STATUS:
        return mechanism_status(cd, cdb);
    case MODE_SELECT_6:
    case MODE_SELECT_10:
    case SEND_EVENT:
        return good(); /* nothing of us can be set */
    default:
        return fail(cd, ILLEGAL_REQUEST, 0x20, 0); /* no such command */
    }
}

struct sm_cd_result sm_cd_command(struct sm_cd *cd, struct sm_bytes cdb)
{
    uint8_t whole[CDB_MAX] = {0}; /* what a short command lacks is zero */
    if (cdb.size == 0)
        return invalid_field(cd);
    memcpy(whole, cdb.data, cdb.size < CDB_MAX ? cdb.size : CDB_MAX);
    sm_writer_reset(&cd->answer);
    if (whole[0] != REQUEST_SENSE)
        cd->sense_key = cd->sense_code = cd->sense_qualifier = 0;
    return do_command(cd, whole);
}

void sm_cd_read_failed(struct sm_cd *cd)
{
    (void)fail(cd, MEDIUM_ERROR, 0x11, 0); /* unrecovered read error */
}
