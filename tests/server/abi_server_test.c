/* SPDX-License-Identifier: MIT */
/* The functions of spice-server.h as hosts and the reference's own public tests call them. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/server/support/visitor.h"

/* ---- a core that does nothing, and one that is nothing ---- */

static SpiceTimer *no_timer(SpiceTimerFunc func, void *opaque)
{
    (void)func;
    (void)opaque;
    return (SpiceTimer *)(uintptr_t)0xdeadbeef; /* must never be looked into */
}

static void no_timer_start(SpiceTimer *timer, uint32_t ms)
{
    (void)timer;
    (void)ms;
}

static void no_timer_end(SpiceTimer *timer)
{
    (void)timer;
}

static SpiceWatch *no_watch(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    (void)fd;
    (void)mask;
    (void)func;
    (void)opaque;
    return NULL;
}

static void no_watch_update(SpiceWatch *watch, int mask)
{
    (void)watch;
    (void)mask;
}

static void no_watch_remove(SpiceWatch *watch)
{
    (void)watch;
}

static void a_host_whose_loop_does_nothing_is_served(void **state)
{
    (void)state;
    SpiceCoreInterface core = {
        .base = {.major_version = SPICE_INTERFACE_CORE_MAJOR},
        .timer_add = no_timer,
        .timer_start = no_timer_start,
        .timer_cancel = no_timer_end,
        .timer_remove = no_timer_end,
        .watch_add = no_watch,
        .watch_update_mask = no_watch_update,
        .watch_remove = no_watch_remove,
    };
    SpiceServer *server = spice_server_new();
    assert_non_null(server);
    assert_int_equal(spice_server_init(server, &core), 0);
    spice_server_destroy(server);
}

static void a_core_without_a_version_is_refused(void **state)
{
    (void)state;
    SpiceCoreInterface core;
    memset(&core, 0, sizeof(core));
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &core), -1);
    spice_server_destroy(server);
}

static void a_server_that_was_never_started_can_be_destroyed(void **state)
{
    (void)state;
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_set_port(server, 5911), 0);
    assert_int_equal(spice_server_set_ticket(server, "", 0, 0, 0), 0);
    assert_int_equal(spice_server_set_ticket(server, "", 0, 0, 1), 0);
    assert_int_equal(spice_server_set_ticket(server, "", 0, 1, 0), 0);
    assert_int_equal(spice_server_set_ticket(server, "", 0, 1, 1), 0);
    assert_int_equal(spice_server_set_ticket(server, "short", 0, 0, 1), 0);
    assert_int_equal(spice_server_set_ticket(server, NULL, 5, 0, 0), 0);
    assert_int_equal(spice_server_get_num_clients(server), 0);
    assert_int_equal(spice_server_get_num_clients(NULL), 0);
    spice_server_destroy(server);
}

static int nothing_to_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    (void)instance, (void)to, (void)size;
    return 0;
}

static int nothing_written(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    (void)instance, (void)data, (void)size;
    return 0;
}

static void devices_that_come_before_the_start_do_no_harm(void **state)
{
    (void)state;
    static const SpiceCharDeviceInterface port = {
        .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
                 .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
                 .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
        .write = nothing_written,
        .read = nothing_to_read,
    };
    SpiceCharDeviceInstance agent = {.base.sif = &port.base, .subtype = "vdagent"};
    SpiceCharDeviceInstance usb = {.base.sif = &port.base, .subtype = "usbredir"};
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_add_interface(server, &agent.base), 0);
    (void)spice_server_add_interface(server, &usb.base);
    spice_server_char_device_wakeup(&agent);
    spice_server_set_agent_mouse(server, 0);
    spice_server_vm_stop(server);
    spice_server_vm_start(server);
    assert_int_equal(spice_server_init(server, &host.core), 0);
    if (!agent.st) /* refused, and may come again */
        assert_int_equal(spice_server_add_interface(server, &agent.base), 0);
    assert_non_null(agent.st);
    assert_int_equal(spice_server_remove_interface(&agent.base), 0);
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

