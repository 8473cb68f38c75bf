/* SPDX-License-Identifier: MIT */
/*
 * Messages seen on the wire between the reference peers (those marked "composed" were put together
 * by hand): what is in them, and that building gives the same bytes. Source: docs/wire/examples.md.
 */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/agent.h"
#include "core/wire/cursor.h"
#include "core/wire/display.h"
#include "core/wire/frame.h"
#include "core/wire/inputs.h"
#include "core/wire/main.h"

static struct sm_arena arena;
static struct sm_writer writer;

static int set_up(void **state)
{
    (void)state;
    sm_arena_init(&arena, 1 << 20);
    sm_writer_init(&writer, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sm_arena_finish(&arena);
    sm_writer_finish(&writer);
    sm_test_free_copies();
    return 0;
}

/* A message with its mini header: header fields checked, body parsed, built and compared. */
#define ROUND_TRIP(kind, message, message_type, text)                                              \
    do {                                                                                           \
        struct sm_bytes all = sm_test_hex(text);                                                   \
        struct sm_bytes body = body_of(all, (message_type));                                       \
        const char *reason = "";                                                                   \
        enum sm_status status =                                                                    \
            sm_##kind##_parse(&(message), (message_type), body, &arena, &reason);                  \
        if (status != SM_OK)                                                                       \
            print_error("%s\n", reason);                                                           \
        sm_check_status(status, SM_OK);                                                            \
        sm_writer_reset(&writer);                                                                  \
        sm_check_status(sm_##kind##_build(&writer, &(message)), SM_OK);                            \
        sm_check_bytes(sm_writer_bytes(&writer), body);                                            \
    } while (0)

static struct sm_bytes body_of(struct sm_bytes all, uint16_t type)
{
    struct sm_frame frame = sm_frame_parse(all, true);
    assert_true(all.size >= SM_FRAME_MINI_SIZE);
    assert_int_equal(frame.type, type);
    assert_int_equal(frame.size, all.size - SM_FRAME_MINI_SIZE);
    return (struct sm_bytes){all.data + SM_FRAME_MINI_SIZE, frame.size};
}

static void check_rect(struct sm_rect rect, int left, int top, int right, int bottom)
{
    assert_int_equal(rect.left, left);
    assert_int_equal(rect.top, top);
    assert_int_equal(rect.right, right);
    assert_int_equal(rect.bottom, bottom);
}

static void main_starts_with_init_name_uuid_and_pings(void **state)
{
    (void)state;
    struct sm_main_msg msg;
    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_INIT,
               "67 00 20 00 00 00 94 2c 24 c1 01 00 00 00 01 00 00 00 01 00 00 00"
               "00 00 00 00 0a 00 00 00 56 ff 16 00 00 e0 ff 02");
    assert_int_equal(msg.init.session_id, 0xc1242c94);
    assert_int_equal(msg.init.display_channels_hint, 1);
    assert_int_equal(msg.init.supported_mouse_modes, SM_MOUSE_MODE_SERVER);
    assert_int_equal(msg.init.current_mouse_mode, SM_MOUSE_MODE_SERVER);
    assert_int_equal(msg.init.agent_connected, 0);
    assert_int_equal(msg.init.agent_tokens, 10);
    assert_int_equal(msg.init.multi_media_time, 0x0016ff56);
    assert_int_equal(msg.init.ram_hint, 0x02ffe000);

    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_NAME,
               "71 00 0d 00 00 00 09 00 00 00 77 69 72 65 74 65 73 74 00");
    assert_string_equal((const char *)msg.name.name.data, "wiretest");

    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_UUID,
               "72 00 10 00 00 00 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff");
    for (int i = 0; i < 16; i++)
        assert_int_equal(msg.uuid.uuid[i], 0x11 * i);

    ROUND_TRIP(main_msg, msg, SM_MSG_PING, "04 00 0c 00 00 00 01 00 00 00 03 83 db 59 00 00 00 00");
    assert_int_equal(msg.ping.id, 1);
    assert_int_equal(msg.ping.timestamp, 0x59db8303);
    assert_int_equal(msg.ping.data.size, 0);

    struct sm_main_msgc pong;
    ROUND_TRIP(main_msgc, pong, SM_MSGC_PONG,
               "03 00 0c 00 00 00 01 00 00 00 03 83 db 59 00 00 00 00");
    assert_int_equal(pong.pong.timestamp, 0x59db8303);
}

