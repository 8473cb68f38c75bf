/* SPDX-License-Identifier: MIT */
/* The brake, on a channel whose client answers when the test says so. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/channel/channel.h"
#include "core/wire/display.h"
#include "io/tcp_figures.h"
#include "server/display/peer_flow.h"

enum { MS = 1000, BODY = 4000 };

struct ends {
    struct sm_channel *server, *client;
    struct sm_peer_flow flow;
    uint64_t now_us;
};

static uint32_t any_size(uint16_t type)
{
    (void)type;
    return 1 << 20;
}

static void begin(struct ends *e, bool is_measured, uint64_t rate, bool is_slow)
{
    struct sm_channel_config config = {.role = SM_CHANNEL_SERVER, .max_size = any_size};
    e->now_us = 1000000;
    sm_check_status(sm_channel_create(&e->server, &config, e->now_us), SM_OK);
    config.role = SM_CHANNEL_CLIENT;
    sm_check_status(sm_channel_create(&e->client, &config, e->now_us), SM_OK);
    if (is_measured)
        sm_check_status(sm_channel_measure_line(e->server, rate ? 100 * MS : 0, rate), SM_OK);
    sm_peer_flow_init(&e->flow, e->server, is_slow);
}

static void end(struct ends *e)
{
    sm_channel_destroy(e->server);
    sm_channel_destroy(e->client);
}

/* All that waits at one end is at the other. */
static void move(struct ends *e, struct sm_channel *from, struct sm_channel *to)
{
    struct sm_machine out = sm_channel_machine(from);
    struct sm_bytes bytes = sm_machine_pending(out);
    size_t taken = 0;
    sm_check_status(sm_machine_receive(sm_channel_machine(to), bytes, e->now_us, &taken), SM_OK);
    assert_int_equal(taken, bytes.size);
    sm_machine_sent(out, bytes.size, e->now_us);
    struct sm_channel_message message;
    while (sm_channel_next(to, &message) == SM_OK)
        ;
}

static void round_trip(struct ends *e, uint64_t us)
{
    move(e, e->server, e->client);
    e->now_us += us;
    move(e, e->client, e->server);
}

static void send_message(struct ends *e, size_t size)
{
    uint8_t *body = calloc(1, size);
    assert_non_null(body);
    sm_check_status(
        sm_channel_send(e->server, SM_MSG_DISPLAY_DRAW_COPY, (struct sm_bytes){body, size}), SM_OK);
    free(body);
}

/* As much as there is room for, then a round trip; so often. */
static void work(struct ends *e, unsigned rounds, uint64_t us)
{
    for (unsigned i = 0; i < rounds; i++) {
        while (sm_peer_flow_room(&e->flow, 0, e->now_us) > 0)
            send_message(e, BODY);
        round_trip(e, us);
    }
}

static void unsent_bytes_brake(void **state)
{
    (void)state;
    struct ends e;
    begin(&e, false, 0, false);
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us), SM_PEER_LOW_WATER_BYTES);
    assert_int_equal(sm_peer_flow_room(&e.flow, 1000, e.now_us), SM_PEER_LOW_WATER_BYTES - 1000);
    send_message(&e, SM_PEER_LOW_WATER_BYTES);
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us), 0);
    round_trip(&e, 10 * MS);
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us), SM_PEER_LOW_WATER_BYTES);
    assert_int_equal(sm_peer_flow_rate(&e.flow), 0);
    end(&e);
}

static void bytes_on_their_way_brake(void **state)
{
    (void)state;
    struct ends e;
    begin(&e, true, 500000, false);
    round_trip(&e, 100 * MS);
    /* written, so no byte waits here: but they have not arrived */
    unsigned sent = 0;
    while (sm_peer_flow_room(&e.flow, 0, e.now_us) > 0 && sent < 100) {
        send_message(&e, BODY);
        move(&e, e.server, e.client);
        sent++;
    }
    assert_in_range(sent * BODY, 50000, 150000);
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us), 0);
    e.now_us += 100 * MS;
    move(&e, e.client, e.server);
    assert_in_range(sm_peer_flow_room(&e.flow, 0, e.now_us), 40000, UINT64_MAX);
    end(&e);
}

static void sockets_hold_what_their_line_does(void **state)
{
    (void)state;
    struct sm_tcp_figures figures = {.min_rtt_us = 100 * MS, .bytes_per_second = 2000000};
    assert_int_equal(sm_peer_flow_socket_room(&figures), 250000);
    figures.queued_bytes = 200000;
    assert_int_equal(sm_peer_flow_socket_room(&figures), 50000);
    figures.queued_bytes = 250000;
    assert_int_equal(sm_peer_flow_socket_room(&figures), 0);
    figures.queued_bytes = UINT64_MAX;
    assert_int_equal(sm_peer_flow_socket_room(&figures), 0);
    /* Nothing is known yet, or it is slow: enough to find out. */
    figures = (struct sm_tcp_figures){.queued_bytes = 1000};
    assert_int_equal(sm_peer_flow_socket_room(&figures), (64 << 10) - 1000);
    figures = (struct sm_tcp_figures){.min_rtt_us = 10 * MS, .bytes_per_second = 1000};
    assert_int_equal(sm_peer_flow_socket_room(&figures), 64 << 10);
    /* Never without end, whatever the kernel says. */
    figures = (struct sm_tcp_figures){.min_rtt_us = 1000 * MS, .bytes_per_second = UINT64_MAX};
    assert_int_equal(sm_peer_flow_socket_room(&figures), 16 << 20);
}

