/* SPDX-License-Identifier: MIT */
#include "sumac/status.h"

const char *sm_status_name(enum sm_status status)
{
    switch (status) {
    case SM_OK:
        return "ok";
    case SM_AGAIN:
        return "again";
    case SM_ERR_PROTOCOL:
        return "protocol";
    case SM_ERR_LIMIT:
        return "limit";
    case SM_ERR_NOMEM:
        return "nomem";
    case SM_ERR_STATE:
        return "state";
    case SM_ERR_IO:
        return "io";
    }
    return "unknown";
}