static void the_third_ping_carries_its_load(void **state)
{
    (void)state;
    enum { LOAD = 256000 };
    struct sm_bytes head = sm_test_hex("03 00 00 00 20 83 db 59 00 00 00 00");
    uint8_t *body = calloc(1, 12 + LOAD);
    assert_non_null(body);
    memcpy(body, head.data, head.size);
    struct sm_main_msg msg;
    sm_check_status(
        sm_main_msg_parse(&msg, SM_MSG_PING, (struct sm_bytes){body, 12 + LOAD}, &arena, NULL),
        SM_OK);
    assert_int_equal(msg.ping.id, 3);
    assert_int_equal(msg.ping.data.size, LOAD);
    assert_ptr_equal(msg.ping.data.data, body + 12); /* borrowed, not copied */
    assert_true(sm_main_msg_max_size(SM_MSG_PING) >= 12 + LOAD);
    free(body);
}

static void channels_are_listed(void **state)
{
    (void)state;
    struct sm_main_msgc attach;
    ROUND_TRIP(main_msgc, attach, SM_MSGC_MAIN_ATTACH_CHANNELS, "68 00 00 00 00 00");
    struct sm_main_msg msg;
    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_CHANNELS_LIST,
               "68 00 12 00 00 00 07 00 00 00 06 00 05 00 09 00 02 00 04 00 0a 00 03 00");
    assert_int_equal(msg.channels_list.num_channels, 7);
    const uint8_t types[] = {SM_CHANNEL_RECORD,  SM_CHANNEL_PLAYBACK, SM_CHANNEL_USBREDIR,
                             SM_CHANNEL_DISPLAY, SM_CHANNEL_CURSOR,   SM_CHANNEL_PORT,
                             SM_CHANNEL_INPUTS};
    for (size_t i = 0; i < sizeof(types); i++) {
        assert_int_equal(msg.channels_list.channels[i].type, types[i]);
        assert_int_equal(msg.channels_list.channels[i].id, 0);
    }
}

static void a_display_starts(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    struct sm_display_msgc reply;
    ROUND_TRIP(display_msg, msg, SM_MSG_SET_ACK, "03 00 08 00 00 00 01 00 00 00 14 00 00 00");
    assert_int_equal(msg.set_ack.generation, 1);
    assert_int_equal(msg.set_ack.window, 20);
    ROUND_TRIP(display_msgc, reply, SM_MSGC_ACK_SYNC, "01 00 04 00 00 00 01 00 00 00");
    assert_int_equal(reply.ack_sync.generation, 1);

    ROUND_TRIP(display_msgc, reply, SM_MSGC_DISPLAY_INIT,
               "65 00 0e 00 00 00 01 00 00 40 01 00 00 00 00 01 00 fc 5f 00");
    assert_int_equal(reply.init.pixmap_cache_id, 1);
    assert_int_equal(reply.init.pixmap_cache_size, 20971520);
    assert_int_equal(reply.init.glz_dictionary_id, 1);
    assert_int_equal(reply.init.glz_dictionary_window_size, 6290432);

    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_INVAL_ALL_PALETTES, "6c 00 00 00 00 00");
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_SURFACE_CREATE,
               "3a 01 14 00 00 00 00 00 00 00 40 00 00 00 30 00 00 00 20 00 00 00 01 00 00 00");
    assert_int_equal(msg.surface_create.width, 64);
    assert_int_equal(msg.surface_create.height, 48);
    assert_int_equal(msg.surface_create.format, SM_SURFACE_FORMAT_32_XRGB);
    assert_int_equal(msg.surface_create.flags, SM_SURFACE_FLAG_PRIMARY);

    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_MONITORS_CONFIG,
               "3d 01 20 00 00 00 01 00 01 00 00 00 00 00 00 00 00 00 40 00 00 00 30 00 00 00"
               "00 00 00 00 00 00 00 00 00 00 00 00");
    assert_int_equal(msg.monitors_config.num_heads, 1);
    assert_int_equal(msg.monitors_config.max_allowed, 1);
    assert_int_equal(msg.monitors_config.heads[0].width, 64);
    assert_int_equal(msg.monitors_config.heads[0].height, 48);
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_MARK, "66 00 00 00 00 00");
}

