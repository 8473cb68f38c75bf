/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/socket.h"
#include "io/tcp_figures.h"

static int wait_for_client(int listener)
{
    struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, SM_TEST_PATIENCE_S * 1000), 1);
    int fd = -1;
    sm_check_status(sm_socket_accept(listener, &fd), SM_OK);
    return fd;
}

static void check_talk(int listener, int fd)
{
    struct sm_transport *client, *server;
    sm_check_status(sm_socket_transport(&client, fd), SM_OK);
    sm_check_status(sm_socket_transport(&server, wait_for_client(listener)), SM_OK);
    uint8_t buffer[16];
    size_t count = 0;
    sm_check_status(sm_transport_read(server, buffer, sizeof(buffer), &count), SM_AGAIN);
    struct sm_bytes parts[] = {{(const uint8_t *)"he", 2}, {NULL, 0}, {(const uint8_t *)"llo", 3}};
    sm_check_status(sm_transport_writev(client, parts, 3, &count), SM_OK);
    assert_int_equal(count, 5);
    struct pollfd poll_fd = {.fd = server->fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, SM_TEST_PATIENCE_S * 1000), 1);
    sm_check_status(sm_transport_read(server, buffer, sizeof(buffer), &count), SM_OK);
    sm_check_bytes(((struct sm_bytes){buffer, count}),
                   ((struct sm_bytes){(const uint8_t *)"hello", 5}));
    sm_transport_destroy(client);
    assert_int_equal(poll(&poll_fd, 1, SM_TEST_PATIENCE_S * 1000), 1);
    sm_check_status(sm_transport_read(server, buffer, sizeof(buffer), &count), SM_ERR_IO);
    assert_true(server->has_ended);
    sm_transport_destroy(server);
}

static void socket_listens_and_connects_over_tcp(void **state)
{
    (void)state;
    struct sm_socket_error error;
    int listener, fd;
    sm_check_status(sm_socket_listen_tcp(&listener, "127.0.0.1", 0, SM_SOCKET_ANY_FAMILY, &error),
                    SM_OK);
    assert_int_not_equal(sm_socket_local_port(listener), 0);
    int none;
    sm_check_status(sm_socket_accept(listener, &none), SM_AGAIN);
    sm_check_status(sm_socket_connect_tcp(&fd, "127.0.0.1", sm_socket_local_port(listener),
                                          sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull, -1,
                                          &error),
                    SM_OK);
    check_talk(listener, fd);
    close(listener);
}

