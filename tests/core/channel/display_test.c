/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/display/client.h"
#include "core/channel/display/server.h"
#include "tests/support/failmalloc.h"

static const struct sm_display_client_config CLIENT = {.setup = {.has_mini_header = true},
                                                       .pixmap_cache_id = 1,
                                                       .pixmap_cache_px = 20971520,
                                                       .glz_dictionary_id = 1,
                                                       .glz_dictionary_px = 6290432};

static const char CAPTURED_INIT[] = "6500 0e000000 01 0000400100000000 01 00fc5f00";

static struct sm_display_client *new_client(const struct sm_display_client_config *config)
{
    struct sm_display_client *client = NULL;
    sm_check_status(sm_display_client_create(&client, config, 0), SM_OK);
    return client;
}

static struct sm_display_server *new_server(void)
{
    struct sm_display_server_config config = {.setup = {.has_mini_header = true}, .ack_window = 20};
    struct sm_display_server *server = NULL;
    sm_check_status(sm_display_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_display_server *ready_server(void)
{
    struct sm_display_server *server = new_server();
    struct sm_display_server_event event;
    sm_test_feed_hex(sm_display_server_machine(server), CAPTURED_INIT);
    sm_check_status(sm_display_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_DISPLAY_SERVER_INIT);
    (void)sm_test_take_pending(sm_display_server_machine(server), 0);
    return server;
}

static void client_says_what_it_caches_first_of_all(void **state)
{
    (void)state;
    struct sm_display_client *client = new_client(&CLIENT);
    sm_check_pending(sm_display_client_machine(client), CAPTURED_INIT);
    struct sm_display_msgc init = {.type = SM_MSGC_DISPLAY_INIT};
    sm_check_status(sm_display_client_send(client, &init), SM_ERR_STATE);
    sm_display_client_destroy(client);

    struct sm_display_client_config target = CLIENT;
    target.is_migration_target = true;
    client = new_client(&target);
    sm_check_pending(sm_display_client_machine(client), "");
    sm_display_client_destroy(client);
    sm_test_free_copies();
}

static void preferences_go_only_to_servers_that_know_them(void **state)
{
    (void)state;
    static const uint8_t CODECS[] = {1, 2};
    struct sm_display_msgc compression = {
        .type = SM_MSGC_DISPLAY_PREFERRED_COMPRESSION,
        .preferred_compression = {.image_compression = SM_IMAGE_COMPRESSION_LZ}};
    struct sm_display_msgc codecs = {
        .type = SM_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE,
        .preferred_video_codec_type = {.codecs = {CODECS, sizeof(CODECS)}}};
    for (int knows = 0; knows < 2; knows++) {
        struct sm_display_client_config config = CLIENT;
        config.setup.channel_caps = knows ? 0x1052 : 0;
        struct sm_display_client *client = new_client(&config);
        (void)sm_test_take_pending(sm_display_client_machine(client), 0);
        sm_check_status(sm_display_client_send(client, &compression), SM_OK);
        sm_check_status(sm_display_client_send(client, &codecs), SM_OK);
        sm_check_pending(sm_display_client_machine(client),
                         knows ? "6700 01000000 06 6900 03000000 02 01 02" : "");
        sm_display_client_destroy(client);
    }
    sm_test_free_copies();
}

static void buffer_comes_when_the_byte_of_its_descriptor_has(void **state)
{
    (void)state;
    static const char WITH[] = "4001 14000000 40000000 30000000 00010000 58523234 01000000";
    static const char WITHOUT[] = "4001 14000000 40000000 30000000 00010000 00000000 01000000";
    struct sm_display_client_config config = CLIENT;
    config.takes_descriptors = true;
    for (size_t piece = 0; piece < 3; piece++) {
        struct sm_display_client *client = new_client(&config);
        struct sm_machine machine = sm_display_client_machine(client);
        struct sm_display_client_event event;
        size_t taken;
        sm_check_status(sm_test_feed(machine, sm_test_hex(WITH), piece, &taken), SM_OK);
        sm_check_status(sm_display_client_next(client, &event), SM_AGAIN);
        struct sm_bytes rest = sm_test_hex("40 6600 00000000"); /* the byte, and MARK */
        sm_check_status(sm_test_feed(machine, rest, piece, &taken), SM_OK);
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_int_equal(event.msg->type, SM_MSG_DISPLAY_GL_SCANOUT_UNIX);
        assert_int_equal(event.msg->gl_scanout_unix.width, 64);
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_int_equal(event.msg->type, SM_MSG_DISPLAY_MARK);
        assert_int_equal(event.serial, 2);
        sm_test_feed_hex(machine, WITHOUT); /* no buffer, no byte */
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_int_equal(event.msg->type, SM_MSG_DISPLAY_GL_SCANOUT_UNIX);
        sm_display_client_destroy(client);
    }
    sm_test_free_copies();
}

static void waits_block_the_client_until_released(void **state)
{
    (void)state;
    static const char *const WAITS[] = {
        "0500 0b000000 01 0201 2a00000000000000", /* WAIT_FOR_CHANNELS */
        "6a00 0b000000 01 0201 2a00000000000000", /* INVAL_ALL_PIXMAPS with a wait */
    };
    for (int i = 0; i < 2; i++) {
        struct sm_display_client *client = new_client(&CLIENT);
        struct sm_channel *channel = sm_display_client_channel(client);
        struct sm_display_client_event event;
        sm_test_feed_hex(sm_display_client_machine(client), WAITS[i]);
        sm_test_feed_hex(sm_display_client_machine(client), "6600 00000000 6a00 01000000 00");
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_true(event.is_wait);
        const struct sm_wait_for_channel *wait =
            i ? event.msg->inval_all_pixmaps.waits : event.msg->wait_for_channels.waits;
        assert_int_equal(wait[0].channel_type, SM_CHANNEL_DISPLAY);
        assert_int_equal(wait[0].message_serial, 42);
        sm_check_status(sm_display_client_next(client, &event), SM_AGAIN);
        assert_int_equal(sm_channel_handled_serial(channel), 0);
        sm_channel_release(channel);
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_int_equal(event.msg->type, SM_MSG_DISPLAY_MARK);
        assert_int_equal(sm_channel_handled_serial(channel), 1);
        sm_check_status(sm_display_client_next(client, &event), SM_OK);
        assert_int_equal(event.msg->type, SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS);
        assert_false(event.is_wait); /* nothing to wait for */
        sm_display_client_destroy(client);
    }
    sm_test_free_copies();
}

static void malformed_messages_fail_the_client(void **state)
{
    (void)state;
    struct sm_display_client *client = new_client(&CLIENT);
    struct sm_display_client_event event;
    sm_test_feed_hex(sm_display_client_machine(client), "3b01 03000000 000000");
    sm_check_status(sm_display_client_next(client, &event), SM_ERR_PROTOCOL);
    sm_check_status(sm_display_client_next(client, &event), SM_ERR_PROTOCOL);
    assert_true(strlen(sm_channel_reason(sm_display_client_channel(client))) > 0);
    sm_display_client_destroy(client);
    sm_test_free_copies();
}

static void server_draws_nothing_before_init(void **state)
{
    (void)state;
    struct sm_display_server *server = new_server();
    struct sm_machine machine = sm_display_server_machine(server);
    struct sm_display_msg mark = {.type = SM_MSG_DISPLAY_MARK};
    sm_check_status(sm_display_server_send(server, &mark), SM_ERR_STATE);
    assert_false(sm_display_server_is_ready(server));
    sm_check_pending(machine, "0300 08000000 01000000 14000000"
                              "0400 0c000000 00000080 2000000000000000"); /* a mark */
    sm_test_feed_hex(machine, CAPTURED_INIT);
    struct sm_display_server_event event;
    sm_check_status(sm_display_server_next(server, &event), SM_OK);
    assert_int_equal(event.init.pixmap_cache_px, 20971520);
    assert_int_equal(event.init.glz_dictionary_px, 6290432);
    assert_int_equal(event.init.pixmap_cache_id, 1);
    assert_true(sm_display_server_is_ready(server));
    sm_check_status(sm_display_server_send(server, &mark), SM_OK);
    sm_check_pending(machine, "6600 00000000");
    sm_test_feed_hex(machine, CAPTURED_INIT);
    sm_check_status(sm_display_server_next(server, &event), SM_ERR_PROTOCOL);
    sm_display_server_destroy(server);
    sm_test_free_copies();
}

static void hostile_sizes_in_init_are_clamped_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum sm_status status;
        uint64_t cache_px;
        uint32_t glz_px;
    } CASES[] = {
        {"6500 0e000000 01 ffffffffffffffff 01 ffffffff", SM_OK, 0, 0},
        {"6500 0e000000 01 ffffffffffffff7f 01 00000002", SM_OK, INT64_MAX, 1 << 25},
        {"6500 0e000000 01 0000000000000000 01 01000002", SM_ERR_PROTOCOL, 0, 0},
        {"6500 0d000000 01 0000000000000000 01 010000", SM_ERR_PROTOCOL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct sm_display_server *server = new_server();
        struct sm_display_server_event event;
        sm_test_feed_hex(sm_display_server_machine(server), CASES[i].hex);
        sm_check_status(sm_display_server_next(server, &event), CASES[i].status);
        if (CASES[i].status == SM_OK) {
            assert_int_equal(event.init.pixmap_cache_px, CASES[i].cache_px);
            assert_int_equal(event.init.glz_dictionary_px, CASES[i].glz_px);
        }
        sm_display_server_destroy(server);
    }
    sm_test_free_copies();
}

static void a_client_that_never_says_init_is_given_up(void **state)
{
    (void)state;
    struct sm_display_server *server = new_server();
    struct sm_machine machine = sm_display_server_machine(server);
    uint64_t now = 0;
    while (sm_machine_deadline(machine) < 30000000) { /* pings come first */
        now = sm_machine_deadline(machine);
        sm_check_status(sm_machine_tick(machine, now), SM_OK);
        (void)sm_test_take_pending(machine, now);
    }
    assert_int_equal(sm_machine_deadline(machine), 30000000);
    sm_check_status(sm_machine_tick(machine, 30000000), SM_ERR_LIMIT);
    sm_display_server_destroy(server);
    server = ready_server();
    sm_check_status(sm_machine_tick(sm_display_server_machine(server), 31000000), SM_OK);
    sm_display_server_destroy(server);
    sm_test_free_copies();
}

static void server_refuses_reports_and_answers_that_cannot_be(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "6600 20000000 32000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000",
        "6600 1f000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 000000",
        "6800 00000000", /* GL_DRAW_DONE */
        "0400 00000000", /* MIGRATE_FLUSH_MARK */
        "0500 01000000 00",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct sm_display_server *server = ready_server();
        struct sm_display_server_event event;
        sm_test_feed_hex(sm_display_server_machine(server), BAD[i]);
        sm_check_status(sm_display_server_next(server, &event), SM_ERR_PROTOCOL);
        sm_display_server_destroy(server);
    }
    struct sm_display_server *server = ready_server();
    struct sm_display_server_event event;
    struct sm_display_msg draw = {.type = SM_MSG_DISPLAY_GL_DRAW};
    sm_check_status(sm_display_server_send(server, &draw), SM_OK);
    sm_test_feed_hex(sm_display_server_machine(server), "6800 00000000 6800 00000000");
    sm_check_status(sm_display_server_next(server, &event), SM_OK);
    sm_check_status(sm_display_server_next(server, &event), SM_ERR_PROTOCOL);
    sm_display_server_destroy(server);
    sm_test_free_copies();
}

