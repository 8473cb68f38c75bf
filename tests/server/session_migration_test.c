/* SPDX-License-Identifier: MIT */
/*
 * Clients that follow the machine, through the exports of the library: a source and a target in one
 * process, and a client of raw messages between them.
 */
#include "tests/support/check.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "core/wire/migration.h"
#include "core/wire/smartcard.h"
#include "tests/server/support/visitor.h"

enum { FLAGS = 3 };

struct host {
    SpiceServer *server;
    char path[64];
    SpiceMigrateInstance migration;
    unsigned connects, ends;        /* times the host was told */
    SpiceCharDeviceInstance device; /* the agent, or a card reader */
    uint8_t to_guest[1 << 20];      /* what the device was sent */
    size_t to_size;
    size_t room; /* bytes it takes */
    const uint8_t *says;
    size_t says_size;
};

struct fixture {
    struct sm_test_host loop;
    char folder[32];
    struct host hosts[2]; /* source, target */
};

/* ---- the host's side ---- */

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

static struct host *host_of(SpiceCharDeviceInstance *device)
{
    return (struct host *)(void *)((char *)device - offsetof(struct host, device));
}

static int on_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    struct host *host = host_of(device);
    size_t taken = (size_t)size < host->room ? (size_t)size : host->room;
    assert_true(host->to_size + taken <= sizeof(host->to_guest));
    memcpy(host->to_guest + host->to_size, data, taken);
    host->to_size += taken;
    host->room -= taken;
    return (int)taken;
}

static int on_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    struct host *host = host_of(device);
    size_t given = (size_t)size < host->says_size ? (size_t)size : host->says_size;
    if (given == 0)
        return 0;
    memcpy(to, host->says, given);
    host->says += given;
    host->says_size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface DEVICE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static void add_device(struct host *host, const char *subtype)
{
    host->device = (SpiceCharDeviceInstance){.subtype = subtype};
    host->device.base.sif = &DEVICE.base;
    host->room = sizeof(host->to_guest);
    assert_int_equal(spice_server_add_interface(host->server, &host->device.base), 0);
}

static void add_agent(struct host *host)
{
    add_device(host, "vdagent");
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    strcpy(f->folder, "/tmp/sumac-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    sm_test_host_init(&f->loop);
    for (unsigned i = 0; i < 2; i++) {
        struct host *host = &f->hosts[i];
        snprintf(host->path, sizeof(host->path), "%s/%u", f->folder, i);
        host->server = spice_server_new();
        spice_server_set_addr(host->server, host->path, SPICE_ADDR_FLAG_UNIX_ONLY);
        spice_server_set_noauth(host->server);
        spice_server_set_seamless_migration(host->server, 1);
        assert_int_equal(spice_server_init(host->server, &f->loop.core), 0);
        host->migration.base.sif = &MIGRATION.base;
        assert_int_equal(spice_server_add_interface(host->server, &host->migration.base), 0);
    }
    spice_server_vm_start(f->hosts[0].server);
    spice_server_vm_stop(f->hosts[1].server); /* the machine is yet to come */
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        if (f->hosts[i].device.st)
            spice_server_remove_interface(&f->hosts[i].device.base);
        spice_server_destroy(f->hosts[i].server);
        unlink(f->hosts[i].path);
    }
    sm_test_host_run(&f->loop, 1);
    assert_int_equal(f->loop.connected, f->loop.disconnected);
    sm_test_host_finish(&f->loop);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* ---- the client ---- */

/* Returns the link result. */
static int link_main(struct sm_test_visitor *visitor, uint32_t id)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    int error = sm_test_visitor_hello(visitor, id, SM_CHANNEL_MAIN, 0, key);
    return error ? error : sm_test_visitor_ticket(visitor, key, "");
}

