/* SPDX-License-Identifier: MIT */
/*
 * A machine of which only a server and a guest's agent are there, for what takes a real guest too
 * long to show: windows that are resized, files on their way, a server that means harm.
 *
 * usage: pretend-machine [KEY=VALUE...]
 *
 *     size=1024x768   of each monitor at first
 *     monitors=1      beside each other on one display
 *     rate=0          bytes a second the agent takes of files; 0: all
 *     answer=full     the agent has no room for files; takes: it takes them
 *     hostile=1       the display is told of a surface that nobody could hold
 *
 * Says on standard output, a line each, with CLOCK_MONOTONIC in microseconds at the front:
 *
 *     address spice://…
 *     monitors WIDTHxHEIGHT…   asked for by the client; the next picture has these sizes
 *     begins ID NAME SIZE      a file
 *     whole ID BYTES HASH      has come; FNV-1a of 64 bits
 *     ended ID BYTES           the client has broken it off
 */
#include "tests/support/check.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "tests/client/fake_agent.h"

enum { MONITORS_MAX = 4, FILES_MAX = 64, TOKENS = 8, SIDE_MAX = 4096, BANDS = 24 };

struct file {
    uint32_t id;
    uint64_t size, got, hash;
};

/* How it was asked to be, and how it is now; its display's thread and its agent's share it. */
static struct pretence {
    struct fake_server *server;
    unsigned width, height, monitors, rate;
    bool is_full, is_hostile;

    pthread_mutex_t lock;      /* of what follows */
    struct fake_peer *display; /* borrowed; NULL: nobody looks */
    struct sm_head heads[MONITORS_MAX];
    uint32_t count;
} machine = {.width = 1024, .height = 768, .monitors = 1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void say(const char *text)
{
    printf("%" PRIu64 " %s\n", sm_now_us(), text);
    (void)fflush(stdout);
}

/* ---- The screen ---- */

static void fill(struct fake_peer *peer, struct sm_rect box, uint32_t colour)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    msg.draw_fill.base.box = box;
    msg.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    msg.draw_fill.brush.color = colour;
    msg.draw_fill.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

/* An evening sky with two windows: something with edges and shades. */
static void paint_monitor(struct fake_peer *peer, const struct sm_head *head)
{
    int x = (int)head->x, width = (int)head->width, height = (int)head->height;
    for (int i = 0; i < BANDS; i++) {
        uint32_t shade = (uint32_t)(40 + i * 4);
        uint32_t colour = shade << 16 | (shade * 3 / 4) << 8 | (uint32_t)(110 - i * 2);
        fill(peer, (struct sm_rect){x, height * i / BANDS, x + width, height * (i + 1) / BANDS},
             colour);
    }
    for (int i = 0; i < 2; i++) {
        struct sm_rect w = {x + width * (2 + i * 9) / 20, height * (3 + i * 2) / 16,
                            x + width * (9 + i * 9) / 20, height * (11 + i * 2) / 16};
        int line = height / 48 + 1;
        fill(peer, w, 0xf4f4f0);
        fill(peer, (struct sm_rect){w.left, w.top, w.right, w.top + 2 * line},
             head->monitor_id ? 0x9c3d54 : 0x2f6f8f);
        for (int y = w.top + 4 * line; y + line < w.bottom - line; y += 2 * line)
            fill(peer,
                 (struct sm_rect){w.left + 2 * line, y,
                                  w.right - 2 * line - (y * 7 % (width / 8 + 1)), y + line / 2 + 1},
                 0x505860);
    }
}

/* A surface of 2^31 pixels each way, which no writer of ours would write. */
static void mean_harm(struct fake_peer *peer)
{
    static const uint8_t surface_create[20] = {
        [7] = 0x80, [11] = 0x80, [12] = SM_SURFACE_FORMAT_32_XRGB, [16] = SM_SURFACE_FLAG_PRIMARY};
    fake_send(peer, SM_MSG_DISPLAY_SURFACE_CREATE, SM_TEST_BYTES(surface_create));
}

/* With the lock held. */
static void show(struct fake_peer *peer, bool is_first)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_DESTROY};
    uint32_t width = 0, height = 0;
    for (uint32_t i = 0; i < machine.count; i++) {
        width = machine.heads[i].x + machine.heads[i].width;
        height = machine.heads[i].height > height ? machine.heads[i].height : height;
    }
    if (!is_first)
        fake_send_display(peer, &msg);
    msg = (struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_CREATE};
    msg.surface_create.width = width;
    msg.surface_create.height = height;
    msg.surface_create.format = SM_SURFACE_FORMAT_32_XRGB;
    msg.surface_create.flags = SM_SURFACE_FLAG_PRIMARY;
    fake_send_display(peer, &msg);
    for (uint32_t i = 0; i < machine.count; i++)
        paint_monitor(peer, &machine.heads[i]);
    msg = (struct sm_display_msg){.type = SM_MSG_DISPLAY_MONITORS_CONFIG};
    msg.monitors_config.num_heads = machine.count;
    msg.monitors_config.max_allowed = MONITORS_MAX;
    msg.monitors_config.heads = machine.heads;
    fake_send_display(peer, &msg);
    fake_send_display(peer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
}

