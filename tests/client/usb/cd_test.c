/* SPDX-License-Identifier: MIT */
/* A CD drive, used as a guest does: commands through the bulk-only transport in usbredir packets.
 */
#include "client/usb/cd_drive.h"
#include "core/base/reader.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    IMAGE_BYTES = 100 * 2048 + 100, /* the last block is not full */
    BLOCKS = 101,
    CAPS = 0xff & ~(1 << SM_REDIR_CAP_BULK_STREAMS),
};

/** A guest and its drive. */
struct bench {
    struct sm_cd_drive *drive;
    struct sm_redir_reader reader;
    struct sm_writer out;
    struct sm_redir_reader guest; /* reads what the drive says */
    uint64_t next_id;
    uint32_t tag;
    bool is_broken; /* the image cannot be read */
};

static uint8_t image_byte(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 11));
}

static bool read_image(void *opaque, uint64_t offset, uint8_t *out, size_t size)
{
    const struct bench *b = opaque;
    assert_true(offset + size <= IMAGE_BYTES);
    for (size_t i = 0; i < size; i++)
        out[i] = image_byte(offset + i);
    return !b->is_broken;
}

static void start(struct bench *b)
{
    *b = (struct bench){.next_id = 1};
    b->reader.caps = b->reader.our_caps = b->guest.caps = b->guest.our_caps = CAPS;
    sm_writer_init(&b->out, SM_CD_OUT_MAX * 4);
    struct sm_cd_image image = {.bytes = IMAGE_BYTES, .read = read_image, .opaque = b};
    sm_check_status(sm_cd_drive_create(&b->drive, &image, 7), SM_OK);
}

static void finish(struct bench *b)
{
    sm_cd_drive_destroy(b->drive);
    sm_writer_finish(&b->out);
    sm_redir_reader_finish(&b->guest);
}

static void send(struct bench *b, uint32_t type, uint64_t id, const void *body, size_t size)
{
    struct sm_bytes copy = sm_test_copy(body, size);
    struct sm_redir_packet packet = {.type = type, .id = id, .body = copy};
    sm_check_status(sm_cd_drive_packet(b->drive, &b->reader, &packet, &b->out), SM_OK);
    free((void *)copy.data);
}

/* The drive's next packet; its type is checked. Borrowed until the next call. */
static struct sm_bytes receive(struct bench *b, uint32_t type, uint64_t id)
{
    static uint8_t body[SM_CD_OUT_MAX];
    while (sm_cd_drive_run(b->drive, &b->reader, &b->out))
        continue;
    struct sm_reader r = sm_reader(sm_writer_bytes(&b->out));
    assert_int_equal(sm_get_le32(&r), type);
    uint32_t length = sm_get_le32(&r);
    assert_true(sm_get_le64(&r) == id);
    struct sm_bytes bytes = sm_get_bytes(&r, length);
    assert_false(r.failed);
    memcpy(body, bytes.data, length);
    size_t used = 16 + (size_t)length;
    memmove(b->out.data, b->out.data + used, b->out.size - used);
    b->out.size -= used;
    return (struct sm_bytes){body, length};
}

static uint64_t ask_bulk(struct bench *b, uint32_t length)
{
    struct sm_writer w;
    sm_writer_init(&w, 64);
    sm_put_u8(&w, 0x81);
    sm_put_u8(&w, 0);
    sm_put_le16(&w, (uint16_t)length);
    sm_put_le32(&w, 0);
    sm_put_le16(&w, (uint16_t)(length >> 16));
    send(b, SM_REDIR_BULK_PACKET, b->next_id, w.data, w.size);
    sm_writer_finish(&w);
    return b->next_id++;
}

/* A transfer from the drive; its status, and the data. */
static uint8_t read_bulk(struct bench *b, uint32_t length, struct sm_bytes *data)
{
    uint64_t id = ask_bulk(b, length);
    struct sm_bytes body = receive(b, SM_REDIR_BULK_PACKET, id);
    struct sm_redir_bulk bulk;
    sm_check_status(sm_redir_bulk_parse(&bulk, &b->guest, &body), SM_OK);
    assert_int_equal(bulk.length, body.size);
    *data = body;
    return bulk.status;
}

