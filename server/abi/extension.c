/* SPDX-License-Identifier: MIT */
/* sumac/server.h: what this library can besides. */
#include "server/abi/internal.h"
#include "sumac/server.h"

void sumac_server_set_clients(SpiceServer *s, unsigned count)
{
    sm_server_set_max_clients(s->server, count);
}

int sumac_server_set_view_ticket(SpiceServer *s, const char *password, int lifetime_s)
{
    return sm_server_set_view_ticket(s->server, password, lifetime_s) == SM_OK ? 0 : -1;
}

int sumac_server_hand_over(SpiceServer *s, uint32_t connection_id)
{
    return sm_server_hand_over(s->server, connection_id) == SM_OK ? 0 : -1;
}

size_t sumac_server_get_clients(SpiceServer *s, struct sumac_client *out, size_t room)
{
    size_t count = 0;
    struct sm_server_client client = {0};
    while (sm_server_next_client(s->server, &client)) {
        if (count < room)
            out[count] = (struct sumac_client){.connection_id = client.connection_id,
                                               .is_view_only = client.is_view_only,
                                               .is_holder = client.is_holder};
        count++;
    }
    return count;
}

int sumac_server_set_statistics(SpiceServer *s, const char *path)
{
    return sm_server_set_statistics(s->server, path) == SM_OK ? 0 : -1;
}
