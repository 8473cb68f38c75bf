/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest against the built library, through the public interface alone: thousands of
 * commands that are wrong in every way, memory that changes while it is read, requests in any
 * order, and a client that checks what comes out. Run with numbers to go on longer:
 * mutated-guest-test FIRST-SEED SEED-COUNT
 */
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spice/qxl_dev.h>

#include "core/channel/canvas/canvas.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/pump.h"
#include "tests/server/support/mutant.h"
#include "tests/server/support/onlooker.h"
#include "tests/server/support/visitor.h"

#if defined(__SANITIZE_THREAD__)
#define HAS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER 1
#endif
#endif
#ifndef HAS_THREAD_SANITIZER
#define HAS_THREAD_SANITIZER 0
#endif

enum {
    GROUP = 1,
    SLOT = 2,
    MEMORY_SIZE = 12 << 20,
    COMMANDS_A_ROUND = 150,
    ROUNDS = 3,
    MAX_COMMANDS = 1024,
    DEFAULT_SEEDS = 24,
    LONGEST_CALL_S = 60, /* a machine with sanitizers and little time is slow, a hang is longer */
};

/* A command given to the library, and what it did with it. */
struct given {
    uint64_t address;
    unsigned submitted, released;
};

struct ring {
    QXLCommandExt commands[MAX_COMMANDS];
    uint32_t produced, consumed;
};

struct guest {
    struct sm_test_host host;
    SpiceServer *server;
    QXLInstance instance;
    struct sm_test_visitor main;
    struct sm_test_onlooker display, cursor;

    uint8_t *memory;
    struct sm_test_mutant mutant;
    struct sm_test_random random;
    _Atomic bool is_scribbling;
    uint64_t seed;

    pthread_mutex_t lock; /* guards the following */
    struct ring display_ring, cursor_ring;
    struct given given[2 * MAX_COMMANDS];
    uint32_t given_count;
    uint64_t next_cookie;
    unsigned completed[4096]; /* by cookie */
    unsigned foreign_releases;
    unsigned pictures; /* compared */
};

static struct guest *guest_of(QXLInstance *instance)
{
    return (struct guest *)(void *)((char *)instance - offsetof(struct guest, instance));
}

/* ---- the device's callbacks ---- */

static void attached_worker(QXLInstance *instance)
{
    (void)instance;
}

static void set_compression_level(QXLInstance *instance, int level)
{
    (void)instance;
    (void)level;
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    (void)instance;
    *info = (QXLDevInitInfo){.num_memslots_groups = 2,
                             .num_memslots = 8,
                             .memslot_gen_bits = 8,
                             .memslot_id_bits = 8,
                             .qxl_ram_size = MEMORY_SIZE,
                             .n_surfaces = 1024};
}

static int take(struct guest *guest, struct ring *ring, QXLCommandExt *out)
{
    pthread_mutex_lock(&guest->lock);
    int has = ring->consumed != ring->produced;
    if (has)
        *out = ring->commands[ring->consumed++ % MAX_COMMANDS];
    pthread_mutex_unlock(&guest->lock);
    return has;
}

static int get_command(QXLInstance *instance, QXLCommandExt *out)
{
    return take(guest_of(instance), &guest_of(instance)->display_ring, out);
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *out)
{
    return take(guest_of(instance), &guest_of(instance)->cursor_ring, out);
}

static int is_empty(struct guest *guest, const struct ring *ring)
{
    pthread_mutex_lock(&guest->lock);
    int empty = ring->consumed == ring->produced;
    pthread_mutex_unlock(&guest->lock);
    return empty;
}

static int req_cmd_notification(QXLInstance *instance)
{
    return is_empty(guest_of(instance), &guest_of(instance)->display_ring);
}

static int req_cursor_notification(QXLInstance *instance)
{
    return is_empty(guest_of(instance), &guest_of(instance)->cursor_ring);
}

static struct given *find_given(struct guest *guest, uint64_t address)
{
    for (uint32_t i = 0; i < guest->given_count; i++) {
        if (guest->given[i].address == address)
            return &guest->given[i];
    }
    return NULL;
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt release)
{
    struct guest *guest = guest_of(instance);
    uint64_t offset = (uint64_t)((uint8_t *)release.info - guest->memory);
    pthread_mutex_lock(&guest->lock);
    struct given *given = find_given(guest, guest->mutant.address_base | offset);
    if (given)
        given->released++;
    else
        guest->foreign_releases++;
    pthread_mutex_unlock(&guest->lock);
}