static uint32_t begin(struct fixture *f, struct sm_test_visitor *main)
{
    uint8_t init[4];
    *main = sm_test_visitor(&f->loop, f->hosts[0].path);
    assert_int_equal(link_main(main, 0), 0);
    sm_test_visitor_await(main, SM_MSG_MAIN_INIT, init, sizeof(init));
    sm_test_visitor_message(main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    sm_test_visitor_await(main, SM_MSG_MAIN_CHANNELS_LIST, NULL, 0);
    return (uint32_t)init[0] | (uint32_t)init[1] << 8 | (uint32_t)init[2] << 16 |
           (uint32_t)init[3] << 24;
}

static void say(struct sm_test_visitor *visitor, uint16_t type)
{
    sm_test_visitor_message(visitor, type, (struct sm_bytes){0});
}

static void start_agent(struct sm_test_visitor *main)
{
    sm_test_visitor_message(main, SM_MSGC_MAIN_AGENT_START, sm_test_hex("0a000000"));
}

/* Announces the target and links to it; the source has its answer. */
static struct sm_test_visitor go(struct fixture *f, struct sm_test_visitor *main, uint32_t id,
                                 bool is_seamless)
{
    spice_server_set_seamless_migration(f->hosts[0].server, is_seamless);
    assert_int_equal(spice_server_migrate_connect(f->hosts[0].server, "target", 5900, -1, NULL), 0);
    sm_test_visitor_await(
        main, is_seamless ? SM_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS : SM_MSG_MAIN_MIGRATE_BEGIN, NULL,
        0);
    struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(link_main(&next, id), 0);
    if (is_seamless) {
        sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                                sm_test_hex("01000000"));
        sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, NULL, 0);
    }
    assert_int_equal(f->hosts[0].connects, 0);
    say(main,
        is_seamless ? SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS : SM_MSGC_MAIN_MIGRATE_CONNECTED);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].connects, 1);
    spice_server_migrate_start(f->hosts[0].server);
    return next;
}

/* What the source hands on about one channel. */
static size_t take_channel_data(struct sm_test_visitor *channel, uint8_t *data, size_t room)
{
    uint8_t flags[4];
    sm_test_visitor_await(channel, SM_MSG_MIGRATE, flags, sizeof(flags));
    assert_int_equal(flags[0], FLAGS);
    say(channel, SM_MSGC_MIGRATE_FLUSH_MARK);
    size_t size = sm_test_visitor_await(channel, SM_MSG_MIGRATE_DATA, data, room);
    assert_true(size <= room);
    return size;
}

/* The machine has gone: takes what the source hands on. */
static size_t take_data(struct fixture *f, struct sm_test_visitor *main, uint8_t *data, size_t room)
{
    spice_server_vm_stop(f->hosts[0].server);
    spice_server_migrate_end(f->hosts[0].server, 1);
    return take_channel_data(main, data, room);
}

static void check_guest_got(struct fixture *f, unsigned host, const char *hex)
{
    sm_test_host_run(&f->loop, 5);
    struct sm_bytes got = {.data = f->hosts[host].to_guest, .size = f->hosts[host].to_size};
    sm_check_bytes(got, sm_test_hex(hex));
    f->hosts[host].to_size = 0;
}

/* ---- tests ---- */

static void a_session_begins_anew_after_a_semi_seamless_move(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    uint32_t id = begin(f, &main);
    struct sm_test_visitor next = go(f, &main, id, false);
    struct sm_test_visitor inputs = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(sm_test_visitor_open(&inputs, id, SM_CHANNEL_INPUTS, 0), 0);
    spice_server_vm_stop(f->hosts[0].server);
    assert_int_equal(spice_server_migrate_end(f->hosts[0].server, 1), 0);
    sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_END, NULL, 0);
    assert_int_equal(f->hosts[0].ends, 0);
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].ends, 1);

    say(&next, SM_MSGC_MAIN_MIGRATE_END);
    uint8_t init[4];
    sm_test_visitor_await(&next, SM_MSG_MAIN_INIT, init, sizeof(init));
    assert_int_equal(init[0] | init[1] << 8, id & 0xffff);
    sm_test_visitor_await(&inputs, SM_MSG_INPUTS_INIT, NULL, 0);
    assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 1);
    sm_test_visitor_close(&inputs);
    sm_test_visitor_close(&next);
}

/* A client's message of 12 bytes, of which the guest has taken 5 of chunk and message header. */
static void the_agents_stream_goes_on_where_it_was_cut(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    uint32_t id = begin(f, &main);
    start_agent(&main);
    sm_test_host_run(&f->loop, 5);
    f->hosts[0].to_size = 0;
    f->hosts[0].room = 5;
    struct sm_bytes piece = sm_test_hex("01000000 02000000 0000000000000000 0c000000 c0ffee00");
    sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA, piece);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].to_size, 5);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("0011223344556677"));
    sm_test_host_run(&f->loop, 5);

    uint8_t whole[128];
    memcpy(whole, f->hosts[0].to_guest, 5);
    memcpy(whole + 5, f->hosts[1].to_guest, f->hosts[1].to_size);
    struct sm_bytes expected =
        sm_test_hex("01000000 18000000 01000000 02000000 0000000000000000 0c000000 c0ffee00"
                    "01000000 08000000 0011223344556677");
    assert_int_equal(5 + f->hosts[1].to_size, expected.size);
    assert_memory_equal(whole, expected.data, expected.size);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* The client has tokens, and goes on before the guest's port has opened at the target. */