/* What `func` writes to standard error. */
static const char *said(void (*func)(SpiceServer *, SpiceCharDeviceInstance *), SpiceServer *server,
                        SpiceCharDeviceInstance *instance)
{
    static char text[4096];
    int log = memfd_create("log", MFD_CLOEXEC), former = dup(STDERR_FILENO);
    assert_true(log >= 0 && former >= 0);
    assert_true(dup2(log, STDERR_FILENO) >= 0);
    func(server, instance);
    (void)dup2(former, STDERR_FILENO);
    ssize_t size = pread(log, text, sizeof(text) - 1, 0);
    text[size > 0 ? size : 0] = 0;
    (void)close(former);
    (void)close(log);
    return text;
}

static void add(SpiceServer *server, SpiceCharDeviceInstance *instance)
{
    assert_int_equal(spice_server_add_interface(server, &instance->base), 0);
}

static void remove_again(SpiceServer *server, SpiceCharDeviceInstance *instance)
{
    (void)server;
    assert_int_equal(spice_server_remove_interface(&instance->base), -1);
}

/* The words that the reference's own test of the agent looks for. */
static void agents_that_are_too_many_or_gone_get_the_known_words(void **state)
{
    (void)state;
    static const SpiceCharDeviceInterface port = {
        .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
                 .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
                 .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
        .write = nothing_written,
        .read = nothing_to_read,
    };
    SpiceCharDeviceInstance first = {.base.sif = &port.base, .subtype = "vdagent"}, second = first;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    assert_non_null(strstr(said(add, server, &first), "vdagent before spice_server_init()"));
    assert_null(first.st);
    assert_int_equal(spice_server_init(server, &host.core), 0);
    assert_string_equal(said(add, server, &first), "");
    assert_non_null(strstr(said(add, server, &second),
                           "spice_server_char_device_add_interface: vdagent already attached"));
    assert_null(second.st);
    assert_int_equal(spice_server_remove_interface(&first.base), 0);
    assert_non_null(strstr(said(remove_again, server, &first),
                           "spice_server_remove_interface: assertion "
                           "'char_device->st != nullptr' failed"));
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

/* ---- a host that ends the server from inside of what it is told ---- */

static struct {
    SpiceServer *server;
    int at; /* the event that makes it end; it hears of no other before this is cleared */
    unsigned told;
} ender;

static void end_inside(int event, SpiceChannelEventInfo *info)
{
    (void)info;
    ender.told++;
    if (event != ender.at)
        return;
    ender.at = -1;
    SpiceServer *server = ender.server;
    ender.server = NULL;
    spice_server_destroy(server);
}

static void a_server_may_be_destroyed_inside_any_event(void **state)
{
    (void)state;
    static const int EVENTS[] = {SPICE_CHANNEL_EVENT_CONNECTED, SPICE_CHANNEL_EVENT_INITIALIZED,
                                 SPICE_CHANNEL_EVENT_DISCONNECTED};
    for (size_t i = 0; i < 3; i++) {
        struct sm_test_host host;
        sm_test_host_init(&host);
        host.core.channel_event = end_inside;
        SpiceServer *server = spice_server_new();
        spice_server_set_noauth(server);
        assert_int_equal(spice_server_init(server, &host.core), 0);
        ender.server = server;
        ender.at = EVENTS[i];
        ender.told = 0;
        int pairs[2][2];
        for (size_t k = 0; k < 2; k++) { /* another stranger waits beside */
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[k]), 0);
            assert_int_equal(spice_server_add_client(server, pairs[k][0], 1), 0);
        }
        struct sm_test_visitor visitor = {.host = &host, .fd = pairs[0][1]};
        if (EVENTS[i] != SPICE_CHANNEL_EVENT_CONNECTED) {
            uint8_t key[SM_TEST_KEY_SIZE];
            assert_int_equal(sm_test_visitor_hello(&visitor, 0, 1, 0, key), 0);
            (void)sm_test_visitor_ticket(&visitor, key, "");
        }
        if (EVENTS[i] == SPICE_CHANNEL_EVENT_DISCONNECTED)
            sm_test_visitor_close(&visitor);
        sm_test_host_run(&host, 20);
        assert_null(ender.server);    /* it was ended */
        assert_true(ender.told >= 2); /* and the others heard of their end */
        sm_test_visitor_close(&visitor);
        (void)close(pairs[1][1]);
        sm_test_host_finish(&host);
    }
}

