/* SPDX-License-Identifier: MIT */
#include "core/base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *sm_alloc_array(size_t count, size_t item_size)
{
    if (count == 0 || item_size == 0)
        return calloc(1, 1);
    return calloc(count, item_size); /* checks the product itself */
}

void *sm_memdup(const void *data, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}
