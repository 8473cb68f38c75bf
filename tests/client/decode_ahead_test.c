/* SPDX-License-Identifier: MIT */
/* Images that are decoded before their turn: a display shows what it would show without. */
#include "tests/support/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "core/codec/encoder.h"
#include "core/wire/frame.h"
#include "io/clock.h"
#include "tests/client/sessions.h"

enum {
    EDGE = 256, /* of the surface, and of images that are worth it */
    IMAGES = 24,
};

static const struct sm_rect ALL = {0, 0, EDGE, EDGE};

/* ---- What is sent: whole messages in one piece, so that there is something to look ahead to ----
 */

static void put(struct sm_writer *w, const struct sm_display_msg *msg)
{
    struct sm_writer body;
    sm_writer_init(&body, 1 << 20);
    sm_check_status(sm_display_msg_build(&body, msg), SM_OK);
    sm_frame_build(w, &(struct sm_frame){.type = msg->type, .size = (uint32_t)body.size}, true);
    sm_put_bytes(w, sm_writer_bytes(&body));
    sm_writer_finish(&body);
}

static void put_type(struct sm_writer *w, uint16_t type)
{
    put(w, &(struct sm_display_msg){.type = type});
}

static void put_surface(struct sm_writer *w, uint32_t id)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_CREATE};
    msg.surface_create.surface_id = id;
    msg.surface_create.width = msg.surface_create.height = EDGE;
    msg.surface_create.format = SM_SURFACE_FORMAT_32_XRGB;
    msg.surface_create.flags = id == 0 ? SM_SURFACE_FLAG_PRIMARY : 0;
    put(w, &msg);
}

static void put_fill(struct sm_writer *w, uint32_t colour)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    msg.draw_fill.base.box = ALL;
    msg.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    msg.draw_fill.brush.color = colour;
    msg.draw_fill.ropd = SM_ROPD_OP_PUT;
    put(w, &msg);
}

static void put_copy(struct sm_writer *w, const struct sm_image *image, uint16_t ropd)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = ALL;
    msg.draw_copy.src_bitmap = image;
    msg.draw_copy.src_area = ALL;
    msg.draw_copy.ropd = ropd;
    put(w, &msg);
}

/* `colour` at the first pixel, then something that takes QUIC a KiB or two. */
static uint32_t colour_at(uint32_t colour, uint32_t x, uint32_t y)
{
    bool is_speckle = (x * 7 + y * 13) % 61 == 60;
    return colour ^ (is_speckle ? 0x101010 * (y % 8) : 0);
}

static void encode_rows(struct sm_writer *data, const uint32_t *pixels, uint32_t side)
{
    const struct sm_pixels_in in = {
        .format = SM_PIXEL_XRGB32,
        .width = side,
        .height = side,
        .is_top_down = true,
        .stride_bytes = side * 4,
        .data = {(const uint8_t *)pixels, (size_t)side * side * 4},
    };
    enum sm_image_codec codec = SM_CODEC_QUIC;
    const struct sm_encoder_config config = {0};
    struct sm_encoder *encoder = NULL;
    struct sm_encoded info;
    sm_check_status(sm_encoder_create(&encoder, &config), SM_OK);
    sm_writer_init(data, 1 << 20);
    sm_check_status(sm_image_encode(encoder, &codec, &in, &info, data), SM_OK);
    sm_encoder_destroy(encoder);
}

static void encode(struct sm_writer *data, uint32_t colour)
{
    uint32_t *pixels = calloc((size_t)EDGE * EDGE, sizeof(*pixels));
    assert_non_null(pixels);
    for (uint32_t y = 0; y < EDGE; y++)
        for (uint32_t x = 0; x < EDGE; x++)
            pixels[y * EDGE + x] = colour_at(colour, x, y);
    encode_rows(data, pixels, EDGE);
    free(pixels);
}

/* Encoding is slow where threads are watched: `count` times the same costs it once. */
static void put_images(struct sm_writer *w, uint32_t colour, uint16_t ropd, uint64_t id,
                       uint32_t count)
{
    struct sm_writer data;
    encode(&data, colour);
    const struct sm_image image = {.id = id,
                                   .type = SM_IMAGE_TYPE_QUIC,
                                   .flags = id ? SM_IMAGE_FLAG_CACHE_ME : 0,
                                   .width = EDGE,
                                   .height = EDGE,
                                   .data = sm_writer_bytes(&data)};
    for (uint32_t i = 0; i < count; i++)
        put_copy(w, &image, ropd);
    sm_writer_finish(&data);
}

static void put_image(struct sm_writer *w, uint32_t colour, uint16_t ropd, uint64_t id)
{
    put_images(w, colour, ropd, id, 1);
}

