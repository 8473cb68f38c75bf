/* SPDX-License-Identifier: MIT */
/* A borrowed run of bytes. */
#ifndef SUMAC_BYTES_H
#define SUMAC_BYTES_H

#include <stddef.h>
#include <stdint.h>

/** Bytes that belong to somebody else; `data` may be NULL only if `size` is 0. */
struct sm_bytes {
    const uint8_t *data;
    size_t size;
};

#endif
