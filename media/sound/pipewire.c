/* SPDX-License-Identifier: MIT */
/* Sound by PipeWire. The only file that knows libpipewire. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>

#include "media/sound.h"

enum { PATIENCE_S = 3 /* for the server's answers */ };

struct sm_sound_stream {
    struct sm_sound_stream_config config;
    struct pw_thread_loop *loop; /* owned; its lock is held while anything below is touched */
    struct pw_context *context;  /* owned */
    struct pw_core *core;        /* owned */
    struct pw_registry *registry;
    struct pw_stream *stream; /* owned */
    struct spa_hook core_hook, registry_hook, stream_hook;
    const char *device_class; /* of what could play or record for us */
    int sync;
    bool is_listed, has_device; /* while it is looked for */
    bool is_ready, is_lost;
};

static void lose(struct sm_sound_stream *s)
{
    bool is_news = s->is_ready && !s->is_lost;
    s->is_lost = true;
    pw_thread_loop_signal(s->loop, false);
    if (is_news)
        s->config.lost(s->config.opaque);
}

/* ---- The server, and whether it has a device at all ---- */

static void on_core_done(void *opaque, uint32_t id, int sequence)
{
    struct sm_sound_stream *s = opaque;
    if (id == PW_ID_CORE && sequence == s->sync) {
        s->is_listed = true;
        pw_thread_loop_signal(s->loop, false);
    }
}

static void on_core_error(void *opaque, uint32_t id, int sequence, int result, const char *message)
{
    (void)sequence;
    (void)message;
    if (id == PW_ID_CORE && result == -EPIPE)
        lose(opaque);
}

static const struct pw_core_events CORE_EVENTS = {
    PW_VERSION_CORE_EVENTS,
    .done = on_core_done,
    .error = on_core_error,
};

static void on_global(void *opaque, uint32_t id, uint32_t permissions, const char *type,
                      uint32_t version, const struct spa_dict *props)
{
    struct sm_sound_stream *s = opaque;
    (void)id;
    (void)permissions;
    (void)version;
    const char *class = props ? spa_dict_lookup(props, PW_KEY_MEDIA_CLASS) : NULL;
    if (class && strcmp(type, PW_TYPE_INTERFACE_Node) == 0 &&
        strncmp(class, s->device_class, strlen(s->device_class)) == 0)
        s->has_device = true;
}

static const struct pw_registry_events REGISTRY_EVENTS = {
    PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
};

/* PipeWire also runs where it carries nothing but pictures, beside a sound server of its own. */
static bool find_device(struct sm_sound_stream *s)
{
    struct timespec until;
    s->registry = pw_core_get_registry(s->core, PW_VERSION_REGISTRY, 0);
    if (!s->registry)
        return false;
    pw_registry_add_listener(s->registry, &s->registry_hook, &REGISTRY_EVENTS, s);
    s->sync = pw_core_sync(s->core, PW_ID_CORE, 0);
    pw_thread_loop_get_time(s->loop, &until, PATIENCE_S * SPA_NSEC_PER_SEC);
    while (!s->is_listed && !s->is_lost)
        if (pw_thread_loop_timed_wait_full(s->loop, &until) < 0)
            break;
    spa_hook_remove(&s->registry_hook);
    pw_proxy_destroy((struct pw_proxy *)s->registry);
    return s->has_device;
}

/* ---- The stream ---- */

static void on_state(void *opaque, enum pw_stream_state old, enum pw_stream_state state,
                     const char *error)
{
    (void)old;
    (void)error;
    if (state == PW_STREAM_STATE_ERROR)
        lose(opaque);
}

static uint32_t delay_us(struct sm_sound_stream *s)
{
    struct pw_time time;
    if (pw_stream_get_time_n(s->stream, &time, sizeof(time)) < 0 || time.rate.denom == 0)
        return 0;
    int64_t ticks = time.delay + (int64_t)time.buffered;
    int64_t delay = ticks * 1000000 * time.rate.num / time.rate.denom;
    return delay < 0 ? 0 : delay < UINT32_MAX ? (uint32_t)delay : UINT32_MAX;
}

/* On the real-time thread. */
static void on_process(void *opaque)
{
    struct sm_sound_stream *s = opaque;
    struct pw_buffer *buffer = pw_stream_dequeue_buffer(s->stream);
    if (!buffer)
        return;
    struct spa_data *data = &buffer->buffer->datas[0];
    uint32_t stride = s->config.channels * (uint32_t)sizeof(int16_t);
    if (data->data && s->config.is_input) {
        uint32_t offset = SPA_MIN(data->chunk->offset, data->maxsize);
        uint32_t size = SPA_MIN(data->chunk->size, data->maxsize - offset);
        s->config.run(s->config.opaque, SPA_PTROFF(data->data, offset, int16_t), size / stride,
                      delay_us(s));
    } else if (data->data) {
        uint32_t frames = data->maxsize / stride;
        if (buffer->requested && buffer->requested < frames)
            frames = (uint32_t)buffer->requested;
        s->config.run(s->config.opaque, data->data, frames, delay_us(s));
        data->chunk->offset = 0;
        data->chunk->stride = (int32_t)stride;
        data->chunk->size = frames * stride;
    }
    pw_stream_queue_buffer(s->stream, buffer);
}

