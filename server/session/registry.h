/* SPDX-License-Identifier: MIT */
/* The channels a server offers: what clients are told of, and where their connections go. */
#ifndef SM_SERVER_SESSION_REGISTRY_H
#define SM_SERVER_SESSION_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"

struct sm_channel_handover;

/** A channel on offer. Its owner keeps the storage and fills all but `link`. */
struct sm_channel_offer {
    uint8_t type, id;
    uint32_t caps; /* told to clients in the link reply */
    /** Serves a client; takes `handover`. */
    void (*connect)(void *opaque, struct sm_channel_handover *handover);
    /** Ends what it serves of this session; its handovers are destroyed on return. */
    void (*disconnect)(void *opaque, uint32_t connection_id);
    /** Sends what it serves of this session over to the target of a migration. */
    void (*migrate)(void *opaque, uint32_t connection_id);
    bool migrates_with_data; /* a client that comes from another server brings MIGRATE_DATA */
    void *opaque;
    struct sm_list link;
};

/** Thread: main context. */
struct sm_registry {
    struct sm_list offers; /* newest first, as clients are told */
};

void sm_registry_init(struct sm_registry *registry);

/** False if there is one of this type and id already. */
bool sm_registry_add(struct sm_registry *registry, struct sm_channel_offer *offer);
void sm_registry_remove(struct sm_channel_offer *offer);

/** NULL if it is not offered. */
struct sm_channel_offer *sm_registry_find(const struct sm_registry *registry, uint8_t type,
                                          uint8_t id);

/** How many channels of one type are on offer. */
unsigned sm_registry_count(const struct sm_registry *registry, uint8_t type);

#endif
