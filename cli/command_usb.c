/* SPDX-License-Identifier: MIT */
/* USB devices and CD images for a machine: listed, or given to it until the command is ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/report.h"
#include "sumac/usb.h"

enum {
    DEVICES_MAX = 96,
    SETTLE_MS = 1500, /* for channels to come up before a list is made */
    GOODBYE_MS = 3000,
};

/** The devices a command has given, or wants to give. */
struct sharing {
    struct cli_connection *connection;
    uint32_t ids[DEVICES_MAX];
    enum sm_usb_state states[DEVICES_MAX]; /* as told last */
    bool was_given[DEVICES_MAX];
    size_t count;
};

static const char *state_name(enum sm_usb_state state)
{
    static const char *const names[] = {"free", "connecting", "redirected", "leaving"};
    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* ---- Listing ---- */

static void list_json(const struct cli_options *options, const struct sm_usb_info *info,
                      const struct sm_usb_device *devices, size_t count)
{
    struct cli_json json = cli_report_begin(stdout, options->command);
    cli_json_number(&json, "channels", info->channels);
    cli_json_number(&json, "free_channels", info->free_channels);
    cli_json_open(&json, "devices", '[');
    for (size_t i = 0; i < count; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%04x:%04x", devices[i].vendor, devices[i].product);
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "name", devices[i].name);
        cli_json_text(&json, "id", id);
        cli_json_number(&json, "bus", devices[i].bus);
        cli_json_number(&json, "address", devices[i].address);
        cli_json_text(&json, "state", state_name(devices[i].state));
        cli_json_bool(&json, "can_redirect", devices[i].can_redirect);
        cli_json_text(&json, "reason", devices[i].reason[0] ? devices[i].reason : NULL);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_report_end(&json);
}

static void list_text(bool has_machine, const struct sm_usb_info *info,
                      const struct sm_usb_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_told = has_machine && devices[i].reason[0];
        printf("%s%s%s\n", devices[i].name, is_told ? ": " : "", is_told ? devices[i].reason : "");
    }
    if (has_machine)
        printf("the machine takes %u device%s%s\n", (unsigned)info->channels,
               info->channels == 1 ? "" : "s",
               info->free_channels == info->channels ? "" : ", not all of its channels are free");
    if (count == 0)
        fputs("sumac: no USB devices are plugged in here\n", stderr);
}

static void list(const struct cli_options *options, struct sm_session *session)
{
    struct sm_usb_device devices[DEVICES_MAX];
    struct sm_usb_info info;
    size_t count = sm_session_get_usb_devices(session, devices, DEVICES_MAX);
    count = count < DEVICES_MAX ? count : DEVICES_MAX;
    sm_session_get_usb_info(session, &info);
    if (options->is_json)
        list_json(options, &info, devices, count);
    else
        list_text(options->address != NULL, &info, devices, count);
}

static uint32_t offered_channels(struct sm_session *session)
{
    struct sm_channel_info channels[128];
    uint32_t offered = 0;
    size_t count = sm_session_get_channels(session, channels, 128);
    for (size_t i = 0; i < count && i < 128; i++)
        offered += channels[i].kind == SM_CHANNEL_KIND_USBREDIR;
    return offered;
}

/* Until all channels are ready, or time is up: a device behind none of them is told as such. */
static bool wait_channels(struct cli_connection *c, uint32_t wanted)
{
    uint64_t until_us = cli_now_us() + (uint64_t)SETTLE_MS * 1000;
    struct sm_usb_info info;
    struct sm_event event;
    for (;;) {
        sm_session_get_usb_info(c->session, &info);
        if (info.channels >= wanted)
            return true;
        enum cli_next next = cli_connection_next(c, until_us, &event);
        if (next != CLI_NEXT_EVENT)
            return next == CLI_NEXT_TIME;
    }
}

