/* SPDX-License-Identifier: MIT */
#include "sumac/client.h"

const char *sm_client_version(void)
{
    return SM_VERSION;
}
