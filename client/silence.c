/* SPDX-License-Identifier: MIT */
#include "client/silence.h"

#include "client/session_private.h"
#include "io/clock.h"
#include "io/epoll_loop.h"

enum { LOOK_MS = 1000 };

static const uint64_t MOTION_US = 4000000;
/* An idle display is pinged every 15 s, and as idle counts what has been so for 100 ms. */
static const uint64_t PING_US = 20000000;
/* Who has not looked for so long has not listened either. */
static const uint64_t ASLEEP_US = 3000000;

void sm_silence_note_motion(struct sm_silence *silence, bool is_owed, uint32_t acks,
                            uint64_t now_us)
{
    bool has_begun = atomic_load(&silence->motion_us) == 0;
    if (!is_owed || acks == 0)
        atomic_store(&silence->motion_us, 0);
    else if (has_begun || acks != silence->acks)
        atomic_store(&silence->motion_us, now_us);
    silence->acks = acks;
}

bool sm_silence_look(struct sm_silence *silence, uint64_t received_bytes, bool is_pinged,
                     uint64_t now_us)
{
    bool was_asleep = now_us - silence->looked_us > ASLEEP_US;
    silence->looked_us = now_us;
    if (received_bytes != silence->heard_bytes || was_asleep)
        silence->heard_us = now_us;
    silence->heard_bytes = received_bytes;

    uint64_t motion_us = atomic_load(&silence->motion_us), since_us = 0;
    if (motion_us && now_us > motion_us + MOTION_US && !was_asleep)
        since_us = motion_us;
    else if (is_pinged && now_us > silence->heard_us + PING_US)
        since_us = silence->heard_us;
    return !since_us != !atomic_exchange(&silence->since_us, since_us);
}

uint32_t sm_silence_ms(const struct sm_silence *silence, uint64_t now_us)
{
    uint64_t since_us = atomic_load(&silence->since_us);
    uint64_t ms = since_us && now_us > since_us ? (now_us - since_us) / 1000 : 0;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* ---- In a session ---- */

static void look(void *opaque)
{
    struct sm_client_channel *main = opaque;
    struct sm_session *session = main->session;
    struct sm_silence *silence = &session->silence;
    uint64_t received_bytes = 0;
    bool is_pinged = false;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++) {
        struct sm_client_channel *channel = session->channels[i];
        received_bytes += atomic_load(&channel->received_bytes);
        /* Main has pings of its own when it connects. */
        if (channel->kind == SM_CHANNEL_KIND_DISPLAY && channel->state == SM_CLIENT_CHANNEL_OPEN)
            is_pinged = is_pinged || atomic_load(&channel->is_pinged);
    }
    pthread_mutex_unlock(&session->lock);
    if (sm_silence_look(silence, received_bytes, is_pinged, sm_now_us())) {
        bool is_silent = atomic_load(&silence->since_us) != 0;
        sm_log_at(&session->log, SM_LOG_WARNING, "the server %s",
                  is_silent ? "does not answer" : "answers again");
        sm_session_tell(session, SM_EVENT_INFO, main);
    }
    sm_loop_timer_start(sm_epoll_loop_base(main->loop), silence->timer, LOOK_MS);
}

void sm_silence_begin(struct sm_client_channel *main)
{
    struct sm_silence *silence = &main->session->silence;
    struct sm_loop loop = sm_epoll_loop_base(main->loop);
    if (!silence->timer)
        silence->timer = sm_loop_timer_add(loop, look, main);
    if (silence->timer) /* without memory for it nothing is told, that is all */
        sm_loop_timer_start(loop, silence->timer, LOOK_MS);
}

void sm_silence_end(struct sm_client_channel *main)
{
    struct sm_silence *silence = &main->session->silence;
    sm_loop_timer_remove(sm_epoll_loop_base(main->loop), silence->timer);
    silence->timer = NULL;
    atomic_store(&silence->since_us, 0);
    atomic_store(&silence->motion_us, 0);
}
