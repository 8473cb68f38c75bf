/* SPDX-License-Identifier: MIT */
/* Ports of a machine: listed, or joined to our standard input and output. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/report.h"
#include "sumac/port.h"

enum {
    PORTS_MAX = 64,
    PIECE_BYTES = 16 << 10,
    ESCAPE = 0x1d,   /* Ctrl-] */
    NAMES_MS = 2000, /* for servers to tell the names */
    QUIET_MS = 1000, /* without an answer behind the end of our input */
};

/** A bridge between a port and two descriptors. */
struct bridge {
    struct cli_connection *connection;
    uint8_t id;
    bool is_terminal;
    bool has_ended;   /* our input has */
    bool is_detached; /* the user has left */
    bool was_open;
    uint64_t quiet_us;         /* when the last byte came, or our input ended */
    char waiting[PIECE_BYTES]; /* read and not sent yet */
    size_t waiting_size;
    uint64_t sent, received; /* bytes */
};

/* ---- Listing ---- */

static size_t count_channels(struct sm_session *session, bool *are_all_open)
{
    struct sm_channel_info channels[PORTS_MAX * 2];
    size_t room = sizeof(channels) / sizeof(channels[0]), ports = 0;
    size_t count = sm_session_get_channels(session, channels, room);
    *are_all_open = true;
    for (size_t i = 0; i < count && i < room; i++)
        if (channels[i].kind == SM_CHANNEL_KIND_PORT) {
            ports++;
            *are_all_open = *are_all_open && channels[i].is_open;
        }
    return ports;
}

/* Waits until every port has told its name, or `name` is found. */
static bool wait_names(struct cli_connection *c, const char *name, struct sm_port *found)
{
    uint64_t until_us = cli_now_us() + (uint64_t)NAMES_MS * 1000;
    for (;;) {
        bool are_open;
        size_t offered = count_channels(c->session, &are_open);
        if (name && sm_session_find_port(c->session, name, found))
            return true;
        if (sm_session_get_ports(c->session, NULL, 0) >= offered)
            return true;
        struct sm_event event;
        enum cli_next next = cli_connection_next(c, until_us, &event);
        if (next == CLI_NEXT_FAILED)
            return false;
        if (next == CLI_NEXT_TIME)
            return true; /* one that says nothing is left out */
    }
}

static bool list(struct cli_connection *c)
{
    struct sm_port ports[PORTS_MAX], none;
    if (!wait_names(c, NULL, &none))
        return false;
    size_t count = sm_session_get_ports(c->session, ports, PORTS_MAX);
    count = count < PORTS_MAX ? count : PORTS_MAX;
    if (c->options->is_json) {
        struct cli_json json = cli_report_begin(stdout, c->options->command);
        cli_json_open(&json, "ports", '[');
        for (size_t i = 0; i < count; i++) {
            cli_json_open(&json, NULL, '{');
            cli_json_text(&json, "name", ports[i].name);
            cli_json_number(&json, "id", ports[i].id);
            cli_json_bool(&json, "open", ports[i].is_open);
            cli_json_close(&json, '}');
        }
        cli_json_close(&json, ']');
        cli_report_end(&json);
        return true;
    }
    for (size_t i = 0; i < count; i++)
        printf("%s%s\n", ports[i].name, ports[i].is_open ? "" : " (nobody listens in the machine)");
    if (count == 0)
        fputs("sumac: the machine has no ports\n", stderr);
    return true;
}

/* ---- Joining ---- */