/* With the lock held. */
static void place_monitors(const struct sm_agent_monitor *sizes, uint32_t count)
{
    uint32_t x = 0;
    machine.count = count < MONITORS_MAX ? count : MONITORS_MAX;
    for (uint32_t i = 0; i < machine.count; i++) {
        uint32_t width = sizes ? sizes[i].width : machine.width;
        uint32_t height = sizes ? sizes[i].height : machine.height;
        machine.heads[i] = (struct sm_head){.monitor_id = i,
                                            .width = width < SIDE_MAX ? width : SIDE_MAX,
                                            .height = height < SIDE_MAX ? height : SIDE_MAX,
                                            .x = x};
        x += machine.heads[i].width;
    }
}

static void be_display(struct fake_peer *peer)
{
    pthread_mutex_lock(&machine.lock);
    place_monitors(NULL, machine.monitors);
    machine.display = peer;
    if (machine.is_hostile)
        mean_harm(peer);
    else
        show(peer, true);
    pthread_mutex_unlock(&machine.lock);
    fake_drain(peer);
    pthread_mutex_lock(&machine.lock);
    if (machine.display == peer)
        machine.display = NULL;
    pthread_mutex_unlock(&machine.lock);
}

/* ---- The agent ---- */

static void take_monitors(const struct sm_agent_monitors_config *config)
{
    struct sm_agent_monitor wanted[MONITORS_MAX];
    char line[256] = "monitors";
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->num_monitors && count < MONITORS_MAX; i++) {
        size_t size = strlen(line);
        if (!config->monitors[i].width || !config->monitors[i].height)
            continue; /* a place without a monitor */
        wanted[count++] = config->monitors[i];
        (void)snprintf(line + size, sizeof(line) - size, " %ux%u", config->monitors[i].width,
                       config->monitors[i].height);
    }
    say(line);
    pthread_mutex_lock(&machine.lock);
    place_monitors(wanted, count);
    if (machine.display && count && !machine.is_hostile)
        show(machine.display, false);
    pthread_mutex_unlock(&machine.lock);
}

static void tell_status(struct fake_agent *agent, uint32_t id, uint32_t result)
{
    static const uint8_t no_bytes_free[8] = {0};
    struct sm_agent_msg msg = {.type = SM_AGENT_FILE_XFER_STATUS,
                               .file_xfer_status = {.id = id, .result = result}};
    if (result == SM_FILE_XFER_RESULT_NOT_ENOUGH_SPACE)
        msg.file_xfer_status.detail = SM_TEST_BYTES(no_bytes_free);
    fake_agent_send(agent->peer, &msg, FAKE_AGENT_ALL);
}

/* The file of that number; of number 0 a free place. */
static struct file *find_file(struct file *files, uint32_t id)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (files[i].id == id)
            return &files[i];
    return NULL;
}

static void end_file(struct file *file, const char *how)
{
    char line[128];
    int size = snprintf(line, sizeof(line), "%s %u %" PRIu64, how, file->id, file->got);
    if (strcmp(how, "whole") == 0)
        (void)snprintf(line + size, sizeof(line) - (size_t)size, " %016" PRIx64, file->hash);
    say(line);
    *file = (struct file){0};
}

static void begin_file(struct fake_agent *agent, struct file *files,
                       const struct sm_agent_file_xfer_start *start)
{
    char text[1024] = "", name[256] = "", line[512];
    uint64_t size = 0;
    size_t length = start->text.size < sizeof(text) ? start->text.size : sizeof(text) - 1;
    memcpy(text, start->text.data, length);
    const char *named = strstr(text, "name="), *sized = strstr(text, "size=");
    if (named)
        (void)sscanf(named, "name=%255[^\n]", name);
    if (sized)
        (void)sscanf(sized, "size=%" SCNu64, &size);
    (void)snprintf(line, sizeof(line), "begins %u %s %" PRIu64, start->id, name, size);
    say(line);
    struct file *file = find_file(files, 0);
    if (machine.is_full || !file) {
        tell_status(agent, start->id, SM_FILE_XFER_RESULT_NOT_ENOUGH_SPACE);
        return;
    }
    *file = (struct file){.id = start->id, .size = size, .hash = 0xcbf29ce484222325};
    tell_status(agent, start->id, SM_FILE_XFER_RESULT_CAN_SEND_DATA);
}