static void a_solid_fill(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_FILL,
               "2e 01 29 00 00 00 00 00 00 00 04 00 00 00 08 00 00 00 0e 00 00 00 18 00 00 00"
               "00 01 99 66 33 00 08 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    const struct sm_msg_display_draw_fill *fill = &msg.draw_fill;
    check_rect(fill->base.box, 8, 4, 24, 14);
    assert_int_equal(fill->base.clip.type, SM_CLIP_TYPE_NONE);
    assert_int_equal(fill->brush.type, SM_BRUSH_TYPE_SOLID);
    assert_int_equal(fill->brush.color, 0x336699);
    assert_int_equal(fill->ropd, SM_ROPD_OP_PUT);
    assert_null(fill->mask.bitmap);
}

static void a_pattern_fill_with_clip_and_mask(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_FILL,
               "2e 01 b5 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00 20 00 00 00"
               "01 02 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00"
               "05 00 00 00 06 00 00 00 07 00 00 00 08 00 00 00"
               "02 55 00 00 00 05 00 00 00 06 00 00 00 40 00"
               "01 01 00 00 00 02 00 00 00 89 00 00 00"
               "01 00 00 00 5a 00 00 00 00 01 02 00 00 00 02 00 00 00"
               "08 04 02 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00"
               "01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00"
               "01 00 00 00 5b 00 00 00 00 00 08 00 00 00 02 00 00 00"
               "02 04 08 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00 f0 00 00 00 0f 00 00 00");
    const struct sm_msg_display_draw_fill *fill = &msg.draw_fill;
    assert_int_equal(fill->base.clip.num_rects, 2);
    check_rect(fill->base.clip.rects[0], 2, 1, 4, 3);
    check_rect(fill->base.clip.rects[1], 6, 5, 8, 7);
    assert_int_equal(fill->brush.type, SM_BRUSH_TYPE_PATTERN);
    assert_int_equal(fill->brush.pos.x, 5);
    assert_int_equal(fill->brush.pos.y, 6);
    const struct sm_image *image = fill->brush.image;
    assert_int_equal(image->id, 0x5a00000001);
    assert_int_equal(image->type, SM_IMAGE_TYPE_BITMAP);
    assert_int_equal(image->flags, SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(image->bitmap.format, SM_BITMAP_FORMAT_32BIT);
    assert_int_equal(image->bitmap.flags, SM_BITMAP_FLAG_TOP_DOWN);
    assert_int_equal(image->bitmap.stride, 8);
    assert_int_equal(image->bitmap.data.size, 16);
    assert_int_equal(image->bitmap.data.data[12], 4);
    assert_int_equal(fill->ropd, SM_ROPD_OP_XOR);
    assert_int_equal(fill->mask.flags, SM_MASK_FLAG_INVERS);
    assert_int_equal(fill->mask.pos.x, 1);
    assert_int_equal(fill->mask.bitmap->id, 0x5b00000001);
    assert_int_equal(fill->mask.bitmap->bitmap.format, SM_BITMAP_FORMAT_1BIT_BE);
    assert_int_equal(fill->mask.bitmap->bitmap.data.data[4], 0x0f);
}

/* The first 57 bytes of all DRAW_COPY examples. */
#define COPY_HEAD                                                                                  \
    "00 00 00 00 14 00 00 00 1e 00 00 00 16 00 00 00 21 00 00 00 00 39 00 00 00"                   \
    "00 00 00 00 00 00 00 00 02 00 00 00 03 00 00 00 08 00 00 00 00 00 00 00 00 00 00 00 00 00 "   \
    "00 00"

