/* SPDX-License-Identifier: MIT */
/* The server of shared folders, asked over its own connections: what it gives, and what it does
 * not. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/dav.h"

enum { PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, ANSWER_MAX = 64 << 10 };

static char folder[64]; /* holds "shared", which is served, and "outside" */
static char answer[ANSWER_MAX];

static void __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sumac-dav-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    run("cd %s && mkdir -p shared/inner shared/linked outside/deep && echo secret >outside/file && "
        "echo hello >shared/file && ln -s file shared/inside && ln -s ../outside/file shared/out "
        "&& "
        "ln -s ../outside shared/outdir && ln -s ../outside/new shared/nowhere && "
        "ln -s ../../outside/deep shared/linked/deep",
        folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    run("rm -rf %s", folder);
    return 0;
}

static const struct sm_dav_module *module(void)
{
    const struct sm_dav_module *found = sm_dav_load();
    assert_non_null(found);
    return found;
}

static struct sm_dav_server *serve(bool is_read_only)
{
    struct sm_dav_server *server = NULL;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/shared", folder);
    sm_check_status(module()->create(&server, path, is_read_only), SM_OK);
    return server;
}

static void send_all(int fd, const char *text)
{
    for (size_t size = strlen(text); size > 0;) {
        ssize_t done = send(fd, text, size, MSG_NOSIGNAL);
        assert_true(done > 0);
        text += done;
        size -= (size_t)done;
    }
}

