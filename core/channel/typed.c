/* SPDX-License-Identifier: MIT */
#include "core/channel/typed.h"

enum sm_status sm_typed_init(struct sm_typed *typed, enum sm_channel_role role,
                             const struct sm_channel_setup *setup,
                             uint32_t (*max_size)(uint16_t type), size_t arena_limit,
                             uint64_t ping_interval_us, uint64_t liveness_us, uint64_t now_us)
{
    struct sm_channel_config config = {
        .role = role,
        .has_mini_header = setup->has_mini_header,
        .max_size = max_size,
        .max_pending_bytes = setup->max_pending_bytes,
        .leading = setup->leading,
        .ping_interval_us = setup->is_local ? 0 : ping_interval_us,
        .liveness_us = setup->is_local ? 0 : liveness_us,
    };
    sm_arena_init(&typed->arena, arena_limit);
    enum sm_status status = sm_channel_create(&typed->channel, &config, now_us);
    /* A client that is still with the source does not answer. */
    if (status == SM_OK && setup->is_migrated)
        sm_channel_pause_pings(typed->channel);
    return status;
}

void sm_typed_finish(struct sm_typed *typed)
{
    sm_channel_destroy(typed->channel);
    sm_arena_finish(&typed->arena);
    typed->channel = NULL;
}

enum sm_status sm_typed_pull(struct sm_typed *typed, struct sm_channel_message *out)
{
    sm_arena_reset(&typed->arena);
    return sm_channel_next(typed->channel, out);
}

enum sm_status sm_typed_parsed(struct sm_typed *typed, enum sm_status status, const char *reason)
{
    return status == SM_OK ? SM_OK : sm_channel_fail(typed->channel, status, reason);
}

static struct sm_machine below(const void *self)
{
    const struct sm_typed *typed = self;
    return sm_channel_machine(typed->channel);
}

enum sm_status sm_typed_receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    return sm_machine_receive(below(self), in, now_us, taken);
}

struct sm_bytes sm_typed_pending(const void *self)
{
    return sm_machine_pending(below(self));
}

void sm_typed_sent(void *self, size_t size, uint64_t now_us)
{
    sm_machine_sent(below(self), size, now_us);
}

uint64_t sm_typed_deadline(const void *self)
{
    return sm_machine_deadline(below(self));
}

enum sm_status sm_typed_tick(void *self, uint64_t now_us)
{
    return sm_machine_tick(below(self), now_us);
}

const char *sm_typed_reason(const void *self)
{
    return sm_machine_reason(below(self));
}
