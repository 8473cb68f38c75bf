/* SPDX-License-Identifier: MIT */
/*
 * Our channel machines against a running server, with mini or full headers: opens main, display and
 * inputs, waits for the screen, types, and prints what came as one line of JSON.
 *
 * usage: channels-probe PORT mini|full
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/channel/display/client.h"
#include "core/channel/inputs/client.h"
#include "core/channel/link_client.h"
#include "core/channel/main/client.h"
#include "core/wire/link.h"
#include "io/clock.h"
#include "io/socket.h"
#include "io/ticket.h"

enum { SECOND_US = 1000000, TURN_MS = 20, KEY_COUNT = 12 };

/* One connection, blocking in poll() for one turn at a time. */
struct wire {
    int fd;
    uint8_t in[65536];
    size_t in_size;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "channels-probe: %s: %s\n", what, why);
    exit(1);
}

static void read_some(struct wire *wire)
{
    ssize_t got = read(wire->fd, wire->in + wire->in_size, sizeof(wire->in) - wire->in_size);
    if (got == 0)
        die("connection", "the server closed it");
    if (got < 0 && errno != EAGAIN)
        die("read", strerror(errno));
    wire->in_size += got > 0 ? (size_t)got : 0;
}

static void write_some(struct wire *wire, struct sm_machine machine, struct sm_bytes out)
{
    ssize_t put = write(wire->fd, out.data, out.size);
    if (put < 0 && errno != EAGAIN)
        die("write", strerror(errno));
    sm_machine_sent(machine, put > 0 ? (size_t)put : 0, sm_now_us());
}

static void turn(struct wire *wire, struct sm_machine machine, int wait_ms)
{
    struct sm_bytes out = sm_machine_pending(machine);
    bool has_room = wire->in_size < sizeof(wire->in);
    struct pollfd asked = {.fd = wire->fd,
                           .events = (short)((has_room ? POLLIN : 0) | (out.size ? POLLOUT : 0))};
    if (poll(&asked, 1, wait_ms) < 0)
        die("poll", strerror(errno));
    if (asked.revents & POLLOUT)
        write_some(wire, machine, out);
    if (asked.revents & (POLLIN | POLLHUP | POLLERR))
        read_some(wire);
    size_t taken;
    enum sm_status status = sm_machine_receive(machine, (struct sm_bytes){wire->in, wire->in_size},
                                               sm_now_us(), &taken);
    memmove(wire->in, wire->in + taken, wire->in_size - taken);
    wire->in_size -= taken;
    if (status != SM_OK)
        die("machine", sm_machine_reason(machine));
}

/* Answers an event of the link; true when it is up. */
static bool answer(struct sm_link_client *link, const struct sm_link_client_event *event)
{
    uint8_t ticket[SM_TICKET_SIZE];
    switch (event->kind) {
    case SM_LINK_CLIENT_NEED_TICKET:
        if (sm_ticket_encrypt(event->public_key.data, NULL, ticket) != SM_OK ||
            sm_link_client_ticket(link, (struct sm_bytes){ticket, sizeof(ticket)}) != SM_OK)
            die("ticket", "cannot make one");
        return false;
    case SM_LINK_CLIENT_DONE:
        return true;
    case SM_LINK_CLIENT_SASL_STEP:
    case SM_LINK_CLIENT_SASL_ACCEPTED:
    case SM_LINK_CLIENT_NEED_SASL:
    case SM_LINK_CLIENT_REFUSED:
        break;
    }
    die("link", "refused");
    return false;
}

static struct wire *open_channel(uint16_t port, struct sm_link_client_config config,
                                 struct sm_channel_setup *setup)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    struct sm_socket_error error;
    if (!wire || sm_socket_connect_tcp(&wire->fd, "127.0.0.1", port, sm_now_us() + 10 * SECOND_US,
                                       -1, &error) != SM_OK)
        die("connect", wire ? error.text : "out of memory");
    struct sm_link_client *link;
    if (sm_link_client_create(&link, &config, sm_now_us()) != SM_OK)
        die("link", "out of memory");
    for (;;) {
        struct sm_link_client_event event = {0};
        turn(wire, sm_link_client_machine(link), 1000);
        if (sm_machine_tick(sm_link_client_machine(link), sm_now_us()) != SM_OK)
            die("link", "timed out");
        while (sm_link_client_next(link, &event)) {
            if (!answer(link, &event))
                continue;
            *setup = (struct sm_channel_setup){.has_mini_header = event.has_mini_header,
                                               .common_caps = event.common_caps,
                                               .channel_caps = event.channel_caps};
            sm_link_client_destroy(link);
            return wire;
        }
    }
}

static struct sm_main_client *main_client;
static struct sm_display_client *display;
static struct sm_inputs_client *inputs;
static unsigned draws, messages, channels;
static bool is_marked;

