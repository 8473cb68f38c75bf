/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/writer.h"
#include "io/websocket_frames.h"
#include "io/websocket_handshake.h"

struct decoded {
    uint8_t stream[70000];
    size_t size;
    char controls[64]; /* a letter a control frame: c, p, P and its payload's first byte */
    enum sm_status status;
    const char *reason;
};

/* Feeds `in` in pieces of `step` bytes, taking out at most `room` bytes at a time. */
static void decode(struct decoded *out, struct sm_bytes in, size_t step, size_t room)
{
    *out = (struct decoded){0};
    struct sm_websocket_decoder decoder = {0};
    for (size_t at = 0; at < in.size && out->status == SM_OK;) {
        size_t piece = in.size - at < step ? in.size - at : step;
        struct sm_bytes part = sm_test_copy(in.data + at, piece);
        struct sm_websocket_step result;
        size_t left = sizeof(out->stream) - out->size;
        out->status = sm_websocket_decode(&decoder, part, out->stream + out->size,
                                          left < room ? left : room, &result);
        out->size += result.put;
        at += result.taken;
        if (result.control_opcode) {
            size_t end = strlen(out->controls);
            out->controls[end] = "cpP"[result.control_opcode - SM_WEBSOCKET_CLOSE];
            if (result.control.size)
                out->controls[end + 1] = (char)result.control.data[0];
        }
        sm_test_free_copies();
    }
    out->reason = decoder.reason;
}

static void check_all_cuts(struct sm_bytes in, const char *stream, const char *controls)
{
    static struct decoded out;
    for (size_t step = 1; step <= in.size; step++) {
        for (size_t room = 1; room < 5; room++) {
            decode(&out, in, step, room);
            sm_check_status(out.status, SM_OK);
            sm_check_bytes(((struct sm_bytes){out.stream, out.size}),
                           ((struct sm_bytes){(const uint8_t *)stream, strlen(stream)}));
            assert_string_equal(out.controls, controls);
        }
    }
}

static void frames_make_one_stream_however_they_are_cut(void **state)
{
    (void)state;
    static const uint8_t FRAMES[] = {
        0x82, 3,    'a',  'b',  'c',                        /* binary */
        0x81, 0x81, 1,    2,    3,   4,   'd' ^ 1,          /* text, masked */
        0x02, 1,    'e',                                    /* first fragment */
        0x89, 2,    'x',  'y',                              /* ping between */
        0x00, 0x82, 9,    8,    7,   6,   'f' ^ 9, 'g' ^ 8, /* continuation */
        0x80, 0,                                            /* empty last one */
        0x82, 126,  0,    2,    'h', 'i',                   /* 16-bit length, though small */
        0x8a, 0,                                            /* pong */
        0x82, 127,  0,    0,    0,   0,   0,       0,       0,
        1,    'j',  0x88, 0x80, 0,   0,   0,       0, /* 64-bit; close */
    };
    check_all_cuts(SM_TEST_BYTES(FRAMES), "abcdefghij", "pxPc");
}

static void frames_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t size;
    } WRONG[] = {
        {{0xc2, 0}, 2},                               /* reserved bit */
        {{0x83, 0}, 2},                               /* opcode 3 */
        {{0x8b, 0}, 2},                               /* opcode 11 */
        {{0x09, 0}, 2},                               /* fragmented ping */
        {{0x89, 126, 0, 126}, 4},                     /* large ping */
        {{0x80, 0}, 2},                               /* continuation of nothing */
        {{0x02, 0, 0x82, 0}, 4},                      /* message inside a message */
        {{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, 10}, /* negative length */
    };
    static struct decoded out;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        for (size_t step = 1; step <= WRONG[i].size; step++) {
            struct sm_bytes in = {WRONG[i].bytes, WRONG[i].size};
            decode(&out, in, step, 100);
            sm_check_status(out.status, SM_ERR_PROTOCOL);
            assert_non_null(out.reason);
        }
    }
}

