/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "viewer/options.h"
#include "viewer/recent.h"
#include "viewer/settings.h"

static char *folder; /* of the test's own */

static int make_folder(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("sumac-viewer-XXXXXX", NULL);
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);
    int code = system(command);
    g_clear_pointer(&folder, g_free);
    return code;
}

/* ---- Recent machines ---- */

static void check_recent(const char *path, const char *const *addresses)
{
    struct sm_recent list[SM_RECENT_MAX];
    size_t count = sm_recent_load(path, list), wanted = 0;
    while (addresses[wanted])
        wanted++;
    assert_int_equal(count, wanted);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list[i].address, addresses[i]);
    sm_recent_clear(list, count);
}

static void the_newest_machine_comes_first_and_once(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "deeper", "recent", NULL);
    check_recent(path, (const char *const[]){NULL});
    assert_true(sm_recent_add(path, "spice://a:1", "Anna", NULL));
    assert_true(sm_recent_add(path, "spice://b:1", "", NULL));
    assert_true(sm_recent_add(path, "spice://a:1", "Anna; the [second]\nline", NULL));
    check_recent(path, (const char *const[]){"spice://a:1", "spice://b:1", NULL});
    struct sm_recent list[SM_RECENT_MAX];
    size_t count = sm_recent_load(path, list);
    assert_string_equal(list[0].name, "Anna; the [second]\nline");
    sm_recent_clear(list, count);
    assert_true(sm_recent_remove(path, "spice://a:1", NULL));
    check_recent(path, (const char *const[]){"spice://b:1", NULL});
}

static void old_machines_leave_the_list(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "recent", NULL);
    for (int i = 0; i < SM_RECENT_MAX + 3; i++) {
        char address[32];
        (void)snprintf(address, sizeof(address), "spice://m:%d", 5900 + i);
        assert_true(sm_recent_add(path, address, "", NULL));
    }
    struct sm_recent list[SM_RECENT_MAX];
    size_t count = sm_recent_load(path, list);
    assert_int_equal(count, SM_RECENT_MAX);
    assert_string_equal(list[0].address, "spice://m:5914");
    assert_string_equal(list[SM_RECENT_MAX - 1].address, "spice://m:5903");
    sm_recent_clear(list, count);
}

static void tickets_of_gateways_stay_out_of_files(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "gateways", NULL);
    assert_true(sm_recent_add(path, "wss://g.example:443/vm?token=S3CRET", "", NULL));
    assert_true(sm_recent_add(path, "spice://a?port=1&tls-port=2", "", NULL));
    assert_true(sm_recent_add(path, "wss://g.example:443/vm?token=0THER", "", NULL));
    check_recent(
        path, (const char *const[]){"wss://g.example:443/vm", "spice://a?port=1&tls-port=2", NULL});
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_null(strstr(text, "token"));
    g_autofree char *key = sm_settings_key(NULL, "ws://g.example/?token=S3CRET");
    assert_string_equal(key, "ws://g.example/");
}

static void a_list_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    GError *error = NULL;
    assert_false(sm_recent_add("/proc/sumac/recent", "spice://a:1", "", &error));
    assert_non_null(error);
    g_error_free(error);
}

/* ---- Settings of each machine ---- */

static void each_machine_has_settings_of_its_own(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "deep", "machines", NULL);
    static const unsigned char uuid[16] = {1, 2, 3, 0xff};
    g_autofree char *by_uuid = sm_settings_key(uuid, "spice://a:1");
    g_autofree char *by_address = sm_settings_key(NULL, "spice://[::1]:1/");
    struct sm_settings found;
    assert_false(sm_settings_load(path, by_uuid, &found));
    assert_true(found.zoom_percent == 100 && found.resizes_guest && !found.fills);
    const unsigned both = SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST;
    assert_int_equal(found.clipboard_ways, both);
    assert_int_equal(sm_settings_ways("nonsense"), both);
    assert_int_equal(sm_settings_ways(NULL), both);
    for (unsigned ways = 0; ways <= both; ways++)
        assert_int_equal(sm_settings_ways(sm_settings_ways_name(ways)), ways);
    const struct sm_settings first = {.zoom_percent = 150,
                                      .fills = true,
                                      .is_fullscreen = true,
                                      .is_one_window = true,
                                      .volume_percent = 0,
                                      .is_muted = true,
                                      .clipboard_ways = SM_CLIPBOARD_TO_GUEST,
                                      .keymap = "Super_L=,F1=Shift_L+F1"};
    const struct sm_settings second = {
        .zoom_percent = 50, .resizes_guest = true, .volume_percent = 25};
    assert_true(sm_settings_save(path, by_uuid, &first, NULL));
    assert_true(sm_settings_save(path, by_address, &second, NULL));
    assert_true(sm_settings_load(path, by_uuid, &found));
    assert_true(found.zoom_percent == 150 && found.fills && !found.resizes_guest &&
                found.is_fullscreen);
    assert_true(found.volume_percent == 0 && found.is_muted && found.is_one_window);
    assert_int_equal(found.clipboard_ways, SM_CLIPBOARD_TO_GUEST);
    assert_string_equal(found.keymap, "Super_L=,F1=Shift_L+F1");
    assert_true(sm_settings_load(path, by_address, &found));
    assert_true(found.zoom_percent == 50 && !found.fills && found.resizes_guest);
    assert_true(found.volume_percent == 25 && !found.is_muted && !found.is_one_window);
    assert_int_equal(found.clipboard_ways, 0);
    assert_string_equal(found.keymap, "");
}