static void a_copy_of_a_raw_bitmap(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_COPY,
               "30 01 75 00 00 00" COPY_HEAD "01 00 00 00 4d 00 00 00 00 00 03 00 00 00 02 00 00 00"
               "08 04 03 00 00 00 02 00 00 00 0c 00 00 00 00 00 00 00"
               "00 00 ff 00 00 ff 00 00 ff 00 00 00 ff ff ff 00 80 80 80 00 30 20 10 00");
    const struct sm_msg_display_draw_copy *copy = &msg.draw_copy;
    check_rect(copy->base.box, 30, 20, 33, 22);
    check_rect(copy->src_area, 0, 0, 3, 2);
    assert_int_equal(copy->ropd, SM_ROPD_OP_PUT);
    assert_int_equal(copy->scale_mode, SM_SCALE_MODE_INTERPOLATE);
    assert_int_equal(copy->src_bitmap->width, 3);
    assert_int_equal(copy->src_bitmap->height, 2);
    assert_null(copy->src_bitmap->bitmap.palette);
    assert_int_equal(copy->src_bitmap->bitmap.data.data[2], 0xff); /* red first */
}

static void a_copy_with_a_palette(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_COPY,
               "30 01 7f 00 00 00" COPY_HEAD "01 00 00 00 4e 00 00 00 00 00 03 00 00 00 02 00 00 00"
               "05 05 03 00 00 00 02 00 00 00 04 00 00 00 65 00 00 00 01 02 03 00 03 02 01 00"
               "88 77 66 55 44 33 22 11 04 00 00 00 00 00 00 00 ff 00 00 ff 00 00 ff 00 00 00");
    const struct sm_bitmap *bitmap = &msg.draw_copy.src_bitmap->bitmap;
    assert_int_equal(bitmap->format, SM_BITMAP_FORMAT_8BIT);
    assert_int_equal(bitmap->flags, SM_BITMAP_FLAG_PAL_CACHE_ME | SM_BITMAP_FLAG_TOP_DOWN);
    assert_int_equal(bitmap->palette->unique, 0x1122334455667788);
    assert_int_equal(bitmap->palette->num_ents, 4);
    assert_int_equal(bitmap->palette->ents[1], 0xff0000);
    assert_int_equal(bitmap->palette->ents[3], 0x0000ff);
}

static void a_copy_with_a_palette_from_the_cache(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_COPY,
               "30 01 69 00 00 00" COPY_HEAD "01 00 00 00 4e 00 00 00 00 00 03 00 00 00 02 00 00 00"
               "05 06 03 00 00 00 02 00 00 00 04 00 00 00 88 77 66 55 44 33 22 11"
               "01 02 03 00 03 02 01 00");
    const struct sm_bitmap *bitmap = &msg.draw_copy.src_bitmap->bitmap;
    assert_int_equal(bitmap->palette_id, 0x1122334455667788);
    assert_null(bitmap->palette);
    assert_int_equal(bitmap->data.size, 8);
}

static void an_lz_image(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_DRAW_COPY,
               "30 01 8b 00 00 00" COPY_HEAD
               "00 00 00 00 00 00 00 00 65 00 40 00 00 00 30 00 00 00 3c 00 00 00"
               "20 20 5a 4c 00 01 00 01 00 00 00 08 00 00 00 40 00 00 00 30 00 00 01 00 00 00 00 01"
               "01 00 00 00 00 00 00 e0 ff ff ff ff ff ff ff ff ff ff ff ff 00 00"
               "02 00 00 00 00 00 00 00 00 00");
    assert_int_equal(msg.draw_copy.src_bitmap->type, SM_IMAGE_TYPE_LZ_RGB);
    assert_int_equal(msg.draw_copy.src_bitmap->data.size, 60);
}

static void images_leave_the_cache(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_INVAL_LIST,
               "69 00 0b 00 00 00 01 00 01 01 00 00 00 64 00 00 00");
    assert_int_equal(msg.inval_list.num_resources, 1);
    assert_int_equal(msg.inval_list.resources[0].type, SM_RESOURCE_TYPE_PIXMAP);
    assert_int_equal(msg.inval_list.resources[0].id, 0x6400000001);
}

