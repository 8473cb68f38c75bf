/* SPDX-License-Identifier: MIT */
/* Sound by PulseAudio. The only file that knows libpulse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pulse/pulseaudio.h>

#include "media/sound.h"

enum {
    FRAMES_MAX = 4096,
    PATIENCE_US = 3000000, /* for the server's answers */
    TARGET_MS = 16,        /* in the server's buffer, at first */
    TARGET_MOST_MS = 160,  /* on a machine that is too busy for less */
};

struct sm_sound_stream {
    struct sm_sound_stream_config config;
    pa_threaded_mainloop *loop; /* owned; its lock is held while anything below is touched */
    pa_context *context;        /* owned */
    pa_stream *stream;          /* owned */
    bool is_ready, is_lost, is_late;
    uint32_t target_ms;
};

static size_t frame_bytes(const struct sm_sound_stream *s)
{
    return s->config.channels * sizeof(int16_t);
}

/* The state of either has changed: whoever waits looks, and who has begun is told of the end. */
static void look(struct sm_sound_stream *s)
{
    pa_threaded_mainloop_signal(s->loop, 0);
    if (!s->is_ready || s->is_lost)
        return;
    if (PA_CONTEXT_IS_GOOD(pa_context_get_state(s->context)) &&
        PA_STREAM_IS_GOOD(pa_stream_get_state(s->stream)))
        return;
    s->is_lost = true;
    s->config.lost(s->config.opaque);
}

static void on_context(pa_context *context, void *opaque)
{
    (void)context;
    look(opaque);
}

static void on_stream(pa_stream *stream, void *opaque)
{
    (void)stream;
    look(opaque);
}

static uint32_t delay_us(pa_stream *stream)
{
    pa_usec_t delay = 0;
    int is_negative = 0;
    if (pa_stream_get_latency(stream, &delay, &is_negative) < 0 || is_negative)
        return 0;
    return delay < UINT32_MAX ? (uint32_t)delay : UINT32_MAX;
}

static void on_write(pa_stream *stream, size_t wanted, void *opaque)
{
    struct sm_sound_stream *s = opaque;
    uint32_t delay = delay_us(stream);
    while (wanted >= frame_bytes(s)) {
        void *to = NULL;
        size_t size = wanted;
        if (pa_stream_begin_write(stream, &to, &size) < 0 || !to)
            return;
        size -= size % frame_bytes(s);
        s->config.run(s->config.opaque, to, (uint32_t)(size / frame_bytes(s)), delay);
        if (size == 0 || pa_stream_write(stream, to, size, NULL, 0, PA_SEEK_RELATIVE) < 0)
            return;
        wanted -= size < wanted ? size : wanted;
        delay += (uint32_t)(size / frame_bytes(s) * UINT64_C(1000000) / s->config.rate_hz);
    }
}

static void take(struct sm_sound_stream *s, const uint8_t *from, size_t size, uint32_t delay)
{
    int16_t samples[FRAMES_MAX];
    size_t step = sizeof(samples) - sizeof(samples) % frame_bytes(s);
    while (size >= frame_bytes(s)) {
        size_t part = size < step ? size - size % frame_bytes(s) : step;
        if (from)
            memcpy(samples, from, part);
        else
            memset(samples, 0, part); /* a hole in the recording */
        s->config.run(s->config.opaque, samples, (uint32_t)(part / frame_bytes(s)), delay);
        from = from ? from + part : NULL;
        size -= part;
    }
}

static void on_read(pa_stream *stream, size_t there, void *opaque)
{
    struct sm_sound_stream *s = opaque;
    (void)there;
    while (pa_stream_readable_size(stream) > 0) {
        const void *from = NULL;
        size_t size = 0;
        if (pa_stream_peek(stream, &from, &size) < 0 || size == 0)
            return;
        take(s, from, size, delay_us(stream));
        (void)pa_stream_drop(stream);
    }
}

static pa_buffer_attr attributes(const struct sm_sound_stream *s)
{
    uint32_t period = s->config.rate_hz * SM_SOUND_PERIOD_MS / 1000 * (uint32_t)frame_bytes(s);
    return (pa_buffer_attr){
        .maxlength = (uint32_t)-1,
        .tlength = period * s->target_ms / SM_SOUND_PERIOD_MS,
        .prebuf = 0, /* what is late must not stop the stream */
        .minreq = period / 2,
        .fragsize = period,
    };
}

static void set_attributes(struct sm_sound_stream *s)
{
    pa_buffer_attr attr = attributes(s);
    pa_operation *operation = pa_stream_set_buffer_attr(s->stream, &attr, NULL, NULL);
    if (operation)
        pa_operation_unref(operation);
}

/* We came too late, since the machine is busy: more must lie in the server. */
static void on_underflow(pa_stream *stream, void *opaque)
{
    struct sm_sound_stream *s = opaque;
    (void)stream;
    if (!s->is_ready || s->target_ms >= TARGET_MOST_MS)
        return;
    s->target_ms *= 2;
    set_attributes(s);
}

/* The desktop has put the stream on another device, which begins with buffers of its own taste. */
static void on_moved(pa_stream *stream, void *opaque)
{
    struct sm_sound_stream *s = opaque;
    (void)stream;
    s->target_ms = TARGET_MS;
    set_attributes(s);
}

