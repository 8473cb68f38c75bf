/* SPDX-License-Identifier: MIT */
/*
 * How often strangers may knock: connections and failed log-ins of each address of the network are
 * counted, so that one cannot take the time of all others, nor try passwords at line speed; and
 * those of all addresses together, so that many cannot either. Who has logged in lately is not kept
 * out by the others. Pure: the clock is the caller's.
 */
#ifndef SM_SERVER_SESSION_DOOR_H
#define SM_SERVER_SESSION_DOOR_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SM_DOOR_BURST = 256,       /* connections of an address at once: some dozen viewers start */
    SM_DOOR_RATE = 64,         /* a second, thereafter */
    SM_DOOR_FAILURE_COST = 32, /* connections that a failed log-in counts as: two a second */
    SM_DOOR_ADDRESSES = 256,   /* that are remembered; the one least in debt makes room */

    /* Of all addresses together, but those known: */
    SM_DOOR_ALL_BURST = 1024,
    SM_DOOR_ALL_RATE = 256,
    SM_DOOR_ALL_FAILURE_COST = 8, /* some 28 wrong passwords a second */
    SM_DOOR_KNOWN_S = 3600,       /* so long after it was logged in, an address is known */
};

/** Where a peer comes from: an IPv4 address, or the network (64 bits) of an IPv6 one. */
struct sm_door_address {
    /* False on this machine: unix sockets and loopback, where gateways and tunnels stand for many
     * people. These are not counted. */
    bool is_remote;
    uint8_t bytes[9]; /* 4 or 6, then the address */
};

struct sm_door_entry {
    struct sm_door_address address;
    int64_t credit_us; /* how long it need not wait; negative: has to */
    uint64_t looked_us;
    uint64_t known_until_us; /* 0: it never logged in */
};

/** Zero at first. Thread: one at a time. */
struct sm_door {
    struct sm_door_entry entries[SM_DOOR_ADDRESSES];
    unsigned count;
    struct sm_door_entry all; /* of no address; its times are SM_DOOR_ALL_RATE's */
    bool is_open;             /* `all` has its credit */
};

/** The address of the peer of the socket `fd`. */
struct sm_door_address sm_door_address_of(int fd);

bool sm_door_address_equal(const struct sm_door_address *a, const struct sm_door_address *b);

/** Counts a connection; false if it is one too many. */
bool sm_door_knock(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us);

/** Notes a log-in that went well. */
void sm_door_welcomed(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us);

/** Counts a log-in that failed. */
void sm_door_failed(struct sm_door *door, const struct sm_door_address *address, uint64_t now_us);

#endif
