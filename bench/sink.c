/* SPDX-License-Identifier: MIT */
/*
 * A client that counts instead of drawing: how long until the first picture, how long from a key to
 * the drawing it causes, how many messages and bytes. It speaks to any server; bench/echo is the
 * host it is made for. With --images it lists, for every key and at the end, the images of the
 * drawings since the last key: for each type of image a line "TYPE COUNT BYTES PIXELS" with the
 * sums of their encoded data and sizes; then an empty line. With --bulk a port's stream runs beside
 * the keys, down, up or both ways, as fast as both ends let it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/math.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/channel/channel.h"
#include "core/channel/link_client.h"
#include "core/wire/display.h"
#include "core/wire/inputs.h"
#include "core/wire/link.h"
#include "core/wire/main.h"
#include "core/wire/spicevmc.h"
#include "io/clock.h"
#include "io/epoll_loop.h"
#include "io/pump.h"
#include "io/socket.h"
#include "io/ticket.h"

enum {
    MAX_BODY = 256 << 20,
    KEY_PAUSE_MS = 20,        /* quiet between a drawing and the next key */
    QUIET_AT_FIRST_MS = 2000, /* what a host may need to begin */
    IMAGE_TYPES = 256,
    BULK_PIECE_BYTES = 64 << 10,
    BULK_PIECE_MIN_BYTES = 4 << 10,
    BULK_BEFORE_KEYS_MS = 2000, /* until the line is as full as it gets */
    KEY_A = 0x1e,
    KEY_A_UP = 0x9e,
    DISPLAY_CAPS = 1 << SM_DISPLAY_CAP_SIZED_STREAM | 1 << SM_DISPLAY_CAP_MONITORS_CONFIG |
                   1 << SM_DISPLAY_CAP_COMPOSITE | 1 << SM_DISPLAY_CAP_A8_SURFACE |
                   1 << SM_DISPLAY_CAP_LZ4_COMPRESSION,
};

struct sink;

struct connection {
    struct sink *sink;
    uint8_t type;
    struct sm_pump *pump;
    struct sm_link_client *link;
    struct sm_channel *channel;
    uint64_t messages, body_bytes;
};

/* What images of one type came to since the last key. */
struct image_sum {
    uint64_t count, bytes, pixels;
};

struct sink {
    struct sm_epoll_loop *loop;
    const char *host;
    uint16_t port;
    struct connection main, display, inputs, bulk;
    uint32_t session_id;
    struct sm_timer *key_timer, *skip_timer, *end_timer;
    uint64_t started_us, first_picture_us, last_picture_us, key_us;
    uint64_t drawings, frames; /* messages that change pixels; of these, of video streams */
    uint32_t keys, keys_wanted, seconds, skip, quiet_ms;
    uint64_t pixels, pixels_wanted; /* of images since the key; until it is answered */
    bool lists_images;
    bool bulk_goes_down, bulk_goes_up;
    uint64_t bulk_since_us, bulk_bytes_up; /* since then; the ones down are the connection's */
    uint8_t bulk_piece[BULK_PIECE_BYTES];
    struct sm_arena arena; /* for one drawing's message */
    struct image_sum images[IMAGE_TYPES];
    uint64_t *samples_us; /* one a key */
    bool has_failed;
};

static void stop(struct sink *sink, const char *why)
{
    if (why)
        fprintf(stderr, "bench-sink: %s\n", why);
    sink->has_failed = sink->has_failed || why;
    sm_epoll_loop_stop(sink->loop);
}

static void must(struct sink *sink, enum sm_status status, const char *what)
{
    if (status != SM_OK)
        stop(sink, what);
}

static uint32_t any_size(uint16_t type)
{
    (void)type;
    return MAX_BODY;
}

static void send_message(struct connection *c, uint16_t type, const void *body, size_t size)
{
    struct sm_bytes bytes = {.data = body, .size = size};
    must(c->sink, sm_channel_send(c->channel, type, bytes), "a message cannot be sent");
    sm_pump_kick(c->pump);
}

