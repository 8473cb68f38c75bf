/* SPDX-License-Identifier: MIT */
/* Tables behind client/keys.c. */
#ifndef SM_CLIENT_KEY_TABLES_H
#define SM_CLIENT_KEY_TABLES_H

#include <stddef.h>
#include <stdint.h>

struct sm_key_entry {
    uint16_t key;
    const char *name; /* lower case */
};

/** Every name; the first of a key is the one to show. */
extern const struct sm_key_entry sm_key_names[];
extern const size_t sm_key_name_count;

/** By Linux evdev code; 0 where there is no key. */
extern const uint16_t sm_key_evdev[];
extern const size_t sm_key_evdev_count;

#endif