static void a_second_start_changes_nothing(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceCoreInterface other = {.base.major_version = SPICE_INTERFACE_CORE_MAJOR};
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &host.core), 0);
    assert_int_equal(spice_server_init(server, &other), -1);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(spice_server_add_client(server, pair[0], 1), 0);
    sm_test_host_run(&host, 5);
    assert_int_equal(host.connected, 1); /* the first core is the one that hears of it */
    (void)close(pair[1]);
    spice_server_destroy(server);
    assert_int_equal(host.disconnected, 1);
    sm_test_host_finish(&host);
}

static void a_port_that_cannot_be_had_fails_the_start(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    spice_server_set_addr(server, "/nonexistent/folder/socket", SPICE_ADDR_FLAG_UNIX_ONLY);
    assert_int_equal(spice_server_init(server, &host.core), -1);
    spice_server_destroy(server);
    server = spice_server_new();
    assert_int_equal(spice_server_set_tls(server, 5912, "/nonexistent", "/nonexistent",
                                          "/nonexistent", NULL, NULL, NULL),
                     0);
    assert_int_equal(spice_server_init(server, &host.core), -1);
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

/* Every setter with good and bad values. */
static void check_settings(SpiceServer *server)
{
    assert_int_equal(spice_server_set_port(server, -1), -1);
    assert_int_equal(spice_server_set_port(server, 65536), -1);
    assert_int_equal(spice_server_set_tls(server, 0, "a", "b", "c", NULL, NULL, NULL), -1);
    assert_int_equal(spice_server_set_tls(server, 65536, "a", "b", "c", NULL, NULL, NULL), -1);
    assert_int_equal(spice_server_set_tls(server, 1, NULL, "b", "c", NULL, NULL, NULL), -1);
    assert_int_equal(spice_server_set_tls(server, 1, "a", NULL, "c", NULL, NULL, NULL), -1);
    assert_int_equal(spice_server_set_tls(server, 1, "a", "b", NULL, NULL, NULL, NULL), -1);

    assert_int_equal(spice_get_current_compat_version(), SPICE_COMPAT_VERSION_0_6);
    assert_int_equal(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_6), 0);
    assert_int_equal(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_4), -1);

    for (int on = 0; on < 2; on++) {
        assert_int_equal(spice_server_set_agent_mouse(server, on), 0);
        assert_int_equal(spice_server_set_agent_copypaste(server, on), 0);
        assert_int_equal(spice_server_set_agent_file_xfer(server, on), 0);
        assert_int_equal(spice_server_set_playback_compression(server, on), 0);
        assert_int_equal(spice_server_set_exit_on_disconnect(server, 0), 0);
    }

    assert_int_equal(spice_server_set_image_compression(server, SPICE_IMAGE_COMPRESSION_LZ), 0);
    assert_int_equal(spice_server_get_image_compression(server), SPICE_IMAGE_COMPRESSION_LZ);
    assert_int_equal(spice_server_set_image_compression(server, 0), 0);
    assert_int_equal(spice_server_set_image_compression(server, 8), 0);
    assert_int_equal(spice_server_get_image_compression(server), SPICE_IMAGE_COMPRESSION_LZ);

    for (spice_wan_compression_t wan = 0; wan < 5; wan++) {
        int expected = wan >= 1 && wan <= 3 ? 0 : -1;
        assert_int_equal(spice_server_set_jpeg_compression(server, wan), expected);
        assert_int_equal(spice_server_set_zlib_glz_compression(server, wan), expected);
        assert_int_equal(spice_server_set_streaming_video(server, (int)wan), expected);
    }

    assert_int_equal(spice_server_set_channel_security(server, NULL, 3), 0);
    assert_int_equal(spice_server_set_channel_security(server, "webdav", 2), 0);
    assert_int_equal(spice_server_set_channel_security(server, "no such channel", 1), -1);
    assert_int_equal(spice_server_get_sock_info(server, NULL, NULL), -1);
    assert_int_equal(spice_server_get_peer_info(server, NULL, NULL), -1);
    assert_int_equal(spice_server_is_server_mouse(server), 1);
    spice_server_set_name(server, "name");
    spice_server_set_name(server, NULL);
    static const uint8_t uuid[16] = {1};
    spice_server_set_uuid(server, uuid);
}