static void a_user_is_remembered_beside_the_settings(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "users", "machines", NULL);
    g_autofree char *nobody = sm_settings_load_user(path, "spice://a:1");
    assert_null(nobody);
    assert_true(sm_settings_save_user(path, "spice://a:1", "Änne \"x\"", NULL));
    struct sm_settings found;
    assert_true(sm_settings_load(path, "spice://a:1", &found));
    assert_true(found.zoom_percent == 100 && found.resizes_guest && found.volume_percent == 100);
    found.zoom_percent = 50;
    assert_true(sm_settings_save(path, "spice://a:1", &found, NULL));
    g_autofree char *user = sm_settings_load_user(path, "spice://a:1");
    assert_string_equal(user, "Änne \"x\"");
    assert_true(sm_settings_save_user(path, "spice://a:1", "bob", NULL));
    assert_true(sm_settings_load(path, "spice://a:1", &found));
    assert_int_equal(found.zoom_percent, 50);
    g_autofree char *other = sm_settings_load_user(path, "spice://b:1");
    assert_null(other);
    GError *error = NULL;
    assert_false(sm_settings_save_user("/proc/none/machines", "spice://a:1", "bob", &error));
    assert_non_null(error);
    g_clear_error(&error);
}

static void what_an_option_said_is_remembered_only_once_it_is_changed(void **state)
{
    (void)state;
    const struct sm_settings remembered = {.zoom_percent = 50, .resizes_guest = true};
    const struct sm_settings before = {.zoom_percent = 150}; /* --zoom=150 --auto-resize=never */
    struct sm_settings after = before;
    after.is_muted = true;
    struct sm_settings changed = sm_settings_changed(&remembered, &before, &after);
    assert_true(changed.zoom_percent == 50 && changed.resizes_guest && changed.is_muted);
    after.zoom_percent = 160;
    changed = sm_settings_changed(&remembered, &before, &after);
    assert_true(changed.zoom_percent == 160 && changed.resizes_guest);
    changed = sm_settings_changed(&changed, &after, &before); /* back to what the option said */
    assert_true(changed.zoom_percent == 150 && !changed.is_muted);
    after.resizes_guest = true;
    changed = sm_settings_changed(&changed, &before, &after);
    after.resizes_guest = false;
    assert_false(sm_settings_changed(&changed, &changed, &after).resizes_guest);
}

static void a_uuid_of_zeros_is_none(void **state)
{
    (void)state;
    static const unsigned char zeros[16];
    g_autofree char *key = sm_settings_key(zeros, "spice://a:1");
    assert_string_equal(key, "spice://a:1");
}

static void settings_that_make_no_sense_are_not_taken(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "odd", NULL);
    assert_true(g_file_set_contents(path,
                                    "[spice://a:1]\nzoom=100000\nresize-guest=perhaps\n"
                                    "scale-to-window=true\nvolume=101\nkeymap=nokey=a\n",
                                    -1, NULL));
    struct sm_settings found;
    assert_true(sm_settings_load(path, "spice://a:1", &found));
    assert_true(found.zoom_percent == 100 && found.resizes_guest && found.fills);
    assert_int_equal(found.volume_percent, 100);
    assert_string_equal(found.keymap, "");
    assert_true(g_file_set_contents(path, "no key file", -1, NULL));
    assert_false(sm_settings_load(path, "spice://a:1", &found));
    assert_int_equal(found.zoom_percent, 100);
}

