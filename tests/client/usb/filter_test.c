/* SPDX-License-Identifier: MIT */
#include "client/usb/filter.h"
#include "tests/support/check.h"
#include "tests/support/failmalloc.h"

#include <string.h>

static struct sm_bytes text(const char *text)
{
    return (struct sm_bytes){(const uint8_t *)text, strlen(text)};
}

static bool allows(const char *rules, const struct sm_usb_identity *identity, bool by_default)
{
    struct sm_usb_filter filter;
    sm_check_status(sm_usb_filter_parse(&filter, text(rules)), SM_OK);
    bool is_allowed = sm_usb_filter_allows(&filter, identity, by_default);
    sm_usb_filter_finish(&filter);
    return is_allowed;
}

static const struct sm_usb_identity STICK = {
    .vendor = 0x0951,
    .product = 0x1666,
    .version = 0x0110,
    .interface_count = 1,
    .interface_class = {8},
    .interface_subclass = {6},
};
static const struct sm_usb_identity KEYBOARD = {
    .vendor = 0x046d,
    .product = 0xc31c,
    .interface_count = 2,
    .interface_class = {3, 3},
    .interface_subclass = {1, 0},
    .interface_protocol = {1, 0},
};
static const struct sm_usb_identity HEADSET = {
    .vendor = 0x046d,
    .product = 0x0a8f,
    .interface_count = 2,
    .interface_class = {1, 3},
};
static const struct sm_usb_identity PRINTER = {.device_class = 7, .vendor = 1, .product = 2};

static void the_first_rule_that_matches_decides(void **state)
{
    (void)state;
    static const char everything_but_hid[] = "0x03,-1,-1,-1,0|-1,-1,-1,-1,1";
    assert_true(allows(everything_but_hid, &STICK, false));
    assert_false(allows(everything_but_hid, &KEYBOARD, true));
    assert_true(allows(everything_but_hid, &HEADSET, false)); /* its buttons do not count */
    assert_true(allows("-1,0x0951,-1,-1,1", &STICK, false));
    assert_false(allows("-1,0x0951,-1,-1,0|-1,-1,-1,-1,1", &STICK, true));
    assert_true(allows("-1,2385,5734,0420,1", &STICK, false)); /* decimal, octal */
    assert_false(allows("-1,2385,5734,0421,1", &STICK, false));
    assert_false(allows("7,-1,-1,-1,0", &PRINTER, true)); /* the device's own class */
    assert_true(allows("8,-1,-1,-1,0", &PRINTER, true));
}

static void without_a_match_the_default_counts(void **state)
{
    (void)state;
    assert_true(allows("", &STICK, true));
    assert_false(allows("", &STICK, false));
    assert_true(allows("  | |", &STICK, true));
    assert_true(allows(" 0x03 , -1,-1,\t-1, 0 |", &STICK, true));
}

static void rules_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"1",
                                      "1,2,3,4",
                                      "1,2,3,4,2",
                                      "256,-1,-1,-1,1",
                                      "-2,-1,-1,-1,1",
                                      "1,65536,-1,-1,1",
                                      "1,2,3,4,1,",
                                      "1,2,3,4,1 1",
                                      "a,2,3,4,1",
                                      "0x,2,3,4,1",
                                      "1,2,3,4,-1",
                                      "08,1,1,1,1",
                                      "1,99999999999,1,1,1",
                                      "1,2,3,4,1;1,2,3,4,1",
                                      "-,1,1,1,1",
                                      "1,,3,4,1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sm_usb_filter filter;
        sm_check_status(sm_usb_filter_parse(&filter, text(bad[i])), SM_ERR_PROTOCOL);
    }
    static char many[12 * (SM_USB_RULES_MAX + 2)];
    for (int i = 0; i <= SM_USB_RULES_MAX; i++)
        strcat(many, "1,1,1,1,1|");
    struct sm_usb_filter filter;
    sm_check_status(sm_usb_filter_parse(&filter, text(many)), SM_ERR_LIMIT);
}

static void parse(void *context)
{
    (void)context;
    struct sm_usb_filter filter = {0};
    enum sm_status status = sm_usb_filter_parse(&filter, text("1,1,1,1,1|2,2,2,2,0"));
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    assert_int_equal(filter.count, status == SM_OK ? 2 : 0);
    sm_usb_filter_finish(&filter);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    sm_failmalloc_each(parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(without_a_match_the_default_counts),
        cmocka_unit_test(rules_that_make_no_sense_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