static void notify_update(QXLInstance *instance, uint32_t update_id)
{
    (void)instance;
    (void)update_id;
}

static int flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
    struct guest *guest = guest_of(instance);
    pthread_mutex_lock(&guest->lock);
    guest->completed[cookie % 4096]++;
    pthread_mutex_unlock(&guest->lock);
}

static void update_area_complete(QXLInstance *instance, uint32_t surface_id, QXLRect *rects,
                                 uint32_t count)
{
    (void)instance;
    (void)surface_id;
    volatile int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += rects[i].left; /* they are ours to read now */
    (void)sum;
}

static void set_client_capabilities(QXLInstance *instance, uint8_t present, uint8_t caps[58])
{
    (void)instance;
    (void)present;
    (void)caps;
}

static const QXLInterface INTERFACE = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .description = "mutated guest",
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
    .async_complete = async_complete,
    .update_area_complete = update_area_complete,
    .set_client_capabilities = set_client_capabilities,
};

/* ---- the client ---- */

/* A TCP connection to the server, which then is as careful as with anybody from outside. */
static int connect_to(struct guest *guest)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int mine = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(mine, (struct sockaddr *)&address, size), 0);
    int theirs = accept(listener, NULL, NULL);
    (void)close(listener);
    assert_int_equal(spice_server_add_client(guest->server, theirs, 1), 0);
    return mine;
}

static void connect_client(struct guest *guest)
{
    guest->main = (struct sm_test_visitor){.host = &guest->host, .fd = connect_to(guest)};
    uint32_t id = sm_test_visitor_open_main(&guest->main, "");
    struct sm_test_visitor visitor = {.host = &guest->host, .fd = connect_to(guest)};
    assert_int_equal(sm_test_visitor_open(&visitor, id, SM_CHANNEL_DISPLAY, 0), 0);
    sm_test_onlooker_start_display(&guest->display, guest->host.loop, visitor.fd, guest->seed);

    visitor.fd = connect_to(guest);
    assert_int_equal(sm_test_visitor_open(&visitor, id, SM_CHANNEL_CURSOR, 0), 0);
    sm_test_onlooker_start_cursor(&guest->cursor, guest->host.loop, visitor.fd, guest->seed);
}

/* ---- the guest's deeds ---- */

static void submit(struct guest *guest, struct ring *ring, uint64_t address, uint32_t type)
{
    bool is_tampered = sm_test_mutant_chance(&guest->mutant, 40);
    QXLCommandExt command = {.cmd = {.data = address, .type = type}, .group_id = GROUP};
    if (is_tampered) {
        command.cmd.data = sm_test_mutant_wild_address(&guest->mutant);
        command.cmd.type = sm_test_mutant_pick(&guest->mutant, 8);
        command.group_id = sm_test_mutant_pick(&guest->mutant, 3);
    }
    pthread_mutex_lock(&guest->lock);
    struct given *given = find_given(guest, command.cmd.data);
    if (!given && guest->given_count < 2 * MAX_COMMANDS) {
        given = &guest->given[guest->given_count++];
        *given = (struct given){.address = command.cmd.data};
    }
    if (given) {
        /* A tampered one may be given back, once, or not. */
        given->submitted += 1;
        given->released += 0;
    }
    if (ring->produced - ring->consumed < MAX_COMMANDS)
        ring->commands[ring->produced++ % MAX_COMMANDS] = command;
    pthread_mutex_unlock(&guest->lock);
}

static uint64_t new_cookie(struct guest *guest)
{
    return guest->next_cookie++;
}

static void add_slot(struct guest *guest)
{
    QXLDevMemSlot slot = {.slot_group_id = GROUP,
                          .slot_id = SLOT,
                          .generation = 3,
                          .virt_start = (uintptr_t)guest->memory,
                          .virt_end = (uintptr_t)guest->memory + MEMORY_SIZE,
                          .addr_delta = (uintptr_t)guest->memory};
    spice_qxl_add_memslot(&guest->instance, &slot);
}