/* Two ends of a TCP connection on this machine; the second takes next to nothing. */
static void connect_socket(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    fds[1] = accept(listener, NULL, NULL);
    assert_true(fds[1] >= 0);
    close(listener);
}

static void who_answers_no_marks_is_braked_by_the_socket(void **state)
{
    (void)state;
    struct ends e;
    int fds[2];
    begin(&e, true, 0, false);
    move(&e, e.server, e.client); /* the mark, which is never answered */
    e.now_us += 1100 * MS;
    sm_machine_tick(sm_channel_machine(e.server), e.now_us);
    assert_true(sm_line_is_mute(sm_channel_line(e.server)));
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us), SM_PEER_LOW_WATER_BYTES);
    connect_socket(fds);
    sm_peer_flow_set_socket(&e.flow, fds[0]);
    assert_true(sm_peer_flow_room(&e.flow, 0, e.now_us) > 0);
    static const uint8_t bytes[64 << 10];
    struct sm_tcp_figures figures = {0};
    for (unsigned i = 0; i < 1000; i++) { /* it takes less than 64 MiB */
        if (write(fds[0], bytes, sizeof(bytes)) <= 0)
            break;
    }
    assert_true(sm_tcp_figures_read(&figures, fds[0]));
    assert_true(figures.queued_bytes > SM_PEER_LOW_WATER_BYTES);
    bool is_full = sm_peer_flow_socket_room(&figures) == 0;
    assert_int_equal(sm_peer_flow_room(&e.flow, 0, e.now_us) == 0, is_full);
    assert_int_equal(e.flow.is_socket_full, is_full);
    close(fds[0]), close(fds[1]);
    assert_true(sm_peer_flow_room(&e.flow, 0, e.now_us) > 0); /* the kernel says nothing */
    end(&e);
}

static void pieces_are_what_the_line_carries_at_once(void **state)
{
    (void)state;
    struct ends e;
    begin(&e, true, 500000, true);
    assert_int_equal(sm_peer_flow_piece_px(&e.flow), 256 << 10); /* nothing is known of pixels */
    assert_false(sm_peer_flow_is_too_large(&e.flow, 10 << 20));
    sm_peer_flow_note(&e.flow, 1000000, 200000);
    assert_in_range(sm_peer_flow_piece_px(&e.flow), 49000, 51000); /* 10 kB */
    assert_false(sm_peer_flow_is_too_large(&e.flow, 190000));
    assert_true(sm_peer_flow_is_too_large(&e.flow, 210000));
    for (unsigned i = 0; i < 100; i++)
        sm_peer_flow_note(&e.flow, 1000000, 2000000);
    assert_int_equal(sm_peer_flow_piece_px(&e.flow), 16 << 10);
    assert_false(sm_peer_flow_is_too_large(&e.flow, 16 << 10));
    assert_true(sm_peer_flow_is_too_large(&e.flow, 20001));
    end(&e);
}

static void slowness_is_judged_again_and_again(void **state)
{
    (void)state;
    struct ends e;
    begin(&e, true, 0, true);
    assert_true(sm_peer_flow_is_slow(&e.flow)); /* what was said before */
    work(&e, 40, 20 * MS);                      /* 64 KiB in 20 ms: 26 Mbit/s */
    assert_false(sm_peer_flow_is_slow(&e.flow));
    work(&e, 40, 200 * MS);
    assert_true(sm_peer_flow_is_slow(&e.flow));
    work(&e, 40, 50 * MS); /* 11 to 12 Mbit/s: neither */
    assert_true(sm_peer_flow_is_slow(&e.flow));
    work(&e, 40, 10 * MS);
    assert_false(sm_peer_flow_is_slow(&e.flow));
    work(&e, 40, 40 * MS);
    assert_false(sm_peer_flow_is_slow(&e.flow));
    end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsent_bytes_brake),
        cmocka_unit_test(bytes_on_their_way_brake),
        cmocka_unit_test(sockets_hold_what_their_line_does),
        cmocka_unit_test(who_answers_no_marks_is_braked_by_the_socket),
        cmocka_unit_test(pieces_are_what_the_line_carries_at_once),
        cmocka_unit_test(slowness_is_judged_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
