/* SPDX-License-Identifier: MIT */
/*
 * What Sumac's libspice-server can besides what every one can. The functions have a version node
 * of their own (SUMAC_1): a host that may meet another library looks them up with dlsym(). Hosts
 * that know nothing of this header have the environment: docs/people.md, docs/statistics.md.
 *
 * Thread: the main context, as for all functions of spice-server.h.
 */
#ifndef SUMAC_SERVER_H
#define SUMAC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct RedsState; /* SpiceServer */

/**
 * Lets several people in at once. Overrides SUMAC_CLIENTS and SPICE_DEBUG_ALLOW_MC if called after
 * spice_server_init().
 *
 * @param count  1 (the default): who comes last takes over; more: as many, then nobody; 0: any
 *               number
 */
SM_API void sumac_server_set_clients(struct RedsState *server, unsigned count);

/**
 * Sets a second password: who logs in with it sees and hears, and can do nothing.
 *
 * @param password    at most 60 bytes, copied; NULL: none
 * @param lifetime_s  how long it is good; 0 for ever
 * @return 0; -1 if it is too long
 */
SM_API int sumac_server_set_view_ticket(struct RedsState *server, const char *password,
                                        int lifetime_s);

/**
 * Gives what there is one of (microphone, USB devices, card reader, shared folders, ports) to
 * another client; without this it goes on to the next one when its holder leaves.
 *
 * @param connection_id  as told by channel_event and sumac_server_get_clients()
 * @return 0; -1 if there is no such client, or it may only look
 */
SM_API int sumac_server_hand_over(struct RedsState *server, uint32_t connection_id);

/** One who is connected. */
struct sumac_client {
    uint32_t connection_id;
    bool is_view_only;
    bool is_holder; /* of what there is one of */
};

/**
 * Who is connected, in the order of coming.
 *
 * @param out   receives at most `room` of them; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sumac_server_get_clients(struct RedsState *server, struct sumac_client *out,
                                       size_t room);

/**
 * Offers what is counted at a local socket, as SUMAC_STATS_SOCKET does: docs/statistics.md.
 *
 * @param path  of the socket, which only our user may open; NULL: no longer
 * @return 0; -1 before spice_server_init(), or if the path cannot be had
 */
SM_API int sumac_server_set_statistics(struct RedsState *server, const char *path);

#ifdef __cplusplus
}
#endif

#endif