/* What is plugged in here; no machine is asked. */
static bool list_here(const struct cli_options *options, struct cli_failure *failure)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct sm_error error;
    if (sm_address_parse(&address, "spice://localhost:5900", &error) != SM_OK ||
        sm_session_create(&session, address) != SM_OK) {
        sm_address_destroy(address);
        return cli_fail_nomem(failure);
    }
    sm_address_destroy(address);
    bool is_good = sm_session_watch_usb(session, &error) == SM_OK;
    if (is_good)
        list(options, session);
    sm_session_destroy(session);
    return is_good || cli_fail_error(failure, &error);
}

/* ---- Giving ---- */

static bool find(struct sm_session *session, uint32_t id, struct sm_usb_device *out)
{
    struct sm_usb_device devices[DEVICES_MAX];
    size_t count = sm_session_get_usb_devices(session, devices, DEVICES_MAX);
    for (size_t i = 0; i < count && i < DEVICES_MAX; i++)
        if (devices[i].id == id) {
            *out = devices[i];
            return true;
        }
    return false;
}

/* VENDOR:PRODUCT in hexadecimal, or BUS-ADDRESS. */
static bool is_named(const struct sm_usb_device *device, const char *name)
{
    unsigned a, b;
    char rest;
    if (device->is_cd)
        return false;
    if (sscanf(name, "%x:%x%c", &a, &b, &rest) == 2)
        return a == device->vendor && b == device->product;
    return sscanf(name, "%u-%u%c", &a, &b, &rest) == 2 && a == device->bus && b == device->address;
}

static bool give_device(struct sharing *s, const char *name)
{
    struct sm_usb_device devices[DEVICES_MAX];
    struct sm_error error;
    struct cli_connection *c = s->connection;
    size_t count = sm_session_get_usb_devices(c->session, devices, DEVICES_MAX);
    for (size_t i = 0; i < count && i < DEVICES_MAX; i++) {
        if (!is_named(&devices[i], name) || devices[i].state != SM_USB_FREE)
            continue;
        s->ids[s->count++] = devices[i].id;
        return sm_session_redirect_usb(c->session, devices[i].id, &error) == SM_OK ||
               cli_fail_error(c->failure, &error);
    }
    return cli_fail(c->failure, CLI_EXIT_USAGE,
                    "see which there are: sumac usb; write 0951:1666 or 1-4",
                    "no free USB device here is %s", name);
}

static bool give_cd(struct sharing *s, const char *path)
{
    struct sm_error error;
    struct cli_connection *c = s->connection;
    return sm_session_add_cd(c->session, path, &s->ids[s->count++], &error) == SM_OK ||
           cli_fail_error(c->failure, &error);
}

static bool give_all(struct sharing *s, char *const *words, size_t count)
{
    bool is_cd = strcmp(words[0], "cd") == 0;
    if (!is_cd && strcmp(words[0], "redirect") != 0)
        return cli_fail(s->connection->failure, CLI_EXIT_USAGE, "see: sumac usb --help",
                        "usb does not know %s", words[0]);
    if (count < 2 || count > DEVICES_MAX)
        return cli_fail(s->connection->failure, CLI_EXIT_USAGE, "see: sumac usb --help",
                        count < 2 ? "which one is missing" : "this is too much");
    for (size_t i = 1; i < count; i++)
        if (is_cd ? !give_cd(s, words[i]) : !give_device(s, words[i]))
            return false;
    return true;
}

/* Tells what has changed; false with the failure filled if a device could not be given. */
static bool tell_changes(struct sharing *s, size_t *given)
{
    struct cli_connection *c = s->connection;
    *given = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct sm_usb_device device = {.state = SM_USB_FREE, .name = "the device"};
        bool is_there = find(c->session, s->ids[i], &device);
        if (!s->was_given[i] && device.state == SM_USB_FREE && device.reason[0] && is_there)
            return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL, device.cure, "%s: %s", device.name,
                            device.reason);
        bool is_given = is_there && device.state == SM_USB_REDIRECTED;
        if (is_given && !s->was_given[i])
            fprintf(stderr, "sumac: the machine has %s; Ctrl-C takes it back\n", device.name);
        if (!is_given && s->was_given[i] && s->states[i] == SM_USB_REDIRECTED)
            fprintf(stderr, "sumac: %s is back%s%s\n", device.name, device.reason[0] ? ": " : "",
                    device.reason);
        s->states[i] = device.state;
        s->was_given[i] = s->was_given[i] || is_given;
        *given += !s->was_given[i] || device.state != SM_USB_FREE;
    }
    return true;
}

