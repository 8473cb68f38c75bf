/* SPDX-License-Identifier: MIT */
/* spice-char.h: byte streams of the host. */
#include <stdlib.h>
#include <string.h>

#include "server/abi/internal.h"
#include "server/device/agent.h"
#include "server/device/smartcard.h"
#include "server/device/spicevmc.h"
#include "server/device/stream_device.h"

struct SpiceCharDeviceState {
    SpiceServer *s;
    SpiceCharDeviceInstance *instance;
    bool is_agent;
    bool is_removed;                 /* the host may be inside of that, hearing that it is closed */
    struct sm_spicevmc *stream;      /* owned; NULL: none */
    struct sm_smartcard *card;       /* likewise */
    struct sm_stream_device *screen; /* likewise */
    struct SpiceCharDeviceState *next; /* of the server */
};

static const SpiceCharDeviceInterface *interface_of(const SpiceCharDeviceInstance *instance)
{
    return (const void *)instance->base.sif;
}

/* ---- what is asked of the host ---- */

static void state(void *context, bool is_connected)
{
    const struct SpiceCharDeviceState *st = context;
    if (interface_of(st->instance)->state)
        interface_of(st->instance)->state(st->instance, is_connected);
}

static int write_device(void *context, const uint8_t *data, int size)
{
    const struct SpiceCharDeviceState *st = context;
    return interface_of(st->instance)->write(st->instance, data, size);
}

static int read_device(void *context, uint8_t *to, int size)
{
    const struct SpiceCharDeviceState *st = context;
    return interface_of(st->instance)->read(st->instance, to, size);
}

static void pass_event(void *context, uint8_t number)
{
    const struct SpiceCharDeviceState *st = context;
    if (st->instance->base.sif->minor_version >= 2 && interface_of(st->instance)->event)
        interface_of(st->instance)->event(st->instance, number);
}

static const struct sm_char_device_ops OPS = {
    .state = state,
    .write = write_device,
    .read = read_device,
    .event = pass_event,
};

/* ---- adding and removing ---- */

static bool notifies_writable(const SpiceCharDeviceInstance *instance)
{
    return instance->base.sif->minor_version >= 3 &&
           (interface_of(instance)->flags & SPICE_CHAR_DEVICE_NOTIFY_WRITABLE);
}

static bool is_known_subtype(const char *subtype)
{
    for (const char **known = spice_server_char_device_recognized_subtypes(); *known; known++)
        if (strcmp(*known, subtype) == 0)
            return true;
    return strcmp(subtype, "port") == 0;
}

static bool attach_agent(struct SpiceCharDeviceState *st)
{
    st->is_agent = true;
    return sm_agent_attach(sm_server_agent(st->s->server), &OPS, st,
                           notifies_writable(st->instance)) == SM_OK;
}

static bool is_served_as_stream(const SpiceCharDeviceInstance *instance)
{
    if (strcmp(instance->subtype, "usbredir") == 0)
        return true;
    return strcmp(instance->subtype, "port") == 0 &&
           (!instance->portname || strcmp(instance->portname, "org.spice-space.stream.0") != 0);
}

static bool open_stream(struct SpiceCharDeviceState *st)
{
    const SpiceCharDeviceInstance *instance = st->instance;
    bool is_port = strcmp(instance->subtype, "port") == 0;
    const char *name = instance->portname ? instance->portname : "";
    struct sm_spicevmc_config config = {
        .ops = &OPS,
        .context = st,
        .notifies_writable = notifies_writable(instance),
        .port_name = is_port ? name : NULL,
    };
    return sm_spicevmc_create(&st->stream, st->s->server, &config) == SM_OK;
}

