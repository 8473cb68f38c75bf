/* SPDX-License-Identifier: MIT */
#include "server/session/registry.h"

#include <stddef.h>

static struct sm_channel_offer *offer_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_channel_offer, link);
}

void sm_registry_init(struct sm_registry *registry)
{
    sm_list_init(&registry->offers);
}

bool sm_registry_add(struct sm_registry *registry, struct sm_channel_offer *offer)
{
    if (sm_registry_find(registry, offer->type, offer->id))
        return false;
    sm_list_insert(&registry->offers, &offer->link);
    return true;
}

void sm_registry_remove(struct sm_channel_offer *offer)
{
    sm_list_remove(&offer->link);
}

struct sm_channel_offer *sm_registry_find(const struct sm_registry *registry, uint8_t type,
                                          uint8_t id)
{
    SM_LIST_FOR (link, &registry->offers) {
        struct sm_channel_offer *offer = offer_of(link);
        if (offer->type == type && offer->id == id)
            return offer;
    }
    return NULL;
}

unsigned sm_registry_count(const struct sm_registry *registry, uint8_t type)
{
    unsigned count = 0;
    SM_LIST_FOR (link, &registry->offers)
        count += offer_of(link)->type == type;
    return count;
}
