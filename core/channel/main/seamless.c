/* SPDX-License-Identifier: MIT */
#include "core/channel/main/seamless.h"

#include <string.h>

#include "core/base/math.h"
#include "core/wire/main.h"

static enum sm_status fail(struct sm_main_seamless *s, enum sm_status status, const char *reason)
{
    s->status = status;
    s->reason = reason;
    return status;
}

static enum sm_status take_answer(struct sm_main_seamless *s)
{
    struct sm_frame frame = sm_frame_parse((struct sm_bytes){s->header, s->filled}, true);
    bool is_yes = frame.type == SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK;
    bool is_no = frame.type == SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK;
    if ((!is_yes && !is_no) || frame.size > 0)
        return fail(s, SM_ERR_PROTOCOL, "the answer to a seamless migration is none");
    s->answer = is_yes ? SM_SEAMLESS_YES : SM_SEAMLESS_NO;
    return SM_OK;
}

static enum sm_status receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_main_seamless *s = self;
    (void)now_us;
    *taken = 0;
    if (s->status != SM_OK || s->answer != SM_SEAMLESS_NONE)
        return s->status;
    *taken = sm_min_size(in.size, sizeof(s->header) - s->filled);
    if (*taken)
        memcpy(s->header + s->filled, in.data, *taken);
    s->filled += *taken;
    return s->filled == sizeof(s->header) ? take_answer(s) : SM_OK;
}

static struct sm_bytes pending(const void *self)
{
    const struct sm_main_seamless *s = self;
    return (struct sm_bytes){s->question + s->sent, sizeof(s->question) - s->sent};
}

static void sent(void *self, size_t size, uint64_t now_us)
{
    struct sm_main_seamless *s = self;
    (void)now_us;
    s->sent += sm_min_size(size, sizeof(s->question) - s->sent);
}

static uint64_t deadline(const void *self)
{
    const struct sm_main_seamless *s = self;
    return s->status == SM_OK && s->answer == SM_SEAMLESS_NONE ? s->deadline_us : UINT64_MAX;
}

static enum sm_status tick(void *self, uint64_t now_us)
{
    struct sm_main_seamless *s = self;
    if (s->status == SM_OK && s->answer == SM_SEAMLESS_NONE && now_us >= s->deadline_us)
        return fail(s, SM_ERR_PROTOCOL, "no answer to a seamless migration");
    return s->status;
}

static const char *reason(const void *self)
{
    const struct sm_main_seamless *s = self;
    return s->reason;
}

static const struct sm_machine_ops OPS = {
    .receive = receive,
    .pending = pending,
    .sent = sent,
    .deadline = deadline,
    .tick = tick,
    .reason = reason,
};

void sm_main_seamless_init(struct sm_main_seamless *seamless, uint32_t version,
                           uint64_t deadline_us)
{
    *seamless = (struct sm_main_seamless){.reason = "", .deadline_us = deadline_us};
    const uint8_t question[] = {SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                                0,
                                4,
                                0,
                                0,
                                0,
                                (uint8_t)version,
                                (uint8_t)(version >> 8),
                                (uint8_t)(version >> 16),
                                (uint8_t)(version >> 24)};
    memcpy(seamless->question, question, sizeof(question));
}

struct sm_machine sm_main_seamless_machine(struct sm_main_seamless *seamless)
{
    return (struct sm_machine){.ops = &OPS, .self = seamless};
}