static void figures_are_those_of_the_kernel(void **state)
{
    (void)state;
    struct sm_socket_error error;
    struct sm_tcp_figures figures = {.rtt_us = 7};
    int listener, fd, pair[2];
    assert_false(sm_tcp_figures_read(&figures, -1));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(sm_tcp_figures_read(&figures, pair[0]));
    assert_int_equal(figures.rtt_us, 7); /* untouched */
    close(pair[0]), close(pair[1]);

    sm_check_status(sm_socket_listen_tcp(&listener, "127.0.0.1", 0, SM_SOCKET_ANY_FAMILY, &error),
                    SM_OK);
    sm_check_status(sm_socket_connect_tcp(&fd, "127.0.0.1", sm_socket_local_port(listener),
                                          sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull, -1,
                                          &error),
                    SM_OK);
    int server = wait_for_client(listener);
    uint8_t bytes[1000] = {0};
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(recv(server, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    do /* until the acknowledgement has come */
        assert_true(sm_tcp_figures_read(&figures, fd));
    while (figures.queued_bytes > 0);
    assert_in_range(figures.rtt_us, 1, 5000000);
    assert_in_range(figures.min_rtt_us, 1, figures.rtt_us * 8);
    assert_true(figures.bytes_per_second > 0);
    static const uint8_t many[64 << 10];
    ssize_t written = 1;
    while (written > 0) /* more than the other end takes */
        written = write(fd, many, sizeof(many));
    assert_true(sm_tcp_figures_read(&figures, fd));
    assert_true(figures.queued_bytes >= sizeof(many));
    close(fd), close(server), close(listener);
}

static void socket_says_why_it_could_not_connect(void **state)
{
    (void)state;
    struct sm_socket_error error;
    int listener, fd;
    sm_check_status(sm_socket_listen_tcp(&listener, "127.0.0.1", 0, SM_SOCKET_IPV4, &error), SM_OK);
    uint16_t port = sm_socket_local_port(listener);
    int second;
    sm_check_status(sm_socket_listen_tcp(&second, "127.0.0.1", port, SM_SOCKET_IPV4, &error),
                    SM_ERR_IO);
    assert_int_equal(error.failure, SM_SOCKET_IN_USE);
    close(listener);
    /* Its own, so that nobody else gets it, and nobody listens. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int idle = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(idle, (struct sockaddr *)&address, sizeof(address)), 0);
    port = sm_socket_local_port(idle);
    sm_check_status(sm_socket_connect_tcp(&fd, "127.0.0.1", port,
                                          sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull, -1,
                                          &error),
                    SM_ERR_IO);
    assert_int_equal(error.failure, SM_SOCKET_REFUSED);
    close(idle);
    assert_non_null(strstr(error.text, "127.0.0.1"));
    /* 64 letters before the dot: no name server is asked, who might hang, or answer. */
    static const char NO_NAME[] =
        "no-such-host-no-such-host-no-such-host-no-such-host-no-such-host.invalid";
    sm_check_status(sm_socket_connect_tcp(
                        &fd, NO_NAME, 1, sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull, -1, &error),
                    SM_ERR_IO);
    assert_int_equal(error.failure, SM_SOCKET_RESOLVE);
    sm_check_status(sm_socket_connect_unix(&fd, "/nonexistent/socket", &error), SM_ERR_IO);
    assert_int_equal(error.failure, SM_SOCKET_MISSING);
}

static void socket_replaces_a_unix_path_left_behind(void **state)
{
    (void)state;
    struct sm_socket_error error;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/sumac-test-%d.sock", (int)getpid());
    int listener, fd;
    sm_check_status(sm_socket_listen_unix(&listener, path, &error), SM_OK);
    close(listener);
    sm_check_status(sm_socket_listen_unix(&listener, path, &error), SM_OK);
    sm_check_status(sm_socket_connect_unix(&fd, path, &error), SM_OK);
    check_talk(listener, fd);
    close(listener);
    unlink(path);
}

static void socket_passes_a_descriptor_beside_the_stream(void **state)
{
    (void)state;
    int fds[2], passed[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) | pipe(passed), 0);
    struct sm_transport *t;
    sm_check_status(sm_socket_transport(&t, fds[0]), SM_OK);
    sm_check_status(sm_transport_send_fd(t, '@', passed[1]), SM_OK);
    char byte = 0, room[CMSG_SPACE(sizeof(int))];
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    assert_int_equal(recvmsg(fds[1], &message, 0), 1);
    assert_int_equal(byte, '@');
    assert_non_null(CMSG_FIRSTHDR(&message));
    int received;
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(received));
    assert_int_equal(write(received, "x", 1), 1);
    assert_int_equal(read(passed[0], &byte, 1), 1);
    close(received), close(passed[0]), close(passed[1]), close(fds[1]);
    sm_transport_destroy(t);
}

static void socket_keeps_descriptors_that_come_with_the_stream(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct sm_transport *from, *to;
    sm_check_status(sm_socket_transport(&from, fds[0]), SM_OK);
    sm_check_status(sm_socket_transport(&to, fds[1]), SM_OK);
    assert_int_equal(sm_transport_take_fd(to), -1);
    sm_check_status(sm_transport_accept_fds(to), SM_OK);
    size_t size;
    char bytes[16] = {0};
    const struct sm_bytes before = {(const uint8_t *)"abc", 3};
    for (int i = 0; i < 6; i++) { /* the first two have to make room */
        int passed[2];
        assert_int_equal(pipe(passed), 0);
        char name = (char)('0' + i);
        assert_int_equal(write(passed[1], &name, 1), 1);
        sm_check_status(sm_transport_write(from, before, &size), SM_OK);
        sm_check_status(sm_transport_send_fd(from, '@', passed[0]), SM_OK);
        close(passed[0]), close(passed[1]);
        sm_check_status(sm_transport_read(to, (uint8_t *)bytes, sizeof(bytes), &size), SM_OK);
        while (size < 4) {
            size_t more;
            sm_check_status(
                sm_transport_read(to, (uint8_t *)bytes + size, sizeof(bytes) - size, &more), SM_OK);
            size += more;
        }
        assert_memory_equal(bytes, "abc@", 4);
    }
    for (int i = 2; i < 5; i++) {
        char name = 0;
        int fd = sm_transport_take_fd(to);
        assert_true(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        assert_int_equal(read(fd, &name, 1), 1);
        assert_int_equal(name, '0' + i);
        close(fd);
    }
    sm_transport_destroy(from);
    sm_transport_destroy(to); /* the last one with it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_listens_and_connects_over_tcp),
        cmocka_unit_test(figures_are_those_of_the_kernel),
        cmocka_unit_test(socket_says_why_it_could_not_connect),
        cmocka_unit_test(socket_replaces_a_unix_path_left_behind),
        cmocka_unit_test(socket_passes_a_descriptor_beside_the_stream),
        cmocka_unit_test(socket_keeps_descriptors_that_come_with_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