static uint8_t write_bulk(struct bench *b, const void *data, size_t size)
{
    uint8_t body[10 + 64] = {2, 0, (uint8_t)size};
    assert_true(size <= 64);
    if (size > 0)
        memcpy(body + 10, data, size);
    uint64_t id = b->next_id++;
    send(b, SM_REDIR_BULK_PACKET, id, body, 10 + size);
    struct sm_bytes answer = receive(b, SM_REDIR_BULK_PACKET, id);
    struct sm_redir_bulk bulk;
    sm_check_status(sm_redir_bulk_parse(&bulk, &b->guest, &answer), SM_OK);
    return bulk.status;
}

static void send_command(struct bench *b, const uint8_t *cdb, size_t size, uint32_t expected)
{
    struct sm_writer w;
    sm_writer_init(&w, 64);
    sm_put_le32(&w, 0x43425355);
    sm_put_le32(&w, ++b->tag);
    sm_put_le32(&w, expected);
    sm_put_u8(&w, 0x80);
    sm_put_u8(&w, 0);
    sm_put_u8(&w, (uint8_t)size);
    sm_put_bytes(&w, (struct sm_bytes){cdb, size});
    sm_put_zeros(&w, 16 - size);
    assert_int_equal(write_bulk(b, w.data, w.size), SM_REDIR_SUCCESS);
    sm_writer_finish(&w);
}

/* Reads the status of the last command; what was not transferred. */
static uint32_t read_status(struct bench *b, uint8_t wanted)
{
    struct sm_bytes status;
    assert_int_equal(read_bulk(b, 13, &status), SM_REDIR_SUCCESS);
    assert_int_equal(status.size, 13);
    struct sm_reader r = sm_reader(status);
    assert_int_equal(sm_get_le32(&r), 0x53425355);
    assert_int_equal(sm_get_le32(&r), b->tag);
    uint32_t residue = sm_get_le32(&r);
    assert_int_equal(sm_get_u8(&r), wanted);
    return residue;
}

/* A command that succeeds; its answer, at most `expected` bytes in one transfer. */
static size_t command(struct bench *b, const uint8_t *cdb, size_t size, uint8_t *out,
                      uint32_t expected)
{
    struct sm_bytes data = {0};
    send_command(b, cdb, size, expected);
    if (expected > 0)
        assert_int_equal(read_bulk(b, expected, &data), SM_REDIR_SUCCESS);
    if (data.size > 0)
        memcpy(out, data.data, data.size);
    assert_int_equal(read_status(b, 0), expected - data.size);
    return data.size;
}

/* A command that fails: the data are a stall, and the sense says why. */
static void command_fails(struct bench *b, const uint8_t *cdb, size_t size, uint32_t expected,
                          uint8_t key, uint8_t code)
{
    struct sm_bytes data = {0};
    uint8_t sense[18];
    send_command(b, cdb, size, expected);
    if (expected > 0)
        assert_int_equal(read_bulk(b, expected, &data), SM_REDIR_STALL);
    assert_int_equal(read_status(b, 1), expected);
    assert_int_equal(command(b, (const uint8_t[6]){3, 0, 0, 0, 18, 0}, 6, sense, 18), 18);
    assert_int_equal(sense[2], key);
    assert_int_equal(sense[12], code);
}

