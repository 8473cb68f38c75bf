/* SPDX-License-Identifier: MIT */
/* Invariant: an address that is understood has a canonical form that means the same, and a refusal
 * has a reason; neither shows a password. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sumac/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct sm_address *address = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    if (sm_address_parse(&address, text, &error) != SM_OK) {
        check(!address && error.kind != SM_ERROR_NONE && error.cause[0]);
    } else {
        struct sm_address *again = NULL;
        check(sm_address_parse(&again, sm_address_text(address), NULL) == SM_OK);
        check(same(sm_address_text(address), sm_address_text(again)));
        check(same(sm_address_host(address), sm_address_host(again)));
        check(same(sm_address_unix_path(address), sm_address_unix_path(again)));
        check(sm_address_port(address) == sm_address_port(again));
        check(sm_address_tls_port(address) == sm_address_tls_port(again));
        check(!sm_address_password(again));
        sm_address_destroy(again);
        sm_address_destroy(address);
    }
    free(text);
    return 0;
}
