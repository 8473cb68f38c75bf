/* SPDX-License-Identifier: MIT */
#include "server/session/door.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* A connection costs the time after which the next one is due. */
enum { COST_US = 1000000 / SM_DOOR_RATE, ALL_COST_US = 1000000 / SM_DOOR_ALL_RATE };

static const int64_t FULL_US = (int64_t)SM_DOOR_BURST * COST_US;
static const int64_t ALL_FULL_US = (int64_t)SM_DOOR_ALL_BURST * ALL_COST_US;

static struct sm_door_address address_v4(const uint8_t bytes[4])
{
    struct sm_door_address address = {.is_remote = bytes[0] != 127, .bytes = {4}};
    memcpy(address.bytes + 1, bytes, 4);
    return address;
}

struct sm_door_address sm_door_address_of(int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return (struct sm_door_address){0};
    if (peer.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &peer, sizeof(v4));
        return address_v4((const uint8_t *)&v4.sin_addr);
    }
    if (peer.ss_family != AF_INET6)
        return (struct sm_door_address){0};
    struct sockaddr_in6 v6;
    memcpy(&v6, &peer, sizeof(v6));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return address_v4(v6.sin6_addr.s6_addr + 12);
    struct sm_door_address address = {.is_remote = !IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr),
                                      .bytes = {6}};
    memcpy(address.bytes + 1, v6.sin6_addr.s6_addr, 8);
    return address;
}

bool sm_door_address_equal(const struct sm_door_address *a, const struct sm_door_address *b)
{
    return a->is_remote == b->is_remote && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* What time has given back. */
static void refill(struct sm_door_entry *entry, int64_t full_us, uint64_t now_us)
{
    if (now_us <= entry->looked_us)
        return;
    uint64_t passed_us = now_us - entry->looked_us;
    uint64_t lacking_us = (uint64_t)(full_us - entry->credit_us);
    entry->credit_us += (int64_t)(passed_us < lacking_us ? passed_us : lacking_us);
    entry->looked_us = now_us;
}

static void charge(struct sm_door_entry *entry, int64_t cost_us, int64_t most_debt_us)
{
    entry->credit_us -= cost_us;
    if (entry->credit_us < -most_debt_us)
        entry->credit_us = -most_debt_us;
}

static struct sm_door_entry *all_of(struct sm_door *door, uint64_t now_us)
{
    if (!door->is_open)
        door->all = (struct sm_door_entry){.credit_us = ALL_FULL_US, .looked_us = now_us};
    door->is_open = true;
    refill(&door->all, ALL_FULL_US, now_us);
    return &door->all;
}

static bool is_known(const struct sm_door_entry *entry, uint64_t now_us)
{
    return now_us < entry->known_until_us;
}

/* Whether `a` may be forgotten rather than `b`. */
static bool is_less(const struct sm_door_entry *a, const struct sm_door_entry *b, uint64_t now_us)
{
    if (is_known(a, now_us) != is_known(b, now_us))
        return !is_known(a, now_us);
    return a->credit_us > b->credit_us;
}

static struct sm_door_entry *entry_of(struct sm_door *door, const struct sm_door_address *address,
                                      uint64_t now_us)
{
    struct sm_door_entry *least = &door->entries[0];
    for (unsigned i = 0; i < door->count; i++) {
        struct sm_door_entry *entry = &door->entries[i];
        refill(entry, FULL_US, now_us);
        if (sm_door_address_equal(&entry->address, address))
            return entry;
        if (is_less(entry, least, now_us))
            least = entry;
    }
    if (door->count < SM_DOOR_ADDRESSES)
        least = &door->entries[door->count++];
    *least = (struct sm_door_entry){.address = *address, .credit_us = FULL_US, .looked_us = now_us};
    return least;
}

bool sm_door_knock(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us)
{
    if (!address->is_remote)
        return true;
    struct sm_door_entry *entry = entry_of(door, address, now_us);
    if (entry->credit_us < COST_US)
        return false;
    if (!is_known(entry, now_us)) {
        struct sm_door_entry *all = all_of(door, now_us);
        if (all->credit_us < ALL_COST_US)
            return false;
        charge(all, ALL_COST_US, ALL_FULL_US);
    }
    charge(entry, COST_US, FULL_US);
    return true;
}

void sm_door_welcomed(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us)
{
    if (address->is_remote)
        entry_of(door, address, now_us)->known_until_us =
            now_us + (uint64_t)SM_DOOR_KNOWN_S * 1000000;
}

void sm_door_failed(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us)
{
    if (!address->is_remote)
        return;
    struct sm_door_entry *entry = entry_of(door, address, now_us);
    charge(entry, (int64_t)SM_DOOR_FAILURE_COST * COST_US, FULL_US);
    if (!is_known(entry, now_us))
        charge(all_of(door, now_us), (int64_t)SM_DOOR_ALL_FAILURE_COST * ALL_COST_US, ALL_FULL_US);
}