static const struct pw_stream_events STREAM_EVENTS = {
    PW_VERSION_STREAM_EVENTS,
    .state_changed = on_state,
    .process = on_process,
};

static bool make_stream(struct sm_sound_stream *s)
{
    uint8_t space[1024];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(space, sizeof(space));
    struct spa_audio_info_raw info = {
        .format = SPA_AUDIO_FORMAT_S16, .rate = s->config.rate_hz, .channels = s->config.channels};
    if (info.channels == 1)
        info.position[0] = SPA_AUDIO_CHANNEL_MONO;
    for (uint32_t i = 0; info.channels > 1 && i < info.channels; i++)
        info.position[i] = i < 2 ? SPA_AUDIO_CHANNEL_FL + i : SPA_AUDIO_CHANNEL_AUX0 + i;
    const struct spa_pod *params[1] = {
        spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info)};
    struct pw_properties *props = pw_properties_new(
        PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY,
        s->config.is_input ? "Capture" : "Playback", PW_KEY_APP_NAME, "Sumac", PW_KEY_NODE_NAME,
        s->config.name, PW_KEY_MEDIA_NAME, s->config.name, NULL);
    if (!props)
        return false;
    pw_properties_setf(props, PW_KEY_NODE_LATENCY, "%u/%u",
                       s->config.rate_hz * SM_SOUND_PERIOD_MS / 1000, s->config.rate_hz);
    s->stream = pw_stream_new(s->core, s->config.name, props);
    if (!s->stream)
        return false;
    pw_stream_add_listener(s->stream, &s->stream_hook, &STREAM_EVENTS, s);
    return pw_stream_connect(
               s->stream, s->config.is_input ? PW_DIRECTION_INPUT : PW_DIRECTION_OUTPUT, PW_ID_ANY,
               PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_RT_PROCESS |
                   PW_STREAM_FLAG_INACTIVE,
               params, 1) >= 0;
}

/* ---- Making and ending ---- */

static void destroy(struct sm_sound_stream *s)
{
    if (!s)
        return;
    if (s->loop)
        pw_thread_loop_stop(s->loop);
    if (s->stream) {
        spa_hook_remove(&s->stream_hook);
        pw_stream_destroy(s->stream);
    }
    if (s->core) {
        spa_hook_remove(&s->core_hook);
        pw_core_disconnect(s->core);
    }
    if (s->context)
        pw_context_destroy(s->context);
    if (s->loop)
        pw_thread_loop_destroy(s->loop);
    free(s);
}

static enum sm_status set_up(struct sm_sound_stream *s, char *why, size_t why_size)
{
    s->context = pw_context_new(pw_thread_loop_get_loop(s->loop), NULL, 0);
    if (!s->context)
        return SM_ERR_NOMEM;
    s->core = pw_context_connect(s->context, NULL, 0);
    if (!s->core) {
        (void)snprintf(why, why_size, "not running");
        return SM_ERR_IO;
    }
    pw_core_add_listener(s->core, &s->core_hook, &CORE_EVENTS, s);
    if (!find_device(s)) {
        (void)snprintf(why, why_size, "no sound device");
        return SM_ERR_IO;
    }
    s->is_ready = make_stream(s) && !s->is_lost;
    if (s->is_ready)
        return SM_OK;
    (void)snprintf(why, why_size, "no stream");
    return SM_ERR_IO;
}

static void start_library(void)
{
    pw_init(NULL, NULL);
}

static enum sm_status open_stream(struct sm_sound_stream **out,
                                  const struct sm_sound_stream_config *config, char *why,
                                  size_t why_size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start_library);
    struct sm_sound_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return SM_ERR_NOMEM;
    s->config = *config;
    s->device_class = config->is_input ? "Audio/Source" : "Audio/Sink";
    s->loop = pw_thread_loop_new("sumac-sound", NULL);
    if (!s->loop || pw_thread_loop_start(s->loop) < 0) {
        destroy(s);
        return SM_ERR_NOMEM;
    }
    pw_thread_loop_lock(s->loop);
    enum sm_status status = set_up(s, why, why_size);
    pw_thread_loop_unlock(s->loop);
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
    pw_thread_loop_lock(s->loop);
    (void)pw_stream_set_active(s->stream, is_active);
    pw_thread_loop_unlock(s->loop);
}

static const struct sm_sound_ops OPS = {
    .name = "PipeWire",
    .open = open_stream,
    .set_active = set_active,
    .destroy = destroy,
};

extern const struct sm_sound_module sm_sound_module;

__attribute__((visibility("default"))) const struct sm_sound_module sm_sound_module = {
    .version = SM_SOUND_MODULE_VERSION,
    .ops = &OPS,
};