static void pull_main(void)
{
    struct sm_main_client_event event;
    enum sm_status status;
    while ((status = sm_main_client_next(main_client, &event)) == SM_OK) {
        if (event.kind != SM_MAIN_CLIENT_MESSAGE)
            continue;
        printf("%s\"%s\"", messages ? ", " : "", sm_main_msg_name(event.msg->type));
        messages++;
        if (event.msg->type == SM_MSG_MAIN_CHANNELS_LIST)
            channels = event.msg->channels_list.num_channels;
    }
    if (status != SM_AGAIN)
        die("main", sm_channel_reason(sm_main_client_channel(main_client)));
}

static void pull_display(void)
{
    struct sm_display_client_event event;
    enum sm_status status;
    while ((status = sm_display_client_next(display, &event)) == SM_OK) {
        draws += event.msg->type == SM_MSG_DISPLAY_DRAW_COPY;
        is_marked = is_marked || event.msg->type == SM_MSG_DISPLAY_MARK;
        if (event.is_wait) /* there is no other display to wait for */
            sm_channel_release(sm_display_client_channel(display));
    }
    if (status != SM_AGAIN)
        die("display", sm_channel_reason(sm_display_client_channel(display)));
}

static void pull_inputs(void)
{
    struct sm_inputs_client_event event;
    enum sm_status status;
    while ((status = sm_inputs_client_next(inputs, &event)) == SM_OK)
        continue;
    if (status != SM_AGAIN)
        die("inputs", sm_channel_reason(sm_inputs_client_channel(inputs)));
}

/* Turns all three until `is_enough` or the time is over. */
static void run(struct wire *wires[3], bool (*is_enough)(void), uint64_t for_us)
{
    uint64_t end = sm_now_us() + for_us;
    while (sm_now_us() < end && !(is_enough && is_enough())) {
        turn(wires[0], sm_main_client_machine(main_client), display ? 0 : TURN_MS);
        pull_main();
        if (!display)
            continue;
        turn(wires[1], sm_display_client_machine(display), TURN_MS);
        pull_display();
        turn(wires[2], sm_inputs_client_machine(inputs), 0);
        pull_inputs();
    }
}

static bool has_channels(void)
{
    return channels > 0;
}

static bool has_screen(void)
{
    return is_marked && draws > 0;
}

/* The letters a to l, each followed by motion: all of it acknowledged or summed up. */
static void type(struct wire *wires[3])
{
    for (uint32_t i = 0; i < KEY_COUNT; i++) {
        if (sm_inputs_client_tap(inputs, 0x1e + i % 9) != SM_OK ||
            sm_inputs_client_motion(inputs, 1, 1) != SM_OK)
            die("inputs", "cannot send");
        run(wires, NULL, SECOND_US / 20);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage", "channels-probe PORT mini|full");
    uint16_t port = (uint16_t)atoi(argv[1]);
    bool is_full = strcmp(argv[2], "full") == 0;
    struct wire *wires[3] = {0};
    struct sm_link_client_config link = {
        .channel_type = SM_CHANNEL_MAIN, .channel_caps = 0x0f, .no_mini_header = is_full};
    struct sm_main_client_config main_config = {0};
    struct sm_display_client_config display_config = {.pixmap_cache_id = 1,
                                                      .pixmap_cache_px = 1 << 20,
                                                      .glz_dictionary_id = 1,
                                                      .glz_dictionary_px = 1 << 20};
    struct sm_inputs_client_config inputs_config = {0};

    wires[0] = open_channel(port, link, &main_config.setup);
    if (sm_main_client_create(&main_client, &main_config, sm_now_us()) != SM_OK)
        die("main", "out of memory");
    printf("{\"main\": [");
    run(wires, has_channels, 10 * SECOND_US);

    link.connection_id = sm_main_client_session_id(main_client);
    link.channel_type = SM_CHANNEL_DISPLAY;
    link.channel_caps = 1u << SM_DISPLAY_CAP_MONITORS_CONFIG;
    wires[1] = open_channel(port, link, &display_config.setup);
    link.channel_type = SM_CHANNEL_INPUTS;
    link.channel_caps = 0;
    wires[2] = open_channel(port, link, &inputs_config.setup);
    if (sm_display_client_create(&display, &display_config, sm_now_us()) != SM_OK ||
        sm_inputs_client_create(&inputs, &inputs_config, sm_now_us()) != SM_OK)
        die("channels", "out of memory");
    run(wires, has_screen, 10 * SECOND_US);
    run(wires, NULL, SECOND_US / 2); /* until it is still; idle channels are pinged meanwhile */
    unsigned draws_before = draws;
    type(wires);
    run(wires, NULL, SECOND_US / 2);

    printf("], \"mini\": %s, \"channels\": %u, \"screen\": %s, \"draws\": %u, \"typed\": %u, "
           "\"serial\": %llu}\n",
           main_config.setup.has_mini_header ? "true" : "false", channels,
           has_screen() ? "true" : "false", draws_before, draws - draws_before,
           (unsigned long long)sm_channel_handled_serial(sm_display_client_channel(display)));
    sm_inputs_client_destroy(inputs);
    sm_display_client_destroy(display);
    sm_main_client_destroy(main_client);
    for (int i = 0; i < 3; i++) {
        close(wires[i]->fd);
        free(wires[i]);
    }
    return 0;
}
