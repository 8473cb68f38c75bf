/* SPDX-License-Identifier: MIT */
#include "server/session/handover.h"

#include <stdlib.h>

#include "io/transport.h"

void sm_channel_handover_destroy(struct sm_channel_handover *handover)
{
    if (!handover)
        return;
    /* First the socket: the host is told "disconnected" only when it really is. */
    sm_transport_destroy(handover->transport);
    free(handover->leftover);
    free(handover->leading);
    if (handover->closed)
        handover->closed(handover->opaque);
    free(handover);
}