static void settings_are_checked_before_and_after_the_start(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    check_settings(server);
    assert_int_equal(spice_server_add_renderer(server, "sw"), 0);
    assert_int_equal(spice_server_add_renderer(server, "sw"), 0);
    assert_int_equal(spice_server_add_renderer(server, "sw"), -1);
    assert_int_equal(spice_server_add_renderer(server, "cairo"), -1);
    assert_int_equal(spice_server_init(server, &host.core), 0);
    check_settings(server);
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

static void video_codecs_are_given_back_as_text(void **state)
{
    (void)state;
    SpiceServer *server = spice_server_new();
    const char *list = spice_server_get_video_codecs(server);
    assert_string_equal(list,
                        "spice:mjpeg;gstreamer:mjpeg;gstreamer:h264;gstreamer:vp8;gstreamer:vp9");
    spice_server_free_video_codecs(server, list);
    assert_int_equal(spice_server_set_video_codecs(server, "gstreamer:vp8;spice:mjpeg;"), 0);
    assert_int_equal(spice_server_set_video_codecs(server, "nonsense"), -1);
    assert_int_equal(spice_server_set_video_codecs(server, NULL), -1);
    list = spice_server_get_video_codecs(server);
    assert_string_equal(list, "gstreamer:vp8;spice:mjpeg");
    spice_server_free_video_codecs(server, list);
    spice_server_destroy(server);
}

/* ---- interfaces ---- */

static void versions_of_interfaces_are_compared(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &host.core), 0);
    static const struct {
        const char *type;
        uint32_t major, minor;
        int result;
    } cases[] = {
        {SPICE_INTERFACE_MOUSE, 1, 2, -1},     {SPICE_INTERFACE_MOUSE, 2, 0, -1},
        {SPICE_INTERFACE_MOUSE, 0, 0, -1},     {SPICE_INTERFACE_TABLET, 1, 2, -1},
        {SPICE_INTERFACE_KEYBOARD, 2, 1, -1},  {SPICE_INTERFACE_QXL, 4, 0, -1},
        {SPICE_INTERFACE_PLAYBACK, 1, 4, -1},  {SPICE_INTERFACE_RECORD, 1, 0, -1},
        {SPICE_INTERFACE_MIGRATION, 1, 2, -1}, {SPICE_INTERFACE_CHAR_DEVICE, 1, 4, -1},
        {"something else", 7, 7, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SpiceBaseInterface interface = {.type = cases[i].type,
                                        .major_version = cases[i].major,
                                        .minor_version = cases[i].minor};
        SpiceBaseInstance instance = {.sif = &interface};
        assert_int_equal(spice_server_add_interface(server, &instance), cases[i].result);
    }
    assert_int_equal(spice_server_remove_interface(NULL), -1);
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

static unsigned logical_sizes;

static void set_logical_size(SpiceTabletInstance *tablet, int width, int height)
{
    (void)tablet;
    (void)width;
    (void)height;
    logical_sizes++;
}

static uint8_t leds(SpiceKbdInstance *keyboard)
{
    (void)keyboard;
    return 0;
}

static void input_devices_come_once_and_the_tablet_goes(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &host.core), 0);

    SpiceTabletInterface tablet_interface = {
        .base = {.type = SPICE_INTERFACE_TABLET, .major_version = 1, .minor_version = 1},
        .set_logical_size = set_logical_size};
    SpiceTabletInstance tablet = {.base = {.sif = &tablet_interface.base}};
    SpiceTabletInstance second = tablet;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(spice_server_add_interface(server, &tablet.base), 0);
        assert_non_null(tablet.st);
        assert_int_equal(spice_server_add_interface(server, &second.base), -1);
        assert_int_equal(spice_server_remove_interface(&tablet.base), 0);
        assert_null(tablet.st);
        assert_int_equal(spice_server_remove_interface(&tablet.base), -1);
    }
    assert_int_equal(logical_sizes, 0); /* there is no display to point at */

    SpiceKbdInterface keyboard_interface = {
        .base = {.type = SPICE_INTERFACE_KEYBOARD, .major_version = 1, .minor_version = 1},
        .get_leds = leds};
    SpiceKbdInstance keyboard = {.base = {.sif = &keyboard_interface.base}};
    assert_int_equal(spice_server_kbd_leds(&keyboard, 1), 0); /* not yet there */
    assert_int_equal(spice_server_add_interface(server, &keyboard.base), 0);
    assert_int_equal(spice_server_add_interface(server, &keyboard.base), -1);
    assert_int_equal(spice_server_kbd_leds(&keyboard, 7), 0);
    assert_int_equal(spice_server_remove_interface(&keyboard.base), -1);
    spice_server_destroy(server);
    assert_null(keyboard.st);
    sm_test_host_finish(&host);
}