static void what_is_said_before_the_agent_has_come_waits_for_it(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    uint32_t id = begin(f, &main);
    start_agent(&main);
    sm_test_host_run(&f->loop, 5);
    f->hosts[0].to_size = 0;
    f->hosts[0].room = 0;
    struct sm_bytes piece = sm_test_hex("01000000 02000000 0000000000000000 0c000000 c0ffee00");
    sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA, piece);
    sm_test_host_run(&f->loop, 5);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("00112233"));
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("44556677"));
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_hex("01000000 09000000 0000000000000000 00000000"));
    sm_test_host_run(&f->loop, 5);
    add_agent(&f->hosts[1]);
    spice_server_vm_start(f->hosts[1].server);
    check_guest_got(f, 1,
                    "01000000 18000000 01000000 02000000 0000000000000000 0c000000 c0ffee00"
                    "01000000 04000000 00112233 01000000 04000000 44556677"
                    "01000000 14000000 01000000 09000000 0000000000000000 00000000");
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* Tokens were lent for a file, and the machine stops while the agent takes nothing. */
static void what_was_sent_with_lent_tokens_arrives_at_the_target(void **state)
{
    enum { PIECES = 200, PIECE_SIZE = 2048, ROOM = 1 << 20 };
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    f->hosts[0].room = 0;
    uint32_t id = begin(f, &main);
    start_agent(&main);
    sm_test_visitor_message(
        &main, SM_MSGC_MAIN_AGENT_DATA,
        sm_test_hex("01000000 0a000000 0000000000000000 2c000000 01000000"
                    "5b76646167656e742d66696c652d786665725d0a" /* [vdagent-file-xfer] */
                    "6e616d653d610a"                           /* name=a */
                    "73697a653d323030303030300a"));            /* size=2000000 */
    sm_test_visitor_await(&main, SM_MSG_MAIN_AGENT_TOKEN, NULL, 0);
    uint8_t piece[PIECE_SIZE] = {0};
    struct sm_bytes head = sm_test_hex("01000000 0c000000 0000000000000000 ec3f0600");
    memcpy(piece, head.data, head.size);
    for (unsigned i = 0; i < PIECES; i++) {
        piece[PIECE_SIZE - 1] = (uint8_t)i;
        sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA,
                                (struct sm_bytes){piece, sizeof(piece)});
        sm_test_host_run(&f->loop, 1);
        memset(piece, 0xa5, head.size);
    }
    assert_int_equal(f->hosts[0].to_size, 0);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t *data = malloc(ROOM);
    assert_non_null(data);
    size_t size = take_data(f, &main, data, ROOM);
    add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    free(data);
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_host_run(&f->loop, 5);
    const uint8_t *got = f->hosts[1].to_guest + 8 + 64;
    assert_int_equal(f->hosts[1].to_size, 8 + 64 + PIECES * (8 + PIECE_SIZE));
    for (unsigned i = 0; i < PIECES; i++)
        assert_int_equal(got[i * (8 + PIECE_SIZE) + 8 + PIECE_SIZE - 1], i);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* Ten pieces are one buffer for the target, and yet ten tokens. */