/* The reference server declares 24 bytes for a sub-message of 11, beyond the end of the body. */
static void a_sub_message_declares_too_much(void **state)
{
    (void)state;
    struct sm_bytes tail = sm_test_hex("69 00 18 00 00 00 01 00 01 01 00 00 00 64 00 00 00"
                                       "01 00 75 00 00 00");
    uint8_t body[140] = {0};
    memcpy(body + 117, tail.data, tail.size);
    uint32_t count = 0;
    sm_check_status(sm_frame_sub_count(SM_TEST_BYTES(body), 134, &count), SM_OK);
    assert_int_equal(count, 1);
    uint16_t type = 0;
    struct sm_bytes sub = sm_frame_sub(SM_TEST_BYTES(body), 134, 0, &type);
    assert_int_equal(type, SM_MSG_DISPLAY_INVAL_LIST);
    struct sm_display_msg msg;
    sm_check_status(sm_display_msg_parse(&msg, type, sub, &arena, NULL), SM_OK);
    assert_int_equal(msg.inval_list.resources[0].id, 0x6400000001);
}

/* Composed. */
static void a_list_carries_a_wait_and_an_invalidation(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_LIST, "08 00 0a 00 00 00 02 00 1b 00 00 00 0a 00 00 00");
    assert_int_equal(msg.list.num_offsets, 2);
    assert_int_equal(msg.list.offsets[0], 27);
    assert_int_equal(msg.list.offsets[1], 10);

    struct sm_bytes body = sm_test_hex("02 00 1b 00 00 00 0a 00 00 00"
                                       "69 00 0b 00 00 00 01 00 01 01 00 00 00 64 00 00 00"
                                       "05 00 0b 00 00 00 01 02 01 2a 00 00 00 00 00 00 00");
    uint16_t type = 0;
    struct sm_bytes sub = sm_frame_sub(body, 0, 0, &type);
    assert_int_equal(type, SM_MSG_WAIT_FOR_CHANNELS);
    sm_check_status(sm_display_msg_parse(&msg, type, sub, &arena, NULL), SM_OK);
    assert_int_equal(msg.wait_for_channels.num_waits, 1);
    assert_int_equal(msg.wait_for_channels.waits[0].channel_type, SM_CHANNEL_DISPLAY);
    assert_int_equal(msg.wait_for_channels.waits[0].channel_id, 1);
    assert_int_equal(msg.wait_for_channels.waits[0].message_serial, 42);
}

static void bits_are_copied(void **state)
{
    (void)state;
    struct sm_display_msg msg;
    ROUND_TRIP(display_msg, msg, SM_MSG_DISPLAY_COPY_BITS,
               "68 00 1d 00 00 00 00 00 00 00 0a 00 00 00 0a 00 00 00 12 00 00 00 12 00 00 00"
               "00 02 00 00 00 03 00 00 00");
    check_rect(msg.copy_bits.base.box, 10, 10, 18, 18);
    assert_int_equal(msg.copy_bits.src_pos.x, 2);
    assert_int_equal(msg.copy_bits.src_pos.y, 3);
}