/* A black image that is not worth it, over the whole surface. */
static void put_small(struct sm_writer *w)
{
    static const uint32_t pixels[SIDE * SIDE];
    struct sm_writer data;
    encode_rows(&data, pixels, SIDE);
    const struct sm_image image = {
        .type = SM_IMAGE_TYPE_QUIC, .width = SIDE, .height = SIDE, .data = sm_writer_bytes(&data)};
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = ALL;
    msg.draw_copy.src_bitmap = &image;
    msg.draw_copy.src_area = WHOLE;
    msg.draw_copy.ropd = SM_ROPD_OP_PUT;
    msg.draw_copy.scale_mode = SM_SCALE_MODE_NEAREST;
    put(w, &msg);
    sm_writer_finish(&data);
}

/* Broken in its middle. */
static void put_broken(struct sm_writer *w, uint32_t colour)
{
    struct sm_writer data;
    encode(&data, colour);
    const struct sm_image image = {.type = SM_IMAGE_TYPE_QUIC,
                                   .width = EDGE,
                                   .height = EDGE,
                                   .data = {data.data, data.size / 2 / 4 * 4}};
    put_copy(w, &image, SM_ROPD_OP_PUT);
    sm_writer_finish(&data);
}

static void put_cached(struct sm_writer *w, uint64_t id, uint16_t ropd)
{
    const struct sm_image image = {
        .id = id, .type = SM_IMAGE_TYPE_FROM_CACHE, .width = EDGE, .height = EDGE};
    put_copy(w, &image, ropd);
}

static void begin(struct sm_writer *w)
{
    sm_writer_init(w, 64 << 20);
    put_surface(w, 0);
    put_type(w, SM_MSG_DISPLAY_MARK);
}

static void send_off(struct fake_peer *peer, struct sm_writer *w)
{
    struct sm_bytes left = sm_writer_bytes(w);
    while (left.size) {
        ssize_t put_size = send(peer->fd, left.data, left.size, MSG_NOSIGNAL);
        if (put_size <= 0)
            break; /* the client has gone */
        left.data += put_size;
        left.size -= (size_t)put_size;
    }
    sm_writer_finish(w);
}

/* ---- Sessions ---- */

/* Threads of ours that decode; how many of them are confined. */
static unsigned count_threads(unsigned *confined)
{
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    unsigned count = 0;
    *confined = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[64], line[128], name[64] = "";
        int mode = 0;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file)) {
            (void)sscanf(line, "Name: %63[^\n]", name);
            (void)sscanf(line, "Seccomp: %d", &mode);
        }
        if (file)
            fclose(file);
        count += strcmp(name, "sumac decode") == 0;
        *confined += strcmp(name, "sumac decode") == 0 && mode == 2;
    }
    closedir(folder);
    return count;
}

/* A thread takes a while to be named and confined, and to go from the kernel's list. */
static void await_threads(unsigned expected, unsigned expected_confined)
{
    unsigned confined = 0, count = count_threads(&confined);
    uint64_t until_us = sm_now_us() + (uint64_t)PATIENCE_MS * 1000;
    while ((count != expected || confined != expected_confined) && sm_now_us() < until_us) {
        usleep(1000);
        count = count_threads(&confined);
    }
    assert_int_equal(count, expected);
    assert_int_equal(confined, expected_confined);
}

/* Where the kernel has filters, the display's own thread is confined, and so are these. */
static void check_threads(struct sm_session *session, unsigned expected)
{
    struct sm_channel_info channels[2];
    assert_true(sm_session_get_channels(session, channels, 2) >= 2);
    await_threads(expected, channels[1].is_confined ? expected : 0);
}

static struct sm_session *connect_with(struct fake_server *server, unsigned threads)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_decoding_threads(session, threads), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    return session;
}

static struct sm_display_info info_of(struct sm_session *session)
{
    struct sm_display_info info;
    assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
    return info;
}

static void check_picture(struct sm_session *session, uint32_t colour)
{
    struct sm_display_view view;
    sm_check_status(sm_display_lock(session, 0, &view), SM_OK);
    unsigned wrong = 0;
    for (uint32_t y = 0; y < EDGE; y++)
        for (uint32_t x = 0; x < EDGE; x++) {
            uint32_t is;
            memcpy(&is, view.pixels + y * view.stride_bytes + 4 * (size_t)x, sizeof(is));
            wrong += (is & 0xffffff) != (colour_at(colour, x, y) & 0xffffff);
        }
    sm_display_unlock(session, 0);
    assert_int_equal(wrong, 0);
}