/* Asks once and returns the status; the whole answer is in `answer`. */
static int ask(struct sm_dav_server *server, const char *method, const char *path,
               const char *headers, const char *body)
{
    char request[2048];
    int fd = module()->connect(server);
    assert_true(fd >= 0);
    (void)snprintf(request, sizeof(request),
                   "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: "
                   "%zu\r\n\r\n%s",
                   method, path, headers, strlen(body), body);
    send_all(fd, request);
    size_t size = 0;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
        ssize_t got = recv(fd, answer + size, sizeof(answer) - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    answer[size] = 0;
    close(fd);
    int status = 0;
    assert_int_equal(sscanf(answer, "HTTP/1.1 %d", &status), 1);
    return status;
}

static int get(struct sm_dav_server *server, const char *path)
{
    return ask(server, "GET", path, "", "");
}

static void files_are_read_written_listed_and_removed(void **state)
{
    (void)state;
    struct sm_dav_server *server = serve(false);
    assert_int_equal(get(server, "/file"), 200);
    assert_non_null(strstr(answer, "\r\n\r\nhello\n"));
    assert_int_equal(get(server, "/inside"), 200); /* a link that stays inside */
    assert_int_equal(get(server, "/missing"), 404);
    assert_int_equal(ask(server, "PUT", "/inner/n%C3%A4w", "", "words"), 201);
    assert_int_equal(get(server, "/inner/n%C3%A4w"), 200);
    assert_non_null(strstr(answer, "words"));
    assert_int_equal(ask(server, "PROPFIND", "/inner", "Depth: 1\r\n", ""), 207);
    assert_non_null(strstr(answer, "n%C3%A4w"));
    assert_int_equal(
        ask(server, "MOVE", "/inner/n%C3%A4w", "Destination: http://localhost/moved\r\n", ""), 201);
    assert_int_equal(ask(server, "MKCOL", "/made", "", ""), 201);
    assert_int_equal(ask(server, "DELETE", "/made", "", "") / 100, 2);
    assert_int_equal(ask(server, "DELETE", "/moved", "", "") / 100, 2);
    assert_int_equal(get(server, "/moved"), 404);
    module()->destroy(server);
}

static void large_files_are_written_whole(void **state)
{
    (void)state;
    enum { SIZE = 2000000, PIECE = 1000 };
    struct sm_dav_server *server = serve(false);
    int fd = module()->connect(server);
    char piece[PIECE + 1];
    memset(piece, 'p', PIECE);
    piece[PIECE] = 0;
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* may wait */
    send_all(fd, "PUT /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: "
                 "100-continue\r\nContent-Length: 2000000\r\n\r\n");
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    ssize_t got = recv(fd, answer, sizeof(answer) - 1, 0);
    answer[got > 0 ? got : 0] = 0;
    if (!strstr(answer, " 100 "))
        fail_msg("no 100, but %s", answer);
    for (int i = 0; i < SIZE / PIECE; i++)
        send_all(fd, piece);
    size_t size = 0;
    while ((got = recv(fd, answer + size, sizeof(answer) - 1 - size, 0)) > 0)
        size += (size_t)got;
    answer[size] = 0;
    if (!strstr(answer, "HTTP/1.1 201"))
        fail_msg("no 201, but %s", answer);
    close(fd);
    run("test $(stat -c %%s %s/shared/large) = 2000000 && rm %s/shared/large", folder, folder);
    module()->destroy(server);
}

static void nothing_leads_out_of_the_folder(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "/out",
        "/outdir/file",
        "/../outside/file",
        "/inner/../../outside/file",
        "/%2e%2e/outside/file",
        "/%2E%2e/outside/file",
        "/inner/%2e%2e/%2e%2e/outside/file",
        "/..%2foutside%2ffile",
        "/..%2Foutside/file",
        "/outdir/",
        "/outdir/../outdir/file",
        "//outside/file",
        "/inner//../outside/file",
        "/./out",
        "/inner/./../out",
    };
    struct sm_dav_server *server = serve(false);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        int status = get(server, ways[i]);
        if (status / 100 != 4 || strstr(answer, "secret"))
            fail_msg("GET %s: %d: %s", ways[i], status, answer);
        status = ask(server, "PUT", ways[i], "", "harm");
        if (status / 100 == 2)
            fail_msg("PUT %s: %d", ways[i], status);
        status = ask(server, "DELETE", ways[i], "", "");
        if (status / 100 == 2)
            fail_msg("DELETE %s: %d", ways[i], status);
        status = ask(server, "PROPFIND", ways[i], "Depth: 1\r\n", "");
        if (status / 100 == 2)
            fail_msg("PROPFIND %s: %d", ways[i], status);
    }
    /* New files, through a link to a folder and through one to nowhere. */
    assert_int_equal(ask(server, "PUT", "/outdir/new", "", "harm"), 403);
    assert_int_equal(ask(server, "PUT", "/nowhere", "", "harm"), 403);
    assert_int_equal(ask(server, "MKCOL", "/outdir/new", "", ""), 403);
    /* What goes through trees would follow the links in them. */
    assert_int_equal(ask(server, "DELETE", "/linked", "", ""), 403);
    assert_int_equal(ask(server, "COPY", "/linked", "Destination: http://h/copy\r\n", ""), 403);
    assert_int_equal(ask(server, "PROPFIND", "/", "Depth: infinity\r\n", ""), 403);
    static const char *const places[] = {"http://h/outdir/new", "http://h/../outside/new",
                                         "http://h/%2e%2e/outside/new", "/outdir/new"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char header[128];
        (void)snprintf(header, sizeof(header), "Destination: %s\r\n", places[i]);
        assert_int_equal(ask(server, "COPY", "/file", header, "") / 100, 4);
        assert_int_equal(ask(server, "MOVE", "/file", header, "") / 100, 4);
    }
    /* What is at the destination would be deleted, and with it what links in it lead to. */
    assert_int_equal(ask(server, "COPY", "/file", "Destination: http://h/linked\r\n", ""), 403);
    assert_int_equal(ask(server, "MOVE", "/file", "Destination: http://h/linked/\r\n", ""), 403);
    assert_int_equal(ask(server, "COPY", "/file", "Destination: http://h//copy\r\n", ""), 403);
    run("test \"$(cat %s/outside/file)\" = secret && test -d %s/outside/deep && "
        "test ! -e %s/outside/new",
        folder, folder, folder);
    run("test \"$(cat %s/shared/file)\" = hello", folder);
    module()->destroy(server);
}

static void names_with_percent_signs_are_names(void **state)
{
    (void)state;
    struct sm_dav_server *server = serve(false);
    assert_int_equal(ask(server, "PUT", "/100%25.txt", "", "all"), 201);
    run("test \"$(cat '%s/shared/100%%.txt')\" = all", folder);
    assert_int_equal(get(server, "/100%25.txt"), 200);
    assert_int_equal(
        ask(server, "MOVE", "/100%25.txt", "Destination: http://h/50%25%2041.txt\r\n", ""), 201);
    run("rm '%s/shared/50%% 41.txt'", folder);
    assert_int_equal(ask(server, "PUT", "/a%2541", "", "all"), 201);
    run("rm '%s/shared/a%%41'", folder);
    module()->destroy(server);
}

