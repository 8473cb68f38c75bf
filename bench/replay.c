/* SPDX-License-Identifier: MIT */
/*
 * A host that serves a recording through whatever libspice-server.so.1 the linker finds
 * (LD_LIBRARY_PATH): as fast as the server takes it, or at the pace it was recorded with. It begins
 * when a display client is there, prints what it took when all commands have been taken, and goes
 * on showing the last picture.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/host/core_loop.h"
#include "bench/host/device.h"
#include "bench/host/marks.h"
#include "bench/host/own_reader.h"
#include "bench/host/ring.h"
#include "bench/host/timeline.h"
#include "io/clock.h"
#include "spice-server/spice.h"

enum {
    QUEUE_MAX = 64, /* commands read ahead, like a guest's ring */
    SURFACES = 1024,
    STEP_US = 20000, /* longest sleep of the feeder */
    SHORT_STEP_US = 20,
};

struct options {
    const char *path, *dump;
    int port, compression, streaming;
    bool waits, quits, is_paced, has_marks, is_in_step;
    double from, seconds, delay;
    unsigned loops;
    uint64_t limit; /* commands; 0: all */
};

struct host {
    QXLInstance instance; /* first: callbacks get its address */
    QXLInterface interface;
    struct options options;
    struct sm_epoll_loop *loop;
    SpiceServer *server;
    SpiceKbdInstance keyboard;
    SpiceReplay *replay; /* one of these two */
    struct sm_bench_reader *reader;
    struct sm_bench_rings rings;
    struct sm_bench_marks marks;
    struct sm_bench_timeline timeline;
    bool has_begun, is_told; /* the loop's thread */
    _Atomic bool is_read;
    _Atomic uint64_t feeder_cpu_us; /* reading the file, which is not serving it */
    _Atomic uint64_t begun_us;
};

static struct host host;

/* ---- reading ---- */

static QXLCommandExt *next_command(void)
{
    return host.reader ? sm_bench_reader_next(host.reader, &host.instance)
                       : spice_replay_next_cmd(host.replay, &host.instance);
}

static void free_command(QXLCommandExt *command)
{
    if (host.reader)
        sm_bench_reader_free(host.reader, command);
    else
        spice_replay_free_cmd(host.replay, command);
}

/* ---- the device ---- */

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    (void)instance;
    *info = (QXLDevInitInfo){.num_memslots_groups = 1,
                             .num_memslots = 1,
                             .memslot_gen_bits = 1,
                             .memslot_id_bits = 1,
                             .n_surfaces = SURFACES};
}

static void attached_worker(QXLInstance *instance)
{
    sm_bench_device_map_all(instance);
    spice_server_vm_start(host.server);
}

static int get_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance;
    return sm_bench_rings_take(&host.rings, SM_BENCH_DISPLAY_RING, out);
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance;
    return sm_bench_rings_take(&host.rings, SM_BENCH_CURSOR_RING, out);
}

static int req_cmd_notification(QXLInstance *instance)
{
    (void)instance;
    return sm_bench_rings_ask(&host.rings, SM_BENCH_DISPLAY_RING);
}

static int req_cursor_notification(QXLInstance *instance)
{
    (void)instance;
    return sm_bench_rings_ask(&host.rings, SM_BENCH_CURSOR_RING);
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
    (void)instance;
    if (!sm_bench_marks_release(info.info))
        free_command((QXLCommandExt *)(uintptr_t)info.info->id);
    sm_bench_rings_note_release(&host.rings);
}

static int flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 1;
}

static void set_up_device(void)
{
    host.interface = sm_bench_device_interface("bench replay");
    host.interface.attached_worker = attached_worker;
    host.interface.get_init_info = get_init_info;
    host.interface.get_command = get_command;
    host.interface.req_cmd_notification = req_cmd_notification;
    host.interface.release_resource = release_resource;
    host.interface.get_cursor_command = get_cursor_command;
    host.interface.req_cursor_notification = req_cursor_notification;
    host.interface.flush_resources = flush_resources;
    host.instance.base.sif = &host.interface.base;
}

/* ---- the keyboard: a key draws its count ---- */