static void open_connection(struct sink *sink, struct connection *c, uint8_t type);

static void press_key(void *opaque)
{
    struct sink *sink = opaque;
    static const uint8_t DOWN[4] = {KEY_A}, UP[4] = {KEY_A_UP};
    sink->key_us = sm_now_us();
    sink->pixels = 0;
    memset(sink->images, 0, sizeof(sink->images));
    send_message(&sink->inputs, SM_MSGC_INPUTS_KEY_DOWN, DOWN, sizeof(DOWN));
    send_message(&sink->inputs, SM_MSGC_INPUTS_KEY_UP, UP, sizeof(UP));
}

static void finish_counting(void *opaque)
{
    stop(opaque, NULL);
}

/* What came until here was the beginning, and does not count. */
static void begin_counting(void *opaque)
{
    struct sink *sink = opaque;
    sink->drawings = sink->frames = 0;
    sink->display.messages = sink->display.body_bytes = 0;
    sm_loop_timer_start(sm_epoll_loop_base(sink->loop), sink->end_timer, sink->seconds * 1000);
}

static void note_image(struct sink *sink, const struct sm_channel_message *message)
{
    struct sm_display_msg parsed;
    if (message->type != SM_MSG_DISPLAY_DRAW_COPY)
        return;
    sm_arena_reset(&sink->arena);
    if (sm_display_msg_parse(&parsed, message->type, message->body, &sink->arena, NULL) != SM_OK) {
        stop(sink, "a drawing cannot be parsed");
        return;
    }
    const struct sm_image *image = parsed.draw_copy.src_bitmap;
    if (!image)
        return;
    struct image_sum *sum = &sink->images[image->type];
    sum->count++;
    sum->bytes += image->type == SM_IMAGE_TYPE_BITMAP ? image->bitmap.data.size : image->data.size;
    sum->pixels += (uint64_t)image->width * image->height;
    sink->pixels += (uint64_t)image->width * image->height;
}

static void list_images(struct sink *sink)
{
    for (int type = 0; type < IMAGE_TYPES; type++) {
        if (sink->images[type].pixels)
            printf("%d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", type, sink->images[type].count,
                   sink->images[type].bytes, sink->images[type].pixels);
    }
    printf("\n");
    memset(sink->images, 0, sizeof(sink->images));
}

static void note_drawing(struct sink *sink, const struct sm_channel_message *message)
{
    if (sink->lists_images || sink->pixels_wanted)
        note_image(sink, message);
    sink->drawings++;
    sink->last_picture_us = sm_now_us();
    if (sink->quiet_ms && sink->first_picture_us)
        sm_loop_timer_start(sm_epoll_loop_base(sink->loop), sink->end_timer, sink->quiet_ms);
    if (!sink->key_us || sink->keys >= sink->keys_wanted)
        return;
    if (sink->pixels < sink->pixels_wanted)
        return;
    sink->pixels = 0;
    if (sink->lists_images)
        list_images(sink);
    sink->samples_us[sink->keys++] = sm_now_us() - sink->key_us;
    sink->key_us = 0;
    if (sink->keys == sink->keys_wanted && !sink->seconds)
        stop(sink, NULL);
    else
        sm_loop_timer_start(sm_epoll_loop_base(sink->loop), sink->key_timer, KEY_PAUSE_MS);
}

static bool has_bulk(const struct sink *sink)
{
    return sink->bulk_goes_down || sink->bulk_goes_up;
}

/* As much as may wait, and as the line has room for; what it takes makes room for more. */
static void fill_bulk(struct sink *sink)
{
    struct sm_channel *channel = sink->bulk.channel;
    while (sink->bulk_goes_up && sm_channel_pending_size(channel) < 2 * BULK_PIECE_BYTES) {
        size_t room = sm_channel_room(channel);
        if (room == 0)
            break;
        if (room < BULK_PIECE_MIN_BYTES)
            room = BULK_PIECE_MIN_BYTES;
        struct sm_bytes piece = {.data = sink->bulk_piece,
                                 .size = sm_min_size(room, BULK_PIECE_BYTES)};
        must(sink, sm_channel_send(channel, SM_MSGC_SPICEVMC_DATA, piece), "out of memory");
        sink->bulk_bytes_up += piece.size;
    }
    sm_pump_kick(sink->bulk.pump);
}

