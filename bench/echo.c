/* SPDX-License-Identifier: MIT */
/*
 * A host without a guest: a screen that draws a small picture at every key and, if asked, a moving
 * picture. It uses the server's public API alone, so it measures whatever libspice-server.so.1 the
 * linker finds (LD_LIBRARY_PATH). bench/sink is the other end; bench/compare runs both.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/host/core_loop.h"
#include "bench/host/movie.h"
#include "bench/host/screen.h"
#include "core/wire/spicevmc.h"
#include "io/clock.h"

enum {
    GLYPH_WIDTH = 16,
    GLYPH_HEIGHT = 24,
    VIDEO_MEMORY_BYTES = 64 << 20, /* of a guest with the usual card */
    BULK_BYTES = 1 << 20,          /* of noise, told again and again */
    BULK_PAUSE_MS = 2,             /* so often: half a gigabyte a second, faster than lines are */
};

struct options {
    uint32_t width, height;
    uint32_t movie_width, movie_height, movie_fps, movie_strips;
    uint32_t movie_seconds; /* then it stands still; 0: never */
    int port, compression, streaming;
    const char *codecs; /* NULL: the server's own list */
    bool has_bulk;
};

struct host {
    struct options options;
    struct sm_epoll_loop *loop;
    SpiceServer *server;
    struct sm_bench_screen *screen;
    SpiceKbdInstance keyboard;
    struct sm_bench_movie *movie;
    SpiceTimer *movie_timer;
    uint64_t movie_began_us;
    uint32_t keys, frames;
    SpiceCharDeviceInstance bulk;
    bool is_told; /* the bulk device was asked to talk */
    SpiceTimer *bulk_timer;
    uint32_t bulk_at;
    bool bulk_rests; /* until the timer */
    uint8_t noise[BULK_BYTES];
};

static struct host host; /* the keyboard's callbacks carry no context of ours */

static void on_key(SpiceKbdInstance *keyboard, uint8_t code)
{
    (void)keyboard;
    if (code & 0x80 || code == 0xe0)
        return; /* releases draw nothing */
    uint32_t column = host.keys % (host.options.width / GLYPH_WIDTH);
    uint32_t row =
        host.keys / (host.options.width / GLYPH_WIDTH) % (host.options.height / GLYPH_HEIGHT);
    host.keys++;
    sm_bench_screen_draw(host.screen, column * GLYPH_WIDTH, row * GLYPH_HEIGHT, GLYPH_WIDTH,
                         GLYPH_HEIGHT, host.keys);
}

static uint8_t get_leds(SpiceKbdInstance *keyboard)
{
    (void)keyboard;
    return 0;
}

static const SpiceKbdInterface KEYBOARD = {
    .base = {.type = SPICE_INTERFACE_KEYBOARD,
             .description = "bench keyboard",
             .major_version = SPICE_INTERFACE_KEYBOARD_MAJOR,
             .minor_version = SPICE_INTERFACE_KEYBOARD_MINOR},
    .push_scan_freg = on_key,
    .get_leds = get_leds,
};

/* A port that takes whatever comes, and talks without end once its first byte was a 't'. */
static int write_bulk(SpiceCharDeviceInstance *bulk, const uint8_t *data, int size)
{
    (void)bulk;
    if (!host.is_told && size > 0 && data[0] == 't') {
        host.is_told = true;
        sm_bench_core_interface(host.loop)->timer_start(host.bulk_timer, BULK_PAUSE_MS);
    }
    return size;
}

static int read_bulk(SpiceCharDeviceInstance *bulk, uint8_t *to, int size)
{
    (void)bulk;
    if (!host.is_told || host.bulk_rests || size <= 0)
        return 0;
    uint32_t left = BULK_BYTES - host.bulk_at;
    uint32_t got = (uint32_t)size < left ? (uint32_t)size : left;
    memcpy(to, host.noise + host.bulk_at, got);
    host.bulk_at = (host.bulk_at + got) % BULK_BYTES;
    host.bulk_rests = host.bulk_at == 0;
    return (int)got;
}

static void on_bulk(void *opaque)
{
    (void)opaque;
    host.bulk_rests = false;
    if (host.is_told) {
        sm_bench_core_interface(host.loop)->timer_start(host.bulk_timer, BULK_PAUSE_MS);
        spice_server_char_device_wakeup(&host.bulk);
    }
}

static void hear_bulk(SpiceCharDeviceInstance *bulk, int is_connected)
{
    (void)bulk;
    host.is_told = host.is_told && is_connected;
}

static const SpiceCharDeviceInterface BULK = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .description = "bench bulk",
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = hear_bulk,
    .write = write_bulk,
    .read = read_bulk,
};

static void add_bulk(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < BULK_BYTES; i++) {
        state = state * 1664525 + 1013904223;
        host.noise[i] = (uint8_t)(state >> 24);
    }
    host.bulk_timer = sm_bench_core_interface(host.loop)->timer_add(on_bulk, NULL);
    host.bulk.base.sif = &BULK.base;
    host.bulk.subtype = "port";
    host.bulk.portname = "org.example.bulk";
    spice_server_add_interface(host.server, &host.bulk.base);
    spice_server_port_event(&host.bulk, SM_PORT_EVENT_OPENED);
}

