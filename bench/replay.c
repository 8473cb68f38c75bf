/* SPDX-License-Identifier: MIT */
/*
 * A host that serves a recording as fast as the server takes it, through whatever
 * libspice-server.so.1 the linker finds (LD_LIBRARY_PATH). It begins when a display client is
 * there, prints what it took when all commands have been given back, and goes on showing the last
 * picture.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/host/core_loop.h"
#include "core/base/list.h"
#include "io/clock.h"
#include "spice-server/spice.h"

enum {
    QUEUE_MAX = 64, /* commands read ahead, like a guest's ring */
    SURFACES = 1024,
};

struct queued {
    struct sm_list link;
    QXLCommandExt *command;
};

struct host {
    QXLInstance instance; /* first: callbacks get its address */
    struct sm_epoll_loop *loop;
    SpiceServer *server;
    SpiceReplay *replay;
    const char *path;
    int port, compression, streaming;
    bool quits;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t moved;
    struct sm_list queues[2]; /* display, cursor */
    unsigned queued;
    uint64_t read, released;
    bool has_begun, is_read, is_told;
    uint64_t begun_us;
};

static struct host host;

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
    QXLDevMemSlot all_memory = {.virt_end = UINTPTR_MAX};
    spice_qxl_add_memslot(instance, &all_memory);
    spice_server_vm_start(host.server);
}

static void set_compression_level(QXLInstance *instance, int level)
{
    (void)instance, (void)level;
}

static int pull(unsigned ring, QXLCommandExt *out)
{
    struct queued *item = NULL;
    pthread_mutex_lock(&host.lock);
    struct sm_list *queue = &host.queues[ring];
    if (!sm_list_is_empty(queue)) {
        item = SM_LIST_ITEM(queue->next, struct queued, link);
        sm_list_remove(&item->link);
        host.queued--;
        pthread_cond_signal(&host.moved);
    }
    pthread_mutex_unlock(&host.lock);
    if (!item)
        return 0;
    *out = *item->command;
    free(item);
    return 1;
}

static int is_empty(unsigned ring)
{
    pthread_mutex_lock(&host.lock);
    int empty = sm_list_is_empty(&host.queues[ring]);
    pthread_mutex_unlock(&host.lock);
    return empty;
}

static int get_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance;
    return pull(0, out);
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *out)
{
    (void)instance;
    return pull(1, out);
}

static int req_cmd_notification(QXLInstance *instance)
{
    (void)instance;
    return is_empty(0);
}

static int req_cursor_notification(QXLInstance *instance)
{
    (void)instance;
    return is_empty(1);
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
    (void)instance;
    spice_replay_free_cmd(host.replay, (QXLCommandExt *)(uintptr_t)info.info->id);
    pthread_mutex_lock(&host.lock);
    host.released++;
    pthread_mutex_unlock(&host.lock);
}

static void notify_update(QXLInstance *instance, uint32_t update_id)
{
    (void)instance, (void)update_id;
}

static int flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 1;
}

static const QXLInterface INTERFACE = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .description = "bench replay",
             .major_version = SPICE_INTERFACE_QXL_MAJOR,
             .minor_version = SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached_worker,
    .set_compression_level = set_compression_level,
    .get_init_info = get_init_info,
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .release_resource = release_resource,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
};

static void enqueue(QXLCommandExt *command)
{
    struct queued *item = malloc(sizeof(*item));
    if (!item)
        abort(); /* a bench without memory measures nothing */
    item->command = command;
    unsigned ring = command->cmd.type == QXL_CMD_CURSOR ? 1 : 0;
    pthread_mutex_lock(&host.lock);
    while (host.queued >= QUEUE_MAX)
        pthread_cond_wait(&host.moved, &host.lock);
    sm_list_append(&host.queues[ring], &item->link);
    host.queued++;
    host.read++;
    pthread_mutex_unlock(&host.lock);
    spice_qxl_wakeup(&host.instance);
}