static void the_guest_learns_what_it_is(void **state)
{
    (void)state;
    struct bench b;
    uint8_t out[64];
    start(&b);
    sm_cd_drive_connect(b.drive, &b.reader, &b.out);
    assert_int_equal(receive(&b, SM_REDIR_INTERFACE_INFO, 0).size, 132);
    assert_int_equal(receive(&b, SM_REDIR_EP_INFO, 0).size, 3 * 32 + 2 * 32);
    struct sm_bytes connect = receive(&b, SM_REDIR_DEVICE_CONNECT, 0);
    assert_int_equal(connect.size, 10);
    assert_int_equal(connect.data[0], SM_REDIR_SPEED_HIGH);
    assert_int_equal(connect.data[4] | connect.data[5] << 8, SM_CD_VENDOR);
    /* The configuration's descriptor, and one that is not there. */
    static const uint8_t get_config[] = {0, 6, 0x80, 0, 0, 2, 0, 0, 255, 0};
    static const uint8_t get_none[] = {0, 6, 0x80, 0, 0, 15, 0, 0, 255, 0};
    send(&b, SM_REDIR_CONTROL_PACKET, 5, get_config, 10);
    struct sm_bytes answer = receive(&b, SM_REDIR_CONTROL_PACKET, 5);
    assert_int_equal(answer.size, 10 + 32);
    assert_int_equal(answer.data[3], SM_REDIR_SUCCESS);
    send(&b, SM_REDIR_CONTROL_PACKET, 6, get_none, 10);
    answer = receive(&b, SM_REDIR_CONTROL_PACKET, 6);
    assert_int_equal(answer.size, 10);
    assert_int_equal(answer.data[3], SM_REDIR_STALL);
    send(&b, SM_REDIR_SET_CONFIGURATION, 7, "\1", 1);
    assert_memory_equal(receive(&b, SM_REDIR_CONFIGURATION_STATUS, 7).data, "\0\1", 2);
    /* The drive's own words. */
    assert_int_equal(command(&b, (const uint8_t[6]){0x12, 0, 0, 0, 36, 0}, 6, out, 36), 36);
    assert_int_equal(out[0], 5);
    assert_memory_equal(out + 8, "Sumac   Shared CD", 17);
    assert_int_equal(command(&b, (const uint8_t[10]){0x25}, 10, out, 8), 8);
    assert_memory_equal(out, "\0\0\0\x64\0\0\x08\0", 8); /* the last block is 100, of 2048 */
    finish(&b);
}

static void every_byte_of_the_image_is_read(void **state)
{
    (void)state;
    struct bench b;
    static uint8_t out[BLOCKS * 2048];
    start(&b);
    /* In one transfer. */
    static const uint8_t all[] = {0x28, 0, 0, 0, 0, 0, 0, 0, BLOCKS, 0};
    assert_int_equal(command(&b, all, 10, out, sizeof(out)), sizeof(out));
    for (size_t i = 0; i < sizeof(out); i++)
        assert_int_equal(out[i], i < IMAGE_BYTES ? image_byte(i) : 0);
    /* In three, asked for before the command comes. */
    uint64_t ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = ask_bulk(&b, 2048);
    struct sm_writer kept = b.out;
    assert_int_equal(kept.size, 0);
    static const uint8_t three[] = {0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0};
    send_command(&b, three, 12, 3 * 2048);
    for (int i = 0; i < 3; i++) {
        struct sm_bytes body = receive(&b, SM_REDIR_BULK_PACKET, ids[i]);
        assert_int_equal(body.size, 10 + 2048);
        for (size_t j = 0; j < 2048; j++)
            assert_int_equal(body.data[10 + j], image_byte((5 + (size_t)i) * 2048 + j));
    }
    assert_int_equal(read_status(&b, 0), 0);
    finish(&b);
}

