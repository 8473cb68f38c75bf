/* SPDX-License-Identifier: MIT */
/* The packets of usbredir, taken apart whole, a byte at a time and cut short. */
#include "client/usb/redir.h"
#include "tests/support/check.h"
#include "tests/support/failmalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAPS = 1 << SM_REDIR_CAP_64BITS_IDS | 1 << SM_REDIR_CAP_32BITS_BULK_LENGTH,
    STREAM_MAX = 256 << 10,
};

/* What a guest with `caps` sends: a hello, a bulk transfer of 5 bytes, a long packet, a reset. */
static void build_stream(struct sm_writer *w, uint32_t caps)
{
    struct sm_redir_reader guest = {.caps = CAPS, .our_caps = 0};
    sm_writer_init(w, STREAM_MAX);
    sm_redir_put_hello(w, &guest, caps);
    struct sm_redir_bulk bulk = {.endpoint = 2, .length = 5};
    sm_redir_put_bulk(w, &guest, 0x100000007, &bulk, 5);
    sm_put_bytes(w, (struct sm_bytes){(const uint8_t *)"bytes", 5});
    sm_redir_put_header(w, &guest, SM_REDIR_ISO_PACKET, SM_REDIR_BODY_MAX + 1, 8);
    sm_put_zeros(w, SM_REDIR_BODY_MAX + 1);
    sm_redir_put_header(w, &guest, SM_REDIR_RESET, 0, 9);
    assert_false(w->failed);
}

/* Reads all of `stream` in pieces of `step` bytes and checks what comes. */
static void check_stream(struct sm_bytes stream, size_t step, bool is_wide)
{
    struct sm_redir_reader reader = {.our_caps = CAPS};
    struct sm_redir_packet packet;
    static const uint32_t types[] = {SM_REDIR_HELLO, SM_REDIR_BULK_PACKET, SM_REDIR_ISO_PACKET,
                                     SM_REDIR_RESET};
    size_t count = 0;
    for (size_t at = 0; at < stream.size; at += step) {
        size_t size = stream.size - at < step ? stream.size - at : step;
        struct sm_bytes in = sm_test_copy(stream.data + at, size);
        struct sm_bytes whole = in;
        enum sm_status status;
        while ((status = sm_redir_next(&reader, &in, &packet)) == SM_OK) {
            assert_true(count < 4);
            assert_int_equal(packet.type, types[count]);
            assert_int_equal(packet.is_cut, packet.type == SM_REDIR_ISO_PACKET);
            if (packet.type == SM_REDIR_BULK_PACKET) {
                struct sm_redir_bulk bulk;
                struct sm_bytes rest = packet.body;
                sm_check_status(sm_redir_bulk_parse(&bulk, &reader, &rest), SM_OK);
                assert_int_equal(bulk.endpoint, 2);
                assert_int_equal(bulk.length, 5);
                assert_int_equal(rest.size, 5);
                assert_memory_equal(rest.data, "bytes", 5);
                assert_true(packet.id == (is_wide ? 0x100000007 : 7));
            }
            count++;
        }
        sm_check_status(status, SM_AGAIN);
        assert_int_equal(in.size, 0);
        free((void *)whole.data);
    }
    assert_int_equal(count, 4);
    assert_true(sm_redir_is_between(&reader));
    sm_redir_reader_finish(&reader);
}

static void packets_are_the_same_however_they_are_cut(void **state)
{
    (void)state;
    static const uint32_t peers[] = {CAPS, 0};
    for (size_t i = 0; i < 2; i++) {
        struct sm_writer w;
        build_stream(&w, peers[i]);
        check_stream(sm_writer_bytes(&w), w.size, peers[i] != 0);
        check_stream(sm_writer_bytes(&w), 1, peers[i] != 0);
        check_stream(sm_writer_bytes(&w), 13, peers[i] != 0);
        sm_writer_finish(&w);
    }
}

static enum sm_status read_one(struct sm_redir_reader *reader, const struct sm_writer *w)
{
    struct sm_bytes in = sm_writer_bytes(w);
    struct sm_redir_packet packet;
    enum sm_status status;
    do
        status = sm_redir_next(reader, &in, &packet);
    while (status == SM_OK && in.size > 0);
    return status;
}

static void a_hello_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct sm_writer w;
    struct sm_redir_reader other = {0};
    /* Twice. */
    sm_writer_init(&w, STREAM_MAX);
    sm_redir_put_hello(&w, &other, 0);
    sm_redir_put_hello(&w, &other, 0);
    struct sm_redir_reader reader = {.our_caps = CAPS};
    sm_check_status(read_one(&reader, &w), SM_ERR_PROTOCOL);
    sm_redir_reader_finish(&reader);
    /* Too short for its version. */
    for (uint32_t size = 0; size < 64; size += 7) {
        sm_writer_reset(&w);
        reader = (struct sm_redir_reader){.our_caps = CAPS};
        sm_redir_put_header(&w, &other, SM_REDIR_HELLO, size, 0);
        sm_put_zeros(&w, size);
        sm_check_status(read_one(&reader, &w), SM_ERR_PROTOCOL);
        sm_redir_reader_finish(&reader);
    }
    /* Without capabilities, as of long ago. */
    sm_writer_reset(&w);
    reader = (struct sm_redir_reader){.our_caps = CAPS};
    sm_redir_put_header(&w, &other, SM_REDIR_HELLO, 64, 0);
    sm_put_zeros(&w, 64);
    sm_check_status(read_one(&reader, &w), SM_OK);
    assert_int_equal(reader.caps, 0);
    sm_redir_reader_finish(&reader);
    sm_writer_finish(&w);
}

static void fixed_parts_refuse_every_truncation(void **state)
{
    (void)state;
    static const uint8_t zeros[16];
    struct sm_redir_reader wide = {.our_caps = CAPS, .caps = CAPS}, narrow = {0};
    for (size_t size = 0; size <= 12; size++) {
        struct sm_redir_control control;
        struct sm_redir_bulk bulk;
        struct sm_bytes copy = sm_test_copy(zeros, size), body = copy;
        sm_check_status(sm_redir_control_parse(&control, &body),
                        size < 10 ? SM_ERR_PROTOCOL : SM_OK);
        body = copy;
        sm_check_status(sm_redir_bulk_parse(&bulk, &wide, &body),
                        size < 10 ? SM_ERR_PROTOCOL : SM_OK);
        body = copy;
        sm_check_status(sm_redir_bulk_parse(&bulk, &narrow, &body),
                        size < 8 ? SM_ERR_PROTOCOL : SM_OK);
        free((void *)copy.data);
    }
}

static void without_memory_the_stream_ends(void **state)
{
    (void)state;
    struct sm_writer w;
    build_stream(&w, CAPS);
    struct sm_redir_reader reader = {.our_caps = CAPS};
    sm_failmalloc_arm(0);
    enum sm_status status = read_one(&reader, &w);
    assert_true(sm_failmalloc_disarm());
    sm_check_status(status, SM_ERR_NOMEM);
    sm_redir_reader_finish(&reader);
    sm_writer_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_the_same_however_they_are_cut),
        cmocka_unit_test(a_hello_that_makes_no_sense_is_refused),
        cmocka_unit_test(fixed_parts_refuse_every_truncation),
        cmocka_unit_test(without_memory_the_stream_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
