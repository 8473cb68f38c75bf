/* SPDX-License-Identifier: MIT */
/* Files on their way to a guest's agent, which is a few lines of ours. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/file_source.h"
#include "client/file_words.h"
#include "client/tar.h"
#include "sumac/client.h"
#include "tests/client/fake_agent.h"

enum {
    LARGE = 300 * 1000, /* bytes: several blocks, the last one not whole */
    FEW_TOKENS = 3,
    MANY = 9, /* files: more than are sent at a time */
};

/* ---- Files to send ---- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sumac-files-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static const char *make_file(const char *name, size_t size)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(fputc(byte_at(i), file), byte_at(i));
    assert_int_equal(fclose(file), 0);
    return path;
}

/* ---- The agent's side ---- */

static void say(struct fake_agent *agent, uint32_t id, uint32_t result, struct sm_bytes detail)
{
    fake_agent_send(
        agent->peer,
        &(struct sm_agent_msg){.type = SM_AGENT_FILE_XFER_STATUS,
                               .file_xfer_status = {.id = id, .result = result, .detail = detail}},
        FAKE_AGENT_ALL);
}

static void say_simply(struct fake_agent *agent, uint32_t id, uint32_t result)
{
    say(agent, id, result, (struct sm_bytes){0});
}

/* The text of a START lives until the next message. */
static uint32_t expect_start(struct fake_agent *agent, const char *text)
{
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_FILE_XFER_START);
    assert_int_equal(msg.type, SM_AGENT_FILE_XFER_START);
    struct sm_bytes got = msg.file_xfer_start.text;
    assert_int_equal(got.data[got.size - 1], 0);
    if (text)
        assert_string_equal((const char *)got.data, text);
    return msg.file_xfer_start.id;
}

static void expect_status(struct fake_agent *agent, uint32_t id, uint32_t result)
{
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_FILE_XFER_STATUS);
    assert_int_equal(msg.type, SM_AGENT_FILE_XFER_STATUS);
    assert_int_equal(msg.file_xfer_status.id, id);
    assert_int_equal(msg.file_xfer_status.result, result);
}

/* ---- The person's side ---- */

static struct sm_file_progress progress_of(struct sm_session *session, uint32_t id)
{
    struct sm_file_progress files[16];
    size_t count = sm_session_get_files(session, files, 16);
    for (size_t i = 0; i < count && i < 16; i++)
        if (files[i].id == id)
            return files[i];
    return (struct sm_file_progress){.id = 0};
}

static struct sm_file_progress await_end(struct sm_session *session, uint32_t id)
{
    for (;;) {
        struct sm_file_progress file = progress_of(session, id);
        if (file.state != SM_FILE_WAITING && file.state != SM_FILE_SENDING)
            return file;
        fake_await_event(session, SM_EVENT_FILES);
    }
}

static uint32_t send_one(struct sm_session *session, const char *path)
{
    uint32_t id;
    struct sm_error error;
    enum sm_status status = sm_session_send_files(session, &path, 1, &id, &error);
    if (status != SM_OK)
        fail_msg("%s", error.cause);
    return id;
}

static struct sm_session *begin(struct fake_server *server)
{
    struct sm_session *session = fake_agent_session(server);
    struct sm_session_info info;
    do {
        fake_await_event(session, SM_EVENT_INFO);
        sm_session_get_info(session, &info);
    } while (!info.has_agent);
    return session;
}

