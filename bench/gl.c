/* SPDX-License-Identifier: MIT */
/*
 * A host whose guest draws with a graphics card: it scans out a buffer (a memfd, as there need not
 * be a card), changes it for a while, a window and a film that move, and says how long each draw
 * was waited for. What is to be seen in the end can be written down, to be compared.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/host/core_loop.h"
#include "bench/host/device.h"
#include "core/gfx/fourcc.h"
#include "io/clock.h"

enum { STRIDE_PAD = 64, BOX = 96, FIRST_WAIT_MS = 200 };

struct gl {
    QXLInstance instance; /* first: callbacks get its address */
    QXLInterface interface;
    uint32_t width, height, stride_bytes, frames, pause_ms;
    bool is_bottom_first;
    const char *dump;
    int fd;
    uint8_t *memory;
    SpiceServer *server;
    struct sm_epoll_loop *loop;
    struct sm_timer *timer;
    uint32_t drawn;
    uint64_t asked_us, slowest_us, total_us;
    pthread_mutex_t lock; /* guards the rest: the worker completes */
    uint64_t completed, completed_us;
};

static struct gl *the_host;

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
    struct gl *gl = (struct gl *)instance;
    pthread_mutex_lock(&gl->lock);
    gl->completed = cookie;
    gl->completed_us = sm_now_us();
    pthread_mutex_unlock(&gl->lock);
}

/* ---- the picture ---- */

static uint8_t *row_of(const struct gl *gl, uint32_t y)
{
    uint32_t row = gl->is_bottom_first ? gl->height - 1 - y : y;
    return gl->memory + (size_t)row * gl->stride_bytes;
}

/* A desktop: a slope of colours, lines like text, and what moves at (x, y). */
static void paint(const struct gl *gl, uint32_t frame)
{
    uint32_t left = gl->width > BOX ? frame * 7 % (gl->width - BOX) : 0;
    uint32_t top = gl->height > BOX ? frame * 3 % (gl->height - BOX) : 0;
    for (uint32_t y = 0; y < gl->height; y++) {
        uint8_t *row = row_of(gl, y);
        for (uint32_t x = 0; x < gl->width; x++) {
            bool is_text = y % 16 > 5 && (x / 3 * 2654435761u ^ y / 16 * 40503u) >> 13 & 1;
            bool is_box = x - left < BOX && y - top < BOX;
            uint32_t pixel = y > gl->height / 2
                                 ? (is_text ? 0x202020 : 0xf4f4f0)
                                 : (x * 255 / gl->width) << 16 | (y * 255 / gl->height) << 8 | 0x40;
            if (is_box)
                pixel = (frame * 0x10305 + (x - left) * 0x20000 + (y - top)) & 0xffffff;
            pixel |= 0xa5000000; /* of no meaning */
            memcpy(row + (size_t)x * 4, &pixel, 4);
        }
    }
}

static bool dump(const struct gl *gl)
{
    FILE *file = fopen(gl->dump, "wb");
    if (!file)
        return false;
    (void)fprintf(file, "P6\n%u %u\n255\n", gl->width, gl->height);
    for (uint32_t y = 0; y < gl->height; y++) {
        const uint8_t *row = row_of(gl, y);
        for (uint32_t x = 0; x < gl->width; x++) {
            const uint8_t rgb[] = {row[4 * x + 2], row[4 * x + 1], row[4 * x]};
            (void)fwrite(rgb, 1, 3, file);
        }
    }
    return fclose(file) == 0;
}

static bool make_buffer(struct gl *gl)
{
    size_t size = (size_t)gl->stride_bytes * gl->height;
    gl->fd = memfd_create("scanout", MFD_CLOEXEC);
    if (gl->fd < 0 || ftruncate(gl->fd, (off_t)size) < 0)
        return false;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, gl->fd, 0);
    gl->memory = memory == MAP_FAILED ? NULL : memory;
    return gl->memory;
}

/* ---- the guest ---- */

/* Whether the last draw is over. */
static bool is_over(struct gl *gl)
{
    pthread_mutex_lock(&gl->lock);
    bool is_over = gl->completed == gl->drawn;
    uint64_t took_us = gl->completed_us - gl->asked_us;
    pthread_mutex_unlock(&gl->lock);
    if (!is_over || gl->drawn == 0)
        return is_over;
    gl->total_us += took_us;
    gl->slowest_us = took_us > gl->slowest_us ? took_us : gl->slowest_us;
    return true;
}