static void every_piece_handed_on_gives_its_token_back(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    f->hosts[0].room = 0;
    uint32_t id = begin(f, &main);
    start_agent(&main);
    for (unsigned i = 0; i < 10; i++) /* CLIPBOARD_RELEASE */
        sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA,
                                sm_test_hex("01000000 09000000 0000000000000000 00000000"));
    sm_test_host_run(&f->loop, 5);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t data[1024], tokens[4];
    size_t size = take_data(f, &main, data, sizeof(data));
    add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_TOKEN, tokens, sizeof(tokens));
    assert_int_equal(tokens[0], 10);
    assert_int_equal(f->hosts[1].to_size, 10 * (8 + 20));
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* The guest's message is cut within its header, so the target judges it. */
static void the_guests_message_is_put_together_from_two_servers(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    struct sm_bytes chunk = sm_test_hex("01000000 18000000 01000000 02000000 0000000000000000"
                                        "04000000 c0ffee00");
    for (size_t cut = 0; cut < chunk.size; cut += 5) {
        if (cut) {
            teardown(state);
            setup(state);
            f = *state;
        }
        add_agent(&f->hosts[0]);
        uint32_t id = begin(f, &main);
        start_agent(&main);
        sm_test_host_run(&f->loop, 2);
        f->hosts[0].says = chunk.data;
        f->hosts[0].says_size = cut;
        spice_server_char_device_wakeup(&f->hosts[0].device);
        struct sm_test_visitor next = go(f, &main, id, true);
        spice_server_vm_stop(f->hosts[0].server);
        spice_server_migrate_end(f->hosts[0].server, 1);
        uint8_t got[64], data[512];
        size_t got_size = 0;
        if (cut >= 28) /* the message's header had come whole: its piece goes out at once */
            got_size = sm_test_visitor_await(&main, SM_MSG_MAIN_AGENT_DATA, got, sizeof(got));
        sm_test_visitor_await(&main, SM_MSG_MIGRATE, NULL, 0);
        say(&main, SM_MSGC_MIGRATE_FLUSH_MARK);
        size_t size = sm_test_visitor_await(&main, SM_MSG_MIGRATE_DATA, data, sizeof(data));
        /* This time the agent comes behind the data. */
        sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
        sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
        add_agent(&f->hosts[1]);
        f->hosts[1].says = chunk.data + cut;
        f->hosts[1].says_size = chunk.size - cut;
        spice_server_vm_start(f->hosts[1].server);
        spice_server_char_device_wakeup(&f->hosts[1].device);
        got_size += sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_DATA, got + got_size,
                                          sizeof(got) - got_size);
        assert_int_equal(got_size, chunk.size - 8);
        assert_memory_equal(got, chunk.data + 8, got_size);
        sm_test_visitor_close(&main);
        sm_test_visitor_close(&next);
    }
}

static void an_agent_that_the_target_does_not_know_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    uint32_t id = begin(f, &main);
    start_agent(&main);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    add_agent(&f->hosts[1]); /* comes, goes, and comes again */
    spice_server_remove_interface(&f->hosts[1].device.base);
    add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_DISCONNECTED, NULL, 0);
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS, NULL, 0);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

static struct sm_test_visitor open_cards(struct fixture *f, unsigned host, uint32_t id)
{
    struct sm_test_visitor cards = sm_test_visitor(&f->loop, f->hosts[host].path);
    assert_int_equal(sm_test_visitor_open(&cards, id, SM_CHANNEL_SMARTCARD, 0), 0);
    return cards;
}

/*
 * The guest's reader stays, with its card: a command of the guest and an answer of the card are cut
 * between the servers, and the reader goes with the client at the target, not at the source.
 */
static void a_card_goes_on_where_it_was_cut(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_device(&f->hosts[0], "smartcard");
    add_device(&f->hosts[1], "smartcard");
    uint32_t id = begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    sm_test_visitor_message(&cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("03000000 ffffffff 00000000")); /* READER_ADD */
    check_guest_got(f, 0, "00000003 00000000 00000000");
    f->hosts[0].room = 5;
    sm_test_visitor_message(&cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("07000000 00000000 02000000 9000"));
    check_guest_got(f, 0, "00000007 00"); /* of the answer, so far */
    struct sm_bytes command = sm_test_hex("00000007 00000000 00000005 00a4040000");
    f->hosts[0].says = command.data;
    f->hosts[0].says_size = 14;
    spice_server_char_device_wakeup(&f->hosts[0].device);

    struct sm_test_visitor next = go(f, &main, id, true);
    struct sm_test_visitor next_cards = open_cards(f, 1, id);
    uint8_t data[512], card_data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    size_t card_size = take_channel_data(&cards, card_data, sizeof(card_data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                            (struct sm_bytes){card_data, card_size});
    spice_server_vm_start(f->hosts[1].server);
    check_guest_got(f, 1, "000000 00000002 9000");
    f->hosts[1].says = command.data + 14;
    f->hosts[1].says_size = command.size - 14;
    spice_server_char_device_wakeup(&f->hosts[1].device);
    uint8_t body[64];
    size_t got = sm_test_visitor_await(&next_cards, SM_MSG_SMARTCARD_DATA, body, sizeof(body));
    sm_check_bytes(((struct sm_bytes){body, got}),
                   sm_test_hex("07000000 00000000 05000000 00a4040000"));

    f->hosts[0].room = sizeof(f->hosts[0].to_guest);
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    check_guest_got(f, 0, "");
    sm_test_visitor_close(&next_cards);
    check_guest_got(f, 1, "00000004 00000000 00000000"); /* READER_REMOVE */
    sm_test_visitor_close(&next);
}

/* A second card reader of a host's. */
struct more {
    SpiceCharDeviceInstance device; /* first */
    uint8_t to_guest[64];
    size_t size;
};

static int more_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    struct more *more = (struct more *)(void *)device;
    assert_true(more->size + (size_t)size <= sizeof(more->to_guest));
    memcpy(more->to_guest + more->size, data, (size_t)size);
    more->size += (size_t)size;
    return size;
}