static bool write_all(struct bridge *b, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cli_fail(b->connection->failure, CLI_EXIT_OUTPUT,
                            "make room where the output goes",
                            "the standard output cannot be written: %s", strerror(errno));
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool copy_out(struct bridge *b)
{
    char piece[PIECE_BYTES];
    size_t size;
    while ((size = sm_session_read_port(b->connection->session, b->id, piece, sizeof(piece))) > 0) {
        b->received += size;
        b->quiet_us = cli_now_us();
        if (!write_all(b, piece, size))
            return false;
    }
    return true;
}

static bool copy_in(struct bridge *b)
{
    size_t taken = 0;
    enum sm_status status = SM_OK;
    if (b->waiting_size == 0) {
        ssize_t got = read(STDIN_FILENO, b->waiting, sizeof(b->waiting));
        if (got <= 0) {
            b->has_ended = got == 0 || (errno != EINTR && errno != EAGAIN);
            b->quiet_us = cli_now_us();
            return true;
        }
        b->waiting_size = (size_t)got;
        const char *escape = b->is_terminal ? memchr(b->waiting, ESCAPE, b->waiting_size) : NULL;
        if (escape) {
            b->is_detached = true;
            b->waiting_size = (size_t)(escape - b->waiting);
        }
    }
    status =
        sm_session_write_port(b->connection->session, b->id, b->waiting, b->waiting_size, &taken);
    if (status == SM_ERR_NOMEM)
        return cli_fail_nomem(b->connection->failure);
    memmove(b->waiting, b->waiting + taken, b->waiting_size - taken);
    b->waiting_size -= taken;
    b->sent += taken;
    return true;
}

static bool look_at(struct bridge *b, struct sm_port *port)
{
    struct sm_port ports[PORTS_MAX];
    size_t count = sm_session_get_ports(b->connection->session, ports, PORTS_MAX);
    for (size_t i = 0; i < count && i < PORTS_MAX; i++)
        if (ports[i].id == b->id) {
            *port = ports[i];
            return true;
        }
    return false;
}

/* One round: what can be moved is moved, then whatever comes first is awaited. */
static bool step(struct bridge *b, bool *is_over)
{
    struct cli_connection *c = b->connection;
    struct sm_port port;
    struct sm_event event;
    if (!copy_out(b) || !look_at(b, &port))
        return false;
    bool can_write = port.is_open && port.writable > 0;
    if (b->waiting_size > 0 && can_write && !copy_in(b))
        return false;
    bool is_all_sent = b->waiting_size == 0 && port.unsent == 0;
    bool is_quiet = b->has_ended && cli_now_us() >= b->quiet_us + (uint64_t)QUIET_MS * 1000;
    if (port.is_gone || (b->was_open && !port.is_open && port.readable == 0) ||
        ((b->is_detached || is_quiet) && is_all_sent)) {
        *is_over = true;
        return true;
    }
    b->was_open = b->was_open || port.is_open;
    struct pollfd fds[] = {
        {.fd = sm_session_event_fd(c->session), .events = POLLIN},
        {.fd = c->signal_fd, .events = POLLIN},
        {.fd = can_write && b->waiting_size == 0 && !b->has_ended ? STDIN_FILENO : -1,
         .events = POLLIN},
    };
    (void)poll(fds, 3, b->has_ended ? QUIET_MS / 4 : -1);
    if (fds[2].revents && !copy_in(b))
        return false;
    enum cli_next next;
    do
        next = cli_connection_next(c, 0, &event);
    while (next == CLI_NEXT_EVENT);
    return next == CLI_NEXT_TIME;
}

static bool set_raw(struct termios *old)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, old) != 0)
        return false;
    struct termios raw = *old;
    cfmakeraw(&raw);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    return true;
}

static bool bridge(struct cli_connection *c, const char *name)
{
    struct sm_port port;
    if (!wait_names(c, name, &port))
        return false;
    if (!sm_session_find_port(c->session, name, &port))
        return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL, "see which there are: sumac port ADDRESS",
                        "the machine has no port %s", name);
    struct bridge b = {.connection = c, .id = port.id};
    struct termios old;
    b.is_terminal = set_raw(&old);
    if (b.is_terminal)
        fprintf(stderr, "sumac: joined with %s; Ctrl-] leaves\r\n", port.name);
    if (!port.is_open)
        fprintf(stderr, "sumac: nobody listens in the machine yet; waiting\r\n");
    c->doing = "moving bytes";
    c->deadline_us = UINT64_MAX; /* it lasts as long as the user likes */
    bool is_over = false, is_good = true;
    while (is_good && !is_over)
        is_good = step(&b, &is_over);
    if (b.is_terminal)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &old);
    return is_good;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_PORT;
    bool is_good = cli_connection_open(&connection, options, kinds, 0, failure) &&
                   (options->text ? bridge(&connection, options->text) : list(&connection));
    cli_connection_close(&connection);
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    o->text = count > 0 ? words[0] : NULL;
    return cli_words_check(o, count, words, 0, 1, failure);
}

const struct cli_command cli_command_port = {
    .name = "port",
    .words = "ADDRESS [NAME]",
    .summary = "join a port of the machine, such as a serial console",
    .about =
        "Without NAME, lists the machine's ports (its SPICE ports, and who listens). With it,\n"
        "joins the port: what comes goes to the standard output, the standard input goes to\n"
        "the machine. At a terminal Ctrl-] leaves; otherwise it ends when the port closes, or\n"
        "a second after the end of the input in which nothing came. Well-known names:\n"
        "org.qemu.monitor.qmp.0 (QEMU's control protocol, one JSON object a line),\n"
        "org.qemu.console.serial.0 (a serial console).\n",
    .take_words = take_words,
    .run = run,
};
