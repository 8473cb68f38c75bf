/* SPDX-License-Identifier: MIT */
/* Rules about which USB devices may be redirected. Source: docs/usb.md, "Rules". */
#ifndef SM_CLIENT_USB_FILTER_H
#define SM_CLIENT_USB_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_USB_RULES_MAX = 256,
    SM_USB_INTERFACES_MAX = 32,
};

/** Each number but `is_allowed` is -1 for any. */
struct sm_usb_rule {
    int32_t device_class, vendor, product, version;
    bool is_allowed;
};

/** What rules look at. */
struct sm_usb_identity {
    uint8_t device_class;
    uint16_t vendor, product, version;
    uint8_t interface_count;
    uint8_t interface_class[SM_USB_INTERFACES_MAX];
    uint8_t interface_subclass[SM_USB_INTERFACES_MAX];
    uint8_t interface_protocol[SM_USB_INTERFACES_MAX];
};

struct sm_usb_filter {
    struct sm_usb_rule *rules; /* owned */
    size_t count;
};

/**
 * Understands `class,vendor,product,version,allow|...`; an empty text has no rules.
 *
 * @param out  receives the rules, untouched on failure; release with sm_usb_filter_finish()
 * @return SM_OK; SM_ERR_PROTOCOL if it makes no sense; SM_ERR_LIMIT for more than 256 rules;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_usb_filter_parse(struct sm_usb_filter *out, struct sm_bytes text);

void sm_usb_filter_finish(struct sm_usb_filter *filter);

/** Whether a device is allowed; `by_default` if no rule matches. */
bool sm_usb_filter_allows(const struct sm_usb_filter *filter,
                          const struct sm_usb_identity *identity, bool by_default);

#endif
