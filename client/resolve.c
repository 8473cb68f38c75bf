/* SPDX-License-Identifier: MIT */
#include "client/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"

/** One look-up. Two own it: the asking thread and the looking one; the last frees it. */
struct lookup {
    atomic_int owners;
    int done_fd;         /* eventfd; readable once `is_done` */
    atomic_bool is_done; /* the fields below are final */
    char *host;          /* owned */
    int result;          /* of getaddrinfo() */
    struct sm_resolved resolved;
};

static void drop(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) != 1)
        return;
    close(lookup->done_fd);
    free(lookup->host);
    free(lookup);
}

static void collect(struct sm_resolved *out, const struct addrinfo *found)
{
    for (; found && out->count < SM_RESOLVED_MAX; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, out->addresses[out->count],
                        SM_RESOLVED_TEXT_SIZE, NULL, 0, NI_NUMERICHOST) == 0)
            out->count++;
}

static int look_up(struct sm_resolved *out, const char *host, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(host, NULL, &hints, &found);
    if (result != 0)
        return result;
    collect(out, found);
    freeaddrinfo(found);
    return out->count > 0 ? 0 : EAI_NONAME;
}

static void *run(void *opaque)
{
    struct lookup *lookup = opaque;
    lookup->result = look_up(&lookup->resolved, lookup->host, AI_ADDRCONFIG);
    atomic_store(&lookup->is_done, true);
    uint64_t one = 1;
    ssize_t written = write(lookup->done_fd, &one, sizeof(one));
    (void)written; /* a fresh counter always has room */
    drop(lookup);
    return NULL;
}

static struct lookup *start(const char *host)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        return NULL;
    atomic_init(&lookup->owners, 2);
    lookup->host = strdup(host);
    lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!lookup->host || lookup->done_fd < 0)
        goto failed;
    pthread_t thread;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not this thread's */
    int result = pthread_create(&thread, NULL, run, lookup);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (result != 0)
        goto failed;
    pthread_detach(thread);
    return lookup;

failed:
    if (lookup->done_fd >= 0)
        close(lookup->done_fd);
    free(lookup->host);
    free(lookup);
    return NULL;
}

static void set_why(struct sm_socket_error *why, enum sm_socket_failure failure, const char *text)
{
    why->failure = failure;
    (void)snprintf(why->text, sizeof(why->text), "%s", text);
}

/* True when the look-up is done; false with `why` after a cancel or when time is up. */
static bool wait_done(const struct lookup *lookup, uint64_t deadline_us, int cancel_fd,
                      struct sm_socket_error *why)
{
    struct pollfd fds[] = {{.fd = lookup->done_fd, .events = POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}};
    for (;;) {
        uint64_t now_us = sm_now_us();
        int wait_ms = now_us < deadline_us ? (int)((deadline_us - now_us + 999) / 1000) : 0;
        int ready = poll(fds, 2, wait_ms);
        if (ready > 0 && fds[1].revents) {
            set_why(why, SM_SOCKET_CANCELLED, "cancelled");
            return false;
        }
        if (ready > 0 && atomic_load(&lookup->is_done))
            return true;
        if (ready == 0 && sm_now_us() >= deadline_us) {
            set_why(why, SM_SOCKET_RESOLVE, "the name server did not answer in time");
            return false;
        }
    }
}

enum sm_status sm_resolve(struct sm_resolved *out, const char *host, uint64_t deadline_us,
                          int cancel_fd, struct sm_socket_error *why)
{
    struct sm_resolved numeric = {.count = 0};
    if (look_up(&numeric, host, AI_NUMERICHOST) == 0) {
        *out = numeric;
        return SM_OK;
    }
    struct lookup *lookup = start(host);
    if (!lookup)
        return SM_ERR_NOMEM;
    enum sm_status status = SM_ERR_IO;
    if (wait_done(lookup, deadline_us, cancel_fd, why)) {
        if (lookup->result == 0) {
            *out = lookup->resolved;
            status = SM_OK;
        } else {
            set_why(why, SM_SOCKET_RESOLVE, gai_strerror(lookup->result));
        }
    }
    drop(lookup);
    return status;
}

uint64_t sm_resolve_share(const struct sm_resolved *resolved, size_t index, uint64_t deadline_us)
{
    uint64_t now_us = sm_now_us();
    if (now_us >= deadline_us)
        return deadline_us;
    return now_us + (deadline_us - now_us) / (resolved->count - index);
}
