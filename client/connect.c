/* SPDX-License-Identifier: MIT */
#include "client/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/error.h"
#include "client/resolve.h"
#include "client/session_private.h"

enum {
    /* A dead line is noticed after a minute and a quarter, on idle channels too. */
    KEEP_ALIVE_IDLE_S = 30,
    KEEP_ALIVE_INTERVAL_S = 15,
    KEEP_ALIVE_PROBES = 3,
};

/* Best effort: without it only the line's death goes unnoticed for longer. */
static void keep_alive(int fd)
{
    int idle = KEEP_ALIVE_IDLE_S, interval = KEEP_ALIVE_INTERVAL_S, probes = KEEP_ALIVE_PROBES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* The first of the host's addresses that answers. */
static enum sm_status connect_tcp(int *out, const struct sm_session_settings *settings,
                                  uint16_t port, uint64_t deadline_us, int cancel_fd,
                                  struct sm_socket_error *why)
{
    struct sm_resolved resolved;
    enum sm_status status = sm_resolve(&resolved, settings->host, deadline_us, cancel_fd, why);
    for (size_t i = 0; status == SM_OK && i < resolved.count; i++) {
        uint64_t share_us = sm_resolve_share(&resolved, i, deadline_us);
        status = sm_socket_connect_tcp(out, resolved.addresses[i], port, share_us, cancel_fd, why);
        if (status == SM_OK)
            return SM_OK;
        bool is_last = i + 1 == resolved.count;
        if (!is_last && why->failure != SM_SOCKET_CANCELLED)
            status = SM_OK;
    }
    return status;
}

static enum sm_status add_tls(struct sm_transport **transport, struct sm_session *session,
                              struct sm_error *error)
{
    struct sm_transport *secure;
    enum sm_status status =
        sm_tls_transport_client(&secure, session->tls, *transport, session->settings.host);
    if (status != SM_OK) {
        sm_transport_destroy(*transport);
        if (status == SM_ERR_NOMEM)
            return sm_error_nomem(error);
        sm_error_set(error, SM_ERROR_SYSTEM, "", "TLS cannot be set up");
        return status;
    }
    *transport = secure;
    return SM_OK;
}

enum sm_status sm_connect(struct sm_transport **out, struct sm_session *session,
                          const struct sm_attempt *attempt, uint64_t deadline_us, int cancel_fd,
                          struct sm_error *error)
{
    const struct sm_session_settings *settings = &session->settings;
    struct sm_socket_error why = {.failure = SM_SOCKET_OTHER};
    int fd = -1;
    enum sm_status status;
    if (attempt->is_unix)
        status = sm_socket_connect_unix(&fd, settings->unix_path, &why);
    else
        status =
            connect_tcp(&fd, settings, attempt->is_secure ? settings->tls_port : settings->port,
                        deadline_us, cancel_fd, &why);
    if (status != SM_OK) {
        if (status == SM_ERR_NOMEM)
            return sm_error_nomem(error);
        sm_reason_socket(error, attempt, &why);
        return status;
    }
    struct sm_transport *transport;
    status = sm_socket_transport(&transport, fd);
    if (status != SM_OK) {
        close(fd);
        if (status == SM_ERR_NOMEM)
            return sm_error_nomem(error);
        sm_error_set(error, SM_ERROR_SYSTEM, "", "the socket cannot be used");
        return status;
    }
    if (!attempt->is_unix)
        keep_alive(transport->fd);
    if (attempt->is_secure) {
        status = add_tls(&transport, session, error);
        if (status != SM_OK)
            return status;
    }
    *out = transport;
    return SM_OK;
}
