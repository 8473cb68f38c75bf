/* SPDX-License-Identifier: MIT */
#include "io/random.h"

#include <errno.h>
#include <sys/random.h>

enum sm_status sm_random_bytes(void *out, size_t size)
{
    uint8_t *pos = out;
    while (size) {
        ssize_t got = getrandom(pos, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SM_ERR_IO;
        pos += got;
        size -= (size_t)got;
    }
    return SM_OK;
}

enum sm_status sm_random_u32(uint32_t *out)
{
    uint32_t value = 0;
    while (value == 0) {
        enum sm_status status = sm_random_bytes(&value, sizeof(value));
        if (status != SM_OK)
            return status;
    }
    *out = value;
    return SM_OK;
}