static QXLDevSurfaceCreate primary(struct guest *guest, bool is_wild)
{
    QXLDevSurfaceCreate create = {.width = 640,
                                  .height = 480,
                                  .stride = 2560,
                                  .format = 32,
                                  .mouse_mode = 1,
                                  .mem = sm_test_mutant_pixels(&guest->mutant, 0),
                                  .group_id = GROUP};
    if (is_wild) {
        uint32_t *fields[] = {&create.width, &create.height, (uint32_t *)&create.stride,
                              &create.format, &create.group_id};
        *fields[sm_test_mutant_pick(&guest->mutant, 5)] =
            sm_test_mutant_wild_number(&guest->mutant);
        if (sm_test_mutant_chance(&guest->mutant, 3))
            create.mem = sm_test_mutant_wild_address(&guest->mutant);
    }
    return create;
}

static void scan_out(struct guest *guest)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[1]);
    spice_qxl_gl_scanout(&guest->instance, ends[0], 640, 480, 2560, 0x34325258, 1);
    spice_qxl_gl_draw_async(&guest->instance, 0, 0, 10, 10, new_cookie(guest));
    spice_qxl_gl_scanout(&guest->instance, -1, 0, 0, 0, 0, 0);
    spice_qxl_gl_draw_async(&guest->instance, 0, 0, 10, 10, new_cookie(guest));
}

static void load_commands(struct guest *guest)
{
    QXLCommandExt commands[8];
    for (unsigned i = 0; i < 8; i++)
        commands[i] =
            (QXLCommandExt){.cmd = {.data = UINT64_MAX - sm_test_mutant_pick(&guest->mutant, 1000),
                                    .type = sm_test_mutant_pick(&guest->mutant, 8)},
                            .group_id = sm_test_mutant_pick(&guest->mutant, 3)};
    spice_qxl_loadvm_commands(&guest->instance, commands, 8);
}

/* Something a host does between two commands. */
static void request(struct guest *guest)
{
    struct sm_test_mutant *mutant = &guest->mutant;
    QXLInstance *instance = &guest->instance;
    QXLRect rect = sm_test_mutant_rect(mutant);
    QXLRect dirty[3];
    uint32_t id = sm_test_mutant_chance(mutant, 4) ? sm_test_mutant_wild_number(mutant)
                                                   : sm_test_mutant_pick(mutant, 5);
    bool is_wild = mutant->wildness && sm_test_mutant_chance(mutant, 2);
    QXLDevSurfaceCreate create = primary(guest, is_wild);
    switch (sm_test_mutant_pick(mutant, 24)) {
    case 0:
        spice_qxl_update_area(instance, id, &rect, dirty, 3, sm_test_mutant_pick(mutant, 2));
        break;
    case 1:
        spice_qxl_update_area_async(instance, id, &rect, 1, new_cookie(guest));
        break;
    case 2:
        spice_qxl_destroy_surface_wait(instance, id);
        break;
    case 3:
        spice_qxl_destroy_surface_async(instance, id, new_cookie(guest));
        break;
    case 4:
        spice_qxl_create_primary_surface(instance, 0, &create);
        break;
    case 5:
        spice_qxl_create_primary_surface_async(instance, 0, &create, new_cookie(guest));
        break;
    case 6:
        spice_qxl_destroy_primary_surface(instance, 0);
        break;
    case 7:
        spice_qxl_destroy_primary_surface_async(instance, 0, new_cookie(guest));
        break;
    case 8:
        spice_qxl_flush_surfaces_async(instance, new_cookie(guest));
        break;
    case 9:
    case 10:
        spice_qxl_monitors_config_async(instance, sm_test_mutant_monitors(mutant), GROUP,
                                        new_cookie(guest));
        break;
    case 11:
        load_commands(guest);
        break;
    case 12:
        spice_qxl_reset_cursor(instance);
        break;
    case 13:
        spice_qxl_reset_image_cache(instance);
        break;
    case 14:
        spice_qxl_oom(instance);
        break;
    case 15:
        spice_qxl_driver_unload(instance);
        break;
    case 16:
        spice_server_vm_stop(guest->server);
        spice_server_vm_start(guest->server);
        break;
    case 17:
        spice_qxl_del_memslot(instance, sm_test_mutant_pick(mutant, 3) * 7,
                              sm_test_mutant_wild_number(mutant) | 8);
        break;
    case 18:
        spice_qxl_destroy_surfaces_async(instance, new_cookie(guest));
        break;
    case 19:
        if (sm_test_mutant_chance(mutant, 8)) /* it costs us the client */
            scan_out(guest);
        break;
    default:
        spice_qxl_wakeup(instance);
        break;
    }
}