/* Shows what `display` sends, without threads and with one to four, until `colour` is there. */
static void check_with_all(void (*display)(struct fake_peer *peer), uint32_t colour,
                           uint64_t drawings, uint64_t failed)
{
    for (unsigned threads = 0; threads <= 4; threads++) {
        struct fake_script script = {
            .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = display};
        struct fake_server *server = fake_server_start(&script);
        struct sm_session *session = connect_with(server, threads);
        await_pixel(session, 0, colour);
        while (info_of(session).drawings < drawings) /* it may have been there before */
            (void)await_event(session, SM_EVENT_DISPLAY_DAMAGE);
        check_picture(session, colour);
        struct sm_display_info info = info_of(session);
        assert_int_equal(info.drawings, drawings);
        assert_int_equal(info.failed_drawings, failed);
        check_threads(session, threads);
        sm_session_destroy(session);
        fake_server_stop(server);
        await_threads(0, 0);
    }
}

/* ---- ---- */

/* Each changes what the ones before it left: XOR of all colours, over and over, and fills between
 * them, which take no time. */
static void send_layers(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES; i++) {
        put_image(&w, 0x010000 * i, SM_ROPD_OP_PUT, 0);
        if (i % 3 == 0)
            put_fill(&w, 0x000100 * i);
        put_image(&w, 0x000001 * i, SM_ROPD_OP_XOR, 0);
        if (i % 5 == 0)
            put_type(&w, SM_MSG_DISPLAY_INVAL_ALL_PALETTES);
    }
    put_fill(&w, RED);
    put_small(&w); /* makes it black, while the next one waits decoded */
    put_image(&w, GREEN, SM_ROPD_OP_OR, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void images_are_drawn_in_their_order(void **state)
{
    (void)state;
    check_with_all(send_layers, GREEN, 2 * IMAGES + IMAGES / 3 + 3, 0);
}

/* The same id is kept again and again, and used in between. */
static void send_kept(struct fake_peer *peer)
{
    struct sm_resource_id seven = {.type = SM_RESOURCE_TYPE_PIXMAP, .id = 7};
    struct sm_display_msg drop = {.type = SM_MSG_DISPLAY_INVAL_LIST};
    drop.inval_list.num_resources = 1;
    drop.inval_list.resources = &seven;
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES; i++) {
        put_image(&w, i % 2 ? RED : 0x000011 * (i % 15), SM_ROPD_OP_PUT, 7);
        put_image(&w, BLUE, SM_ROPD_OP_PUT, 0);
        put_cached(&w, 7, SM_ROPD_OP_PUT);
        put(&w, &drop);
    }
    put_image(&w, GREEN, SM_ROPD_OP_PUT, 7);
    put_fill(&w, RED);
    put_cached(&w, 7, SM_ROPD_OP_PUT);
    send_off(peer, &w);
    fake_drain(peer);
}

static void images_are_kept_in_their_order(void **state)
{
    (void)state;
    check_with_all(send_kept, GREEN, 3 * IMAGES + 3, 0);
}

static void send_damaged(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES; i++) {
        put_image(&w, RED, SM_ROPD_OP_PUT, 0);
        if (i % 2)
            put_broken(&w, BLUE);
    }
    put_broken(&w, BLUE);
    put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void broken_images_are_left_out_and_the_others_drawn(void **state)
{
    (void)state;
    check_with_all(send_damaged, GREEN, IMAGES + IMAGES / 2 + 2, IMAGES / 2 + 1);
}

