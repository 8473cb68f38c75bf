/* SPDX-License-Identifier: MIT */
/* The guest agent's port, the filter of its messages, and their joining. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/agent_port.h"
#include "core/channel/main/agent_filter.h"
#include "core/channel/main/agent_join.h"
#include "tests/support/failmalloc.h"

/* A message of `type` whose header says `size`, with `present` bytes of its body. */
static struct sm_bytes message(uint32_t type, uint32_t size, size_t present)
{
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_put_le32(&w, 1);
    sm_put_le32(&w, type);
    sm_put_le64(&w, 0);
    sm_put_le32(&w, size);
    for (size_t i = 0; i < present; i++)
        sm_put_u8(&w, (uint8_t)i);
    struct sm_bytes copy = sm_test_copy(w.data, w.size);
    sm_writer_finish(&w);
    return copy;
}

static struct sm_bytes zeros(size_t size)
{
    static const uint8_t ZEROS[4096];
    return sm_test_copy(ZEROS, size);
}

static const struct sm_agent_policy ALL = {.has_copy_paste = true, .has_file_transfer = true};

static enum sm_agent_verdict judge(struct sm_agent_filter *filter, struct sm_bytes piece)
{
    return sm_agent_filter_piece(filter, piece, NULL, NULL);
}

static void check_refused(struct sm_bytes first, struct sm_bytes second, const char *expected)
{
    struct sm_agent_filter filter;
    const char *reason = "";
    sm_agent_filter_reset(&filter, ALL, false);
    enum sm_agent_verdict verdict = sm_agent_filter_piece(&filter, first, NULL, &reason);
    if (verdict == SM_AGENT_VERDICT_OK)
        verdict = sm_agent_filter_piece(&filter, second, NULL, &reason);
    assert_int_equal(verdict, SM_AGENT_VERDICT_PROTOCOL_ERROR);
    assert_string_equal(reason, expected);
}

static void filter_refuses_what_breaks_the_framing(void **state)
{
    (void)state;
    struct sm_bytes whole = message(6, 8, 8);
    struct sm_bytes bad_protocol = message(6, 8, 8);
    ((uint8_t *)(uintptr_t)bad_protocol.data)[0] = 2;
    check_refused(zeros(2049), whole, "invalid agent message: too large");
    check_refused(zeros(0), whole, "invalid agent message: incomplete header");
    for (size_t size = 0; size < 20; size++)
        check_refused(sm_test_copy(whole.data, size), whole,
                      "invalid agent message: incomplete header");
    check_refused(bad_protocol, whole, "invalid agent protocol: unknown version");
    check_refused(message(6, 7, 8), whole, "invalid agent message: data exceeds size from header");
    check_refused(message(6, 100, 8), zeros(93),
                  "invalid agent message: data exceeds size from header");
    sm_test_free_copies();
}

static void filter_follows_messages_over_several_pieces(void **state)
{
    (void)state;
    struct sm_agent_filter filter;
    bool is_first;
    sm_agent_filter_reset(&filter, ALL, false);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sm_agent_filter_piece(&filter, message(4, 5000, 2028), &is_first, NULL),
                         0);
        assert_true(is_first);
        assert_int_equal(sm_agent_filter_piece(&filter, zeros(2048), &is_first, NULL), 0);
        assert_false(is_first);
        assert_int_equal(filter.left, 924);
        assert_int_equal(sm_agent_filter_piece(&filter, zeros(924), &is_first, NULL), 0);
        assert_int_equal(judge(&filter, message(9, 0, 0)), 0);
    }
    sm_test_free_copies();
}

static void filter_keeps_to_the_policy(void **state)
{
    (void)state;
    struct sm_agent_filter filter;
    for (uint32_t type = 1; type <= 20; type++) {
        bool is_clipboard = type == 4 || type == 7 || type == 8 || type == 9;
        bool is_file = type == 10 || type == 11 || type == 12;
        for (unsigned bits = 0; bits < 16; bits++) {
            struct sm_agent_policy policy = {.has_copy_paste = bits & 1,
                                             .has_file_transfer = bits & 2,
                                             .intercepts_monitors = bits & 4};
            sm_agent_filter_reset(&filter, policy, bits & 8);
            enum sm_agent_verdict expected = SM_AGENT_VERDICT_OK;
            if (type == 2 && policy.intercepts_monitors)
                expected = SM_AGENT_VERDICT_MONITORS_CONFIG;
            if ((is_clipboard && !policy.has_copy_paste) ||
                (is_file && !policy.has_file_transfer) || bits & 8)
                expected = SM_AGENT_VERDICT_DISCARD;
            assert_int_equal(judge(&filter, message(type, 30, 10)), expected);
            filter.policy = ALL; /* a change counts from the next message on */
            filter.discards_all = false;
            assert_int_equal(judge(&filter, zeros(20)), expected);
            assert_int_equal(judge(&filter, message(type, 0, 0)), SM_AGENT_VERDICT_OK);
        }
    }
    sm_test_free_copies();
}

