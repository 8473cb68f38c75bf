/* SPDX-License-Identifier: MIT */
/* The socket for administrators: what may be asked, what is answered, and who cannot disturb it. */
#include "tests/support/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "server/session/statistics.h"
#include "sumac/server.h"
#include "tests/server/support/visitor.h"

/* ---- requests ---- */

static enum sm_status parse(const char *text, size_t size, struct sm_statistics_request *out)
{
    return sm_statistics_request_parse(out, sm_test_copy(text, size));
}

static void requests_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sm_statistics_format format;
        bool is_http;
    } CASES[] = {
        {"json\n", SM_STATISTICS_JSON, false},
        {"table\r\n", SM_STATISTICS_TABLE, false},
        {"prometheus\n", SM_STATISTICS_PROMETHEUS, false},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", SM_STATISTICS_PROMETHEUS, true},
        {"GET /json HTTP/1.0\n\n", SM_STATISTICS_JSON, true},
        {"GET /table HTTP/1.0\r\n\r\nmore", SM_STATISTICS_TABLE, true},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct sm_statistics_request request = {0};
        size_t size = strlen(CASES[i].text);
        sm_check_status(parse(CASES[i].text, size, &request), SM_OK);
        assert_int_equal(request.format, CASES[i].format);
        assert_int_equal(request.is_http, CASES[i].is_http);
        size_t whole = strstr(CASES[i].text, "more") ? size - 4 : size;
        for (size_t cut = 0; cut < whole; cut++)
            sm_check_status(parse(CASES[i].text, cut, &request), SM_AGAIN);
    }
    sm_test_free_copies();
}

static void other_requests_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"\n",
                                      "jsonx\n",
                                      "json \n",
                                      "JSON\n",
                                      "GET \n",
                                      "GET /\n",
                                      "GET /json\n",
                                      "GET /x HTTP/1.0\n\n",
                                      "POST /json HTTP/1.0\r\n\r\n",
                                      "REDQ\n"};
    struct sm_statistics_request request;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        sm_check_status(parse(BAD[i], strlen(BAD[i]), &request), SM_ERR_PROTOCOL);
    static char large[SM_STATISTICS_REQUEST_MAX + 1];
    memset(large, 'x', sizeof(large));
    sm_check_status(parse(large, sizeof(large) - 2, &request), SM_AGAIN);
    sm_check_status(parse(large, sizeof(large) - 1, &request), SM_ERR_LIMIT);
    sm_check_status(parse(large, sizeof(large), &request), SM_ERR_LIMIT);
    sm_test_free_copies();
}

/* ---- the socket ---- */

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    char stats[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    snprintf(f->stats, sizeof(f->stats), "%s/stats", f->host.folder);
    spice_server_set_ticket(f->server, "all", 0, 0, 0);
    assert_int_equal(sumac_server_set_statistics(f->server, f->stats), -1); /* too early */
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    assert_int_equal(sumac_server_set_statistics(f->server, f->stats), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_int_not_equal(access(f->stats, F_OK), 0); /* the path goes with the server */
    sm_test_host_finish(&f->host);
    free(f);
    return 0;
}

/* What is answered to `request`, sent in pieces of `piece` bytes; "" if nothing is. */
static const char *ask(struct fixture *f, const char *request, size_t piece)
{
    static char answer[65536];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->stats);
    for (size_t at = 0, size = strlen(request); at < size; at += piece)
        sm_test_visitor_send(&visitor, request + at, size - at < piece ? size - at : piece);
    size_t size = sm_test_visitor_receive(&visitor, answer, sizeof(answer) - 1);
    answer[size] = 0;
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
    return answer;
}