static void start_bulk(struct sink *sink)
{
    static const uint8_t TALK = 't';
    sink->bulk_since_us = sm_now_us();
    if (sink->bulk_goes_down)
        send_message(&sink->bulk, SM_MSGC_SPICEVMC_DATA, &TALK, sizeof(TALK));
    fill_bulk(sink);
}

static void note_mark(struct sink *sink)
{
    if (sink->first_picture_us)
        return;
    sink->first_picture_us = sm_now_us();
    struct sm_loop loop = sm_epoll_loop_base(sink->loop);
    if (has_bulk(sink))
        open_connection(sink, &sink->bulk, SM_CHANNEL_PORT);
    if (sink->keys_wanted)
        sm_loop_timer_start(loop, sink->key_timer,
                            has_bulk(sink) ? BULK_BEFORE_KEYS_MS : 10 * KEY_PAUSE_MS);
    if (sink->skip)
        sm_loop_timer_start(loop, sink->skip_timer, sink->skip * 1000);
    else if (sink->seconds)
        sm_loop_timer_start(loop, sink->end_timer, sink->seconds * 1000);
    if (sink->quiet_ms)
        sm_loop_timer_start(loop, sink->end_timer, QUIET_AT_FIRST_MS + sink->quiet_ms);
    if (!sink->keys_wanted && !sink->seconds && !sink->quiet_ms)
        stop(sink, NULL);
}

