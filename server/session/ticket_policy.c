/* SPDX-License-Identifier: MIT */
#include "server/session/ticket_policy.h"

#include <string.h>

void sm_ticket_policy_init(struct sm_ticket_policy *policy)
{
    *policy = (struct sm_ticket_policy){.is_on = true, .expires_us = UINT64_MAX};
}

void sm_ticket_policy_open(struct sm_ticket_policy *policy)
{
    memset(policy->password, 0, sizeof(policy->password));
    policy->is_on = false;
}

enum sm_status sm_ticket_policy_set(struct sm_ticket_policy *policy, const char *password,
                                    int lifetime_s, uint64_t now_us)
{
    policy->is_on = true;
    if (lifetime_s == 0)
        policy->expires_us = UINT64_MAX;
    else if (lifetime_s > 0)
        policy->expires_us = now_us + (uint64_t)lifetime_s * 1000000;
    else
        policy->expires_us = 0;

    if (!password) {
        memset(policy->password, 0, sizeof(policy->password));
        policy->expires_us = 0;
        return SM_OK;
    }
    size_t size = strnlen(password, SM_TICKET_PASSWORD_MAX + 1);
    if (size > SM_TICKET_PASSWORD_MAX)
        return SM_ERR_LIMIT;
    memset(policy->password, 0, sizeof(policy->password));
    memcpy(policy->password, password, size);
    return SM_OK;
}

const char *sm_ticket_policy_refuses(const struct sm_ticket_policy *policy,
                                     const char given[SM_TICKET_PASSWORD_MAX + 1], uint64_t now_us)
{
    if (!policy->is_on)
        return NULL;
    if (policy->password[0] == '\0')
        return "Ticketing is enabled, but no password is set. please set a ticket first";
    if (policy->expires_us < now_us)
        return "Ticket has expired";
    if (!sm_ticket_password_equal(policy->password, given))
        return "Invalid password";
    return NULL;
}
