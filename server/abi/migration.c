/* SPDX-License-Identifier: MIT */
/* spice-migration.h: taking clients along to another host. */
#include "server/session/migration.h"

#include <stdlib.h>

#include "server/abi/internal.h"

static const SpiceMigrateInterface *interface_of(const SpiceMigrateInstance *instance)
{
    return (const void *)instance->base.sif;
}

/* ---- what the host hears ---- */

static void connect_complete(void *context)
{
    SpiceMigrateInstance *instance = context;
    interface_of(instance)->migrate_connect_complete(instance);
}

static void end_complete(void *context)
{
    SpiceMigrateInstance *instance = context;
    if (interface_of(instance)->migrate_end_complete)
        interface_of(instance)->migrate_end_complete(instance);
}

int sm_abi_add_migration(SpiceServer *s, SpiceMigrateInstance *instance)
{
    static const struct sm_migration_host_ops host = {
        .connect_complete = connect_complete,
        .end_complete = end_complete,
    };
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_MIGRATION_MAJOR,
                             SPICE_INTERFACE_MIGRATION_MINOR))
        return -1;
    if (s->migration) {
        sm_say(&s->log, SM_LOG_WARNING, "already have a migration interface");
        return -1;
    }
    s->migration = instance;
    instance->st = (SpiceMigrateState *)(void *)instance; /* anything but NULL; never looked into */
    sm_migration_set_host(s->server, &host, instance);
    return 0;
}

/* ---- what it asks ---- */

static bool is_destination(const char *dest, int port, int secure_port)
{
    return dest && (port != -1 || secure_port != -1);
}

/* As the wire has it: 0 for none. */
static uint16_t port_number(int port)
{
    return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

int spice_server_migrate_connect(SpiceServer *s, const char *dest, int port, int secure_port,
                                 const char *cert_subject)
{
    if (!s->migration || !s->core) {
        sm_say(&s->log, SM_LOG_WARNING, "there is no migration interface");
        return -1;
    }
    if (is_destination(dest, port, secure_port) &&
        sm_migration_connect(s->server, dest, port_number(port), port_number(secure_port),
                             cert_subject) == SM_OK)
        return 0;
    connect_complete(s->migration);
    return -1;
}

int spice_server_migrate_info(SpiceServer *s, const char *dest, int port, int secure_port,
                              const char *cert_subject)
{
    if (s->migration || !is_destination(dest, port, secure_port))
        return -1;
    return sm_migration_set_target(s->server, dest, port_number(port), port_number(secure_port),
                                   cert_subject) == SM_OK
               ? 0
               : -1;
}

int spice_server_migrate_switch(SpiceServer *s)
{
    sm_migration_switch(s->server);
    return 0;
}

int spice_server_migrate_start(SpiceServer *s)
{
    return sm_migration_has_target(s->server) ? 0 : -1;
}

int spice_server_migrate_end(SpiceServer *s, int completed)
{
    if (!s->core)
        return -1;
    return sm_migration_end(s->server, completed) ? 0 : -1;
}

void spice_server_set_seamless_migration(SpiceServer *s, int enable)
{
    sm_migration_allow_seamless(s->server, enable);
}
