/* SPDX-License-Identifier: MIT */
/*
 * What several threads do to each other when a session changes hands: a machine that moves between
 * two hosts while it draws (workers, loop, the client's threads), and devices that are handed from
 * one client to another and back. Both libraries as they are installed, in one process, so that the
 * thread sanitizer sees both ends.
 */
#include "tests/support/check.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/host/screen.h"
#include "io/clock.h"
#include "sumac/client.h"
#include "sumac/server.h"
#include "tests/server/support/host.h"

enum {
    WIDTH = 320,
    HEIGHT = 240,
    PATCH_PX = 32,
    MOVES = 3,
    HANDOVERS = 6,
    DRAWN_AT_ONCE = 20,
};

struct host {
    SpiceServer *server;
    uint16_t port;
    int listener;
    struct sm_bench_screen *screen;
    SpiceMigrateInstance migration;
    unsigned connects, ends; /* times the host was told */
    SpiceCharDeviceInstance usb;
};

struct fixture {
    struct sm_test_host loop;
    struct host hosts[2];
    struct sm_session *sessions[2];
    bool has_moved, has_closed;
    uint32_t seed;
};

/* ---- the hosts ---- */

static void on_connect_complete(SpiceMigrateInstance *instance)
{
    ((struct host *)(void *)((char *)instance - offsetof(struct host, migration)))->connects++;
}

static void on_end_complete(SpiceMigrateInstance *instance)
{
    ((struct host *)(void *)((char *)instance - offsetof(struct host, migration)))->ends++;
}

static const SpiceMigrateInterface MIGRATION = {
    .base = {.type = SPICE_INTERFACE_MIGRATION,
             .major_version = SPICE_INTERFACE_MIGRATION_MAJOR,
             .minor_version = SPICE_INTERFACE_MIGRATION_MINOR},
    .migrate_connect_complete = on_connect_complete,
    .migrate_end_complete = on_end_complete,
};

static int on_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    (void)device;
    (void)data;
    return size;
}

static int on_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    (void)device;
    (void)to;
    (void)size;
    return 0;
}

static const SpiceCharDeviceInterface USB = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void start_host(struct fixture *f, unsigned at, unsigned clients)
{
    struct host *host = &f->hosts[at];
    host->listener = listen_anywhere(&host->port);
    host->server = spice_server_new();
    spice_server_set_listen_socket_fd(host->server, host->listener);
    spice_server_set_noauth(host->server);
    spice_server_set_seamless_migration(host->server, 1);
    sumac_server_set_clients(host->server, clients);
    assert_int_equal(spice_server_init(host->server, &f->loop.core), 0);
    host->migration.base.sif = &MIGRATION.base;
    assert_int_equal(spice_server_add_interface(host->server, &host->migration.base), 0);
    host->usb = (SpiceCharDeviceInstance){.base.sif = &USB.base, .subtype = "usbredir"};
    assert_int_equal(spice_server_add_interface(host->server, &host->usb.base), 0);
    host->screen = sm_bench_screen_create(host->server, WIDTH, HEIGHT);
    assert_non_null(host->screen);
    if (at == 0)
        spice_server_vm_start(host->server);
    else
        spice_server_vm_stop(host->server); /* the machine is yet to come */
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    sm_test_host_init(&f->loop);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++)
        sm_session_destroy(f->sessions[i]);
    for (unsigned i = 0; i < 2; i++) {
        struct host *host = &f->hosts[i];
        if (!host->server)
            continue;
        spice_server_remove_interface(&host->usb.base);
        spice_server_destroy(host->server);
        sm_bench_screen_destroy(host->screen);
        close(host->listener);
    }
    sm_test_host_finish(&f->loop);
    free(f);
    return 0;
}

/* ---- the clients ---- */