/* ---- The command line ---- */

static bool read_line(struct sm_viewer_options *o, const char *line, GError **error)
{
    char **arguments = NULL;
    assert_true(g_shell_parse_argv(line, NULL, &arguments, NULL));
    return sm_viewer_options_parse(o, arguments, error);
}

static void check_refused(const char *line)
{
    struct sm_viewer_options o;
    GError *error = NULL;
    if (read_line(&o, line, &error))
        fail_msg("'%s' was taken", line);
    assert_non_null(error);
    g_error_free(error);
    sm_viewer_options_finish(&o);
}

static void the_options_of_the_reference_viewer_are_taken(void **state)
{
    (void)state;
    struct sm_viewer_options o;
    assert_true(read_line(
        &o,
        "sumac-viewer -f --zoom=150 --title 'A machine' --auto-resize=never "
        "--cursor=local --spice-ca-file=/ca.pem --spice-host-subject=CN=vm --proxy=p:8080 "
        "--spice-secure-channels=main,inputs --hotkeys=zoom-in=f5 -s --spice-debug "
        "--spice-preferred-compression=lz4 --spice-cache-size=1000000 spice://vm:5900",
        NULL));
    assert_true(o.is_fullscreen && !o.is_kiosk && !o.resizes_guest && o.shows_local_cursor);
    assert_int_equal(o.zoom_percent, 150);
    assert_string_equal(o.title, "A machine");
    assert_string_equal(o.address, "spice://vm:5900");
    assert_string_equal(o.ca_file, "/ca.pem");
    assert_string_equal(o.host_subject, "CN=vm");
    assert_string_equal(o.proxy, "p:8080");
    assert_int_equal(o.secure_channels, 1u << SM_CHANNEL_KIND_MAIN | 1u << SM_CHANNEL_KIND_INPUTS);
    assert_true(o.has_own_hotkeys && o.is_debug);
    assert_int_equal(o.compression, SM_COMPRESSION_LZ4);
    assert_int_equal(o.cache_bytes, 1000000);
    assert_string_equal(o.accelerators[SM_HOTKEY_ZOOM_IN], "F5");
    assert_string_equal(o.accelerators[SM_HOTKEY_TOGGLE_FULLSCREEN], "");
    sm_viewer_options_finish(&o);
}

static void the_options_of_cards_folders_and_keys_are_taken(void **state)
{
    (void)state;
    struct sm_viewer_options o;
    assert_true(read_line(&o,
                          "sumac-viewer --spice-smartcard-db=sql:/nss -K Super_L= "
                          "--spice-smartcard-certificates=id,sign,encrypt --spice-shared-dir=/tmp "
                          "--spice-disable-effects=wallpaper,all --display=:7 "
                          "--hotkeys=smartcard-insert=shift+f8,usb-device-reset=ctrl+shift+r "
                          "spice://vm:5900",
                          NULL));
    assert_true(o.shares_smartcard && o.has_keymap);
    assert_string_equal(o.card_database, "sql:/nss");
    assert_string_equal(o.card_certificates[2], "encrypt");
    assert_string_equal(o.shared_folder, "/tmp");
    assert_string_equal(o.x_display, ":7");
    assert_int_equal(o.keymap.count, 1);
    assert_string_equal(o.accelerators[SM_HOTKEY_SMARTCARD_INSERT], "<Shift>F8");
    sm_viewer_options_finish(&o);
    assert_true(read_line(&o, "sumac-viewer --spice-smartcard spice://vm:5900", NULL));
    assert_true(o.shares_smartcard && !o.card_certificates && !o.has_keymap);
    sm_viewer_options_finish(&o);
}

static void the_options_of_sound_usb_and_memory_are_taken(void **state)
{
    (void)state;
    struct sm_viewer_options o;
    assert_true(read_line(
        &o,
        "sumac-viewer --spice-disable-audio --spice-cache-size=1000000 "
        "--spice-glz-window-size=2000000 --spice-usbredir-auto-redirect-filter=0x08,-1,-1,-1,1 "
        "--shared spice://vm:5900",
        NULL));
    assert_true(o.has_no_sound && o.shares_plugged_usb);
    assert_string_equal(o.usb_on_plug, "0x08,-1,-1,-1,1");
    assert_int_equal(o.cache_bytes, 1000000);
    assert_int_equal(o.glz_window_bytes, 2000000);
    sm_viewer_options_finish(&o);
    assert_true(read_line(&o, "sumac-viewer --spice-disable-usbredir spice://vm:5900", NULL));
    assert_true(o.has_no_usb && !o.has_no_sound && !o.shares_plugged_usb);
    sm_viewer_options_finish(&o);
    check_refused("sumac-viewer --spice-glz-window-size=-1 spice://vm:5900");
}