static struct sm_bytes announcement(uint32_t size, size_t words)
{
    struct sm_writer w;
    sm_writer_init(&w, 4096);
    sm_put_bytes(&w, message(SM_AGENT_ANNOUNCE_CAPABILITIES, size, 0));
    sm_put_le32(&w, 1);
    for (size_t i = 0; i < words; i++)
        sm_put_le32(&w, 0xffffdfffu); /* all but FILE_XFER_DISABLED */
    struct sm_bytes copy = sm_test_copy(w.data, w.size);
    sm_writer_finish(&w);
    return copy;
}

static void agents_announce_no_more_than_the_policy_allows(void **state)
{
    (void)state;
    struct sm_agent_filter filter;
    sm_agent_filter_reset(&filter, (struct sm_agent_policy){0}, false);
    struct sm_bytes piece = announcement(12, 2);
    assert_true(sm_agent_filter_rewrite(&filter, (uint8_t *)(uintptr_t)piece.data, piece.size));
    sm_check_bytes(((struct sm_bytes){piece.data + 20, 12}),
                   sm_test_hex("01000000 97ffffff ffdfffff"));
    sm_agent_filter_reset(&filter, ALL, false);
    piece = announcement(12, 2);
    assert_true(sm_agent_filter_rewrite(&filter, (uint8_t *)(uintptr_t)piece.data, piece.size));
    sm_check_bytes(((struct sm_bytes){piece.data + 20, 12}),
                   sm_test_hex("01000000 ffdfffff ffdfffff"));
    sm_test_free_copies();
}

static void announcements_are_rewritten_only_within_their_length(void **state)
{
    (void)state;
    struct sm_agent_filter filter;
    sm_agent_filter_reset(&filter, (struct sm_agent_policy){0}, false);
    for (uint32_t size = 0; size < 8; size++) { /* no whole word belongs to the message */
        struct sm_bytes piece = announcement(size, 1);
        assert_false(
            sm_agent_filter_rewrite(&filter, (uint8_t *)(uintptr_t)piece.data, piece.size));
        sm_check_bytes(((struct sm_bytes){piece.data + 24, 4}), sm_test_hex("ffdfffff"));
    }
    struct sm_bytes whole = announcement(8, 1);
    for (size_t size = 0; size < whole.size; size++) {
        struct sm_bytes cut = sm_test_copy(whole.data, size);
        assert_false(sm_agent_filter_rewrite(&filter, (uint8_t *)(uintptr_t)cut.data, size));
        sm_check_bytes(cut, ((struct sm_bytes){whole.data, size}));
    }
    struct sm_bytes other = message(SM_AGENT_REPLY, 8, 8);
    struct sm_bytes copy = sm_test_copy(other.data, other.size);
    assert_false(sm_agent_filter_rewrite(&filter, (uint8_t *)(uintptr_t)copy.data, copy.size));
    sm_check_bytes(copy, other);
    sm_test_free_copies();
}

static struct sm_bytes some_chunks(void)
{
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_agent_port_put(&w, SM_AGENT_PORT_CLIENT, message(6, 8, 8));
    sm_agent_port_put(&w, SM_AGENT_PORT_CLIENT, (struct sm_bytes){0});
    sm_agent_port_put(&w, SM_AGENT_PORT_SERVER, zeros(4096));
    sm_agent_port_put_message(&w, SM_AGENT_CLIENT_DISCONNECTED, (struct sm_bytes){0});
    struct sm_bytes copy = sm_test_copy(w.data, w.size);
    sm_writer_finish(&w);
    return copy;
}

static void chunks_come_out_in_pieces_however_they_are_cut(void **state)
{
    (void)state;
    static const struct {
        uint32_t port;
        size_t size;
    } EXPECTED[] = {{1, 28}, {2, 2048}, {2, 2048}, {2, 20}};
    struct sm_bytes chunks = some_chunks();
    for (size_t cut = 1; cut < 70; cut += 3) {
        struct sm_agent_port_reader reader = {0};
        size_t at = 0, count = 0;
        while (at < chunks.size) {
            size_t size = chunks.size - at < cut ? chunks.size - at : cut;
            size_t taken;
            sm_check_status(
                sm_agent_port_feed(&reader, sm_test_copy(chunks.data + at, size), &taken), SM_OK);
            at += taken;
            struct sm_agent_port_piece piece;
            while (sm_agent_port_next(&reader, &piece)) {
                assert_true(count < 4);
                assert_int_equal(piece.port, EXPECTED[count].port);
                assert_int_equal(piece.size, EXPECTED[count].size);
                if (count == 0)
                    sm_check_bytes(((struct sm_bytes){piece.data, piece.size}), message(6, 8, 8));
                count++;
            }
        }
        assert_int_equal(count, 4);
    }
    sm_test_free_copies();
}