/* The machine sees its devices unplugged before the line is cut. */
static void take_back(struct sharing *s)
{
    struct sm_session *session = s->connection->session;
    uint64_t until_us = cli_now_us() + (uint64_t)GOODBYE_MS * 1000;
    for (size_t i = 0; i < s->count; i++)
        sm_session_release_usb(session, s->ids[i]);
    for (size_t i = 0; i < s->count; i++) {
        struct sm_usb_device device;
        struct sm_event event;
        while (cli_now_us() < until_us && find(session, s->ids[i], &device) &&
               device.state != SM_USB_FREE)
            (void)sm_session_wait_event(session, 50, &event);
    }
}

static bool share(struct cli_connection *c, char *const *words, size_t count)
{
    struct sharing s = {.connection = c};
    struct sm_event event;
    size_t given = 1;
    bool is_good = give_all(&s, words, count);
    c->doing = "sharing";
    while (is_good) {
        is_good = tell_changes(&s, &given);
        bool are_all_given = true;
        for (size_t i = 0; i < s.count; i++)
            are_all_given = are_all_given && s.was_given[i];
        if (are_all_given)
            c->deadline_us = UINT64_MAX; /* it lasts as long as the user likes */
        if (!is_good || given == 0)
            break;
        if (cli_connection_next(c, UINT64_MAX, &event) != CLI_NEXT_EVENT) {
            /* Ctrl-C is how this command is ended. */
            is_good = c->failure->code == CLI_EXIT_INTERRUPTED && are_all_given;
            if (is_good)
                *c->failure = (struct cli_failure){.code = CLI_EXIT_OK};
            break;
        }
    }
    take_back(&s);
    return is_good;
}

static bool work(struct cli_connection *c)
{
    const struct cli_options *o = c->options;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    uint32_t offered = offered_channels(c->session);
    bool is_cd = o->rest_count > 0 && strcmp(o->rest[0], "cd") == 0;
    if (!is_cd && sm_session_watch_usb(c->session, &error) != SM_OK)
        return cli_fail_error(c->failure, &error);
    if (o->rest_count > 0 && offered == 0)
        return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL,
                        "give it one: -chardev spicevmc,id=u,name=usbredir -device "
                        "usb-redir,chardev=u, or \"USB redirection\" in virt-manager",
                        "the machine takes no USB devices");
    if (!wait_channels(c, offered))
        return false;
    if (o->rest_count > 0)
        return share(c, o->rest, o->rest_count);
    list(o, c->session);
    return true;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    if (!options->address)
        return list_here(options, failure);
    bool is_good =
        cli_connection_open(&connection, options, 1u << SM_CHANNEL_KIND_USBREDIR, 0, failure) &&
        work(&connection);
    cli_connection_close(&connection);
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    o->rest = words;
    o->rest_count = (size_t)count;
    return count != 1 || cli_usage(o, failure, "which one is missing behind ", words[0]);
}

const struct cli_command cli_command_usb = {
    .name = "usb",
    .words = "[ADDRESS [redirect DEVICE... | cd FILE...]]",
    .summary = "give the machine USB devices, or the image of a CD",
    .about =
        "Lists the USB devices of this computer (with ADDRESS: and why one cannot be given to\n"
        "the machine), gives devices to the machine, or offers CD images to it as drives,\n"
        "read-only. They are the machine's until Ctrl-C, or until it ejects them. DEVICE is\n"
        "VENDOR:PRODUCT such as 0951:1666, or BUS-ADDRESS such as 1-4. Each needs a USB\n"
        "channel of the machine to itself.\n",
    .needs_no_address = true,
    .take_words = take_words,
    .run = run,
};
