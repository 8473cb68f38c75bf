/* SPDX-License-Identifier: MIT */
/* A proxy's address and its answer: no crash; an answer that is whole stays so when more comes. */
#include "fuzz/support/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "io/proxy.h"

static void parse_address(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = 0;
    struct sm_proxy proxy;
    const char *reason = NULL;
    if (sm_proxy_parse(&proxy, text, &reason) == SM_OK) {
        FUZZ_CHECK(proxy.port > 0 && proxy.host[0] && strlen(proxy.host) <= SM_PROXY_HOST_MAX);
        struct sm_writer out;
        sm_writer_init(&out, 4096);
        sm_proxy_request(&out, &proxy, "vm", 5900);
        /* Nothing of the address may begin a line of its own. */
        unsigned lines = 0;
        for (size_t i = 0; i < out.size; i++)
            lines += out.data[i] == '\n';
        FUZZ_CHECK(sm_writer_status(&out) == SM_OK && lines == (proxy.has_login ? 4u : 3u));
        sm_writer_finish(&out);
    } else {
        FUZZ_CHECK(reason != NULL);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_SIZE)
        return 0;
    parse_address(data, size);
    struct sm_proxy_answer part = {0}, whole = {0};
    enum sm_status early = sm_proxy_answer_parse((struct sm_bytes){data, size / 2}, &part);
    enum sm_status late = sm_proxy_answer_parse((struct sm_bytes){data, size}, &whole);
    FUZZ_CHECK(early == SM_AGAIN || early == late);
    FUZZ_CHECK(early != SM_OK || (part.code == whole.code && !strcmp(part.words, whole.words)));
    return 0;
}
