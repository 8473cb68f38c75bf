/* SPDX-License-Identifier: MIT */
/*
 * A session from the first byte to the last, with every allocation that the server makes on the
 * host's thread failing in turn: clients may be lost, nothing else.
 */
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "core/wire/types.h"
#include "tests/server/support/visitor.h"

/* ---- allocations fail inside callbacks of the loop, but not in what those ask of the host ---- */

static _Thread_local bool is_active;
static unsigned countdown;
static bool has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
    if (!is_active || has_failed || countdown-- != 0)
        return false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/* ---- a host whose callbacks are marked ---- */

static SpiceCoreInterface inner; /* of tests/server/support/host.h */

struct marked {
    SpiceWatchFunc on_watch;
    SpiceTimerFunc on_timer;
    void *opaque;
    void *handle; /* the inner host's */
};

static void run_watch(int fd, int events, void *opaque)
{
    struct marked marked = *(struct marked *)opaque;
    is_active = true;
    marked.on_watch(fd, events, marked.opaque);
    is_active = false;
}

static void run_timer(void *opaque)
{
    struct marked marked = *(struct marked *)opaque;
    is_active = true;
    marked.on_timer(marked.opaque);
    is_active = false;
}

static bool pause_failing(void)
{
    bool was_active = is_active;
    is_active = false;
    return was_active;
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    bool was_active = pause_failing();
    struct marked *marked = calloc(1, sizeof(*marked));
    *marked = (struct marked){.on_watch = func, .opaque = opaque};
    marked->handle = inner.watch_add(fd, mask, run_watch, marked);
    is_active = was_active;
    return (SpiceWatch *)(void *)marked;
}

static void watch_update_mask(SpiceWatch *watch, int mask)
{
    bool was_active = pause_failing();
    inner.watch_update_mask(((struct marked *)(void *)watch)->handle, mask);
    is_active = was_active;
}

static void watch_remove(SpiceWatch *watch)
{
    bool was_active = pause_failing();
    struct marked *marked = (void *)watch;
    inner.watch_remove(marked->handle);
    free(marked);
    is_active = was_active;
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    bool was_active = pause_failing();
    struct marked *marked = calloc(1, sizeof(*marked));
    *marked = (struct marked){.on_timer = func, .opaque = opaque};
    marked->handle = inner.timer_add(run_timer, marked);
    is_active = was_active;
    return (SpiceTimer *)(void *)marked;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    bool was_active = pause_failing();
    inner.timer_start(((struct marked *)(void *)timer)->handle, ms);
    is_active = was_active;
}

static void timer_cancel(SpiceTimer *timer)
{
    bool was_active = pause_failing();
    inner.timer_cancel(((struct marked *)(void *)timer)->handle);
    is_active = was_active;
}

static void timer_remove(SpiceTimer *timer)
{
    bool was_active = pause_failing();
    struct marked *marked = (void *)timer;
    inner.timer_remove(marked->handle);
    free(marked);
    is_active = was_active;
}

/* ---- devices ---- */

static void port_state(SpiceCharDeviceInstance *instance, int is_connected)
{
    (void)instance, (void)is_connected;
}

static int port_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    (void)instance, (void)data;
    return size;
}

/* One message of the agent, once a client has come. */
static const uint8_t *from_agent = (const uint8_t *)"";
static size_t from_agent_size;

static int port_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    (void)instance;
    int given = (size_t)size < from_agent_size ? size : (int)from_agent_size;
    memcpy(to, from_agent, (size_t)given);
    from_agent += given;
    from_agent_size -= (size_t)given;
    return given;
}

static const SpiceCharDeviceInterface PORT = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .description = "agent",
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = port_state,
    .write = port_write,
    .read = port_read,
};

static const SpicePlaybackInterface PLAYBACK = {
    .base = {.type = SPICE_INTERFACE_PLAYBACK,
             .description = "playback",
             .major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
             .minor_version = SPICE_INTERFACE_PLAYBACK_MINOR}};

static const SpiceRecordInterface RECORD = {
    .base = {.type = SPICE_INTERFACE_RECORD,
             .description = "record",
             .major_version = SPICE_INTERFACE_RECORD_MAJOR,
             .minor_version = SPICE_INTERFACE_RECORD_MINOR}};

