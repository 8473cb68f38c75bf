/* SPDX-License-Identifier: MIT */
/* Who may say how the pointer is moved, and when it may be placed at all. */
#include "tests/support/check.h"

#include <stdlib.h>

#include "core/wire/main.h"
#include "core/wire/types.h"
#include "sumac/server.h"
#include "tests/server/support/visitor.h"

/* A host with a display that draws nothing, and a tablet. */
struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    QXLInstance display;
    SpiceTabletInstance tablet;
};

/* ---- the display ---- */

static void attached(QXLInstance *display)
{
    (void)display;
}

static void ignore_number(QXLInstance *display, int level)
{
    (void)display, (void)level;
}

static void tell_limits(QXLInstance *display, QXLDevInitInfo *info)
{
    (void)display;
    *info = (QXLDevInitInfo){.num_memslots_groups = 1,
                             .num_memslots = 1,
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

static void ignore_id(QXLInstance *display, uint32_t id)
{
    (void)display, (void)id;
}

static int flush(QXLInstance *display)
{
    (void)display;
    return 0;
}

static const QXLInterface DISPLAY = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .major_version = SPICE_INTERFACE_QXL_MAJOR,
             .minor_version = SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached,
    .set_compression_level = ignore_number,
    .get_init_info = tell_limits,
    .get_command = no_command,
    .req_cmd_notification = wait_for_more,
    .release_resource = release,
    .get_cursor_command = no_command,
    .req_cursor_notification = wait_for_more,
    .notify_update = ignore_id,
    .flush_resources = flush,
};

/* ---- the tablet ---- */

static void set_logical_size(SpiceTabletInstance *tablet, int width, int height)
{
    (void)tablet, (void)width, (void)height;
}

static void position(SpiceTabletInstance *tablet, int x, int y, uint32_t buttons)
{
    (void)tablet, (void)x, (void)y, (void)buttons;
}

static void turn_or_press(SpiceTabletInstance *tablet, int motion, uint32_t buttons)
{
    (void)tablet, (void)motion, (void)buttons;
}

static void press(SpiceTabletInstance *tablet, uint32_t buttons)
{
    (void)tablet, (void)buttons;
}

static const SpiceTabletInterface TABLET = {
    .base = {.type = SPICE_INTERFACE_TABLET,
             .major_version = SPICE_INTERFACE_TABLET_MAJOR,
             .minor_version = SPICE_INTERFACE_TABLET_MINOR},
    .set_logical_size = set_logical_size,
    .position = position,
    .wheel = turn_or_press,
    .buttons = press,
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    sumac_server_set_clients(f->server, 3);
    assert_int_equal(sumac_server_set_view_ticket(f->server, "look", 0), 0);
    f->display.base.sif = &DISPLAY.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->display.base), 0);
    f->tablet.base.sif = &TABLET.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->tablet.base), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

/* ---- the tests ---- */

struct told {
    uint32_t supported, current;
};

/* What somebody who comes now is told. */
static struct told at_start(struct fixture *f)
{
    uint8_t init[32], key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(&visitor, key, ""), 0);
    assert_int_equal(sm_test_visitor_await(&visitor, SM_MSG_MAIN_INIT, init, 32), 32);
    sm_test_visitor_close(&visitor);
    return (struct told){.supported = init[8], .current = init[12]};
}

static void ask(struct fixture *f, struct sm_test_visitor *visitor, const char *mode)
{
    sm_test_visitor_message(visitor, SM_MSGC_MAIN_MOUSE_MODE_REQUEST, sm_test_hex(mode));
    sm_test_host_run(&f->host, 10);
}

static void only_who_may_act_says_how_the_pointer_moves(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor viewer = sm_test_visitor(&f->host, f->host.path);
    struct sm_test_visitor owner = sm_test_visitor(&f->host, f->host.path);
    (void)sm_test_visitor_open_main(&viewer, "look");
    (void)sm_test_visitor_open_main(&owner, "");
    ask(f, &viewer, "0200");
    struct told told = at_start(f);
    assert_int_equal(told.supported, SM_MOUSE_MODE_SERVER | SM_MOUSE_MODE_CLIENT);
    assert_int_equal(told.current, SM_MOUSE_MODE_SERVER);
    ask(f, &owner, "0200");
    assert_int_equal(at_start(f).current, SM_MOUSE_MODE_CLIENT);
    ask(f, &viewer, "0100");
    assert_int_equal(at_start(f).current, SM_MOUSE_MODE_CLIENT);
    sm_test_visitor_close(&viewer);
    sm_test_visitor_close(&owner);
}

static void without_a_tablet_the_pointer_is_not_placed(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor owner = sm_test_visitor(&f->host, f->host.path);
    (void)sm_test_visitor_open_main(&owner, "");
    ask(f, &owner, "0200");
    assert_int_equal(spice_server_remove_interface(&f->tablet.base), 0);
    uint8_t body[4];
    /* Who is there is told; who comes, too; and nobody can ask for it any more. */
    assert_int_equal(sm_test_visitor_await(&owner, SM_MSG_MAIN_MOUSE_MODE, body, 4), 4);
    ask(f, &owner, "0200");
    struct told told = at_start(f);
    assert_int_equal(told.supported, SM_MOUSE_MODE_SERVER);
    assert_int_equal(told.current, SM_MOUSE_MODE_SERVER);
    sm_test_visitor_close(&owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_who_may_act_says_how_the_pointer_moves, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_tablet_the_pointer_is_not_placed, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
