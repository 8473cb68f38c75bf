/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "server/session/ticket_policy.h"

static const uint64_t NOW = 1000000;
static const uint64_t SECOND = 1000000;

static bool gets_in(const struct sm_ticket_policy *policy, const char *password, uint64_t now_us)
{
    char given[SM_TICKET_PASSWORD_MAX + 1] = "";
    memcpy(given, password, strnlen(password, SM_TICKET_PASSWORD_MAX));
    return sm_ticket_policy_refuses(policy, given, now_us) == NULL;
}

static void nobody_gets_in_before_a_password_is_set(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    sm_ticket_policy_init(&policy);
    assert_false(gets_in(&policy, "", NOW));
    assert_false(gets_in(&policy, "x", NOW));
}

static void an_open_server_takes_any_password(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    sm_ticket_policy_init(&policy);
    sm_ticket_policy_open(&policy);
    assert_true(gets_in(&policy, "", NOW));
    assert_true(gets_in(&policy, "anything", NOW));
}

static void the_right_password_gets_in_and_others_do_not(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    sm_ticket_policy_init(&policy);
    sm_check_status(sm_ticket_policy_set(&policy, "secret", 0, NOW), SM_OK);
    assert_true(gets_in(&policy, "secret", NOW));
    assert_true(gets_in(&policy, "secret", UINT64_MAX - 1)); /* for ever */
    assert_false(gets_in(&policy, "", NOW));
    assert_false(gets_in(&policy, "secre", NOW));
    assert_false(gets_in(&policy, "secret1", NOW));
}

static void a_password_expires(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    sm_ticket_policy_init(&policy);
    sm_check_status(sm_ticket_policy_set(&policy, "secret", 5, NOW), SM_OK);
    assert_true(gets_in(&policy, "secret", NOW + 5 * SECOND));
    assert_false(gets_in(&policy, "secret", NOW + 5 * SECOND + 1));
    assert_string_equal(sm_ticket_policy_refuses(&policy, "secret", NOW + 6 * SECOND),
                        "Ticket has expired");
}

static void sixty_characters_are_kept_and_sixty_one_refused(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    char password[62];
    memset(password, 'a', 61);
    password[61] = '\0';
    sm_ticket_policy_init(&policy);
    sm_check_status(sm_ticket_policy_set(&policy, "old", 0, NOW), SM_OK);
    sm_check_status(sm_ticket_policy_set(&policy, password, 1, NOW), SM_ERR_LIMIT);
    assert_true(gets_in(&policy, "old", NOW));
    assert_false(gets_in(&policy, "old", NOW + 2 * SECOND)); /* its lifetime counted */

    password[60] = '\0';
    sm_check_status(sm_ticket_policy_set(&policy, password, 0, NOW), SM_OK);
    assert_true(gets_in(&policy, password, NOW));
    password[59] = 'b';
    assert_false(gets_in(&policy, password, NOW));
}

static void no_password_locks_everybody_out(void **state)
{
    (void)state;
    struct sm_ticket_policy policy;
    sm_ticket_policy_init(&policy);
    sm_ticket_policy_open(&policy);
    sm_check_status(sm_ticket_policy_set(&policy, NULL, 0, NOW), SM_OK);
    assert_false(gets_in(&policy, "", NOW));
    assert_false(gets_in(&policy, "x", NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_gets_in_before_a_password_is_set),
        cmocka_unit_test(an_open_server_takes_any_password),
        cmocka_unit_test(the_right_password_gets_in_and_others_do_not),
        cmocka_unit_test(a_password_expires),
        cmocka_unit_test(sixty_characters_are_kept_and_sixty_one_refused),
        cmocka_unit_test(no_password_locks_everybody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
