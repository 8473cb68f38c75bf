/* SPDX-License-Identifier: MIT */
/* Bulk from client to server over a simulated line, with a clock of our own: both ends are real. */
#include "tests/core/channel/channel_support.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"
#include "core/wire/spicevmc.h"

enum {
    MS = 1000,
    S = 1000 * MS,
    STEP_US = 250,
    RATE = 2500000, /* bytes a second */
    ONE_WAY_US = 30 * MS,
    PACKET = 1400,
    PIECE = 16 << 10,
    PIECE_MIN = 4 << 10,
    START_BYTES = 64 << 10, /* as long as nothing is known of the line */
};

/* On its way. */
struct packet {
    struct sm_list link;
    uint64_t left_us, due_us;
    size_t size;
    uint8_t bytes[PACKET];
};

struct world {
    struct sm_channel *client, *server;
    uint64_t now_us, far_us; /* by the client's clock; how much the server's is ahead */
    uint64_t free_us;        /* when the narrow part has passed all that goes up */
    uint64_t held_up_us;     /* by what else comes down */
    uint64_t arrived;        /* of what went up */
    uint64_t worst_us;       /* the longest that any of it was on its way */
    struct sm_list up, down; /* owned struct packet */
};

static struct sm_channel *channel_of(enum sm_channel_role role, uint32_t (*max_size)(uint16_t type))
{
    struct sm_channel_config config = {.role = role, .has_mini_header = true, .max_size = max_size};
    struct sm_channel *channel = NULL;
    sm_check_status(sm_channel_create(&channel, &config, 0), SM_OK);
    return channel;
}

static void world_init(struct world *w)
{
    *w = (struct world){.now_us = 5 * S, .far_us = 77 * (uint64_t)S};
    w->client = channel_of(SM_CHANNEL_CLIENT, sm_spicevmc_msg_max_size);
    w->server = channel_of(SM_CHANNEL_SERVER, sm_spicevmc_msgc_max_size);
    sm_list_init(&w->up);
    sm_list_init(&w->down);
}

static void forget(struct sm_list *way)
{
    SM_LIST_FOR (link, way) {
        sm_list_remove(link);
        free(SM_LIST_ITEM(link, struct packet, link));
    }
}

static void world_finish(struct world *w)
{
    forget(&w->up);
    forget(&w->down);
    sm_channel_destroy(w->client);
    sm_channel_destroy(w->server);
}

/* All that is pending leaves; up it stands in a queue without limit. */
static void leave(struct world *w, bool is_up)
{
    struct sm_machine machine = sm_channel_machine(is_up ? w->client : w->server);
    uint64_t clock_us = is_up ? w->now_us : w->now_us + w->far_us;
    for (;;) {
        struct sm_bytes bytes = sm_machine_pending(machine);
        if (bytes.size == 0)
            return;
        struct packet *packet = calloc(1, sizeof(*packet));
        assert_non_null(packet);
        packet->size = bytes.size < PACKET ? bytes.size : PACKET;
        memcpy(packet->bytes, bytes.data, packet->size);
        packet->left_us = w->now_us;
        packet->due_us = w->now_us + ONE_WAY_US + (is_up ? 0 : w->held_up_us);
        if (is_up) {
            w->free_us = w->free_us > w->now_us ? w->free_us : w->now_us;
            w->free_us += packet->size * (uint64_t)S / RATE;
            packet->due_us = w->free_us + ONE_WAY_US;
        }
        sm_list_append(is_up ? &w->up : &w->down, &packet->link);
        sm_machine_sent(machine, packet->size, clock_us);
    }
}

static void arrive(struct world *w, bool is_up)
{
    struct sm_channel *to = is_up ? w->server : w->client;
    uint64_t clock_us = is_up ? w->now_us + w->far_us : w->now_us;
    SM_LIST_FOR (link, is_up ? &w->up : &w->down) {
        struct packet *packet = SM_LIST_ITEM(link, struct packet, link);
        if (packet->due_us > w->now_us)
            return;
        size_t taken;
        sm_check_status(sm_machine_receive(sm_channel_machine(to),
                                           (struct sm_bytes){packet->bytes, packet->size}, clock_us,
                                           &taken),
                        SM_OK);
        assert_int_equal(taken, packet->size);
        struct sm_channel_message message;
        while (sm_channel_next(to, &message) == SM_OK)
            ;
        uint64_t took_us = w->now_us - packet->left_us;
        if (is_up) {
            w->arrived += packet->size;
            w->worst_us = took_us > w->worst_us ? took_us : w->worst_us;
        }
        sm_list_remove(link);
        free(packet);
    }
}

