/* SPDX-License-Identifier: MIT */
#include "server/display/pace.h"

bool sm_pace_begin(struct sm_pace *pace, uint64_t now_us, uint64_t input_us, uint64_t *wait_us)
{
    if (now_us - input_us < SM_PACE_ANSWER_US)
        return true;
    const uint64_t ahead_us = (uint64_t)(SM_PACE_AT_ONCE - 1) * SM_PACE_BATCH_US;
    if (pace->used_until_us > now_us + ahead_us) {
        *wait_us = pace->used_until_us - now_us - ahead_us;
        return false;
    }
    if (pace->used_until_us < now_us)
        pace->used_until_us = now_us;
    pace->used_until_us += SM_PACE_BATCH_US;
    return true;
}

void sm_pace_spend(struct sm_pace *pace, uint64_t pixels)
{
    const uint64_t most = 64ull * SM_PACE_BATCH_PX; /* half a second */
    pace->used_until_us += (pixels < most ? pixels : most) * SM_PACE_BATCH_US / SM_PACE_BATCH_PX;
}