static void end(struct sm_session *session, struct fake_server *server)
{
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Whole files ---- */

static void play_taking_one(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come_with(peer, 0, FEW_TOKENS);
    uint32_t id = expect_start(agent, "[vdagent-file-xfer]\nname=large\nsize=300000\n"
                                      "file-xfer-nr=1\nfile-xfer-total=1\n");
    say_simply(agent, id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
    size_t got = 0;
    while (got < LARGE) {
        struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_FILE_XFER_DATA);
        assert_int_equal(msg.file_xfer_data.id, id);
        struct sm_bytes data = msg.file_xfer_data.data;
        assert_in_range(data.size, 1, 65536);
        for (size_t i = 0; i < data.size; i++)
            assert_int_equal(data.data[i], byte_at(got + i));
        got += data.size;
    }
    assert_int_equal(got, LARGE);
    say_simply(agent, id, SM_FILE_XFER_RESULT_SUCCESS);
    fake_agent_go(agent);
}

static void a_file_arrives_whole_with_few_tokens(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_taking_one});
    struct sm_session *session = begin(server);
    uint32_t id = send_one(session, make_file("large", LARGE));
    struct sm_file_progress file = await_end(session, id);
    assert_int_equal(file.state, SM_FILE_DONE);
    assert_int_equal(file.sent, LARGE);
    assert_int_equal(file.size, LARGE);
    assert_string_equal(file.name, "large");
    sm_session_forget_file(session, id);
    assert_int_equal(sm_session_get_files(session, NULL, 0), 0);
    end(session, server);
}

static void play_empty(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    uint32_t id = expect_start(agent, NULL);
    say_simply(agent, id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
    struct sm_agent_msg msg = fake_agent_expect(agent, SM_AGENT_FILE_XFER_DATA);
    assert_int_equal(msg.file_xfer_data.data.size, 0);
    say_simply(agent, id, SM_FILE_XFER_RESULT_SUCCESS);
    fake_agent_go(agent);
}

static void an_empty_file_is_one_empty_message(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = play_empty});
    struct sm_session *session = begin(server);
    uint32_t id = send_one(session, make_file("empty", 0));
    assert_int_equal(await_end(session, id).state, SM_FILE_DONE);
    end(session, server);
}

static void play_many(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    uint64_t got[MANY + 1] = {0};
    unsigned open = 0, most = 0, done = 0;
    struct sm_agent_msg msg;
    while (done < MANY && fake_agent_read(agent, &msg, FAKE_AGENT_ALL)) {
        if (msg.type == SM_AGENT_FILE_XFER_START) {
            most = ++open > most ? open : most;
            say_simply(agent, msg.file_xfer_start.id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
        } else if (msg.type == SM_AGENT_FILE_XFER_DATA) {
            uint32_t id = msg.file_xfer_data.id;
            assert_in_range(id, 1, MANY);
            got[id] += msg.file_xfer_data.data.size;
            if (got[id] == LARGE) {
                done++;
                open--;
                say_simply(agent, id, SM_FILE_XFER_RESULT_SUCCESS);
            }
        }
    }
    assert_int_equal(done, MANY);
    assert_in_range(most, 2, MANY - 1); /* several at a time, but not all */
    fake_agent_go(agent);
}

static void many_files_are_sent_some_at_a_time(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = play_many});
    struct sm_session *session = begin(server);
    const char *path = make_file("large", LARGE);
    const char *paths[MANY] = {path, path, path, path, path, path, path, path, path};
    uint32_t ids[MANY];
    sm_check_status(sm_session_send_files(session, paths, MANY, ids, NULL), SM_OK);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(await_end(session, ids[i]).state, SM_FILE_DONE);
    end(session, server);
}

/* ---- Ends of other kinds ---- */

static void play_cancel(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    uint32_t id = expect_start(agent, NULL);
    fake_step(peer, 0);
    expect_status(agent, id, SM_FILE_XFER_RESULT_CANCELLED);
    say_simply(agent, id, SM_FILE_XFER_RESULT_CAN_SEND_DATA); /* it crossed: no matter */
    fake_step(peer, 1);
    fake_agent_go(agent);
}

static void a_cancelled_file_is_taken_back(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = play_cancel});
    struct fake_peer peer = {.server = server};
    struct sm_session *session = begin(server);
    uint32_t id = send_one(session, make_file("large", LARGE));
    fake_wait_step(&peer, 0);
    sm_session_forget_file(session, id); /* not while it is under way */
    sm_session_cancel_file(session, id);
    assert_int_equal(await_end(session, id).state, SM_FILE_CANCELLED);
    fake_wait_step(&peer, 1);
    end(session, server);
}

