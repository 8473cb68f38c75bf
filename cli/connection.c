/* SPDX-License-Identifier: MIT */
#include "cli/connection.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "sumac/inputs.h"
#include "sumac/sound.h"

enum {
    CONNECT_MS = 10000, /* at most, for one channel */
    GRACE_MS = 300,     /* so that the session's own, better words about a delay come first */
    FINISH_MS = 2000,
    /* One process stays small: what a screen needs, not what an hour of work could use. */
    IMAGE_CACHE_BYTES = 8 << 20,
    GLZ_WINDOW_BYTES = 4 << 20, /* larger images then come in other encodings */
};

uint64_t cli_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void write_log(void *opaque, enum sm_session_log_level level, const char *text)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    (void)opaque;
    fprintf(stderr, "sumac: %s: %s\n", names[level], text);
}

/* Where other clients of this protocol keep their authorities; "" if there is nothing. */
static void find_trust_store(char *path, size_t size)
{
    const char *home = getenv("HOME");
    int length = snprintf(path, size, "%s/.spicec/spice_truststore.pem", home ? home : "");
    if (!home || length < 0 || (size_t)length >= size || access(path, R_OK) != 0)
        path[0] = 0;
}

static bool set_up(struct cli_connection *c, uint32_t kinds)
{
    const struct cli_options *o = c->options;
    char trust_store[4096];
    find_trust_store(trust_store, sizeof(trust_store));
    const char *ca_file = o->ca_file || !trust_store[0] ? o->ca_file : trust_store;
    struct sm_session *session = c->session;
    uint32_t connect_ms = o->timeout_ms < CONNECT_MS ? o->timeout_ms : CONNECT_MS;
    /* What the command line says counts more than the file. */
    return (!o->file || sm_connection_file_apply(o->file, session) == SM_OK) &&
           (!o->password || sm_session_set_password(session, o->password) == SM_OK) &&
           (!o->user || sm_session_set_user(session, o->user) == SM_OK) &&
           sm_session_set_ca_file(session, ca_file) == SM_OK &&
           (!o->ca_file || sm_session_set_ca_pem(session, NULL) == SM_OK) &&
           (!o->host_subject || sm_session_set_host_subject(session, o->host_subject) == SM_OK) &&
           (!o->proxy || sm_session_set_proxy(session, o->proxy) == SM_OK) &&
           sm_session_set_timeout(session, connect_ms) == SM_OK &&
           sm_session_set_channels(session, kinds) == SM_OK &&
           sm_session_use_sound(
               session, kinds & 1u << SM_CHANNEL_KIND_PLAYBACK ? SM_SOUND_PROGRAM : SM_SOUND_OFF,
               o->microphone ? SM_SOUND_PROGRAM : SM_SOUND_OFF) == SM_OK &&
           sm_session_set_cache_sizes(session, IMAGE_CACHE_BYTES, GLZ_WINDOW_BYTES) == SM_OK &&
           (!o->connector ||
            sm_session_set_connector(session, o->connector, o->connector_opaque) == SM_OK) &&
           (!o->capture ||
            sm_session_set_capture(session, o->capture, o->capture_opaque) == SM_OK) &&
           (!o->wants_agent || sm_session_use_agent(session) == SM_OK) &&
           (!o->is_verbose ||
            sm_session_set_log(session, write_log, NULL, SM_SESSION_LOG_DEBUG) == SM_OK);
}