static void send_bulk(struct world *w)
{
    static const uint8_t BULK[PIECE];
    for (size_t room; (room = sm_channel_room(w->client)) > 0;) {
        room = room < PIECE_MIN ? PIECE_MIN : room;
        sm_check_status(sm_channel_send(w->client, SM_MSGC_SPICEVMC_DATA,
                                        (struct sm_bytes){BULK, room < PIECE ? room : PIECE}),
                        SM_OK);
    }
}

/* So long with as much to send as goes; returns how much of the line was used, in percent. */
static unsigned busy(struct world *w, uint64_t us)
{
    uint64_t before = w->arrived;
    w->worst_us = 0;
    for (uint64_t end_us = w->now_us + us; w->now_us < end_us; w->now_us += STEP_US) {
        arrive(w, true);
        leave(w, false);
        arrive(w, false);
        send_bulk(w);
        leave(w, true);
    }
    return (unsigned)((w->arrived - before) * 100 / (RATE * us / S));
}

/* A client knows before it says much that there will be receipts: the first is there by then. */
static void begin(struct world *w)
{
    sm_check_status(sm_channel_give_receipts(w->server), SM_OK);
    leave(w, false);
    w->now_us += ONE_WAY_US;
    arrive(w, false);
}

static void bulk_fills_its_line_and_no_more(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    begin(&w);
    (void)busy(&w, 3 * S);
    assert_in_range(w.worst_us, ONE_WAY_US, ONE_WAY_US + 100 * MS);
    assert_in_range(busy(&w, 10 * S), 90, 100);
    assert_in_range(w.worst_us, ONE_WAY_US, ONE_WAY_US + 75 * MS);
    world_finish(&w);
}

/* What comes down the line at the same time makes receipts late; that is no queue of the client's,
 * and no reason to send less. */
static void receipts_that_are_held_up_slow_nobody_down(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    begin(&w);
    (void)busy(&w, 5 * S);
    for (unsigned i = 0; i < 2; i++) {
        w.held_up_us = i == 0 ? 80 * MS : 0;
        (void)busy(&w, 2 * S);
        assert_in_range(busy(&w, 6 * S), 95, 100);
        assert_in_range(w.worst_us, ONE_WAY_US, ONE_WAY_US + 50 * MS);
        /* Now and then the line runs dry, to be measured, and is filled anew. */
        assert_in_range(busy(&w, 17 * S), 90, 100);
        assert_in_range(w.worst_us, ONE_WAY_US, ONE_WAY_US + 200 * MS);
    }
    world_finish(&w);
}

static void a_server_that_gives_no_receipts_is_sent_what_goes(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    sm_check_status(sm_channel_give_receipts(w.client), SM_ERR_STATE);
    assert_true(sm_channel_room(w.client) == SIZE_MAX);
    send_bulk(&w);
    assert_true(sm_channel_pending_size(w.client) >= SM_CHANNEL_DEFAULT_MAX_PENDING);
    assert_int_equal(sm_channel_room(w.client), 0);
    assert_null(sm_channel_line(w.client));
    world_finish(&w);
}

