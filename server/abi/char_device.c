/* SPDX-License-Identifier: MIT */
/*
 * spice-char.h: byte streams of the host. The agent is served; the other kinds are kept so that
 * the host can go on, but no client can reach them yet.
 */
#include <stdlib.h>
#include <string.h>

#include "server/abi/internal.h"
#include "server/device/agent.h"

struct SpiceCharDeviceState {
    SpiceServer *s;
    SpiceCharDeviceInstance *instance;
    bool is_agent;
    struct SpiceCharDeviceState *next; /* of the server */
};

static const SpiceCharDeviceInterface *interface_of(const SpiceCharDeviceInstance *instance)
{
    return (const void *)instance->base.sif;
}

/* ---- what the agent's stream asks of the host ---- */

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
    static const struct sm_char_device_ops ops = {
        .state = state,
        .write = write_device,
        .read = read_device,
    };
    st->is_agent = true;
    return sm_agent_attach(sm_server_agent(st->s->server), &ops, st,
                           notifies_writable(st->instance)) == SM_OK;
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
    if (strcmp(subtype, "vdagent") == 0) {
        if (!attach_agent(st)) {
            sm_say(&s->log, SM_LOG_WARNING, "vdagent already attached");
            free(st);
            return;
        }
    } else {
        sm_say(&s->log, SM_LOG_WARNING,
               "char devices of subtype %s are not supported yet: no client can reach %s", subtype,
               instance->portname ? instance->portname : "it");
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
    struct SpiceCharDeviceState **link = &st->s->char_devices;
    while (*link != st)
        link = &(*link)->next;
    *link = st->next;
    if (st->is_agent)
        sm_agent_detach(sm_server_agent(st->s->server), st);
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

void spice_server_char_device_wakeup(SpiceCharDeviceInstance *sin)
{
    if (!sin->st) {
        struct sm_log log = sm_server_log();
        sm_say(&log, SM_LOG_WARNING, "no SpiceCharDeviceState attached to instance %p",
               (void *)sin);
        return;
    }
    if (sin->st->is_agent)
        sm_agent_wakeup(sm_server_agent(sin->st->s->server), sin->st);
}

void spice_server_port_event(SpiceCharDeviceInstance *sin, uint8_t event)
{
    (void)event; /* for the port's client, which there cannot be yet */
    if (!sin->st) {
        struct sm_log log = sm_server_log();
        sm_say(&log, SM_LOG_WARNING, "no SpiceCharDeviceState attached to instance %p",
               (void *)sin);
    }
}

const char **spice_server_char_device_recognized_subtypes(void)
{
    static const char *const subtypes[] = {"vdagent", "smartcard", "usbredir", NULL};
    return (const char **)(uintptr_t)subtypes;
}