static void *scribble(void *opaque)
{
    struct guest *guest = opaque;
    struct sm_test_random random = {.state = guest->seed * 977 + 1};
    while (atomic_load(&guest->is_scribbling)) {
        for (unsigned i = 0; i < 64; i++)
            sm_test_mutant_scribble(guest->memory, MEMORY_SIZE / 2, &random);
        usleep(50);
    }
    return NULL;
}

/* ---- a seed ---- */

static void begin(struct guest *guest, uint64_t seed)
{
    memset(guest, 0, sizeof(*guest));
    guest->seed = seed;
    guest->main.fd = -1;
    pthread_mutex_init(&guest->lock, NULL);
    guest->memory = calloc(1, MEMORY_SIZE);
    guest->mutant = (struct sm_test_mutant){
        .random = {.state = seed * 2654435761u + 1},
        .memory = guest->memory,
        .size = MEMORY_SIZE,
        .address_base = (uint64_t)SLOT << 56 | (uint64_t)3 << 48,
        .wildness = seed % 4 == 0 ? 0 : 20u << seed % 4, /* some guests are nearly honest */
    };
    sm_test_host_init(&guest->host);
    guest->server = spice_server_new();
    spice_server_set_noauth(guest->server);
    assert_int_equal(spice_server_init(guest->server, &guest->host.core), 0);
    guest->instance.base.sif = &INTERFACE.base;
    assert_int_equal(spice_server_add_interface(guest->server, &guest->instance.base), 0);
    add_slot(guest);
    QXLDevSurfaceCreate create = primary(guest, false);
    spice_qxl_create_primary_surface(&guest->instance, 0, &create);
    spice_server_vm_start(guest->server);
    if (seed % 5 != 0)
        connect_client(guest);
}

/* Everything that was given to the library has come back, once. */
static void check_book(struct guest *guest)
{
    pthread_mutex_lock(&guest->lock);
    for (uint32_t i = 0; i < guest->given_count; i++) {
        const struct given *given = &guest->given[i];
        if (given->released > given->submitted)
            fail_msg("seed %llu: command %#llx given once and back %u times",
                     (unsigned long long)guest->seed, (unsigned long long)given->address,
                     given->released);
    }
    if (guest->foreign_releases)
        fail_msg("seed %llu: %u commands given back that never were given",
                 (unsigned long long)guest->seed, guest->foreign_releases);
    guest->given_count = 0;
    pthread_mutex_unlock(&guest->lock);
}

/* Whether the client shows what lies in guest memory; `x`, `y` receive the first difference. */
static bool shows_primary(struct guest *guest, uint32_t *x, uint32_t *y)
{
    const struct sm_surface *surface = sm_canvas_surface(guest->display.canvas, 0);
    if (!surface)
        return true; /* the host took it away */
    const uint8_t *expected =
        guest->memory + (sm_test_mutant_pixels(&guest->mutant, 0) & 0xffffffffffff);
    for (*y = 0; *y < 480; ++*y) {
        const uint8_t *row = sm_pixels_row(sm_surface_pixels(surface), *y);
        for (*x = 0; *x < 640; ++*x, expected += 4) {
            if (memcmp(row + 4 * (size_t)*x, expected, 3) != 0)
                return false;
        }
    }
    return true;
}

/*
 * A guest that only does what is allowed: when everything has arrived, the client's picture is what
 * the server renders, whatever was dropped, collapsed or sent as pixels on the way.
 */
static void check_picture(struct guest *guest)
{
    if (guest->mutant.wildness || !guest->display.pump || guest->display.is_closed)
        return;
    QXLRect all = {.right = 640, .bottom = 480};
    spice_qxl_update_area(&guest->instance, 0, &all, NULL, 0, 0);
    uint32_t x, y;
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!shows_primary(guest, &x, &y) && !guest->display.is_closed) {
        if (sm_now_us() > end_us)
            fail_msg("seed %llu: the client's pixel %u,%u differs", (unsigned long long)guest->seed,
                     x, y);
        (void)sm_epoll_loop_run_once(guest->host.loop, 20);
    }
    guest->pictures += sm_canvas_surface(guest->display.canvas, 0) != NULL;
}

