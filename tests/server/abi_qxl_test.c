/* SPDX-License-Identifier: MIT */
/* What a graphics device of the host is told, and what it tells the guest's agent. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/agent.h"
#include "core/wire/main.h"
#include "tests/server/support/visitor.h"

enum { CHUNK_HEADER = 8, COOKIES = 4 };

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    QXLInstance display;
    int level;       /* of compression, as told last; −1: not yet */
    unsigned levels; /* how often */
    /* Of the worker's thread; read after a call that waits for it. */
    uint64_t cookies[COOKIES];
    unsigned cookie_count;
    SpiceCharDeviceInstance agent;
    uint8_t from_guest[64], to_guest[1024];
    size_t from_size, to_size;
};

/* ---- the display ---- */

static struct fixture *of_display(QXLInstance *display)
{
    return (struct fixture *)(void *)((char *)display - offsetof(struct fixture, display));
}

static void attached(QXLInstance *display)
{
    (void)display;
}

static void set_level(QXLInstance *display, int level)
{
    of_display(display)->level = level;
    of_display(display)->levels++;
}

static void tell_limits(QXLInstance *display, QXLDevInitInfo *info)
{
    (void)display;
    *info = (QXLDevInitInfo){.num_memslots_groups = 1,
                             .num_memslots = 2,
                             .memslot_gen_bits = 8,
                             .memslot_id_bits = 8,
                             .qxl_ram_size = 1 << 20,
                             .n_surfaces = 1};
}

static int no_command(QXLInstance *display, struct QXLCommandExt *command)
{
    (void)display, (void)command;
    return 0;
}

static int wait_for_more(QXLInstance *display)
{
    (void)display;
    return 1;
}

static void release(QXLInstance *display, struct QXLReleaseInfoExt info)
{
    (void)display, (void)info;
}

static void complete(QXLInstance *display, uint64_t cookie)
{
    struct fixture *f = of_display(display);
    if (f->cookie_count < COOKIES)
        f->cookies[f->cookie_count++] = cookie;
}

static const QXLInterface DISPLAY = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .major_version = SPICE_INTERFACE_QXL_MAJOR,
             .minor_version = SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached,
    .set_compression_level = set_level,
    .get_init_info = tell_limits,
    .get_command = no_command,
    .req_cmd_notification = wait_for_more,
    .release_resource = release,
    .get_cursor_command = no_command,
    .req_cursor_notification = wait_for_more,
    .async_complete = complete,
};

/* ---- the agent's port ---- */

static struct fixture *of_agent(SpiceCharDeviceInstance *agent)
{
    return (struct fixture *)(void *)((char *)agent - offsetof(struct fixture, agent));
}

static int port_write(SpiceCharDeviceInstance *agent, const uint8_t *data, int size)
{
    struct fixture *f = of_agent(agent);
    assert_true(f->to_size + (size_t)size <= sizeof(f->to_guest));
    memcpy(f->to_guest + f->to_size, data, (size_t)size);
    f->to_size += (size_t)size;
    return size;
}

static int port_read(SpiceCharDeviceInstance *agent, uint8_t *to, int size)
{
    struct fixture *f = of_agent(agent);
    size_t given = f->from_size < (size_t)size ? f->from_size : (size_t)size;
    memcpy(to, f->from_guest, given);
    memmove(f->from_guest, f->from_guest + given, f->from_size - given);
    f->from_size -= given;
    return (int)given;
}

