/* SPDX-License-Identifier: MIT */
/* Taking the clients along when the machine moves to another host. */
#ifndef SM_SPICE_SERVER_MIGRATION_H
#define SM_SPICE_SERVER_MIGRATION_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

#define SPICE_INTERFACE_MIGRATION       "migration"
#define SPICE_INTERFACE_MIGRATION_MAJOR 1
#define SPICE_INTERFACE_MIGRATION_MINOR 1

typedef struct SpiceMigrateInterface SpiceMigrateInterface;
typedef struct SpiceMigrateInstance SpiceMigrateInstance;
typedef struct SpiceMigrateState SpiceMigrateState;

struct SpiceMigrateInterface {
    SpiceBaseInterface base;
    /* The clients know the new host, or will not. Maybe from within spice_server_migrate_connect.
     */
    void (*migrate_connect_complete)(SpiceMigrateInstance *sin);
    /* The clients have left. Optional; maybe from within spice_server_migrate_end. */
    void (*migrate_end_complete)(SpiceMigrateInstance *sin);
};

struct SpiceMigrateInstance {
    SpiceBaseInstance base;
    SpiceMigrateState *st; /* the library's */
};

int spice_server_migrate_connect(SpiceServer *s, const char *dest, int port, int secure_port,
                                 const char *cert_subject);
int spice_server_migrate_start(SpiceServer *s);
int spice_server_migrate_end(SpiceServer *s, int completed);
void spice_server_set_seamless_migration(SpiceServer *s, int enable);

/* Deprecated: for hosts without the interface above. */
int spice_server_migrate_info(SpiceServer *s, const char *dest, int port, int secure_port,
                              const char *cert_subject);
int spice_server_migrate_switch(SpiceServer *s);

SPICE_END_DECLS

#endif