static void without_options_there_is_a_start_page(void **state)
{
    (void)state;
    struct sm_viewer_options o;
    assert_true(read_line(&o, "sumac-viewer", NULL));
    assert_null(o.address);
    assert_null(o.file);
    assert_true(o.resizes_guest && !o.is_fullscreen && !o.has_own_hotkeys);
    assert_int_equal(o.zoom_percent, 100);
    assert_string_equal(o.accelerators[SM_HOTKEY_TOGGLE_FULLSCREEN], "F11");
    sm_viewer_options_finish(&o);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    check_refused("sumac-viewer --zoom=5 spice://vm:5900");
    check_refused("sumac-viewer --zoom=0 spice://vm:5900");
    check_refused("sumac-viewer --auto-resize=perhaps spice://vm:5900");
    check_refused("sumac-viewer --kiosk-quit=now spice://vm:5900");
    check_refused("sumac-viewer --spice-secure-channels=mane spice://vm:5900");
    check_refused("sumac-viewer --spice-preferred-compression=zip spice://vm:5900");
    check_refused("sumac-viewer --spice-cache-size=-1 spice://vm:5900");
    check_refused("sumac-viewer --hotkeys=zoom-in spice://vm:5900");
    check_refused("sumac-viewer spice://vm:5900 spice://other:5900");
    check_refused("sumac-viewer --no-such-option");
    check_refused("sumac-viewer --keymap=nokey=a spice://vm:5900");
    check_refused("sumac-viewer --spice-smartcard-certificates=one,two spice://vm:5900");
    check_refused("sumac-viewer --spice-smartcard-certificates=one,,three spice://vm:5900");
    check_refused("sumac-viewer --spice-disable-effects=sparkle spice://vm:5900");
    check_refused("sumac-viewer /no/such/file.vv");
}

/* ---- Connection files ---- */