static void on_frame(void *opaque)
{
    (void)opaque;
    const struct options *o = &host.options;
    uint64_t now_us = sm_now_us();
    if (host.frames == 0)
        host.movie_began_us = now_us;
    /* Like a player in a guest: what the card's memory has no room for is left out. */
    uint64_t frame_bytes = (uint64_t)o->movie_width * o->movie_height * 4;
    if (sm_bench_screen_held_bytes(host.screen) + frame_bytes <= VIDEO_MEMORY_BYTES)
        sm_bench_movie_show(host.movie, host.screen, host.frames);
    host.frames++;
    if (o->movie_seconds && now_us - host.movie_began_us > o->movie_seconds * 1000000ull)
        return;
    /* By the clock, so that the rate is right however long a frame takes. */
    uint64_t next_us = host.movie_began_us + host.frames * 1000000ull / o->movie_fps;
    now_us = sm_now_us();
    uint64_t wait_us = next_us > now_us ? next_us - now_us : 0;
    sm_bench_core_interface(host.loop)->timer_start(host.movie_timer, (uint32_t)(wait_us / 1000));
}

static void on_signal(int number)
{
    (void)number;
    sm_epoll_loop_stop(host.loop); /* a lock and a write: enough for a bench's last moment */
}

static void usage(FILE *to)
{
    fprintf(to,
            "usage: bench-echo --port N [--size WxH] [--compression 1..7] [--streaming 1..3]\n"
            "                  [--movie WxH@FPS] [--strips N] [--movie-seconds N] [--codecs LIST]\n"
            "                  [--bulk]\n"
            "  compression: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4\n"
            "  streaming:   1 off, 2 all, 3 filter\n"
            "  --bulk:      a port that takes and gives without end (bench-sink --bulk)\n");
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"size", required_argument, NULL, 's'},
        {"compression", required_argument, NULL, 'c'},
        {"streaming", required_argument, NULL, 'v'},
        {"movie", required_argument, NULL, 'm'},
        {"strips", required_argument, NULL, 't'},
        {"movie-seconds", required_argument, NULL, 'e'},
        {"codecs", required_argument, NULL, 'd'},
        {"bulk", no_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *o = (struct options){
        .width = 1920, .height = 1080, .compression = 6, .streaming = 1, .movie_strips = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (option) {
        case 'p':
            o->port = atoi(optarg);
            break;
        case 's':
            if (sscanf(optarg, "%ux%u", &o->width, &o->height) != 2)
                return 2;
            break;
        case 'c':
            o->compression = atoi(optarg);
            break;
        case 'v':
            o->streaming = atoi(optarg);
            break;
        case 'm':
            if (sscanf(optarg, "%ux%u@%u", &o->movie_width, &o->movie_height, &o->movie_fps) != 3 ||
                o->movie_fps == 0 || o->movie_fps > 1000)
                return 2;
            break;
        case 't':
            o->movie_strips = (uint32_t)atoi(optarg);
            break;
        case 'e':
            o->movie_seconds = (uint32_t)atoi(optarg);
            break;
        case 'd':
            o->codecs = optarg;
            break;
        case 'b':
            o->has_bulk = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            return 2;
        }
    }
    bool is_sane = o->port > 0 && o->width >= GLYPH_WIDTH && o->height >= GLYPH_HEIGHT &&
                   o->width <= 16384 && o->height <= 16384 && o->movie_width <= o->width &&
                   o->movie_height <= o->height && o->movie_strips > 0 && o->movie_strips <= 64;
    return is_sane ? 0 : 2;
}

static int start(void)
{
    const struct options *o = &host.options;
    if (sm_epoll_loop_create(&host.loop) != SM_OK)
        return 1;
    SpiceCoreInterface *core = sm_bench_core_interface(host.loop);
    host.server = spice_server_new();
    spice_server_set_addr(host.server, "127.0.0.1", 0);
    spice_server_set_port(host.server, o->port);
    spice_server_set_noauth(host.server);
    spice_server_set_image_compression(host.server, (SpiceImageCompression)o->compression);
    spice_server_set_streaming_video(host.server, o->streaming);
    if (o->codecs && spice_server_set_video_codecs(host.server, o->codecs) != 0)
        return 1;
    if (spice_server_init(host.server, core) != 0) {
        fprintf(stderr, "bench-echo: the server does not start on port %d\n", o->port);
        return 1;
    }
    host.keyboard.base.sif = &KEYBOARD.base;
    spice_server_add_interface(host.server, &host.keyboard.base);
    host.screen = sm_bench_screen_create(host.server, o->width, o->height);
    if (!host.screen)
        return 1;
    if (o->has_bulk)
        add_bulk();
    spice_server_vm_start(host.server);
    if (o->movie_fps) {
        host.movie = sm_bench_movie_create(
            &(struct sm_bench_movie_config){.x = (o->width - o->movie_width) / 2,
                                            .y = (o->height - o->movie_height) / 2,
                                            .width = o->movie_width,
                                            .height = o->movie_height,
                                            .strips = o->movie_strips});
        if (!host.movie)
            return 1;
        host.movie_timer = core->timer_add(on_frame, NULL);
        core->timer_start(host.movie_timer, 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (parse(&host.options, argc, argv) != 0) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (start() != 0)
        return 1;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("ready\n");
    fflush(stdout);
    sm_epoll_loop_run(host.loop);
    spice_server_destroy(host.server);
    sm_bench_screen_destroy(host.screen);
    sm_bench_movie_destroy(host.movie);
    sm_epoll_loop_destroy(host.loop);
    return 0;
}