static const SpiceCharDeviceInterface PORT = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .write = port_write,
    .read = port_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    f->level = -1;
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    f->display.base.sif = &DISPLAY.base;
    f->display.id = 3;
    assert_int_equal(spice_server_add_interface(f->server, &f->display.base), 0);
    f->agent.base.sif = &PORT.base;
    f->agent.subtype = "vdagent";
    assert_int_equal(spice_server_add_interface(f->server, &f->agent.base), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_null(f->display.st);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

/* ---- the tests ---- */

/* 1: only QUIC, and no streams. */
static void the_device_is_told_how_hard_the_server_compresses(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->level, 0);
    unsigned before = f->levels;
    spice_server_set_image_compression(f->server, SPICE_IMAGE_COMPRESSION_QUIC);
    assert_int_equal(f->level, 0);
    assert_int_equal(spice_server_set_streaming_video(f->server, SPICE_STREAM_VIDEO_OFF), 0);
    assert_int_equal(f->level, 1);
    spice_server_set_image_compression(f->server, SPICE_IMAGE_COMPRESSION_LZ);
    assert_int_equal(f->level, 0);
    assert_int_equal(f->levels, before + 3);
}

static void the_agent_hears_where_the_displays_are(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor client = sm_test_visitor(&f->host, f->host.path);
    sm_test_visitor_open_main(&client, "");
    sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_START, sm_test_hex("0a000000"));
    spice_qxl_set_device_info(&f->display, "pci/0000/02.0", 7, 2);
    assert_int_equal(f->to_size, 0); /* this agent has not said that it knows such a message */
    struct sm_bytes said = sm_test_hex("01000000 1c000000 01000000 06000000 0000000000000000"
                                       "08000000 00000000 00800000");
    memcpy(f->from_guest, said.data, said.size);
    f->from_size = said.size;
    spice_server_char_device_wakeup(&f->agent);
    struct sm_bytes info =
        sm_test_hex("02000000 54000000 01000000 10000000 0000000000000000 40000000 02000000"
                    "03000000 00000000 07000000 0e000000 7063692f303030302f30322e3000"
                    "03000000 01000000 08000000 0e000000 7063692f303030302f30322e3000");
    assert_int_equal(f->to_size, info.size);
    assert_memory_equal(f->to_guest, info.data, info.size);

    /* A change is told at once; what cannot be is not. */
    f->to_size = 0;
    spice_qxl_set_device_info(&f->display, "pci/0000/03.0", 0, 17);
    assert_int_equal(f->to_size, 0);
    spice_qxl_set_device_info(&f->display, "pci/0000/03.0", 0, 1);
    assert_int_equal(f->to_size, CHUNK_HEADER + SM_AGENT_HEADER_SIZE + 4 + 16 + 14);

    /* A client that starts anew may have found an agent that knows nothing yet. */
    f->to_size = 0;
    sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_START, sm_test_hex("0a000000"));
    for (unsigned i = 0; i < 1000 && f->to_size == 0; i++)
        sm_test_host_run(&f->host, 10);
    assert_int_equal(f->to_size, CHUNK_HEADER + SM_AGENT_HEADER_SIZE + 4 + 16 + 14);
    sm_test_visitor_close(&client);
}

static void slots_are_answered_in_their_order(void **state)
{
    struct fixture *f = *state;
    static uint8_t memory[4096];
    QXLDevMemSlot slot = {.slot_id = 1,
                          .virt_start = (unsigned long)(uintptr_t)memory,
                          .virt_end = (unsigned long)(uintptr_t)(memory + sizeof(memory))};
    spice_qxl_stop(&f->display);
    spice_qxl_start(&f->display);
    spice_qxl_set_max_monitors(&f->display, 0);
    spice_qxl_add_memslot_async(&f->display, &slot, 11);
    slot.slot_id = 200; /* there is none: answered all the same */
    spice_qxl_add_memslot_async(&f->display, &slot, 12);
    spice_qxl_reset_memslots(&f->display);
    spice_qxl_destroy_surfaces(&f->display); /* returns when all of it is done */
    assert_int_equal(f->cookie_count, 2);
    assert_int_equal(f->cookies[0], 11);
    assert_int_equal(f->cookies[1], 12);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_device_is_told_how_hard_the_server_compresses),
        T(the_agent_hears_where_the_displays_are),
        T(slots_are_answered_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