static void play_refusals(struct fake_peer *peer)
{
    static const uint8_t free_bytes[8] = {0x40, 0xe2, 0x01}; /* 123456 */
    static const uint8_t too_many[5] = {0, 31};
    struct fake_agent *agent = fake_agent_come(peer);
    say(agent, expect_start(agent, NULL), SM_FILE_XFER_RESULT_NOT_ENOUGH_SPACE,
        (struct sm_bytes){free_bytes, 8});
    say(agent, expect_start(agent, NULL), SM_FILE_XFER_RESULT_ERROR,
        (struct sm_bytes){too_many, 5});
    say_simply(agent, expect_start(agent, NULL), SM_FILE_XFER_RESULT_SESSION_LOCKED);
    say_simply(agent, expect_start(agent, NULL), SM_FILE_XFER_RESULT_DISABLED);
    say_simply(agent, expect_start(agent, NULL), 4711);
    uint32_t id = expect_start(agent, NULL);
    say_simply(agent, id, SM_FILE_XFER_RESULT_SUCCESS); /* before it has anything */
    expect_status(agent, id, SM_FILE_XFER_RESULT_ERROR);
    fake_step(peer, 0);
    fake_agent_go(agent);
}

static void refusals_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        enum sm_error_kind kind;
        const char *words;
    } expected[] = {
        {SM_ERROR_NO_SPACE, "123.5 kB are free"},
        {SM_ERROR_GUEST, "too many files"},
        {SM_ERROR_GUEST, "locked"},
        {SM_ERROR_DISABLED, "does not take files"},
        {SM_ERROR_GUEST, "could not store"},
        {SM_ERROR_GUEST, "could not store"},
    };
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_refusals});
    struct sm_session *session = begin(server);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct sm_file_progress file =
            await_end(session, send_one(session, make_file("large", LARGE)));
        assert_int_equal(file.state, SM_FILE_FAILED);
        assert_int_equal(file.error.kind, expected[i].kind);
        if (!strstr(file.error.cause, expected[i].words))
            fail_msg("\"%s\" in \"%s\"", expected[i].words, file.error.cause);
        assert_true(file.error.cure[0]);
    }
    struct fake_peer peer = {.server = server};
    fake_wait_step(&peer, 0);
    end(session, server);
}

static void play_leaving(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    uint32_t id = expect_start(agent, NULL);
    say_simply(agent, id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
    fake_send_main(peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_DISCONNECTED});
    fake_agent_go(agent);
}

static void an_agent_that_leaves_takes_its_files_along(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = play_leaving});
    struct sm_session *session = begin(server);
    const char *path = make_file("large", LARGE);
    struct sm_file_progress file = await_end(session, send_one(session, path));
    /* All of it may have been sent, but nobody said that it has arrived. */
    assert_int_equal(file.state, SM_FILE_FAILED);
    assert_int_equal(file.error.kind, SM_ERROR_NO_AGENT);
    struct sm_error error;
    sm_check_status(sm_session_send_files(session, &path, 1, NULL, &error), SM_ERR_STATE);
    assert_int_equal(error.kind, SM_ERROR_NO_AGENT);
    end(session, server);
}

static void play_disabled(struct fake_peer *peer)
{
    fake_agent_go(fake_agent_come_with(peer, 1u << SM_AGENT_CAP_FILE_XFER_DISABLED, 10));
}

static void what_the_administrator_forbids_fails_at_once(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_disabled});
    struct sm_session *session = begin(server);
    const char *path = make_file("large", LARGE);
    struct sm_error error = {.kind = SM_ERROR_NONE};
    uint32_t id;
    /* Refused by the call, or right after it if the agent had not told yet. */
    if (sm_session_send_files(session, &path, 1, &id, &error) == SM_OK)
        error = await_end(session, id).error;
    assert_int_equal(error.kind, SM_ERROR_DISABLED);
    end(session, server);
}

