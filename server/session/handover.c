/* SPDX-License-Identifier: MIT */
#include "server/session/handover.h"

#include <stdlib.h>

#include "io/transport.h"
#include "server/session/figures.h"

void sm_channel_handover_destroy(struct sm_channel_handover *handover)
{
    if (!handover)
        return;
    /* First the socket: the host is told "disconnected" only when it really is. */
    sm_transport_destroy(handover->transport);
    free(handover->leftover);
    free(handover->leading);
    sm_figures_unref(handover->figures);
    if (handover->closed)
        handover->closed(handover->opaque);
    free(handover);
}

bool sm_channel_handover_flush(struct sm_channel_handover *handover)
{
    struct sm_bytes left = {.data = handover->leading, .size = handover->leading_size};
    while (left.size > 0) {
        size_t put = 0;
        if (sm_transport_write(handover->transport, left, &put) != SM_OK || put == 0)
            return false;
        left.data += put;
        left.size -= put;
    }
    handover->leading_size = 0;
    return true;
}

void sm_channel_handover_resumed(const struct sm_channel_handover *handover)
{
    if (handover->resumed)
        handover->resumed(handover->opaque);
}

enum sm_status sm_channel_handover_pump(struct sm_channel_handover *handover, struct sm_pump **out,
                                        struct sm_loop loop, struct sm_machine machine,
                                        const struct sm_pump_callbacks *callbacks, void *opaque)
{
    struct sm_bytes leftover = {.data = handover->leftover, .size = handover->leftover_size};
    enum sm_status status =
        sm_pump_create(out, loop, handover->transport, machine, leftover, callbacks, opaque);
    if (status == SM_OK)
        handover->transport = NULL;
    return status;
}

struct sm_channel_setup sm_channel_handover_setup(const struct sm_channel_handover *handover)
{
    return (struct sm_channel_setup){
        .has_mini_header = handover->has_mini_header,
        .common_caps = handover->common_caps,
        .channel_caps = handover->channel_caps,
        .leading = {.data = handover->leading, .size = handover->leading_size},
        .is_local = handover->is_unix,
        .is_migrated = handover->is_migrated,
    };
}