static void pointers_have_a_shape_or_none(void **state)
{
    (void)state;
    struct sm_cursor_msg msg;
    ROUND_TRIP(cursor_msg, msg, SM_MSG_CURSOR_INIT,
               "65 00 0b 00 00 00 00 00 00 00 00 00 00 00 01 01 00");
    assert_int_equal(msg.init.visible, 1);
    assert_int_equal(msg.init.cursor.flags, SM_CURSOR_FLAG_NONE);

    ROUND_TRIP(cursor_msg, msg, SM_MSG_CURSOR_INIT,
               "65 00 24 00 00 00 14 00 15 00 00 00 00 00 01 02 00 01 ef cd ab 00 00 00 00 01"
               "08 00 04 00 01 00 02 00 ff fe fc f8 01 02 04 08");
    const struct sm_cursor *cursor = &msg.init.cursor;
    assert_int_equal(msg.init.position.x, 20);
    assert_int_equal(msg.init.position.y, 21);
    assert_int_equal(cursor->flags, SM_CURSOR_FLAG_CACHE_ME);
    assert_int_equal(cursor->unique, 0xabcdef01);
    assert_int_equal(cursor->type, SM_CURSOR_TYPE_MONO);
    assert_int_equal(cursor->width, 8);
    assert_int_equal(cursor->height, 4);
    assert_int_equal(cursor->hot_spot_x, 1);
    assert_int_equal(cursor->hot_spot_y, 2);
    assert_int_equal(cursor->data.size, 8);

    ROUND_TRIP(cursor_msg, msg, SM_MSG_CURSOR_MOVE, "68 00 04 00 00 00 14 00 15 00");
    assert_int_equal(msg.move.position.x, 20);
}

/* An agent message with its header, as it lies in one AGENT_DATA. */
static struct sm_bytes agent_body(struct sm_bytes data, uint32_t type)
{
    struct sm_agent_header header;
    sm_check_status(sm_agent_header_parse(&header, data, NULL), SM_OK);
    assert_int_equal(header.type, type);
    assert_int_equal(header.size, data.size - SM_AGENT_HEADER_SIZE);
    return (struct sm_bytes){data.data + SM_AGENT_HEADER_SIZE, header.size};
}

static void the_agent_comes_talks_and_goes(void **state)
{
    (void)state;
    struct sm_main_msg msg;
    struct sm_main_msgc reply;
    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS, "73 00 04 00 00 00 0a 00 00 00");
    assert_int_equal(msg.agent_connected_tokens.num_tokens, 10);
    ROUND_TRIP(main_msgc, reply, SM_MSGC_MAIN_AGENT_START, "6a 00 04 00 00 00 ff ff ff ff");
    assert_int_equal(reply.agent_start.num_tokens, 0xffffffff);

    ROUND_TRIP(main_msgc, reply, SM_MSGC_MAIN_AGENT_DATA,
               "6b 00 1c 00 00 00 01 00 00 00 06 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00"
               "01 00 00 00 6f 1c 00 00");
    struct sm_agent_msg agent;
    sm_check_status(
        sm_agent_msg_parse(&agent, SM_AGENT_ANNOUNCE_CAPABILITIES,
                           agent_body(reply.agent_data.data, SM_AGENT_ANNOUNCE_CAPABILITIES), 0,
                           &arena, NULL),
        SM_OK);
    assert_int_equal(agent.announce_capabilities.request, 1);
    assert_int_equal(agent.announce_capabilities.num_caps, 1);
    assert_int_equal(agent.announce_capabilities.caps[0], 0x1c6f);

    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_AGENT_TOKEN, "6e 00 04 00 00 00 05 00 00 00");
    assert_int_equal(msg.agent_token.num_tokens, 5);
    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_AGENT_DATA,
               "6d 00 1c 00 00 00 01 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00"
               "02 00 00 00 01 00 00 00");
    sm_check_status(sm_agent_msg_parse(&agent, SM_AGENT_REPLY,
                                       agent_body(msg.agent_data.data, SM_AGENT_REPLY), 0, &arena,
                                       NULL),
                    SM_OK);
    assert_int_equal(agent.reply.type, SM_AGENT_MONITORS_CONFIG);
    assert_int_equal(agent.reply.error, SM_AGENT_ERROR_SUCCESS);
    ROUND_TRIP(main_msg, msg, SM_MSG_MAIN_AGENT_DISCONNECTED, "6c 00 04 00 00 00 00 00 00 00");
}

