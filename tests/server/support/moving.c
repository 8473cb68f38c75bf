/* SPDX-License-Identifier: MIT */
#include "tests/server/support/moving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "tests/support/check.h"

/* ---- the host's side ---- */

static void on_connect_complete(SpiceMigrateInstance *instance)
{
    ((struct sm_test_move_host *)(void *)((char *)instance -
                                          offsetof(struct sm_test_move_host, migration)))
        ->connects++;
}

static void on_end_complete(SpiceMigrateInstance *instance)
{
    ((struct sm_test_move_host *)(void *)((char *)instance -
                                          offsetof(struct sm_test_move_host, migration)))
        ->ends++;
}

static const SpiceMigrateInterface MIGRATION = {
    .base = {.type = SPICE_INTERFACE_MIGRATION,
             .major_version = SPICE_INTERFACE_MIGRATION_MAJOR,
             .minor_version = SPICE_INTERFACE_MIGRATION_MINOR},
    .migrate_connect_complete = on_connect_complete,
    .migrate_end_complete = on_end_complete,
};

static struct sm_test_move_host *host_of(SpiceCharDeviceInstance *device)
{
    return (struct sm_test_move_host *)(void *)((char *)device -
                                                offsetof(struct sm_test_move_host, device));
}

static int on_write(SpiceCharDeviceInstance *device, const uint8_t *data, int size)
{
    struct sm_test_move_host *host = host_of(device);
    size_t taken = (size_t)size < host->room ? (size_t)size : host->room;
    assert_true(host->to_size + taken <= sizeof(host->to_guest));
    memcpy(host->to_guest + host->to_size, data, taken);
    host->to_size += taken;
    host->room -= taken;
    return (int)taken;
}