/* Surfaces that go and come between images that are on the way. */
static void send_surfaces(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES / 4; i++) {
        put_image(&w, RED, SM_ROPD_OP_PUT, 0);
        put_image(&w, BLUE, SM_ROPD_OP_PUT, 0);
        struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_DESTROY};
        put(&w, &msg);
        put_image(&w, RED, SM_ROPD_OP_PUT, 0); /* on nothing */
        put_surface(&w, 0);
        put_type(&w, SM_MSG_DISPLAY_MARK);
        put_image(&w, BLUE, SM_ROPD_OP_PUT, 0);
        put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    }
    put_image(&w, RED | GREEN, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void surfaces_come_and_go_between_images(void **state)
{
    (void)state;
    check_with_all(send_surfaces, RED | GREEN, 5 * (IMAGES / 4) + 1, 0);
}

/* Images of more than may be under way at once, and of nearly so much, by their descriptors alone;
 * and real ones. */
static void send_absurd(struct fake_peer *peer)
{
    static const uint8_t nothing[600];
    const struct sm_image huge = {.type = SM_IMAGE_TYPE_JPEG,
                                  .width = 4200,
                                  .height = 4000,
                                  .data = {nothing, sizeof(nothing)}};
    const struct sm_image large = {.type = SM_IMAGE_TYPE_QUIC,
                                   .width = 4000,
                                   .height = 4000,
                                   .data = {nothing, sizeof(nothing)}};
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES; i++) {
        if (i % (IMAGES / 2) == 0) /* costs memory in its turn, as it always did */
            put_copy(&w, &huge, SM_ROPD_OP_PUT);
        put_copy(&w, &large, SM_ROPD_OP_PUT);
        put_image(&w, RED, SM_ROPD_OP_PUT, 0);
    }
    put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void absurd_sizes_hold_nothing_up(void **state)
{
    (void)state;
    check_with_all(send_absurd, GREEN, 2 * IMAGES + 3, IMAGES + 2);
}

/* A message that cannot be parsed ends the channel; what came before it is drawn. */
static void send_nonsense(struct fake_peer *peer)
{
    struct sm_writer w;
    uint8_t nonsense[400];
    memset(nonsense, 0xff, sizeof(nonsense));
    begin(&w);
    put_image(&w, RED, SM_ROPD_OP_PUT, 0);
    put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    put_image(&w, BLUE, SM_ROPD_OP_PUT, 0);
    sm_frame_build(
        &w, &(struct sm_frame){.type = SM_MSG_DISPLAY_DRAW_COPY, .size = sizeof(nonsense)}, true);
    sm_put_bytes(&w, SM_TEST_BYTES(nonsense));
    put_image(&w, RED, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void what_came_before_nonsense_is_drawn(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 2; threads++) {
        struct fake_script script = {
            .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = send_nonsense};
        struct fake_server *server = fake_server_start(&script);
        struct sm_session *session = connect_with(server, threads);
        (void)await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
        check_picture(session, BLUE);
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

/* The session ends whatever is on its way. */
static void send_without_end(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    put_fill(&w, BLUE);
    put_images(&w, RED, SM_ROPD_OP_PUT, 0, 10 * IMAGES);
    send_off(peer, &w);
    fake_drain(peer);
}

static void a_session_ends_while_images_are_decoded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct fake_script script = {
            .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = send_without_end};
        struct fake_server *server = fake_server_start(&script);
        struct sm_session *session = connect_with(server, 1 + i % 2);
        (void)await_event(session, SM_EVENT_DISPLAY_DAMAGE);
        usleep(i * 1000); /* sooner and later */
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

/* The line is lost in the middle, and comes back. */
static atomic_int connections;

static void send_and_cut(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    bool is_last = atomic_fetch_add(&connections, 1) >= 3;
    put_images(&w, RED, SM_ROPD_OP_PUT, 0, IMAGES);
    if (is_last)
        put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    if (is_last)
        fake_drain(peer);
}

static void a_lost_line_takes_what_is_being_decoded_along(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = send_and_cut};
    atomic_store(&connections, 0);
    for (unsigned i = 0; i < 4; i++) {
        struct fake_server *server = fake_server_start(&script);
        struct sm_session *session = connect_with(server, 2);
        if (i < 3)
            (void)await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
        else
            await_pixel(session, 0, GREEN);
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

/* Two displays share the threads. */
static void send_to_both(struct fake_peer *peer)
{
    struct sm_writer w;
    begin(&w);
    for (uint32_t i = 0; i < IMAGES; i++)
        put_image(&w, peer->id ? RED : BLUE, SM_ROPD_OP_PUT, peer->id == 0 ? 100 + i : 0);
    if (peer->id)
        put_cached(&w, 100 + IMAGES - 1, SM_ROPD_OP_PUT);
    else
        put_image(&w, GREEN, SM_ROPD_OP_PUT, 0);
    send_off(peer, &w);
    fake_drain(peer);
}

static void displays_share_the_threads(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_DISPLAY, 1}},
                                 .channel_count = 2,
                                 .display = send_to_both};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_with(server, 2);
    await_pixel(session, 0, GREEN);
    await_pixel(session, 1, BLUE);
    struct sm_display_info info[2];
    assert_int_equal(sm_session_get_displays(session, info, 2), 2);
    assert_int_equal(info[0].failed_drawings + info[1].failed_drawings, 0);
    check_threads(session, 2);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void the_number_of_threads_is_limited(void **state)
{
    (void)state;
    struct sm_session *session = create("spice://localhost:5900");
    sm_check_status(sm_session_set_decoding_threads(session, 4), SM_OK);
    sm_check_status(sm_session_set_decoding_threads(session, 5), SM_ERR_LIMIT);
    sm_session_destroy(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_drawn_in_their_order),
        cmocka_unit_test(images_are_kept_in_their_order),
        cmocka_unit_test(broken_images_are_left_out_and_the_others_drawn),
        cmocka_unit_test(surfaces_come_and_go_between_images),
        cmocka_unit_test(absurd_sizes_hold_nothing_up),
        cmocka_unit_test(what_came_before_nonsense_is_drawn),
        cmocka_unit_test(a_session_ends_while_images_are_decoded),
        cmocka_unit_test(a_lost_line_takes_what_is_being_decoded_along),
        cmocka_unit_test(displays_share_the_threads),
        cmocka_unit_test(the_number_of_threads_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