static void clients_and_their_channels_are_told(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->stats, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600); /* ours alone */
    assert_string_equal(ask(f, "json\n", 100),
                        "{\"links_pending\":0,\"failed_logins\":0,\"clients\":[]}\n");

    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor wrong = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&wrong, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(&wrong, key, "none"), SM_LINK_ERR_PERMISSION_DENIED);
    sm_test_visitor_close(&wrong);
    struct sm_test_visitor main = sm_test_visitor(&f->host, f->host.path);
    uint32_t id = sm_test_visitor_open_main(&main, "all");
    char expected[96];
    const char *json = ask(f, "json\n", 1);
    assert_non_null(strstr(json, "\"failed_logins\":1"));
    snprintf(expected, sizeof(expected),
             "{\"id\":%u,\"address\":\"local\",\"view_only\":false,\"holder\":true", id);
    assert_non_null(strstr(json, expected));
    assert_non_null(strstr(json, "{\"type\":\"main\",\"id\":0,\"tls\":false"));
    assert_null(strstr(json, "\"sent_bytes\":0,")); /* INIT at least */

    snprintf(expected, sizeof(expected), "\nsumac_client_holder{client=\"%08x\"} 1\n", id);
    const char *text = ask(f, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 7);
    assert_memory_equal(text, "HTTP/1.0 200 OK\r\n", 17);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "# TYPE sumac_channel_sent_bytes_total counter\n"));
    assert_non_null(strstr(ask(f, "table\n", 100), "holds microphone and USB"));
    sm_test_visitor_close(&main);
    assert_non_null(strstr(ask(f, "json\n", 100), "\"clients\":[]"));
}

static void every_line_of_prometheus_s_has_its_form(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main = sm_test_visitor(&f->host, f->host.path);
    (void)sm_test_visitor_open_main(&main, "all");
    char *text = strdup(ask(f, "prometheus\n", 100));
    assert_non_null(text);
    unsigned samples = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            continue;
        assert_memory_equal(line, "sumac_", 6);
        char *blank = strrchr(line, ' '), *end;
        assert_non_null(blank);
        assert_true(strtod(blank + 1, &end) >= 0);
        assert_int_equal(*end, 0);
        samples++;
    }
    assert_true(samples > 5);
    free(text);
    sm_test_visitor_close(&main);
}

static void nobody_can_disturb_it(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "nonsense\n", 100), "");
    char *large = malloc(100000);
    assert_non_null(large);
    memset(large, 'x', 99999);
    large[99999] = 0;
    struct sm_test_visitor loud = sm_test_visitor(&f->host, f->stats);
    sm_test_visitor_send(&loud, large, 99999); /* until it is thrown out */
    assert_true(sm_test_visitor_is_closed(&loud));
    sm_test_visitor_close(&loud);
    free(large);
    struct sm_test_visitor silent[12];
    for (size_t i = 0; i < 12; i++) {
        silent[i] = sm_test_visitor(&f->host, f->stats);
        sm_test_host_run(&f->host, 1);
    }
    assert_false(sm_test_visitor_is_closed(&silent[7]));
    assert_true(sm_test_visitor_is_closed(&silent[8])); /* there is room for eight */
    for (size_t i = 0; i < 12; i++)
        sm_test_visitor_close(&silent[i]);
    assert_non_null(strstr(ask(f, "json\n", 100), "\"clients\":[]"));
    struct sm_test_visitor gone = sm_test_visitor(&f->host, f->stats);
    sm_test_visitor_send(&gone, "js", 2);
    sm_test_visitor_close(&gone); /* amid its request */
    assert_int_equal(sumac_server_set_statistics(f->server, NULL), 0);
    assert_int_not_equal(access(f->stats, F_OK), 0);
    assert_int_equal(sumac_server_set_statistics(f->server, "/does/not/exist"), -1);
}

static void the_environment_asks_for_it(void **state)
{
    struct fixture *f = *state;
    struct fixture there = *f;
    snprintf(there.stats, sizeof(there.stats), "%s/other", f->host.folder);
    setenv("SUMAC_STATS_SOCKET", there.stats, 1);
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &f->host.core), 0);
    unsetenv("SUMAC_STATS_SOCKET");
    assert_non_null(strstr(ask(&there, "json\n", 100), "\"clients\":[]"));
    spice_server_destroy(server);
    assert_int_not_equal(access(there.stats, F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_understood),
        cmocka_unit_test(other_requests_are_refused),
        T(clients_and_their_channels_are_told),
        T(every_line_of_prometheus_s_has_its_form),
        T(nobody_can_disturb_it),
        T(the_environment_asks_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