static void frames_of_every_length_come_back(void **state)
{
    (void)state;
    static const size_t SIZES[] = {0, 1, 125, 126, 127, 65535, 65536};
    static uint8_t frame[70000];
    static struct decoded out;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        static const uint8_t MASK[4] = {0xde, 0xad, 0xbe, 0xef};
        const uint8_t *mask = i % 2 ? MASK : NULL;
        size_t header = sm_websocket_header_build(frame, SM_WEBSOCKET_BINARY, SIZES[i], mask);
        for (size_t b = 0; b < SIZES[i]; b++)
            frame[header + b] = (uint8_t)b;
        if (mask)
            sm_websocket_mask(frame + header, frame + header, SIZES[i], mask, 0);
        decode(&out, (struct sm_bytes){frame, header + SIZES[i]}, 1000, SIZE_MAX);
        sm_check_status(out.status, SM_OK);
        assert_int_equal(out.size, SIZES[i]);
        for (size_t b = 0; b < SIZES[i]; b++)
            assert_int_equal(out.stream[b], (uint8_t)b);
    }
}

/* Source: RFC 6455, section 1.3. */
static void handshake_has_the_accept_value_of_the_standard(void **state)
{
    (void)state;
    char accept[SM_WEBSOCKET_ACCEPT_SIZE + 1];
    static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
    sm_websocket_accept_value((struct sm_bytes){(const uint8_t *)KEY, strlen(KEY)}, accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static enum sm_status answer(const char *request, struct sm_writer *reply)
{
    struct sm_bytes in = sm_test_copy(request, strlen(request));
    enum sm_status status = sm_websocket_answer(in, reply);
    sm_test_free_copies();
    return status;
}

static void handshake_waits_for_the_whole_request(void **state)
{
    (void)state;
    static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: x\r\nsec-websocket-key:  "
                                  "dGhlIHNhbXBsZSBub25jZQ== \r\n"
                                  "Sec-WebSocket-Protocol: binary\r\n\r\n";
    struct sm_writer reply;
    sm_writer_init(&reply, 1000);
    for (size_t size = 1; size < strlen(REQUEST); size++) {
        struct sm_bytes in = sm_test_copy(REQUEST, size);
        sm_check_status(sm_websocket_answer(in, &reply), SM_AGAIN);
        sm_test_free_copies();
    }
    sm_check_status(answer(REQUEST, &reply), SM_OK);
    sm_put_u8(&reply, 0);
    assert_non_null(strstr((char *)reply.data, "101"));
    assert_non_null(strstr((char *)reply.data, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr((char *)reply.data, "Sec-WebSocket-Protocol: binary\r\n\r\n"));
    sm_writer_finish(&reply);
}

static void handshake_refuses_what_is_no_upgrade(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "REDQ",
        "POST",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nSec-WebSocket-Key:\r\n\r\n",
        "GET / HTTP/1.1\r\nSec-WebSocket-Key: abc\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
        "GET / HTTP/1.1\r\nSec-WebSocket-Key: abc\r\n\r\nmore",
    };
    struct sm_writer reply;
    sm_writer_init(&reply, 1000);
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        sm_check_status(answer(WRONG[i], &reply), SM_ERR_PROTOCOL);
    static char endless[SM_WEBSOCKET_REQUEST_MAX + 1];
    memset(endless, 'x', sizeof(endless) - 1);
    memcpy(endless, "GET ", 4);
    sm_check_status(answer(endless, &reply), SM_ERR_PROTOCOL);
    sm_writer_finish(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_make_one_stream_however_they_are_cut),
        cmocka_unit_test(frames_that_break_the_rules_are_refused),
        cmocka_unit_test(frames_of_every_length_come_back),
        cmocka_unit_test(handshake_has_the_accept_value_of_the_standard),
        cmocka_unit_test(handshake_waits_for_the_whole_request),
        cmocka_unit_test(handshake_refuses_what_is_no_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
