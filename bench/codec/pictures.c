/* SPDX-License-Identifier: MIT */
/*
 * bench-pictures --port N [--compression 1..7] [--tiles] [--size WxH] [--picture NAME]
 *
 * A host without a guest that shows the next picture of the corpus at every key (or one again and
 * again), whole or in tiles,  * through whatever libspice-server.so.1 the linker finds
 * (LD_LIBRARY_PATH). At the key after that it prints the picture's name and the processor time, in
 * microseconds, that this process has spent meanwhile. bench/codec/compare runs it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/codec/corpus.h"
#include "bench/host/core_loop.h"
#include "bench/host/screen.h"

enum { TILE = 64 };

struct host {
    uint32_t width, height;
    int port, compression;
    bool is_tiled;
    struct sm_epoll_loop *loop;
    SpiceServer *server;
    struct sm_bench_screen *screen;
    SpiceKbdInstance keyboard;
    uint32_t *pictures[CORPUS_COUNT];
    int only;         /* -1: all in turn */
    int shown;        /* the last picture; -1: none yet */
    uint64_t mark_us; /* processor time when it was handed over */
};

static struct host host; /* the keyboard's callbacks carry no context of ours */

static uint64_t processor_time_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void show(int kind)
{
    uint32_t width = host.is_tiled ? TILE : host.width, height = host.is_tiled ? TILE : host.height;
    for (uint32_t y = 0; y + height <= host.height; y += height)
        for (uint32_t x = 0; x + width <= host.width; x += width)
            sm_bench_screen_put(host.screen, x, y, width, height,
                                host.pictures[kind] + (size_t)y * host.width + x, host.width);
    host.mark_us = processor_time_us();
    sm_bench_screen_wake(host.screen);
}

static void on_key(SpiceKbdInstance *keyboard, uint8_t code)
{
    (void)keyboard;
    if (code & 0x80 || code == 0xe0)
        return; /* releases show nothing */
    if (host.shown >= 0) {
        printf("%s %llu\n", corpus_name((enum corpus_kind)host.shown),
               (unsigned long long)(processor_time_us() - host.mark_us));
        fflush(stdout);
    }
    host.shown = host.only >= 0 ? host.only : (host.shown + 1) % CORPUS_COUNT;
    show(host.shown);
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

static void on_signal(int number)
{
    (void)number;
    sm_epoll_loop_stop(host.loop); /* a lock and a write: enough for a bench's last moment */
}

static int find_picture(const char *name)
{
    int kind = 0;
    while (kind < CORPUS_COUNT && strcmp(corpus_name((enum corpus_kind)kind), name) != 0)
        kind++;
    return kind;
}

static bool parse(int argc, char **argv)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},    {"compression", required_argument, NULL, 'c'},
        {"tiles", no_argument, NULL, 't'},         {"size", required_argument, NULL, 's'},
        {"picture", required_argument, NULL, 'i'}, {0}};
    host = (struct host){.width = 1920, .height = 1080, .compression = 6, .only = -1, .shown = -1};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'p')
            host.port = atoi(optarg);
        else if (option == 'c')
            host.compression = atoi(optarg);
        else if (option == 't')
            host.is_tiled = true;
        else if (option == 'i')
            host.only = find_picture(optarg);
        else if (option != 's' || sscanf(optarg, "%ux%u", &host.width, &host.height) != 2)
            return false;
    }
    return host.port > 0 && host.only < CORPUS_COUNT && host.width >= TILE && host.height >= TILE &&
           host.width <= 8192 && host.height <= 8192;
}

static bool start(void)
{
    for (int kind = 0; kind < CORPUS_COUNT; kind++) {
        host.pictures[kind] = malloc((size_t)host.width * host.height * 4);
        if (!host.pictures[kind])
            return false;
        corpus_draw((enum corpus_kind)kind, host.pictures[kind], host.width, host.height);
    }
    if (sm_epoll_loop_create(&host.loop) != SM_OK)
        return false;
    host.server = spice_server_new();
    spice_server_set_addr(host.server, "127.0.0.1", 0);
    spice_server_set_port(host.server, host.port);
    spice_server_set_noauth(host.server);
    spice_server_set_image_compression(host.server, (SpiceImageCompression)host.compression);
    spice_server_set_jpeg_compression(host.server, SPICE_WAN_COMPRESSION_NEVER);
    spice_server_set_zlib_glz_compression(host.server, SPICE_WAN_COMPRESSION_NEVER);
    spice_server_set_streaming_video(host.server, SPICE_STREAM_VIDEO_OFF);
    if (spice_server_init(host.server, sm_bench_core_interface(host.loop)) != 0)
        return false;
    host.keyboard.base.sif = &KEYBOARD.base;
    spice_server_add_interface(host.server, &host.keyboard.base);
    host.screen = sm_bench_screen_create(host.server, host.width, host.height);
    if (!host.screen)
        return false;
    spice_server_vm_start(host.server);
    return true;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) {
        fprintf(stderr,
                "usage: bench-pictures --port N [--compression 1..7] [--tiles]"
                " [--size WxH] [--picture NAME]\n"
                "  compression: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!start()) {
        fprintf(stderr, "bench-pictures: the server does not start on port %d\n", host.port);
        return 1;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("ready\n");
    fflush(stdout);
    sm_epoll_loop_run(host.loop);
    spice_server_destroy(host.server);
    sm_bench_screen_destroy(host.screen);
    sm_epoll_loop_destroy(host.loop);
    for (int kind = 0; kind < CORPUS_COUNT; kind++)
        free(host.pictures[kind]);
    return 0;
}
