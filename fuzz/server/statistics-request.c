/* SPDX-License-Identifier: MIT */
/* A request for statistics: no crash, and what was understood stays so when more comes. */
#include "fuzz/support/fuzz.h"

#include "server/session/statistics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sm_statistics_request whole, part;
    if (size > 2 * SM_STATISTICS_REQUEST_MAX)
        return 0;
    enum sm_status status = sm_statistics_request_parse(&whole, (struct sm_bytes){data, size});
    for (size_t cut = 0; cut < size; cut += 1 + size / 64) {
        enum sm_status early = sm_statistics_request_parse(&part, (struct sm_bytes){data, cut});
        if (early == SM_AGAIN || size > SM_STATISTICS_REQUEST_MAX)
            continue;
        FUZZ_CHECK(early == status);
        FUZZ_CHECK(early != SM_OK || part.format == whole.format);
    }
    return 0;
}
