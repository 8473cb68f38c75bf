/* SPDX-License-Identifier: MIT */
/* Invariant: rules that are understood have numbers in range, and looking at a device with them
 * ends. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "client/usb/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sm_usb_filter filter;
    if (sm_usb_filter_parse(&filter, (struct sm_bytes){data, size}) != SM_OK)
        return 0;
    for (size_t i = 0; i < filter.count; i++) {
        const struct sm_usb_rule *rule = &filter.rules[i];
        if (rule->device_class < -1 || rule->device_class > 255 || rule->vendor < -1 ||
            rule->vendor > 65535 || rule->product < -1 || rule->product > 65535 ||
            rule->version < -1 || rule->version > 65535)
            abort();
    }
    struct sm_usb_identity identity = {
        .device_class = 8, .interface_count = 1, .interface_class = {3}};
    if (filter.count == 0 && !sm_usb_filter_allows(&filter, &identity, true))
        abort();
    sm_usb_filter_finish(&filter);
    return 0;
}
