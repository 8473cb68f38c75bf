/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include <glib/gstdio.h>

#include "viewer/local_machines.h"

static void check_address(const char *graphics, const char *address)
{
    g_autofree char *xml = g_strdup_printf("<domain type='kvm'><name>A &amp; B</name><devices>"
                                           "<disk><name>no</name></disk>%s</devices></domain>",
                                           graphics);
    struct sm_local_machine *machine = sm_local_machine_parse(xml);
    if (!address) {
        assert_null(machine);
        return;
    }
    assert_non_null(machine);
    assert_string_equal(machine->name, "A & B");
    assert_string_equal(machine->address, address);
    sm_local_machine_free(machine);
}

static void each_way_to_listen_has_its_address(void **state)
{
    (void)state;
    check_address("<graphics type='spice' port='5900'/>", "spice://127.0.0.1:5900");
    check_address("<graphics type='spice' port='5900' tlsPort='5901' listen='::'/>",
                  "spice://[::1]?port=5900&tls-port=5901");
    check_address("<graphics type='spice' port='-1' tlsPort='5901' listen='0.0.0.0'/>",
                  "spice+tls://127.0.0.1:5901");
    check_address("<graphics type='vnc' port='1'/>"
                  "<graphics type='spice' port='5902'><listen type='address' address='10.0.0.7'/>"
                  "</graphics>",
                  "spice://10.0.0.7:5902");
    check_address("<graphics type='spice'><listen type='socket' socket='/run/a b.sock'/>"
                  "</graphics>",
                  "spice+unix:///run/a b.sock");
}

static void machines_without_a_server_are_none(void **state)
{
    (void)state;
    check_address("", NULL);
    check_address("<graphics type='vnc' port='5900'/>", NULL);
    check_address("<graphics type='spice' port='-1' autoport='yes'/>", NULL);
    check_address("<graphics type='spice' port='70000'/>", NULL);
    check_address("<graphics type='spice' port='5900x'/>", NULL);
    assert_null(sm_local_machine_parse(""));
    assert_null(sm_local_machine_parse("<domain><name>a</name>"));
    assert_null(sm_local_machine_parse("<graphics type='spice' port='5900'/>"));
}

static void a_password_comes_along(void **state)
{
    (void)state;
    struct sm_local_machine *machine = sm_local_machine_parse(
        "<domain><name>a</name><graphics type='spice' port='1' passwd='secret'/></domain>");
    assert_non_null(machine);
    assert_string_equal(machine->password, "secret");
    sm_local_machine_free(machine);
}

static void every_cut_of_a_description_is_survived(void **state)
{
    (void)state;
    static const char whole[] = "<domain><name>a</name><devices><graphics type='spice' port='1'>"
                                "<listen type='address' address='::1'/></graphics></devices>"
                                "</domain>";
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        g_autofree char *cut = g_strndup(whole, i);
        assert_null(sm_local_machine_parse(cut));
    }
}

#ifdef SM_HAS_LIBVIRT
/* libvirt's own pretended hypervisor. */
static void libvirt_tells_the_machines_that_run(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("sumac-viewer-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "node.xml", NULL);
    static const char NODE[] =
        "<node>"
        "<domain type='test'><name>second</name><memory>1</memory><os><type>hvm</type></os>"
        "<devices><graphics type='spice' port='5999' listen='127.0.0.1' passwd='pw'/></devices>"
        "</domain>"
        "<domain type='test'><name>first</name><memory>1</memory><os><type>hvm</type></os>"
        "<devices><graphics type='spice' tlsPort='5998' listen='0.0.0.0'/></devices></domain>"
        "<domain type='test'><name>blind</name><memory>1</memory><os><type>hvm</type></os>"
        "</domain></node>";
    assert_true(g_file_set_contents(path, NODE, -1, NULL));
    g_autofree char *uri = g_strdup_printf("test://%s", path);
    GPtrArray *machines = sm_local_machines_ask(uri);
    assert_int_equal(machines->len, 2);
    const struct sm_local_machine *first = g_ptr_array_index(machines, 0);
    const struct sm_local_machine *second = g_ptr_array_index(machines, 1);
    assert_string_equal(first->name, "first");
    assert_string_equal(first->address, "spice+tls://127.0.0.1:5998");
    assert_string_equal(second->address, "spice://127.0.0.1:5999");
    assert_string_equal(second->password, "pw");
    g_ptr_array_unref(machines);
    machines = sm_local_machines_ask("test:///no/such/file.xml");
    assert_int_equal(machines->len, 0);
    g_ptr_array_unref(machines);
    g_remove(path);
    g_rmdir(folder);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_listen_has_its_address),
        cmocka_unit_test(machines_without_a_server_are_none),
        cmocka_unit_test(a_password_comes_along),
        cmocka_unit_test(every_cut_of_a_description_is_survived),
#ifdef SM_HAS_LIBVIRT
        cmocka_unit_test(libvirt_tells_the_machines_that_run),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