static void play_round(struct guest *guest)
{
    sm_test_mutant_reset(&guest->mutant);
    for (uint32_t id = 1; id <= 3; id++)
        submit(guest, &guest->display_ring, sm_test_mutant_surface(&guest->mutant, id),
               QXL_CMD_SURFACE);
    for (unsigned i = 0; i < COMMANDS_A_ROUND; i++) {
        uint32_t type;
        uint64_t address = sm_test_mutant_command(&guest->mutant, &type);
        if (address)
            submit(guest, &guest->display_ring, address, type);
        address =
            sm_test_mutant_chance(&guest->mutant, 6) ? sm_test_mutant_cursor(&guest->mutant) : 0;
        if (address)
            submit(guest, &guest->cursor_ring, address, QXL_CMD_CURSOR);
        if (sm_test_mutant_chance(&guest->mutant, 3))
            spice_qxl_wakeup(&guest->instance);
        if (sm_test_mutant_chance(&guest->mutant, 8))
            request(guest);
        (void)alarm(LONGEST_CALL_S);
        (void)sm_epoll_loop_run_once(guest->host.loop, 0);
    }
    check_picture(guest);
    /* Memory is used again in the next round, so nothing of it may be held. */
    spice_qxl_wakeup(&guest->instance);
    spice_qxl_destroy_surfaces(&guest->instance);
    spice_qxl_reset_cursor(&guest->instance);
    check_book(guest);
    QXLDevSurfaceCreate create = primary(guest, false);
    spice_qxl_create_primary_surface(&guest->instance, 0, &create);
}

static void end(struct guest *guest)
{
    sm_test_host_run(&guest->host, 20);
    bool had_client = guest->main.fd >= 0;
    sm_test_onlooker_finish(&guest->display);
    sm_test_onlooker_finish(&guest->cursor);
    if (had_client)
        sm_test_visitor_close(&guest->main);
    spice_server_destroy(guest->server);
    check_book(guest);
    for (uint64_t cookie = 0; cookie < guest->next_cookie; cookie++)
        assert_int_equal(guest->completed[cookie], 1);
    assert_int_equal(guest->host.connected, guest->host.disconnected);
    sm_test_host_finish(&guest->host);
    pthread_mutex_destroy(&guest->lock);
    free(guest->memory);
}

static uint64_t pictures; /* compared by all seeds */

static uint32_t play_seed(uint64_t seed)
{
    struct guest *guest = calloc(1, sizeof(*guest));
    (void)alarm(LONGEST_CALL_S);
    begin(guest, seed);
    /* A race on purpose, which a thread sanitizer would rightly report. */
    pthread_t scribbler;
    bool has_scribbler = !HAS_THREAD_SANITIZER && guest->mutant.wildness && seed % 3 == 1;
    atomic_store(&guest->is_scribbling, has_scribbler);
    if (has_scribbler)
        assert_int_equal(pthread_create(&scribbler, NULL, scribble, guest), 0);
    bool is_slow = guest->display.pump && seed % 4 == 2;
    if (is_slow)
        sm_pump_set_reading(guest->display.pump, false);
    for (unsigned i = 0; i < ROUNDS; i++)
        play_round(guest);
    if (is_slow) /* it catches up, and what it gets is still in order */
        sm_pump_set_reading(guest->display.pump, true);
    sm_test_host_run(&guest->host, 20);
    atomic_store(&guest->is_scribbling, false);
    if (has_scribbler)
        (void)pthread_join(scribbler, NULL);
    uint32_t messages = guest->display.messages;
    pictures += guest->pictures;
    end(guest);
    free(guest);
    return messages;
}

static uint64_t first_seed = 1, seed_count = DEFAULT_SEEDS;

static void hostile_guests_harm_nobody(void **state)
{
    (void)state;
    uint64_t messages = 0;
    for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++) {
        if (seed_count > DEFAULT_SEEDS && seed % 100 == 0)
            print_message("seed %llu\n", (unsigned long long)seed);
        messages += play_seed(seed);
    }
    (void)alarm(0);
    /* The guests were not so hostile that nothing got through. */
    assert_true(messages > seed_count * 20);
    assert_true(pictures > seed_count / 8);
    print_message("# %llu seeds, %llu messages to the client, %llu pictures compared\n",
                  (unsigned long long)seed_count, (unsigned long long)messages,
                  (unsigned long long)pictures);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        seed_count = strtoull(argv[2], NULL, 10);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_guests_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