static void on_main(struct sink *sink, const struct sm_channel_message *message)
{
    struct sm_reader r = sm_reader(message->body);
    if (message->type == SM_MSG_MAIN_INIT) {
        sink->session_id = sm_get_le32(&r);
        send_message(&sink->main, SM_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    } else if (message->type == SM_MSG_MAIN_CHANNELS_LIST && !sink->display.pump) {
        open_connection(sink, &sink->display, SM_CHANNEL_DISPLAY);
        open_connection(sink, &sink->inputs, SM_CHANNEL_INPUTS);
    }
}

static void on_display(struct sink *sink, const struct sm_channel_message *message)
{
    uint16_t type = message->type;
    if (type == SM_MSG_DISPLAY_STREAM_DATA || type == SM_MSG_DISPLAY_STREAM_DATA_SIZED)
        sink->frames++;
    if (type == SM_MSG_DISPLAY_MARK)
        note_mark(sink);
    else if ((type >= SM_MSG_DISPLAY_DRAW_FILL && type <= SM_MSG_DISPLAY_DRAW_COMPOSITE) ||
             type == SM_MSG_DISPLAY_COPY_BITS || type == SM_MSG_DISPLAY_STREAM_DATA ||
             type == SM_MSG_DISPLAY_STREAM_DATA_SIZED)
        note_drawing(sink, message);
}

static void start_channel(struct connection *c, bool has_mini_header)
{
    const struct sm_channel_config config = {
        .role = SM_CHANNEL_CLIENT, .has_mini_header = has_mini_header, .max_size = any_size};
    enum sm_status status = sm_channel_create(&c->channel, &config, sm_now_us());
    if (status != SM_OK) {
        stop(c->sink, "out of memory");
        return;
    }
    sm_pump_set_machine(c->pump, sm_channel_machine(c->channel));
    if (c->type == SM_CHANNEL_PORT)
        start_bulk(c->sink);
    if (c->type == SM_CHANNEL_DISPLAY) {
        static const uint8_t INIT[14] = {1, 0, 0, 0x40, 1, 0, 0, 0, 0, 1, 0, 0xfc, 0x5f, 0};
        send_message(c, SM_MSGC_DISPLAY_INIT, INIT, sizeof(INIT));
    }
}

static void on_link_event(struct connection *c, const struct sm_link_client_event *event)
{
    uint8_t ticket[SM_TICKET_SIZE];
    switch (event->kind) {
    case SM_LINK_CLIENT_NEED_TICKET:
        if (event->public_key.size != SM_TICKET_PUBLIC_KEY_SIZE ||
            sm_ticket_encrypt(event->public_key.data, "", ticket) != SM_OK ||
            sm_link_client_ticket(c->link, (struct sm_bytes){ticket, sizeof(ticket)}) != SM_OK)
            stop(c->sink, "the server's ticket key is unusable");
        break;
    case SM_LINK_CLIENT_DONE:
        start_channel(c, event->has_mini_header);
        break;
    case SM_LINK_CLIENT_REFUSED:
    case SM_LINK_CLIENT_SASL_STEP:
    case SM_LINK_CLIENT_SASL_ACCEPTED:
    case SM_LINK_CLIENT_NEED_SASL:
        stop(c->sink, "the server refuses; start it without password");
        break;
    }
}

static void on_activity(void *opaque)
{
    struct connection *c = opaque;
    struct sm_link_client_event event;
    while (!c->channel && sm_link_client_next(c->link, &event))
        on_link_event(c, &event);
    struct sm_channel_message message;
    while (c->channel && sm_channel_next(c->channel, &message) == SM_OK) {
        c->messages++;
        c->body_bytes += message.body.size;
        if (c->type == SM_CHANNEL_MAIN)
            on_main(c->sink, &message);
        else if (c->type == SM_CHANNEL_DISPLAY)
            on_display(c->sink, &message);
    }
    if (c->type == SM_CHANNEL_PORT && c->channel)
        fill_bulk(c->sink);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct connection *c = opaque;
    fprintf(stderr, "bench-sink: channel %u: %s: %s\n", c->type, sm_status_name(status), reason);
    stop(c->sink, "a channel ended");
}

static const struct sm_pump_callbacks CALLBACKS = {on_activity, on_closed};

static void open_connection(struct sink *sink, struct connection *c, uint8_t type)
{
    *c = (struct connection){.sink = sink, .type = type};
    int fd;
    struct sm_socket_error error;
    if (sm_socket_connect_tcp(&fd, sink->host, sink->port, sm_now_us() + 5000000, -1, &error) !=
        SM_OK) {
        stop(sink, error.text);
        return;
    }
    const struct sm_link_client_config config = {.connection_id = sink->session_id,
                                                 .channel_type = type,
                                                 .channel_caps = type == SM_CHANNEL_DISPLAY
                                                                     ? DISPLAY_CAPS
                                                                 : type == SM_CHANNEL_MAIN ? 0xf
                                                                                           : 0};
    struct sm_transport *transport = NULL;
    must(sink, sm_socket_transport(&transport, fd), "out of memory");
    must(sink, sm_link_client_create(&c->link, &config, sm_now_us()), "out of memory");
    if (!sink->has_failed)
        must(sink,
             sm_pump_create(&c->pump, sm_epoll_loop_base(sink->loop), transport,
                            sm_link_client_machine(c->link), (struct sm_bytes){0}, &CALLBACKS, c),
             "out of memory");
}

static void close_connection(struct connection *c)
{
    sm_pump_destroy(c->pump);
    sm_channel_destroy(c->channel);
    sm_link_client_destroy(c->link);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_result(struct sink *sink)
{
    printf("{\"first_picture_us\": %" PRIu64, sink->first_picture_us - sink->started_us);
    if (sink->keys) {
        qsort(sink->samples_us, sink->keys, sizeof(uint64_t), compare);
        printf(", \"keys\": %u, \"key_p50_us\": %" PRIu64 ", \"key_p99_us\": %" PRIu64, sink->keys,
               sink->samples_us[sink->keys / 2], sink->samples_us[sink->keys * 99 / 100]);
    }
    if (sink->last_picture_us)
        printf(", \"last_picture_at_us\": %" PRIu64, sink->last_picture_us);
    if (has_bulk(sink)) {
        double seconds = (double)(sm_now_us() - sink->bulk_since_us) / 1e6;
        printf(", \"bulk_down_bytes_s\": %.0f, \"bulk_up_bytes_s\": %.0f",
               (double)sink->bulk.body_bytes / seconds, (double)sink->bulk_bytes_up / seconds);
    }
    printf(", \"drawings\": %" PRIu64 ", \"frames\": %" PRIu64, sink->drawings, sink->frames);
    printf(", \"display_messages\": %" PRIu64 ", \"display_bytes\": %" PRIu64 "}\n",
           sink->display.messages, sink->display.body_bytes);
}

static int parse(struct sink *sink, int argc, char **argv)
{
    static const struct option LONG[] = {{"port", required_argument, NULL, 'p'},
                                         {"keys", required_argument, NULL, 'k'},
                                         {"seconds", required_argument, NULL, 's'},
                                         {"skip", required_argument, NULL, 'S'},
                                         {"quiet", required_argument, NULL, 'q'},
                                         {"pixels", required_argument, NULL, 'x'},
                                         {"images", no_argument, NULL, 'i'},
                                         {"bulk", required_argument, NULL, 'b'},
                                         {0}};
    sink->host = "127.0.0.1";
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'p')
            sink->port = (uint16_t)atoi(optarg);
        else if (option == 'k')
            sink->keys_wanted = (uint32_t)atoi(optarg);
        else if (option == 's')
            sink->seconds = (uint32_t)atoi(optarg);
        else if (option == 'S')
            sink->skip = (uint32_t)atoi(optarg);
        else if (option == 'q')
            sink->quiet_ms = (uint32_t)(atof(optarg) * 1000);
        else if (option == 'x')
            sink->pixels_wanted = strtoull(optarg, NULL, 10);
        else if (option == 'i')
            sink->lists_images = true;
        else if (option == 'b') {
            sink->bulk_goes_down = strcmp(optarg, "up") != 0;
            sink->bulk_goes_up = strcmp(optarg, "down") != 0;
        } else
            return 2;
    }
    return sink->port ? 0 : 2;
}