static int open_signal_fd(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool cli_connection_open(struct cli_connection *c, const struct cli_options *options,
                         uint32_t kinds, uint32_t needed, struct cli_failure *failure)
{
    return cli_connection_open_with(c, options, kinds, needed, NULL, failure);
}

bool cli_connection_open_with(struct cli_connection *c, const struct cli_options *options,
                              uint32_t kinds, uint32_t needed,
                              bool (*set_more)(struct cli_connection *c),
                              struct cli_failure *failure)
{
    *c = (struct cli_connection){
        .options = options,
        .failure = failure,
        .signal_fd = open_signal_fd(),
        .deadline_us = cli_now_us() + ((uint64_t)options->timeout_ms + GRACE_MS) * 1000,
        .kinds = kinds,
        .needed = needed | 1u << SM_CHANNEL_KIND_MAIN,
        .doing = "connecting",
    };
    if (c->signal_fd < 0)
        return cli_fail(failure, CLI_EXIT_OTHER, "raise the limit of open files",
                        "no descriptor for signals");
    if (sm_session_create(&c->session, options->address) != SM_OK || !set_up(c, kinds))
        return cli_fail_nomem(failure);
    if (set_more && !set_more(c))
        return false;
    struct sm_error error;
    if (sm_session_connect(c->session, &error) != SM_OK)
        return cli_fail_error(failure, &error);
    struct sm_event event;
    do {
        if (cli_connection_next(c, UINT64_MAX, &event) != CLI_NEXT_EVENT)
            return false;
    } while (event.kind != SM_EVENT_CONNECTED);
    return true;
}

static bool was_interrupted(const struct cli_connection *c)
{
    struct signalfd_siginfo info;
    return read(c->signal_fd, &info, sizeof(info)) == sizeof(info);
}

/* True if the event means that the command cannot go on; the failure is filled. */
static bool is_end(struct cli_connection *c, const struct sm_event *event)
{
    if (event->kind == SM_EVENT_CLOSED ||
        (event->kind == SM_EVENT_CHANNEL_CLOSED && event->channel_id == 0 &&
         c->needed & 1u << event->channel)) {
        (void)cli_fail_error(c->failure, event->error);
        return true;
    }
    return false;
}

static enum cli_next time_is_up(struct cli_connection *c)
{
    (void)cli_fail(c->failure, CLI_EXIT_TIMED_OUT, "allow more time with --timeout",
                   "time is up after %u ms, while %s", (unsigned)c->options->timeout_ms, c->doing);
    return CLI_NEXT_FAILED;
}

enum cli_next cli_connection_next(struct cli_connection *c, uint64_t until_us,
                                  struct sm_event *event)
{
    for (;;) {
        if (was_interrupted(c)) {
            (void)cli_fail(c->failure, CLI_EXIT_INTERRUPTED, "", "interrupted while %s", c->doing);
            return CLI_NEXT_FAILED;
        }
        if (sm_session_wait_event(c->session, 0, event)) {
            if (event->kind == SM_EVENT_INFO && event->channel == SM_CHANNEL_KIND_INPUTS)
                c->knows_leds = true;
            return is_end(c, event) ? CLI_NEXT_FAILED : CLI_NEXT_EVENT;
        }
        uint64_t now_us = cli_now_us();
        if (now_us >= until_us)
            return CLI_NEXT_TIME;
        if (now_us >= c->deadline_us)
            return time_is_up(c);
        uint64_t end_us = until_us < c->deadline_us ? until_us : c->deadline_us;
        struct pollfd fds[] = {
            {.fd = sm_session_event_fd(c->session), .events = POLLIN},
            {.fd = c->signal_fd, .events = POLLIN},
        };
        (void)poll(fds, 2, (int)((end_us - now_us + 999) / 1000));
    }
}

bool cli_connection_pause(struct cli_connection *c, uint32_t ms)
{
    uint64_t until_us = cli_now_us() + (uint64_t)ms * 1000;
    struct sm_event event;
    enum cli_next next;
    do {
        next = cli_connection_next(c, until_us, &event);
    } while (next == CLI_NEXT_EVENT);
    return next == CLI_NEXT_TIME;
}

void cli_connection_progress(struct cli_connection *c, uint32_t ms)
{
    c->deadline_us = cli_now_us() + ((uint64_t)c->options->timeout_ms + ms) * 1000;
}

/* What the server offers of `kind` with id 0. */
static bool find_channel(struct cli_connection *c, enum sm_channel_kind kind, bool *is_open)
{
    enum { MAX = 64 };
    struct sm_channel_info channels[MAX];
    size_t count = sm_session_get_channels(c->session, channels, MAX);
    for (size_t i = 0; i < count && i < MAX; i++)
        if (channels[i].kind == kind && channels[i].id == 0) {
            *is_open = channels[i].is_open;
            return true;
        }
    return false;
}

bool cli_connection_need(struct cli_connection *c, enum sm_channel_kind kind)
{
    struct sm_event event;
    for (;;) {
        bool is_open = false;
        if (!find_channel(c, kind, &is_open))
            return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL,
                            "give the machine what is missing, or use another one",
                            "the server offers no %s channel", sm_channel_kind_name(kind));
        if (is_open)
            return true;
        if (cli_connection_next(c, UINT64_MAX, &event) != CLI_NEXT_EVENT)
            return false;
    }
}

bool cli_connection_finish(struct cli_connection *c)
{
    c->doing = "ending the session";
    sm_session_close(c->session);
    uint64_t until_us = cli_now_us() + FINISH_MS * 1000;
    struct sm_event event;
    while (cli_now_us() < until_us) {
        if (was_interrupted(c))
            return cli_fail(c->failure, CLI_EXIT_INTERRUPTED, "", "interrupted while %s", c->doing);
        if (!sm_session_wait_event(c->session, 50, &event))
            continue;
        if (event.kind == SM_EVENT_CLOSED)
            return event.error->kind == SM_ERROR_NONE || cli_fail_error(c->failure, event.error);
    }
    return true; /* a server that does not answer to the end has all we sent */
}

bool cli_connection_let_go(struct cli_connection *c, bool is_good)
{
    struct sm_session_info info = {.is_connected = false};
    if (c->session)
        sm_session_get_info(c->session, &info);
    bool sends = c->kinds & 1u << SM_CHANNEL_KIND_INPUTS || c->options->wants_agent;
    if (!info.is_connected || !sends)
        return is_good;
    if (is_good)
        return cli_connection_finish(c);
    struct cli_failure ignored, *failure = c->failure;
    (void)!sm_session_release_all(c->session);
    c->failure = &ignored;
    (void)cli_connection_finish(c);
    c->failure = failure;
    return false;
}

void cli_connection_close(struct cli_connection *c)
{
    sm_session_destroy(c->session);
    if (c->signal_fd >= 0)
        close(c->signal_fd);
    c->session = NULL;
    c->signal_fd = -1;
}
