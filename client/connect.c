/* SPDX-License-Identifier: MIT */
#include "client/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/error.h"
#include "client/resolve.h"
#include "client/session_private.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/websocket.h"

enum {
    /* A dead line is noticed after a minute and a quarter, on idle channels too. */
    KEEP_ALIVE_IDLE_S = 30,
    KEEP_ALIVE_INTERVAL_S = 15,
    KEEP_ALIVE_PROBES = 3,
    /* After 6 s where somebody waits for it to come back. */
    EAGER_IDLE_S = 3,
    EAGER_INTERVAL_S = 1,
    EAGER_TIMEOUT_MS = 6000,
    /* While the line is lost: the kernel tries at once, after 1 s and after 3 s. */
    LOST_CONNECT_US = 2 * 1000 * 1000,
};

/** One connection in the making. */
struct making {
    const struct sm_client_channel *channel;
    const struct sm_session *session;
    const struct sm_target *target;
    const struct sm_patience *patience;
    struct sm_error *error; /* filled by whoever fails */
};

/* Best effort: without it only the line's death goes unnoticed for longer. */
static void keep_alive(const struct sm_client_channel *channel, int fd)
{
    bool is_eager = channel->session->settings.reconnect_s > 0;
    int idle = is_eager ? EAGER_IDLE_S : KEEP_ALIVE_IDLE_S;
    int interval = is_eager ? EAGER_INTERVAL_S : KEEP_ALIVE_INTERVAL_S;
    int probes = KEEP_ALIVE_PROBES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    /* Also counts a server that takes nothing, as one may whose device is slow. */
    bool is_prompt = channel->kind == SM_CHANNEL_KIND_MAIN ||
                     channel->kind == SM_CHANNEL_KIND_DISPLAY ||
                     channel->kind == SM_CHANNEL_KIND_INPUTS;
    unsigned timeout_ms = EAGER_TIMEOUT_MS;
    if (is_eager && is_prompt)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

/* For the socket alone. */
static struct sm_patience socket_patience(const struct sm_session *session,
                                          const struct sm_patience *patience)
{
    struct sm_patience short_one = *patience;
    uint64_t until_us = sm_now_us() + LOST_CONNECT_US;
    if (atomic_load(&session->comeback.is_lost) && until_us < short_one.deadline_us)
        short_one.deadline_us = until_us;
    return short_one;
}

/* The first of the host's addresses that answers. */
static enum sm_status connect_tcp(int *out, const char *host, uint16_t port,
                                  const struct sm_patience *patience, struct sm_socket_error *why)
{
    struct sm_resolved resolved;
    enum sm_status status =
        sm_resolve(&resolved, host, patience->deadline_us, patience->cancel_fd, why);
    for (size_t i = 0; status == SM_OK && i < resolved.count; i++) {
        uint64_t share_us = sm_resolve_share(&resolved, i, patience->deadline_us);
        status = sm_socket_connect_tcp(out, resolved.addresses[i], port, share_us,
                                       patience->cancel_fd, why);
        if (status == SM_OK)
            return SM_OK;
        bool is_last = i + 1 == resolved.count;
        if (!is_last && why->failure != SM_SOCKET_CANCELLED)
            status = SM_OK;
    }
    return status;
}

static uint16_t port_of(const struct making *m)
{
    return m->channel->attempt.is_secure ? m->target->tls_port : m->target->port;
}

/* A socket to the caller's choice, the proxy or the server itself. */
static enum sm_status connect_socket(const struct making *m, int *out)
{
    const struct sm_session_settings *settings = &m->session->settings;
    const struct sm_attempt *attempt = &m->channel->attempt;
    struct sm_socket_error why = {.failure = SM_SOCKET_OTHER};
    struct sm_patience patience = socket_patience(m->session, m->patience);
    enum sm_status status;
    if (settings->connector) {
        *out = settings->connector(settings->connector_opaque, m->channel->kind, m->channel->id,
                                   attempt->is_secure);
        if (*out >= 0)
            return SM_OK;
        sm_error_set(m->error, SM_ERROR_SOCKET, "", "there is no connection for the %s channel",
                     attempt->channel);
        return SM_ERR_IO;
    }
    if (m->target->unix_path) {
        status = sm_socket_connect_unix(out, m->target->unix_path, &why);
    } else if (m->session->has_tunnel) {
        const struct sm_proxy *proxy = &m->session->tunnel.proxy;
        status = connect_tcp(out, proxy->host, proxy->port, &patience, &why);
        if (status == SM_ERR_IO) {
            sm_tunnel_reason_socket(&m->session->tunnel, m->error, &why, settings->timeout_ms);
            return status;
        }
    } else {
        status = connect_tcp(out, m->target->host, port_of(m), &patience, &why);
    }
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(m->error);
    if (status != SM_OK)
        sm_reason_socket(m->error, attempt, &why);
    return status;
}

static enum sm_status start(const struct making *m, struct sm_transport **out)
{
    int fd = -1;
    enum sm_status status = connect_socket(m, &fd);
    if (status != SM_OK)
        return status;
    status = sm_socket_transport(out, fd);
    if (status == SM_OK) {
        if (!(*out)->is_unix)
            keep_alive(m->channel, fd);
        return SM_OK;
    }
    close(fd);
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(m->error);
    sm_error_set(m->error, SM_ERROR_SYSTEM, "", "the socket cannot be used");
    return status;
}

/* From here on a failure destroys the transport. */

static enum sm_status add_tls(const struct making *m, struct sm_transport **transport)
{
    struct sm_transport *secure;
    enum sm_status status = sm_tls_transport_client(
        &secure, m->target->tls, *transport, m->target->host ? m->target->host : "localhost");
    if (status == SM_OK) {
        *transport = secure;
        return SM_OK;
    }
    sm_transport_destroy(*transport);
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(m->error);
    sm_error_set(m->error, SM_ERROR_SYSTEM, "", "TLS cannot be set up");
    return status;
}

static void reason_websocket(const struct making *m, const struct sm_transport *transport)
{
    struct sm_attempt attempt = m->channel->attempt;
    const char *words = sm_transport_reason(transport);
    enum sm_tls_failure tls = sm_websocket_transport_tls_failure(transport);
    if (tls != SM_TLS_OK)
        sm_reason_tls(m->error, &attempt, tls, words);
    else
        sm_error_set(m->error, SM_ERROR_NOT_SPICE,
                     "check port and path; without WebSocket the address is spice://HOST:PORT",
                     "no WebSocket to %s%s: %s", attempt.place, m->target->path, words);
}

static enum sm_status add_websocket(const struct making *m, struct sm_transport **transport)
{
    char host[300];
    const struct sm_target *target = m->target;
    (void)snprintf(host, sizeof(host), strchr(target->host, ':') ? "[%.255s]:%u" : "%.255s:%u",
                   target->host, port_of(m));
    struct sm_transport *upgraded;
    enum sm_status status =
        sm_websocket_transport_client(&upgraded, *transport, host, target->path);
    if (status != SM_OK) {
        sm_transport_destroy(*transport);
        return sm_error_nomem(m->error);
    }
    while ((status = sm_websocket_transport_handshake(upgraded)) == SM_AGAIN) {
        enum sm_socket_failure failure = sm_patience_wait(m->patience, upgraded, SM_IO_READ);
        if (failure == SM_SOCKET_OK)
            continue;
        sm_reason_socket(m->error, &m->channel->attempt,
                         &(struct sm_socket_error){.failure = failure});
        sm_transport_destroy(upgraded);
        return SM_ERR_IO;
    }
    if (status != SM_OK) {
        reason_websocket(m, upgraded);
        sm_transport_destroy(upgraded);
        return status;
    }
    *transport = upgraded;
    return SM_OK;
}

enum sm_status sm_connect(struct sm_transport **out, const struct sm_client_channel *channel,
                          const struct sm_patience *patience, struct sm_error *error)
{
    const struct making m = {
        .channel = channel,
        .session = channel->session,
        .target = channel->target,
        .patience = patience,
        .error = error,
    };
    struct sm_transport *transport;
    enum sm_status status = start(&m, &transport);
    bool is_direct = m.session->settings.connector || m.target->unix_path;
    if (status == SM_OK && m.session->has_tunnel && !is_direct)
        status = sm_tunnel_open(&m.session->tunnel, &transport, m.target->host, port_of(&m),
                                patience, error);
    if (status == SM_OK && channel->attempt.is_secure)
        status = add_tls(&m, &transport);
    if (status == SM_OK && m.target->path)
        status = add_websocket(&m, &transport);
    if (status == SM_OK)
        *out = transport;
    return status;
}