static unsigned connects, ends;

static void connect_complete(SpiceMigrateInstance *instance)
{
    (void)instance;
    connects++;
}

static void end_complete(SpiceMigrateInstance *instance)
{
    (void)instance;
    ends++;
}

static void migration_answers_the_host_every_time(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *server = spice_server_new();
    assert_int_equal(spice_server_init(server, &host.core), 0);
    assert_int_equal(spice_server_migrate_connect(server, "host", 1, -1, NULL), -1);
    assert_int_equal(spice_server_migrate_start(server), -1);

    SpiceMigrateInterface interface = {
        .base = {.type = SPICE_INTERFACE_MIGRATION, .major_version = 1, .minor_version = 1},
        .migrate_connect_complete = connect_complete,
        .migrate_end_complete = end_complete};
    SpiceMigrateInstance instance = {.base = {.sif = &interface.base}};
    assert_int_equal(spice_server_add_interface(server, &instance.base), 0);
    assert_non_null(instance.st);
    assert_int_equal(spice_server_add_interface(server, &instance.base), -1);
    assert_int_equal(spice_server_migrate_connect(server, NULL, 1, -1, NULL), -1);
    assert_int_equal(spice_server_migrate_connect(server, "host", -1, -1, NULL), -1);
    assert_int_equal(spice_server_migrate_start(server), -1);
    assert_int_equal(spice_server_migrate_connect(server, "host", 5900, -1, "CN=x"), 0);
    assert_int_equal(connects, 3);
    assert_int_equal(spice_server_migrate_start(server), 0);
    assert_int_equal(spice_server_migrate_end(server, 1), 0);
    assert_int_equal(ends, 1);
    assert_int_equal(spice_server_migrate_switch(server), 0);
    spice_server_set_seamless_migration(server, 1);
    spice_server_destroy(server);
    sm_test_host_finish(&host);
}

static void two_servers_live_side_by_side(void **state)
{
    (void)state;
    struct sm_test_host host;
    sm_test_host_init(&host);
    SpiceServer *one = spice_server_new(), *two = spice_server_new();
    spice_server_set_port(one, 0);
    spice_server_set_port(two, 0);
    spice_server_set_addr(one, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    spice_server_set_addr(two, "127.0.0.1", 0);
    assert_int_equal(spice_server_init(one, &host.core), 0);
    assert_int_equal(spice_server_init(two, &host.core), 0);
    spice_server_vm_stop(one);
    spice_server_vm_start(one);
    spice_server_destroy(one);
    spice_server_vm_stop(two);
    spice_server_destroy(two);
    sm_test_host_finish(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_whose_loop_does_nothing_is_served),
        cmocka_unit_test(a_core_without_a_version_is_refused),
        cmocka_unit_test(a_server_that_was_never_started_can_be_destroyed),
        cmocka_unit_test(devices_that_come_before_the_start_do_no_harm),
        cmocka_unit_test(agents_that_are_too_many_or_gone_get_the_known_words),
        cmocka_unit_test(a_server_may_be_destroyed_inside_any_event),
        cmocka_unit_test(a_second_start_changes_nothing),
        cmocka_unit_test(a_port_that_cannot_be_had_fails_the_start),
        cmocka_unit_test(settings_are_checked_before_and_after_the_start),
        cmocka_unit_test(video_codecs_are_given_back_as_text),
        cmocka_unit_test(versions_of_interfaces_are_compared),
        cmocka_unit_test(input_devices_come_once_and_the_tablet_goes),
        cmocka_unit_test(migration_answers_the_host_every_time),
        cmocka_unit_test(two_servers_live_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