/* The first one is told at once, later ones as bytes come, however these are cut. */
static void receipts_tell_of_bytes_not_messages(void **state)
{
    (void)state;
    struct sm_channel *server = channel_of(SM_CHANNEL_SERVER, sm_spicevmc_msgc_max_size);
    sm_check_status(sm_channel_give_receipts(server), SM_OK);
    sm_check_status(sm_channel_give_receipts(server), SM_ERR_STATE);
    sm_check_bytes(output(server),
                   sm_test_hex("0400 14000000 01000080 0000000000000000 0000000000000000"));
    sm_check_status(feed(server, "6500 00000100", 1), SM_OK); /* 64 KiB are announced */
    static const uint8_t ZEROS[8192];
    size_t taken;
    struct sm_machine machine = sm_channel_machine(server);
    sm_check_status(sm_machine_receive(machine, (struct sm_bytes){ZEROS, 4089}, 50, &taken), SM_OK);
    assert_int_equal(output(server).size, 0);
    sm_check_status(sm_machine_receive(machine, (struct sm_bytes){ZEROS, 1}, 60, &taken), SM_OK);
    sm_check_bytes(output(server),
                   sm_test_hex("0400 14000000 01000080 0010000000000000 3c00000000000000"));
    sm_check_status(sm_machine_receive(machine, (struct sm_bytes){ZEROS, 8192}, 70, &taken), SM_OK);
    sm_check_bytes(output(server),
                   sm_test_hex("0400 14000000 01000080 0030000000000000 4600000000000000"));
    assert_int_equal(sm_channel_rtt_us(server), UINT64_MAX);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

/* A client that sends and never reads finds no more than it would without. */
static void who_does_not_read_gets_no_receipts(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    sm_check_status(sm_channel_give_receipts(w.server), SM_OK);
    static const uint8_t NEWS[64 << 10];
    while (!sm_channel_is_full(w.server))
        sm_check_status(
            sm_channel_send(w.server, SM_MSG_SPICEVMC_DATA, (struct sm_bytes){NEWS, sizeof(NEWS)}),
            SM_OK);
    size_t pending = sm_channel_pending_size(w.server);
    for (unsigned i = 0; i < 100; i++) {
        send_bulk(&w);
        leave(&w, true);
        w.now_us += 1 * S;
        arrive(&w, true);
    }
    assert_int_equal(sm_channel_pending_size(w.server), pending);
    world_finish(&w);
}

static void receipts_that_make_no_sense_do_no_harm(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    /* for more than was sent; without a time; at the end of all times; at their beginning */
    static const char *const NONSENSE[] = {
        "0400 0c000000 01000080 ffffffffffffffff", "0400 0c000000 01000080 0000000000000000",
        "0400 14000000 01000080 0000000000000000 ffffffffffffffff",
        "0400 14000000 01000080 0000000000000000 0000000000000080",
        "0400 14000000 01000080 0000000000000000 0000000000000000"};
    sm_check_status(feed(w.client, NONSENSE[0], 0), SM_OK);
    assert_null(sm_channel_line(w.client));
    for (unsigned i = 1; i < sizeof(NONSENSE) / sizeof(NONSENSE[0]); i++) {
        sm_check_status(feed(w.client, NONSENSE[i], 0), SM_OK);
        send_bulk(&w);
        leave(&w, true);
        assert_non_null(sm_channel_line(w.client));
        /* it may send less, never more */
        assert_in_range(sm_line_in_flight(sm_channel_line(w.client)), 0, START_BYTES + PIECE);
    }
    world_finish(&w);
    sm_test_free_copies();
}

/* At the host a machine has moved to another line begins. */
static void a_move_forgets_the_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    sm_channel_allow_move(w.client);
    sm_check_status(feed(w.client, "0400 0c000000 01000080 0000000000000000", 0), SM_OK);
    assert_int_equal(sm_channel_room(w.client), START_BYTES - 18); /* less the answer to it */
    (void)output(w.client);
    sm_check_status(feed(w.client, "0100 04000000 00000000", 0), SM_OK);
    check_no_more(w.client);
    sm_check_status(sm_channel_arrive(w.client), SM_OK);
    assert_true(sm_channel_room(w.client) == SIZE_MAX);
    world_finish(&w);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_fills_its_line_and_no_more),
        cmocka_unit_test(receipts_that_are_held_up_slow_nobody_down),
        cmocka_unit_test(a_server_that_gives_no_receipts_is_sent_what_goes),
        cmocka_unit_test(receipts_tell_of_bytes_not_messages),
        cmocka_unit_test(who_does_not_read_gets_no_receipts),
        cmocka_unit_test(receipts_that_make_no_sense_do_no_harm),
        cmocka_unit_test(a_move_forgets_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