static void read_only_means_that(void **state)
{
    (void)state;
    static const char *const methods[] = {"PUT",  "DELETE", "MKCOL",     "MOVE", "COPY",
                                          "LOCK", "UNLOCK", "PROPPATCH", "POST"};
    struct sm_dav_server *server = serve(true);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        assert_int_equal(
            ask(server, methods[i], "/file", "Destination: http://localhost/other\r\n", "harm"),
            403);
    assert_int_equal(get(server, "/file"), 200);
    assert_int_equal(ask(server, "PROPFIND", "/", "Depth: 1\r\n", ""), 207);
    run("test \"$(cat %s/shared/file)\" = hello", folder);
    module()->destroy(server);
}

static void an_end_ends_all_connections(void **state)
{
    (void)state;
    struct sm_dav_server *server = serve(false);
    int fds[3];
    for (size_t i = 0; i < 3; i++)
        fds[i] = module()->connect(server);
    send_all(fds[0], "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
    struct pollfd wait = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    module()->destroy(server);
    for (size_t i = 0; i < 3; i++) {
        ssize_t got;
        do {
            wait = (struct pollfd){.fd = fds[i], .events = POLLIN};
            assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
            got = recv(fds[i], answer, sizeof(answer), 0);
        } while (got > 0);
        close(fds[i]);
    }
    for (int i = 0; i < 20; i++) /* also before its thread has begun */
        module()->destroy(serve(false));
}

static void what_is_no_folder_is_refused(void **state)
{
    (void)state;
    struct sm_dav_server *server = NULL;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/shared/file", folder);
    sm_check_status(module()->create(&server, path, false), SM_ERR_IO);
    sm_check_status(module()->create(&server, "/does/not/exist", false), SM_ERR_IO);
    assert_null(server);
}

/* What a copied file, a folder and a name with a blank look like from the guest. */
static enum sm_status publish(struct sm_dav_server *server, const char *path,
                              char place[SM_DAV_PLACE_SIZE])
{
    char *real = NULL;
    enum sm_status status = module()->find(&real, path);
    if (status == SM_OK)
        status = module()->publish(server, real, place);
    free(real);
    return status;
}

/* Other names of the root and of what is published at `tree` do not get round what is forbidden.
 * What the HTTP server makes plain before anybody looks may be read, so nobody asks for GET. */
static void check_by_detours(struct sm_dav_server *server, const char *tree)
{
    static const char *const detours[] = {"/.", "/%2e", "/%2E/.", "/x/.."};
    static const char *const roots[] = {"/", "/.", "/./", "/%2e"};
    static const char *const methods[] = {"PUT", "DELETE", "MKCOL", "MOVE", "COPY"};
    char path[SM_DAV_PLACE_SIZE + 64], headers[SM_DAV_PLACE_SIZE + 128];
    for (size_t i = 0; i < sizeof(detours) / sizeof(detours[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s/inner/deep", detours[i], tree);
        for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++)
            assert_int_equal(
                ask(server, methods[k], path, "Destination: http://h/other\r\n", "harm"), 403);
        (void)snprintf(headers, sizeof(headers), "Destination: http://h%s\r\n", path);
        assert_int_equal(ask(server, "COPY", "/file", headers, ""), 403);
    }
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        assert_int_equal(ask(server, "DELETE", roots[i], "", ""), 403);
        assert_int_equal(ask(server, "MOVE", roots[i], "Destination: http://h/other\r\n", ""), 403);
        assert_int_equal(ask(server, "COPY", roots[i], "Destination: http://h/other\r\n", ""), 403);
        assert_int_equal(ask(server, "PROPFIND", roots[i], "Depth: infinity\r\n", ""), 403);
        (void)snprintf(headers, sizeof(headers), "Destination: http://h%s\r\n", roots[i]);
        assert_int_equal(ask(server, "COPY", "/inner", headers, ""), 403);
    }
}

static void check_published(struct sm_dav_server *server)
{
    char file[SM_DAV_PLACE_SIZE], again[SM_DAV_PLACE_SIZE], tree[SM_DAV_PLACE_SIZE];
    char path[SM_DAV_PLACE_SIZE + 64];
    run("mkdir -p %s/here/tree/inner && echo copied >%s/here/n\xc3\xa4w && "
        "echo deep >%s/here/tree/inner/deep && ln -sf ../../outside/file %s/here/tree/out && "
        "echo beside >%s/here/beside",
        folder, folder, folder, folder, folder);
    (void)snprintf(path, sizeof(path), "%s/here/n\xc3\xa4w", folder);
    sm_check_status(publish(server, path, file), SM_OK);
    sm_check_status(publish(server, path, again), SM_OK);
    assert_string_equal(file, again); /* it keeps its place */
    (void)snprintf(path, sizeof(path), "%s/here/tree", folder);
    sm_check_status(publish(server, path, tree), SM_OK);
    assert_memory_equal(file, "/.spice-clipboard/", 18);
    assert_string_equal(strrchr(file, '/'), "/n\xc3\xa4w");

    char *name = strrchr(file, '/');
    memcpy(name + 1, "n%C3%A4w", 9);
    assert_int_equal(get(server, file), 200);
    assert_non_null(strstr(answer, "\r\n\r\ncopied\n"));
    assert_int_equal(ask(server, "HEAD", file, "", ""), 200);
    assert_int_equal(ask(server, "PROPFIND", file, "Depth: 0\r\n", ""), 207);
    assert_int_equal(ask(server, "PROPFIND", "/", "Depth: 1\r\n", ""), 207);
    assert_int_equal(ask(server, "PROPFIND", "/.spice-clipboard", "Depth: 1\r\n", ""), 207);
    assert_non_null(strstr(answer, "/.spice-clipboard/"));
    *name = 0;
    assert_int_equal(ask(server, "PROPFIND", file, "Depth: 1\r\n", ""), 207);
    assert_non_null(strstr(answer, "n%C3%A4w"));

    (void)snprintf(path, sizeof(path), "%s/inner/deep", tree);
    assert_int_equal(get(server, path), 200);
    assert_int_equal(ask(server, "PROPFIND", tree, "Depth: 1\r\n", ""), 207);

    /* Nothing leads out of what is published, and what is beside it is not. */
    static const char *const ways[] = {
        "/out",     "/../beside", "/%2e%2e/beside", "/..%2fbeside", "/inner/../../beside",
        "//beside", "x",          "/out/"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", tree, ways[i]);
        int status = get(server, path);
        if (status / 100 != 4 || strstr(answer, "beside\n") || strstr(answer, "secret"))
            fail_msg("GET %s: %d: %s", path, status, answer);
    }
    char *id_end = strrchr(tree, '/');
    *id_end = 0;
    (void)snprintf(path, sizeof(path), "%s/beside", tree);
    assert_int_equal(get(server, path) / 100, 4);
    *id_end = '/';
    assert_int_equal(get(server, "/.spice-clipboard/00000000-0000-0000-0000-000000000000/x"), 403);
    assert_int_equal(get(server, "//.spice-clipboard/"), 403);
    /* What goes through a whole tree would follow the links in it. */
    assert_int_equal(ask(server, "PROPFIND", tree, "Depth: infinity\r\n", ""), 403);
    assert_int_equal(ask(server, "PROPFIND", "/.spice-clipboard", "", ""), 403);
    assert_int_equal(ask(server, "PROPFIND", "/", "Depth: infinity\r\n", ""), 403);
    /* It is only read. */
    static const char *const methods[] = {"PUT",  "DELETE", "MKCOL",     "MOVE", "COPY",
                                          "LOCK", "UNLOCK", "PROPPATCH", "POST"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/inner/deep", tree);
        assert_int_equal(ask(server, methods[i], path, "Destination: http://h/other\r\n", "harm"),
                         403);
        assert_int_equal(ask(server, methods[i], "/.spice-clipboard/new", "", "harm"), 403);
    }
    check_by_detours(server, tree);
    run("test \"$(cat %s/here/tree/inner/deep)\" = deep", folder);
}

static void what_was_copied_is_read_beside_a_folder(void **state)
{
    (void)state;
    struct sm_dav_server *server = serve(false);
    check_published(server);
    assert_int_equal(get(server, "/file"), 200);
    assert_int_equal(
        ask(server, "COPY", "/file", "Destination: http://h/.spice-clipboard/x\r\n", ""), 403);
    assert_int_equal(ask(server, "PUT", "/fresh", "", "words"), 201);
    assert_int_equal(ask(server, "DELETE", "/fresh", "", "") / 100, 2);
    module()->destroy(server);
}

/* No link in the folder keeps anybody from its whole tree, to which what is published belongs. */
static void what_was_copied_outlives_the_whole_tree(void **state)
{
    (void)state;
    struct sm_dav_server *server = NULL;
    char path[128], place[SM_DAV_PLACE_SIZE];
    run("mkdir -p %s/clean/inner %s/kept && echo kept >%s/kept/file && echo words >%s/clean/file",
        folder, folder, folder, folder);
    (void)snprintf(path, sizeof(path), "%s/clean", folder);
    sm_check_status(module()->create(&server, path, false), SM_OK);
    (void)snprintf(path, sizeof(path), "%s/kept", folder);
    sm_check_status(publish(server, path, place), SM_OK);
    check_by_detours(server, place);
    run("test -e %s/clean/file && test -e %s/clean/inner && test \"$(cat %s/kept/file)\" = kept",
        folder, folder, folder);
    module()->destroy(server);
}

static void what_was_copied_is_read_without_a_folder(void **state)
{
    (void)state;
    struct sm_dav_server *server = NULL;
    sm_check_status(module()->create(&server, NULL, false), SM_OK);
    assert_int_equal(ask(server, "PROPFIND", "/", "Depth: 1\r\n", ""), 207);
    check_published(server);
    assert_int_equal(get(server, "/file") / 100, 4);
    assert_int_equal(ask(server, "PUT", "/new", "", "words"), 403);
    assert_int_equal(ask(server, "MKCOL", "/new", "", ""), 403);
    module()->destroy(server);
    sm_check_status(module()->create(&server, NULL, true), SM_OK);
    check_published(server);
    module()->destroy(server);
}

static void what_cannot_be_published_is_refused(void **state)
{
    (void)state;
    struct sm_dav_server *server = serve(true);
    char place[SM_DAV_PLACE_SIZE], path[128];
    sm_check_status(publish(server, "/does/not/exist", place), SM_ERR_IO);
    sm_check_status(publish(server, "/dev/null", place), SM_ERR_IO);
    sm_check_status(publish(server, "/", place), SM_ERR_IO);
    (void)snprintf(path, sizeof(path), "%s/bad\xff", folder);
    run("touch '%s'", path);
    sm_check_status(publish(server, path, place), SM_ERR_LIMIT);
    for (int i = 0; i < 2049; i++) {
        (void)snprintf(path, sizeof(path), "%s/many-%d", folder, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
        sm_check_status(publish(server, path, place), i < 2048 ? SM_OK : SM_ERR_LIMIT);
    }
    module()->destroy(server);
}

/* Other systems' file systems have names that ours cannot make: three bytes for each of 255. */
static void names_that_are_too_long_leave_nothing_behind(void **state)
{
    (void)state;
    enum { LONGEST = SM_DAV_PLACE_SIZE - 1 - 18 - 37 };
    struct sm_dav_server *server = serve(true);
    char real[SM_DAV_PLACE_SIZE + 8] = "/", place[SM_DAV_PLACE_SIZE] = "untouched", path[128];
    memset(real + 1, 'n', LONGEST + 1);
    for (int i = 0; i < 2049; i++) /* each would take one of 2048 places */
        sm_check_status(module()->publish(server, real, place), SM_ERR_LIMIT);
    assert_string_equal(place, "untouched");
    (void)snprintf(path, sizeof(path), "%s/short", folder);
    run("echo words >%s", path);
    sm_check_status(publish(server, path, place), SM_OK);
    real[1 + LONGEST] = 0;
    sm_check_status(module()->publish(server, real, place), SM_OK);
    assert_int_equal(strlen(place), SM_DAV_PLACE_SIZE - 1);
    module()->destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_written_listed_and_removed),
        cmocka_unit_test(large_files_are_written_whole),
        cmocka_unit_test(nothing_leads_out_of_the_folder),
        cmocka_unit_test(names_with_percent_signs_are_names),
        cmocka_unit_test(read_only_means_that),
        cmocka_unit_test(an_end_ends_all_connections),
        cmocka_unit_test(what_is_no_folder_is_refused),
        cmocka_unit_test(what_was_copied_is_read_beside_a_folder),
        cmocka_unit_test(what_was_copied_outlives_the_whole_tree),
        cmocka_unit_test(what_was_copied_is_read_without_a_folder),
        cmocka_unit_test(what_cannot_be_published_is_refused),
        cmocka_unit_test(names_that_are_too_long_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