static void reading_what_is_wanted_never_reads_too_far(void **state)
{
    (void)state;
    struct sm_bytes chunks = some_chunks();
    struct sm_agent_port_reader reader = {0};
    size_t at = 0, pieces = 0;
    while (at < chunks.size) {
        size_t size = sm_agent_port_wanted(&reader), taken;
        assert_true(size > 0 && size <= chunks.size - at);
        sm_check_status(sm_agent_port_feed(&reader, sm_test_copy(chunks.data + at, size), &taken),
                        SM_OK);
        assert_int_equal(taken, size);
        at += taken;
        struct sm_agent_port_piece piece;
        if (sm_agent_port_next(&reader, &piece))
            pieces++;
    }
    assert_int_equal(pieces, 4);
    sm_test_free_copies();
}

static void ports_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"00000000 04000000", "03000000 04000000",
                                      "ffffffff ffffffff"};
    for (int i = 0; i < 3; i++) {
        struct sm_agent_port_reader reader = {0};
        size_t taken;
        sm_check_status(sm_agent_port_feed(&reader, sm_test_hex(BAD[i]), &taken), SM_ERR_PROTOCOL);
        sm_agent_port_reset(&reader);
        sm_check_status(sm_agent_port_feed(&reader, sm_test_hex("01000000 01000000 55"), &taken),
                        SM_OK);
        struct sm_agent_port_piece piece;
        assert_true(sm_agent_port_next(&reader, &piece));
        assert_int_equal(piece.data[0], 0x55);
    }
    sm_test_free_copies();
}

static struct sm_bytes some_messages(void)
{
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_put_bytes(&w, message(6, 8, 8));
    sm_put_bytes(&w, message(9, 0, 0));
    sm_put_bytes(&w, message(4, 6000, 6000));
    sm_put_bytes(&w, message(12, 9000, 9000)); /* too long for us */
    sm_put_bytes(&w, message(3, 8, 8));
    struct sm_bytes copy = sm_test_copy(w.data, w.size);
    sm_writer_finish(&w);
    return copy;
}

/* Joins `stream` cut into pieces; returns how many messages came out, -1 on failure. */
static int join_all(struct sm_bytes stream, size_t cut, bool checks)
{
    static const uint32_t TYPES[] = {6, 9, 4, 3}, SIZES[] = {8, 0, 6000, 8};
    struct sm_agent_join join;
    sm_agent_join_init(&join, 8000);
    size_t at = 0;
    int count = 0;
    while (at < stream.size) {
        size_t size = stream.size - at < cut ? stream.size - at : cut, taken;
        enum sm_status status =
            sm_agent_join_feed(&join, (struct sm_bytes){stream.data + at, size}, &taken);
        at += taken;
        if (status == SM_AGAIN)
            continue;
        if (status != SM_OK) {
            count = -1;
            break;
        }
        if (checks) {
            assert_true(count < 4);
            assert_int_equal(join.type, TYPES[count]);
            struct sm_bytes body = sm_agent_join_body(&join);
            assert_int_equal(body.size, SIZES[count]);
            for (size_t i = 0; i < body.size; i++)
                assert_int_equal(body.data[i], (uint8_t)i);
        }
        count++;
    }
    sm_agent_join_finish(&join);
    return count;
}

static void joined_messages_are_whole_however_they_are_cut(void **state)
{
    (void)state;
    struct sm_bytes stream = some_messages();
    for (size_t cut = 1; cut < 50; cut++)
        assert_int_equal(join_all(stream, cut, true), 4);
    assert_int_equal(join_all(stream, 1 << 20, true), 4);
    sm_test_free_copies();
}

static void joining_stops_at_what_is_no_message(void **state)
{
    (void)state;
    struct sm_bytes bad = message(6, 8, 8);
    ((uint8_t *)(uintptr_t)bad.data)[1] = 1;
    assert_int_equal(join_all(bad, 7, false), -1);
    sm_test_free_copies();
}

static void join_once(void *context)
{
    (void)join_all(*(struct sm_bytes *)context, 100, false);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    struct sm_bytes stream = some_messages();
    sm_failmalloc_each(join_once, &stream);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_refuses_what_breaks_the_framing),
        cmocka_unit_test(filter_follows_messages_over_several_pieces),
        cmocka_unit_test(filter_keeps_to_the_policy),
        cmocka_unit_test(agents_announce_no_more_than_the_policy_allows),
        cmocka_unit_test(announcements_are_rewritten_only_within_their_length),
        cmocka_unit_test(chunks_come_out_in_pieces_however_they_are_cut),
        cmocka_unit_test(reading_what_is_wanted_never_reads_too_far),
        cmocka_unit_test(ports_that_do_not_exist_are_refused),
        cmocka_unit_test(joined_messages_are_whole_however_they_are_cut),
        cmocka_unit_test(joining_stops_at_what_is_no_message),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
