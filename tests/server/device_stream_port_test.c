/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "core/wire/cursor.h"
#include "server/device/stream_port.h"

enum { MAX_MESSAGES = 16 };

/* What came of a stream. */
struct heard {
    unsigned count;
    uint16_t types[MAX_MESSAGES];
    struct sm_stream_port_msg last;
    uint8_t last_data[64];
    enum sm_status status;
    const char *error;
};

/* Feeds `stream`, at most `piece` bytes at once. */
static struct heard feed(struct sm_bytes stream, size_t piece)
{
    struct heard heard = {.status = SM_AGAIN};
    struct sm_stream_port port;
    sm_stream_port_init(&port);
    while (stream.size > 0 && heard.status >= 0) {
        size_t room;
        uint8_t *to = sm_stream_port_room(&port, &room);
        assert_non_null(to);
        assert_true(room > 0);
        size_t size = room < piece ? room : piece;
        size = size < stream.size ? size : stream.size;
        memcpy(to, stream.data, size);
        stream.data += size;
        stream.size -= size;
        struct sm_stream_port_msg msg;
        heard.status = sm_stream_port_got(&port, size, &msg);
        if (heard.status != SM_OK)
            continue;
        assert_true(heard.count < MAX_MESSAGES);
        heard.types[heard.count++] = msg.type;
        heard.last = msg;
        size_t kept =
            msg.data.size < sizeof(heard.last_data) ? msg.data.size : sizeof(heard.last_data);
        if (kept)
            memcpy(heard.last_data, msg.data.data, kept);
    }
    heard.error = port.error;
    sm_stream_port_finish(&port);
    return heard;
}

static const char *const EACH =
    "0100 0100 00000000"                                        /* CAPABILITIES, none */
    "0100 0200 0c000000 80020000 e0010000 01 000000"            /* FORMAT 640 x 480 MJPEG */
    "0100 0300 00000000"                                        /* DATA, nothing */
    "0100 0300 03000000 c0ffee"                                 /* DATA */
    "0100 0600 10000000 0100 0100 0000 0000 00 000000 11223344" /* CURSOR_SET 1 x 1 ALPHA */
    "0100 0700 08000000 05000000 faffffff"                      /* CURSOR_MOVE 5, -6 */
    "0100 0800 0f000000 02000000 03000000 03000000 612f00";     /* DISPLAY_INFO "a/" */

static void every_message_is_understood_however_it_is_cut(void **state)
{
    (void)state;
    static const uint16_t types[] = {1, 2, 3, 3, 6, 7, 8};
    for (size_t piece = 1; piece < 40; piece += piece < 8 ? 1 : 7) {
        struct heard heard = feed(sm_test_hex(EACH), piece);
        sm_check_status(heard.status, SM_OK);
        assert_int_equal(heard.count, 7);
        assert_memory_equal(heard.types, types, sizeof(types));
        assert_int_equal(heard.last.stream_id, 2);
        assert_int_equal(heard.last.device_display_id, 3);
        assert_string_equal((const char *)heard.last_data, "a/");
    }
    struct heard format = feed(sm_test_hex("0100 0200 0c000000 80020000 e0010000 05 000000"), 99);
    assert_int_equal(format.last.width, 640);
    assert_int_equal(format.last.height, 480);
    assert_int_equal(format.last.codec, 5);
    struct heard move = feed(sm_test_hex("0100 0700 08000000 05000000 faffffff"), 99);
    assert_int_equal(move.last.x, 5);
    assert_int_equal(move.last.y, -6);
}

static void what_cannot_be_is_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *stream, *error;
    } wrong[] = {
        {"0200 0100 00000000", "Protocol error"}, /* another version */
        {"0100 0400 00000000", "Invalid message type"},
        {"0100 0500 00000000", "Invalid message type"},
        {"0100 0900 00000000", "Invalid message type"},
        {"0100 ffff 00000000", "Invalid message type"},
        {"0100 0100 01040000", "Wrong size for StreamMsgCapabilities"},
        {"0100 0200 0b000000", "Wrong size for StreamMsgFormat"},
        {"0100 0200 ffffffff", "Wrong size for StreamMsgFormat"},
        {"0100 0300 01000002", "STREAM_DATA too large"},
        {"0100 0600 0b000000", "Cursor size is invalid"},
        {"0100 0600 ffffff7f", "Cursor size is invalid"},
        {"0100 0700 09000000", "Wrong size for StreamMsgCursorMove"},
        {"0100 0800 0d010000", "StreamMsgDeviceDisplayInfo too large"},
        {"0100 0800 0b000000", "Protocol error"},
        {"0100 0200 0c000000 00000000 e0010000 01 000000", "Protocol error"}, /* no width */
        {"0100 0200 0c000000 80020000 01800000 01 000000", "Protocol error"}, /* too high */
        {"0100 0200 0c000000 80020000 e0010000 00 000000", "Protocol error"}, /* no codec */
        {"0100 0200 0c000000 80020000 e0010000 07 000000", "Protocol error"},
        {"0100 0600 0c000000 0100 0100 0000 0000 00 000000", "Protocol error"}, /* no pixel */
        {"0100 0600 10000000 0100 0100 0000 0000 01 000000 11223344", "Protocol error"}, /* MONO */
        {"0100 0600 10000000 0104 0000 0000 0000 00 000000 11223344", "Protocol error"},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct heard heard = feed(sm_test_hex(wrong[i].stream), 99);
        sm_check_status(heard.status, SM_ERR_PROTOCOL);
        assert_int_equal(heard.count, 0);
        assert_string_equal(heard.error, wrong[i].error);
    }
}

static void an_address_longer_than_its_message_is_none(void **state)
{
    (void)state;
    struct heard heard =
        feed(sm_test_hex("0100 0800 0f000000 02000000 03000000 04000000 612f00"), 99);
    sm_check_status(heard.status, SM_OK);
    assert_int_equal(heard.last.data.size, 0);
}

/* An announcement of 32 MiB takes no memory until they come. */
static void memory_follows_what_has_come(void **state)
{
    (void)state;
    struct sm_stream_port port;
    struct sm_stream_port_msg msg;
    struct sm_bytes header = sm_test_hex("0100 0300 00000002");
    size_t room;
    sm_stream_port_init(&port);
    memcpy(sm_stream_port_room(&port, &room), header.data, 8);
    sm_check_status(sm_stream_port_got(&port, 8, &msg), SM_AGAIN);
    size_t come = 0;
    while (come < 32 << 20) {
        assert_non_null(sm_stream_port_room(&port, &room));
        assert_true(port.capacity <= 2 * come + (64 << 10));
        come += room;
        enum sm_status status = sm_stream_port_got(&port, room, &msg);
        sm_check_status(status, come < 32 << 20 ? SM_AGAIN : SM_OK);
    }
    assert_int_equal(msg.data.size, 32 << 20);
    sm_stream_port_finish(&port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_understood_however_it_is_cut),
        cmocka_unit_test(what_cannot_be_is_refused_with_words),
        cmocka_unit_test(an_address_longer_than_its_message_is_none),
        cmocka_unit_test(memory_follows_what_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