/* ---- the session ---- */

/* Opens a channel; false if the server had to give up. */
static bool try_open(struct sm_test_visitor *visitor, uint32_t id, uint8_t type)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    return sm_test_visitor_hello(visitor, id, type, 0, key) == 0 &&
           sm_test_visitor_ticket(visitor, key, "") == 0;
}

static void open_and_leave(struct sm_test_host *host, const char *path, uint32_t id, uint8_t type,
                           uint16_t message, const char *body)
{
    struct sm_test_visitor visitor = sm_test_visitor(host, path);
    if (try_open(&visitor, id, type))
        sm_test_visitor_message(&visitor, message, sm_test_hex(body));
    sm_test_visitor_close(&visitor);
}

static void live_a_session(struct sm_test_host *host, const char *path,
                           SpiceCharDeviceInstance *port)
{
    static const uint8_t words[] = {1, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0,
                                    0, 0, 0, 0, 0,  0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0};
    uint8_t init[6 + 32];
    struct sm_test_visitor main = sm_test_visitor(host, path);
    if (try_open(&main, 0, SM_CHANNEL_MAIN) &&
        sm_test_visitor_receive(&main, init, sizeof(init)) == sizeof(init)) {
        uint32_t id = (uint32_t)init[6] | (uint32_t)init[7] << 8 | (uint32_t)init[8] << 16 |
                      (uint32_t)init[9] << 24;
        sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_START, sm_test_hex("0a000000"));
        sm_test_visitor_message(&main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
        from_agent = words;
        from_agent_size = sizeof(words);
        spice_server_char_device_wakeup(port);
        sm_test_visitor_message(
            &main, SM_MSGC_MAIN_AGENT_DATA,
            sm_test_hex("01000000 04000000 0000000000000000 04000000 01000000"));
        open_and_leave(host, path, id, SM_CHANNEL_INPUTS, 101, "1e000000");
        open_and_leave(host, path, id, SM_CHANNEL_PLAYBACK, 1, "");
        open_and_leave(host, path, id, SM_CHANNEL_RECORD, 102, "00000000 0100");
    }
    sm_test_visitor_close(&main);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void live_a_server(const char *path)
{
    struct sm_test_host host;
    sm_test_host_init(&host);
    inner = host.core;
    host.core.watch_add = watch_add;
    host.core.watch_update_mask = watch_update_mask;
    host.core.watch_remove = watch_remove;
    host.core.timer_add = timer_add;
    host.core.timer_start = timer_start;
    host.core.timer_cancel = timer_cancel;
    host.core.timer_remove = timer_remove;
    SpiceServer *server = spice_server_new();
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    spice_server_set_noauth(server);
    assert_int_equal(spice_server_init(server, &host.core), 0);
    SpiceCharDeviceInstance port = {.base.sif = &PORT.base, .subtype = "vdagent"};
    SpicePlaybackInstance playback = {.base.sif = &PLAYBACK.base};
    SpiceRecordInstance record = {.base.sif = &RECORD.base};
    assert_int_equal(spice_server_add_interface(server, &port.base), 0);
    assert_int_equal(spice_server_add_interface(server, &playback.base), 0);
    assert_int_equal(spice_server_add_interface(server, &record.base), 0);
    spice_server_playback_start(&playback);
    spice_server_record_start(&record);
    live_a_session(&host, path, &port);
    assert_int_equal(spice_server_get_num_clients(server), 0);
    spice_server_destroy(server);
    assert_int_equal(host.connected, host.disconnected);
    sm_test_host_finish(&host);
    unlink(path);
}

static void only_clients_are_lost_when_memory_is_short(void **state)
{
    (void)state;
    char folder[] = "/tmp/sumac-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    unsigned before = open_descriptors(), nth = 0;
    do {
        countdown = nth++;
        has_failed = false;
        live_a_server(path);
        assert_int_equal(open_descriptors(), before);
        sm_test_free_copies();
    } while (has_failed);
    assert_in_range(nth, 20, 2000);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_clients_are_lost_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