/* Requests in the recording are synchronous calls, so a thread of its own reads it. */
static void *feed(void *unused)
{
    (void)unused;
    QXLCommandExt *command;
    while ((command = spice_replay_next_cmd(host.replay, &host.instance)))
        enqueue(command);
    pthread_mutex_lock(&host.lock);
    host.is_read = true;
    pthread_mutex_unlock(&host.lock);
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* All read and nothing queued: what is left is what the picture still needs. */
static void look(void *timer)
{
    pthread_mutex_lock(&host.lock);
    bool is_done = host.is_read && host.queued == 0 && !host.is_told;
    host.is_told = host.is_told || is_done;
    uint64_t read = host.read, released = host.released;
    pthread_mutex_unlock(&host.lock);
    if (is_done) {
        printf("{\"commands\": %" PRIu64 ", \"released\": %" PRIu64
               ", \"seconds\": %.3f, \"cpu_seconds\": %.3f}\n",
               read, released, (double)(sm_now_us() - host.begun_us) / 1e6, cpu_seconds());
        fflush(stdout);
        if (host.quits)
            sm_epoll_loop_stop(host.loop);
    }
    sm_bench_core_interface(host.loop)->timer_start(*(SpiceTimer **)timer, 20);
}

static void begin(void)
{
    if (host.has_begun)
        return;
    host.has_begun = true;
    host.begun_us = sm_now_us();
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
    fprintf(to, "usage: bench-replay --port N [--compression 1..7] [--streaming 1..3]\n"
                "                    [--no-wait] [--quit] RECORDING\n"
                "  --no-wait  begin without a client\n"
                "  --quit     end when the recording has\n"
                "  compression: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4\n");
}

static int parse(int argc, char **argv, bool *waits)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"compression", required_argument, NULL, 'c'},
        {"streaming", required_argument, NULL, 'v'},
        {"no-wait", no_argument, NULL, 'n'},
        {"quit", no_argument, NULL, 'q'},
        {0},
    };
    host.compression = 6;
    host.streaming = 1;
    *waits = true;
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'p')
            host.port = atoi(optarg);
        else if (option == 'c')
            host.compression = atoi(optarg);
        else if (option == 'v')
            host.streaming = atoi(optarg);
        else if (option == 'n')
            *waits = false;
        else if (option == 'q')
            host.quits = true;
        else
            return 2;
    }
    if (host.port <= 0 || optind + 1 != argc)
        return 2;
    host.path = argv[optind];
    return 0;
}

static int start(void)
{
    FILE *file = fopen(host.path, "r");
    if (!file) {
        perror(host.path);
        return 1;
    }
    host.replay = spice_replay_new(file, SURFACES);
    if (!host.replay || sm_epoll_loop_create(&host.loop) != SM_OK)
        return 1;
    SpiceCoreInterface *core = sm_bench_core_interface(host.loop);
    core->channel_event = on_channel_event;
    host.server = spice_server_new();
    spice_server_set_addr(host.server, "127.0.0.1", 0);
    spice_server_set_port(host.server, host.port);
    spice_server_set_noauth(host.server);
    spice_server_set_image_compression(host.server, (SpiceImageCompression)host.compression);
    spice_server_set_streaming_video(host.server, host.streaming);
    if (spice_server_init(host.server, core) != 0)
        return 1;
    host.instance.base.sif = &INTERFACE.base;
    return spice_server_add_interface(host.server, &host.instance.base) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    bool waits;
    if (parse(argc, argv, &waits) != 0) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&host.lock, NULL);
    pthread_cond_init(&host.moved, NULL);
    sm_list_init(&host.queues[0]);
    sm_list_init(&host.queues[1]);
    if (start() != 0)
        return 1;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    static SpiceTimer *timer;
    timer = sm_bench_core_interface(host.loop)->timer_add(look, &timer);
    sm_bench_core_interface(host.loop)->timer_start(timer, 20);
    printf("ready\n");
    fflush(stdout);
    if (!waits)
        begin();
    sm_epoll_loop_run(host.loop);
    return 0; /* the process ends with whatever is left: measuring is over */
}