static void take_data(struct fake_agent *agent, struct file *files,
                      const struct sm_agent_file_xfer_data *part)
{
    struct file *file = part->id ? find_file(files, part->id) : NULL;
    if (!file)
        return; /* was under way when it was broken off */
    for (size_t i = 0; i < part->data.size; i++)
        file->hash = (file->hash ^ part->data.data[i]) * 0x100000001b3;
    file->got += part->data.size;
    if (machine.rate)
        (void)usleep((useconds_t)(part->data.size * 1000000 / machine.rate));
    if (file->got < file->size)
        return;
    tell_status(agent, file->id, SM_FILE_XFER_RESULT_SUCCESS);
    end_file(file, "whole");
}

/* What both can do is told as soon as the client has told it; one that leaves before has not come.
 */
static void tell_caps(struct fake_agent *agent)
{
    static const uint32_t caps = 1u << SM_AGENT_CAP_MONITORS_CONFIG |
                                 1u << SM_AGENT_CAP_SPARSE_MONITORS_CONFIG |
                                 1u << SM_AGENT_CAP_FILE_XFER_DETAILED_ERRORS;
    fake_agent_send(agent->peer,
                    &(struct sm_agent_msg){.type = SM_AGENT_ANNOUNCE_CAPABILITIES,
                                           .announce_capabilities = {.num_caps = 1, .caps = &caps}},
                    FAKE_AGENT_ALL);
}

static void be_agent(struct fake_peer *peer)
{
    struct fake_agent *agent = calloc(1, sizeof(*agent));
    struct file files[FILES_MAX] = {0};
    struct sm_agent_msg msg;
    assert_non_null(agent);
    agent->peer = peer;
    sm_arena_init(&agent->arena, FAKE_AGENT_STREAM_MAX);
    fake_send_main(peer, &(struct sm_main_msg){.type = SM_MSG_MAIN_AGENT_CONNECTED_TOKENS,
                                               .agent_connected_tokens = {.num_tokens = TOKENS}});
    static const char name[] = "Pretend machine"; /* after the server's own */
    struct sm_main_msg named = {.type = SM_MSG_MAIN_NAME};
    named.name.name = (struct sm_bytes){(const uint8_t *)name, sizeof(name)};
    fake_send_main(peer, &named);
    while (fake_agent_read(agent, &msg, FAKE_AGENT_ALL)) {
        struct file *broken = NULL;
        if (msg.type == SM_AGENT_ANNOUNCE_CAPABILITIES)
            tell_caps(agent);
        else if (msg.type == SM_AGENT_MONITORS_CONFIG)
            take_monitors(&msg.monitors_config);
        else if (msg.type == SM_AGENT_FILE_XFER_START)
            begin_file(agent, files, &msg.file_xfer_start);
        else if (msg.type == SM_AGENT_FILE_XFER_DATA)
            take_data(agent, files, &msg.file_xfer_data);
        else if (msg.type == SM_AGENT_FILE_XFER_STATUS && msg.file_xfer_status.id)
            broken = find_file(files, msg.file_xfer_status.id);
        if (broken)
            end_file(broken, "ended");
    }
    fake_agent_go(agent);
}

/* ---- The program ---- */

static bool obey(const char *word)
{
    unsigned number;
    if (sscanf(word, "size=%ux%u", &machine.width, &machine.height) == 2)
        return machine.width - 1 < SIDE_MAX && machine.height - 1 < SIDE_MAX;
    if (sscanf(word, "monitors=%u", &machine.monitors) == 1)
        return machine.monitors >= 1 && machine.monitors <= MONITORS_MAX;
    if (sscanf(word, "rate=%u", &machine.rate) == 1)
        return true;
    if (sscanf(word, "hostile=%u", &number) == 1) {
        machine.is_hostile = number;
        return true;
    }
    machine.is_full = strcmp(word, "answer=full") == 0;
    return machine.is_full || strcmp(word, "answer=takes") == 0;
}

int main(int count, char **words)
{
    for (int i = 1; i < count; i++)
        if (!obey(words[i])) {
            (void)fprintf(stderr, "pretend-machine: not understood: %s\n", words[i]);
            return 2;
        }
    const struct fake_script script = {
        .channels = {{.type = SM_CHANNEL_DISPLAY}, {.type = SM_CHANNEL_INPUTS}},
        .channel_count = 2,
        .mouse_mode = SM_MOUSE_MODE_CLIENT,
        .display_caps = 1u << SM_DISPLAY_CAP_MONITORS_CONFIG,
        .is_tcp = true,
        .display = be_display,
        .main_too = be_agent,
    };
    machine.server = fake_server_start(&script);
    char line[64];
    (void)snprintf(line, sizeof(line), "address spice://127.0.0.1:%u",
                   fake_server_port(machine.server));
    say(line);
    for (;;)
        (void)pause();
}