static int more_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    (void)device, (void)to, (void)size;
    return 0;
}

static const SpiceCharDeviceInterface MORE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = more_write,
    .read = more_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

/* The source told of the first alone. */
static void a_second_reader_is_taken_off_at_the_target(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    struct more more = {.device = {.base.sif = &MORE.base, .subtype = "smartcard"}};
    add_device(&f->hosts[0], "smartcard");
    add_device(&f->hosts[1], "smartcard");
    assert_int_equal(spice_server_add_interface(f->hosts[1].server, &more.device.base), 0);
    uint32_t id = begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    struct sm_test_visitor next = go(f, &main, id, true);
    struct sm_test_visitor next_cards = open_cards(f, 1, id);
    uint8_t data[512], card_data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    size_t card_size = take_channel_data(&cards, card_data, sizeof(card_data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                            (struct sm_bytes){card_data, card_size});
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_message(&next_cards, SM_MSGC_SMARTCARD_DATA,
                            sm_test_hex("04000000 01000000 00000000")); /* READER_REMOVE */
    sm_test_host_run(&f->loop, 5);
    sm_check_bytes(((struct sm_bytes){more.to_guest, more.size}),
                   sm_test_hex("00000004 00000001 00000000"));
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next_cards);
    sm_test_visitor_close(&next);
    spice_server_remove_interface(&more.device.base);
}

static void card_data_cut_anywhere_end_the_channel(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_device(&f->hosts[0], "smartcard");
    add_device(&f->hosts[1], "smartcard");
    uint32_t id = begin(f, &main);
    struct sm_test_visitor cards = open_cards(f, 0, id);
    struct sm_bytes command = sm_test_hex("00000007 00000000 00000005 00a4");
    f->hosts[0].says = command.data;
    f->hosts[0].says_size = command.size;
    spice_server_char_device_wakeup(&f->hosts[0].device);
    struct sm_test_visitor next = go(f, &main, id, true);
    uint8_t data[512], card_data[512];
    (void)take_data(f, &main, data, sizeof(data));
    size_t size = take_channel_data(&cards, card_data, sizeof(card_data));
    for (size_t cut = 0; cut < size; cut++) {
        struct sm_test_visitor next_cards = open_cards(f, 1, id);
        sm_test_visitor_message(&next_cards, SM_MSGC_MIGRATE_DATA,
                                (struct sm_bytes){card_data, cut});
        assert_true(sm_test_visitor_is_closed(&next_cards));
        sm_test_visitor_close(&next_cards);
        sm_test_host_run(&f->loop, 1);
    }
    check_guest_got(f, 1, "");
    sm_test_visitor_close(&cards);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

static void data_cut_anywhere_end_the_session(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    add_agent(&f->hosts[0]);
    add_agent(&f->hosts[1]);
    uint32_t id = begin(f, &main);
    start_agent(&main);
    struct sm_test_visitor next = go(f, &main, id, true);
    sm_test_visitor_close(&next);
    uint8_t data[512];
    size_t size = take_data(f, &main, data, sizeof(data));
    sm_test_visitor_close(&main);
    for (size_t cut = 0; cut < size; cut++) {
        next = sm_test_visitor(&f->loop, f->hosts[1].path);
        assert_int_equal(link_main(&next, id), 0);
        sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                                sm_test_hex("01000000"));
        sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, NULL, 0);
        sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, cut});
        sm_test_host_run(&f->loop, 1);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 0);
        sm_test_visitor_close(&next);
    }
}