static void end(struct gl *gl)
{
    if (gl->dump && !dump(gl))
        perror(gl->dump);
    printf("{\"draws\": %u, \"mean_ms\": %.2f, \"slowest_ms\": %.2f}\n", gl->drawn,
           (double)gl->total_us / 1000 / (gl->drawn ? gl->drawn : 1),
           (double)gl->slowest_us / 1000);
    fflush(stdout);
}

static void on_timer(void *opaque)
{
    struct gl *gl = opaque;
    uint32_t delay_ms = 1;
    if (is_over(gl)) {
        if (gl->drawn == gl->frames) {
            end(gl);
            return;
        }
        delay_ms = gl->pause_ms;
        paint(gl, ++gl->drawn);
        gl->asked_us = sm_now_us();
        spice_qxl_gl_draw_async(&gl->instance, 0, 0, gl->width, gl->height, gl->drawn);
    }
    sm_loop_timer_start(sm_epoll_loop_base(gl->loop), gl->timer, delay_ms);
}

static void on_signal(int number)
{
    (void)number;
    sm_epoll_loop_stop(the_host->loop);
}

static bool start(struct gl *gl, int port, const char *path)
{
    gl->server = spice_server_new();
    spice_server_set_noauth(gl->server);
    if (path)
        spice_server_set_addr(gl->server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    else
        spice_server_set_addr(gl->server, "127.0.0.1", 0);
    if (!path && spice_server_set_port(gl->server, port) != 0)
        return false;
    if (spice_server_init(gl->server, sm_bench_core_interface(gl->loop)) != 0)
        return false;
    gl->interface = sm_bench_device_interface("bench gl");
    gl->interface.async_complete = async_complete;
    gl->instance.base.sif = &gl->interface.base;
    if (spice_server_add_interface(gl->server, &gl->instance.base) != 0)
        return false;
    spice_server_vm_start(gl->server);
    return true;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s (--port N | --unix PATH) [--size WxH] [--frames N] [--pause MS]\n"
            "          [--bottom-first] [--dump FILE.ppm]\n",
            program);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"bottom-first", no_argument, NULL, 'b'}, {"dump", required_argument, NULL, 'd'},
        {"frames", required_argument, NULL, 'f'}, {"pause", required_argument, NULL, 'm'},
        {"port", required_argument, NULL, 'p'},   {"size", required_argument, NULL, 's'},
        {"unix", required_argument, NULL, 'u'},   {NULL, 0, NULL, 0},
    };
    static struct gl gl = {.width = 640,
                           .height = 400,
                           .frames = 60,
                           .pause_ms = 15,
                           .lock = PTHREAD_MUTEX_INITIALIZER};
    const char *path = NULL;
    int port = 0;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0;) {
        if (option == 'b')
            gl.is_bottom_first = true;
        else if (option == 'd')
            gl.dump = optarg;
        else if (option == 'f')
            gl.frames = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'm')
            gl.pause_ms = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'p')
            port = (int)strtol(optarg, NULL, 10);
        else if (option == 'u')
            path = optarg;
        else if (option != 's' || sscanf(optarg, "%ux%u", &gl.width, &gl.height) != 2)
            return usage(argv[0]);
    }
    if (!port == !path || gl.width == 0 || gl.width > 8192 || gl.height == 0 || gl.height > 8192)
        return usage(argv[0]);
    the_host = &gl;
    gl.stride_bytes = gl.width * 4 + STRIDE_PAD;
    if (!make_buffer(&gl) || sm_epoll_loop_create(&gl.loop) != SM_OK || !start(&gl, port, path)) {
        fprintf(stderr, "%s: the server did not start\n", argv[0]);
        return 1;
    }
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    paint(&gl, 0);
    gl.timer = sm_loop_timer_add(sm_epoll_loop_base(gl.loop), on_timer, &gl);
    spice_qxl_gl_scanout(&gl.instance, dup(gl.fd), gl.width, gl.height, gl.stride_bytes,
                         sm_fourcc("AR24"), !gl.is_bottom_first);
    sm_loop_timer_start(sm_epoll_loop_base(gl.loop), gl.timer, FIRST_WAIT_MS);
    printf("ready\n");
    fflush(stdout);
    sm_epoll_loop_run(gl.loop);
    spice_server_destroy(gl.server);
    sm_loop_timer_remove(sm_epoll_loop_base(gl.loop), gl.timer);
    sm_epoll_loop_destroy(gl.loop);
    return 0;
}