static void palettes_are_forgotten_when_the_client_forgets_them(void **state)
{
    (void)state;
    static const uint16_t EMPTYING[] = {SM_MSG_DISPLAY_INVAL_ALL_PALETTES, SM_MSG_DISPLAY_RESET};
    struct sm_display_server *server = ready_server();
    struct sm_id_cache *palettes = sm_display_server_palettes(server);
    for (int i = 0; i < 2; i++) {
        for (uint64_t id = 0; id <= SM_DISPLAY_MAX_PALETTES; id++)
            sm_check_status(sm_id_cache_add(palettes, id, 1), SM_OK);
        uint64_t evicted = 99;
        assert_true(sm_id_cache_evict(palettes, &evicted));
        assert_int_equal(evicted, 0);
        assert_false(sm_id_cache_evict(palettes, &evicted));
        struct sm_display_msg msg = {.type = EMPTYING[i]};
        sm_check_status(sm_display_server_send(server, &msg), SM_OK);
        assert_int_equal(sm_id_cache_count(palettes), 0);
    }
    sm_display_server_destroy(server);
    sm_test_free_copies();
}

static void messages_that_cannot_be_built_leave_no_trace(void **state)
{
    (void)state;
    struct sm_display_server *server = ready_server();
    struct sm_display_msg copy = {.type = SM_MSG_DISPLAY_DRAW_COPY}; /* without an image */
    sm_check_status(sm_display_server_send(server, &copy), SM_ERR_STATE);
    assert_int_equal(sm_channel_pending_size(sm_display_server_channel(server)), 0);
    uint64_t serial = sm_channel_sent_serial(sm_display_server_channel(server));
    struct sm_display_msg mark = {.type = SM_MSG_DISPLAY_MARK};
    sm_check_status(sm_display_server_send(server, &mark), SM_OK);
    assert_int_equal(sm_channel_sent_serial(sm_display_server_channel(server)), serial + 1);
    sm_check_pending(sm_display_server_machine(server), "6600 00000000");
    sm_display_server_destroy(server);
    sm_test_free_copies();
}