static void a_waiting_session_takes_nothing_but_its_arrival(void **state)
{
    struct fixture *f = *state;
    static const uint16_t wrong[] = {SM_MSGC_MAIN_ATTACH_CHANNELS,
                                     SM_MSGC_MAIN_AGENT_START,
                                     SM_MSGC_MAIN_MIGRATE_CONNECTED,
                                     SM_MSGC_MIGRATE_DATA,
                                     SM_MSGC_MIGRATE_FLUSH_MARK,
                                     SM_MSGC_MAIN_AGENT_DATA,
                                     SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
        assert_int_equal(link_main(&next, 1234), 0);
        sm_test_host_run(&f->loop, 1);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 1);
        sm_test_visitor_message(&next, wrong[i], sm_test_hex("00000000"));
        sm_test_host_run(&f->loop, 2);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 0);
        sm_test_visitor_close(&next);
    }
}

static void a_newer_source_is_told_to_begin_anew(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(link_main(&next, 77), 0);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, sm_test_hex("02000000"));
    sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK, NULL, 0);
    say(&next, SM_MSGC_MAIN_MIGRATE_END);
    sm_test_visitor_await(&next, SM_MSG_MAIN_INIT, NULL, 0);
    sm_test_visitor_close(&next);
}

static void the_host_hears_of_each_step_once_whatever_clients_do(void **state)
{
    struct fixture *f = *state;
    struct host *source = &f->hosts[0];
    struct sm_test_visitor main;
    assert_int_equal(spice_server_migrate_connect(source->server, NULL, 1, 1, NULL), -1);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", -1, -1, NULL), -1);
    assert_int_equal(source->connects, 2);
    assert_int_equal(spice_server_migrate_start(source->server), -1);

    /* Nobody is there. */
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, "CN=x"), 0);
    assert_int_equal(source->connects, 3);
    assert_int_equal(spice_server_migrate_start(source->server), 0);
    assert_int_equal(spice_server_migrate_end(source->server, 1), 0);
    assert_int_equal(source->ends, 1);

    /* Somebody leaves without an answer. */
    begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, NULL), 0);
    assert_int_equal(source->connects, 3);
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(source->connects, 4);
    assert_int_equal(spice_server_migrate_end(source->server, 0), 0);
    assert_int_equal(source->ends, 2);

    /* It fails before anybody has answered: late answers are answered. */
    begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, NULL), 0);
    assert_int_equal(spice_server_migrate_end(source->server, 0), 0);
    assert_int_equal(source->connects, 5);
    assert_int_equal(source->ends, 3);
    say(&main, SM_MSGC_MAIN_MIGRATE_CONNECTED);
    sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_CANCEL, NULL, 0);

    /* It has gone without a word. */
    assert_int_equal(spice_server_migrate_end(source->server, 1), -1);
    assert_int_equal(source->ends, 4);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(spice_server_get_num_clients(source->server), 0);
    sm_test_visitor_close(&main);
}

static void clients_that_could_not_link_are_sent_to_the_target(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main;
    begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(f->hosts[0].server, "target", 5900, 5901, "CN=t"),
                     0);
    say(&main, SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR);
    sm_test_host_run(&f->loop, 2);
    assert_int_equal(f->hosts[0].connects, 1);
    assert_int_equal(spice_server_migrate_end(f->hosts[0].server, 1), 0);
    uint8_t body[31];
    size_t size = sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_SWITCH_HOST, body, sizeof(body));
    assert_int_equal(size, 20 + sizeof("target") + sizeof("CN=t"));
    assert_memory_equal(body, sm_test_hex("0c170d17").data, 4); /* the ports */
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].ends, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_session_begins_anew_after_a_semi_seamless_move),
        T(the_agents_stream_goes_on_where_it_was_cut),
        T(what_is_said_before_the_agent_has_come_waits_for_it),
        T(what_was_sent_with_lent_tokens_arrives_at_the_target),
        T(every_piece_handed_on_gives_its_token_back),
        T(the_guests_message_is_put_together_from_two_servers),
        T(an_agent_that_the_target_does_not_know_begins_anew),
        T(a_card_goes_on_where_it_was_cut),
        T(a_second_reader_is_taken_off_at_the_target),
        T(card_data_cut_anywhere_end_the_channel),
        T(data_cut_anywhere_end_the_session),
        T(a_waiting_session_takes_nothing_but_its_arrival),
        T(a_newer_source_is_told_to_begin_anew),
        T(the_host_hears_of_each_step_once_whatever_clients_do),
        T(clients_that_could_not_link_are_sent_to_the_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
