/* SPDX-License-Identifier: MIT */
#include "client/usb/filter.h"

#include <stdlib.h>

enum {
    ANY = -1,
    CLASS_BY_INTERFACE = 0x00,
    CLASS_HID = 0x03,
    CLASS_MISCELLANEOUS = 0xef,
};

/** A text being read. */
struct cursor {
    const uint8_t *pos, *end;
};

static void skip_spaces(struct cursor *c)
{
    while (c->pos < c->end && (*c->pos == ' ' || *c->pos == '\t' || *c->pos == '\n'))
        c->pos++;
}

static bool take(struct cursor *c, uint8_t wanted)
{
    skip_spaces(c);
    if (c->pos == c->end || *c->pos != wanted)
        return false;
    c->pos++;
    return true;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* A number in C's notation, or -1. */
static bool take_number(struct cursor *c, int32_t max, int32_t *out)
{
    if (take(c, '-'))
        return take(c, '1') && (*out = ANY, true);
    skip_spaces(c);
    int base = 10;
    if (c->end - c->pos > 1 && c->pos[0] == '0' && (c->pos[1] | 0x20) == 'x') {
        base = 16;
        c->pos += 2;
    } else if (c->pos < c->end && c->pos[0] == '0') {
        base = 8;
    }
    const uint8_t *start = c->pos;
    int32_t value = 0;
    while (c->pos < c->end && digit(*c->pos) < base) {
        value = value * base + digit(*c->pos++);
        if (value > max)
            return false;
    }
    *out = value;
    return c->pos > start;
}

static bool take_rule(struct cursor *c, struct sm_usb_rule *rule)
{
    int32_t allow;
    if (!take_number(c, 255, &rule->device_class) || !take(c, ',') ||
        !take_number(c, 65535, &rule->vendor) || !take(c, ',') ||
        !take_number(c, 65535, &rule->product) || !take(c, ',') ||
        !take_number(c, 65535, &rule->version) || !take(c, ',') || !take_number(c, 1, &allow) ||
        allow == ANY)
        return false;
    rule->is_allowed = allow != 0;
    skip_spaces(c);
    return true;
}

enum sm_status sm_usb_filter_parse(struct sm_usb_filter *out, struct sm_bytes text)
{
    struct sm_usb_rule *rules = NULL;
    size_t count = 0;
    struct cursor c = {.pos = text.data, .end = text.data + text.size};
    enum sm_status status = SM_OK;
    while (take(&c, '|')) /* empty rules do not count */
        continue;
    while (status == SM_OK && c.pos < c.end) {
        struct sm_usb_rule rule;
        struct sm_usb_rule *more = NULL;
        if (!take_rule(&c, &rule) || (c.pos < c.end && !take(&c, '|')))
            status = SM_ERR_PROTOCOL;
        else if (count == SM_USB_RULES_MAX)
            status = SM_ERR_LIMIT;
        else if (!(more = realloc(rules, (count + 1) * sizeof(*rules))))
            status = SM_ERR_NOMEM;
        if (more) {
            rules = more;
            rules[count++] = rule;
        }
        while (status == SM_OK && take(&c, '|'))
            continue;
        skip_spaces(&c);
    }
    if (status != SM_OK) {
        free(rules);
        return status;
    }
    *out = (struct sm_usb_filter){.rules = rules, .count = count};
    return SM_OK;
}

void sm_usb_filter_finish(struct sm_usb_filter *filter)
{
    free(filter->rules);
    *filter = (struct sm_usb_filter){0};
}

static bool fits(int32_t wanted, int32_t is)
{
    return wanted == ANY || wanted == is;
}

/* What the first rule says that fits the identity with this class. */
static bool allows_class(const struct sm_usb_filter *filter, const struct sm_usb_identity *identity,
                         uint8_t device_class, bool by_default)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct sm_usb_rule *rule = &filter->rules[i];
        if (fits(rule->device_class, device_class) && fits(rule->vendor, identity->vendor) &&
            fits(rule->product, identity->product) && fits(rule->version, identity->version))
            return rule->is_allowed;
    }
    return by_default;
}

/* The volume buttons of a headset are no keyboard. */
static bool is_aside(const struct sm_usb_identity *identity, size_t i)
{
    return identity->interface_count > 1 && identity->interface_class[i] == CLASS_HID &&
           identity->interface_subclass[i] == 0 && identity->interface_protocol[i] == 0;
}

bool sm_usb_filter_allows(const struct sm_usb_filter *filter,
                          const struct sm_usb_identity *identity, bool by_default)
{
    uint8_t own = identity->device_class;
    if (own != CLASS_BY_INTERFACE && own != CLASS_MISCELLANEOUS &&
        !allows_class(filter, identity, own, by_default))
        return false;
    for (size_t i = 0; i < identity->interface_count && i < SM_USB_INTERFACES_MAX; i++)
        if (!is_aside(identity, i) &&
            !allows_class(filter, identity, identity->interface_class[i], by_default))
            return false;
    return true;
}
