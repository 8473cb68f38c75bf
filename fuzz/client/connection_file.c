/* SPDX-License-Identifier: MIT */
/* Invariant: a file that is understood has a type, its lists end, and what it says can be given to
 * a session; a refusal has a reason. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sumac/connection_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void use(const struct sm_connection_file *file, size_t size)
{
    check(sm_connection_file_get(file, "type") != NULL);
    char item[16];
    size_t count = 0;
    while (sm_connection_file_item(file, "secure-channels", count, item, sizeof(item)))
        count++;
    check(count <= size);
    (void)sm_connection_file_number(file, "port", 0);
    (void)sm_connection_file_needs_newer(file, "11.0");

    struct sm_address *address = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    if (sm_connection_file_address(file, &address, &error) != SM_OK) {
        check(!address && error.kind != SM_ERROR_NONE && error.cause[0]);
        return;
    }
    struct sm_session *session;
    if (sm_session_create(&session, address) == SM_OK) {
        check(sm_connection_file_apply(file, session) == SM_OK);
        sm_session_destroy(session);
    }
    sm_address_destroy(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sm_connection_file *file = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    if (sm_connection_file_parse(&file, copy, size, &error) != SM_OK)
        check(!file && error.kind != SM_ERROR_NONE && error.cause[0]);
    else
        use(file, size);
    sm_connection_file_destroy(file);
    free(copy);
    return 0;
}