int main(int argc, char **argv)
{
    static struct sink sink;
    if (parse(&sink, argc, argv) != 0) {
        fprintf(stderr,
                "usage: bench-sink --port N [--keys N] [--seconds N [--skip N]] [--quiet SECONDS]"
                " [--pixels N] [--images] [--bulk down|up|both]\n"
                "  --pixels  a key is answered when images of so many have come\n");
        return 2;
    }
    sm_arena_init(&sink.arena, MAX_BODY);
    sink.samples_us = calloc(sink.keys_wanted + 1, sizeof(uint64_t));
    if (!sink.samples_us || sm_epoll_loop_create(&sink.loop) != SM_OK)
        return 1;
    struct sm_loop loop = sm_epoll_loop_base(sink.loop);
    sink.key_timer = sm_loop_timer_add(loop, press_key, &sink);
    sink.skip_timer = sm_loop_timer_add(loop, begin_counting, &sink);
    sink.end_timer = sm_loop_timer_add(loop, finish_counting, &sink);
    sink.started_us = sm_now_us();
    open_connection(&sink, &sink.main, SM_CHANNEL_MAIN);
    sm_epoll_loop_run(sink.loop);
    if (!sink.has_failed && sink.lists_images)
        list_images(&sink);
    if (!sink.has_failed)
        print_result(&sink);
    sm_arena_finish(&sink.arena);
    close_connection(&sink.bulk);
    close_connection(&sink.inputs);
    close_connection(&sink.display);
    close_connection(&sink.main);
    sm_epoll_loop_destroy(sink.loop);
    free(sink.samples_us);
    return sink.has_failed;
}