/* A raw image of `side` × `side` pixels as a drawing. */
static enum sm_status draw(struct sm_display_server *server, const uint8_t *pixels, uint32_t side)
{
    struct sm_image image = {
        .id = 1,
        .type = SM_IMAGE_TYPE_BITMAP,
        .width = side,
        .height = side,
        .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                   .flags = SM_BITMAP_FLAG_TOP_DOWN,
                   .x = side,
                   .y = side,
                   .stride = 4 * side,
                   .data = {pixels, (size_t)4 * side * side}},
    };
    int32_t edge = (int32_t)side;
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_DRAW_COPY,
        .draw_copy = {.base = {.box = {.right = edge, .bottom = edge}},
                      .src_bitmap = &image,
                      .src_area = {.right = edge, .bottom = edge},
                      .ropd = SM_ROPD_OP_PUT},
    };
    return sm_display_server_send(server, &msg);
}

static void drawings_arrive_whole_however_bytes_are_cut(void **state)
{
    (void)state;
    static uint8_t pixels[4 * 64 * 64];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i * 31 >> 3);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct sm_display_client *client = new_client(&CLIENT);
        struct sm_display_server *server = new_server();
        struct sm_channel *channel = sm_display_server_channel(server);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_display_server_machine(server),
                          sm_display_client_machine(client), seed ? seed * 700 : 0, seed);
        uint32_t sent = 0, got = 0, idle = 0;
        while (idle < 3) {
            idle = sm_test_wire_step(&wire) ? 0 : idle + 1;
            struct sm_display_server_event at_server;
            while (sm_display_server_next(server, &at_server) == SM_OK)
                ;
            bool can = sm_display_server_is_ready(server) && !sm_channel_is_blocked(channel);
            if (sent < 64 && can) {
                enum sm_status status = draw(server, pixels, sent + 1);
                if (status == SM_OK)
                    sent++;
                else
                    sm_check_status(status, SM_AGAIN);
            }
            struct sm_display_client_event event;
            while (sm_display_client_next(client, &event) == SM_OK) {
                assert_int_equal(event.msg->type, SM_MSG_DISPLAY_DRAW_COPY);
                uint32_t side = ++got;
                const struct sm_image *image = event.msg->draw_copy.src_bitmap;
                assert_int_equal(image->bitmap.x, side);
                sm_check_bytes(image->bitmap.data,
                               ((struct sm_bytes){pixels, (size_t)4 * side * side}));
            }
        }
        assert_int_equal(got, 64);
        assert_true(sm_channel_unacked(channel) < 20);
        sm_test_wire_finish(&wire);
        sm_display_client_destroy(client);
        sm_display_server_destroy(server);
    }
}

