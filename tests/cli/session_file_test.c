/* SPDX-License-Identifier: MIT */
/* Session files: what was written is read, what was cut off counts as far as it goes. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session_file.h"

enum { ROOM = 4096 };

static const uint8_t PIXELS[300] = {1, 2, 3};

static void put(struct cli_session_writer *writer, enum sm_channel_kind kind, const uint8_t *data,
                size_t size)
{
    struct sm_capture piece = {
        .kind = kind,
        .id = 1,
        .is_open = !data,
        .common_caps = 11,
        .channel_caps = 0x12345678,
        .data = data,
        .size = size,
    };
    cli_session_writer_put(writer, &piece);
}

/* A main and a display connection, the second twice. Returns the size of the file. */
static size_t make(uint8_t *room)
{
    FILE *file = fmemopen(room, ROOM, "w");
    struct cli_session_writer writer;
    assert_non_null(file);
    cli_session_writer_init(&writer, file);
    put(&writer, SM_CHANNEL_KIND_MAIN, NULL, 0);
    put(&writer, SM_CHANNEL_KIND_MAIN, PIXELS, 10);
    put(&writer, SM_CHANNEL_KIND_DISPLAY, NULL, 0);
    put(&writer, SM_CHANNEL_KIND_DISPLAY, PIXELS, sizeof(PIXELS));
    put(&writer, SM_CHANNEL_KIND_DISPLAY, NULL, 0);
    put(&writer, SM_CHANNEL_KIND_DISPLAY, PIXELS, 7);
    assert_true(cli_session_writer_finish(&writer));
    long size = ftell(file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > 0);
    return (size_t)size;
}

static const char *read_index(struct cli_session_index *index, const uint8_t *bytes, size_t size)
{
    struct sm_bytes copy = sm_test_copy(bytes, size);
    FILE *file = fmemopen((void *)(uintptr_t)copy.data, copy.size, "r");
    assert_non_null(file);
    const char *reason = cli_session_index_read(index, file);
    fclose(file);
    sm_test_free_copies();
    return reason;
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct cli_session_index index;
    size_t size = make(bytes);
    assert_null(read_index(&index, bytes, size));
    assert_true(index.is_whole && index.begun_us > 0);
    assert_int_equal(index.connection_count, 3);
    assert_int_equal(index.connections[1].kind, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(index.connections[1].common_caps, 11);
    assert_int_equal(index.connections[1].channel_caps, 0x12345678);
    assert_int_equal(index.connections[1].bytes, sizeof(PIXELS));
    assert_int_equal(index.connections[2].bytes, 7);
    assert_int_equal(index.piece_count, 3);
    assert_int_equal(index.pieces[1].connection, 1);
    assert_int_equal(index.pieces[1].size, sizeof(PIXELS));
    assert_memory_equal(bytes + index.pieces[1].offset, PIXELS, sizeof(PIXELS));
    assert_int_equal(index.pieces[2].connection, 2);
    cli_session_index_finish(&index);
}

static void a_file_that_was_cut_off_counts_as_far_as_it_goes(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct cli_session_index index;
    size_t size = make(bytes), last = 0;
    for (size_t cut = 1; cut < size; cut++) {
        const char *reason = read_index(&index, bytes, cut);
        if (cut < CLI_SESSION_HEAD_BYTES)
            assert_string_equal(reason, "it is no session file");
        else
            assert_null(reason);
        assert_false(index.is_whole);
        assert_true(index.piece_count >= last);
        for (size_t i = 0; i < index.piece_count; i++)
            assert_true(index.pieces[i].offset + index.pieces[i].size <= cut);
        last = index.piece_count;
        cli_session_index_finish(&index);
    }
    assert_int_equal(last, 3);
}

static void check_damaged(size_t at, uint8_t value, const char *reason)
{
    uint8_t bytes[ROOM];
    struct cli_session_index index;
    size_t size = make(bytes);
    bytes[at] = value;
    const char *found = read_index(&index, bytes, size);
    assert_non_null(found);
    assert_string_equal(found, reason);
    cli_session_index_finish(&index);
}

static void damage_is_noticed(void **state)
{
    (void)state;
    enum { FIRST = CLI_SESSION_HEAD_BYTES, SECOND = FIRST + CLI_SESSION_PIECE_HEAD_BYTES + 8 };
    check_damaged(0, 'x', "it is no session file");
    check_damaged(FIRST, 9, "it is damaged");         /* an unknown kind of piece */
    check_damaged(FIRST + 3, 1, "it is damaged");     /* what has to be zero */
    check_damaged(FIRST + 4, 7, "it is damaged");     /* capabilities of another size */
    check_damaged(FIRST + 6, 0x20, "it is damaged");  /* more than a piece may have */
    check_damaged(FIRST + 14, 1, "it is damaged");    /* the next one is earlier */
    check_damaged(FIRST + 15, 0xff, "it is damaged"); /* a time beyond all time */
    check_damaged(SECOND + 1, SM_CHANNEL_KIND_CURSOR, "bytes stand before their connection");
    check_damaged(SECOND, 3, "it is damaged"); /* an end with something in it */
}

static void connections_have_a_limit(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);
    struct cli_session_writer writer;
    struct cli_session_index index;
    assert_non_null(file);
    cli_session_writer_init(&writer, file);
    for (int i = 0; i <= CLI_SESSION_CONNECTIONS_MAX; i++)
        put(&writer, SM_CHANNEL_KIND_DISPLAY, NULL, 0);
    assert_true(cli_session_writer_finish(&writer));
    fclose(file);
    assert_string_equal(read_index(&index, (const uint8_t *)bytes, size),
                        "it has too many connections");
    cli_session_index_finish(&index);
    free(bytes);
}

static void large_pieces_are_split(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size, large = CLI_SESSION_PIECE_MAX * 2 + 5;
    FILE *file = open_memstream(&bytes, &size);
    uint8_t *data = calloc(1, large);
    struct cli_session_writer writer;
    struct cli_session_index index;
    assert_non_null(file);
    assert_non_null(data);
    cli_session_writer_init(&writer, file);
    put(&writer, SM_CHANNEL_KIND_DISPLAY, NULL, 0);
    put(&writer, SM_CHANNEL_KIND_DISPLAY, data, large);
    assert_true(cli_session_writer_finish(&writer));
    fclose(file);
    assert_null(read_index(&index, (const uint8_t *)bytes, size));
    assert_int_equal(index.piece_count, 3);
    assert_int_equal(index.pieces[2].size, 5);
    assert_int_equal(index.connections[0].bytes, large);
    cli_session_index_finish(&index);
    free(data);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_file_that_was_cut_off_counts_as_far_as_it_goes),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(connections_have_a_limit),
        cmocka_unit_test(large_pieces_are_split),
    };
    return cmocka_run_group_tests_name("cli session files", tests, NULL, NULL);
}