/* What serves the device; false, with a line in the log, if nothing can. */
static bool attach(struct SpiceCharDeviceState *st)
{
    const SpiceCharDeviceInstance *instance = st->instance;
    const struct sm_log *log = &st->s->log;
    if (strcmp(instance->subtype, "vdagent") == 0)
        return attach_agent(st); /* refused: said by our caller */
    if (strcmp(instance->subtype, "smartcard") == 0) {
        if (sm_smartcard_create(&st->card, st->s->server, &OPS, st, notifies_writable(instance)))
            sm_say(log, SM_LOG_WARNING,
                   "a further card reader is registered, but there is no room for it");
        return true;
    }
    if (is_served_as_stream(instance)) {
        if (open_stream(st))
            return true;
        sm_say(log, SM_LOG_WARNING,
               "no channel is left for another device of subtype %s, or memory", instance->subtype);
        return false;
    }
    if (sm_stream_device_create(&st->screen, st->s->server, &OPS, st,
                                notifies_writable(instance)) == SM_OK)
        return true;
    sm_say(log, SM_LOG_WARNING, "a stream device could not be served");
    return false;
}

/* Its name is part of a line in the log that tests of the reference look for. */
static void spice_server_char_device_add_interface(SpiceServer *s,
                                                   SpiceCharDeviceInstance *instance)
{
    const char *subtype = instance->subtype;
    instance->st = NULL;
    if (!is_known_subtype(subtype)) {
        sm_say(&s->log, SM_LOG_WARNING, "failed to create device state for %s", subtype);
        return;
    }
    struct SpiceCharDeviceState *st = calloc(1, sizeof(*st));
    if (!st)
        return;
    *st = (struct SpiceCharDeviceState){.s = s, .instance = instance, .next = s->char_devices};
    if (!attach(st)) {
        if (st->is_agent)
            sm_say(&s->log, SM_LOG_WARNING, "%s",
                   sm_server_is_started(s->server) ? "vdagent already attached"
                                                   : "vdagent before spice_server_init()");
        free(st);
        return;
    }
    s->char_devices = st;
    instance->st = st;
}

int sm_abi_add_char_device(SpiceServer *s, SpiceCharDeviceInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
                             SPICE_INTERFACE_CHAR_DEVICE_MINOR))
        return -1;
    spice_server_char_device_add_interface(s, instance);
    return 0;
}

int sm_abi_remove_char_device(SpiceCharDeviceInstance *instance)
{
    struct SpiceCharDeviceState *st = instance->st;
    if (!st || st->is_removed)
        return -1;
    st->is_removed = true;
    struct SpiceCharDeviceState **link = &st->s->char_devices;
    while (*link != st)
        link = &(*link)->next;
    *link = st->next;
    if (st->is_agent)
        sm_agent_detach(sm_server_agent(st->s->server), st);
    sm_spicevmc_destroy(st->stream);
    sm_smartcard_destroy(st->card);
    sm_stream_device_destroy(st->screen);
    instance->st = NULL;
    free(st);
    return 0;
}

void sm_abi_forget_char_devices(SpiceServer *s)
{
    while (s->char_devices)
        sm_abi_remove_char_device(s->char_devices->instance);
}

/* ---- the host's calls ---- */

/* NULL, with a line in the log, if the instance is not registered. */
static struct SpiceCharDeviceState *state_of(const SpiceCharDeviceInstance *instance)
{
    if (!instance->st) {
        struct sm_log log = sm_server_log();
        sm_say(&log, SM_LOG_WARNING, "no SpiceCharDeviceState attached to instance %p",
               (const void *)instance);
    }
    return instance->st;
}

void spice_server_char_device_wakeup(SpiceCharDeviceInstance *sin)
{
    struct SpiceCharDeviceState *st = state_of(sin);
    if (!st)
        return;
    if (st->is_agent)
        sm_agent_wakeup(sm_server_agent(st->s->server), st);
    else if (st->stream)
        sm_spicevmc_wakeup(st->stream);
    else if (st->card)
        sm_smartcard_wakeup(st->card);
    else if (st->screen)
        sm_stream_device_wakeup(st->screen);
}

void spice_server_port_event(SpiceCharDeviceInstance *sin, uint8_t number)
{
    struct SpiceCharDeviceState *st = state_of(sin);
    if (st && st->stream)
        sm_spicevmc_port_event(st->stream, number);
    else if (st && st->screen)
        sm_stream_device_port_event(st->screen, number);
}

const char **spice_server_char_device_recognized_subtypes(void)
{
    static const char *const subtypes[] = {"vdagent", "smartcard", "usbredir", NULL};
    return (const char **)(uintptr_t)subtypes;
}