static void on_key(SpiceKbdInstance *keyboard, uint8_t code)
{
    (void)keyboard;
    if (!host.options.has_marks || code & 0x80 || code == 0xe0)
        return;
    if (sm_bench_marks_key(&host.marks))
        spice_qxl_wakeup(&host.instance);
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

/* ---- feeding; requests in the recording are synchronous calls, hence a thread of its own ---- */

static void sleep_us(uint64_t us)
{
    struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

/* Requests in the recording overtake what is in the rings, unless that is gone before. */
static void await_rings(void)
{
    while (!sm_bench_rings_is_empty(&host.rings, SM_BENCH_DISPLAY_RING) ||
           !sm_bench_rings_is_empty(&host.rings, SM_BENCH_CURSOR_RING))
        sleep_us(SHORT_STEP_US);
}

static void enqueue(const QXLCommandExt *command, bool is_marked)
{
    unsigned under = is_marked ? sm_bench_marks_under(command) : 0;
    bool is_asked_for = sm_bench_rings_put(&host.rings, command, false);
    if (sm_bench_marks_draw(&host.marks, under) || is_asked_for)
        spice_qxl_wakeup(&host.instance);
    if (host.options.is_in_step)
        await_rings();
}

static void tick(void)
{
    if (host.options.has_marks && sm_bench_marks_tick(&host.marks))
        spice_qxl_wakeup(&host.instance);
}

static void wait_until(uint64_t due_us)
{
    for (uint64_t now_us; (now_us = sm_now_us()) < due_us;) {
        tick();
        sleep_us(due_us - now_us < STEP_US ? due_us - now_us : STEP_US);
    }
}

/* The part before `from` is fed as fast as it goes, the rest at its pace. */
static void feed_once(void)
{
    const struct options *o = &host.options;
    uint64_t from_us = (uint64_t)(o->from * 1e6), paced_from_us = 0;
    QXLCommandExt *command;
    for (size_t i = 0; (command = next_command()); i++) {
        uint64_t at_us = i < host.timeline.count ? host.timeline.at_us[i] : 0;
        bool is_paced = o->is_paced && at_us >= from_us;
        if (is_paced) {
            if (!paced_from_us) {
                paced_from_us = sm_now_us();
                fprintf(stderr, "bench-replay: paced from here\n");
            }
            wait_until(paced_from_us + (at_us - from_us));
            tick();
        }
        bool is_over = (is_paced && o->seconds > 0 &&
                        (double)(sm_now_us() - paced_from_us) > o->seconds * 1e6) ||
                       (o->limit && i == o->limit);
        if (is_over) {
            free_command(command);
            break;
        }
        enqueue(command, o->has_marks && is_paced);
    }
}

/* The same again on the same device. Commands that come back late, such as the pointer's, own
 * nothing of the replay they came from. */
static bool open_again(void)
{
    await_rings();
    spice_qxl_destroy_surfaces(&host.instance);
    SpiceReplay *former = host.replay;
    FILE *file = fopen(host.options.path, "r");
    SpiceReplay *next = file ? spice_replay_new(file, SURFACES) : NULL;
    if (!next)
        return false;
    host.replay = next;
    spice_replay_free(former);
    return true;
}

static void *feed(void *unused)
{
    (void)unused;
    sleep_us((uint64_t)(host.options.delay * 1e6));
    host.begun_us = sm_now_us();
    for (unsigned round = 1;; round++) {
        feed_once();
        if (round == host.options.loops || !open_again())
            break;
    }
    struct timespec cpu;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    host.feeder_cpu_us = (uint64_t)cpu.tv_sec * 1000000 + (uint64_t)cpu.tv_nsec / 1000;
    if (host.options.has_marks && sm_bench_marks_end(&host.marks))
        spice_qxl_wakeup(&host.instance);
    if (host.options.dump) {
        await_rings();
        (void)sm_bench_reader_dump(host.reader, &host.instance, host.options.dump);
    }
    host.is_read = true;
    return NULL;
}

/* ---- the loop's thread ---- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(void)
{
    pthread_mutex_lock(&host.rings.lock);
    uint64_t put = host.rings.put, released = host.rings.released;
    pthread_mutex_unlock(&host.rings.lock);
    uint64_t begun_us = host.begun_us, feeder_cpu_us = host.feeder_cpu_us;
    printf("{\"commands\": %" PRIu64 ", \"released\": %" PRIu64 ", \"begun_us\": %" PRIu64
           ", \"seconds\": %.3f, \"cpu_seconds\": %.3f, \"feeder_cpu_seconds\": %.3f}\n",
           put, released, begun_us, (double)(sm_now_us() - begun_us) / 1e6, cpu_seconds(),
           (double)feeder_cpu_us / 1e6);
    fflush(stdout);
}

/* All read and nothing queued: what is left is what the picture still needs. */
static void look(void *timer)
{
    if (host.is_read && !host.is_told &&
        sm_bench_rings_is_empty(&host.rings, SM_BENCH_DISPLAY_RING)) {
        host.is_told = true;
        report();
        if (host.options.quits)
            sm_epoll_loop_stop(host.loop);
    }
    sm_bench_core_interface(host.loop)->timer_start(*(SpiceTimer **)timer, 20);
}

static void begin(void)
{
    if (host.has_begun)
        return;
    host.has_begun = true;
    pthread_t thread;
    if (pthread_create(&thread, NULL, feed, NULL) == 0)
        pthread_detach(thread);
}

static void on_channel_event(int event, SpiceChannelEventInfo *info)
{
    if (event == SPICE_CHANNEL_EVENT_INITIALIZED && info->type == SPICE_CHANNEL_DISPLAY)
        begin();
}

static void on_signal(int number)
{
    (void)number;
    sm_epoll_loop_stop(host.loop);
}

static void usage(FILE *to)
{
    fprintf(to,
            "usage: bench-replay --port N [--compression 1..7] [--streaming 1..3] [--no-wait]\n"
            "                    [--quit] [--pace] [--from SECONDS] [--seconds SECONDS] [--marks]\n"
            "                    [--limit COMMANDS] [--loops N] [--delay SECONDS] [--in-step]\n"
            "                    [--dump FILE] RECORDING\n"
            "  --no-wait   begin without a client\n"
            "  --quit      end when the recording has\n"
            "  --pace      as fast as it was recorded\n"
            "  --from      only behind this time of the recording, until then as fast as it goes\n"
            "  --seconds   and stop after so many seconds\n"
            "  --limit     stop after so many commands\n"
            "  --marks     draw the time, and the count of keys, over a paced recording of\n"
            "              1920x1080; bench-watch reads them\n"
            "  --delay     begin so long after the client came\n"
            "  --in-step   wait until the server has taken a command before the next is read\n"
            "  --dump      at the end write the server's own picture to this PPM\n"
            "  --loops     play it so many times (1), 0 for ever; our library only\n"
            "  compression: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4\n");
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"compression", required_argument, NULL, 'c'},
        {"streaming", required_argument, NULL, 'v'},
        {"no-wait", no_argument, NULL, 'n'},
        {"quit", no_argument, NULL, 'q'},
        {"pace", no_argument, NULL, 'P'},
        {"from", required_argument, NULL, 'f'},
        {"seconds", required_argument, NULL, 's'},
        {"limit", required_argument, NULL, 'l'},
        {"marks", no_argument, NULL, 'm'},
        {"loops", required_argument, NULL, 'L'},
        {"delay", required_argument, NULL, 'd'},
        {"in-step", no_argument, NULL, 'i'},
        {"dump", required_argument, NULL, 'D'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *o = (struct options){.compression = 6, .streaming = 1, .waits = true, .loops = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'p')
            o->port = atoi(optarg);
        else if (option == 'c')
            o->compression = atoi(optarg);
        else if (option == 'v')
            o->streaming = atoi(optarg);
        else if (option == 'n')
            o->waits = false;
        else if (option == 'q')
            o->quits = true;
        else if (option == 'P')
            o->is_paced = true;
        else if (option == 'f')
            o->from = atof(optarg);
        else if (option == 's')
            o->seconds = atof(optarg);
        else if (option == 'l')
            o->limit = strtoull(optarg, NULL, 10);
        else if (option == 'm')
            o->has_marks = true;
        else if (option == 'L')
            o->loops = (unsigned)atoi(optarg);
        else if (option == 'd')
            o->delay = atof(optarg);
        else if (option == 'i')
            o->is_in_step = true;
        else if (option == 'D')
            o->dump = optarg;
        else if (option == 'h')
            usage(stdout), exit(0);
        else
            return 2;
    }
    if (o->port <= 0 || optind + 1 != argc || (o->dump && o->loops != 1))
        return 2;
    o->path = argv[optind];
    return 0;
}

static int start(void)
{
    const struct options *o = &host.options;
    FILE *file = fopen(o->path, "r");
    if (!file) {
        perror(o->path);
        return 1;
    }
    if (o->is_paced && sm_bench_timeline_read(&host.timeline, o->path) != 0)
        return 1;
    if (o->dump)
        host.reader = sm_bench_reader_create(file, SURFACES);
    else
        host.replay = spice_replay_new(file, SURFACES);
    if ((!host.replay && !host.reader) || sm_epoll_loop_create(&host.loop) != SM_OK)
        return 1;
    SpiceCoreInterface *core = sm_bench_core_interface(host.loop);
    core->channel_event = on_channel_event;
    host.server = spice_server_new();
    spice_server_set_addr(host.server, "127.0.0.1", 0);
    spice_server_set_port(host.server, o->port);
    spice_server_set_noauth(host.server);
    spice_server_set_image_compression(host.server, (SpiceImageCompression)o->compression);
    spice_server_set_streaming_video(host.server, o->streaming);
    if (spice_server_init(host.server, core) != 0)
        return 1;
    host.keyboard.base.sif = &KEYBOARD.base;
    spice_server_add_interface(host.server, &host.keyboard.base);
    set_up_device();
    return spice_server_add_interface(host.server, &host.instance.base) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (parse(&host.options, argc, argv) != 0) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sm_bench_rings_init(&host.rings, QUEUE_MAX);
    sm_bench_marks_init(&host.marks, &host.rings);
    if (start() != 0)
        return 1;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    static SpiceTimer *timer;
    timer = sm_bench_core_interface(host.loop)->timer_add(look, &timer);
    sm_bench_core_interface(host.loop)->timer_start(timer, 20);
    printf("ready\n");
    fflush(stdout);
    if (!host.options.waits)
        begin();
    sm_epoll_loop_run(host.loop);
    return 0; /* the process ends with whatever is left: measuring is over */
}