static int on_read(SpiceCharDeviceInstance *device, uint8_t *to, int size)
{
    struct sm_test_move_host *host = host_of(device);
    size_t given = (size_t)size < host->says_size ? (size_t)size : host->says_size;
    if (given == 0)
        return 0;
    memcpy(to, host->says, given);
    host->says += given;
    host->says_size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface DEVICE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = on_write,
    .read = on_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

void sm_test_move_add_device(struct sm_test_move_host *host, const char *subtype)
{
    host->device = (SpiceCharDeviceInstance){.subtype = subtype};
    host->device.base.sif = &DEVICE.base;
    host->room = sizeof(host->to_guest);
    assert_int_equal(spice_server_add_interface(host->server, &host->device.base), 0);
}

void sm_test_move_add_agent(struct sm_test_move_host *host)
{
    sm_test_move_add_device(host, "vdagent");
}

int sm_test_move_setup(void **state)
{
    struct sm_test_move *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    strcpy(f->folder, "/tmp/sumac-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    sm_test_host_init(&f->loop);
    for (unsigned i = 0; i < 2; i++) {
        struct sm_test_move_host *host = &f->hosts[i];
        snprintf(host->path, sizeof(host->path), "%s/%u", f->folder, i);
        host->server = spice_server_new();
        spice_server_set_addr(host->server, host->path, SPICE_ADDR_FLAG_UNIX_ONLY);
        spice_server_set_noauth(host->server);
        spice_server_set_seamless_migration(host->server, 1);
        assert_int_equal(spice_server_init(host->server, &f->loop.core), 0);
        host->migration.base.sif = &MIGRATION.base;
        assert_int_equal(spice_server_add_interface(host->server, &host->migration.base), 0);
    }
    spice_server_vm_start(f->hosts[0].server);
    spice_server_vm_stop(f->hosts[1].server); /* the machine is yet to come */
    *state = f;
    return 0;
}

int sm_test_move_teardown(void **state)
{
    struct sm_test_move *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        if (f->hosts[i].device.st)
            spice_server_remove_interface(&f->hosts[i].device.base);
        spice_server_destroy(f->hosts[i].server);
        unlink(f->hosts[i].path);
    }
    sm_test_host_run(&f->loop, 1);
    assert_int_equal(f->loop.connected, f->loop.disconnected);
    sm_test_host_finish(&f->loop);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* ---- the client ---- */

/* Returns the link result. */
int sm_test_move_link(struct sm_test_visitor *visitor, uint32_t id)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    int error = sm_test_visitor_hello(visitor, id, SM_CHANNEL_MAIN, 0, key);
    return error ? error : sm_test_visitor_ticket(visitor, key, "");
}

uint32_t sm_test_move_begin(struct sm_test_move *f, struct sm_test_visitor *main)
{
    uint8_t init[4];
    *main = sm_test_visitor(&f->loop, f->hosts[0].path);
    assert_int_equal(sm_test_move_link(main, 0), 0);
    sm_test_visitor_await(main, SM_MSG_MAIN_INIT, init, sizeof(init));
    sm_test_visitor_message(main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    sm_test_visitor_await(main, SM_MSG_MAIN_CHANNELS_LIST, NULL, 0);
    return (uint32_t)init[0] | (uint32_t)init[1] << 8 | (uint32_t)init[2] << 16 |
           (uint32_t)init[3] << 24;
}

void sm_test_move_say(struct sm_test_visitor *visitor, uint16_t type)
{
    sm_test_visitor_message(visitor, type, (struct sm_bytes){0});
}

void sm_test_move_start_agent(struct sm_test_visitor *main)
{
    sm_test_visitor_message(main, SM_MSGC_MAIN_AGENT_START, sm_test_hex("0a000000"));
}

/* Announces the target and links to it; the source has its answer. */
struct sm_test_visitor sm_test_move_go(struct sm_test_move *f, struct sm_test_visitor *main,
                                       uint32_t id, bool is_seamless)
{
    spice_server_set_seamless_migration(f->hosts[0].server, is_seamless);
    assert_int_equal(spice_server_migrate_connect(f->hosts[0].server, "target", 5900, -1, NULL), 0);
    sm_test_visitor_await(
        main, is_seamless ? SM_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS : SM_MSG_MAIN_MIGRATE_BEGIN, NULL,
        0);
    struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(sm_test_move_link(&next, id), 0);
    if (is_seamless) {
        sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                                sm_test_hex("01000000"));
        sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, NULL, 0);
    }
    assert_int_equal(f->hosts[0].connects, 0);
    sm_test_move_say(main, is_seamless ? SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS
                                       : SM_MSGC_MAIN_MIGRATE_CONNECTED);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].connects, 1);
    spice_server_migrate_start(f->hosts[0].server);
    return next;
}

/* What the source hands on about one channel. */
size_t sm_test_move_take_channel(struct sm_test_visitor *channel, uint8_t *data, size_t room)
{
    uint8_t flags[4];
    sm_test_visitor_await(channel, SM_MSG_MIGRATE, flags, sizeof(flags));
    assert_int_equal(flags[0], SM_TEST_MOVE_FLAGS);
    sm_test_move_say(channel, SM_MSGC_MIGRATE_FLUSH_MARK);
    size_t size = sm_test_visitor_await(channel, SM_MSG_MIGRATE_DATA, data, room);
    assert_true(size <= room);
    return size;
}

/* The machine has gone: takes what the source hands on. */
size_t sm_test_move_take(struct sm_test_move *f, struct sm_test_visitor *main, uint8_t *data,
                         size_t room)
{
    spice_server_vm_stop(f->hosts[0].server);
    spice_server_migrate_end(f->hosts[0].server, 1);
    return sm_test_move_take_channel(main, data, room);
}

void sm_test_move_check_got(struct sm_test_move *f, unsigned host, const char *hex)
{
    sm_test_host_run(&f->loop, 5);
    struct sm_bytes got = {.data = f->hosts[host].to_guest, .size = f->hosts[host].to_size};
    sm_check_bytes(got, sm_test_hex(hex));
    f->hosts[host].to_size = 0;
}