static void what_cannot_be_done_says_why(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    command_fails(&b, (const uint8_t[10]){0x2a, 0}, 10, 2048, 5, 0x20); /* writing */
    command_fails(&b, (const uint8_t[10]){0x28, 0, 0, 0, 0, 101, 0, 0, 1, 0}, 10, 2048, 5, 0x21);
    command_fails(&b, (const uint8_t[10]){0x28, 0, 0, 0, 0, 100, 0, 0, 2, 0}, 10, 4096, 5, 0x21);
    static const uint8_t far[16] = {0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1};
    command_fails(&b, far, 16, 2048, 5, 0x21);
    command_fails(&b, (const uint8_t[6]){0x12, 1, 0x99, 0, 36, 0}, 6, 36, 5, 0x24);
    b.is_broken = true;
    command_fails(&b, (const uint8_t[10]){0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 10, 2048, 3, 0x11);
    finish(&b);
}

static void the_disc_is_ejected_unless_it_is_locked(void **state)
{
    (void)state;
    struct bench b;
    static const uint8_t eject[] = {0x1b, 0, 0, 0, 2, 0}, ready[] = {0, 0, 0, 0, 0, 0};
    start(&b);
    (void)command(&b, ready, 6, NULL, 0);
    (void)command(&b, (const uint8_t[6]){0x1e, 0, 0, 0, 1, 0}, 6, NULL, 0);
    command_fails(&b, eject, 6, 0, 5, 0x53);
    assert_false(sm_cd_drive_is_ejected(b.drive));
    (void)command(&b, (const uint8_t[6]){0x1e, 0, 0, 0, 0, 0}, 6, NULL, 0);
    (void)command(&b, eject, 6, NULL, 0);
    assert_true(sm_cd_drive_is_ejected(b.drive));
    command_fails(&b, ready, 6, 0, 2, 0x3a);
    finish(&b);
}

static void a_transfer_that_is_cancelled_is_answered_once(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    uint64_t first = ask_bulk(&b, 512), second = ask_bulk(&b, 13);
    send(&b, SM_REDIR_CANCEL_DATA_PACKET, first, NULL, 0);
    struct sm_bytes body = receive(&b, SM_REDIR_BULK_PACKET, first);
    assert_int_equal(body.data[1], SM_REDIR_CANCELLED);
    send(&b, SM_REDIR_CANCEL_DATA_PACKET, first, NULL, 0);
    assert_int_equal(b.out.size, 0);
    /* The other one gets the status of the next command. */
    send_command(&b, (const uint8_t[6]){0}, 6, 0);
    body = receive(&b, SM_REDIR_BULK_PACKET, second);
    assert_int_equal(body.size, 10 + 13);
    finish(&b);
}

static void too_many_and_too_large_transfers_are_refused(void **state)
{
    (void)state;
    struct bench b;
    struct sm_bytes data;
    start(&b);
    assert_int_equal(read_bulk(&b, SM_CD_REQUEST_MAX + 1, &data), SM_REDIR_INVAL);
    for (int i = 0; i < 64; i++)
        (void)ask_bulk(&b, 512);
    assert_int_equal(read_bulk(&b, 512, &data), SM_REDIR_INVAL);
    finish(&b);
}

static void packets_cut_short_are_refused(void **state)
{
    (void)state;
    struct bench b;
    static const uint8_t zeros[10];
    static const uint32_t types[] = {SM_REDIR_CONTROL_PACKET, SM_REDIR_BULK_PACKET};
    start(&b);
    for (size_t i = 0; i < 2; i++)
        for (size_t size = 0; size < 10; size++) {
            struct sm_bytes copy = sm_test_copy(zeros, size);
            struct sm_redir_packet packet = {.type = types[i], .body = copy};
            sm_check_status(sm_cd_drive_packet(b.drive, &b.reader, &packet, &b.out),
                            SM_ERR_PROTOCOL);
            free((void *)copy.data);
        }
    /* A command that is none stalls, whatever its size. */
    for (size_t size = 0; size < 40; size++)
        assert_int_equal(write_bulk(&b, (const uint8_t[64]){0}, size), SM_REDIR_STALL);
    assert_int_equal(b.out.size, 0);
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_learns_what_it_is),
        cmocka_unit_test(every_byte_of_the_image_is_read),
        cmocka_unit_test(what_cannot_be_done_says_why),
        cmocka_unit_test(the_disc_is_ejected_unless_it_is_locked),
        cmocka_unit_test(a_transfer_that_is_cancelled_is_answered_once),
        cmocka_unit_test(too_many_and_too_large_transfers_are_refused),
        cmocka_unit_test(packets_cut_short_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