static char *write_file(const char *text)
{
    char *path = g_build_filename(folder, "machine.vv", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void a_connection_file_gives_title_and_keys(void **state)
{
    (void)state;
    g_autofree char *path = write_file("[virt-viewer]\ntype=spice\nhost=vm\nport=5900\n"
                                       "title=From a file\nfullscreen=1\n"
                                       "toggle-fullscreen=shift+f11\nrelease-cursor=ctrl+alt\n");
    struct sm_viewer_options o;
    g_autofree char *line = g_strdup_printf("sumac-viewer '%s'", path);
    assert_true(read_line(&o, line, NULL));
    assert_non_null(o.file);
    assert_string_equal(o.title, "From a file");
    assert_true(o.is_fullscreen && o.has_own_hotkeys);
    assert_string_equal(o.accelerators[SM_HOTKEY_TOGGLE_FULLSCREEN], "<Shift>F11");
    assert_string_equal(o.accelerators[SM_HOTKEY_ZOOM_IN], "");
    assert_int_equal(access(path, F_OK), 0); /* it did not ask to go */
    sm_viewer_options_finish(&o);
}

static void a_title_has_the_number_of_its_monitor(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        bool has_several;
        const char *shown; /* of the second monitor */
    } CASES[] = {
        {"vm:%d - Press SHIFT+F12 to Release Cursor", false,
         "vm:2 - Press SHIFT+F12 to Release Cursor"},
        {"vm:%d", true, "vm:2"},
        {"%d of %d %s", true, "2 of %d %s"},
        {"100 %", true, "100 % (2)"},
        {"vm", false, "vm"},
        {NULL, true, "its %d (2)"},
        {NULL, false, "its %d"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        struct sm_viewer_options o = {.title = (char *)CASES[i].given};
        g_autofree char *title = sm_viewer_options_title(&o, "its %d", 1, CASES[i].has_several);
        assert_string_equal(title, CASES[i].shown);
    }
}

static void a_connection_file_gives_devices_and_every_key(void **state)
{
    (void)state;
    g_autofree char *path = write_file(
        "[virt-viewer]\ntype=spice\nhost=vm\nport=5900\n"
        "enable-smartcard=1\nenable-usbredir=0\nenable-usb-autoshare=1\n"
        "usb-filter=0x03,-1,-1,-1,0|-1,-1,-1,-1,1\ncolor-depth=16\ndisable-effects=all\n"
        "versions=rhel7:99;\nzoom-in=f2\nzoom-out=f3\nzoom-reset=f4\nsmartcard-insert=f5\n"
        "smartcard-remove=f6\nsecure-attention=f7\nusb-device-reset=f8\n");
    static const struct {
        enum sm_hotkey hotkey;
        const char *accelerator;
    } KEYS[] = {
        {SM_HOTKEY_ZOOM_IN, "F2"},          {SM_HOTKEY_ZOOM_OUT, "F3"},
        {SM_HOTKEY_ZOOM_RESET, "F4"},       {SM_HOTKEY_SMARTCARD_INSERT, "F5"},
        {SM_HOTKEY_SMARTCARD_REMOVE, "F6"}, {SM_HOTKEY_SECURE_ATTENTION, "F7"},
        {SM_HOTKEY_USB_RESET, "F8"},
    };
    struct sm_viewer_options o;
    g_autofree char *line = g_strdup_printf("sumac-viewer '%s'", path);
    assert_true(read_line(&o, line, NULL));
    assert_true(o.shares_smartcard && o.has_no_usb && o.shares_plugged_usb);
    assert_string_equal(o.usb_on_plug, "0x03,-1,-1,-1,0|-1,-1,-1,-1,1");
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++)
        assert_string_equal(o.accelerators[KEYS[i].hotkey], KEYS[i].accelerator);
    assert_string_equal(o.accelerators[SM_HOTKEY_TOGGLE_FULLSCREEN], ""); /* no default is left */
    sm_viewer_options_finish(&o);
}

static void a_connection_file_that_asks_for_it_is_deleted(void **state)
{
    (void)state;
    g_autofree char *path =
        write_file("[virt-viewer]\ntype=spice\nhost=vm\nport=5900\ndelete-this-file=1\n");
    g_autofree char *line = g_strdup_printf("sumac-viewer 'file://%s'", path);
    struct sm_viewer_options o;
    assert_true(read_line(&o, line, NULL));
    assert_int_equal(access(path, F_OK), -1);
    sm_viewer_options_finish(&o);
}

static void a_connection_file_for_a_newer_viewer_is_refused(void **state)
{
    (void)state;
    g_autofree char *path = write_file("[virt-viewer]\ntype=spice\nhost=vm\nport=5900\n"
                                       "version=99\nnewer-version-url=https://example.org/get\n");
    g_autofree char *line = g_strdup_printf("sumac-viewer '%s'", path);
    struct sm_viewer_options o;
    GError *error = NULL;
    assert_false(read_line(&o, line, &error));
    assert_non_null(strstr(error->message, "99"));
    assert_non_null(strstr(error->message, "https://example.org/get"));
    g_error_free(error);
    sm_viewer_options_finish(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_machine_comes_first_and_once),
        cmocka_unit_test(old_machines_leave_the_list),
        cmocka_unit_test(tickets_of_gateways_stay_out_of_files),
        cmocka_unit_test(a_list_that_cannot_be_written_is_an_error),
        cmocka_unit_test(each_machine_has_settings_of_its_own),
        cmocka_unit_test(a_user_is_remembered_beside_the_settings),
        cmocka_unit_test(what_an_option_said_is_remembered_only_once_it_is_changed),
        cmocka_unit_test(a_uuid_of_zeros_is_none),
        cmocka_unit_test(settings_that_make_no_sense_are_not_taken),
        cmocka_unit_test(the_options_of_the_reference_viewer_are_taken),
        cmocka_unit_test(the_options_of_cards_folders_and_keys_are_taken),
        cmocka_unit_test(the_options_of_sound_usb_and_memory_are_taken),
        cmocka_unit_test(without_options_there_is_a_start_page),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(a_connection_file_gives_title_and_keys),
        cmocka_unit_test(a_title_has_the_number_of_its_monitor),
        cmocka_unit_test(a_connection_file_gives_devices_and_every_key),
        cmocka_unit_test(a_connection_file_that_asks_for_it_is_deleted),
        cmocka_unit_test(a_connection_file_for_a_newer_viewer_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