static void play_shrinking(struct fake_peer *peer)
{
    struct fake_agent *agent = fake_agent_come(peer);
    uint32_t id = expect_start(agent, NULL);
    fake_step(peer, 0);
    fake_wait_step(peer, 1);
    say_simply(agent, id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
    expect_status(agent, id, SM_FILE_XFER_RESULT_ERROR);
    fake_agent_go(agent);
}

static void a_file_that_became_shorter_is_given_up(void **state)
{
    (void)state;
    struct fake_server *server =
        fake_server_start(&(struct fake_script){.main_too = play_shrinking});
    struct fake_peer peer = {.server = server};
    struct sm_session *session = begin(server);
    const char *path = make_file("large", LARGE);
    uint32_t id = send_one(session, path);
    fake_wait_step(&peer, 0);
    assert_int_equal(truncate(path, 100), 0);
    fake_step(&peer, 1);
    struct sm_file_progress file = await_end(session, id);
    assert_int_equal(file.state, SM_FILE_FAILED);
    assert_int_equal(file.error.kind, SM_ERROR_FILE);
    end(session, server);
}

static void play_idle(struct fake_peer *peer)
{
    fake_agent_go(fake_agent_come(peer));
}

static void what_cannot_be_read_is_refused_by_name(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.main_too = play_idle});
    struct sm_session *session = begin(server);
    const char *paths[] = {make_file("large", LARGE), path_of("missing")};
    struct sm_error error;
    sm_check_status(sm_session_send_files(session, paths, 2, NULL, &error), SM_ERR_IO);
    assert_int_equal(error.kind, SM_ERROR_FILE);
    assert_non_null(strstr(error.cause, "missing"));
    assert_int_equal(sm_session_get_files(session, NULL, 0), 0); /* all or none */
    const char *device = "/dev/null";
    sm_check_status(sm_session_send_files(session, &device, 1, NULL, &error), SM_ERR_IO);
    end(session, server);
}

/* ---- Words ---- */