/* ---- Making ---- */

static void on_late(pa_mainloop_api *api, pa_time_event *event, const struct timeval *time,
                    void *opaque)
{
    struct sm_sound_stream *s = opaque;
    (void)time;
    api->time_free(event);
    s->is_late = true;
    pa_threaded_mainloop_signal(s->loop, 0);
}

static bool connect_context(struct sm_sound_stream *s)
{
    if (pa_context_connect(s->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        return false;
    for (;;) {
        pa_context_state_t state = pa_context_get_state(s->context);
        if (state == PA_CONTEXT_READY)
            return true;
        if (!PA_CONTEXT_IS_GOOD(state) || s->is_late)
            return false;
        pa_threaded_mainloop_wait(s->loop);
    }
}

static bool connect_stream(struct sm_sound_stream *s)
{
    const pa_sample_spec spec = {.format = PA_SAMPLE_S16NE,
                                 .rate = s->config.rate_hz,
                                 .channels = (uint8_t)s->config.channels};
    const pa_stream_flags_t flags = PA_STREAM_START_CORKED | PA_STREAM_ADJUST_LATENCY |
                                    PA_STREAM_AUTO_TIMING_UPDATE | PA_STREAM_INTERPOLATE_TIMING;
    pa_buffer_attr attr = attributes(s);
    s->stream =
        pa_sample_spec_valid(&spec) ? pa_stream_new(s->context, s->config.name, &spec, NULL) : NULL;
    if (!s->stream)
        return false;
    pa_stream_set_state_callback(s->stream, on_stream, s);
    pa_stream_set_moved_callback(s->stream, on_moved, s);
    if (!s->config.is_input)
        pa_stream_set_underflow_callback(s->stream, on_underflow, s);
    if (s->config.is_input)
        pa_stream_set_read_callback(s->stream, on_read, s);
    else
        pa_stream_set_write_callback(s->stream, on_write, s);
    int result = s->config.is_input
                     ? pa_stream_connect_record(s->stream, NULL, &attr, flags)
                     : pa_stream_connect_playback(s->stream, NULL, &attr, flags, NULL, NULL);
    while (result >= 0 && !s->is_late && pa_stream_get_state(s->stream) == PA_STREAM_CREATING)
        pa_threaded_mainloop_wait(s->loop);
    return result >= 0 && pa_stream_get_state(s->stream) == PA_STREAM_READY;
}

static void destroy(struct sm_sound_stream *s)
{
    if (!s)
        return;
    if (s->loop) {
        pa_threaded_mainloop_lock(s->loop);
        s->is_lost = true; /* nobody wants to hear of it */
        if (s->stream) {
            (void)pa_stream_disconnect(s->stream);
            pa_stream_unref(s->stream);
        }
        if (s->context) {
            pa_context_disconnect(s->context);
            pa_context_unref(s->context);
        }
        pa_threaded_mainloop_unlock(s->loop);
        pa_threaded_mainloop_stop(s->loop);
        pa_threaded_mainloop_free(s->loop);
    }
    free(s);
}

static enum sm_status set_up(struct sm_sound_stream *s, char *why, size_t why_size)
{
    s->context = pa_context_new(pa_threaded_mainloop_get_api(s->loop), "Sumac");
    if (!s->context)
        return SM_ERR_NOMEM;
    pa_context_set_state_callback(s->context, on_context, s);
    (void)pa_context_rttime_new(s->context, pa_rtclock_now() + PATIENCE_US, on_late, s);
    s->is_ready = connect_context(s) && connect_stream(s);
    if (s->is_ready)
        return SM_OK;
    (void)snprintf(why, why_size, "%s",
                   s->is_late ? "no answer" : pa_strerror(pa_context_errno(s->context)));
    return SM_ERR_IO;
}

static enum sm_status open_stream(struct sm_sound_stream **out,
                                  const struct sm_sound_stream_config *config, char *why,
                                  size_t why_size)
{
    struct sm_sound_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return SM_ERR_NOMEM;
    s->config = *config;
    s->target_ms = TARGET_MS;
    s->loop = pa_threaded_mainloop_new();
    if (!s->loop || pa_threaded_mainloop_start(s->loop) < 0) {
        destroy(s);
        return SM_ERR_NOMEM;
    }
    pa_threaded_mainloop_lock(s->loop);
    enum sm_status status = set_up(s, why, why_size);
    pa_threaded_mainloop_unlock(s->loop);
    s->config.name = NULL;
    if (status != SM_OK) {
        destroy(s);
        return status;
    }
    *out = s;
    return SM_OK;
}

static void set_active(struct sm_sound_stream *s, bool is_active)
{
    pa_threaded_mainloop_lock(s->loop);
    pa_operation *operation = pa_stream_cork(s->stream, !is_active, NULL, NULL);
    if (operation)
        pa_operation_unref(operation);
    pa_threaded_mainloop_unlock(s->loop);
}

static const struct sm_sound_ops OPS = {
    .name = "PulseAudio",
    .open = open_stream,
    .set_active = set_active,
    .destroy = destroy,
};

extern const struct sm_sound_module sm_sound_module;

__attribute__((visibility("default"))) const struct sm_sound_module sm_sound_module = {
    .version = SM_SOUND_MODULE_VERSION,
    .ops = &OPS,
};