static struct sm_session *come(const struct host *host)
{
    char text[64];
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    snprintf(text, sizeof(text), "spice://127.0.0.1:%u", host->port);
    sm_check_status(sm_address_parse(&address, text, &error), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    sm_check_status(sm_session_set_channels(
                        session, 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_CURSOR |
                                     1u << SM_CHANNEL_KIND_INPUTS | 1u << SM_CHANNEL_KIND_USBREDIR),
                    SM_OK);
    sm_check_status(sm_session_connect(session, &error), SM_OK);
    return session;
}

static void hear(struct fixture *f)
{
    struct sm_event event;
    for (unsigned i = 0; i < 2; i++) {
        while (f->sessions[i] && sm_session_wait_event(f->sessions[i], 0, &event)) {
            f->has_moved = f->has_moved || event.kind == SM_EVENT_MOVED;
            f->has_closed = f->has_closed || event.kind == SM_EVENT_CLOSED;
        }
    }
}

/* Runs the hosts until `is_so`, while host `drawing` draws (−1: none does). */
static void run_until(struct fixture *f, int drawing, bool (*is_so)(struct fixture *f),
                      const char *what)
{
    uint64_t until_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    for (;;) {
        hear(f);
        assert_false(f->has_closed);
        if (is_so(f))
            return;
        if (sm_now_us() > until_us)
            fail_msg("%s takes more than %d s", what, SM_TEST_PATIENCE_S);
        struct sm_bench_screen *screen = drawing >= 0 ? f->hosts[drawing].screen : NULL;
        if (screen && sm_bench_screen_held_bytes(screen) < DRAWN_AT_ONCE * PATCH_PX * PATCH_PX * 4)
            sm_bench_screen_draw(screen, f->seed % (WIDTH - PATCH_PX), f->seed % (HEIGHT / 2),
                                 PATCH_PX, PATCH_PX, f->seed);
        f->seed++;
        sm_epoll_loop_run_once(f->loop.loop, 1);
    }
}

static bool has_channel(struct sm_session *session, enum sm_channel_kind kind)
{
    struct sm_channel_info channels[16];
    size_t count = sm_session_get_channels(session, channels, 16);
    for (size_t i = 0; i < count && i < 16; i++)
        if (channels[i].kind == kind && channels[i].is_open)
            return true;
    return false;
}

/* ---- a machine that moves ---- */

static uint32_t pixel_at(struct sm_session *session, uint32_t x, uint32_t y)
{
    struct sm_display_view view;
    uint32_t pixel = 0;
    if (sm_display_lock(session, 0, &view) != SM_OK)
        return 0;
    if (x < view.width && y < view.height)
        memcpy(&pixel, view.pixels + y * view.stride_bytes + (size_t)x * 4, sizeof(pixel));
    sm_display_unlock(session, 0);
    return pixel & 0xffffff;
}

static uint32_t color_of(unsigned move)
{
    return 0x204060 + move * 0x010203;
}

/* Where nobody else draws. */
static void show(struct host *host, unsigned move)
{
    static uint32_t pixels[PATCH_PX * PATCH_PX];
    for (size_t i = 0; i < PATCH_PX * PATCH_PX; i++)
        pixels[i] = color_of(move);
    sm_bench_screen_put(host->screen, 0, HEIGHT - PATCH_PX, PATCH_PX, PATCH_PX, pixels, PATCH_PX);
    sm_bench_screen_wake(host->screen);
}

static unsigned moves; /* that were made; a predicate has no other argument */

static bool is_shown(struct fixture *f)
{
    return pixel_at(f->sessions[0], PATCH_PX / 2, HEIGHT - PATCH_PX / 2) == color_of(moves) &&
           has_channel(f->sessions[0], SM_CHANNEL_KIND_INPUTS) &&
           has_channel(f->sessions[0], SM_CHANNEL_KIND_CURSOR) &&
           has_channel(f->sessions[0], SM_CHANNEL_KIND_USBREDIR);
}

static bool is_answered(struct fixture *f)
{
    return f->hosts[moves % 2].connects > moves / 2;
}

static bool is_left(struct fixture *f)
{
    return f->hosts[moves % 2].ends > moves / 2;
}

static bool has_moved(struct fixture *f)
{
    return f->has_moved;
}

/* There, back, and there again. */
static void a_machine_moves_while_it_draws(void **state)
{
    struct fixture *f = *state;
    start_host(f, 0, 1);
    start_host(f, 1, 1);
    f->sessions[0] = come(&f->hosts[0]);
    moves = 0;
    show(&f->hosts[0], 0);
    run_until(f, 0, is_shown, "the first picture");
    while (moves < MOVES) {
        struct host *from = &f->hosts[moves % 2], *to = &f->hosts[1 - moves % 2];
        f->has_moved = false;
        assert_int_equal(
            spice_server_migrate_connect(from->server, "127.0.0.1", to->port, -1, NULL), 0);
        run_until(f, (int)(moves % 2), is_answered, "the answer");
        assert_int_equal(spice_server_migrate_start(from->server), 0);
        spice_server_vm_stop(from->server);
        assert_int_equal(spice_server_migrate_end(from->server, 1), 0);
        spice_server_vm_start(to->server);
        run_until(f, (int)(1 - moves % 2), is_left, "the end at the source");
        run_until(f, (int)(1 - moves % 2), has_moved, "the arrival");
        moves++;
        show(to, moves);
        run_until(f, (int)(moves % 2), is_shown, "a picture at the target");
    }
}

/* ---- devices that go back and forth ---- */

static unsigned holder; /* who is to have them */

static bool has_devices(struct fixture *f)
{
    struct sm_participant people[4];
    for (unsigned i = 0; i < 2; i++) {
        size_t count = sm_session_get_people(f->sessions[i], people, 4);
        if (count != 2)
            return false;
        for (size_t k = 0; k < count; k++)
            if (people[k].is_holder != (people[k].is_self == (i == holder)))
                return false;
        if (has_channel(f->sessions[i], SM_CHANNEL_KIND_USBREDIR) != (i == holder))
            return false;
    }
    return true;
}

static uint32_t other_number(struct sm_session *session)
{
    struct sm_participant people[4];
    size_t count = sm_session_get_people(session, people, 4);
    for (size_t i = 0; i < count && i < 4; i++)
        if (!people[i].is_self)
            return people[i].number;
    return 0;
}

static bool has_come(struct fixture *f)
{
    return has_channel(f->sessions[0], SM_CHANNEL_KIND_USBREDIR);
}

static void devices_go_back_and_forth(void **state)
{
    struct fixture *f = *state;
    start_host(f, 0, 2);
    f->sessions[0] = come(&f->hosts[0]);
    run_until(f, 0, has_come, "the first client");
    f->sessions[1] = come(&f->hosts[0]);
    holder = 0;
    run_until(f, 0, has_devices, "the second client");
    for (unsigned i = 0; i < HANDOVERS; i++) {
        struct sm_session *giver = f->sessions[holder];
        holder = 1 - holder;
        sm_check_status(sm_session_give_devices(giver, other_number(giver)), SM_OK);
        run_until(f, 0, has_devices, "handing over");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_machine_moves_while_it_draws, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_go_back_and_forth, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