/* Composed: the same grab with all, some and none of the optional fields. */
static void a_clipboard_grab_depends_on_what_was_announced(void **state)
{
    (void)state;
    const struct {
        uint32_t context;
        const char *text;
    } grabs[] = {
        {0, "01 00 00 00"},
        {SM_AGENT_CONTEXT_SELECTION, "01 00 00 00 01 00 00 00"},
        {SM_AGENT_CONTEXT_SELECTION | SM_AGENT_CONTEXT_GRAB_SERIAL,
         "01 00 00 00 07 00 00 00 01 00 00 00"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct sm_bytes body = sm_test_hex(grabs[i].text);
        struct sm_agent_msg msg;
        sm_check_status(
            sm_agent_msg_parse(&msg, SM_AGENT_CLIPBOARD_GRAB, body, grabs[i].context, &arena, NULL),
            SM_OK);
        assert_int_equal(msg.clipboard_grab.num_types, 1);
        assert_int_equal(msg.clipboard_grab.types[0], SM_CLIPBOARD_TYPE_UTF8_TEXT);
        assert_int_equal(msg.clipboard_grab.selection,
                         grabs[i].context ? SM_CLIPBOARD_SELECTION_PRIMARY : 0);
        assert_int_equal(msg.clipboard_grab.serial, i == 2 ? 7 : 0);
        sm_writer_reset(&writer);
        sm_check_status(sm_agent_msg_build(&writer, &msg, grabs[i].context), SM_OK);
        sm_check_bytes(sm_writer_bytes(&writer), body);
    }
}

/* Composed. */
static void keys_and_the_mouse(void **state)
{
    (void)state;
    struct sm_inputs_msgc msg;
    ROUND_TRIP(inputs_msgc, msg, SM_MSGC_INPUTS_KEY_DOWN, "65 00 04 00 00 00 1e 00 00 00");
    assert_int_equal(msg.key_down.code, 0x1e);
    ROUND_TRIP(inputs_msgc, msg, SM_MSGC_INPUTS_KEY_UP, "66 00 04 00 00 00 9e 00 00 00");
    assert_int_equal(msg.key_up.code, 0x9e);
    ROUND_TRIP(inputs_msgc, msg, SM_MSGC_INPUTS_MOUSE_POSITION,
               "70 00 0b 00 00 00 40 01 00 00 f0 00 00 00 00 00 00");
    assert_int_equal(msg.mouse_position.x, 320);
    assert_int_equal(msg.mouse_position.y, 240);
    ROUND_TRIP(inputs_msgc, msg, SM_MSGC_INPUTS_MOUSE_PRESS, "71 00 03 00 00 00 01 01 00");
    assert_int_equal(msg.mouse_press.button, SM_MOUSE_BUTTON_LEFT);
    assert_int_equal(msg.mouse_press.buttons_state, SM_MOUSE_BUTTON_MASK_LEFT);
    ROUND_TRIP(inputs_msgc, msg, SM_MSGC_INPUTS_MOUSE_RELEASE, "72 00 03 00 00 00 01 00 00");
    assert_int_equal(msg.mouse_release.buttons_state, 0);
    struct sm_inputs_msg ack;
    ROUND_TRIP(inputs_msg, ack, SM_MSG_INPUTS_MOUSE_MOTION_ACK, "6f 00 00 00 00 00");
}

#define EXAMPLE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXAMPLE(main_starts_with_init_name_uuid_and_pings),
        EXAMPLE(the_third_ping_carries_its_load),
        EXAMPLE(channels_are_listed),
        EXAMPLE(a_display_starts),
        EXAMPLE(a_solid_fill),
        EXAMPLE(a_pattern_fill_with_clip_and_mask),
        EXAMPLE(a_copy_of_a_raw_bitmap),
        EXAMPLE(a_copy_with_a_palette),
        EXAMPLE(a_copy_with_a_palette_from_the_cache),
        EXAMPLE(an_lz_image),
        EXAMPLE(images_leave_the_cache),
        EXAMPLE(a_sub_message_declares_too_much),
        EXAMPLE(a_list_carries_a_wait_and_an_invalidation),
        EXAMPLE(bits_are_copied),
        EXAMPLE(pointers_have_a_shape_or_none),
        EXAMPLE(the_agent_comes_talks_and_goes),
        EXAMPLE(a_clipboard_grab_depends_on_what_was_announced),
        EXAMPLE(keys_and_the_mouse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