static void draw_once(void *context)
{
    (void)context;
    static const uint8_t PIXELS[4 * 16 * 16];
    struct sm_display_server_config config = {.setup = {.has_mini_header = true}, .ack_window = 20};
    struct sm_display_client *client = NULL;
    struct sm_display_server *server = NULL;
    if (sm_display_client_create(&client, &CLIENT, 0) == SM_OK &&
        sm_display_server_create(&server, &config, 0) == SM_OK) {
        size_t taken;
        struct sm_display_server_event at_server;
        struct sm_display_client_event at_client;
        enum sm_status status =
            sm_machine_receive(sm_display_server_machine(server),
                               sm_machine_pending(sm_display_client_machine(client)), 0, &taken);
        while (status == SM_OK)
            status = sm_display_server_next(server, &at_server);
        (void)!draw(server, PIXELS, 16);
        status =
            sm_machine_receive(sm_display_client_machine(client),
                               sm_machine_pending(sm_display_server_machine(server)), 0, &taken);
        while (status == SM_OK)
            status = sm_display_client_next(client, &at_client);
    }
    sm_display_client_destroy(client);
    sm_display_server_destroy(server);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(draw_once, NULL);
    sm_display_client_destroy(NULL);
    sm_display_server_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_says_what_it_caches_first_of_all),
        cmocka_unit_test(preferences_go_only_to_servers_that_know_them),
        cmocka_unit_test(buffer_comes_when_the_byte_of_its_descriptor_has),
        cmocka_unit_test(waits_block_the_client_until_released),
        cmocka_unit_test(malformed_messages_fail_the_client),
        cmocka_unit_test(server_draws_nothing_before_init),
        cmocka_unit_test(hostile_sizes_in_init_are_clamped_or_refused),
        cmocka_unit_test(a_client_that_never_says_init_is_given_up),
        cmocka_unit_test(server_refuses_reports_and_answers_that_cannot_be),
        cmocka_unit_test(palettes_are_forgotten_when_the_client_forgets_them),
        cmocka_unit_test(messages_that_cannot_be_built_leave_no_trace),
        cmocka_unit_test(drawings_arrive_whole_however_bytes_are_cut),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