static void names_are_written_as_key_files_want_them(void **state)
{
    (void)state;
    static const struct {
        const char *name, *written;
    } names[] = {
        {"a b.txt", "a b.txt"},
        {" a", "\\sa"},
        {"\t x ", "\\t\\sx "},
        {"a\nname=b", "a\\nname=b"},
        {"back\\slash\r", "back\\\\slash\\r"},
        {"Käse", "Käse"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[4096], expected[256];
        size_t size = sm_file_words(text, sizeof(text), names[i].name, UINT64_MAX, 2, 3);
        (void)snprintf(expected, sizeof(expected),
                       "[vdagent-file-xfer]\nname=%s\nsize=18446744073709551615\nfile-xfer-nr=2\n"
                       "file-xfer-total=3\n",
                       names[i].written);
        assert_string_equal(text, expected);
        assert_int_equal(size, strlen(expected) + 1);
    }
}

static void names_in_the_guest_are_utf8_without_folders(void **state)
{
    (void)state;
    static const struct {
        const char *given, *name;
    } names[] = {{"plain", "plain"}, {"bad\xff\xc3", "bad??"}, {"K\xc3\xa4se", "K\xc3\xa4se"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sm_file_source *source = NULL;
        sm_check_status(sm_file_source_open(&source, make_file(names[i].given, 1), NULL), SM_OK);
        assert_string_equal(sm_file_source_name(source), names[i].name);
        sm_file_source_destroy(source);
    }
    struct sm_file_source *source = NULL;
    char slashes[96];
    (void)snprintf(slashes, sizeof(slashes), "%s///", folder);
    sm_check_status(sm_file_source_open(&source, slashes, NULL), SM_OK);
    const char *name = sm_file_source_name(source);
    assert_memory_equal(name, "sumac-files-", 12);
    assert_string_equal(name + strlen(name) - 4, ".tar");
    sm_file_source_destroy(source);
}

/* ---- Folders ---- */

static void __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static void read_all(struct sm_file_source *source, const char *to, size_t step)
{
    FILE *file = fopen(to, "wb");
    uint8_t block[5000];
    uint64_t left = sm_file_source_size(source);
    assert_non_null(file);
    while (left > 0) {
        size_t size = left < step ? (size_t)left : step;
        struct sm_error error;
        if (sm_file_source_read(source, block, size, &error) != SM_OK)
            fail_msg("%s", error.cause);
        assert_int_equal(fwrite(block, 1, size, file), size);
        left -= size;
    }
    assert_int_equal(fclose(file), 0);
}

static void a_folder_arrives_as_an_archive_that_tar_reads(void **state)
{
    (void)state;
    char long_name[260];
    memset(long_name, 'n', 250);
    long_name[250] = 0;
    run("mkdir -p '%s/tree/inner/emp ty' '%s/out'", folder, folder);
    make_file("tree/a", LARGE);
    make_file("tree/inner/b", 512);
    make_file("tree/inner/none", 0);
    make_file("tree/odd name\\ \xc3\xa4", 513);
    run("cp '%s/tree/a' '%s/tree/inner/%s'", folder, folder, long_name);
    run("ln -s ../a '%s/tree/inner/link' && chmod 640 '%s/tree/a'", folder, folder);
    run("ln -s /%s '%s/tree/long-link' && mkfifo '%s/tree/inner/pipe'", long_name, folder, folder);
    for (size_t step = 1; step < 5000; step = step * 9 + 4) {
        struct sm_file_source *source = NULL;
        struct sm_error error;
        sm_check_status(sm_file_source_open(&source, path_of("tree"), &error), SM_OK);
        assert_string_equal(sm_file_source_name(source), "tree.tar");
        read_all(source, path_of("tree.tar"), step);
        sm_file_source_destroy(source);
        run("rm -rf '%s/out/tree' && tar -C '%s/out' -xf '%s/tree.tar'", folder, folder, folder);
        run("rm -f '%s/tree/inner/pipe' && diff -r --no-dereference '%s/tree' '%s/out/tree'",
            folder, folder, folder);
        run("test $(stat -c %%a '%s/out/tree/a') = 640", folder);
        run("test -d '%s/out/tree/inner/emp ty'", folder);
    }
}

static void a_pipe_in_the_place_of_a_file_is_not_waited_for(void **state)
{
    (void)state;
    uint8_t block[8192];
    struct sm_file_source *source = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    run("mkdir '%s/changing'", folder);
    make_file("changing/a", 512);
    sm_check_status(sm_file_source_open(&source, path_of("changing"), &error), SM_OK);
    run("rm '%s/changing/a' && mkfifo '%s/changing/a'", folder, folder);
    size_t size = (size_t)sm_file_source_size(source);
    assert_in_range(size, 1, sizeof(block));
    sm_check_status(sm_file_source_read(source, block, size, &error), SM_ERR_IO);
    assert_int_equal(error.kind, SM_ERROR_FILE);
    assert_non_null(strstr(error.cause, "changing/a"));
    sm_file_source_destroy(source);
}

static void a_folder_that_lies_too_deep_is_refused(void **state)
{
    (void)state;
    run("cd '%s' && mkdir deep && cd deep && for i in $(seq %d); do mkdir d && cd d; done", folder,
        SM_TAR_DEPTH_MAX + 1);
    struct sm_file_source *source = NULL;
    struct sm_error error;
    sm_check_status(sm_file_source_open(&source, path_of("deep"), &error), SM_ERR_LIMIT);
    assert_null(source);
    assert_true(error.cure[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_arrives_whole_with_few_tokens),
        cmocka_unit_test(an_empty_file_is_one_empty_message),
        cmocka_unit_test(many_files_are_sent_some_at_a_time),
        cmocka_unit_test(a_cancelled_file_is_taken_back),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(an_agent_that_leaves_takes_its_files_along),
        cmocka_unit_test(what_the_administrator_forbids_fails_at_once),
        cmocka_unit_test(a_file_that_became_shorter_is_given_up),
        cmocka_unit_test(what_cannot_be_read_is_refused_by_name),
        cmocka_unit_test(names_are_written_as_key_files_want_them),
        cmocka_unit_test(names_in_the_guest_are_utf8_without_folders),
        cmocka_unit_test(a_folder_arrives_as_an_archive_that_tar_reads),
        cmocka_unit_test(a_pipe_in_the_place_of_a_file_is_not_waited_for),
        cmocka_unit_test(a_folder_that_lies_too_deep_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
