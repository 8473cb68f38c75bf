/* SPDX-License-Identifier: MIT */
/*
 * spice-migration.h: taking clients along to another host. The server cannot tell clients of the
 * new host yet: it answers the host as if no client could follow, so that the machine itself
 * migrates and clients have to connect anew.
 */
#include <stdlib.h>

#include "server/abi/internal.h"

static const SpiceMigrateInterface *interface_of(const SpiceMigrateInstance *instance)
{
    return (const void *)instance->base.sif;
}

int sm_abi_add_migration(SpiceServer *s, SpiceMigrateInstance *instance)
{
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_MIGRATION_MAJOR,
                             SPICE_INTERFACE_MIGRATION_MINOR))
        return -1;
    if (s->migration) {
        sm_say(&s->log, SM_LOG_WARNING, "already have a migration interface");
        return -1;
    }
    s->migration = instance;
    instance->st = (SpiceMigrateState *)(void *)instance; /* anything but NULL; never looked into */
    return 0;
}

static bool is_destination(const char *dest, int port, int secure_port)
{
    return dest && (port != -1 || secure_port != -1);
}

int spice_server_migrate_connect(SpiceServer *s, const char *dest, int port, int secure_port,
                                 const char *cert_subject)
{
    (void)cert_subject;
    if (!s->migration) {
        sm_say(&s->log, SM_LOG_WARNING, "there is no migration interface");
        return -1;
    }
    s->has_destination = is_destination(dest, port, secure_port);
    if (s->has_destination)
        sm_say(&s->log, SM_LOG_WARNING,
               "migration of clients is not supported yet: they will have to connect to %s anew",
               dest);
    interface_of(s->migration)->migrate_connect_complete(s->migration);
    return s->has_destination ? 0 : -1;
}

int spice_server_migrate_info(SpiceServer *s, const char *dest, int port, int secure_port,
                              const char *cert_subject)
{
    (void)cert_subject;
    s->has_destination = is_destination(dest, port, secure_port);
    return s->has_destination ? 0 : -1;
}

int spice_server_migrate_switch(SpiceServer *s)
{
    (void)s;
    return 0;
}

int spice_server_migrate_start(SpiceServer *s)
{
    return s->has_destination ? 0 : -1;
}

int spice_server_migrate_end(SpiceServer *s, int completed)
{
    if (completed)
        sm_server_disconnect_clients(s->server); /* the machine is no longer here */
    s->has_destination = false;
    if (s->migration && interface_of(s->migration)->migrate_end_complete)
        interface_of(s->migration)->migrate_end_complete(s->migration);
    return 0;
}

void spice_server_set_seamless_migration(SpiceServer *s, int enable)
{
    if (enable)
        sm_say(&s->log, SM_LOG_INFO, "seamless migration is not supported yet");
}
